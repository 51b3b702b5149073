// SPDX-License-Identifier: LGPL-2.1-or-later

//! Time limits of calls that wait, and their cancellation.

use libc::c_int;

use crate::cancellation::CancellationDisabled;
use crate::capi::boolean::c_bool;
use crate::capi::entry::{trying, unlocked};
use crate::capi::opaque::nbd_handle;
use crate::capi::{entry, function};

/// Limits the time of synchronous calls.
///
/// Without a limit, a synchronous call waits until the server answers or the
/// connection ends, which may be never. With a limit, a call that has not finished
/// in time fails with `ETIMEDOUT`. This applies to the functions that connect, to
/// those that negotiate an option, such as `nbd_opt_go`, to synchronous commands
/// such as `nbd_pread`, and to `nbd_shutdown`. It does not apply to asynchronous
/// commands (see `nbd_ext_aio_cancel`) or to `nbd_poll`, which has its own timeout.
///
/// The limit can be set at any time, and applies to calls that begin afterwards. The
/// time includes the wait for other threads that use the handle.
///
/// After `ETIMEDOUT`, the handle can be used again if the protocol allows it:
///
/// - After a command, the connection continues. The buffer and the callbacks of the
///   command are no longer used, and you may free the buffer. The server may still
///   execute the command: a write may take effect later, even after a later write to
///   the same bytes. The reply is ignored when it arrives; until then, the command
///   uses some memory. If a part of a write's data has been sent, the library copies
///   the data to send the rest; without memory for the copy, the connection ends. It
///   also ends if another thread, in a call without a limit, is receiving data of
///   the command.
/// - After an option, its reply is still expected. Call `nbd_poll` until
///   `nbd_aio_is_connecting` returns 0 before the next option.
/// - After connecting, the handle is as it was before if no socket was connected yet
///   and no server was started, so you may connect again. Otherwise, the handle is
///   dead.
/// - After `nbd_shutdown` and `nbd_opt_abort`, the handle is dead, unless the call was
///   still waiting for synchronous commands of other threads.
///
/// The time that the system takes to resolve a host name is not limited.
///
/// A synchronous command with a limit needs one more system call, because the
/// library waits with poll(2) before it receives.
///
/// # Parameters
///
/// - `milliseconds`: the limit in milliseconds, or 0 for none, which is the default.
///
/// # Errors
///
/// - `EINVAL`: `milliseconds` is negative.
///
/// # Example
///
/// Read a sector, but wait at most five seconds:
///
/// ```c
/// char sector[512];
///
/// if (nbd_ext_set_timeout (nbd, 5000) == -1)
///   return -1;
/// if (nbd_pread (nbd, sector, sizeof sector, 0, 0) == -1) {
///   if (nbd_get_errno () == ETIMEDOUT)
///     fprintf (stderr, "the server does not answer\n");
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_get_timeout`, `nbd_ext_cancel`, `nbd_ext_aio_cancel`,
/// `nbd_ext_set_user_timeout`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_set_timeout(h: *mut nbd_handle, milliseconds: c_int) -> c_int {
    trying!(NBD_EXT_SET_TIMEOUT(h, milliseconds: milliseconds), |shared| {
        shared.interruptions().set_timeout(milliseconds)
    })
}

/// Returns the time limit of synchronous calls.
///
/// Returns the setting of `nbd_ext_set_timeout`.
///
/// # Result
///
/// The limit in milliseconds, or 0 for none.
///
/// # See also
///
/// `nbd_ext_set_timeout`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_timeout(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_EXT_GET_TIMEOUT(h), |shared| shared
        .interruptions()
        .timeout())
}

/// Allows calls that wait to be cancelled.
///
/// Calls on this handle that begin afterwards can be ended by `nbd_ext_cancel`. It
/// is off by default, because it needs a file descriptor, and one more system call
/// for each synchronous command.
///
/// # Parameters
///
/// - `cancellable`: true to allow it, false to forbid it.
///
/// # Errors
///
/// - `EMFILE`, `ENFILE`, `ENOMEM`: there is no file descriptor or memory left.
///
/// # See also
///
/// `nbd_ext_cancel`, `nbd_ext_get_cancellable`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_set_cancellable(h: *mut nbd_handle, cancellable: c_bool) -> c_int {
    let cancellable = cancellable.get();
    trying!(NBD_EXT_SET_CANCELLABLE(h, cancellable: cancellable), |shared| {
        shared.interruptions().set_cancellable(cancellable)
    })
}

/// Checks whether calls that wait can be cancelled.
///
/// Returns the setting of `nbd_ext_set_cancellable`.
///
/// # Result
///
/// 1 if they can be cancelled, 0 if not.
///
/// # See also
///
/// `nbd_ext_set_cancellable`, `nbd_ext_cancel`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_get_cancellable(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_EXT_GET_CANCELLABLE(h), |shared| shared
        .interruptions()
        .is_cancellable())
}

/// Cancels the calls that wait on a handle.
///
/// Every call that waits on this handle at this moment fails with `ECANCELED`: those
/// to which the limit of `nbd_ext_set_timeout` applies, `nbd_poll` and `nbd_poll2`.
/// The handle and the command of such a call are then as after a timeout, which that
/// page describes. A call that has already got its reply may succeed instead. Calls
/// that begin later are not affected.
///
/// Asynchronous commands stay in flight; see `nbd_ext_aio_cancel`.
///
/// Before, allow this with `nbd_ext_set_cancellable`; calls that began before that
/// are not cancelled.
///
/// Call it from another thread or from a signal handler: it is async-signal-safe,
/// never waits, and does not change `errno` if it succeeds. The handle must not be
/// closed at the same time, so block the signal around `nbd_close`.
///
/// # Result
///
/// 0, or -1 if the calls cannot be cancelled. Because it may be called in a signal
/// handler, it then sets `errno` to `EINVAL`, but not the message of
/// `nbd_get_error`.
///
/// # Example
///
/// Stop waiting for a server when the user presses ^C:
///
/// ```c
/// static struct nbd_handle *waiting;
///
/// static void
/// interrupted (int signal)
/// {
///   nbd_ext_cancel (waiting);
/// }
///
/// static int
/// read_sector (struct nbd_handle *nbd, char *sector)
/// {
///   struct sigaction action = { .sa_handler = interrupted };
///
///   if (nbd_ext_set_cancellable (nbd, true) == -1)
///     return -1;
///   waiting = nbd;
///   sigaction (SIGINT, &action, NULL);
///   return nbd_pread (nbd, sector, 512, 0, 0);
/// }
/// ```
///
/// # See also
///
/// `nbd_ext_set_cancellable`, `nbd_ext_set_timeout`, `nbd_ext_aio_cancel`.
#[no_mangle]
pub unsafe extern "C" fn nbd_ext_cancel(h: *mut nbd_handle) -> c_int {
    // write(2) is a cancellation point. This is allowed in signal handlers (POSIX.1-2024).
    let _disabled = CancellationDisabled::new();
    // SAFETY: the program passes NULL or a handle, which it does not close meanwhile.
    match unsafe { nbd_handle::check(h) } {
        Ok(handle) => match handle.shared().interruptions().cancel() {
            true => 0,
            false => {
                // SAFETY: the address of this thread's errno.
                unsafe { *libc::__errno_location() = libc::EINVAL };
                -1
            }
        },
        Err(why) => entry::refused::<()>(&function::NBD_EXT_CANCEL, why),
    }
}
