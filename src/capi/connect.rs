// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting to a server.
//!
//! The functions with `aio` in their names begin to connect and return. While the
//! connection is made and the handshake runs, `nbd_aio_is_connecting` is true and the
//! program's main loop moves things along. The others wait: the handshake is over when
//! they return, or in option mode has got to the options.

use libc::{c_char, c_int, sockaddr, socklen_t};

use super::entry::{locked, waiting};
use super::opaque::nbd_handle;
use super::trace::{Address, Text};

/// Connects to the server and export that a URI names, and waits.
///
/// The URI sets the export's name and what it says of TLS on the handle, as
/// `nbd_set_export_name` and the `nbd_set_tls_...` functions do, and the handle
/// connects. Some URIs:
///
/// - `nbd://server/disk`: the export "disk" of a server, over TCP, port 10809.
/// - `nbds://server:10999`: the default export, with TLS, on another port.
/// - `nbd+unix:///disk?socket=/run/nbd.sock`: over a Unix domain socket.
/// - `nbd+vsock://2/disk`: from a virtual machine to its host.
/// - `nbd+ssh://user@server/disk`: over TCP from the server to itself, with
///   ssh(1) in between.
///
/// The export's name is the path without the `/` that it begins with. The user's
/// name in front of the host is that for TLS, and with ssh the one to log in
/// with. Further parameters after a `?`, put together with `&`:
///
/// - `socket`: the path of the socket; needed with `+unix`.
/// - `nbd-port`: the port, where the place behind the host will not do: with ssh
///   that is the port of ssh, and vsock ports may be too large for it.
/// - `tls-certificates`, `tls-psk-file`, `tls-username`: as the functions
///   `nbd_set_tls_...` of these names.
/// - `tls-hostname`, `tls-priority`, `tls-verify-peer`: likewise.
/// - `compress`: `true` to have ssh compress.
///
/// Some of this is refused unless the program allows it on this handle:
/// `tls-certificates` and `tls-psk-file` with `nbd_set_uri_allow_local_file`,
/// and `tls-priority` with `nbd_set_uri_allow_tls_priority`. Transports and TLS
/// can be restricted as well, see `nbd_set_uri_allow_transports` and
/// `nbd_set_uri_allow_tls`.
///
/// # Parameters
///
/// - `uri`: the URI.
///
/// # Errors
///
/// - `EINVAL`: it is no URI, or not one of NBD's, or lacks something.
/// - `EPERM`: it asks for something that is not allowed on this handle.
/// - `ENOTSUP`: it asks for TLS where there is none, see `nbd_supports_tls`.
/// - Otherwise those of connecting, see `nbd_connect_tcp` and the others.
///
/// # Standards
///
/// NBD URI specification; RFC 3986. vsock, ssh, and all parameters but `socket`,
/// `tls-hostname` and `tls-verify-peer` are additions of libnbd.
///
/// # Example
///
/// A URI from the command line, which may name any server but read no files and run
/// no programs:
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
/// `nbd_aio_connect_uri`, `nbd_get_uri`, `nbd_is_uri`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_uri(h: *mut nbd_handle, uri: *const c_char) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let uri = unsafe { Text::new(uri) };
    waiting!(NBD_CONNECT_URI(h, uri: uri), async |c| c.until_connected(|mut c| c.uri(uri.get())).await)
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

/// Connects to a server on a Unix domain socket, and waits.
///
/// The socket is one in the file system, on the same machine. For one in the
/// abstract namespace, `nbd_aio_connect` takes the address.
///
/// # Parameters
///
/// - `unixsocket`: the path of the socket.
///
/// # Errors
///
/// - `ENAMETOOLONG`: a socket's path cannot be that long. The handle can be
///   connected to something else then.
/// - `ENOENT`, `ECONNREFUSED` and others of connect(2). The handle is dead then.
/// - Those of the handshake, with or without an errno.
///
/// # See also
///
/// `nbd_aio_connect_unix`, `nbd_connect_uri`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_unix(
    h: *mut nbd_handle,
    unixsocket: *const c_char,
) -> c_int {
    // SAFETY: NULL or a string of the caller's, there for the length of the call.
    let unixsocket = unsafe { Text::new(unixsocket) };
    waiting!(
        NBD_CONNECT_UNIX(h, unixsocket: unixsocket),
        async |c| c.until_connected(|mut c| c.unix(unixsocket.get())).await
    )
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

/// Connects to a server over vsock, and waits.
///
/// vsock joins virtual machines and the host that they run on.
///
/// # Parameters
///
/// - `cid`: the machine; 2 is the host.
/// - `port`: the port; servers mostly use 10809.
///
/// # Errors
///
/// - `EAFNOSUPPORT`, `ENODEV`, `ETIMEDOUT` and others of socket(2) and
///   connect(2). The handle is dead then.
/// - Those of the handshake, with or without an errno.
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

/// Connects to a server over TCP, and waits.
///
/// Every address of the host is tried, IPv6 and IPv4, until one accepts. The
/// name of the host is also the one that the server's certificate has to be made
/// out to, unless `nbd_set_tls_hostname` says otherwise.
///
/// # Parameters
///
/// - `hostname`: the name or the address of the host.
/// - `port`: the port, as a number or as the name of a service, such as "nbd".
///
/// # Errors
///
/// - None, that is 0: the name of the host or of the service is unknown; the text
///   of the error is that of getaddrinfo(3).
/// - `ECONNREFUSED` and others of connect(2), for the address tried last. The
///   handle may then be connected to something else.
/// - Those of the handshake, with or without an errno.
///
/// # Example
///
/// ```c
/// return nbd_connect_tcp (nbd, "server.example.com", "10809");
/// ```
///
/// # See also
///
/// `nbd_aio_connect_tcp`, `nbd_connect_uri`.
#[no_mangle]
pub unsafe extern "C-unwind" fn nbd_connect_tcp(
    h: *mut nbd_handle,
    hostname: *const c_char,
    port: *const c_char,
) -> c_int {
    // SAFETY: NULL or strings of the caller's, there for the length of the call.
    let (hostname, port) = unsafe { (Text::new(hostname), Text::new(port)) };
    waiting!(
        NBD_CONNECT_TCP(h, hostname: hostname, port: port),
        async |c| c.until_connected(|mut c| c.tcp(hostname.get(), port.get())).await
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

/// Talks to a server over a socket that is connected already, and waits.
///
/// This is for servers that nothing else here reaches, and for tests. The socket
/// has to be a stream; it becomes non-blocking and close-on-exec.
///
/// # Parameters
///
/// - `sock`: its file descriptor. When the call succeeds it belongs to the
///   handle, which closes it; the program must not use it any more. When the
///   call fails before the handle has taken it, it stays the program's.
///
/// # Errors
///
/// - `EBADF`: `sock` is not an open file descriptor.
/// - `ENOTSOCK`: it is not a socket.
/// - Those of the handshake, with or without an errno.
///
/// # Example
///
/// ```c
/// int sockets[2];
///
/// if (socketpair (AF_UNIX, SOCK_STREAM, 0, sockets) == -1)
///   return -1;
/// /* ... hand sockets[1] to a thread or a process that serves NBD ... */
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
