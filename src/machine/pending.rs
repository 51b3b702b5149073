// SPDX-License-Identifier: LGPL-2.1-or-later

//! An option in flight.

use std::ffi::CStr;

use super::fault::Fault;
use super::meta_contexts::MetaContext;
use super::position::Position;
use crate::protocol::option::{OptionType, ReplyHeader, ReplyType, REPLY_HEADER_LENGTH};
use crate::protocol::MAX_STRING;

/// The longest data of an option reply that is taken in, in bytes: two strings
/// and the length of one (`NBD_REP_SERVER`). Longer data is skipped.
/// Source: seen with libnbd 1.24.4.
pub(super) const MAX_REPLY_DATA: u32 = 4 + 2 * MAX_STRING as u32;

/// Constants of an option that are needed while its replies are received.
#[derive(Debug)]
pub(super) struct Profile {
    /// The number of the option.
    pub option: OptionType,
    /// The state in words (nbd_connection_state(3)): a reply is awaited.
    pub awaiting: &'static CStr,
    /// The same: the data of a reply is being received.
    pub receiving: &'static CStr,
    /// Check of a reply by its type and the length of its data.
    pub check: fn(ReplyType, usize) -> Result<(), Fault>,
}

/// Accepts every reply: the check of options whose replies may have any length.
pub(super) fn any_length(_: ReplyType, _: usize) -> Result<(), Fault> {
    Ok(())
}

/// An option whose replies are awaited.
#[derive(Debug)]
pub(super) struct Pending {
    /// The option that was sent.
    pub profile: &'static Profile,
    /// The steps that follow.
    pub position: Position,
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
    /// Returns the state of an option that has just been sent.
    pub fn new(profile: &'static Profile, position: Position) -> Self {
        Pending {
            profile,
            position,
            header: None,
            skip: 0,
            all_replies: 0,
            replies: 0,
            meta_contexts: Vec::new(),
            meta_context_bytes: 0,
        }
    }

    /// Returns the option that was sent.
    pub fn option(&self) -> OptionType {
        self.profile.option
    }

    /// Returns the state in words (nbd_connection_state(3)).
    pub fn description(&self) -> &'static CStr {
        match self.header {
            None => self.profile.awaiting,
            Some(_) => self.profile.receiving,
        }
    }

    /// How many bytes the reply that is being received has, and the shortest one
    /// after it if there has to be one.
    pub fn left_of_replies(&self) -> usize {
        let Some(header) = &self.header else {
            return match self.option() {
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
