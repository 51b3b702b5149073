// SPDX-License-Identifier: LGPL-2.1-or-later

//! Polling and main loops.

use libc::{c_int, c_uint};

use super::entry::{locked, looking, waiting};
use super::opaque::nbd_handle;
use super::outcome::Bits;

/// Waits for an event on the connection and handles it.
///
/// This is the simplest main loop: start asynchronous calls, then call `nbd_poll`
/// until they are done. It waits with poll(2) until the socket is ready, then does
/// the work of `nbd_aio_notify_read` or `nbd_aio_notify_write`, which includes
/// calling callbacks.
///
/// A call handles at most one reply message, or part of one, so at most one command
/// completes. With TLS, it handles all messages of one TLS record.
///
/// Before each call, test whether what you wait for has already happened, as the
/// example does. A command can complete before the first call; the loop would then
/// wait for an event that never comes.
///
/// # Parameters
///
/// - `timeout`: the longest time to wait, in milliseconds. 0 returns at once. With
///   -1 there is no timeout: the call then waits for ever if nothing is in flight
///   and the server keeps the connection open.
///
/// # Result
///
/// 1 if an event was handled, 0 on timeout, -1 on error.
///
/// # Errors
///
/// - `EINVAL`: there is nothing to wait for in this state.
/// - Errors of the connection, after which the handle is dead (`nbd_aio_is_dead`).
///   Some of them have no errno.
///
/// # Example
///
/// Connect without a synchronous call:
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
/// `nbd_poll2`, `nbd_aio_command_completed`, `nbd_aio_get_fd`,
/// `nbd_aio_get_direction`; poll(2), libnbd(3), "MAIN LOOPS".
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_poll(h: *mut nbd_handle, timeout: c_int) -> c_int {
    waiting!(NBD_POLL(h, timeout: timeout), async |connection| connection.poll(-1, timeout).await)
}

/// Waits for an event on the connection or a file descriptor.
///
/// This is `nbd_poll` with a second file descriptor. Use it to end the wait from
/// another thread, for instance with an eventfd(2), or to wait for input at the same
/// time.
///
/// # Parameters
///
/// - `fd`: a file descriptor. The call returns when it is readable, but does not
///   read from it. -1 for none.
/// - `timeout`: see `nbd_poll`.
///
/// # Result
///
/// 1 if there was an event on the connection or `fd` is readable, 0 on timeout, -1
/// on error.
///
/// # Errors
///
/// - Errors of `nbd_poll`.
///
/// # See also
///
/// `nbd_poll`; eventfd(2).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_poll2(h: *mut nbd_handle, fd: c_int, timeout: c_int) -> c_int {
    waiting!(NBD_POLL2(h, fd: fd, timeout: timeout), async |connection| {
        connection.poll(fd, timeout).await
    })
}

/// Returns the file descriptor of the connection.
///
/// Use it in a main loop of your own: wait for it with poll(2) in the direction that
/// `nbd_aio_get_direction` returns, then call `nbd_aio_notify_read` or
/// `nbd_aio_notify_write`.
///
/// The file descriptor belongs to the handle: do not read, write or close it. While
/// the handle is connecting, it can change with every call, so ask for it again
/// before each wait.
///
/// # Result
///
/// The file descriptor, or -1 on error.
///
/// # Errors
///
/// - `EINVAL`: there is no connection.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_poll`; libnbd(3), "MAIN LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_get_fd(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_GET_FD(h), |connection| connection.aio_get_fd())
}

/// Returns the events that the handle waits for.
///
/// Use it in a main loop of your own before each wait, since every call on the
/// handle can change the direction:
///
/// - `LIBNBD_AIO_DIRECTION_READ` (1): wait for `POLLIN`, then call
///   `nbd_aio_notify_read`. Call it on `POLLHUP` too. A handle without commands in
///   flight has this direction as well, to notice that the server closes the
///   connection.
/// - `LIBNBD_AIO_DIRECTION_WRITE` (2): wait for `POLLOUT`, then call
///   `nbd_aio_notify_write`.
/// - `LIBNBD_AIO_DIRECTION_BOTH` (3): wait for either. If the socket is readable and
///   writable, call `nbd_aio_notify_read` only: it can change what there is to
///   write.
/// - 0: there is nothing to wait for, because the handle is not connected or because
///   the program has to act first.
///
/// If the program has used synchronous calls or `nbd_poll` before, the library may
/// already have received replies that it has not handled. The direction is then
/// `LIBNBD_AIO_DIRECTION_BOTH` until they are handled, so that the loop does not
/// sleep. After the first call of this function, `nbd_aio_get_fd` or a notify
/// function on a connected handle, replies stay in the socket until they are
/// handled.
///
/// If another thread issues commands while yours waits, yours may be waiting for the
/// wrong direction: wake it up (libnbd(3), "THREADS").
///
/// # Result
///
/// One of these values. This function does not fail if `h` is a valid handle, and it
/// never waits for a call in another thread.
///
/// # See also
///
/// `nbd_aio_get_fd`, `nbd_aio_notify_read`, `nbd_aio_notify_write`, `nbd_poll`;
/// libnbd(3), "MAIN LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_get_direction(h: *mut nbd_handle) -> c_uint {
    looking!(NBD_AIO_GET_DIRECTION(h), |shared| Bits(shared.direction()))
}

/// Receives from the server when the socket is readable.
///
/// Call it from a main loop of your own when the file descriptor (`nbd_aio_get_fd`)
/// is readable or hung up. The library receives and handles at most one reply
/// message, as far as it has arrived. This calls callbacks and can complete a
/// command. With TLS, the library handles all messages of one TLS record. The call
/// never waits.
///
/// There may be more to read when it returns, so the loop has to be level-triggered:
/// use poll(2), or epoll(7) without `EPOLLET`. An edge-triggered loop misses
/// replies.
///
/// # Errors
///
/// - `EINVAL`: the handle does not wait for this event (`nbd_aio_get_direction`).
/// - Errors of the connection, after which the handle is dead (`nbd_aio_is_dead`).
///   Some of them have no errno.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_aio_notify_write`, `nbd_poll`; libnbd(3), "MAIN
/// LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_notify_read(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_NOTIFY_READ(h), |connection| connection
        .aio_notify_read())
}

/// Sends to the server when the socket is writable.
///
/// Call it from a main loop of your own when the file descriptor (`nbd_aio_get_fd`)
/// is writable and the handle waits for that. The library sends pending requests as
/// far as the socket takes them. The call never waits.
///
/// # Errors
///
/// - `EINVAL`: the handle does not wait for this event (`nbd_aio_get_direction`).
/// - Errors of the connection, after which the handle is dead (`nbd_aio_is_dead`).
///   Some of them have no errno.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_aio_notify_read`, `nbd_poll`; libnbd(3), "MAIN
/// LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_notify_write(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_NOTIFY_WRITE(h), |connection| connection
        .aio_notify_write())
}
