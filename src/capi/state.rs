// SPDX-License-Identifier: LGPL-2.1-or-later

//! The state: where in its life a connection is. None of these calls ever
//! waits, so one thread can watch while another one is busy.

use std::ffi::CStr;

use libc::{c_char, c_int};

use super::entry::looking;
use super::opaque::nbd_handle;
use crate::machine::State;

/// Returns whether the handle has not begun to connect.
///
/// Every handle begins so. Some settings can only be changed in this state.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_create`, `nbd_aio_connect`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_created(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_CREATED(h), |shared| shared.state()
        == State::Created)
}

/// Returns whether the handle is connecting.
///
/// It is from the first `nbd_connect_...` or `nbd_aio_connect_...` call until the
/// handshake is over, and in option mode again while an option awaits its answer.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_aio_is_negotiating`, `nbd_aio_is_ready`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_connecting(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_CONNECTING(h), |shared| shared.state()
        == State::Connecting)
}

/// Returns whether the handle can negotiate an option.
///
/// It can in option mode, when the server waits for the next option. Sending one
/// makes the handle connecting again, until the answer is there.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_opt_mode`, `nbd_aio_is_connecting`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_negotiating(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_NEGOTIATING(h), |shared| shared.state()
        == State::Negotiating)
}

/// Returns whether the handle is ready for commands, and idle.
///
/// Commands may be in flight: idle means that nothing is half sent or half
/// received. Commands can be issued in the processing state as well.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_aio_is_processing`, `nbd_aio_in_flight`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_ready(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_READY(h), |shared| shared.state() == State::Ready)
}

/// Returns whether the handle is sending a request or receiving a reply.
///
/// Commands can be issued all the same: they are sent in their turn.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_aio_is_ready`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_processing(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_PROCESSING(h), |shared| shared.state()
        == State::Processing)
}

/// Returns whether the connection has failed.
///
/// What has failed is in the error of the call that noticed. All that is left to
/// do is to retire commands and to close the handle.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_aio_is_closed`, `nbd_close`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_dead(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_DEAD(h), |shared| shared.state() == State::Dead)
}

/// Returns whether the connection has ended in good order.
///
/// A handle does not connect again: all that is left to do is to retire commands
/// and to close it.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_shutdown`, `nbd_aio_disconnect`, `nbd_close`, `nbd_connection_state`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_is_closed(h: *mut nbd_handle) -> c_int {
    looking!(NBD_AIO_IS_CLOSED(h), |shared| shared.state()
        == State::Closed)
}

/// Returns the state of the connection in words.
///
/// The text is for people: a short name, a colon, and a description, which may
/// differ in every version. Programs ask `nbd_aio_is_ready` and its siblings.
///
/// # Result
///
/// The text, which belongs to the library and stays.
///
/// # See also
///
/// `nbd_aio_is_ready`, `nbd_aio_is_dead`.
#[no_mangle]
pub unsafe extern "C" fn nbd_connection_state(h: *mut nbd_handle) -> *const c_char {
    looking!(NBD_CONNECTION_STATE(h), |shared| -> &'static CStr {
        shared.description()
    })
}
