// SPDX-License-Identifier: LGPL-2.1-or-later

//! Writing, zeroing and trimming.

use libc::{c_int, c_void, size_t};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::buffer::WriteBuffer;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::Access;

/// Writes to the export.
///
/// The call returns when the server has replied. Use `nbd_aio_pwrite` to write
/// without waiting, and `nbd_zero` to write zeroes without sending them.
///
/// The data is not guaranteed to be on stable storage when the call returns: call
/// `nbd_flush` afterwards, or pass `LIBNBD_CMD_FLAG_FUA`. A failed write may have
/// changed part of the range.
///
/// # Parameters
///
/// - `buf`: the data to write, `count` bytes.
/// - `count`: number of bytes, at most the value of `LIBNBD_SIZE_PAYLOAD` (see
///   `nbd_get_block_size`).
/// - `offset`: offset of the first byte in the export.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_FUA` to make the server reply only when the
///   data is on stable storage; the server must support it (`nbd_can_fua`). The
///   library sets or clears `LIBNBD_CMD_FLAG_PAYLOAD_LEN` as the connection
///   requires, unless `LIBNBD_STRICT_AUTO_FLAG` is off (`nbd_set_strict_mode`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: `count` is 0, or the range is not aligned to the minimum block size.
/// - `EINVAL`: a flag does not apply to this command, or the server does not support
///   it.
/// - `ENOSPC`: the range extends beyond the end of the export.
/// - `ERANGE`: `count` is too large.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - Errors that the server replies with, such as `EIO` or `ENOSPC`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # Example
///
/// This write is on stable storage when it returns:
///
/// ```c
/// char sector[512] = "hello";
///
/// if (nbd_can_fua (nbd) == 1)
///   return nbd_pwrite (nbd, sector, sizeof sector, 0,
///                      LIBNBD_CMD_FLAG_FUA);
/// if (nbd_pwrite (nbd, sector, sizeof sector, 0, 0) == -1)
///   return -1;
/// return nbd_flush (nbd, 0);
/// ```
///
/// # See also
///
/// `nbd_aio_pwrite`, `nbd_is_read_only`, `nbd_zero`, `nbd_flush`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_pwrite(
    h: *mut nbd_handle,
    buf: *const c_void,
    count: size_t,
    offset: u64,
    flags: u32,
) -> c_int {
    // SAFETY: NULL, or `count` bytes that outlive the call, in which the command
    // ends.
    let buf = unsafe { WriteBuffer::new(buf, count) };
    waiting!(
        NBD_PWRITE(h, buf: buf, count: count, offset: offset, flags: Mask(flags)),
        async |c| {
            let access = Access::write(offset, count as u64);
            c.until_completed(access, |mut issue, done| {
                issue.pwrite(buf, offset, done, flags)
            }).await
        }
    )
}

/// Starts a write to the export.
///
/// This is the asynchronous form of `nbd_pwrite`. Use it to keep several commands in
/// flight, or to write from a main loop.
///
/// # Parameters
///
/// - `buf`: the data to write, `count` bytes. The library does not copy it, so the
///   buffer must stay valid and unchanged until the command completes.
/// - `count`, `offset`, `flags`: see `nbd_pwrite`.
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
/// - Errors of `nbd_pwrite` that are detected before the request is sent. Later
///   errors are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # Example
///
/// The callback's `free` function releases the buffer when the command no longer
/// needs it, on success and on failure:
///
/// ```c
/// static int
/// written (void *user_data, int *error)
/// {
///   if (*error != 0)
///     fprintf (stderr, "write: %s\n", strerror (*error));
///   return 1;
/// }
/// ```
///
/// ```c
/// char *data = calloc (1, 65536);
/// nbd_completion_callback callback = {
///   .callback = written, .user_data = data, .free = free
/// };
///
/// if (data == NULL)
///   return -1;
/// if (nbd_aio_pwrite (nbd, data, 65536, 0, callback, 0) == -1)
///   return -1;
/// ```
///
/// # See also
///
/// `nbd_pwrite`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_pwrite(
    h: *mut nbd_handle,
    buf: *const c_void,
    count: size_t,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    // SAFETY: NULL, or `count` bytes that the program keeps until the command
    // completes.
    let buf = unsafe { WriteBuffer::new(buf, count) };
    locked!(
        NBD_AIO_PWRITE(
            h,
            buf: buf,
            count: count,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| {
                issue.pwrite(buf, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Zeroes a range of the export.
///
/// The range reads as zeroes afterwards. No zeroes are sent, so this is much faster
/// than `nbd_pwrite`, especially if the server can make a hole. The server must
/// support zero commands (`nbd_can_zero`); if it does not, write zeroes with
/// `nbd_pwrite`.
///
/// The call returns when the server has replied; `nbd_aio_zero` does not wait.
///
/// # Parameters
///
/// - `count`: number of bytes. Values of 4 GiB and more require extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may have a lower limit.
/// - `offset`: offset of the first byte in the export.
/// - `flags`: 0, or a bitwise OR of the flags below.
/// - `LIBNBD_CMD_FLAG_FUA`: the server replies only when the zeroes are on stable
///   storage (`nbd_can_fua`).
/// - `LIBNBD_CMD_FLAG_NO_HOLE`: the server allocates storage for the range instead
///   of making a hole.
/// - `LIBNBD_CMD_FLAG_FAST_ZERO`: the command fails with `ENOTSUP` if zeroing would
///   be no faster than writing (`nbd_can_fast_zero`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the server does not support zero commands (`nbd_can_zero`).
/// - `EINVAL`: `count` is 0, or the range is not aligned to the minimum block size.
/// - `EINVAL`: a flag does not apply to this command, or the server does not support
///   it.
/// - `ENOSPC`: the range extends beyond the end of the export.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTSUP`: `LIBNBD_CMD_FLAG_FAST_ZERO` is set, and zeroing would be no faster
///   than writing.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - Errors that the server replies with, such as `EIO` or `ENOSPC`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE_ZEROES.
///
/// # Example
///
/// Zero the first megabyte and keep its storage allocated, so that later writes to
/// it cannot run out of space:
///
/// ```c
/// if (nbd_can_zero (nbd) == 1)
///   return nbd_zero (nbd, 1 << 20, 0, LIBNBD_CMD_FLAG_NO_HOLE);
/// ```
///
/// # See also
///
/// `nbd_aio_zero`, `nbd_can_zero`, `nbd_can_fast_zero`, `nbd_trim`, `nbd_pwrite`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_zero(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    flags: u32,
) -> c_int {
    waiting!(
        NBD_ZERO(h, count: count, offset: offset, flags: Mask(flags)),
        async |c| {
            let access = Access::write(offset, count);
            c.until_completed(access, |mut issue, done| {
                issue.zero(count, offset, done, flags)
            }).await
        }
    )
}

/// Starts zeroing a range of the export.
///
/// This is the asynchronous form of `nbd_zero`. Use it to keep several commands in
/// flight, or to zero a range from a main loop.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: see `nbd_zero`.
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
/// - Errors of `nbd_zero` that are detected before the request is sent. Later errors
///   are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE_ZEROES.
///
/// # Example
///
/// Zero a gigabyte while the program does other work. The callback returns 1, so the
/// command is retired without a further call:
///
/// ```c
/// static int
/// zeroed (void *user_data, int *error)
/// {
///   bool *done = user_data;
///
///   if (*error != 0)
///     fprintf (stderr, "zero: %s\n", strerror (*error));
///   *done = true;
///   return 1;
/// }
/// ```
///
/// ```c
/// bool done = false;
/// nbd_completion_callback callback = {
///   .callback = zeroed, .user_data = &done
/// };
///
/// if (nbd_aio_zero (nbd, 1 << 30, 0, callback, 0) == -1)
///   return -1;
/// while (! done) {
///   /* ... do other work here, then: */
///   if (nbd_poll (nbd, 100) == -1)
///     return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_zero`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_zero(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    locked!(
        NBD_AIO_ZERO(
            h,
            count: count,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| {
                issue.zero(count, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Discards data that is no longer needed.
///
/// Use it after deleting data, so that the server can free the storage. The server
/// may make a hole or do nothing at all; until the range is written again, reads
/// from it return undefined data. If the range must read as zeroes, use `nbd_zero`.
///
/// The call returns when the server has replied; `nbd_aio_trim` does not wait.
///
/// # Parameters
///
/// - `count`: number of bytes. Values of 4 GiB and more require extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may have a lower limit.
/// - `offset`: offset of the first byte in the export.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_FUA` to make the server reply only when the
///   change is on stable storage (`nbd_can_fua`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the server does not support trim commands (`nbd_can_trim`).
/// - `EINVAL`: `count` is 0, or the range is not aligned to the minimum block size.
/// - `EINVAL`: a flag does not apply to this command, or the server does not support
///   it.
/// - `ENOSPC`: the range extends beyond the end of the export.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - Errors that the server replies with, such as `EIO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_TRIM.
///
/// # See also
///
/// `nbd_aio_trim`, `nbd_can_trim`, `nbd_zero`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_trim(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    flags: u32,
) -> c_int {
    waiting!(
        NBD_TRIM(h, count: count, offset: offset, flags: Mask(flags)),
        async |c| {
            let access = Access::write(offset, count);
            c.until_completed(access, |mut issue, done| {
                issue.trim(count, offset, done, flags)
            }).await
        }
    )
}

/// Starts discarding data that is no longer needed.
///
/// This is the asynchronous form of `nbd_trim`. Use it to keep several commands in
/// flight, or to trim from a main loop.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: see `nbd_trim`.
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
/// - Errors of `nbd_trim` that are detected before the request is sent. Later errors
///   are reported when the command completes.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_TRIM.
///
/// # See also
///
/// `nbd_trim`, `nbd_aio_command_completed`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_trim(
    h: *mut nbd_handle,
    count: u64,
    offset: u64,
    completion_callback: nbd_completion_callback,
    flags: u32,
) -> i64 {
    locked!(
        NBD_AIO_TRIM(
            h,
            count: count,
            offset: offset,
            completion: &completion_callback,
            flags: Mask(flags),
        ),
        |c| c
            .issue_asynchronous(|mut issue| {
                issue.trim(count, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}
