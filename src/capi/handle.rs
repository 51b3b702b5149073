// SPDX-License-Identifier: LGPL-2.1-or-later

//! Handles: made, closed, named, and given something to keep.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use libc::{c_char, c_int, ssize_t};

use super::entry::{internal, locked, looking, panic_message};
use super::error;
use super::function::NBD_CLOSE;
use super::opaque::nbd_handle;
use super::outcome::PrivateData;
use super::trace::Text;
use crate::cancellation::NotHere;

/// Closes a handle and frees all that belongs to it.
///
/// The socket is closed at once, without a word to the server; `nbd_shutdown`
/// says goodbye first. Commands in flight fail: their completion callbacks are
/// told `ENOTCONN`, while what became of them on the server stays unknown. Every
/// closure that the handle still holds is freed. A server that runs as a
/// subprocess of the handle is killed and waited for, so this call may take as
/// long as the server takes to end.
///
/// No other thread may be in a call on the handle, nor use it afterwards.
///
/// # Parameters
///
/// - `h`: the handle. NULL is allowed, and nothing happens then.
///
/// # See also
///
/// `nbd_create`, `nbd_shutdown`, `nbd_aio_disconnect`.
#[no_mangle]
pub unsafe extern "C" fn nbd_close(h: *mut nbd_handle) {
    let name = NBD_CLOSE.name;
    if h.is_null() {
        return;
    }
    // SAFETY: no other call on the handle is under way (see above).
    let handle = match unsafe { nbd_handle::check(h) } {
        Ok(handle) => handle,
        Err(why) => return error::keep(name, &why.into()),
    };
    let _not_here = NotHere::new();
    // Unwind safety: nothing looks at the handle afterwards.
    let closed = catch_unwind(AssertUnwindSafe(|| {
        if handle.shared().debug_enabled() {
            handle.shared().debug(name, format_args!("closing handle"));
        }
        // Callbacks may look at the handle, so it has to be one until they are
        // done.
        if handle.close(&NBD_CLOSE) {
            // SAFETY: `nbd_create` made it with `Box::into_raw`, and whoever closes
            // it does not use it again.
            drop(unsafe { Box::from_raw(h) });
        }
    }));
    if let Err(panic) = closed {
        error::keep(name, &internal(panic_message(&*panic)));
    }
}

/// Makes a handle, which is not connected yet.
///
/// A handle is one connection to one server. It is connected once, with one of
/// the `nbd_connect_...` or `nbd_aio_connect_...` functions, and never again;
/// for another connection, make another handle. All functions of a handle may be
/// called from any thread.
///
/// Its name is `nbd1`, `nbd2` and so on in the order in which a process makes
/// its handles. It writes debug messages from the start if the environment
/// variable `LIBNBD_DEBUG` is `1`.
///
/// # Result
///
/// The handle, which belongs to the caller until `nbd_close`, or NULL.
///
/// # Example
///
/// ```c
/// struct nbd_handle *another = nbd_create ();
///
/// if (another == NULL) {
///   fprintf (stderr, "%s\n", nbd_get_error ());
///   return -1;
/// }
/// nbd_close (another);
/// ```
///
/// # See also
///
/// `nbd_close`, `nbd_set_handle_name`, `nbd_set_debug`.
#[no_mangle]
pub unsafe extern "C" fn nbd_create() -> *mut nbd_handle {
    let created = catch_unwind(|| Box::new(nbd_handle::new()));
    match created {
        Ok(handle) => Box::into_raw(handle),
        Err(panic) => {
            error::keep(c"nbd_create", &internal(panic_message(&*panic)));
            ptr::null_mut()
        }
    }
}

/// Sets the name of the handle, which debug messages show.
///
/// It is for people who read the messages of a program with several handles:
/// nothing checks that names differ, and no server sees them.
///
/// # Parameters
///
/// - `handle_name`: the name, which is copied.
///
/// # See also
///
/// `nbd_get_handle_name`, `nbd_set_debug`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_handle_name(
    h: *mut nbd_handle,
    handle_name: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let handle_name = unsafe { Text::new(handle_name) };
    locked!(
        NBD_SET_HANDLE_NAME(h, handle_name: handle_name),
        |connection| {
            connection.setup().debug().set_handle_name(handle_name.get())
        }
    )
}

/// Returns the name of the handle.
///
/// That is the one set with `nbd_set_handle_name`, or the one that `nbd_create`
/// gave it, such as `nbd1`.
///
/// # Result
///
/// The name, for the caller to free, or NULL.
///
/// # See also
///
/// `nbd_set_handle_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_handle_name(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_HANDLE_NAME(h), |connection| connection
        .setup()
        .debug()
        .handle_name())
}

/// Sets a value that the handle keeps for the program.
///
/// The library never looks at the value. Where it is a pointer, what it points
/// to stays the program's: closing the handle does not free it. Old and new
/// value are exchanged in one step, without waiting for other calls.
///
/// # Parameters
///
/// - `private_data`: the value, a number or a pointer made into one.
///
/// # Result
///
/// The value of before, 0 at first. With a valid handle this
/// function does not fail.
///
/// # Example
///
/// ```c
/// static const char *purpose = "backup";
/// ```
///
/// ```c
/// nbd_set_private_data (nbd, (uintptr_t) &purpose);
/// ```
///
/// # See also
///
/// `nbd_get_private_data`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_private_data(h: *mut nbd_handle, private_data: usize) -> usize {
    looking!(NBD_SET_PRIVATE_DATA(h, private_data: private_data), |shared| {
        PrivateData(shared.swap_private_data(private_data))
    })
}

/// Returns the value that the handle keeps for the program.
///
/// A callback that is given no more than a handle can find its way back to what
/// it belongs to with this. The library never looks at the value.
///
/// # Result
///
/// What `nbd_set_private_data` set last, or 0. With a valid handle this
/// function does not fail, and it never waits.
///
/// # See also
///
/// `nbd_set_private_data`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_private_data(h: *mut nbd_handle) -> usize {
    looking!(NBD_GET_PRIVATE_DATA(h), |shared| PrivateData(
        shared.private_data()
    ))
}

/// Returns about how much memory the handle uses.
///
/// It is an estimate, for garbage collectors that weigh what they free. It
/// counts what the library has allocated for the handle, not the buffers of the
/// program that commands in flight point to.
///
/// # Result
///
/// A number of bytes, or -1.
///
/// # See also
///
/// `nbd_create`, `nbd_aio_in_flight`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_handle_size(h: *mut nbd_handle) -> ssize_t {
    locked!(NBD_GET_HANDLE_SIZE(h), |connection| Ok(connection
        .setup()
        .handle_size()))
}
