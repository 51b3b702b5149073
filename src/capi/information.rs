// SPDX-License-Identifier: LGPL-2.1-or-later

//! Information about the export.
//!
//! The server sends it during the handshake, and these functions return it without
//! asking the server again. They fail with `EINVAL` until then. In option mode, the
//! server sends it in reply to `nbd_opt_info` or `nbd_opt_go`.

use libc::{c_char, c_int};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::protocol::flags::TransmissionFlags;

/// Checks whether the export is read-only.
///
/// Call it before writing. Writes, zeroes and trims on a read-only export fail with
/// `EPERM`: the library refuses them, unless `nbd_set_strict_mode` turns the check
/// off, and so does the server.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_READ_ONLY.
///
/// # See also
///
/// `nbd_pwrite`, `nbd_trim`, `nbd_zero`.
#[no_mangle]
pub unsafe extern "C" fn nbd_is_read_only(h: *mut nbd_handle) -> c_int {
    locked!(NBD_IS_READ_ONLY(h), |connection| connection
        .information()
        .has(TransmissionFlags::READ_ONLY))
}

/// Checks whether the server supports flush commands.
///
/// Call it before `nbd_flush`. Without flush commands, `LIBNBD_CMD_FLAG_FUA` is the
/// only way to get data to stable storage (`nbd_can_fua`).
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_FLUSH.
///
/// # See also
///
/// `nbd_flush`, `nbd_can_fua`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_flush(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_FLUSH(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_FLUSH))
}

/// Checks whether the server supports the FUA flag.
///
/// Call it before using `LIBNBD_CMD_FLAG_FUA` ("force unit access"). A write, zero
/// or trim command with this flag completes only when its changes are on stable
/// storage.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_FUA.
///
/// # See also
///
/// `nbd_pwrite`, `nbd_trim`, `nbd_zero`, `nbd_can_flush`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_fua(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_FUA(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_FUA))
}

/// Checks whether the export is on a rotating disk.
///
/// On a rotating disk, it can be faster to read and write in the order of the
/// offsets.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_ROTATIONAL.
///
/// # See also
///
/// `nbd_get_block_size`.
#[no_mangle]
pub unsafe extern "C" fn nbd_is_rotational(h: *mut nbd_handle) -> c_int {
    locked!(NBD_IS_ROTATIONAL(h), |connection| connection
        .information()
        .has(TransmissionFlags::ROTATIONAL))
}

/// Checks whether the server supports trim commands.
///
/// Call it before `nbd_trim`, which discards data that is no longer needed.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_TRIM.
///
/// # See also
///
/// `nbd_trim`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_trim(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_TRIM(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_TRIM))
}

/// Checks whether the server supports zero commands.
///
/// Call it before `nbd_zero`. If the server does not support them, write zeroes with
/// `nbd_pwrite`.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_WRITE_ZEROES.
///
/// # See also
///
/// `nbd_zero`, `nbd_can_fast_zero`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_zero(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_ZERO(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_WRITE_ZEROES))
}

/// Checks whether the server supports the fast zero flag.
///
/// Call it before using `LIBNBD_CMD_FLAG_FAST_ZERO`. With this flag, a zero command
/// that would be no faster than a write fails at once with `ENOTSUP`, so that the
/// program can do something else. The flag does not make zeroing faster.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_FAST_ZERO.
///
/// # See also
///
/// `nbd_zero`, `nbd_can_zero`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_fast_zero(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_FAST_ZERO(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_FAST_ZERO))
}

/// Checks whether block status can be limited to some contexts.
///
/// Call it before `nbd_block_status_filter`. Only servers with extended headers
/// support this.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_BLOCK_STAT_PAYLOAD.
///
/// # See also
///
/// `nbd_block_status_filter`, `nbd_get_extended_headers_negotiated`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_block_status_payload(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_BLOCK_STATUS_PAYLOAD(h), |connection| connection
        .information()
        .can_block_status_payload())
}

/// Checks whether the server supports the "don't fragment" flag.
///
/// Call it before using `LIBNBD_CMD_FLAG_DF` with `nbd_pread_structured`. With this
/// flag, the server replies to a read with a single chunk. Only servers with
/// structured replies support it.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_DF.
///
/// # See also
///
/// `nbd_pread_structured`, `nbd_get_structured_replies_negotiated`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_df(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_DF(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_DF))
}

/// Checks whether several connections can write to the export.
///
/// Call it on the first connection before you open more. If the result is 1, data
/// that one connection has flushed (`nbd_flush`) is visible to all of them. If it is
/// 0, use several connections only for reading: as soon as one of them writes, the
/// data that the others read is undefined.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_CAN_MULTI_CONN.
///
/// # Example
///
/// ```c
/// struct nbd_handle *more[3];
/// size_t i;
///
/// if (nbd_can_multi_conn (nbd) == 1)
///   for (i = 0; i < 3; ++i)
///     if ((more[i] = nbd_create ()) == NULL ||
///         nbd_connect_uri (more[i], "nbd://localhost") == -1)
///       return -1;
/// ```
///
/// # See also
///
/// `nbd_flush`, `nbd_create`; libnbd(3), "Multiple connections".
#[no_mangle]
pub unsafe extern "C" fn nbd_can_multi_conn(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_MULTI_CONN(h), |connection| connection
        .information()
        .has(TransmissionFlags::CAN_MULTI_CONN))
}

/// Checks whether the server supports cache commands.
///
/// Call it before `nbd_cache`, which prefetches data.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, NBD_FLAG_SEND_CACHE.
///
/// # See also
///
/// `nbd_cache`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_cache(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_CACHE(h), |connection| connection
        .information()
        .has(TransmissionFlags::SEND_CACHE))
}

/// Checks whether a meta context was negotiated.
///
/// Call it after connecting and before `nbd_block_status_64`. The result is 1 if the
/// context was requested with `nbd_add_meta_context` and the server supports it. The
/// block status functions then report it.
///
/// # Parameters
///
/// - `metacontext`: name of the context, such as `LIBNBD_CONTEXT_BASE_ALLOCATION`.
///
/// # Result
///
/// 1 for yes, 0 for no, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the requested contexts have not been negotiated yet, or the
///   negotiation failed.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_SET_META_CONTEXT.
///
/// # See also
///
/// `nbd_add_meta_context`, `nbd_block_status_64`, `nbd_opt_set_meta_context`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_meta_context(
    h: *mut nbd_handle,
    metacontext: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let metacontext = unsafe { Text::new(metacontext) };
    locked!(
        NBD_CAN_META_CONTEXT(h, metacontext: metacontext),
        |connection| connection.information().can_meta_context(metacontext.get())
    )
}

/// Returns the protocol variant of the connection.
///
/// Use it for diagnostic messages. The variants are:
///
/// - "newstyle-fixed": used by all current servers.
/// - "newstyle": an older variant, which negotiates only the export name.
/// - "oldstyle": the first variant, which has a single export and no negotiation.
///
/// Later versions of the library may return other strings.
///
/// # Result
///
/// One of these strings, which stays valid, or NULL on error. Do not free it.
///
/// # Errors
///
/// - `EINVAL`: the server has not sent its greeting yet.
///
/// # Standards
///
/// NBD protocol, "Handshake".
///
/// # See also
///
/// `nbd_get_handshake_flags`, `nbd_get_structured_replies_negotiated`,
/// `nbd_get_extended_headers_negotiated`, `nbd_get_tls_negotiated`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_protocol(h: *mut nbd_handle) -> *const c_char {
    locked!(NBD_GET_PROTOCOL(h), |connection| connection
        .information()
        .protocol())
}

/// Returns the export size in bytes.
///
/// Commands can use offsets from 0 up to, but not including, this size. The server
/// sends the size when the export is opened, or in reply to `nbd_opt_info`; this
/// function does not ask it again.
///
/// # Result
///
/// The size in bytes, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
/// - `EOVERFLOW`: the server sent a size that does not fit in an `int64_t`.
///
/// # Standards
///
/// NBD protocol, NBD_INFO_EXPORT.
///
/// # See also
///
/// `nbd_get_block_size`, `nbd_opt_info`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_size(h: *mut nbd_handle) -> i64 {
    locked!(NBD_GET_SIZE(h), |connection| connection
        .information()
        .size())
}

/// Returns a block size constraint of the export.
///
/// Use it to choose the size and alignment of requests, which the library checks
/// against these values (`nbd_set_strict_mode`).
///
/// # Parameters
///
/// - `size_type`: one of the constants below.
/// - `LIBNBD_SIZE_MINIMUM` (0): offset and length of every request must be multiples
///   of this value, a power of 2 of at most 64 KiB. If it is unknown, 512 is safe.
/// - `LIBNBD_SIZE_PREFERRED` (1): requests are fastest if they are aligned to this
///   value, a power of 2. If it is unknown, 4096 is a good choice.
/// - `LIBNBD_SIZE_MAXIMUM` (2): maximum length of a read or write, as set by the
///   server; the library never allows more than 64 MiB. Commands without data, such
///   as zero, can be longer. If it is unknown, 32 MiB is safe with most servers.
/// - `LIBNBD_SIZE_PAYLOAD` (3): maximum length of a write that the library sends on
///   this connection: the server's maximum, but at least 1 MiB and at most 64 MiB;
///   32 MiB if the server sent no maximum. It is always known.
///
/// # Result
///
/// The value in bytes; 0 if the server did not send it; -1 on error.
///
/// # Errors
///
/// - `EINVAL`: `size_type` is not one of these constants.
/// - `EINVAL`: the server has not described an export yet. In option mode, call
///   `nbd_opt_info` or `nbd_opt_go` first.
///
/// # Standards
///
/// NBD protocol, "Block size constraints".
///
/// # Example
///
/// Choose a buffer size that suits the server:
///
/// ```c
/// int64_t size = nbd_get_block_size (nbd, LIBNBD_SIZE_PREFERRED);
/// int64_t most = nbd_get_block_size (nbd, LIBNBD_SIZE_MAXIMUM);
///
/// if (size == -1 || most == -1)
///   return -1;
/// if (size == 0)
///   size = 4096;
/// if (most == 0)
///   most = 32 << 20;
/// printf ("multiples of %" PRIi64 ", up to %" PRIi64 "\n", size, most);
/// ```
///
/// # See also
///
/// `nbd_set_request_block_size`, `nbd_set_strict_mode`, `nbd_get_size`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_block_size(h: *mut nbd_handle, size_type: c_int) -> i64 {
    locked!(
        NBD_GET_BLOCK_SIZE(h, size_type: size_type),
        |connection| connection.information().block_size(size_type)
    )
}
