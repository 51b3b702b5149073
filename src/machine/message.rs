// SPDX-License-Identifier: LGPL-2.1-or-later

//! The length of the current message: how many bytes may be received for it, and whether it ends
//! within the available bytes.
//!
//! Each state of the parsers knows how many bytes it expects: [`Part::left`] during the
//! negotiation, [`Receiving::left`] after that.
//!
//! [`Part::left`]: super::pending::Part::left

use super::chunk;
use super::core::Machine;
use super::phase::Phase;
use super::receiving::Receiving;
use crate::protocol::handshake;
use crate::protocol::reply::{
    self, ChunkHeader, Header, EXTENDED_LENGTH, OFFSET_DATA_PREFIX, SIMPLE_LENGTH,
    STRUCTURED_LENGTH,
};
use crate::protocol::request::RequestType;

impl<T> Machine<T> {
    /// Returns the number of bytes to receive next, at most `room`, without any byte after the
    /// current message, unless the server violates the protocol. Not 0 if bytes are expected.
    pub fn rest_of_message(&self, room: usize) -> usize {
        let Phase::Transmission { receiving, .. } = *self.phase else {
            return self.rest_of_handshake().min(room);
        };
        let begun = self.inbox.len();
        let left = match receiving {
            // Data that exceeds the room goes to the user's buffer instead.
            Receiving::DataOffset(chunk) if chunk.length > room as u64 => {
                OFFSET_DATA_PREFIX - begun
            }
            _ => match receiving.left(begun) {
                Some(left) => left as usize,
                None => self.rest_of_header(),
            },
        };
        left.min(room)
    }

    /// Returns the length in bytes of the expected message, if it has no header.
    pub(super) fn handshake_length(&self) -> Option<usize> {
        match *self.phase {
            Phase::Greeting => Some(handshake::GREETING_LENGTH),
            Phase::Oldstyle => Some(handshake::OLDSTYLE_LENGTH),
            Phase::HandshakeFlags => Some(handshake::NEWSTYLE_LENGTH),
            Phase::ExportName(_) => Some(self.export_name_reply_length()),
            _ => None,
        }
    }

    /// Returns the minimum number of bytes still to come of the handshake message or option
    /// reply.
    fn rest_of_handshake(&self) -> usize {
        let whole = match &*self.phase {
            // The flags of a newstyle server follow, or more data of an oldstyle server.
            Phase::Greeting => Some(handshake::GREETING_LENGTH + handshake::NEWSTYLE_LENGTH),
            Phase::Option(pending) => pending.left(),
            _ => self.handshake_length(),
        };
        whole.map_or(usize::MAX, |it| it.saturating_sub(self.inbox.len()).max(1))
    }

    /// Returns the minimum number of bytes still to come of the next header.
    fn rest_of_header(&self) -> usize {
        let magic = self.inbox.first::<4>().map(u32::from_be_bytes);
        let length = magic.and_then(|magic| self.header_length(magic));
        let length = length.unwrap_or_else(|| self.shortest_header());
        length.saturating_sub(self.inbox.len()).max(1)
    }

    /// Returns the length of the shortest possible next header in bytes. Reads are answered by
    /// chunks if those were negotiated ("Structured reply chunk message").
    fn shortest_header(&self) -> usize {
        match self.negotiated {
            it if it.extended_headers => EXTENDED_LENGTH,
            it if it.structured_replies && self.commands.only_reads() => STRUCTURED_LENGTH,
            _ => SIMPLE_LENGTH,
        }
    }

    /// Returns true if the current message ends within `bytes`, the next ones. Also true for an
    /// invalid header, as there is nothing more to wait for.
    pub fn reaches_end_of_message(&self, bytes: &[u8]) -> bool {
        let Phase::Transmission { receiving, .. } = *self.phase else {
            return !bytes.is_empty();
        };
        let begun = self.inbox.len();
        let length = || Some(self.message_length(bytes)? - begun as u64);
        let left = receiving.left(begun).or_else(length);
        left.is_some_and(|left| bytes.len() as u64 >= left)
    }

    /// Returns the length in bytes of the message whose header starts in the inbox and continues
    /// in `bytes`; `None` while the header is incomplete.
    fn message_length(&self, bytes: &[u8]) -> Option<u64> {
        let mut joined = [0; EXTENDED_LENGTH];
        let mut header = bytes;
        if !self.inbox.is_empty() {
            let mut filled = 0;
            for part in [self.inbox.bytes(), bytes] {
                let count = part.len().min(joined.len() - filled);
                joined[filled..filled + count].copy_from_slice(&part[..count]);
                filled += count;
            }
            header = &joined[..filled];
        }
        if header.len() < self.magic_check_length() {
            return None;
        }
        let magic = *header.first_chunk::<4>()?;
        // Any other magic ends the connection.
        let Some(length) = self.header_length(u32::from_be_bytes(magic)) else {
            return Some(self.inbox.len() as u64);
        };
        let header = reply::decode(header.get(..length)?)?;
        // So does a reply to a request that has not been completely sent.
        let (Header::Simple { cookie, .. } | Header::Chunk(ChunkHeader { cookie, .. })) = header;
        if self.is_unsent(cookie) {
            return Some(self.inbox.len() as u64);
        }
        let payload = match header {
            Header::Simple { error, cookie } => self.simple_payload(error, cookie),
            // So does a chunk that is too long.
            Header::Chunk(header) if header.length > chunk::MAX_CHUNK => 0,
            Header::Chunk(header) => header.length,
        };
        Some((length as u64).saturating_add(payload))
    }

    /// Returns the length in bytes of the data after the header of a simple reply.
    fn simple_payload(&self, error: u32, cookie: u64) -> u64 {
        match self.commands.get(cookie) {
            // With structured replies, data ends the connection.
            Some(command)
                if command.kind == RequestType::Read
                    && error == 0
                    && !self.negotiated.structured_replies =>
            {
                command.length
            }
            _ => 0,
        }
    }

    /// Returns true if the current part of a message is incomplete: the header after its cookie,
    /// the offset of the data, the data, or another payload. During the negotiation: a header, or
    /// the data of an option reply.
    pub fn is_within_part(&self) -> bool {
        let Phase::Transmission { receiving, .. } = *self.phase else {
            return !self.inbox.is_empty();
        };
        let begun = self.inbox.len();
        match receiving {
            // Extended headers have one part.
            Receiving::Header => !self.negotiated.extended_headers && begun > SIMPLE_LENGTH,
            _ => receiving.has_begun(begun),
        }
    }

    /// Returns the length in bytes of a header with this magic; `None` if the magic is unknown or
    /// was not negotiated.
    pub(super) fn header_length(&self, magic: u32) -> Option<usize> {
        let expected = match magic {
            reply::SIMPLE_MAGIC => !self.negotiated.extended_headers,
            reply::STRUCTURED_MAGIC => {
                self.negotiated.structured_replies && !self.negotiated.extended_headers
            }
            reply::EXTENDED_MAGIC => self.negotiated.extended_headers,
            _ => false,
        };
        reply::header_length(magic).filter(|_| expected)
    }

    /// Returns the number of bytes of a header that must be available before its magic is
    /// checked.
    /// Source: seen with libnbd 1.24.4.
    fn magic_check_length(&self) -> usize {
        match self.negotiated.extended_headers {
            true => 4,
            false => SIMPLE_LENGTH,
        }
    }
}
