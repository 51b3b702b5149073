// SPDX-License-Identifier: LGPL-2.1-or-later

//! Where the program asked to connect to.

use std::ffi::{CStr, CString};
use std::net::SocketAddr;

use crate::error::Error;
use crate::memory;
use crate::transport;
use crate::uri::Transport;

/// The address of a server as the program gave it, for nbd_get_uri(3) and for the
/// name that its certificate has to bear.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Nowhere yet.
    None,
    /// Host and port as the program named them.
    Tcp { host: CString, port: CString },
    /// A numeric address.
    Address(SocketAddr),
    /// A Unix domain socket.
    Unix { path: CString },
    /// A virtual machine's socket.
    Vsock { cid: u32, port: u32 },
    /// A place that has no name.
    Other,
}

impl Endpoint {
    /// What the bytes of a struct sockaddr name.
    pub fn of_sockaddr(address: &[u8]) -> Endpoint {
        if let Some(address) = transport::ip_address(address) {
            return Endpoint::Address(address);
        }
        if let Some(path) = transport::unix_path(address) {
            return Endpoint::Unix { path };
        }
        match transport::vsock_port(address) {
            Some((cid, port)) => Endpoint::Vsock { cid, port },
            None => Endpoint::Other,
        }
    }

    /// The same as URIs have it; some cannot be said in one.
    pub fn for_uri(&self) -> Result<Transport, Error> {
        Ok(match self {
            Endpoint::Tcp { host, port } => Transport::Tcp {
                host: memory::copy(host)?,
                port: memory::copy(port)?,
            },
            Endpoint::Address(address) => numeric(address),
            Endpoint::Unix { path } if path.is_empty() => {
                let what = "Unix domain sockets in the abstract namespace are not yet supported";
                return Err(Error::new(libc::EPROTONOSUPPORT, what));
            }
            Endpoint::Unix { path } => Transport::Unix {
                path: memory::copy(path)?,
            },
            Endpoint::Vsock { cid, port } => Transport::Vsock {
                cid: *cid,
                port: *port,
            },
            Endpoint::None | Endpoint::Other => {
                let what = "cannot construct a URI for this connection type";
                return Err(Error::new(libc::EINVAL, what));
            }
        })
    }

    /// The host, where the program named one.
    pub fn host(&self) -> Option<&CStr> {
        match self {
            Endpoint::Tcp { host, .. } => Some(host),
            _ => None,
        }
    }
}

/// The URI transport of a numeric address.
fn numeric(address: &SocketAddr) -> Transport {
    let text = |text: String| CString::new(text).unwrap_or_default();
    Transport::Tcp {
        host: text(address.ip().to_string()),
        port: text(address.port().to_string()),
    }
}
