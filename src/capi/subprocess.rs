// SPDX-License-Identifier: LGPL-2.1-or-later

//! Subprocesses: the server that a handle runs. `nbd_connect_command` and
//! `nbd_connect_systemd_socket_activation` start one.

use libc::c_int;

use super::entry::locked;
use super::opaque::nbd_handle;

/// Sends a signal to the server that the handle runs.
///
/// There is rarely a need to: `nbd_close` kills it. It helps with a server that
/// does not end, or that takes orders by signals. This does not wait for the
/// server to end.
///
/// # Parameters
///
/// - `signum`: the number of the signal; 0 stands for `SIGTERM`.
///
/// # Errors
///
/// - `ESRCH`: the handle runs no server.
/// - `EINVAL`: there is no such signal.
///
/// # See also
///
/// `nbd_get_subprocess_pid`, `nbd_connect_command`, `nbd_close`; kill(2).
#[no_mangle]
pub unsafe extern "C" fn nbd_kill_subprocess(h: *mut nbd_handle, signum: c_int) -> c_int {
    locked!(NBD_KILL_SUBPROCESS(h, signum: signum), |connection| {
        connection.kill_subprocess(signum)
    })
}

/// Returns the process ID of the server that the handle runs.
///
/// It stays the server's until the handle is closed, even when the server has
/// ended: the handle waits for it only then.
///
/// # Result
///
/// The process ID, or -1.
///
/// # Errors
///
/// - `ESRCH`: the handle runs no server.
///
/// # See also
///
/// `nbd_kill_subprocess`, `nbd_connect_command`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_subprocess_pid(h: *mut nbd_handle) -> i64 {
    locked!(NBD_GET_SUBPROCESS_PID(h), |connection| connection
        .subprocess_pid())
}
