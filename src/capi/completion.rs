// SPDX-License-Identifier: LGPL-2.1-or-later

//! Completion: what has become of the commands that were issued without
//! waiting.

use libc::c_int;

use super::entry::{locked, looking};
use super::opaque::nbd_handle;

/// Returns whether a command has completed, and retires it if it has.
///
/// To retire a command is to forget it: its callbacks are freed, and its cookie
/// means nothing any more. Commands that are not retired, here or by a completion
/// callback that returns 1, stay until the handle is closed.
///
/// # Parameters
///
/// - `cookie`: what the call returned that issued the command.
///
/// # Result
///
/// 1 when the command has succeeded, -1 when it has failed; it is retired in both
/// cases. 0 when it is still in flight, or when there is no command of that
/// cookie, for instance because it is retired already.
///
/// # Errors
///
/// - `EINVAL`: `cookie` is not one, that is, it is less than 1.
/// - `ENOTCONN`: the connection ended before the reply.
/// - Those that the server replies with, and those of the command's callbacks.
///
/// # Example
///
/// ```c
/// int64_t cookie = nbd_aio_flush (nbd, NBD_NULL_COMPLETION, 0);
/// int r = cookie == -1 ? -1 : 0;
///
/// while (r == 0) {
///   if (nbd_poll (nbd, -1) == -1)
///     return -1;
///   r = nbd_aio_command_completed (nbd, cookie);
/// }
/// return r;
/// ```
///
/// # See also
///
/// `nbd_aio_peek_command_completed`, `nbd_aio_in_flight`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_command_completed(h: *mut nbd_handle, cookie: u64) -> c_int {
    locked!(NBD_AIO_COMMAND_COMPLETED(h, cookie: cookie), |connection| {
        connection.aio_command_completed(cookie)
    })
}

/// Returns the cookie of a command that has completed and is to be retired.
///
/// Of several it is the one that completed first. The command is not retired by
/// this; `nbd_aio_command_completed` does that, and tells how it went.
///
/// # Result
///
/// The cookie, at least 1; 0 when commands are in flight but none has completed;
/// or -1.
///
/// # Errors
///
/// - `EINVAL`: there are no commands, neither in flight nor completed.
///
/// # Example
///
/// Retires all that has completed:
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

/// Returns how many commands await their reply.
///
/// Commands that have completed and are not retired yet are not counted, nor are
/// those of synchronous calls in other threads. A
/// program that ends the connection before this is 0 does not learn what became
/// of the rest: they fail with `ENOTCONN`. This call never waits for one in
/// another thread.
///
/// # Result
///
/// The number of commands, or -1.
///
/// # See also
///
/// `nbd_aio_peek_command_completed`, `nbd_aio_disconnect`, `nbd_shutdown`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_in_flight(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IN_FLIGHT(h), |shared| {
        c_int::try_from(shared.in_flight()).unwrap_or(c_int::MAX)
    })
}
