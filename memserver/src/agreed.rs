// SPDX-License-Identifier: LGPL-2.1-or-later

//! The state negotiated between the server and one client.

/// The message formats of the transmission phase.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    /// Nothing: compact requests, simple replies.
    Simple,
    /// Compact requests, structured reply chunks.
    Structured,
    /// Extended requests and reply chunks.
    Extended,
}

/// The origin of a context's extents.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// `base:allocation`: computed from the pages.
    Allocation,
    /// An entry of the export's list of contexts.
    Fixed(usize),
}

/// A context that the client selected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selected {
    pub id: u32,
    pub source: Source,
}

/// The result of one SET_META_CONTEXT.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    pub export_name: Vec<u8>,
    pub contexts: Vec<Selected>,
}

impl Selection {
    /// Returns true if the selection holds for the export that is being opened.
    /// The protocol requires the same name, not another name of the same
    /// export.
    pub fn is_for(&self, name: &[u8]) -> bool {
        self.export_name == name && !self.contexts.is_empty()
    }
}

/// The agreement so far, while options are negotiated.
#[derive(Debug)]
pub struct Agreed {
    /// True if EXPORT_NAME is answered without padding.
    pub no_zeroes: bool,
    /// True if the whole negotiation took place over TLS.
    pub encrypted: bool,
    pub headers: Headers,
    /// The outcome of the last SET_META_CONTEXT.
    pub selection: Option<Selection>,
    /// Number of SET_META_CONTEXT so far; each one hands out different ids.
    pub selections: u32,
}

impl Agreed {
    /// Returns the state after the client flags, on a connection with or
    /// without TLS.
    pub fn new(no_zeroes: bool, encrypted: bool) -> Agreed {
        Agreed {
            no_zeroes,
            encrypted,
            headers: Headers::Simple,
            selection: None,
            selections: 0,
        }
    }
}

/// The export that the client opened, and how it is served: the end of the handshake.
#[derive(Debug)]
pub struct Opened {
    /// The index of the export.
    pub export: usize,
    /// Transmission flags that hold for this client.
    pub flags: u16,
    pub headers: Headers,
    pub contexts: Vec<Selected>,
}
