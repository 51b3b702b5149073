// SPDX-License-Identifier: LGPL-2.1-or-later

//! NBD URIs, parsed and written.
//!
//! The syntax is RFC 3986; what the parts mean is said by `doc/uri.md` of the
//! NBD protocol and by nbd_connect_uri(3). Every text in here is a C string:
//! each comes from one and goes to one, none can hold a NUL byte, and a URI
//! that smuggles one in as `%00` is refused.

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

/// The host of a virtual machine, as seen from inside (`VMADDR_CID_HOST`).
const HOST_CID: u32 = 2;

/// How to reach the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transport {
    /// `nbd`: the host by name or address, the port by number or service name.
    Tcp { host: CString, port: CString },
    /// `nbd+unix`: a socket in the file system.
    Unix { path: CString },
    /// `nbd+vsock`: between a virtual machine and its host.
    Vsock { cid: u32, port: u32 },
    /// `nbd+ssh`: through a Secure Shell connection.
    Ssh(SshTunnel),
}

/// Everything that a URI can say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NbdUri {
    pub transport: Transport,
    /// The scheme is one of `nbds`: there must be TLS.
    pub tls: bool,
    pub export_name: CString,
    /// How to use TLS, where there is TLS.
    pub tls_parameters: TlsParameters,
}

/// Why a URI is of no use.
#[derive(Debug, PartialEq, Eq)]
pub struct Refused {
    pub error: Error,
    /// Its scheme, which the policy allows, asks for TLS: a program that goes on in
    /// another way must not do so without.
    pub tls: bool,
}

impl From<Error> for Refused {
    fn from(error: Error) -> Self {
        Refused { error, tls: false }
    }
}

/// What a program allows in URIs that it may not have written itself.
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

/// The scheme of a URI: which transport, and whether with TLS.
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

    /// Upper and lower case are the same in a scheme (RFC 3986, 3.1).
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

    /// Its bit of `LIBNBD_ALLOW_TRANSPORT_*`.
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
    /// A URI that says how to reach a server, and nothing more.
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

/// Whether that text means to be an NBD URI, rather than a file name, say. It
/// need not be a valid one.
pub fn is_nbd_uri(text: &CStr) -> bool {
    let mut parts = text.to_bytes().splitn(2, |&byte| byte == b':');
    let scheme = parts.next().and_then(|name| std::str::from_utf8(name).ok());
    let known = scheme.and_then(Scheme::from_name).is_some();
    known && parts.next().is_some_and(|rest| rest.starts_with(b"//"))
}
