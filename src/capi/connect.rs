// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting to a server.
//!
//! The `nbd_aio_connect_...` functions start connecting and return. While the
//! handshake runs, `nbd_aio_is_connecting` returns 1 and the main loop of the
//! program drives it. The synchronous functions return when the handshake is over,
//! or in option mode when it has reached the options.

use libc::{c_char, c_int, sockaddr, socklen_t};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::{Address, Text};

/// Connects to an NBD URI.
///
/// Use it when the user or a configuration file names the server: one string
/// contains the transport, the server, the export and the TLS settings. The call
/// returns when the handle is ready, or in option mode negotiating
/// (`nbd_set_opt_mode`); `nbd_aio_connect_uri` does not wait.
///
/// Examples:
///
/// - `nbd://server/disk`: the export "disk", over TCP on port 10809.
/// - `nbds://server:10999`: the default export, with TLS, on another port.
/// - `nbd+unix:///disk?socket=/run/nbd.sock`: over a Unix domain socket.
/// - `nbd+vsock://2/disk`: from a virtual machine to its host.
/// - `nbd+ssh://user@server/disk`: through ssh(1) to "server", and from there to its
///   own port 10809.
///
/// The parts of a URI are:
///
/// - Scheme: `nbd`, `nbd+unix`, `nbd+vsock` or `nbd+ssh`. The schemes with TLS are
///   `nbds`, `nbds+unix`, `nbds+vsock` and `nbds+ssh`.
/// - User: the TLS user name (`nbd_set_tls_username`). With ssh, also the user to
///   log in as.
/// - Host and port: the server. The default port is 10809. With vsock, the host is
///   the context ID. With ssh, these are the host and port of the ssh server; the
///   default port is 22. With a Unix domain socket, the host is empty.
/// - Path: the export name, without its leading `/`.
/// - Query: parameters, after `?` and separated by `&`.
///
/// The query parameters are:
///
/// - `socket`: path of the Unix domain socket. Required for `nbd+unix` and
///   `nbds+unix`. With ssh, a path on the remote host, used instead of a port.
/// - `nbd-port`: port of the NBD server. Use it with ssh, and for vsock ports above
///   2147483647.
/// - `tls-certificates`: see `nbd_set_tls_certificates`. Needs
///   `nbd_set_uri_allow_local_file`.
/// - `tls-psk-file`: see `nbd_set_tls_psk_file`. Needs
///   `nbd_set_uri_allow_local_file`.
/// - `tls-priority`: see `nbd_set_tls_priority`. Needs
///   `nbd_set_uri_allow_tls_priority`.
/// - `tls-username`, `tls-hostname`, `tls-verify-peer`: see `nbd_set_tls_username`,
///   `nbd_set_tls_hostname` and `nbd_set_tls_verify_peer`.
/// - `compress`: `true` to compress the data that ssh transfers.
///
/// Before you connect to a URI from an untrusted source, restrict what it may use:
/// see `nbd_set_uri_allow_transports` and `nbd_set_uri_allow_tls`. `nbd+ssh` URIs
/// are allowed by default, and run ssh(1).
///
/// # Parameters
///
/// - `uri`: the URI.
///
/// # Errors
///
/// - `EINVAL`: `uri` is not a valid NBD URI, or a required part is missing.
/// - `EPERM`: the URI uses a feature that this handle does not allow.
/// - `ENOTSUP`: the URI requires TLS, and TLS is not available (`nbd_supports_tls`).
/// - Errors of the transport; see `nbd_connect_tcp`, `nbd_connect_unix`,
///   `nbd_connect_vsock` and `nbd_connect_command`.
/// - Errors of the handshake. Some of them have no errno: `nbd_get_errno` then
///   returns 0.
///
/// # Standards
///
/// NBD URI specification; RFC 3986. The transports vsock and ssh, and all query
/// parameters except `socket`, `tls-hostname` and `tls-verify-peer`, are extensions
/// of libnbd.
///
/// # Example
///
/// Connect to a URI from the command line that may name any server, but must not run
/// ssh:
///
/// ```c
/// const char *uri = "nbd://localhost/disk";
///
/// nbd_set_uri_allow_transports (nbd, LIBNBD_ALLOW_TRANSPORT_MASK &
///                                    ~LIBNBD_ALLOW_TRANSPORT_SSH);
/// if (nbd_connect_uri (nbd, uri) == -1) {
///   fprintf (stderr, "%s: %s\n", uri, nbd_get_error ());
///   return -1;
/// }
/// ```
///
/// # See also
///
/// `nbd_aio_connect_uri`, `nbd_get_uri`, `nbd_is_uri`,
/// `nbd_set_uri_allow_transports`, `nbd_set_uri_allow_local_file`; libnbd(3),
/// "CONNECTING".
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_uri(h: *mut nbd_handle, uri: *const c_char) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let uri = unsafe { Text::new(uri) };
    waiting!(NBD_CONNECT_URI(h, uri: uri), async |c| c.until_connected(|mut c| c.uri(uri.get())).await)
}

/// Starts connecting to an NBD URI.
///
/// This is the asynchronous form of `nbd_connect_uri`. The call does not wait for
/// the connection. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. After that, the handle is ready
/// (`nbd_aio_is_ready`) or, in option mode, negotiating (`nbd_aio_is_negotiating`),
/// unless connecting has failed.
///
/// Name resolution is not asynchronous: the call waits for it.
///
/// # Parameters
///
/// - `uri`: the URI; see `nbd_connect_uri`.
///
/// # Errors
///
/// - Errors of `nbd_connect_uri` that are detected before the call returns. A later
///   failure is the error of the `nbd_poll` or notify call that detects it.
///
/// # See also
///
/// `nbd_connect_uri`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_uri(h: *mut nbd_handle, uri: *const c_char) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let uri = unsafe { Text::new(uri) };
    locked!(NBD_AIO_CONNECT_URI(h, uri: uri), |connection| connection
        .connecting().uri(uri.get()))
}

/// Connects to a server over a Unix domain socket.
///
/// Use it for a server on the same machine that listens on a socket in the file
/// system. For a socket in the abstract namespace, use `nbd_aio_connect`. The call
/// returns when the handle is ready, or in option mode negotiating.
///
/// # Parameters
///
/// - `unixsocket`: path of the socket.
///
/// # Errors
///
/// - `ENAMETOOLONG`: the path is too long for a socket. The handle is unchanged.
/// - `ENOENT`, `ECONNREFUSED` and other errors of connect(2). The handle is then
///   dead.
/// - Errors of the handshake. Some of them have no errno: `nbd_get_errno` then
///   returns 0.
///
/// # See also
///
/// `nbd_aio_connect_unix`, `nbd_connect_uri`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_unix(
    h: *mut nbd_handle,
    unixsocket: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let unixsocket = unsafe { Text::new(unixsocket) };
    waiting!(
        NBD_CONNECT_UNIX(h, unixsocket: unixsocket),
        async |c| c.until_connected(|mut c| c.unix(unixsocket.get())).await
    )
}

/// Starts connecting to a server over a Unix domain socket.
///
/// This is the asynchronous form of `nbd_connect_unix`. The call does not wait for
/// the connection. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. After that, the handle is ready
/// (`nbd_aio_is_ready`) or, in option mode, negotiating (`nbd_aio_is_negotiating`),
/// unless connecting has failed.
///
/// # Parameters
///
/// - `unixsocket`: path of the socket.
///
/// # Errors
///
/// - Errors of `nbd_connect_unix` that are detected before the call returns. A later
///   failure is the error of the `nbd_poll` or notify call that detects it.
///
/// # See also
///
/// `nbd_connect_unix`, `nbd_aio_is_connecting`.
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect_unix(
    h: *mut nbd_handle,
    unixsocket: *const c_char,
) -> c_int {
    // SAFETY: NULL, or a string that outlives the call.
    let unixsocket = unsafe { Text::new(unixsocket) };
    locked!(
        NBD_AIO_CONNECT_UNIX(h, unixsocket: unixsocket),
        |connection| connection.connecting().unix(unixsocket.get())
    )
}

/// Connects to a server over vsock.
///
/// Use it between a virtual machine and its host. The call returns when the handle
/// is ready, or in option mode negotiating.
///
/// # Parameters
///
/// - `cid`: context ID of the machine that runs the server; 2 is the host.
/// - `port`: port of the server, usually 10809.
///
/// # Errors
///
/// - `EAFNOSUPPORT`, `ENODEV`, `ETIMEDOUT` and other errors of socket(2) and
///   connect(2). The handle is then dead.
/// - Errors of the handshake. Some of them have no errno: `nbd_get_errno` then
///   returns 0.
///
/// # See also
///
/// `nbd_aio_connect_vsock`, `nbd_supports_vsock`, `nbd_connect_uri`; vsock(7).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_vsock(
    h: *mut nbd_handle,
    cid: u32,
    port: u32,
) -> c_int {
    waiting!(NBD_CONNECT_VSOCK(h, cid: cid, port: port), async |connection| {
        connection.until_connected(|mut connection| connection.vsock(cid, port)).await
    })
}

/// Starts connecting to a server over vsock.
///
/// This is the asynchronous form of `nbd_connect_vsock`. The call does not wait for
/// the connection. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. After that, the handle is ready
/// (`nbd_aio_is_ready`) or, in option mode, negotiating (`nbd_aio_is_negotiating`),
/// unless connecting has failed.
///
/// # Parameters
///
/// - `cid`: context ID of the machine that runs the server; 2 is the host.
/// - `port`: port of the server, usually 10809.
///
/// # Errors
///
/// - Errors of `nbd_connect_vsock` that are detected before the call returns. A
///   later failure is the error of the `nbd_poll` or notify call that detects it.
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

/// Connects to a server over TCP.
///
/// The library tries each address of the host, IPv6 and IPv4, until one accepts the
/// connection. With TLS, the server's certificate must be valid for `hostname`,
/// unless `nbd_set_tls_hostname` sets another name. The call returns when the handle
/// is ready, or in option mode negotiating.
///
/// # Parameters
///
/// - `hostname`: name or address of the host.
/// - `port`: port number or service name, such as "nbd".
///
/// # Errors
///
/// - No errno (`nbd_get_errno` returns 0): `hostname` or `port` cannot be resolved.
///   The error message contains the text of getaddrinfo(3). The handle is unchanged.
/// - `ECONNREFUSED` and other errors of connect(2), for the last address tried. If
///   all addresses failed at once, as they do on the local machine if no server
///   listens, the handle is unchanged and can be connected again. Otherwise it is
///   dead.
/// - Errors of the handshake. Some of them have no errno: `nbd_get_errno` then
///   returns 0.
///
/// # Example
///
/// ```c
/// return nbd_connect_tcp (nbd, "server.example.com", "10809");
/// ```
///
/// # See also
///
/// `nbd_aio_connect_tcp`, `nbd_connect_uri`; getaddrinfo(3).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_tcp(
    h: *mut nbd_handle,
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: NULL, or strings that outlive the call.
    let (hostname, port) = unsafe { (Text::new(hostname), Text::new(port)) };
    waiting!(
        NBD_CONNECT_TCP(h, hostname: hostname, port: port),
        async |c| c.until_connected(|mut c| c.tcp(hostname.get(), port.get())).await
    )
}

/// Starts connecting to a server over TCP.
///
/// This is the asynchronous form of `nbd_connect_tcp`. The call does not wait for
/// the connection. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. After that, the handle is ready
/// (`nbd_aio_is_ready`) or, in option mode, negotiating (`nbd_aio_is_negotiating`),
/// unless connecting has failed.
///
/// Name resolution is not asynchronous: the call waits for it. A new socket is used
/// for each address of the host, so call `nbd_aio_get_fd` again before each wait.
///
/// # Parameters
///
/// - `hostname`: name or address of the host.
/// - `port`: port number or service name, such as "nbd".
///
/// # Errors
///
/// - Errors of `nbd_connect_tcp` that are detected before the call returns. A later
///   failure is the error of the `nbd_poll` or notify call that detects it.
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
    // SAFETY: NULL, or strings that outlive the call.
    let (hostname, port) = unsafe { (Text::new(hostname), Text::new(port)) };
    locked!(
        NBD_AIO_CONNECT_TCP(h, hostname: hostname, port: port),
        |connection| connection.connecting().tcp(hostname.get(), port.get())
    )
}

/// Connects to a server over an open socket.
///
/// Use it when the program has made the connection itself, for instance through a
/// proxy or with socketpair(2). The call returns when the handle is ready, or in
/// option mode negotiating.
///
/// The library makes the socket non-blocking and close-on-exec. Once the handshake
/// begins, it belongs to the handle, which closes it even if the handshake fails.
/// Do not use it afterwards.
///
/// # Parameters
///
/// - `sock`: file descriptor of a connected stream socket.
///
/// # Errors
///
/// - `EBADF`: `sock` is not an open file descriptor.
/// - `ENOTSOCK`: `sock` is not a socket. The program still owns the file
///   descriptor.
/// - Errors of the handshake. Some of them have no errno: `nbd_get_errno` then
///   returns 0.
///
/// # Example
///
/// ```c
/// int sockets[2];
///
/// if (socketpair (AF_UNIX, SOCK_STREAM, 0, sockets) == -1)
///   return -1;
/// /* ... give sockets[1] to a thread or process that serves NBD ... */
/// return nbd_connect_socket (nbd, sockets[0]);
/// ```
///
/// # See also
///
/// `nbd_aio_connect_socket`; socketpair(2).
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_socket(h: *mut nbd_handle, sock: c_int) -> c_int {
    waiting!(NBD_CONNECT_SOCKET(h, sock: sock), async |c| {
        c.until_connected(|mut c| c.socket(sock)).await
    })
}

/// Starts the handshake over an open socket.
///
/// This is the asynchronous form of `nbd_connect_socket`. The call does not wait
/// for the connection. Call `nbd_poll`, or run a main loop of your own, while
/// `nbd_aio_is_connecting` returns 1. After that, the handle is ready
/// (`nbd_aio_is_ready`) or, in option mode, negotiating (`nbd_aio_is_negotiating`),
/// unless connecting has failed.
///
/// # Parameters
///
/// - `sock`: file descriptor of a connected stream socket. On success it belongs to
///   the handle, which closes it. Do not use it afterwards.
///
/// # Errors
///
/// - Errors of `nbd_connect_socket` that are detected before the call returns. A
///   later failure is the error of the `nbd_poll` or notify call that detects it.
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

/// Starts connecting to a socket address.
///
/// Use it for addresses that the other functions do not cover, such as abstract
/// Unix domain sockets. The call does not wait for the connection. Call `nbd_poll`,
/// or run a main loop of your own, while `nbd_aio_is_connecting` returns 1. After
/// that, the handle is ready (`nbd_aio_is_ready`) or, in option mode, negotiating
/// (`nbd_aio_is_negotiating`), unless connecting has failed.
///
/// # Parameters
///
/// - `addr`: the address, as for connect(2), of any family with stream sockets. It
///   is copied.
/// - `addrlen`: length of the address in bytes.
///
/// # Errors
///
/// - Errors of socket(2) and connect(2) that are detected before the call returns.
///   The handle is then dead.
///
/// # See also
///
/// `nbd_aio_connect_tcp`, `nbd_aio_connect_unix`, `nbd_aio_is_connecting`;
/// connect(2).
#[no_mangle]
pub unsafe extern "C" fn nbd_aio_connect(
    h: *mut nbd_handle,
    addr: *const sockaddr,
    addrlen: socklen_t,
) -> c_int {
    // SAFETY: NULL, or an address that outlives the call.
    let addr = unsafe { Address::new(addr, addrlen) };
    locked!(
        NBD_AIO_CONNECT(h, addr: addr, addrlen: addrlen),
        |connection| connection.connecting().address(addr.get())
    )
}
