// SPDX-License-Identifier: LGPL-2.1-or-later

//! Reading from the export.

use libc::{c_int, c_void, size_t};
use scopeguard::{guard, ScopeGuard};

use super::entry::{initialize, locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::buffer::ReadBuffer;
use crate::handle::callback::{nbd_chunk_callback, nbd_completion_callback};
use crate::handle::Access;

/// The buffer of a read that a call is going to wait for. Nobody looks at it before the
/// call returns, so it is filled with zeroes only if the command is not issued: it is
/// dropped then. Once it has been issued, the call fills what has not arrived.
///
/// # Safety
///
/// As for [`nbd_handle::check`].
unsafe fn initialize_on_failure(
    h: *mut nbd_handle,
    mut buf: ReadBuffer,
) -> ScopeGuard<ReadBuffer, fn(ReadBuffer)> {
    // SAFETY: by the promise of the caller.
    match unsafe { nbd_handle::check(h) } {
        Ok(handle) if !handle.shared().pread_initialize() => {}
        _ => buf.clear_on_failure(),
    }
    guard(buf, |buf| buf.failed(0, buf.len()))
}

/// Reads from the export and waits until the data is there.
///
/// The read succeeds as a whole or fails as a whole.
///
/// # Parameters
///
/// - `buf`: where the data goes, `count` bytes of the caller's. It is filled with
///   zeroes first, unless `nbd_set_pread_initialize` says not to; after an error
///   what it holds is undefined beyond that.
/// - `count`: how many bytes.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: the range is empty, goes beyond the export, or is not made of whole
///   blocks; or a flag is set that has no meaning here.
/// - `ERANGE`: `count` is more than 64 MiB.
/// - `ENOTCONN`: the connection ended before the reply.
/// - `EPROTO`: the reply did not fit the request.
/// - Those that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// Reads the whole export, piece by piece:
///
/// ```c
/// static char buf[1 << 20];
/// ```
///
/// ```c
/// int64_t size = nbd_get_size (nbd), offset;
///
/// for (offset = 0; offset < size; offset += sizeof buf) {
///   size_t count = sizeof buf;
///
///   if (size - offset < (int64_t) count)
///     count = size - offset;
///   if (nbd_pread (nbd, buf, count, offset, 0) == -1)
///     return -1;
///   fwrite (buf, 1, count, stdout);
/// }
/// ```
///
/// # See also
///
/// `nbd_aio_pread`, `nbd_pread_structured`, `nbd_get_block_size`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_pread(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL or `count` bytes of the caller's, there for the length of the
    // call, in which the command ends.
    let buf = unsafe { ReadBuffer::new(buf, count) };
    // SAFETY: as for the call itself.
    let buf = unsafe { initialize_on_failure(h, buf) };
    waiting!(
        NBD_PREAD(h, buf: &*buf, count: count, offset: offset, flags: Mask(flags)),
        async |c| {
            let access = Access::read(offset, count as u64);
            c.until_completed(access, |mut issue, done| {
                let cookie = issue.pread(buf.clone(), offset, done, flags)?;
                ScopeGuard::into_inner(buf);
                Ok(cookie)
            }).await
        }
    )
}

/// Reads from the export, without waiting for the data.
///
/// The command is that of `nbd_pread`.
///
/// # Parameters
///
/// - `buf`: where the data goes, `count` bytes of the program's, which have to
///   stay until the command is complete. It is filled with zeroes first, unless
///   `nbd_set_pread_initialize` says not to; after an error what it holds is
///   undefined beyond that.
/// - `count`, `offset`, `flags`: as in `nbd_pread`.
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_pread`, where they show before the request is sent.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// Two reads in flight at once:
///
/// ```c
/// static char data[2][4096];
/// ```
///
/// ```c
/// int64_t cookies[2];
/// int i, r;
///
/// for (i = 0; i < 2; ++i) {
///   cookies[i] = nbd_aio_pread (nbd, data[i], sizeof data[i], i * 4096,
///                               NBD_NULL_COMPLETION, 0);
///   if (cookies[i] == -1)
///     return -1;
/// }
/// for (i = 0; i < 2; ++i) {
///   while ((r = nbd_aio_command_completed (nbd, cookies[i])) == 0)
///     if (nbd_poll (nbd, -1) == -1)
///       return -1;
///   if (r == -1)
///     return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_pread`, `nbd_aio_pread_structured`, `nbd_aio_command_completed`;
/// libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_pread(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL or `count` bytes of the program's, which keeps them until the
    // command is complete.
    let mut buf = unsafe { ReadBuffer::new(buf, count) };
    // SAFETY: as for the call itself.
    unsafe { initialize(h, &mut buf) };
    locked!(
        NBD_AIO_PREAD(
            h,
            buf: &buf,
            count: count,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_only(|mut issue| {
                issue.pread(buf, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Reads from the export piece by piece and waits until it is done.
///
/// A server may answer in pieces, in any order, and may say that some of them are
/// holes. The callback is told of each when it is in the buffer. Whether the
/// pieces fit together is only checked by their total size. On a connection
/// without structured replies there is one piece.
///
/// The callback is called with its `user_data` and
///
/// - `subbuf`, `count`: the piece, which lies in `buf`, in bytes;
/// - `offset`: where in the export it begins, in bytes;
/// - `status`: `LIBNBD_READ_DATA` (1) for data, `LIBNBD_READ_HOLE` (2) for a hole,
///   whose bytes are zero, or `LIBNBD_READ_ERROR` (3) for an error at that offset,
///   with a `count` of 0;
/// - `error`: the errno of that error, or for the other two, of the first error
///   so far, or 0.
///
/// When it returns -1, the read fails with the errno that it has put into
/// `error`, or else `EPROTO`, unless it had failed before; further pieces are
/// passed to it all the same. It must not call functions of libnbd on the same
/// handle. A piece of a kind that this version does not know is not passed on.
///
/// # Parameters
///
/// - `buf`, `count`, `offset`: as in `nbd_pread`.
/// - `chunk_callback`: the callback; freed when the read is done.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_DF` to ask for a single piece
///   (`nbd_can_df`).
///
/// # Errors
///
/// - Those of `nbd_pread`, and those of the callback.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ and "Structured reply chunk message".
///
/// # Example
///
/// ```c
/// static int
/// chunk (void *user_data, const void *subbuf, size_t count,
///        uint64_t offset, unsigned status, int *error)
/// {
///   if (status == LIBNBD_READ_HOLE)
///     printf ("hole: %zu bytes at %" PRIu64 "\n", count, offset);
///   return 0;
/// }
/// ```
///
/// ```c
/// char buf[65536];
/// nbd_chunk_callback callback = { .callback = chunk };
///
/// return nbd_pread_structured (nbd, buf, sizeof buf, 0, callback, 0);
/// ```
///
/// # See also
///
/// `nbd_aio_pread_structured`, `nbd_pread`, `nbd_can_df`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_pread_structured(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    chunk_callback: nbd_chunk_callback,
    flags: u32,
) -> c_int {
    // SAFETY: NULL or `count` bytes of the caller's, there for the length of the
    // call, in which the command ends.
    let mut buf = unsafe { ReadBuffer::new(buf, count) };
    // SAFETY: as for the call itself.
    unsafe { initialize(h, &mut buf) };
    waiting!(
        NBD_PREAD_STRUCTURED(
            h,
            buf: &buf,
            count: count,
            offset: offset,
            chunk: &chunk_callback,
            flags: Mask(flags),
        ),
        async |c| c.until_completed(Access::Alone, |mut issue, done| {
            issue.pread_structured(buf, offset, chunk_callback, done, flags)
        }).await
    )
}

/// Reads from the export piece by piece, without waiting.
///
/// The command is that of `nbd_pread_structured`. Its callback is called as the
/// pieces come in, the first perhaps before this returns.
///
/// # Parameters
///
/// - `buf`: as in `nbd_aio_pread`.
/// - `count`, `offset`, `chunk_callback`, `flags`: as in `nbd_pread_structured`.
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_pread_structured`, where they show before the request is sent.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ and "Structured reply chunk message".
///
/// # See also
///
/// `nbd_pread_structured`, `nbd_aio_pread`, `nbd_aio_command_completed`;
/// libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_pread_structured(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    chunk_callback: nbd_chunk_callback,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL or `count` bytes of the program's, which keeps them until the
    // command is complete.
    let mut buf = unsafe { ReadBuffer::new(buf, count) };
    // SAFETY: as for the call itself.
    unsafe { initialize(h, &mut buf) };
    locked!(
        NBD_AIO_PREAD_STRUCTURED(
            h,
            buf: &buf,
            count: count,
            offset: offset,
            chunk: &chunk_callback,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_only(|mut issue| {
                issue.pread_structured(buf, offset, chunk_callback, completion_callback, flags)
            })
            .map(Cookie)
    )
}
