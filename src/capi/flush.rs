// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands about what the server keeps in memory: flushing and caching.

use libc::c_int;

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::Access;

/// Makes sure that what was written is safe, and waits for it.
///
/// It concerns the writes, trims and zeroings that were complete before this
/// began: they are on permanent storage when it succeeds. Commands still in
/// flight are not included.
///
/// # Parameters
///
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: the server has no flush command (`nbd_can_flush`), or a flag is
///   set.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, such as `EIO`.
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

/// Makes sure that what was written is safe, without waiting for it.
///
/// The command is that of `nbd_flush`: it concerns what was complete before.
///
/// # Parameters
///
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
/// - `flags`: as in `nbd_flush`.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_flush`, where they show before the request is sent.
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
            .issue_only(|mut issue| {
                issue.flush(completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Tells the server that a range will be read soon, and waits.
///
/// The server may fetch it into memory that is faster to read from, and may do
/// nothing.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: the server has no cache command (`nbd_can_cache`); or the range is
///   empty, goes beyond the export, or is not made of whole blocks; or a flag is
///   set.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with.
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

/// Tells the server that a range will be read soon, without waiting.
///
/// The command is that of `nbd_cache`.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: as in `nbd_cache`.
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_cache`, where they show before the request is sent.
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
            .issue_only(|mut issue| {
                issue.cache(count, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}
