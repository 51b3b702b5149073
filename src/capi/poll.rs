// SPDX-License-Identifier: LGPL-2.1-or-later

//! Main loops: waiting, and what a program needs that waits by itself.

use libc::{c_int, c_uint};

use super::entry::{locked, looking, waiting};
use super::opaque::nbd_handle;
use super::outcome::Bits;

/// Waits until something happens on the connection, and handles it.
///
/// This is enough of a main loop for a program with one handle: issue commands,
/// and call this until they have completed. It waits for the file descriptor of
/// the handle in the handle's direction, and then does what
/// `nbd_aio_notify_read` or `nbd_aio_notify_write` does. So a call handles one reply
/// message at most, or a part of one, and completes one command at most; over TLS,
/// it handles all messages of one record.
///
/// # Parameters
///
/// - `timeout`: how long to wait, in milliseconds; -1 waits as long as it takes,
///   which is for ever when nothing is in flight and the server stays.
///
/// # Result
///
/// 1 if something happened, 0 on timeout, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: there is nothing to wait for in this state, as before connecting
///   or after the end.
/// - Those of a connection that fails, with or without an errno.
///
/// # Example
///
/// ```c
/// if (nbd_aio_connect_tcp (nbd, "localhost", "nbd") == -1)
///   return -1;
/// while (nbd_aio_is_connecting (nbd))
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// ```
///
/// # See also
///
/// `nbd_poll2`, `nbd_aio_get_fd`, `nbd_aio_get_direction`; poll(2).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_poll(h: *mut nbd_handle, timeout: c_int) -> c_int {
    waiting!(NBD_POLL(h, timeout: timeout), async |connection| connection.poll(-1, timeout).await)
}

/// Waits until something happens on the connection or on a file descriptor.
///
/// This is `nbd_poll` with something more to wait for, such as an eventfd(2) by
/// which another thread ends the wait.
///
/// # Parameters
///
/// - `fd`: a file descriptor to wait for until it can be read; -1 for none. It is
///   only looked at, never read.
/// - `timeout`: as in `nbd_poll`.
///
/// # Result
///
/// 1 if something happened on either, 0 on timeout, -1 on error.
///
/// # Errors
///
/// - Those of `nbd_poll`.
///
/// # See also
///
/// `nbd_poll`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_poll2(h: *mut nbd_handle, fd: c_int, timeout: c_int) -> c_int {
    waiting!(NBD_POLL2(h, fd: fd, timeout: timeout), async |connection| {
        connection.poll(fd, timeout).await
    })
}

/// Returns the file descriptor of the connection, to wait for.
///
/// Wait for it with poll(2) or the like, in the direction that
/// `nbd_aio_get_direction` tells, and call `nbd_aio_notify_read` or
/// `nbd_aio_notify_write` when it is ready. Do nothing else with it: it belongs
/// to the handle. While the handle is connecting it may change with every step.
///
/// # Result
///
/// The file descriptor, or -1.
///
/// # Errors
///
/// - `EINVAL`: there is no connection.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_poll`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_get_fd(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_GET_FD(h), |connection| connection.aio_get_fd())
}

/// Returns in which direction the connection waits to go on.
///
/// - 0: it does not wait: there is no connection, or it is the program's turn.
/// - `LIBNBD_AIO_DIRECTION_READ` (1): for something to read. Wait for `POLLIN`,
///   then call `nbd_aio_notify_read`, on `POLLHUP` too. A ready connection waits
///   for this also when nothing is in flight: the server could close it.
/// - `LIBNBD_AIO_DIRECTION_WRITE` (2): for room to write. Wait for `POLLOUT`, then
///   call `nbd_aio_notify_write`.
/// - `LIBNBD_AIO_DIRECTION_BOTH` (3): for either of them. When both are ready call
///   `nbd_aio_notify_read`: what is read may change what there is to write.
///
/// From the first call of this function on a connected handle, of
/// `nbd_aio_get_fd` or of a notify function, the library leaves each reply in the
/// socket until its turn. When replies have been received ahead of their use before
/// that, the direction is `LIBNBD_AIO_DIRECTION_BOTH` until they are handled.
///
/// Any call on the handle can change the direction. Where several threads use the
/// handle, one that sends a command may have to wake the one that waits.
///
/// # Result
///
/// One of the four. With a valid handle this function does not fail, and it
/// never waits for a call in another thread.
///
/// # See also
///
/// `nbd_aio_get_fd`, `nbd_aio_notify_read`, `nbd_aio_notify_write`, `nbd_poll`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_get_direction(h: *mut nbd_handle) -> c_uint {
    looking!(NBD_AIO_GET_DIRECTION(h), |shared| Bits(shared.direction()))
}

/// Tells the handle that its file descriptor can be read.
///
/// One reply message is received and handled, as far as it has arrived: callbacks
/// are called, and a command may complete. More may be there to read, so wait for the
/// descriptor with poll(2) or another interface that is level-triggered. The call
/// never waits.
///
/// Over TLS, all messages of one record are handled.
///
/// # Errors
///
/// - `EINVAL`: the handle does not wait for this, see `nbd_aio_get_direction`.
/// - Those of a connection that fails, with or without an errno.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_aio_notify_write`, `nbd_poll`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_notify_read(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_NOTIFY_READ(h), |connection| connection
        .aio_notify_read())
}

/// Tells the handle that its file descriptor can be written to.
///
/// What waits to be sent is sent, as far as there is room. It never waits for
/// more.
///
/// # Errors
///
/// - `EINVAL`: the handle does not wait for this, see `nbd_aio_get_direction`.
/// - Those of a connection that fails, with or without an errno.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_aio_notify_read`, `nbd_poll`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_notify_write(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_NOTIFY_WRITE(h), |connection| connection
        .aio_notify_write())
}
