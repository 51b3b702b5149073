// SPDX-License-Identifier: LGPL-2.1-or-later

//! Handle state.
//!
//! None of these functions waits, so one thread can check the state while another
//! one waits for the server.

use std::ffi::CStr;

use libc::{c_char, c_int};

use super::entry::unlocked;
use super::opaque::nbd_handle;
use crate::machine::State;

/// Checks whether the handle is in its initial state.
///
/// A new handle stays in this state until it starts connecting. Some settings can be
/// changed only in this state. The call never waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_create`, `nbd_aio_connect`, `nbd_connection_state`; libnbd(3), "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_created(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_CREATED(h), |shared| shared.state()
        == State::Created)
}

/// Checks whether the handle is connecting or negotiating an option.
///
/// Use it as the condition of a main loop after `nbd_aio_connect_...` and
/// `nbd_aio_opt_...` calls. The result is 1 from the start of connecting to the end
/// of the handshake, and in option mode while an option is outstanding. The call
/// never waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_aio_is_negotiating`, `nbd_aio_is_ready`, `nbd_connection_state`; libnbd(3),
/// "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_connecting(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_CONNECTING(h), |shared| shared.state()
        == State::Connecting)
}

/// Checks whether the handle can send an option.
///
/// Use it in option mode (`nbd_set_opt_mode`) after connecting and after each
/// option. While an option is outstanding, the handle is connecting instead. The
/// call never waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_opt_mode`, `nbd_aio_is_connecting`, `nbd_connection_state`; libnbd(3),
/// "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_negotiating(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_NEGOTIATING(h), |shared| shared.state()
        == State::Negotiating)
}

/// Checks whether the handle is connected and has no unsent requests.
///
/// Use it after connecting. The result is 1 if commands can be issued and all
/// issued ones have been sent. Commands may be in flight, and a reply may be partly
/// received. While a request is not fully sent, the handle is processing instead
/// (`nbd_aio_is_processing`); commands can be issued in that state too. The call
/// never waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_aio_is_processing`, `nbd_aio_in_flight`, `nbd_connection_state`; libnbd(3),
/// "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_ready(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_READY(h), |shared| shared.state() == State::Ready)
}

/// Checks whether the handle is connected and has unsent requests.
///
/// A connected handle is either ready (`nbd_aio_is_ready`) or processing. It is
/// processing while the socket does not accept all pending requests. Commands can
/// be issued in both states; in this one, they are sent after the pending requests.
/// The call never waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_aio_is_ready`, `nbd_connection_state`; libnbd(3), "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_processing(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_PROCESSING(h), |shared| shared.state()
        == State::Processing)
}

/// Checks whether the connection has failed.
///
/// Use it in main loops, to stop after an error. The reason is the error of the
/// call that failed (`nbd_get_error`). A dead handle cannot be connected again:
/// retire the commands (`nbd_aio_command_completed`) and close it. The call never
/// waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_aio_is_closed`, `nbd_close`, `nbd_connection_state`; libnbd(3), "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_dead(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_DEAD(h), |shared| shared.state() == State::Dead)
}

/// Checks whether the connection was closed normally.
///
/// Use it after `nbd_aio_disconnect` and `nbd_aio_opt_abort`. A closed handle cannot
/// be connected again: retire the commands (`nbd_aio_command_completed`) and close
/// it. The call never waits.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_shutdown`, `nbd_aio_disconnect`, `nbd_close`, `nbd_connection_state`;
/// libnbd(3), "HANDLES".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_closed(h: *mut nbd_handle) -> c_int {
    unlocked!(NBD_AIO_IS_CLOSED(h), |shared| shared.state()
        == State::Closed)
}

/// Returns a description of the connection state.
///
/// Use it in human-readable messages. The text consists of a short name, a colon
/// and a description, and can change in any version. To test for a state, call
/// `nbd_aio_is_ready` and similar functions. The call never waits.
///
/// # Result
///
/// The text, which stays valid. Do not free it.
///
/// # See also
///
/// `nbd_aio_is_ready`, `nbd_aio_is_dead`.
#[no_mangle]
pub unsafe extern "C" fn nbd_connection_state(h: *mut nbd_handle) -> *const c_char {
    unlocked!(NBD_CONNECTION_STATE(h), |shared| -> &'static CStr {
        shared.description()
    })
}
