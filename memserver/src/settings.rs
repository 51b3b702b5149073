// SPDX-License-Identifier: LGPL-2.1-or-later

//! How the server speaks the protocol and how it misbehaves; the same for all
//! connections.

use std::time::Duration;

use crate::faults::FaultRule;

/// The three handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One export, no options.
    Oldstyle,
    /// Newstyle that is not fixed: EXPORT_NAME is the only option.
    Newstyle,
    /// Options with replies.
    FixedNewstyle,
}

/// Whether connections are encrypted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// STARTTLS is not known: NOTLS in the protocol document.
    Off,
    /// Nothing but STARTTLS works without: FORCEDTLS.
    Require,
    /// The client chooses: SELECTIVETLS.
    On,
}

/// Replies an error to a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRule {
    /// The command that fails.
    pub command: u16,
    /// The error value.
    pub error: u32,
    /// Only requests that touch this byte fail, and the reply names it.
    pub offset: Option<u64>,
    /// Only the so-many-th matching request of a connection, counted from 1.
    pub only: Option<u64>,
}

/// Everything but the exports and the sockets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which handshake.
    pub style: Style,
    /// Whether STARTTLS is known, or even needed.
    pub tls: TlsMode,
    /// End TLS with the alert that says so.
    pub close_notify: bool,
    /// Agree to STRUCTURED_REPLY.
    pub structured_replies: bool,
    /// Agree to EXTENDED_HEADERS.
    pub extended_headers: bool,
    /// Offer to leave out the padding after EXPORT_NAME.
    pub no_zeroes: bool,
    /// Know GO, and with it INFO and EXTENDED_HEADERS.
    pub go: bool,
    /// Know INFO.
    pub info: bool,
    /// Allow LIST.
    pub list: bool,
    /// Know LIST_META_CONTEXT and SET_META_CONTEXT.
    pub meta_context: bool,
    /// GO without a request for block sizes is refused.
    pub require_block_size: bool,
    /// Option and the error reply type it gets.
    pub option_errors: Vec<(u32, u32)>,

    /// Longest data chunk of a structured read.
    pub read_chunks: Option<u64>,
    /// Tell runs of zeroes at least this long as holes; `None` for never.
    pub min_hole: Option<u64>,
    /// Send the chunks of a read last first.
    pub reverse_chunks: bool,
    /// Answer with simple replies where structured ones are not obligatory.
    pub simple_acks: bool,
    /// Let the last extent reach past the end of the request.
    pub long_extents: bool,
    /// Refuse every FAST_ZERO.
    pub slow_zero: bool,
    /// Refuse DF reads longer than this.
    pub df_limit: u64,
    /// Accept WRITE with extended headers without PAYLOAD_LEN.
    pub lax_payload_flag: bool,

    /// Errors to reply; the first that matches counts.
    pub errors: Vec<ErrorRule>,
    /// Breaches of the protocol.
    pub faults: Vec<FaultRule>,

    /// Hold so many replies and send them in another order.
    pub shuffle: usize,
    /// Mix the chunks of the replies that are held.
    pub interleave: bool,
    /// Send replies this much later.
    pub delay: Duration,
    /// Chooses the order of shuffled replies.
    pub seed: u64,

    /// Bytes passed to one send call at most.
    pub send_size: usize,
    /// Send so many bytes and then nothing more.
    pub stall_after: Option<u64>,
    /// Send so many bytes and then close.
    pub close_after: Option<u64>,
    /// Reply to so many requests and then close.
    pub close_after_requests: Option<u64>,
    /// One line per request on standard error.
    pub log: bool,
}

impl Default for Settings {
    fn default() -> Settings {
        Settings {
            style: Style::FixedNewstyle,
            tls: TlsMode::Off,
            close_notify: true,
            structured_replies: true,
            extended_headers: true,
            no_zeroes: true,
            go: true,
            info: true,
            list: true,
            meta_context: true,
            require_block_size: false,
            option_errors: Vec::new(),
            read_chunks: None,
            min_hole: Some(4096),
            reverse_chunks: false,
            simple_acks: false,
            long_extents: false,
            slow_zero: false,
            df_limit: u64::MAX,
            lax_payload_flag: false,
            errors: Vec::new(),
            faults: Vec::new(),
            shuffle: 0,
            interleave: false,
            delay: Duration::ZERO,
            seed: 1,
            send_size: usize::MAX,
            stall_after: None,
            close_after: None,
            close_after_requests: None,
            log: false,
        }
    }
}
