// SPDX-License-Identifier: LGPL-2.1-or-later

//! The address that the program connects to.

use std::ffi::{CStr, CString};
use std::net::SocketAddr;

use crate::error::Error;
use crate::memory;
use crate::transport;
use crate::uri::Transport;

/// The address of a server as the program specified it, for nbd_get_uri(3) and for verifying the
/// name in its certificate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Not connected.
    None,
    /// Host and port as specified by the program.
    Tcp { host: CString, port: CString },
    /// A numeric address.
    Address(SocketAddr),
    /// A Unix domain socket.
    Unix { path: CString },
    /// An AF_VSOCK socket.
    Vsock { cid: u32, port: u32 },
    /// An unnamed peer.
    Other,
}

impl Endpoint {
    /// Returns the endpoint for the bytes of a struct sockaddr.
    pub fn from_sockaddr(address: &[u8]) -> Endpoint {
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

    /// Returns the transport for a URI; fails if URIs cannot express it.
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

    /// Returns the host, if the program named one.
    pub fn host(&self) -> Option<&CStr> {
        match self {
            Endpoint::Tcp { host, .. } => Some(host),
            _ => None,
        }
    }
}

/// Returns the URI transport of a numeric address.
fn numeric(address: &SocketAddr) -> Transport {
    let text = |text: String| CString::new(text).unwrap_or_default();
    Transport::Tcp {
        host: text(address.ip().to_string()),
        port: text(address.port().to_string()),
    }
}
