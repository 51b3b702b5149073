// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parsing and writing NBD URIs.
//!
//! The syntax is that of RFC 3986; the meaning of the parts is defined by `doc/uri.md` of the NBD
//! protocol and by nbd_connect_uri(3). Every text in this module is a C string, since each comes
//! from one and becomes one. A URI that contains a NUL byte as `%00` is rejected.

#![forbid(unsafe_code)]

use std::ffi::{CStr, CString};

use libc::c_int;

use crate::constants::{
    LIBNBD_ALLOW_TRANSPORT_SSH, LIBNBD_ALLOW_TRANSPORT_TCP, LIBNBD_ALLOW_TRANSPORT_UNIX,
    LIBNBD_ALLOW_TRANSPORT_VSOCK, LIBNBD_TLS_ALLOW,
};
use crate::error::Error;

mod parse;
mod query;
mod ssh;
#[cfg(test)]
mod tests;
mod text;
mod tls_parameters;
mod write;

pub use ssh::{SshTarget, SshTunnel, Word};
pub use tls_parameters::TlsParameters;

/// The port assigned to NBD.
const NBD_PORT: &CStr = c"10809";
const NBD_PORT_NUMBER: u32 = 10809;

/// The port assigned to SSH.
const SSH_PORT: u32 = 22;

/// The CID of a virtual machine's host (`VMADDR_CID_HOST`).
const HOST_CID: u32 = 2;

/// The transport and address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// `nbd`: host name or address, and port number or service name.
    Tcp { host: CString, port: CString },
    /// `nbd+unix`: a socket in the file system.
    Unix { path: CString },
    /// `nbd+vsock`: between a virtual machine and its host.
    Vsock { cid: u32, port: u32 },
    /// `nbd+ssh`: through an SSH connection.
    Ssh(SshTunnel),
}

/// A parsed URI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NbdUri {
    pub transport: Transport,
    /// True if the scheme is one of `nbds`, which requires TLS.
    pub tls: bool,
    pub export_name: CString,
    /// Parameters for TLS.
    pub tls_parameters: TlsParameters,
}

/// The error for a rejected URI.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub error: Error,
    /// True if the scheme, which the policy allows, requires TLS: a program that then connects in
    /// another way must not do so without TLS.
    pub tls: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused { error, tls: false }
    }
}

/// The program's restrictions for URIs from untrusted sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UriPolicy {
    /// nbd_set_uri_allow_transports(3): a mask of `LIBNBD_ALLOW_TRANSPORT_*`.
    pub transports: u32,
    /// nbd_set_uri_allow_tls(3): one of `LIBNBD_TLS_*`.
    pub tls: c_int,
    /// nbd_set_uri_allow_local_file(3).
    pub local_file: bool,
    /// nbd_set_uri_allow_tls_priority(3).
    pub tls_priority: bool,
}

impl Default for UriPolicy {
    fn default() -> Self {
        UriPolicy {
            transports: u32::MAX,
            tls: LIBNBD_TLS_ALLOW,
            local_file: false,
            tls_priority: false,
        }
    }
}

/// The scheme of a URI: a transport, with or without TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Scheme {
    kind: TransportKind,
    tls: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum TransportKind {
    Tcp,
    Unix,
    Vsock,
    Ssh,
}

impl Scheme {
    const ALL: [(&'static str, Scheme); 8] = [
        ("nbd", Scheme::of(TransportKind::Tcp, false)),
        ("nbds", Scheme::of(TransportKind::Tcp, true)),
        ("nbd+unix", Scheme::of(TransportKind::Unix, false)),
        ("nbds+unix", Scheme::of(TransportKind::Unix, true)),
        ("nbd+vsock", Scheme::of(TransportKind::Vsock, false)),
        ("nbds+vsock", Scheme::of(TransportKind::Vsock, true)),
        ("nbd+ssh", Scheme::of(TransportKind::Ssh, false)),
        ("nbds+ssh", Scheme::of(TransportKind::Ssh, true)),
    ];

    const fn of(kind: TransportKind, tls: bool) -> Scheme {
        Scheme { kind, tls }
    }

    /// Schemes are case-insensitive (RFC 3986, 3.1).
    fn from_name(name: &str) -> Option<Scheme> {
        let mut all = Scheme::ALL.iter();
        let (_, scheme) = all.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(*scheme)
    }

    fn name(self) -> &'static str {
        let mut all = Scheme::ALL.iter();
        let found = all.find(|(_, scheme)| *scheme == self);
        found.expect("every scheme has a name").0
    }

    /// Returns the bit of `LIBNBD_ALLOW_TRANSPORT_*`.
    fn mask(self) -> u32 {
        match self.kind {
            TransportKind::Tcp => LIBNBD_ALLOW_TRANSPORT_TCP,
            TransportKind::Unix => LIBNBD_ALLOW_TRANSPORT_UNIX,
            TransportKind::Vsock => LIBNBD_ALLOW_TRANSPORT_VSOCK,
            TransportKind::Ssh => LIBNBD_ALLOW_TRANSPORT_SSH,
        }
    }
}

impl NbdUri {
    /// Makes a URI with only a transport.
    pub fn new(transport: Transport) -> NbdUri {
        NbdUri {
            transport,
            tls: false,
            export_name: CString::default(),
            tls_parameters: TlsParameters::default(),
        }
    }

    fn scheme(&self) -> Scheme {
        let kind = match self.transport {
            Transport::Tcp { .. } => TransportKind::Tcp,
            Transport::Unix { .. } => TransportKind::Unix,
            Transport::Vsock { .. } => TransportKind::Vsock,
            Transport::Ssh(_) => TransportKind::Ssh,
        };
        Scheme::of(kind, self.tls)
    }
}

/// Returns true if the text has the scheme of an NBD URI. It need not be a valid URI.
pub fn is_nbd_uri(text: &CStr) -> bool {
    let mut parts = text.to_bytes().splitn(2, |&byte| byte == b':');
    let scheme = parts.next().and_then(|name| std::str::from_utf8(name).ok());
    let known = scheme.and_then(Scheme::from_name).is_some();
    known && parts.next().is_some_and(|rest| rest.starts_with(b"//"))
}
