// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the client wants of the negotiation.

use std::ffi::CString;

use crate::protocol::flags;

/// Whether to encrypt (nbd_set_tls(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Tls {
    /// Never on its own: `LIBNBD_TLS_DISABLE`.
    Disable,
    /// If the server agrees: `LIBNBD_TLS_ALLOW`.
    Allow,
    /// Or not at all: `LIBNBD_TLS_REQUIRE`.
    Require,
}

/// What to negotiate. Read when the option concerned is sent, so that a
/// program in option mode may change it between options.
#[derive(Debug, Clone)]
pub struct Preferences {
    /// The export to ask for; empty for the server's default.
    pub export_name: CString,
    /// Ask for block size constraints (nbd_set_request_block_size(3)).
    pub request_block_size: bool,
    /// Ask for the canonical name and the description (nbd_set_full_info(3)).
    pub full_info: bool,
    /// Ask for 64-bit lengths; only together with structured replies.
    pub request_extended_headers: bool,
    /// Ask for structured replies.
    pub request_structured_replies: bool,
    /// Ask for [`Preferences::meta_contexts`] before `NBD_OPT_GO` and
    /// `NBD_OPT_INFO`.
    pub request_meta_context: bool,
    /// The contexts to ask for, in order.
    pub meta_contexts: Vec<CString>,
    /// Handshake flags that the client is willing to agree to.
    pub handshake_flags: u16,
    /// Ask for TLS before anything else.
    pub tls: Tls,
    /// Pause before the export is chosen (nbd_set_opt_mode(3)).
    pub opt_mode: bool,
}

impl Default for Preferences {
    fn default() -> Self {
        Preferences {
            export_name: CString::default(),
            request_block_size: true,
            full_info: false,
            request_extended_headers: true,
            request_structured_replies: true,
            request_meta_context: true,
            meta_contexts: Vec::new(),
            handshake_flags: flags::FIXED_NEWSTYLE | flags::NO_ZEROES,
            tls: Tls::Disable,
            opt_mode: false,
        }
    }
}
