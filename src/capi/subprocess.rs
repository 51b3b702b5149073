// SPDX-License-Identifier: LGPL-2.1-or-later

//! Servers that run as a subprocess of the program.

use libc::{c_char, c_int};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::{Strings, Text};

/// Runs a server as a subprocess, connects to it, and waits.
///
/// The server talks NBD on its standard input and output, which are one socket,
/// as `nbdkit -s` and nbd-server(1) with port 0 do. It inherits the standard
/// error and the environment of the program. qemu-nbd(8) needs
/// `nbd_connect_systemd_socket_activation` instead.
///
/// The server belongs to the handle: `nbd_close` kills it and waits for its end.
///
/// # Parameters
///
/// - `argv`: the command and its arguments, with NULL at the end of the list. A
///   command without a `/` is looked for in `PATH`. No shell is involved.
///
/// # Errors
///
/// - `EINVAL`: the list is empty.
/// - Those of the handshake, with or without an errno. A command that ends at once
///   shows as a server that closes the connection. One that cannot be run does the
///   same, and the reason is written to standard error.
///
/// # Example
///
/// A disk in memory, which is gone when the handle is closed:
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
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let argv = unsafe { Strings::new(argv) };
    waiting!(NBD_CONNECT_COMMAND(h, argv: argv), async |c| {
        c.until_connected(|mut c| c.command(argv.get()?)).await
    })
}

/// Runs a server as a subprocess and begins to connect to it.
///
/// The server is as for `nbd_connect_command`. While connecting goes on,
/// `nbd_aio_is_connecting` is true; then the handle is ready (`nbd_aio_is_ready`),
/// or in option mode negotiating.
///
/// # Parameters
///
/// - `argv`: the command and its arguments, with NULL at the end of the list.
///
/// # Errors
///
/// - Those of `nbd_connect_command`, where they show at once.
///
/// # See also
///
/// `nbd_connect_command`, `nbd_kill_subprocess`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_command(
    h: *mut nbd_handle,
    argv: *mut *mut c_char,
) -> c_int {
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let argv = unsafe { Strings::new(argv) };
    locked!(NBD_AIO_CONNECT_COMMAND(h, argv: argv), |connection| {
        connection.connecting().command(argv.get()?)
    })
}

/// Runs a server as a subprocess by socket activation, connects, and waits.
///
/// The server gets a listening socket in the way in which systemd passes one:
/// as file descriptor 3, told of by the environment variables `LISTEN_PID`,
/// `LISTEN_FDS` and `LISTEN_FDNAMES`. qemu-nbd(8), qemu-storage-daemon(1) and
/// nbdkit(1) know it. The socket is a Unix domain socket in a directory that only
/// this user can enter.
///
/// The server belongs to the handle: `nbd_close` kills it and waits for its end.
///
/// # Parameters
///
/// - `argv`: as in `nbd_connect_command`.
///
/// # Errors
///
/// - `EINVAL`: the list is empty.
/// - Those of the handshake, with or without an errno. A command that ends at once
///   shows as a connection that is closed or reset. One that cannot be run does the
///   same, and the reason is written to standard error.
///
/// # Standards
///
/// sd_listen_fds(3).
///
/// # Example
///
/// A qcow2 file, without running its server beforehand:
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
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let argv = unsafe { Strings::new(argv) };
    waiting!(
        NBD_CONNECT_SYSTEMD_SOCKET_ACTIVATION(h, argv: argv),
        async |c| c.until_connected(|mut c| c.systemd_socket_activation(argv.get()?)).await
    )
}

/// Runs a server by socket activation and begins to connect to it.
///
/// The server is as for `nbd_connect_systemd_socket_activation`. While connecting
/// goes on, `nbd_aio_is_connecting` is true; then the handle is ready
/// (`nbd_aio_is_ready`), or in option mode negotiating.
///
/// # Parameters
///
/// - `argv`: the command and its arguments, with NULL at the end of the list.
///
/// # Errors
///
/// - Those of `nbd_connect_systemd_socket_activation`, where they show at once.
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
    // SAFETY: NULL or a list of the caller's, there for the length of the call.
    let argv = unsafe { Strings::new(argv) };
    locked!(
        NBD_AIO_CONNECT_SYSTEMD_SOCKET_ACTIVATION(h, argv: argv),
        |connection| connection.connecting().systemd_socket_activation(argv.get()?)
    )
}

/// Sets the name that socket activation gives to the server's socket.
///
/// A server that takes several sockets can tell them apart by it, as
/// qemu-storage-daemon(1) does; most do not look. It is the value of
/// `LISTEN_FDNAMES`.
///
/// # Parameters
///
/// - `socket_name`: at most 32 ASCII letters and digits, which are copied. With
///   "", as at first, the server sees the name "unknown".
///
/// # Errors
///
/// - `EINVAL`: there is something else in it than letters and digits.
/// - `ENAMETOOLONG`: it is too long.
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
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let socket_name = unsafe { Text::new(socket_name) };
    locked!(
        NBD_SET_SOCKET_ACTIVATION_NAME(h, socket_name: socket_name),
        |connection| connection.setup().settings().set_socket_activation_name(socket_name.get())
    )
}

/// Returns the name that socket activation gives to the server's socket.
///
/// The name is of use to `nbd_connect_systemd_socket_activation` only.
///
/// # Result
///
/// The name that was set, "" at first, for the caller to free; or NULL.
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
