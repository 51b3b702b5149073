// SPDX-License-Identifier: LGPL-2.1-or-later

//! The position of the next bytes in a reply.

use libc::c_int;

use crate::protocol::flags::REPLY_FLAG_DONE;
use crate::protocol::reply::{ChunkHeader, ChunkType};

/// The position in a reply.
#[derive(Debug, Clone, Copy)]
pub(super) enum Receiving {
    /// Before or in a header.
    Header,
    /// In the offset that starts a data chunk.
    DataOffset(Chunk),
    /// In data for a user's buffer.
    Data(Data),
    /// In a payload that is decoded when it is complete.
    Payload(Chunk),
    /// In a payload that is skipped.
    Skip {
        /// The chunk of the payload.
        chunk: Chunk,
        /// Bytes still to come.
        left: u64,
        /// The error of the command after that; 0 for none.
        errno: c_int,
    },
    /// After the last chunk of a command.
    Done(u64),
    /// After any other complete message: a simple reply, or a chunk.
    End,
}

impl Receiving {
    /// Returns the number of bytes of the message still to come, after `begun` bytes that are
    /// kept. `None` while its header is incomplete.
    pub fn left(&self, begun: usize) -> Option<u64> {
        Some(match self {
            Receiving::Header => return None,
            Receiving::DataOffset(chunk) | Receiving::Payload(chunk) => chunk.length - begun as u64,
            Receiving::Data(data) => data.left as u64,
            Receiving::Skip { left, .. } => *left,
            Receiving::Done(_) | Receiving::End => 0,
        })
    }

    /// Returns true if a part after the header is incomplete, but not empty, with `begun` bytes
    /// that are kept.
    pub fn has_begun(&self, begun: usize) -> bool {
        match self {
            Receiving::DataOffset(_) | Receiving::Payload(_) => begun > 0,
            Receiving::Data(data) => data.at > data.start,
            Receiving::Skip { chunk, left, .. } => *left < chunk.length,
            Receiving::Header | Receiving::Done(_) | Receiving::End => false,
        }
    }
}

/// A chunk whose header has been received.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk {
    /// The cookie of the command; `None` if it is not in flight.
    pub cookie: Option<u64>,
    /// The type of the payload.
    pub kind: ChunkType,
    /// True for the last chunk of its command.
    pub is_last: bool,
    /// Length of the payload.
    pub length: u64,
}

impl Chunk {
    pub fn new(header: &ChunkHeader, cookie: Option<u64>) -> Self {
        Chunk {
            cookie,
            kind: header.kind,
            is_last: header.flags & REPLY_FLAG_DONE != 0,
            length: header.length,
        }
    }

    /// Returns the position after the chunk.
    pub fn after(&self) -> Receiving {
        match self.cookie {
            Some(cookie) if self.is_last => Receiving::Done(cookie),
            _ => Receiving::End,
        }
    }
}

/// Data of a read that is being received into the user's buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub cookie: u64,
    /// Start of the data in the buffer.
    pub start: usize,
    /// Offset of the next byte in the buffer.
    pub at: usize,
    /// Bytes still to come.
    pub left: usize,
    /// True if the data completes the command.
    pub is_last: bool,
}

impl Data {
    /// Returns the position after the bytes received so far.
    pub fn after(&self) -> Receiving {
        match self.left {
            0 if self.is_last => Receiving::Done(self.cookie),
            0 => Receiving::End,
            _ => Receiving::Data(*self),
        }
    }
}
