// SPDX-License-Identifier: LGPL-2.1-or-later

//! Polling and main loops.

use libc::{c_int, c_uint};

use super::entry::{called, locked, waiting, with_handle};
use super::function::NBD_AIO_GET_DIRECTION;
use super::opaque::nbd_handle;
use super::outcome::Bits;
use crate::handle::Batch;

/// Waits for an event on the connection and handles it.
///
/// This is the simplest main loop: start asynchronous commands, then call
/// `nbd_poll` until they have completed. It waits with poll(2) until the socket is
/// ready, then does the work of `nbd_aio_notify_read` or `nbd_aio_notify_write`,
/// which includes calling callbacks.
///
/// Without TLS, a call handles at most one reply message, or part of one, so at
/// most one command completes. With TLS, it handles all messages of one TLS record.
///
/// Before each call, test whether the command or connection you wait for is already
/// complete, as the example does. A command can complete before the first call; the
/// loop would then wait for an event that never comes.
///
/// # Parameters
///
/// - `timeout`: maximum time to wait, in milliseconds. With 0, the call returns at
///   once. With -1, there is no timeout: the call blocks indefinitely if nothing is
///   in flight and the server keeps the connection open.
///
/// # Result
///
/// 1 if an event was handled, by this or by another thread; 0 on timeout; -1 on
/// error.
///
/// # Errors
///
/// - `EINVAL`: there is nothing to wait for, for example because the handle is not
///   connected.
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
/// This is `nbd_poll` with a second file descriptor. Use it to wake the waiting
/// thread from another thread, for instance with an eventfd(2), or to wait for
/// input at the same time.
///
/// # Parameters
///
/// - `fd`: a file descriptor, or -1 for none. The call returns when it is readable,
///   but does not read from it.
/// - `timeout`: see `nbd_poll`.
///
/// # Result
///
/// 1 if an event on the connection was handled or `fd` is readable; 0 on timeout;
/// -1 on error.
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
/// the handle is connecting, it can change with every call, so call this function
/// again before each wait.
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
/// Call it in a main loop of your own before each wait, because every call on the
/// handle can change the direction. The directions are:
///
/// - `LIBNBD_AIO_DIRECTION_READ` (1): wait for `POLLIN` or `POLLHUP`, then call
///   `nbd_aio_notify_read`. A handle without commands in flight has this direction
///   too, to detect that the server closes the connection.
/// - `LIBNBD_AIO_DIRECTION_WRITE` (2): wait for `POLLOUT`, then call
///   `nbd_aio_notify_write`.
/// - `LIBNBD_AIO_DIRECTION_BOTH` (3): wait for either. If the socket is readable and
///   writable, call `nbd_aio_notify_read` only: it can change what there is to
///   write.
/// - 0: there is nothing to wait for, because the handle is not connected or because
///   the program has to act first.
///
/// Synchronous calls and `nbd_poll` can receive more replies than they handle. The
/// file descriptor does not become readable for these, so the direction is
/// `LIBNBD_AIO_DIRECTION_BOTH` until they are handled: the socket is nearly always
/// writable, and the wait ends at once. This can happen only when a program begins to
/// use a main loop: after the first call of this function, `nbd_aio_get_fd` or a
/// notify function on a connected handle, no more replies are received in advance.
///
/// If one thread issues a command while another waits, the waiting thread may be
/// waiting for the wrong direction: wake it up (libnbd(3), "Waking a main loop").
///
/// # Result
///
/// One of these directions. This function does not fail if `h` is a valid handle,
/// and it never waits for a call in another thread.
///
/// # See also
///
/// `nbd_aio_get_fd`, `nbd_aio_notify_read`, `nbd_aio_notify_write`, `nbd_poll`;
/// libnbd(3), "MAIN LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_get_direction(h: *mut nbd_handle) -> c_uint {
    let called = called!(NBD_AIO_GET_DIRECTION(h));
    with_handle(called, |handle| {
        Ok(Bits(handle.direction(&NBD_AIO_GET_DIRECTION)))
    })
}

/// Receives from the server when the socket is readable.
///
/// Call it from a main loop of your own when the file descriptor (`nbd_aio_get_fd`)
/// is readable or hung up. The library receives and handles at most one reply
/// message, as far as it has arrived. This calls callbacks and can complete a
/// command. With TLS, the library handles all messages of one TLS record. The call
/// does not wait for the server.
///
/// If another thread is waiting for the server in a call on this handle, the
/// function returns 0 at once, and that thread receives the reply.
///
/// There may be more to read when it returns, so the loop must be level-triggered:
/// use poll(2), or epoll(7) without `EPOLLET`. An edge-triggered loop misses
/// replies.
///
/// # Errors
///
/// - `EINVAL`: the direction does not include reading (`nbd_aio_get_direction`).
/// - Errors of the connection, after which the handle is dead (`nbd_aio_is_dead`).
///   Some of them have no errno.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_aio_notify_write`, `nbd_poll`; libnbd(3), "MAIN
/// LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_notify_read(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_NOTIFY_READ(h), |connection| {
        Batch::of(connection).send()?;
        connection.aio_notify_read()
    })
}

/// Sends to the server when the socket is writable.
///
/// Call it from a main loop of your own when the file descriptor (`nbd_aio_get_fd`)
/// is writable and the direction (`nbd_aio_get_direction`) includes writing. The
/// library sends as much of the pending requests as the socket accepts. The call
/// does not wait for the server.
///
/// If the library has already received replies that are not handled yet
/// (`nbd_aio_get_direction`), the call handles one of them, which calls callbacks
/// and can complete a command.
///
/// # Errors
///
/// - `EINVAL`: the direction does not include writing (`nbd_aio_get_direction`).
/// - Errors of the connection, after which the handle is dead (`nbd_aio_is_dead`).
///   Some of them have no errno.
///
/// # See also
///
/// `nbd_aio_get_direction`, `nbd_aio_notify_read`, `nbd_poll`; libnbd(3), "MAIN
/// LOOPS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_notify_write(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_NOTIFY_WRITE(h), |connection| {
        Batch::of(connection).send()?;
        connection.aio_notify_write()
    })
}
