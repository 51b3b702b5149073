// SPDX-License-Identifier: LGPL-2.1-or-later

//! Flushing and caching.

use libc::c_int;

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::Access;

/// Flushes written data to stable storage.
///
/// Call it when data has to survive a power failure. When it succeeds, all writes,
/// zeroes and trims that completed before the call are on stable storage. Commands
/// that are still in flight are not included: wait for them first.
///
/// The call returns when the server has replied; `nbd_aio_flush` does not wait.
///
/// # Parameters
///
/// - `flags`: must be 0.
///
/// # Errors
///
/// - `EINVAL`: the server does not support flush commands (`nbd_can_flush`), or a
///   flag is set.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - Errors that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_FLUSH and "Ordering of messages and writes".
///
/// # See also
///
/// `nbd_aio_flush`, `nbd_can_flush`, `nbd_pwrite`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_flush(h: *mut nbd_handle, flags: u32) -> c_int {
    waiting!(NBD_FLUSH(h, flags: Mask(flags)), async |c| {
        c.until_completed(Access::Flush, |mut issue, done| issue.flush(done, flags)).await
    })
}

/// Starts flushing written data to stable storage.
///
/// This is the asynchronous form of `nbd_flush`. It covers only commands that
/// completed before this call: issue it after the writes have completed, not
/// directly after issuing them.
///
/// # Parameters
///
/// - `completion_callback`: called once when the command completes, with its errno
///   in `error`, or 0 on success. If it returns 1, the command is retired. Pass
///   `NBD_NULL_COMPLETION` for no callback.
/// - `flags`: see `nbd_flush`.
///
/// # Result
///
/// The cookie of the command, which is 1 or more, or -1 on error.
///
/// # Errors
///
/// - Errors of `nbd_flush` that are detected before the request is sent. Later
///   errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_FLUSH.
///
/// # See also
///
/// `nbd_flush`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_flush(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    locked!(
        NBD_AIO_FLUSH(h, completion: &completion_callback, flags: Mask(flags)),
        |c| c
            .issue_asynchronous(|mut issue| {
                issue.flush(completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Asks the server to prefetch a range.
///
/// Use it before reading the range. The server may load the data into faster
/// storage, or do nothing. No data is sent to the client.
///
/// The call returns when the server has replied; `nbd_aio_cache` does not wait.
///
/// # Parameters
///
/// - `count`: number of bytes. Values of 4 GiB and more require extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may have a lower limit.
/// - `offset`: offset of the first byte in the export.
/// - `flags`: must be 0.
///
/// # Errors
///
/// - `EINVAL`: the server does not support cache commands (`nbd_can_cache`).
/// - `EINVAL`: `count` is 0, the range extends beyond the end of the export, or it
///   is not aligned to the minimum block size.
/// - `EINVAL`: a flag is set.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - Errors that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_CACHE.
///
/// # See also
///
/// `nbd_aio_cache`, `nbd_can_cache`, `nbd_pread`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_cache(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    flags: u32,
) -> c_int {
    waiting!(
        NBD_CACHE(h, count: count, offset: offset, flags: Mask(flags)),
        async |c| {
            let access = Access::read(offset, count);
            c.until_completed(access, |mut issue, done| {
                issue.cache(count, offset, done, flags)
            }).await
        }
    )
}

/// Starts prefetching a range on the server.
///
/// This is the asynchronous form of `nbd_cache`. Use it to prefetch data while other
/// commands are in flight.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: see `nbd_cache`.
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
/// - Errors of `nbd_cache` that are detected before the request is sent. Later
///   errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_CACHE.
///
/// # See also
///
/// `nbd_cache`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_cache(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    locked!(
        NBD_AIO_CACHE(
            h,
            count: count,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| {
                issue.cache(count, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}
