// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode: the program, not the library, decides what is negotiated.
//!
//! The functions with `aio` in their names send an option and return. While the answer
//! is awaited, the handle is connecting (`nbd_aio_is_connecting`), and no other option
//! can be sent. With the answer it is negotiating again, or ready, closed or dead, and
//! the completion callback is called. The others wait for the answer.

use libc::c_int;

use super::boolean::c_bool;
use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use crate::handle::callback::nbd_completion_callback;

/// Sets whether connecting stops to let the program negotiate options.
///
/// Usually connecting goes all the way to a connection that reads and writes. In
/// option mode it stops in the negotiating state (`nbd_aio_is_negotiating`), and
/// the program calls the `nbd_opt_...` functions: to list the exports, say, and
/// to choose one. `nbd_opt_go` ends option mode with a connection that is ready,
/// `nbd_opt_abort` without one.
///
/// Before it stops, the connection still asks for TLS, extended headers and
/// structured replies as far as the settings say so. Turn those settings off to
/// do that with `nbd_opt_starttls` and its siblings.
///
/// A server that speaks the oldstyle protocol has no options: connecting to it
/// does not stop. Look at the state to know.
///
/// # Parameters
///
/// - `enable`: whether to stop; false at first.
///
/// # Standards
///
/// NBD protocol, "Fixed newstyle negotiation".
///
/// # See also
///
/// `nbd_get_opt_mode`, `nbd_aio_is_negotiating`, `nbd_opt_go`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_opt_mode(h: *mut nbd_handle, enable: c_bool) -> c_int {
    let enable = enable.get();
    locked!(NBD_SET_OPT_MODE(h, enable: enable), |c| {
        c.setup().requests().opt_mode = enable;
        Ok(())
    })
}

/// Returns whether connecting stops to let the program negotiate options.
///
/// That is the setting. Whether the handle is in option mode now is told by
/// `nbd_aio_is_negotiating`.
///
/// # Result
///
/// 1 for yes or 0 for no. With a valid handle this function does not fail.
///
/// # See also
///
/// `nbd_set_opt_mode`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_opt_mode(h: *mut nbd_handle) -> c_int {
    locked!(NBD_GET_OPT_MODE(h), |connection| Ok(connection
        .setup()
        .requests()
        .opt_mode))
}

/// Ends option mode: opens the export and waits until it is ready.
///
/// The export is the one of `nbd_set_export_name`. The meta contexts listed with
/// `nbd_add_meta_context` are asked for on the way, unless
/// `nbd_set_request_meta_context` says not to.
///
/// When the server refuses, the handle is mostly still negotiating, and another
/// export can be tried; some old servers end the connection instead.
///
/// # Errors
///
/// - `ENOENT`: the server has no such export.
/// - `ENOTSUP`, `EINVAL`, or none: the server has another reason to refuse, which
///   is in the text of the error.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_GO; NBD_OPT_EXPORT_NAME for servers that do not know it.
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

/// Begins to end option mode and to open the export.
///
/// The request is as in `nbd_opt_go`. This call does not wait for the answer:
/// `nbd_aio_is_connecting` is true until it is there, `nbd_aio_is_ready` when the
/// export is open, and `nbd_aio_is_negotiating` when the server refused.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
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

/// Asks the server about the export without opening it, and waits.
///
/// The export is the one of `nbd_set_export_name`. Afterwards `nbd_get_size`,
/// `nbd_is_read_only` and the other functions that tell of an export do so; and
/// so does `nbd_can_meta_context`, unless `nbd_set_request_meta_context` was set
/// to false. The handle is still negotiating: `nbd_opt_go` opens the export,
/// which the server may still refuse.
///
/// # Errors
///
/// - `ENOENT`: the server has no such export.
/// - `ENOTSUP`: the server does not know this option, though it may have the
///   export.
/// - `EINVAL`, or none: the server has another reason to refuse, which is in the
///   text of the error.
///
/// # Standards
///
/// NBD protocol, NBD_OPT_INFO.
///
/// # Example
///
/// The size of an export that is not opened, in option mode:
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

/// Asks the server about the export, without opening it and without waiting.
///
/// The request is as in `nbd_opt_info`. `nbd_aio_is_connecting` is true until the
/// answer is there; then the functions that tell of an export do so, if there is
/// one.
///
/// # Parameters
///
/// - `completion_callback`: called once with the answer, its errno in `error`, or
///   0; retired whatever it returns. May be NULL.
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

/// Ends option mode and the connection, and waits until it is closed.
///
/// The server is told that no export is wanted. This is how a program leaves
/// that only wanted to see the list of exports, for instance.
///
/// Nothing is sent to a server that does not use the fixed newstyle handshake, and the
/// handle is dead instead of closed.
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

/// Begins to end option mode and the connection.
///
/// This call does not wait: `nbd_aio_is_closed` is true when it is done.
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
