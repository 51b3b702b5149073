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

/// A part of a reply to an option.
#[derive(Debug, Clone, Copy)]
pub(super) enum Part {
    /// Its header.
    Header,
    /// The data of a reply of that type, so many bytes.
    Data(ReplyType, usize),
    /// The same, too long to be taken in: so many bytes are still to come.
    Skip(ReplyType, usize),
}

impl Part {
    /// Returns the part after a header.
    pub fn after(header: &ReplyHeader) -> Part {
        let (kind, length) = (ReplyType::from_wire(header.reply), header.length as usize);
        match header.length > MAX_REPLY_DATA {
            true => Part::Skip(kind, length),
            false => Part::Data(kind, length),
        }
    }

    /// Returns the length of the part in bytes, and of the shortest reply after it if
    /// there has to be one.
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

/// An option whose replies are awaited.
#[derive(Debug)]
pub(super) struct Pending {
    /// The option that was sent.
    pub profile: &'static Profile,
    /// The steps that follow.
    pub position: Position,
    /// The part of a reply that is awaited.
    pub part: Part,
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

    /// Returns how many bytes surely belong to this reply and the next one. `None` for any
    /// number.
    pub fn left(&self) -> Option<usize> {
        match (self.option(), self.part) {
            // Plaintext after an agreement to TLS has to be seen: it is not
            // part of the session, but an attack.
            (OptionType::StartTls, Part::Header) => None,
            (_, part) => Some(part.left()),
        }
    }
}
