// SPDX-License-Identifier: LGPL-2.1-or-later

//! Changing the export: writing, zeroing and trimming.

use libc::{c_int, c_void, size_t};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::buffer::WriteBuffer;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::Access;

/// Writes to the export and waits until the server has taken the data.
///
/// That the data is safe when this returns is not said, see `nbd_flush`, unless
/// `LIBNBD_CMD_FLAG_FUA` asks for it. A write that fails may have been done in
/// part.
///
/// # Parameters
///
/// - `buf`: the data, `count` bytes.
/// - `count`: how many bytes, at most what `nbd_get_block_size` has for
///   `LIBNBD_SIZE_PAYLOAD`.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_FUA` for data that is on permanent storage
///   when the command ends (`nbd_can_fua`). `LIBNBD_CMD_FLAG_PAYLOAD_LEN` is set
///   or cleared as the connection needs it, unless `nbd_set_strict_mode` leaves
///   that to the program.
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the range is empty or is not made of whole blocks; or a flag is set
///   that has no meaning here, or that the server does not have.
/// - `ENOSPC`: the range goes beyond the export.
/// - `ERANGE`: `count` is too large.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, such as `ENOSPC`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # Example
///
/// A write that is on permanent storage when it returns:
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
    // SAFETY: NULL or `count` bytes of the caller's, there for the length of the
    // call, in which the command ends.
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

/// Writes to the export, without waiting for the reply.
///
/// The command is that of `nbd_pwrite`.
///
/// # Parameters
///
/// - `buf`: the data, `count` bytes of the program's, which have to stay as they
///   are until the command is complete: they are sent from there.
/// - `count`, `offset`, `flags`: as in `nbd_pwrite`.
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_pwrite`, where they show before the request is sent.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE.
///
/// # Example
///
/// The data is freed when the command needs it no more, whatever becomes of it:
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
    // SAFETY: NULL or `count` bytes of the program's, which keeps them until the
    // command is complete.
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
            .issue_only(|mut issue| {
                issue.pwrite(buf, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Writes zeroes without sending them, and waits until that is done.
///
/// The range reads as zeroes afterwards. How the server does it is its business:
/// often by making a hole, which takes no time.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0, or a sum of `LIBNBD_CMD_FLAG_FUA` to have the zeroes on permanent
///   storage when the command ends (`nbd_can_fua`), `LIBNBD_CMD_FLAG_NO_HOLE` to
///   have storage allocated for them, and `LIBNBD_CMD_FLAG_FAST_ZERO` to fail
///   with `ENOTSUP` where it would take as long as writing
///   (`nbd_can_fast_zero`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the server has no zero command (`nbd_can_zero`); or the range is
///   empty or is not made of whole blocks; or a flag is set that has no meaning
///   here, or that the server does not have.
/// - `ENOSPC`: the range goes beyond the export.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, such as `ENOTSUP` for
///   `LIBNBD_CMD_FLAG_FAST_ZERO`.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE_ZEROES.
///
/// # Example
///
/// Zeroes that keep their storage, so that later writes cannot run out of it:
///
/// ```c
/// if (nbd_can_zero (nbd) == 1)
///   return nbd_zero (nbd, 1 << 20, 0, LIBNBD_CMD_FLAG_NO_HOLE);
/// ```
///
/// # See also
///
/// `nbd_aio_zero`, `nbd_can_zero`, `nbd_can_fast_zero`, `nbd_trim`.
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

/// Writes zeroes without sending them, and without waiting.
///
/// The command is that of `nbd_zero`.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: as in `nbd_zero`.
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_zero`, where they show before the request is sent.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_WRITE_ZEROES.
///
/// # Example
///
/// Clears a gigabyte while the program goes on, with a callback that retires the
/// command:
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
///   /* ... something else, and from time to time: */
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
            .issue_only(|mut issue| {
                issue.zero(count, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}

/// Tells the server that a range is no longer needed, and waits.
///
/// The server may make a hole of it and may leave it alone. What is read there
/// afterwards is undefined, except that it often is zeroes; `nbd_zero` makes sure.
///
/// # Parameters
///
/// - `count`: how many bytes. 4 GiB and more take extended headers
///   (`nbd_get_extended_headers_negotiated`), and a server may take less.
/// - `offset`: where in the export, in bytes.
/// - `flags`: 0, or `LIBNBD_CMD_FLAG_FUA` to have the change on permanent storage
///   when the command ends (`nbd_can_fua`).
///
/// # Errors
///
/// - `EPERM`: the export is read-only.
/// - `EINVAL`: the server has no trim command (`nbd_can_trim`); or the range is
///   empty or is not made of whole blocks; or a flag is set that has no meaning
///   here, or that the server does not have.
/// - `ENOSPC`: the range goes beyond the export.
/// - `ERANGE`: `count` is too large for a request on this connection.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with.
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

/// Tells the server that a range is no longer needed, without waiting.
///
/// The command is that of `nbd_trim`.
///
/// # Parameters
///
/// - `count`, `offset`, `flags`: as in `nbd_trim`.
/// - `completion_callback`: called once when the command is complete, with its
///   errno in `error`, or 0; it retires the command by returning 1. May be NULL.
///
/// # Result
///
/// The cookie of the command, at least 1, or -1.
///
/// # Errors
///
/// - Those of `nbd_trim`, where they show before the request is sent.
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
            .issue_only(|mut issue| {
                issue.trim(count, offset, completion_callback, flags)
            })
            .map(Cookie)
    )
}
