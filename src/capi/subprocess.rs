// SPDX-License-Identifier: LGPL-2.1-or-later

//! Servers as subprocesses.

use libc::{c_char, c_int};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::{Strings, Text};

/// Runs a server as a subprocess and connects to it.
///
/// Use it for a private server that speaks NBD on its standard input and output,
/// such as `nbdkit -s`, or nbd-server(1) with port 0. For other servers, such as
/// qemu-nbd(8), use `nbd_connect_systemd_socket_activation`. The call returns when
/// the handle is ready, or in option mode negotiating.
///
/// The server inherits standard error and the environment of the program.
/// `nbd_close` closes its connection and waits for it to end, without sending a
/// signal: use `nbd_kill_subprocess` if the server does not end by itself.
///
/// # Parameters
///
/// - `argv`: NULL-terminated list of the command and its arguments. A command
///   without `/` is searched for in `PATH`. No shell is involved.
///
/// # Errors
///
/// - `EINVAL`: the list is empty.
/// - Errors of the handshake. If the command cannot be run or ends at once, the
///   error is that the server closed the connection. If it cannot be run, the
///   reason is also written to standard error.
///
/// # Example
///
/// Connect to a disk in memory that exists until the handle is closed:
///
/// ```c
/// char *argv[] = {
///   "nbdkit", "-s", "--exit-with-parent", "memory", "64M", NULL
/// };
///
/// return nbd_connect_command (nbd, argv);
/// ```
///
/// # See also
///
/// `nbd_aio_connect_command`, `nbd_kill_subprocess`, `nbd_get_subprocess_pid`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_command(
    h: *mut nbd_handle,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let argv = unsafe { Strings::new(argv) };
    waiting!(NBD_CONNECT_COMMAND(h, argv: argv), async |c| {
        c.until_connected(|mut c| c.command(argv.get()?)).await
    })
}

/// Runs a server as a subprocess and starts connecting to it.
///
/// This is the asynchronous form of `nbd_connect_command`. The call does not wait
/// for the connection. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. After that, the handle is ready
/// (`nbd_aio_is_ready`) or, in option mode, negotiating (`nbd_aio_is_negotiating`),
/// unless connecting has failed.
///
/// # Parameters
///
/// - `argv`: NULL-terminated list of the command and its arguments.
///
/// # Errors
///
/// - Errors of `nbd_connect_command` that are detected before the call returns. A
///   later failure is the error of the `nbd_poll` or notify call that detects it.
///
/// # See also
///
/// `nbd_connect_command`, `nbd_kill_subprocess`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_command(
    h: *mut nbd_handle,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let argv = unsafe { Strings::new(argv) };
    locked!(NBD_AIO_CONNECT_COMMAND(h, argv: argv), |connection| {
        connection.connecting().command(argv.get()?)
    })
}

/// Runs a server with socket activation and connects to it.
///
/// Use it for a private server that supports socket activation as systemd does:
/// qemu-nbd(8), qemu-storage-daemon(1) or nbdkit(1). The server receives a listening
/// socket as file descriptor 3, described by the environment variables `LISTEN_PID`,
/// `LISTEN_FDS` and `LISTEN_FDNAMES`. It is a Unix domain socket in a directory that
/// only this user can access. The call returns when the handle is ready, or in
/// option mode negotiating.
///
/// `nbd_close` sends `SIGTERM` to the server and waits for it to end.
///
/// # Parameters
///
/// - `argv`: NULL-terminated list of the command and its arguments; see
///   `nbd_connect_command`.
///
/// # Errors
///
/// - `EINVAL`: the list is empty.
/// - Errors of the handshake. If the command cannot be run or ends at once, the
///   error is that the server closed or reset the connection. If it cannot be run,
///   the reason is also written to standard error.
///
/// # Standards
///
/// sd_listen_fds(3).
///
/// # Example
///
/// Connect to a qcow2 file:
///
/// ```c
/// char *argv[] = { "qemu-nbd", "-f", "qcow2", "disk.qcow2", NULL };
///
/// return nbd_connect_systemd_socket_activation (nbd, argv);
/// ```
///
/// # See also
///
/// `nbd_aio_connect_systemd_socket_activation`, `nbd_set_socket_activation_name`,
/// `nbd_kill_subprocess`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_systemd_socket_activation(
    h: *mut nbd_handle,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let argv = unsafe { Strings::new(argv) };
    waiting!(
        NBD_CONNECT_SYSTEMD_SOCKET_ACTIVATION(h, argv: argv),
        async |c| c.until_connected(|mut c| c.systemd_socket_activation(argv.get()?)).await
    )
}

/// Runs a server with socket activation and starts connecting.
///
/// This is the asynchronous form of `nbd_connect_systemd_socket_activation`. The
/// call does not wait for the connection. Call `nbd_poll`, or run a main loop of
/// your own, while `nbd_aio_is_connecting` returns 1. After that, the handle is
/// ready (`nbd_aio_is_ready`) or, in option mode, negotiating
/// (`nbd_aio_is_negotiating`), unless connecting has failed.
///
/// # Parameters
///
/// - `argv`: NULL-terminated list of the command and its arguments.
///
/// # Errors
///
/// - Errors of `nbd_connect_systemd_socket_activation` that are detected before the
///   call returns. A later failure is the error of the `nbd_poll` or notify call
///   that detects it.
///
/// # Standards
///
/// sd_listen_fds(3).
///
/// # See also
///
/// `nbd_connect_systemd_socket_activation`, `nbd_set_socket_activation_name`,
/// `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_systemd_socket_activation(
    h: *mut nbd_handle,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: NULL, or a list that outlives the call.
    let argv = unsafe { Strings::new(argv) };
    locked!(
        NBD_AIO_CONNECT_SYSTEMD_SOCKET_ACTIVATION(h, argv: argv),
        |connection| connection.connecting().systemd_socket_activation(argv.get()?)
    )
}

/// Sets the name of the socket for socket activation.
///
/// Use it with servers that distinguish sockets by name, such as
/// qemu-storage-daemon(1); most servers ignore it. The server finds the name in the
/// environment variable `LISTEN_FDNAMES`.
///
/// # Parameters
///
/// - `socket_name`: at most 32 ASCII letters and digits, which are copied. The
///   default is ""; the server then receives the name "unknown".
///
/// # Errors
///
/// - `EINVAL`: `socket_name` contains other characters.
/// - `ENAMETOOLONG`: `socket_name` is too long.
///
/// # Standards
///
/// sd_listen_fds(3).
///
/// # See also
///
/// `nbd_get_socket_activation_name`, `nbd_connect_systemd_socket_activation`.
#[no_mangle]
pub unsafe extern "C" fn nbd_set_socket_activation_name(
    h: *mut nbd_handle,
    socket_name: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let socket_name = unsafe { Text::new(socket_name) };
    locked!(
        NBD_SET_SOCKET_ACTIVATION_NAME(h, socket_name: socket_name),
        |connection| connection.setup().settings().set_socket_activation_name(socket_name.get())
    )
}

/// Returns the name of the socket for socket activation.
///
/// Returns the setting of `nbd_set_socket_activation_name`.
///
/// # Result
///
/// The name, initially "", or NULL on error.
///
/// # See also
///
/// `nbd_set_socket_activation_name`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_socket_activation_name(h: *mut nbd_handle) -> *mut c_char {
    locked!(NBD_GET_SOCKET_ACTIVATION_NAME(h), |connection| Ok(
        connection
            .setup()
            .settings()
            .socket_activation_name()
            .to_owned()
    ))
}

/// Sends a signal to the server process of the handle.
///
/// Call it before `nbd_close` for a server from `nbd_connect_command` that does not
/// end when its connection is closed, or at any time for signals such as `SIGHUP`.
/// The call does not wait for the server to end.
///
/// # Parameters
///
/// - `signum`: the signal number, or 0 for `SIGTERM`.
///
/// # Errors
///
/// - `ESRCH`: the handle has no server process.
/// - `EINVAL`: there is no such signal.
///
/// # See also
///
/// `nbd_get_subprocess_pid`, `nbd_connect_command`, `nbd_close`; kill(2).
#[no_mangle]
pub unsafe extern "C" fn nbd_kill_subprocess(h: *mut nbd_handle, signum: c_int) -> c_int {
    locked!(NBD_KILL_SUBPROCESS(h, signum: signum), |connection| {
        connection.server_process().kill(signum)
    })
}

/// Returns the process ID of the server process of the handle.
///
/// Use it to monitor a server that `nbd_connect_command` or
/// `nbd_connect_systemd_socket_activation` started. The ID stays valid until
/// `nbd_close`, even if the server has ended, because the library does not reap the
/// process before that.
///
/// # Result
///
/// The process ID, or -1 on error.
///
/// # Errors
///
/// - `ESRCH`: the handle has no server process.
///
/// # See also
///
/// `nbd_kill_subprocess`, `nbd_connect_command`.
#[no_mangle]
pub unsafe extern "C" fn nbd_get_subprocess_pid(h: *mut nbd_handle) -> i64 {
    locked!(NBD_GET_SUBPROCESS_PID(h), |connection| connection
        .server_process()
        .pid())
}
