// SPDX-License-Identifier: LGPL-2.1-or-later

//! Where in a reply the bytes are that come next.

use libc::c_int;

use crate::protocol::flags::REPLY_FLAG_DONE;
use crate::protocol::reply::{ChunkHeader, ChunkType};

/// Where in a reply.
#[derive(Debug, Clone, Copy)]
pub(super) enum Receiving {
    /// Before or inside a header.
    Header,
    /// Inside the offset that begins a data chunk.
    DataOffset(Chunk),
    /// Inside data for a user's buffer.
    Data(Data),
    /// Inside a payload that is decoded once it is complete.
    Payload(Chunk),
    /// Inside a payload that is of no use.
    Skip {
        /// The chunk that it belongs to.
        chunk: Chunk,
        /// Bytes still to come.
        left: u64,
        /// What the command fails with when they have; 0 for nothing.
        errno: c_int,
    },
    /// After a chunk that was the last one of its command.
    Done(u64),
    /// After any other whole message: a simple reply, or a chunk.
    End,
}

impl Receiving {
    /// Returns how many bytes of the message are still to come, after `begun` ones that
    /// are being kept. `None` as long as its header is not there.
    pub fn left(&self, begun: usize) -> Option<u64> {
        Some(match self {
            Receiving::Header => return None,
            Receiving::DataOffset(chunk) | Receiving::Payload(chunk) => chunk.length - begun as u64,
            Receiving::Data(data) => data.left as u64,
            Receiving::Skip { left, .. } => *left,
            Receiving::Done(_) | Receiving::End => 0,
        })
    }

    /// Returns whether a part after the header has begun and is not complete, with
    /// `begun` bytes that are being kept.
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
    /// The command that it answers; `None` for a cookie that is not in flight.
    pub cookie: Option<u64>,
    /// What the payload is.
    pub kind: ChunkType,
    /// Whether it is the last one of its command.
    pub is_last: bool,
    /// Bytes of payload.
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

    /// Where to go on after the chunk.
    pub fn after(&self) -> Receiving {
        match self.cookie {
            Some(cookie) if self.is_last => Receiving::Done(cookie),
            _ => Receiving::End,
        }
    }
}

/// Data of a read on its way to the user's buffer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Data {
    pub cookie: u64,
    /// Where the data begins, in the buffer.
    pub start: usize,
    /// Where the next byte belongs.
    pub at: usize,
    /// Bytes still to come.
    pub left: usize,
    /// Whether the command is complete with it.
    pub is_last: bool,
}

impl Data {
    /// Where to go on after the bytes that have come.
    pub fn after(&self) -> Receiving {
        match self.left {
            0 if self.is_last => Receiving::Done(self.cookie),
            0 => Receiving::End,
            _ => Receiving::Data(*self),
        }
    }
}
