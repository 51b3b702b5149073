// SPDX-License-Identifier: LGPL-2.1-or-later

//! Data commands that do not wait: each call sends a request and returns the
//! cookie that names it.
//!
//! A command is in flight until its reply is complete, then it has completed, and
//! then it has to be retired, by `nbd_aio_command_completed` or by a completion
//! callback that returns 1. Its callbacks are freed when it is retired. Any number
//! of commands can be in flight, and they complete in the order that the server
//! likes.

use libc::{c_int, c_void, size_t};

use super::entry::{initialize, locked};
use super::opaque::nbd_handle;
use super::outcome::Cookie;
use super::trace::Mask;
use crate::handle::buffer::{ReadBuffer, WriteBuffer};
use crate::handle::callback::{nbd_chunk_callback, nbd_completion_callback};

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
        |connection| connection
            .issue().pread(buf, offset, completion_callback, flags)
            .map(Cookie)
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
        |connection| connection
            .issue().pread_structured(buf, offset, chunk_callback, completion_callback, flags)
            .map(Cookie)
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
        |connection| connection
            .issue().pwrite(buf, offset, completion_callback, flags)
            .map(Cookie)
    )
}

/// Says goodbye to the server, without waiting for the end.
///
/// No further commands are accepted. The server has no reply to this: it closes
/// the connection, and `nbd_aio_is_closed` becomes true. Those in flight may still
/// be answered before that; the rest fail with `ENOTCONN`. To lose nothing, send
/// this when nothing is in flight (`nbd_aio_in_flight`).
///
/// # Parameters
///
/// - `flags`: 0; the protocol has none for this yet.
///
/// # Errors
///
/// - `EINVAL`: a flag is set, or this was called before.
///
/// # Standards
///
/// NBD protocol, NBD_CMD_DISC.
///
/// # Example
///
/// ```c
/// while (nbd_aio_in_flight (nbd) > 0)
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// if (nbd_aio_disconnect (nbd, 0) == -1)
///   return -1;
/// while (! nbd_aio_is_closed (nbd) && ! nbd_aio_is_dead (nbd))
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// ```
///
/// # See also
///
/// `nbd_shutdown`, `nbd_aio_is_closed`, `nbd_aio_in_flight`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_disconnect(h: *mut nbd_handle, flags: u32) -> c_int {
    locked!(NBD_AIO_DISCONNECT(h, flags: Mask(flags)), |connection| {
        connection.aio_disconnect(flags)
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
        |connection| connection
            .issue().flush(completion_callback, flags)
            .map(Cookie)
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
        |connection| connection
            .issue().trim(count, offset, completion_callback, flags)
            .map(Cookie)
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
        |connection| connection
            .issue().cache(count, offset, completion_callback, flags)
            .map(Cookie)
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
        |connection| connection
            .issue().zero(count, offset, completion_callback, flags)
            .map(Cookie)
    )
}
