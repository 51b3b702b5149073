// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debug messages: whether there are any, and where they go.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::locked;
use super::opaque::nbd_handle;
use crate::handle::callback::nbd_debug_callback;

/// Turns the debug messages of the handle on or off.
///
/// The messages tell which functions are called, with which arguments and
/// results, and what the library and the server agree on. They are for people:
/// their text may change with any release. Written data is in them, names and
/// addresses too, so keep them where such things may be kept.
///
/// They are off at first, unless the environment variable `LIBNBD_DEBUG` was `1`
/// when the handle was made. They go to standard error, one line a message,
/// until `nbd_set_debug_callback` says otherwise. While they are off they cost
/// nothing.
///
/// # Parameters
///
/// - `debug`: whether to write messages.
///
/// # See also
///
/// `nbd_get_debug`, `nbd_set_debug_callback`, `nbd_set_handle_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_debug(h: *mut nbd_handle, debug: c_bool) -> c_int {
    let debug = debug.get();
    locked!(NBD_SET_DEBUG(h, debug: debug), |c| {
        c.setup().debug().enable(debug);
        Ok(())
    })
}

/// Returns whether the handle writes debug messages.
///
/// That is what `nbd_set_debug` set last or, before that, what the environment
/// variable `LIBNBD_DEBUG` asked for when the handle was made.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
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

/// Sets the function that is given the debug messages of the handle.
///
/// It is called while debug messages are on (`nbd_set_debug`), in whichever
/// thread a message arises, in several at the same time, too. Mostly the handle
/// is locked: do not call functions of libnbd on the same handle.
///
/// The previous callback is freed, after it has returned if a thread is calling
/// it. The new one is freed when another one takes its place, with
/// `nbd_clear_debug_callback`, or with the handle.
///
/// # Parameters
///
/// - `debug_callback`: called with its `user_data`, the name of the function of
///   libnbd that the message comes from, and the message, without a newline at
///   its end. Both strings are the library's, and end with the call. What it
///   returns is ignored. With a NULL function the messages are lost.
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

/// Removes the function that is given the debug messages.
///
/// Its data is freed. Messages go to standard error again. Without such a function there is nothing
/// to do, and that is no error.
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
