// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting without waiting: each call begins to connect and returns.
//!
//! All of these go on in the same way. While the connection is made and the
//! handshake runs, `nbd_aio_is_connecting` is true and the program's main loop
//! moves things along. Then the handle is ready, or in option mode negotiating,
//! or dead.

use libc::{c_char, c_int, sockaddr, socklen_t};

use super::entry::locked;
use super::opaque::nbd_handle;
use super::trace::{Address, Strings, Text};

/// Begins to connect to a server at a socket address.
///
/// The address is as for connect(2), of any family with stream sockets. While
/// connecting goes on, `nbd_aio_is_connecting` is true; then the handle is ready
/// (`nbd_aio_is_ready`), or in option mode negotiating.
///
/// # Parameters
///
/// - `addr`: the address, which is copied.
/// - `addrlen`: its length in bytes.
///
/// # Errors
///
/// - Those of socket(2) and connect(2), where they show at once. The handle is
///   dead then.
///
/// # See also
///
/// `nbd_aio_connect_tcp`, `nbd_aio_connect_unix`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect(
    h: *mut nbd_handle,
    addr: *const sockaddr,
    addrlen: socklen_t,
) -> c_int {
    // SAFETY: NULL or an address of the caller's, there for the length of the call.
    let addr = unsafe { Address::new(addr, addrlen) };
    locked!(
        NBD_AIO_CONNECT(h, addr: addr, addrlen: addrlen),
        |connection| connection.connecting().address(addr.get())
    )
}

/// Begins to connect to the server and export that a URI names.
///
/// The URI is as for `nbd_connect_uri`. While connecting goes on,
/// `nbd_aio_is_connecting` is true; then the handle is ready (`nbd_aio_is_ready`),
/// or in option mode negotiating. A host that goes by a name is looked up before
/// this returns, which can take time.
///
/// # Parameters
///
/// - `uri`: the URI.
///
/// # Errors
///
/// - Those of `nbd_connect_uri`, where they show at once.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_uri(h: *mut nbd_handle, uri: *const c_char) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let uri = unsafe { Text::new(uri) };
    locked!(NBD_AIO_CONNECT_URI(h, uri: uri), |connection| connection
        .connecting().uri(uri.get()))
}

/// Begins to connect to a server on a Unix domain socket.
///
/// While connecting goes on, `nbd_aio_is_connecting` is true; then the handle is
/// ready (`nbd_aio_is_ready`), or in option mode negotiating.
///
/// # Parameters
///
/// - `unixsocket`: the path of the socket.
///
/// # Errors
///
/// - Those of `nbd_connect_unix`, where they show at once.
///
/// # See also
///
/// `nbd_connect_unix`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_unix(
    h: *mut nbd_handle,
    unixsocket: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let unixsocket = unsafe { Text::new(unixsocket) };
    locked!(
        NBD_AIO_CONNECT_UNIX(h, unixsocket: unixsocket),
        |connection| connection.connecting().unix(unixsocket.get())
    )
}

/// Begins to connect to a server over vsock.
///
/// While connecting goes on, `nbd_aio_is_connecting` is true; then the handle is
/// ready (`nbd_aio_is_ready`), or in option mode negotiating.
///
/// # Parameters
///
/// - `cid`: the machine; 2 is the host.
/// - `port`: the port; servers mostly use 10809.
///
/// # Errors
///
/// - Those of `nbd_connect_vsock`, where they show at once.
///
/// # See also
///
/// `nbd_connect_vsock`, `nbd_aio_is_connecting`; vsock(7).
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_vsock(h: *mut nbd_handle, cid: u32, port: u32) -> c_int {
    locked!(
        NBD_AIO_CONNECT_VSOCK(h, cid: cid, port: port),
        |connection| connection.connecting().vsock(cid, port)
    )
}

/// Begins to connect to a server over TCP.
///
/// While connecting goes on, `nbd_aio_is_connecting` is true; then the handle is
/// ready (`nbd_aio_is_ready`), or in option mode negotiating. A host that goes by
/// a name is looked up before this returns, which can take time.
///
/// Every address of the host is tried in turn, each with a socket of its own: as
/// long as the handle is connecting, `nbd_aio_get_fd` may return another file
/// descriptor after each step.
///
/// # Parameters
///
/// - `hostname`: the name or the address of the host.
/// - `port`: the port, as a number or as the name of a service, such as "nbd".
///
/// # Errors
///
/// - Those of `nbd_connect_tcp`, where they show at once.
///
/// # See also
///
/// `nbd_connect_tcp`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_tcp(
    h: *mut nbd_handle,
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: NULL or strings of the caller's, there for the length of the call.
    let (hostname, port) = unsafe { (Text::new(hostname), Text::new(port)) };
    locked!(
        NBD_AIO_CONNECT_TCP(h, hostname: hostname, port: port),
        |connection| connection.connecting().tcp(hostname.get(), port.get())
    )
}

/// Begins to talk to a server over a socket that is connected already.
///
/// While the handshake goes on, `nbd_aio_is_connecting` is true; then the handle
/// is ready (`nbd_aio_is_ready`), or in option mode negotiating.
///
/// # Parameters
///
/// - `sock`: the file descriptor of the socket. When the call succeeds it belongs
///   to the handle, which closes it; the program must not use it any more.
///
/// # Errors
///
/// - Those of `nbd_connect_socket`, where they show at once.
///
/// # See also
///
/// `nbd_connect_socket`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_socket(h: *mut nbd_handle, sock: c_int) -> c_int {
    locked!(NBD_AIO_CONNECT_SOCKET(h, sock: sock), |connection| {
        connection.connecting().socket(sock)
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
        connection.connecting().command(argv.get())
    })
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
        |connection| connection.connecting().systemd_socket_activation(argv.get())
    )
}
