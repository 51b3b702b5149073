// SPDX-License-Identifier: LGPL-2.1-or-later

//! Messages of a server in the transmission phase, before encoding.

use super::server;

/// The negotiated kind of messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    Simple,
    Structured,
    Extended,
}

/// Types of chunks. Source: proto.md, "Structured reply types".
pub const NONE: u16 = 0;
pub const DATA: u16 = 1;
pub const HOLE: u16 = 2;
pub const STATUS: u16 = 5;
pub const STATUS_EXT: u16 = 6;
pub const ERROR: u16 = 0x8001;
pub const ERROR_OFFSET: u16 = 0x8002;

/// `NBD_REPLY_FLAG_DONE`
pub const DONE: u16 = 1;

#[derive(Debug, Clone)]
pub enum Message {
    Simple {
        error: u32,
        cookie: u64,
        data: Vec<u8>,
    },
    Chunk(Chunk),
    /// Malformed bytes.
    Raw(Vec<u8>),
}

#[derive(Debug, Clone)]
pub struct Chunk {
    pub flags: u16,
    pub kind: u16,
    pub cookie: u64,
    /// Offset of the request, in an extended header.
    pub offset: u64,
    pub payload: Vec<u8>,
}

impl Message {
    /// Returns the length of its header, if the header is of the negotiated
    /// kind.
    pub fn header(&self, style: Style) -> usize {
        match (self, style) {
            (Message::Simple { .. }, _) | (Message::Raw(_), Style::Simple) => 16,
            (_, Style::Extended) => 32,
            _ => 20,
        }
    }

    pub fn bytes(&self, style: Style) -> Vec<u8> {
        match self {
            Message::Simple {
                error,
                cookie,
                data,
            } => server::simple(*cookie, *error, data),
            Message::Chunk(it) if style == Style::Extended => {
                server::extended(it.cookie, it.offset, it.flags, it.kind, &it.payload)
            }
            Message::Chunk(it) => server::chunk(it.cookie, it.flags, it.kind, &it.payload),
            Message::Raw(bytes) => bytes.clone(),
        }
    }
}
