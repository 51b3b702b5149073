// SPDX-License-Identifier: LGPL-2.1-or-later

//! Where the program asked to connect to.

use std::ffi::{CStr, CString};
use std::net::SocketAddr;

use crate::transport;

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

    /// The host, where the program named one.
    pub fn host(&self) -> Option<&CStr> {
        match self {
            Endpoint::Tcp { host, .. } => Some(host),
            _ => None,
        }
    }
}
