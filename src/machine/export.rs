// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the server has said of itself and of the export.

use std::ffi::{CStr, CString};

use crate::protocol::flags::TransmissionFlags;
use crate::protocol::option::BlockSize;

/// The handshake that a server speaks (nbd_get_protocol(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// No negotiation.
    Oldstyle,
    /// One option only, to which a server cannot say no.
    Newstyle,
    /// Options with replies.
    NewstyleFixed,
}

impl Protocol {
    /// The name that nbd_get_protocol(3) gives it.
    pub fn name(self) -> &'static CStr {
        match self {
            Protocol::Oldstyle => c"oldstyle",
            Protocol::Newstyle => c"newstyle",
            Protocol::NewstyleFixed => c"newstyle-fixed",
        }
    }
}

/// What has been agreed for the whole connection.
#[derive(Debug, Clone, Copy, Default)]
pub struct Negotiated {
    /// Known once the greeting is complete.
    pub protocol: Option<Protocol>,
    /// Handshake flags that both sides set.
    pub handshake_flags: u16,
    /// Everything is encrypted.
    pub tls: bool,
    /// Replies come in chunks. Implied by extended headers.
    pub structured_replies: bool,
    /// Requests and replies have 64-bit lengths.
    pub extended_headers: bool,
}

/// What the server has said of the export.
#[derive(Debug, Clone, Default)]
pub struct Export {
    /// Size in bytes and transmission flags, once known.
    pub details: Option<(u64, TransmissionFlags)>,
    /// Block size constraints, if any were given.
    pub block_size: Option<BlockSize>,
    /// The name by which the server knows it.
    pub canonical_name: Option<CString>,
    /// A text for people.
    pub description: Option<CString>,
}

impl Export {
    /// The transmission flags; none set while unknown.
    pub fn flags(&self) -> TransmissionFlags {
        self.details.map(|(_, flags)| flags).unwrap_or_default()
    }

    /// The size in bytes; 0 while unknown.
    pub fn size(&self) -> u64 {
        self.details.map_or(0, |(size, _)| size)
    }
}
