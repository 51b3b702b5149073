// SPDX-License-Identifier: LGPL-2.1-or-later

//! Block status: what meta contexts say of the blocks of the export, asked for
//! with and without waiting.

use libc::{c_char, c_int};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::{Mask, Strings};
use crate::handle::callback::{
    nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use crate::handle::Access;

/// Asks for the status of a range, with 32-bit extents, and waits.
///
/// The older form of `nbd_block_status_64`, which is the one to use: an extent
/// here is limited to less than 4 GiB, and its flags to 32 bits. A longer one is
/// cut to just below 4 GiB, and those behind it in the reply are left out. For
/// flags of more than 32 bits, which only connections with extended headers have,
/// the callback is told `EOVERFLOW`.
///
/// The callback is called as that of `nbd_block_status_64` is, except that
/// `entries` are pairs of numbers, first the length of an extent in bytes, then
/// its flags. `nr_entries` counts the numbers, so it is twice the number of
/// extents.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: as in `nbd_block_status_64`.
/// - `extent_callback`: the callback; freed when the command is done.
///
/// # Errors
///
/// - `EOVERFLOW`: the flags of an extent need more than 32 bits.
/// - Otherwise those of `nbd_block_status_64`.
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
        async |c| c.until_completed(Access::Alone, |mut issue, done| {
            issue.block_status(count, offset, extent_callback, done, flags)
        }).await
    )
}

/// Asks what the meta contexts say of a range, and waits.
///
/// The range is a hint. The server may tell of less, down to a single extent, and
/// the last extent may end behind the range; the contexts need not agree in how
/// far they get. Ask again from where a reply ended to get all of it.
///
/// The callback is called for each context, with its `user_data` and
///
/// - `metacontext`: the name of the context, such as
///   `LIBNBD_CONTEXT_BASE_ALLOCATION`;
/// - `offset`: where in the export the first extent begins, in bytes;
/// - `entries`, `nr_entries`: the extents, each beginning where the one before it
///   ends: its length in bytes, and the flags of the context. For
///   `base:allocation` these are `LIBNBD_STATE_HOLE` (1) for what is not allocated
///   and `LIBNBD_STATE_ZERO` (2) for what reads as zeroes. The array is the
///   callback's to change, and ends with the call;
/// - `error`: the errno of the first error so far, or 0.
///
/// When it returns -1, the command fails with the errno that it has put into
/// `error`, or else `EPROTO`, unless it had failed before; further contexts are
/// passed to it all the same. Which contexts it is called for, and how often, is
/// up to the server: look at the name. It must not call functions of libnbd on
/// the same handle.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `extent64_callback`: the callback; freed when the command is done.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_REQ_ONE` for one extent of each context, not
///   longer than the range. Whether the server keeps to it is not checked.
///
/// # Errors
///
/// - `ENOTSUP`: no meta contexts are in force: none were asked for before
///   connecting (`nbd_add_meta_context`), or the server has none of them.
/// - `EINVAL`: the range is empty, goes beyond the export, or is not made of whole
///   blocks; or a flag is set that has no meaning here.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - `EPROTO`: the reply did not fit the request.
/// - Those that the server replies with, and those of the callback.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS, NBD_REPLY_TYPE_BLOCK_STATUS and
/// NBD_REPLY_TYPE_BLOCK_STATUS_EXT.
///
/// # Example
///
/// Which parts of the export hold data, with `base:allocation` asked for before
/// connecting:
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
/// uint64_t size = nbd_get_size (nbd), offset = 0, before;
///
/// while (offset < size) {
///   nbd_extent64_callback callback = {
///     .callback = print_extents, .user_data = &offset
///   };
///
///   before = offset;
///   if (nbd_block_status_64 (nbd, size - offset, offset,
///                            callback, 0) == -1 ||
///       offset == before)
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
        async |c| c.until_completed(Access::Alone, |mut issue, done| {
            issue.block_status_64(count, offset, extent64_callback, done, flags)
        }).await
    )
}

/// Asks what some of the meta contexts say of a range, and waits.
///
/// This is `nbd_block_status_64` with a choice of contexts, which the server has
/// to support (`nbd_can_block_status_payload`).
///
/// # Parameters
///
/// - `count`, `offset`, `extent64_callback`: as in `nbd_block_status_64`.
/// - `contexts`: the names of the contexts, with NULL at the end of the list, each
///   of which has to be in force (`nbd_can_meta_context`). They are copied.
/// - `flags`: as in `nbd_block_status_64`. `LIBNBD_CMD_FLAG_PAYLOAD_LEN` is set as
///   the request needs it, unless `nbd_set_strict_mode` leaves that to the
///   program.
///
/// # Errors
///
/// - `ENOTSUP`: the connection does not use extended headers.
/// - `EINVAL`: the server does not let contexts be chosen, or one in the list is
///   not in force.
/// - Otherwise those of `nbd_block_status_64`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_BLOCK_STATUS and NBD_CMD_FLAG_PAYLOAD_LEN.
///
/// # See also
///
/// `nbd_aio_block_status_filter`, `nbd_can_block_status_payload`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_block_status_filter(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    contexts: *mut *mut c_char,
    extent64_callback: nbd_extent64_callback,
    flags: u32,
) -> c_int {
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
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
        async |c| c.until_completed(Access::Alone, |mut issue, done| {
            let contexts = contexts.get()?;
            issue.block_status_filter(count, offset, contexts, extent64_callback, done, flags)
        }).await
    )
}

/// Asks for the status of a range, with 32-bit extents, without waiting.
///
/// The command is that of `nbd_block_status`, with its limits; see
/// `nbd_aio_block_status_64` for the form without them.
///
/// # Parameters
///
/// - `count`, `offset`, `extent_callback`, `flags`: as in `nbd_block_status`. The
///   callback is freed when the command is retired.
/// - `completion_callback`: called once when the command is complete; it retires
///   the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_block_status`, where they show before the request is sent.
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
            .issue_only(|mut issue| {
                let extents = extent_callback;
                issue.block_status(count, offset, extents, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Asks what the meta contexts say of a range, without waiting.
///
/// The command is that of `nbd_block_status_64`. The callback is called as the
/// reply comes in, which may be before this returns.
///
/// # Parameters
///
/// - `count`, `offset`, `extent64_callback`, `flags`: as in
///   `nbd_block_status_64`. The callback is freed when the command is retired.
/// - `completion_callback`: called once when the command is complete; it retires
///   the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_block_status_64`, where they show before the request is sent.
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
            .issue_only(|mut issue| {
                let extents = extent64_callback;
                issue.block_status_64(count, offset, extents, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Asks what some of the meta contexts say of a range, without waiting.
///
/// The command is that of `nbd_block_status_filter`. The callback is called as the
/// reply comes in, which may be before this returns.
///
/// # Parameters
///
/// - `count`, `offset`, `contexts`, `extent64_callback`, `flags`: as in
///   `nbd_block_status_filter`. The callback is freed when the command is retired.
/// - `completion_callback`: called once when the command is complete; it retires
///   the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_block_status_filter`, where they show before the request is
///   sent.
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
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
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
            .issue_only(|mut issue| issue.block_status_filter(
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
