// SPDX-License-Identifier: LGPL-2.1-or-later

//! Command completion.

use libc::c_int;

use super::entry::{locked, unlocked};
use super::opaque::nbd_handle;

/// Checks whether a command has completed, and retires it.
///
/// Call it with the cookie that an asynchronous command returned, before each wait:
/// before the first `nbd_poll` and after each `nbd_poll` or notify call. If the
/// command has completed, its result is returned and the command is retired: its
/// callbacks are freed and its cookie is no longer valid.
///
/// Every command must be retired, by this function or by a completion callback that
/// returns 1. Otherwise it uses memory until the handle is closed.
///
/// # Parameters
///
/// - `cookie`: the cookie of the command.
///
/// # Result
///
/// 1 if the command succeeded, -1 if it failed; in both cases it is now retired. 0
/// if it is still in flight, or if there is no command with this cookie, for
/// example because it was already retired.
///
/// # Errors
///
/// - `EINVAL`: `cookie` is 0.
/// - `ENOTCONN`: the connection ended before the reply arrived.
/// - Errors that the server replied with, and errors from the callbacks of the
///   command.
///
/// # Example
///
/// ```c
/// int64_t cookie = nbd_aio_flush (nbd, NBD_NULL_COMPLETION, 0);
/// int r;
///
/// if (cookie == -1)
///   return -1;
/// while ((r = nbd_aio_command_completed (nbd, cookie)) == 0)
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
/// return r;
/// ```
///
/// # See also
///
/// `nbd_aio_peek_command_completed`, `nbd_aio_in_flight`, `nbd_poll`; libnbd(3),
/// "ASYNCHRONOUS COMMANDS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_command_completed(h: *mut nbd_handle, cookie: u64) -> c_int {
    locked!(NBD_AIO_COMMAND_COMPLETED(h, cookie: cookie), |connection| {
        connection.aio_command_completed(cookie)
    })
}

/// Returns the cookie of a command that has completed.
///
/// Use it in programs that do not store the cookies of their commands. Pass the
/// cookie to `nbd_aio_command_completed`, which returns the result and retires the
/// command. If several commands have completed, the function returns the one that
/// completed first, and returns it again until that command is retired.
///
/// # Result
///
/// The cookie of a completed command, which is 1 or more; 0 if commands are in
/// flight but none has completed; -1 on error.
///
/// # Errors
///
/// - `EINVAL`: there are no commands, neither in flight nor completed.
///
/// # Example
///
/// Retire all completed commands:
///
/// ```c
/// int64_t cookie;
///
/// while ((cookie = nbd_aio_peek_command_completed (nbd)) > 0)
///   if (nbd_aio_command_completed (nbd, cookie) == -1)
///     fprintf (stderr, "%" PRIi64 ": %s\n", cookie, nbd_get_error ());
/// ```
///
/// # See also
///
/// `nbd_aio_command_completed`, `nbd_aio_in_flight`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_peek_command_completed(h: *mut nbd_handle) -> i64 {
    locked!(NBD_AIO_PEEK_COMMAND_COMPLETED(h), |connection| connection
        .aio_peek_command_completed())
}

/// Returns the number of commands in flight.
///
/// Use it to limit the number of outstanding requests, or to wait for all replies
/// before `nbd_aio_disconnect`: commands that are in flight when the connection ends
/// fail with `ENOTCONN`.
///
/// The number does not include commands that have completed but are not retired,
/// nor the commands of synchronous calls in other threads.
///
/// # Result
///
/// The number of commands, or -1 on error. This function never waits for a call in
/// another thread.
///
/// # See also
///
/// `nbd_aio_peek_command_completed`, `nbd_aio_disconnect`, `nbd_shutdown`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_in_flight(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IN_FLIGHT(h), |shared| {
        c_int::try_from(shared.in_flight()).unwrap_or(c_int::MAX)
    })
}
