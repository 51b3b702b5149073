// SPDX-License-Identifier: LGPL-2.1-or-later

//! An option in flight.

use super::meta_contexts::MetaContext;
use crate::protocol::option::{OptionType, ReplyHeader, ReplyType, REPLY_HEADER_LENGTH};
use crate::protocol::MAX_STRING;

/// The longest data of an option reply that is taken in, in bytes: two strings
/// and the length of one (`NBD_REP_SERVER`). Longer data is skipped.
/// Source: seen with libnbd 1.24.4.
pub(super) const MAX_REPLY_DATA: u32 = 4 + 2 * MAX_STRING as u32;

/// Who wanted an option.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Purpose {
    /// The connection on its way to transmission or to the pause.
    Connect,
    /// The program, in option mode: `NBD_OPT_GO`, and meta contexts before it.
    Go,
    /// The program, in option mode: `NBD_OPT_INFO`, and meta contexts before
    /// it.
    Info,
    /// The program, in option mode: this option and nothing else.
    Program,
}

/// An option whose replies are awaited.
#[derive(Debug)]
pub(super) struct Pending {
    /// The option that was sent.
    pub option: OptionType,
    /// Who wanted it.
    pub purpose: Purpose,
    /// The header of the reply whose data is awaited.
    pub header: Option<ReplyHeader>,
    /// Bytes of that data that are still to be skipped.
    pub skip: usize,
    /// Replies so far.
    pub all_replies: u32,
    /// Replies so far that said something.
    pub replies: u32,
    /// Meta contexts selected so far.
    pub meta_contexts: Vec<MetaContext>,
    /// Bytes of memory that these take up.
    pub meta_context_bytes: usize,
}

impl Pending {
    pub fn new(option: OptionType, purpose: Purpose) -> Self {
        Pending {
            option,
            purpose,
            header: None,
            skip: 0,
            all_replies: 0,
            replies: 0,
            meta_contexts: Vec::new(),
            meta_context_bytes: 0,
        }
    }

    /// Whether the header of a reply is there, and its data awaited.
    pub fn has_header(&self) -> bool {
        self.header.is_some()
    }

    /// How many bytes the reply that is being received has, and the shortest one
    /// after it if there has to be one.
    pub fn left_of_replies(&self) -> usize {
        let Some(header) = &self.header else {
            return match self.option {
                // Plaintext after an agreement to TLS has to be seen: it is not
                // part of the session, but an attack.
                OptionType::StartTls => usize::MAX,
                _ => REPLY_HEADER_LENGTH,
            };
        };
        let next = match ReplyType::from_wire(header.reply) {
            ReplyType::Server | ReplyType::Info | ReplyType::MetaContext => REPLY_HEADER_LENGTH,
            _ => 0,
        };
        match header.length > MAX_REPLY_DATA {
            true => self.skip + next,
            false => header.length as usize + next,
        }
    }
}
