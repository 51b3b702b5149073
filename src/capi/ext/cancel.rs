// SPDX-License-Identifier: LGPL-2.1-or-later

//! Cancellation of asynchronous commands.

use libc::c_int;

use crate::capi::entry::locked;
use crate::capi::opaque::nbd_handle;

/// Cancels an asynchronous command.
///
/// The command completes now with the error `ECANCELED`: its completion callback is
/// called before this function returns, and all its callbacks are freed. Its buffer
/// is not used any more, and you may free it. As with every command that has failed,
/// the contents of the buffer of a read are undefined. Retire the command as usual,
/// with `nbd_aio_command_completed` or by a completion callback that returns 1.
///
/// If no byte of the request has been sent, it is not sent at all. Otherwise, the
/// server may still execute the command, since the protocol has no message to cancel
/// one: a write may be made later, even after a later write to the same bytes. The
/// reply is ignored when it arrives. If a part of a write's data has been sent, the
/// library copies the data to send the rest.
///
/// Threads that wait in `nbd_poll` return 1, as after any completion, and so does the next
/// call of `nbd_poll`. For this, calls on the handle must be cancellable
/// (`nbd_ext_set_cancellable`): otherwise, the thread that waits for the server continues to
/// wait. A main loop of your own is not woken.
///
/// If another thread is receiving data of this command in a synchronous call, the
/// function waits until it has received it. It does not wait for a call with a limit
/// of time or a cancellable one (`nbd_ext_set_timeout`, `nbd_ext_set_cancellable`).
///
/// # Parameters
///
/// - `cookie`: the cookie of the command.
///
/// # Result
///
/// 1 if the command was cancelled. 0 if it is not in flight, because it has already
/// completed, or because there is no command with this cookie.
///
/// # Errors
///
/// - `EINVAL`: `cookie` is 0.
/// - `ENOMEM`: there is no memory to copy the rest of the data of a write. The
///   command is still in flight.
///
/// # Example
///
/// Give up a read when nothing has happened for five seconds:
///
/// ```c
/// char sector[512];
/// int64_t cookie = nbd_aio_pread (nbd, sector, sizeof sector, 0,
///                                 NBD_NULL_COMPLETION, 0);
/// int r;
///
/// if (cookie == -1)
///   return -1;
/// while ((r = nbd_aio_command_completed (nbd, cookie)) == 0) {
///   int event = nbd_poll (nbd, 5000);
///
///   if (event == -1)
///     return -1;
///   if (event == 0)
///     nbd_ext_aio_cancel (nbd, cookie);
/// }
/// return r;
/// ```
///
/// # See also
///
/// `nbd_aio_command_completed`, `nbd_ext_set_timeout`, `nbd_ext_cancel`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_aio_cancel(h: *mut nbd_handle, cookie: u64) -> c_int {
    locked!(NBD_EXT_AIO_CANCEL(h, cookie: cookie), |connection| {
        connection.aio_cancel(cookie)
    })
}
