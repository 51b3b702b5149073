// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode.
//!
//! In option mode the program, not the library, decides what is negotiated. The
//! `nbd_aio_opt_...` functions send an option and return. Until the server has
//! answered, the handle is connecting (`nbd_aio_is_connecting`) and no other option
//! can be sent. With the answer it becomes negotiating again, ready, closed or dead,
//! and the completion callback is called. The synchronous functions wait for the
//! answer.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use crate::handle::callback::nbd_completion_callback;

/// Sets whether connecting stops for negotiation.
///
/// Turn option mode on to list the exports of a server or to query an export before
/// opening it. Connecting then stops in the negotiating state
/// (`nbd_aio_is_negotiating`), in which the program calls `nbd_opt_...` functions.
/// `nbd_opt_go` opens the export; `nbd_opt_abort` ends the connection without
/// opening one.
///
/// Before it stops, the library still requests TLS, extended headers and structured
/// replies according to the settings of the handle. To request them yourself, with
/// `nbd_opt_starttls` and similar functions, turn these settings off.
///
/// Servers that use the oldstyle protocol have no options: after connecting to one,
/// the handle is ready, not negotiating. Check the state after connecting
/// (`nbd_aio_is_negotiating`).
///
/// # Parameters
///
/// - `enable`: true for option mode; false is the default.
///
/// # Standards
///
/// NBD protocol, "Fixed newstyle negotiation".
///
/// # See also
///
/// `nbd_get_opt_mode`, `nbd_aio_is_negotiating`, `nbd_opt_go`; libnbd(3), "OPTION
/// MODE".
#[no_mangle]
pub unsafe extern "C" fn nbd_set_opt_mode(h: *mut nbd_handle, enable: c_bool) -> c_int {
    let enable = enable.get();
    locked!(NBD_SET_OPT_MODE(h, enable: enable), |c| {
        c.setup().requests().opt_mode = enable;
        Ok(())
    })
}

/// Checks whether connecting stops for negotiation.
///
/// Returns the setting of `nbd_set_opt_mode`. Use `nbd_aio_is_negotiating` to find
/// out whether the handle is negotiating now.
///
/// # Result
///
/// 1 for yes, 0 for no. This function does not fail if `h` is a valid handle.
///
/// # See also
///
/// `nbd_set_opt_mode`, `nbd_aio_is_negotiating`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_opt_mode(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_OPT_MODE(h), |connection| Ok(connection
        .setup()
        .requests()
        .opt_mode))
}

/// Ends option mode and opens the export.
///
/// Call it after `nbd_set_export_name`. The call returns when the handle is ready;
/// `nbd_aio_opt_go` does not wait. The meta contexts from `nbd_add_meta_context` are
/// requested as well, unless `nbd_set_request_meta_context` turns that off.
///
/// If the server refuses, the handle usually stays in the negotiating state, and
/// the program can try another export. Some old servers close the connection
/// instead.
///
/// # Errors
///
/// - `ENOENT`: the server has no export of this name.
/// - `ENOTSUP`, `EINVAL` or no errno: the server refuses for another reason; see
///   the error message.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_GO; NBD_OPT_EXPORT_NAME for servers that do not support it.
///
/// # See also
///
/// `nbd_aio_opt_go`, `nbd_set_opt_mode`, `nbd_opt_info`, `nbd_opt_abort`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_go(h: *mut nbd_handle) -> c_int {
    waiting!(NBD_OPT_GO(h), async |connection| connection
        .until_option_done(|mut options, done| options.go(done))
        .await
        .map(drop))
}

/// Starts opening the export in option mode.
///
/// This is the asynchronous form of `nbd_opt_go`. The call does not wait for the
/// answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. Then `nbd_aio_is_ready` returns 1 if the
/// export is open, and `nbd_aio_is_negotiating` returns 1 if the server refused.
///
/// # Parameters
///
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_GO.
///
/// # See also
///
/// `nbd_opt_go`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_go(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_GO(h, completion: &completion_callback),
        |connection| connection.options().go(completion_callback)
    )
}

/// Requests information about the export without opening it.
///
/// Use it in option mode, after `nbd_set_export_name`. When it succeeds,
/// `nbd_get_size`, `nbd_is_read_only` and similar functions describe the export.
/// `nbd_can_meta_context` does too, unless `nbd_set_request_meta_context` turns
/// that off. The handle stays in the negotiating state. Call `nbd_opt_go` to open
/// the export, which the server can still refuse.
///
/// # Errors
///
/// - `ENOENT`: the server has no export of this name.
/// - `ENOTSUP`: the server does not support this option. The export may exist
///   nevertheless.
/// - `EINVAL` or no errno: the server refuses for another reason; see the error
///   message.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_INFO.
///
/// # Example
///
/// Print the size of an export in option mode:
///
/// ```c
/// if (nbd_set_export_name (nbd, "disk") == -1 ||
///     nbd_opt_info (nbd) == -1)
///   return -1;
/// printf ("%" PRIi64 "\n", nbd_get_size (nbd));
/// ```
///
/// # See also
///
/// `nbd_aio_opt_info`, `nbd_set_full_info`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_info(h: *mut nbd_handle) -> c_int {
    waiting!(NBD_OPT_INFO(h), async |connection| connection
        .until_option_done(|mut options, done| options.info(done))
        .await
        .map(drop))
}

/// Starts a request for information about the export.
///
/// This is the asynchronous form of `nbd_opt_info`. The call does not wait for the
/// answer. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. If the request succeeded, `nbd_get_size`,
/// `nbd_is_read_only` and similar functions then describe the export.
///
/// # Parameters
///
/// - `completion_callback`: called once when the server has answered, with an errno
///   in `error`, or 0 on success. Its return value is ignored. Pass
///   `NBD_NULL_COMPLETION` for no callback.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_INFO.
///
/// # See also
///
/// `nbd_opt_info`, `nbd_aio_is_connecting`; libnbd(3), "CALLBACKS".
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_info(
    h: *mut nbd_handle,
    completion_callback: nbd_completion_callback,
) -> c_int {
    locked!(
        NBD_AIO_OPT_INFO(h, completion: &completion_callback),
        |connection| connection.options().info(completion_callback)
    )
}

/// Ends the negotiation and closes the connection.
///
/// Use it in option mode if you do not want to open an export, for example after
/// `nbd_opt_list`. The call notifies the server and returns when the connection is
/// closed.
///
/// If the server does not use the fixed newstyle handshake, nothing is sent, and the
/// handle becomes dead instead of closed.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_ABORT.
///
/// # See also
///
/// `nbd_aio_opt_abort`, `nbd_shutdown`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_opt_abort(h: *mut nbd_handle) -> c_int {
    waiting!(NBD_OPT_ABORT(h), async |connection| connection
        .abort_and_wait()
        .await)
}

/// Starts ending the negotiation and the connection.
///
/// This is the asynchronous form of `nbd_opt_abort`. The call does not wait:
/// `nbd_aio_is_closed` returns 1 when the connection is closed.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_ABORT.
///
/// # See also
///
/// `nbd_opt_abort`, `nbd_aio_disconnect`, `nbd_aio_is_closed`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_opt_abort(h: *mut nbd_handle) -> c_int {
    locked!(NBD_AIO_OPT_ABORT(h), |connection| connection
        .options()
        .abort())
}
