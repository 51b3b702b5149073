// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's preferences for the negotiation.

use std::ffi::CString;

use crate::protocol::flags;

/// The use of TLS (nbd_set_tls(3)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Tls {
    /// Only by nbd_opt_starttls: `LIBNBD_TLS_DISABLE`.
    Disable,
    /// If the server agrees: `LIBNBD_TLS_ALLOW`.
    Allow,
    /// Always; otherwise connecting fails: `LIBNBD_TLS_REQUIRE`.
    Require,
}

/// The features to negotiate. They are read when the option concerned is sent, so a program in
/// option mode can change them between options.
#[derive(Debug, Clone)]
pub struct Preferences {
    /// The export to request; empty for the server's default.
    pub export_name: CString,
    /// Request block size constraints (nbd_set_request_block_size(3)).
    pub request_block_size: bool,
    /// Request the canonical name and the description (nbd_set_full_info(3)).
    pub full_info: bool,
    /// Request extended headers (64-bit lengths); only together with structured replies.
    pub request_extended_headers: bool,
    /// Request structured replies.
    pub request_structured_replies: bool,
    /// Request [`Preferences::meta_contexts`] before `NBD_OPT_GO` and `NBD_OPT_INFO`.
    pub request_meta_context: bool,
    /// The contexts to request, in order.
    pub meta_contexts: Vec<CString>,
    /// Handshake flags that the client accepts.
    pub handshake_flags: u16,
    /// Request TLS before anything else.
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
