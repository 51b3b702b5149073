// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debug messages.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use crate::handle::callback::nbd_debug_callback;

/// Turns debug messages of the handle on or off.
///
/// Use it to find out why a connection fails. The messages show each call with its
/// arguments and result, and the negotiation with the server. They go to standard
/// error, one per line, or to the callback of `nbd_set_debug_callback`. The text is
/// human-readable and can change in any release.
///
/// The messages contain names, addresses and the beginning of the data of every
/// write: treat logs as confidential. While messages are off, they have no cost.
///
/// # Parameters
///
/// - `debug`: true to write messages. The default is false, or true if the
///   environment variable `LIBNBD_DEBUG` was `1` when the handle was created.
///
/// # See also
///
/// `nbd_get_debug`, `nbd_set_debug_callback`, `nbd_set_handle_name`; libnbd(3),
/// "DEBUGGING".
#[no_mangle]
pub unsafe extern "C" fn nbd_set_debug(h: *mut nbd_handle, debug: c_bool) -> c_int {
    let debug = debug.get();
    locked!(NBD_SET_DEBUG(h, debug: debug), |c| {
        c.setup().debug().enable(debug);
        Ok(())
    })
}

/// Checks whether debug messages of the handle are on.
///
/// Returns the setting of `nbd_set_debug`, or the default from the environment
/// variable `LIBNBD_DEBUG`.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_debug`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_debug(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_DEBUG(h), |connection| Ok(connection
        .setup()
        .debug()
        .enabled()))
}

/// Sets a callback for debug messages.
///
/// Use it to write the messages to a log file. While debug messages are on
/// (`nbd_set_debug`), they are passed to the callback and not written to standard
/// error.
///
/// The callback can be called from any thread that uses the handle, and from several
/// threads at the same time. The callback must not call functions on this handle, with
/// a few exceptions: see libnbd(3), "Inside a callback".
///
/// A previous callback is freed when it has returned in all threads. The new one is
/// freed when it is replaced, by `nbd_clear_debug_callback`, or when the handle is
/// closed.
///
/// # Parameters
///
/// - `debug_callback`: the callback. If its `callback` member is NULL, messages are
///   discarded.
///
/// The arguments of the callback are:
///
/// - `user_data`: the pointer from the callback struct.
/// - `context`: name of the library function that the message is about.
/// - `msg`: the message, without a newline. Both strings are valid only during the
///   call.
///
/// The return value of the callback is ignored.
///
/// # Example
///
/// ```c
/// static int
/// log_message (void *user_data, const char *context, const char *msg)
/// {
///   fprintf (user_data, "[%s] %s\n", context, msg);
///   return 0;
/// }
/// ```
///
/// ```c
/// nbd_debug_callback callback = {
///   .callback = log_message, .user_data = stdout
/// };
///
/// if (nbd_set_debug_callback (nbd, callback) == -1 ||
///     nbd_set_debug (nbd, true) == -1)
///   return -1;
/// ```
///
/// # See also
///
/// `nbd_clear_debug_callback`, `nbd_set_debug`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_set_debug_callback(
    h: *mut nbd_handle,
    debug_callback: nbd_debug_callback,
) -> c_int {
    locked!(
        NBD_SET_DEBUG_CALLBACK(h, debug: &debug_callback),
        |connection| {
            connection.setup().debug().set_callback(Some(debug_callback));
            Ok(())
        }
    )
}

/// Removes the callback for debug messages.
///
/// Messages go to standard error again. The callback is freed. If there is none, the
/// function does nothing and succeeds.
///
/// # See also
///
/// `nbd_set_debug_callback`.
#[no_mangle]
pub unsafe extern "C" fn nbd_clear_debug_callback(h: *mut nbd_handle) -> c_int {
    locked!(NBD_CLEAR_DEBUG_CALLBACK(h), |connection| {
        connection.setup().debug().set_callback(None);
        Ok(())
    })
}
