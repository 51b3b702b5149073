// SPDX-License-Identifier: LGPL-2.1-or-later

//! The outstanding option.

use std::ffi::CStr;

use super::fault::Fault;
use super::meta_contexts::MetaContext;
use super::position::Position;
use crate::protocol::option::{OptionType, ReplyHeader, ReplyType, REPLY_HEADER_LENGTH};
use crate::protocol::MAX_STRING;

/// The maximum length of option reply data that is stored, in bytes: two strings and the length
/// of one (`NBD_REP_SERVER`). Longer data is skipped.
/// Source: seen with libnbd 1.24.4.
pub(super) const MAX_REPLY_DATA: u32 = 4 + 2 * MAX_STRING as u32;

/// Constants of an option, used while its replies are received.
#[derive(Debug)]
pub(super) struct Profile {
    /// The number of the option.
    pub option: OptionType,
    /// The state text while waiting for a reply (nbd_connection_state(3)).
    pub awaiting: &'static CStr,
    /// The state text while receiving the data of a reply.
    pub receiving: &'static CStr,
    /// Checks a reply by its type and the length of its data.
    pub check: fn(ReplyType, usize) -> Result<(), Fault>,
}

/// Accepts every reply: for options whose replies may have any length.
pub(super) fn any_length(_: ReplyType, _: usize) -> Result<(), Fault> {
    Ok(())
}

/// A part of a reply to an option.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// The header.
    Header,
    /// Data of this type and length.
    Data(ReplyType, usize),
    /// The same, too long to be stored: the number of bytes still to come.
    Skip(ReplyType, usize),
}

impl Part {
    /// Returns the part that follows a header.
    pub fn after(header: &ReplyHeader) -> Part {
        let (kind, length) = (ReplyType::from_wire(header.reply), header.length as usize);
        match header.length > MAX_REPLY_DATA {
            true => Part::Skip(kind, length),
            false => Part::Data(kind, length),
        }
    }

    /// Returns the length of the part in bytes, plus that of the shortest possible next reply if
    /// one is required.
    pub fn left(&self) -> usize {
        let (kind, length) = match *self {
            Part::Header => return REPLY_HEADER_LENGTH,
            Part::Data(kind, length) | Part::Skip(kind, length) => (kind, length),
        };
        match kind {
            ReplyType::Server | ReplyType::Info | ReplyType::MetaContext => {
                length + REPLY_HEADER_LENGTH
            }
            _ => length,
        }
    }
}

/// An option that waits for replies.
#[derive(Debug)]
pub(super) struct Pending {
    /// The option that was sent.
    pub profile: &'static Profile,
    /// The steps that follow.
    pub position: Position,
    /// The part of a reply that is expected.
    pub part: Part,
    /// The number of replies so far.
    pub all_replies: u32,
    /// The number of replies so far with content.
    pub replies: u32,
    /// Meta contexts selected so far.
    pub meta_contexts: Vec<MetaContext>,
    /// The memory used by these contexts, in bytes.
    pub meta_context_bytes: usize,
}

impl Pending {
    /// Returns the state of an option that has just been sent.
    pub fn new(profile: &'static Profile, position: Position) -> Self {
        Pending {
            profile,
            position,
            part: Part::Header,
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
        match self.part {
            Part::Header => self.profile.awaiting,
            Part::Data(..) | Part::Skip(..) => self.profile.receiving,
        }
    }

    /// Returns the number of bytes that certainly belong to this reply and the next one; `None`
    /// if there is no limit.
    pub fn left(&self) -> Option<usize> {
        match (self.option(), self.part) {
            // Plaintext after an agreement to TLS must be detected: it is not part of the
            // session, but an attack.
            (OptionType::StartTls, Part::Header) => None,
            (_, part) => Some(part.left()),
        }
    }
}
