// SPDX-License-Identifier: LGPL-2.1-or-later

//! Listening sockets: Unix, TCP, and sockets passed by systemd or a parent
//! process.

use std::io::{self, ErrorKind};
use std::net::ToSocketAddrs;
use std::os::fd::{AsRawFd, FromRawFd, IntoRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use mio::{Interest, Registry, Token};

/// A listening socket.
#[derive(Debug)]
pub enum Listener {
    /// Bound to a path.
    Unix(mio::net::UnixListener),
    /// Bound to an address.
    Tcp(mio::net::TcpListener),
}

impl Listener {
    /// Registers the socket with the event loop under `token`.
    pub fn register(&mut self, registry: &Registry, token: Token) -> io::Result<()> {
        match self {
            Listener::Unix(socket) => registry.register(socket, token, Interest::READABLE),
            Listener::Tcp(socket) => registry.register(socket, token, Interest::READABLE),
        }
    }

    /// Accepts the next waiting client, if there is one.
    pub fn accept(&self) -> io::Result<Option<OwnedFd>> {
        let accepted = match self {
            Listener::Unix(socket) => socket.accept().map(|(client, _)| {
                // SAFETY: the descriptor was just given up by its only owner.
                unsafe { OwnedFd::from_raw_fd(client.into_raw_fd()) }
            }),
            Listener::Tcp(socket) => socket.accept().map(|(client, _)| {
                // SAFETY: the descriptor was just given up by its only owner.
                unsafe { OwnedFd::from_raw_fd(client.into_raw_fd()) }
            }),
        };
        match accepted {
            Ok(client) => prepare(client).map(Some),
            Err(error) => match error.kind() {
                ErrorKind::WouldBlock => Ok(None),
                // That client has already gone, or a signal arrived: try the
                // next.
                ErrorKind::ConnectionAborted | ErrorKind::Interrupted => self.accept(),
                _ => Err(error),
            },
        }
    }

    /// Returns the bound address of a TCP socket.
    pub fn local_address(&self) -> Option<std::net::SocketAddr> {
        match self {
            Listener::Tcp(socket) => socket.local_addr().ok(),
            Listener::Unix(_) => None,
        }
    }
}

/// Prepares a connected stream socket of any family for the event loop.
pub fn prepare(socket: OwnedFd) -> io::Result<OwnedFd> {
    match option(&socket, libc::SOL_SOCKET, libc::SO_DOMAIN)? {
        libc::AF_UNIX => {
            // Make room for many replies. The system may grant less.
            let size: libc::c_int = 4 << 20;
            let _ = set_option(&socket, libc::SOL_SOCKET, libc::SO_SNDBUF, size);
        }
        libc::AF_INET | libc::AF_INET6 => {
            set_option(&socket, libc::IPPROTO_TCP, libc::TCP_NODELAY, 1)?;
        }
        _ => {}
    }
    // The standard library's socket type is used only to set the mode.
    let stream = std::os::unix::net::UnixStream::from(socket);
    stream.set_nonblocking(true)?;
    Ok(OwnedFd::from(stream))
}

fn option(socket: &OwnedFd, level: libc::c_int, name: libc::c_int) -> io::Result<libc::c_int> {
    let mut value: libc::c_int = 0;
    let mut size = std::mem::size_of::<libc::c_int>() as libc::socklen_t;
    // SAFETY: `value` and `size` are valid for writes, and `size` holds the
    // size of `value`.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw mut value).cast(),
            &raw mut size,
        )
    };
    match status {
        0 => Ok(value),
        _ => Err(io::Error::last_os_error()),
    }
}

fn set_option(
    socket: &OwnedFd,
    level: libc::c_int,
    name: libc::c_int,
    value: libc::c_int,
) -> io::Result<()> {
    // SAFETY: the pointer and the size describe `value`, which lives long
    // enough; the system only reads it.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            (&raw const value).cast(),
            std::mem::size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    match status {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// A bound socket path, removed on drop.
#[derive(Debug)]
pub struct BoundPath(PathBuf);

impl Drop for BoundPath {
    fn drop(&mut self) {
        // Already removed by another process: nothing left to do.
        let _ = std::fs::remove_file(&self.0);
    }
}

/// Listens at `path`, replacing a stale socket.
pub fn unix(path: &Path) -> io::Result<(Listener, BoundPath)> {
    let socket = match mio::net::UnixListener::bind(path) {
        Err(error) if error.kind() == ErrorKind::AddrInUse && is_stale(path) => {
            std::fs::remove_file(path)?;
            mio::net::UnixListener::bind(path)?
        }
        outcome => outcome?,
    };
    Ok((Listener::Unix(socket), BoundPath(path.to_owned())))
}

fn is_stale(path: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(path)
        .is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

/// Listens on every address that `host:port` resolves to, or only on the first
/// if the port is 0 and the system chooses one.
pub fn tcp(address: &str) -> io::Result<Vec<Listener>> {
    let mut listeners = Vec::new();
    let mut failure = io::Error::new(ErrorKind::NotFound, "no such address");
    for address in address.to_socket_addrs()? {
        match mio::net::TcpListener::bind(address) {
            Ok(socket) => listeners.push(Listener::Tcp(socket)),
            Err(error) => failure = error,
        }
        if address.port() == 0 && !listeners.is_empty() {
            break;
        }
    }
    if listeners.is_empty() {
        return Err(failure);
    }
    Ok(listeners)
}

/// A socket that was passed to this process.
#[derive(Debug)]
pub enum Passed {
    /// A listening socket.
    Listening(Listener),
    /// A connected client.
    Connected(OwnedFd),
}

/// Determines the kind of a passed socket.
pub fn passed(socket: OwnedFd) -> io::Result<Passed> {
    if option(&socket, libc::SOL_SOCKET, libc::SO_ACCEPTCONN)? == 0 {
        return prepare(socket).map(Passed::Connected);
    }
    let listener = match option(&socket, libc::SOL_SOCKET, libc::SO_DOMAIN)? {
        libc::AF_UNIX => {
            let socket = std::os::unix::net::UnixListener::from(socket);
            socket.set_nonblocking(true)?;
            Listener::Unix(mio::net::UnixListener::from_std(socket))
        }
        libc::AF_INET | libc::AF_INET6 => {
            let socket = std::net::TcpListener::from(socket);
            socket.set_nonblocking(true)?;
            Listener::Tcp(mio::net::TcpListener::from_std(socket))
        }
        _ => {
            let message = "a passed socket is neither Unix nor TCP";
            return Err(io::Error::new(ErrorKind::Unsupported, message));
        }
    };
    Ok(Passed::Listening(listener))
}
