// SPDX-License-Identifier: LGPL-2.1-or-later

//! Messages of a server in the transmission phase, before encoding.

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
            } => [
                &0x6744_6698_u32.to_be_bytes()[..],
                &error.to_be_bytes(),
                &cookie.to_be_bytes(),
                data,
            ]
            .concat(),
            Message::Chunk(chunk) if style == Style::Extended => chunk.extended(),
            Message::Chunk(chunk) => chunk.structured(),
            Message::Raw(bytes) => bytes.clone(),
        }
    }
}

impl Chunk {
    fn structured(&self) -> Vec<u8> {
        let length = self.payload.len() as u32;
        [
            &0x668e_33ef_u32.to_be_bytes()[..],
            &self.flags.to_be_bytes(),
            &self.kind.to_be_bytes(),
            &self.cookie.to_be_bytes(),
            &length.to_be_bytes(),
            &self.payload,
        ]
        .concat()
    }

    fn extended(&self) -> Vec<u8> {
        let length = self.payload.len() as u64;
        [
            &0x6e8a_278c_u32.to_be_bytes()[..],
            &self.flags.to_be_bytes(),
            &self.kind.to_be_bytes(),
            &self.cookie.to_be_bytes(),
            &self.offset.to_be_bytes(),
            &length.to_be_bytes(),
            &self.payload,
        ]
        .concat()
    }
}
