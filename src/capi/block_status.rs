// SPDX-License-Identifier: LGPL-2.1-or-later

//! Block status.

use libc::{c_char, c_int};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::{Mask, Strings};
use crate::handle::callback::{
    nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use crate::handle::Access;

/// Queries block status with 32-bit extents.
///
/// This is the older form of `nbd_block_status_64`. Use it only in programs that
/// must run with versions of libnbd before 1.18. It has these limits:
///
/// - An extent is shorter than 4 GiB. A longer one is truncated, and the extents
///   after it in the reply are dropped.
/// - Flags have 32 bits. If an extent has larger flags, which is only possible with
///   extended headers, the command fails with `EOVERFLOW`.
///
/// The callback is called as for `nbd_block_status_64`, except for its extents:
/// `entries` is an array of 32-bit numbers, alternately the length of an extent in
/// bytes and its flags. `nr_entries` is the number of array elements, which is twice
/// the number of extents.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: see `nbd_block_status_64`.
/// - `extent_callback`: the callback described above. It is freed before the call
///   returns.
///
/// # Errors
///
/// - `EOVERFLOW`: the flags of an extent do not fit in 32 bits.
/// - Errors of `nbd_block_status_64`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS and NBD_REPLY_TYPE_BLOCK_STATUS.
///
/// # See also
///
/// `nbd_block_status_64`, `nbd_aio_block_status`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_block_status(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    extent_callback: nbd_extent_callback,
    flags: u32,
) -> c_int {
    waiting!(
        NBD_BLOCK_STATUS(
            h,
            count: count,
            offset: offset,
            extent: &extent_callback,
            flags: Mask(flags),
        ),
        async |c| c.until_completed(Access::Exclusive, |mut issue, done| {
            issue.block_status(count, offset, extent_callback, done, flags)
        }).await
    )
}

/// Queries the block status of a range.
///
/// Use it to find out which parts of the export hold data (`base:allocation`), or
/// which have changed since a backup (dirty bitmaps). Request the meta contexts
/// with `nbd_add_meta_context` before connecting. The call returns when the reply
/// is complete; `nbd_aio_block_status_64` does not wait.
///
/// The range is a hint. The server may describe less of it, down to a single
/// extent, and the last extent may extend beyond the range. To cover the whole
/// range, call the function again from the end of the last extent.
///
/// The callback is called at least once for each meta context in the reply. Its
/// arguments are:
///
/// - `user_data`: the pointer from the callback struct.
/// - `metacontext`: name of the meta context, such as
///   `LIBNBD_CONTEXT_BASE_ALLOCATION`. Always check it: the server chooses the
///   order of the contexts, and may describe a different range for each.
/// - `offset`: offset of the first extent in the export.
/// - `entries`, `nr_entries`: array of extents and number of elements. An extent
///   has a `length` in bytes and `flags`, whose meaning depends on the context; it
///   begins where the previous one ends. The callback may modify the array, which
///   is freed when it returns.
/// - `error`: the first error of this command so far, or 0.
///
/// For `base:allocation`, the flags are 0 for data, or a bitwise OR of
/// `LIBNBD_STATE_HOLE` (1: the range is not allocated) and `LIBNBD_STATE_ZERO` (2:
/// the range reads as zeroes).
///
/// If the callback returns -1, the command fails with the errno that it stored in
/// `error`, or with `EPROTO` if it stored none. If the command has already failed,
/// it keeps its first error. The callback is still called for the rest of the reply.
/// The callback must not call functions on this handle, with a few exceptions:
/// see libnbd(3), "Inside a callback".
///
/// # Parameters
///
/// - `count`: number of bytes. Values of 4 GiB and more require extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may have a lower limit.
/// - `offset`: offset of the first byte in the export.
/// - `extent64_callback`: the callback described above. It is freed before the call
///   returns.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_REQ_ONE` to request a single extent for each
///   context, which does not extend beyond the range. The library does not check
///   that the server complies.
///
/// # Errors
///
/// - `ENOTSUP`: no meta context was negotiated, because none was requested
///   (`nbd_add_meta_context`) or the server supports none of those requested.
/// - `EINVAL`: `count` is 0, the range extends beyond the end of the export, or it
///   is not aligned to the minimum block size.
/// - `EINVAL`: a flag does not apply to this command.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - `EPROTO`: the reply does not match the request.
/// - Errors that the server replies with.
/// - Errors from the callback.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS, NBD_REPLY_TYPE_BLOCK_STATUS and
/// NBD_REPLY_TYPE_BLOCK_STATUS_EXT.
///
/// # Example
///
/// Print a map of data and holes. `base:allocation` was requested before connecting:
///
/// ```c
/// static int
/// print_extents (void *user_data, const char *metacontext,
///                uint64_t offset, nbd_extent *entries,
///                size_t nr_entries, int *error)
/// {
///   uint64_t *next = user_data;
///   size_t i;
///
///   if (strcmp (metacontext, LIBNBD_CONTEXT_BASE_ALLOCATION) != 0)
///     return 0;
///   for (i = 0; i < nr_entries; ++i) {
///     printf ("%" PRIu64 " %s\n", offset,
///             entries[i].flags & LIBNBD_STATE_HOLE ? "hole" : "data");
///     offset += entries[i].length;
///   }
///   *next = offset;
///   return 0;
/// }
/// ```
///
/// ```c
/// uint64_t size = nbd_get_size (nbd), offset = 0, previous;
///
/// while (offset < size) {
///   nbd_extent64_callback callback = {
///     .callback = print_extents, .user_data = &offset
///   };
///
///   previous = offset;
///   if (nbd_block_status_64 (nbd, size - offset, offset,
///                            callback, 0) == -1 ||
///       offset == previous)
///     return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_aio_block_status_64`, `nbd_block_status_filter`, `nbd_add_meta_context`,
/// `nbd_can_meta_context`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_block_status_64(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    extent64_callback: nbd_extent64_callback,
    flags: u32,
) -> c_int {
    waiting!(
        NBD_BLOCK_STATUS_64(
            h,
            count: count,
            offset: offset,
            extent64: &extent64_callback,
            flags: Mask(flags),
        ),
        async |c| c.until_completed(Access::Exclusive, |mut issue, done| {
            issue.block_status_64(count, offset, extent64_callback, done, flags)
        }).await
    )
}

/// Queries the block status of a range for some meta contexts.
///
/// This is `nbd_block_status_64` for a subset of the negotiated meta contexts. Use
/// it to reduce the size of replies. The server must support it
/// (`nbd_can_block_status_payload`).
///
/// # Parameters
///
/// - `count`, `offset`, `extent64_callback`: see `nbd_block_status_64`.
/// - `contexts`: NULL-terminated list of meta context names, which are copied. Each
///   must have been negotiated (`nbd_can_meta_context`).
/// - `flags`: see `nbd_block_status_64`. The library sets
///   `LIBNBD_CMD_FLAG_PAYLOAD_LEN` as the request requires, unless
///   `LIBNBD_STRICT_AUTO_FLAG` is off (`nbd_set_strict_mode`).
///
/// # Errors
///
/// - `ENOTSUP`: the connection does not use extended headers.
/// - `EINVAL`: the server does not support this request, or a name in `contexts` was
///   not negotiated.
/// - Errors of `nbd_block_status_64`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS and NBD_CMD_FLAG_PAYLOAD_LEN.
///
/// # See also
///
/// `nbd_aio_block_status_filter`, `nbd_block_status_64`,
/// `nbd_can_block_status_payload`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_block_status_filter(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    contexts: *mut *mut c_char,
    extent64_callback: nbd_extent64_callback,
    flags: u32,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let contexts = unsafe { Strings::new(contexts) };
    waiting!(
        NBD_BLOCK_STATUS_FILTER(
            h,
            count: count,
            offset: offset,
            contexts: contexts,
            extent64: &extent64_callback,
            flags: Mask(flags),
        ),
        async |c| c.until_completed(Access::Exclusive, |mut issue, done| {
            let contexts = contexts.get()?;
            issue.block_status_filter(count, offset, contexts, extent64_callback, done, flags)
        }).await
    )
}

/// Starts a query of block status with 32-bit extents.
///
/// This is the asynchronous form of `nbd_block_status`, and has the same limits. Use
/// `nbd_aio_block_status_64` in new programs.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: see `nbd_block_status`.
/// - `extent_callback`: see `nbd_block_status`. It is freed when the command is
///   retired.
/// - `completion_callback`: called once when the command completes, with its errno
///   in `error`, or 0 on success. If it returns 1, the command is retired. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// The cookie of the command, which is 1 or more, or -1 on error.
///
/// # Errors
///
/// - Errors of `nbd_block_status` that are detected before the request is sent.
///   Later errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS.
///
/// # See also
///
/// `nbd_block_status`, `nbd_aio_block_status_64`, `nbd_aio_command_completed`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_block_status(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    extent_callback: nbd_extent_callback,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    locked!(
        NBD_AIO_BLOCK_STATUS(
            h,
            count: count,
            offset: offset,
            extent: &extent_callback,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| {
                let extents = extent_callback;
                issue.block_status(count, offset, extents, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Starts a query of the block status of a range.
///
/// This is the asynchronous form of `nbd_block_status_64`. Use it to map an export
/// while other commands are in flight. The extent callback may be called before this
/// call returns.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: see `nbd_block_status_64`.
/// - `extent64_callback`: see `nbd_block_status_64`. It is freed when the command is
///   retired.
/// - `completion_callback`: called once when the command completes, with its errno
///   in `error`, or 0 on success. If it returns 1, the command is retired. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// The cookie of the command, which is 1 or more, or -1 on error.
///
/// # Errors
///
/// - Errors of `nbd_block_status_64` that are detected before the request is sent.
///   Later errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS.
///
/// # See also
///
/// `nbd_block_status_64`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_block_status_64(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    extent64_callback: nbd_extent64_callback,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    locked!(
        NBD_AIO_BLOCK_STATUS_64(
            h,
            count: count,
            offset: offset,
            extent64: &extent64_callback,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| {
                let extents = extent64_callback;
                issue.block_status_64(count, offset, extents, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Starts a query of the block status for some meta contexts.
///
/// This is the asynchronous form of `nbd_block_status_filter`. The extent callback
/// may be called before this call returns.
///
/// # Parameters
///
/// - `count`, `offset`, `contexts`, `flags`: see `nbd_block_status_filter`.
/// - `extent64_callback`: see `nbd_block_status_64`. It is freed when the command is
///   retired.
/// - `completion_callback`: called once when the command completes, with its errno
///   in `error`, or 0 on success. If it returns 1, the command is retired. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Result
///
/// The cookie of the command, which is 1 or more, or -1 on error.
///
/// # Errors
///
/// - Errors of `nbd_block_status_filter` that are detected before the request is
///   sent. Later errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS and NBD_CMD_FLAG_PAYLOAD_LEN.
///
/// # See also
///
/// `nbd_block_status_filter`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_block_status_filter(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    contexts: *mut *mut c_char,
    extent64_callback: nbd_extent64_callback,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL, or a list that outlives the call.
    let contexts = unsafe { Strings::new(contexts) };
    locked!(
        NBD_AIO_BLOCK_STATUS_FILTER(
            h,
            count: count,
            offset: offset,
            contexts: contexts,
            extent64: &extent64_callback,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| issue.block_status_filter(
                count,
                offset,
                contexts.get()?,
                extent64_callback,
                completion_callback,
                flags,
            ))
            .map(Cookie)
    )
}
