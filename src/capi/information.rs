// SPDX-License-Identifier: LGPL-2.1-or-later

//! Information: what the server has said of the export during the handshake.
//! Nothing is sent to answer these questions.
//!
//! They fail with `EINVAL` as long as the server has not said anything of an
//! export, which in option mode it does in answer to `nbd_opt_info` or
//! `nbd_opt_go`.

use libc::{c_char, c_int};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::Text;
use crate::protocol::flags::TransmissionFlags;

/// Returns whether the export is read-only.
///
/// Writing, trimming and zeroing fail then: the client refuses them unless
/// `nbd_set_strict_mode` says otherwise, and the server does in any case.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether the server has the flush command.
///
/// Where it has not, there is no telling when written data is safe, short of
/// `LIBNBD_CMD_FLAG_FUA` if the server has that.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether the server has the flag FUA.
///
/// A write, trim or zero command with `LIBNBD_CMD_FLAG_FUA` is complete only when
/// what it changed is safe on permanent storage.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether the export is a disk that rotates.
///
/// It may pay then to read and write in the order of the offsets. On all other
/// media the order makes no difference.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether the server has the trim command.
///
/// A trim command tells the server that some data is no longer needed.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether the server has the zero command.
///
/// Without it, zeroes have to be written as any other data.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether the server has the flag for fast zeroing.
///
/// With `LIBNBD_CMD_FLAG_FAST_ZERO`, a zero command that would be no faster than
/// writing zeroes fails at once instead. Nothing gets faster by the flag: it lets
/// the program choose what to do in place of something slow.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether block status can be limited to some contexts.
///
/// It can only on connections with extended headers. `nbd_block_status_filter`
/// then tells the server which of its meta contexts are of interest.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether reads can be asked for in one piece.
///
/// A read with `LIBNBD_CMD_FLAG_DF` is not split into several chunks, which would
/// otherwise be up to the server. There is such a flag only on connections with
/// structured replies.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether several connections may write to the export.
///
/// Where they may, what one connection has flushed is seen by all of them. Where
/// they may not, several connections may be open to read, but as soon as one of
/// them writes, it is undefined what the others see. Ask on the first connection
/// before opening more.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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
/// `nbd_flush`, `nbd_create`.
#[no_mangle]
pub unsafe extern "C" fn nbd_can_multi_conn(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CAN_MULTI_CONN(h), |connection| connection
        .information()
        .has(TransmissionFlags::CAN_MULTI_CONN))
}

/// Returns whether the server has the cache command.
///
/// A cache command announces to the server that data will be read soon.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
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

/// Returns whether a meta context is in force.
///
/// It is when the handle has asked for it (`nbd_add_meta_context`) and the server
/// has agreed. Then the block status commands tell of it, and
/// `nbd_block_status_filter` may name it.
///
/// # Parameters
///
/// - `metacontext`: the name of the context, such as
///   `LIBNBD_CONTEXT_BASE_ALLOCATION`.
///
/// # Result
///
/// 1 for yes, 0 for no, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: contexts were to be asked for, and that has not been done yet, or
///   has failed.
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
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let metacontext = unsafe { Text::new(metacontext) };
    locked!(
        NBD_CAN_META_CONTEXT(h, metacontext: metacontext),
        |connection| connection.information().can_meta_context(metacontext.get())
    )
}

/// Returns which variant of the protocol the connection speaks.
///
/// - "newstyle-fixed": the one that all servers of today speak.
/// - "newstyle": the one before it, in which options cannot be refused, and so
///   only the export's name is negotiated.
/// - "oldstyle": the first one, which has a single export and no options.
///
/// Later versions may know more.
///
/// # Result
///
/// One of these strings, which belongs to the library and stays, or NULL.
///
/// # Errors
///
/// - `EINVAL`: the server has not shown yet which it speaks.
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

/// Returns the size of the export.
///
/// The server tells it when the export is opened, or in option mode when it is
/// asked about it, and nothing is sent to get it here. Commands may address the
/// bytes from 0 up to it.
///
/// # Result
///
/// A number of bytes, or -1.
///
/// # Errors
///
/// - `EINVAL`: the server has not said anything of an export yet, see
///   `nbd_opt_info`.
/// - `EOVERFLOW`: the server claims a size that an `int64_t` cannot hold.
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

/// Returns one of the block sizes of the export, or a limit.
///
/// - `LIBNBD_SIZE_MINIMUM` (0): offset and length of every request have to be
///   multiples of it. A power of 2, at most 64 KiB. Where it is unknown, 512 is a
///   safe choice.
/// - `LIBNBD_SIZE_PREFERRED` (1): requests smaller than this, or not aligned to
///   it, are slower than they could be. A power of 2. Where it is unknown, 4096
///   is a good choice.
/// - `LIBNBD_SIZE_MAXIMUM` (2): the most that one read or write may transfer, as
///   the server says; the library does not go above 64 MiB. Commands without
///   data, such as zero, may cover more. Where it is unknown, 32 MiB is safe with
///   most servers.
/// - `LIBNBD_SIZE_PAYLOAD` (3): the most that one write on this connection may
///   carry, as the library sees it: at least 1 MiB, at most 64 MiB, and in
///   between, the maximum of the server. It is always known.
///
/// The library checks requests against them, see `nbd_set_strict_mode`.
///
/// # Parameters
///
/// - `size_type`: one of the four.
///
/// # Result
///
/// A number of bytes; 0 where the server did not say; or -1.
///
/// # Errors
///
/// - `EINVAL`: `size_type` is none of the four, or the server has not said
///   anything of an export yet, see `nbd_opt_info`.
///
/// # Standards
///
/// NBD protocol, "Block size constraints".
///
/// # Example
///
/// The length of a buffer that suits the server:
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
