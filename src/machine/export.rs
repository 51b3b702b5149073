// SPDX-License-Identifier: LGPL-2.1-or-later

//! Negotiated properties of the connection and of the export.

use std::ffi::{CStr, CString};

use crate::protocol::flags::TransmissionFlags;
use crate::protocol::option::BlockSize;

/// The handshake of a server (nbd_get_protocol(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// No negotiation.
    Oldstyle,
    /// A single option, which the server cannot refuse.
    Newstyle,
    /// Options with replies.
    NewstyleFixed,
}

impl Protocol {
    /// Returns the name in nbd_get_protocol(3).
    pub fn name(self) -> &'static CStr {
        match self {
            Protocol::Oldstyle => c"oldstyle",
            Protocol::Newstyle => c"newstyle",
            Protocol::NewstyleFixed => c"newstyle-fixed",
        }
    }
}

/// Negotiated properties of the connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Negotiated {
    /// Known once the greeting is complete.
    pub protocol: Option<Protocol>,
    /// Handshake flags that both sides set.
    pub handshake_flags: u16,
    /// TLS is in use.
    pub tls: bool,
    /// Reads are answered by structured replies. Implied by extended headers.
    pub structured_replies: bool,
    /// Requests and replies have 64-bit lengths.
    pub extended_headers: bool,
}

/// Properties of the export, from the server.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// Size in bytes and transmission flags, once known.
    pub details: Option<(u64, TransmissionFlags)>,
    /// Block size constraints, if any were given.
    pub block_size: Option<BlockSize>,
    /// The canonical name, from the server.
    pub canonical_name: Option<CString>,
    /// A human-readable description.
    pub description: Option<CString>,
}

impl Export {
    /// Returns the transmission flags; 0 while unknown.
    pub fn flags(&self) -> TransmissionFlags {
        self.details.map(|(_, flags)| flags).unwrap_or_default()
    }

    /// Returns the size in bytes; 0 while unknown.
    pub fn size(&self) -> u64 {
        self.details.map_or(0, |(size, _)| size)
    }
}
