// SPDX-License-Identifier: LGPL-2.1-or-later

//! Handles.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::ptr;

use libc::{c_char, c_int, ssize_t};

use super::entry::{internal, locked, panic_message, unlocked};
use super::error;
use super::function::NBD_CLOSE;
use super::opaque::nbd_handle;
use super::outcome::PrivateData;
use super::trace::Text;
use crate::cancellation::CancellationDisabled;

/// Closes a handle and frees its resources.
///
/// Call it once for each handle from `nbd_create`, when no other thread uses the
/// handle. The handle must not be used afterwards.
///
/// The socket is closed without notifying the server; call `nbd_shutdown` first for
/// an orderly end. Commands in flight fail: their completion callbacks are called
/// with `ENOTCONN`, and it is unknown whether the server has carried them out. All
/// callbacks of the handle are freed.
///
/// If the handle started a server as a subprocess, the call waits until that
/// process has ended. A server started with `nbd_connect_command` must end by
/// itself when its connection is closed; one started with
/// `nbd_connect_systemd_socket_activation`, or ssh(1) started for a URI, receives
/// `SIGTERM`.
///
/// # Parameters
///
/// - `h`: the handle. If it is NULL, the function does nothing.
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
        Err(why) => return error::store(name, &why.into()),
    };
    let _disabled = CancellationDisabled::new();
    // Unwind safety: nothing uses the handle afterwards.
    let closed = catch_unwind(AssertUnwindSafe(|| {
        if handle.shared().debug_enabled() {
            handle.shared().debug(name, format_args!("closing handle"));
        }
        // Callbacks may query the handle, so it stays valid until they have returned.
        if handle.close(&NBD_CLOSE) {
            // SAFETY: `nbd_create` made it with `Box::into_raw`, and programs do
            // not use a handle after they have closed it.
            drop(unsafe { Box::from_raw(h) });
        }
    }));
    if let Err(panic) = closed {
        error::store(name, &internal(panic_message(&*panic)));
    }
}

/// Creates a handle.
///
/// A handle is one connection to one server: configure it with the `nbd_set_...`
/// functions, then connect it with one of the `nbd_connect_...` or
/// `nbd_aio_connect_...` functions. It cannot be connected again after the
/// connection has ended; create another handle for another connection.
///
/// Any thread can use any handle (libnbd(3), "THREADS").
///
/// The handle has a name for debug messages, which is `nbd1`, `nbd2` and so on in
/// the order of creation. Debug messages are on from the start if the environment
/// variable `LIBNBD_DEBUG` is `1`.
///
/// # Result
///
/// The handle, or NULL on error.
///
/// # Errors
///
/// - An internal error of the library. The C library can fail for other reasons, so
///   always check for NULL.
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
/// `nbd_close`, `nbd_connect_uri`, `nbd_set_handle_name`, `nbd_set_debug`.
#[no_mangle]
pub unsafe extern "C" fn nbd_create() -> *mut nbd_handle {
    let created = catch_unwind(|| Box::new(nbd_handle::new()));
    match created {
        Ok(handle) => Box::into_raw(handle),
        Err(panic) => {
            error::store(c"nbd_create", &internal(panic_message(&*panic)));
            ptr::null_mut()
        }
    }
}

/// Sets the name of the handle in debug messages.
///
/// Use it in programs with several handles to distinguish their messages. Names need
/// not be unique, and are not sent to the server.
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
    // SAFETY: NULL, or a string that outlives the call.
    let handle_name = unsafe { Text::new(handle_name) };
    locked!(
        NBD_SET_HANDLE_NAME(h, handle_name: handle_name),
        |connection| {
            connection.setup().debug().set_handle_name(handle_name.get())
        }
    )
}

/// Returns the name of the handle in debug messages.
///
/// This is the name set with `nbd_set_handle_name`, or the default name from
/// `nbd_create`, such as `nbd1`.
///
/// # Result
///
/// The name, or NULL on error.
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

/// Stores a value of the program in the handle.
///
/// Use it with `nbd_get_private_data` to find the program's own data in code that
/// knows only the handle. The library does not use the value. If it is a pointer,
/// the library does not free what it points to.
///
/// The old and the new value are exchanged atomically. The call never waits for a
/// call in another thread.
///
/// # Parameters
///
/// - `private_data`: the value: a number, or a pointer converted to one.
///
/// # Result
///
/// The previous value; initially 0. This function does not fail if `h` is a valid
/// handle.
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
    unlocked!(NBD_SET_PRIVATE_DATA(h, private_data: private_data), |shared| {
        PrivateData(shared.swap_private_data(private_data))
    })
}

/// Returns the value that the program stored in the handle.
///
/// Use it in code that knows only the handle, to find the data that belongs to it.
/// The call never waits for a call in another thread.
///
/// # Result
///
/// The value from `nbd_set_private_data`; initially 0. This function does not fail
/// if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_private_data`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_private_data(h: *mut nbd_handle) -> usize {
    unlocked!(NBD_GET_PRIVATE_DATA(h), |shared| PrivateData(
        shared.private_data()
    ))
}

/// Estimates the memory used by the handle.
///
/// Use it in language bindings whose garbage collector takes the size of objects
/// into account. The estimate covers what the library has allocated for the handle.
/// It does not cover the program's buffers of commands in flight.
///
/// # Result
///
/// A number of bytes, or -1 on error.
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
