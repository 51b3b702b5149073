// SPDX-License-Identifier: LGPL-2.1-or-later

//! Reading.

use libc::{c_int, c_void, size_t};
use scopeguard::{guard, ScopeGuard};

use super::entry::{initialize, locked, must_initialize, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::buffer::ReadBuffer;
use crate::handle::callback::{nbd_chunk_callback, nbd_completion_callback};
use crate::handle::Access;

/// The buffer of a read that a call is going to wait for. The caller does not use it before
/// the call returns, so it is filled with zeroes only if the command is not issued: it is
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
    if unsafe { must_initialize(h) } {
        buf.clear_on_failure();
    }
    guard(buf, |buf| buf.failed(0, buf.len()))
}

/// Reads from the export.
///
/// The call returns when all of the data is in the buffer, or with an error: there
/// are no short reads. Use `nbd_aio_pread` to read without waiting, and
/// `nbd_pread_structured` to learn which parts of the range are holes.
///
/// # Parameters
///
/// - `buf`: the buffer for the data, at least `count` bytes. After a failed read,
///   it holds the data that arrived before the failure, and zeroes elsewhere. If
///   `nbd_set_pread_initialize` turns zeroing off, it may hold its previous
///   contents instead of the zeroes.
/// - `count`: number of bytes, at most 64 MiB. Many servers have a lower limit; see
///   `nbd_get_block_size`.
/// - `offset`: offset of the first byte in the export.
/// - `flags`: must be 0.
///
/// # Errors
///
/// - `EINVAL`: `count` is 0, the range extends beyond the end of the export, or it
///   is not aligned to the minimum block size.
/// - `EINVAL`: a flag is set.
/// - `ERANGE`: `count` is more than 64 MiB.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - `EPROTO`: the reply does not match the request.
/// - Errors that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// Copy the whole export to standard output, one megabyte at a time:
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
/// `nbd_aio_pread`, `nbd_pread_structured`, `nbd_get_size`, `nbd_get_block_size`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_pread(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL, or `count` bytes that outlive the call, in which the command
    // ends.
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

/// Starts a read from the export.
///
/// This is the asynchronous form of `nbd_pread`. Use it to keep several commands in
/// flight, or to read from a main loop.
///
/// # Parameters
///
/// - `buf`: the buffer for the data, at least `count` bytes. It must stay valid
///   until the command completes; do not read it before that. It is filled with
///   zeroes before the call returns, unless `nbd_set_pread_initialize` turns that
///   off.
/// - `count`, `offset`, `flags`: see `nbd_pread`.
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
/// - Errors of `nbd_pread` that are detected before the request is sent. Later
///   errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ.
///
/// # Example
///
/// Two reads in flight at the same time:
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
/// `nbd_pread`, `nbd_aio_pread_structured`, `nbd_aio_command_completed`; libnbd(3),
/// "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_pread(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL, or `count` bytes that the program keeps until the command
    // completes.
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
            .issue_asynchronous(|mut issue| {
                issue.pread(buf, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Reads from the export, with a callback for each chunk.
///
/// Use it to process data as it arrives, or to learn which parts of the range are
/// holes. A server that uses structured replies may answer in several chunks, in any
/// order; without structured replies there is one chunk. The call returns when all
/// of the data is in the buffer, or with an error.
///
/// The callback is called for each chunk, after the data is in the buffer. Its
/// arguments are:
///
/// - `user_data`: the pointer from the callback struct.
/// - `subbuf`, `count`: address and length of the chunk, which is part of `buf`.
/// - `offset`: offset of the chunk in the export.
/// - `status`: `LIBNBD_READ_DATA` (1) for data; `LIBNBD_READ_HOLE` (2) for a hole,
///   whose bytes in the buffer are zero; or `LIBNBD_READ_ERROR` (3) for an error at
///   `offset`, with a `count` of 0. A chunk of an unknown type is not passed to the
///   callback; the read then fails.
/// - `error`: the errno for `LIBNBD_READ_ERROR`. For data and holes, the first error
///   of this command so far, or 0.
///
/// If the callback returns -1, the read fails with the errno that it stored in
/// `error`, or with `EPROTO` if it stored none. If an earlier error has already
/// made the read fail, it keeps that error. The callback is still called for the
/// remaining chunks. The callback must not call functions on this handle, with a few
/// exceptions: see libnbd(3), "Inside a callback".
///
/// # Parameters
///
/// - `buf`, `count`, `offset`: see `nbd_pread`.
/// - `chunk_callback`: called for each chunk. It is freed before the call returns.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_DF` to ask the server for a single chunk
///   (`nbd_can_df`).
///
/// # Errors
///
/// - Errors of `nbd_pread`.
/// - Errors from the callback.
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
/// `nbd_aio_pread_structured`, `nbd_pread`, `nbd_can_df`, `nbd_block_status_64`;
/// libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_pread_structured(
    h: *mut nbd_handle,
    buf: *mut c_void,
    count: size_t,
    offset: u64,
    chunk_callback: nbd_chunk_callback,
    flags: u32,
) -> c_int {
    // SAFETY: NULL, or `count` bytes that outlive the call, in which the command
    // ends.
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
        async |c| c.until_completed(Access::Exclusive, |mut issue, done| {
            issue.pread_structured(buf, offset, chunk_callback, done, flags)
        }).await
    )
}

/// Starts a read with one callback for each chunk.
///
/// This is the asynchronous form of `nbd_pread_structured`. Use it to process data
/// as it arrives while other commands are in flight. The chunk callback may be
/// called before this call returns.
///
/// # Parameters
///
/// - `buf`: see `nbd_aio_pread`.
/// - `count`, `offset`, `flags`: see `nbd_pread_structured`.
/// - `chunk_callback`: called for each chunk; see `nbd_pread_structured`. It is
///   freed when the command is retired.
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
/// - Errors of `nbd_pread_structured` that are detected before the request is sent.
///   Later errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_READ and "Structured reply chunk message".
///
/// # See also
///
/// `nbd_pread_structured`, `nbd_aio_pread`, `nbd_aio_command_completed`; libnbd(3),
/// "CALLBACKS".
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
    // SAFETY: NULL, or `count` bytes that the program keeps until the command
    // completes.
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
            .issue_asynchronous(|mut issue| {
                issue.pread_structured(buf, offset, chunk_callback, completion_callback, flags)
            })
            .map(Cookie)
    )
}
