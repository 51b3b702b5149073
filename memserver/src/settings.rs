// SPDX-License-Identifier: LGPL-2.1-or-later

//! Protocol behaviour and misbehaviour of the server, the same for all
//! connections.

use std::time::Duration;

use crate::faults::FaultRule;

/// The three handshakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One export, no options.
    Oldstyle,
    /// Newstyle that is not "fixed": EXPORT_NAME is the only option.
    Newstyle,
    /// Newstyle with option replies.
    FixedNewstyle,
}

/// Availability of TLS.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TlsMode {
    /// STARTTLS is unsupported: NOTLS in the protocol document.
    Off,
    /// Only STARTTLS works without TLS: FORCEDTLS.
    Require,
    /// The client chooses: SELECTIVETLS.
    On,
}

/// A rule that makes matching commands fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErrorRule {
    /// The command that fails.
    pub command: u16,
    /// The error value.
    pub error: u32,
    /// Limits the rule to requests that touch this byte, which the reply names.
    pub offset: Option<u64>,
    /// Limits the rule to this matching request of a connection, counted from
    /// 1.
    pub only: Option<u64>,
}

/// All settings except exports and sockets.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Handshake style.
    pub style: Style,
    /// TLS mode.
    pub tls: TlsMode,
    /// End TLS with a close_notify alert.
    pub close_notify: bool,
    /// Agree to STRUCTURED_REPLY.
    pub structured_replies: bool,
    /// Agree to EXTENDED_HEADERS.
    pub extended_headers: bool,
    /// Offer to omit the padding after EXPORT_NAME.
    pub no_zeroes: bool,
    /// Support GO, and with it INFO and EXTENDED_HEADERS.
    pub go: bool,
    /// Support INFO.
    pub info: bool,
    /// Allow LIST.
    pub list: bool,
    /// Support LIST_META_CONTEXT and SET_META_CONTEXT.
    pub meta_context: bool,
    /// Refuse GO without a request for block sizes.
    pub require_block_size: bool,
    /// Options that fail, with the type of the error reply.
    pub option_errors: Vec<(u32, u32)>,

    /// Maximum length of a data chunk of a structured read.
    pub read_chunks: Option<u64>,
    /// Minimum length of a run of zeroes sent as a hole; `None` to send no
    /// holes.
    pub min_hole: Option<u64>,
    /// Send the chunks of a read in reverse order.
    pub reverse_chunks: bool,
    /// Use simple replies where structured ones are not mandatory.
    pub simple_acks: bool,
    /// Let the last extent reach beyond the end of the request.
    pub long_extents: bool,
    /// Refuse every FAST_ZERO.
    pub slow_zero: bool,
    /// Refuse DF reads longer than this.
    pub df_limit: u64,
    /// Accept WRITE with extended headers without PAYLOAD_LEN.
    pub lax_payload_flag: bool,

    /// Errors to reply; the first match applies.
    pub errors: Vec<ErrorRule>,
    /// Protocol violations.
    pub faults: Vec<FaultRule>,

    /// Hold this many replies and send them in another order.
    pub shuffle: usize,
    /// Interleave the chunks of held replies.
    pub interleave: bool,
    /// Delay of each reply.
    pub delay: Duration,
    /// Seed for the order of shuffled replies.
    pub seed: u64,

    /// Maximum number of bytes passed to one send call.
    pub send_size: usize,
    /// Stop sending after this many bytes.
    pub stall_after: Option<u64>,
    /// Close after sending this many bytes.
    pub close_after: Option<u64>,
    /// Close after replying to this many requests.
    pub close_after_requests: Option<u64>,
    /// Log one line per request on standard error.
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
