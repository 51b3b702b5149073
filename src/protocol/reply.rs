// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replies of the transmission phase: simple, structured, extended.

use super::bytes::Reader;

/// `NBD_SIMPLE_REPLY_MAGIC`
pub const SIMPLE_MAGIC: u32 = 0x6744_6698;
/// `NBD_STRUCTURED_REPLY_MAGIC`
pub const STRUCTURED_MAGIC: u32 = 0x668e_33ef;
/// `NBD_EXTENDED_REPLY_MAGIC`
pub const EXTENDED_MAGIC: u32 = 0x6e8a_278c;

/// Length of a simple reply's header.
pub const SIMPLE_LENGTH: usize = 16;
/// Length of a structured reply chunk's header.
pub const STRUCTURED_LENGTH: usize = 20;
/// Length of an extended reply chunk's header.
pub const EXTENDED_LENGTH: usize = 32;

/// The header of a reply; its magic selects the kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Header {
    /// A complete reply, except for the data of a read after it.
    Simple {
        /// Error number of the protocol, 0 for success.
        error: u32,
        /// The cookie of the request.
        cookie: u64,
    },
    /// One chunk of a reply.
    Chunk(ChunkHeader),
}

/// The header of a structured or extended reply chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChunkHeader {
    /// [`super::flags::REPLY_FLAG_DONE`] and undefined flags.
    pub flags: u16,
    /// The type of the payload.
    pub kind: ChunkType,
    /// The cookie of the request.
    pub cookie: u64,
    /// The offset of the request; only in extended headers.
    pub offset: Option<u64>,
    /// Length of the payload after the header.
    pub length: u64,
}

/// Types of chunks ("Structured reply types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChunkType {
    /// `NBD_REPLY_TYPE_NONE`
    None,
    /// `NBD_REPLY_TYPE_OFFSET_DATA`
    OffsetData,
    /// `NBD_REPLY_TYPE_OFFSET_HOLE`
    OffsetHole,
    /// `NBD_REPLY_TYPE_BLOCK_STATUS`
    BlockStatus,
    /// `NBD_REPLY_TYPE_BLOCK_STATUS_EXT`
    BlockStatusExt,
    /// `NBD_REPLY_TYPE_ERROR`
    Error,
    /// `NBD_REPLY_TYPE_ERROR_OFFSET`
    ErrorOffset,
    /// An unknown error: bit 15 is set. Its payload begins like that of `NBD_REPLY_TYPE_ERROR`.
    UnknownError(u16),
    /// Not defined in the document.
    Unknown(u16),
}

impl ChunkType {
    /// Returns the type for a number on the wire.
    pub fn from_wire(number: u16) -> Self {
        match number {
            0 => ChunkType::None,
            1 => ChunkType::OffsetData,
            2 => ChunkType::OffsetHole,
            5 => ChunkType::BlockStatus,
            6 => ChunkType::BlockStatusExt,
            0x8001 => ChunkType::Error,
            0x8002 => ChunkType::ErrorOffset,
            n if n & 0x8000 != 0 => ChunkType::UnknownError(n),
            n => ChunkType::Unknown(n),
        }
    }
}

/// Returns the length of the header with this magic; `None` for an unknown magic.
pub fn header_length(magic: u32) -> Option<usize> {
    match magic {
        SIMPLE_MAGIC => Some(SIMPLE_LENGTH),
        STRUCTURED_MAGIC => Some(STRUCTURED_LENGTH),
        EXTENDED_MAGIC => Some(EXTENDED_LENGTH),
        _ => None,
    }
}

/// Decodes a header of [`header_length`] bytes.
pub fn decode(bytes: &[u8]) -> Option<Header> {
    let mut reader = Reader::new(bytes);
    match reader.u32()? {
        SIMPLE_MAGIC => Some(Header::Simple {
            error: reader.u32()?,
            cookie: reader.u64()?,
        }),
        STRUCTURED_MAGIC => Some(Header::Chunk(ChunkHeader {
            flags: reader.u16()?,
            kind: ChunkType::from_wire(reader.u16()?),
            cookie: reader.u64()?,
            offset: None,
            length: u64::from(reader.u32()?),
        })),
        EXTENDED_MAGIC => Some(Header::Chunk(ChunkHeader {
            flags: reader.u16()?,
            kind: ChunkType::from_wire(reader.u16()?),
            cookie: reader.u64()?,
            offset: Some(reader.u64()?),
            length: reader.u64()?,
        })),
        _ => None,
    }
}

/// Length of the offset before the data of an `NBD_REPLY_TYPE_OFFSET_DATA` chunk.
pub const OFFSET_DATA_PREFIX: usize = 8;
/// Length of an `NBD_REPLY_TYPE_OFFSET_HOLE` payload.
pub const OFFSET_HOLE_LENGTH: usize = 12;
/// Length of an `NBD_REPLY_TYPE_BLOCK_STATUS` payload before its extents: the context id.
pub const EXTENTS_PREFIX: u64 = 4;
/// Length of one of its extents: length and flags.
pub const EXTENT: u64 = 8;
/// Length of an `NBD_REPLY_TYPE_BLOCK_STATUS_EXT` payload before its extents: the context id and
/// the number of extents.
pub const EXTENTS_64_PREFIX: u64 = 8;
/// Length of one of its extents: length and flags.
pub const EXTENT_64: u64 = 16;
/// Length of an error payload before its message: error number and length of the message.
pub const ERROR_PREFIX: usize = 6;
/// Minimum length of a valid error payload: the error number.
pub const ERROR_MIN: usize = 4;

/// Decodes the payload of an `NBD_REPLY_TYPE_OFFSET_HOLE` chunk: offset and length in bytes.
pub fn offset_hole(payload: &[u8]) -> Option<(u64, u32)> {
    let mut reader = Reader::new(payload);
    Some((reader.u64()?, reader.u32()?))
}

/// The payload of an error chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorPayload<'a> {
    /// Error number of the protocol.
    pub error: u32,
    /// A human-readable message; may be empty.
    pub message: &'a [u8],
    /// Trailing bytes: in `ERROR_OFFSET`, the offset.
    pub rest: &'a [u8],
}

/// Decodes the payload of an error chunk. A message length beyond the end of the payload is cut,
/// and the message may be missing: only the error number matters.
pub fn error_payload(payload: &[u8]) -> Option<ErrorPayload<'_>> {
    let mut reader = Reader::new(payload);
    let error = reader.u32()?;
    let length = reader.u16().map_or(0, usize::from);
    let rest = reader.rest();
    let (message, rest) = rest.split_at(length.min(rest.len()));
    Some(ErrorPayload {
        error,
        message,
        rest,
    })
}

/// Splits a block status payload into the context id and the rest.
pub fn context_id(payload: &[u8]) -> Option<(u32, &[u8])> {
    let mut reader = Reader::new(payload);
    Some((reader.u32()?, reader.rest()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_types_with_bit_15_are_errors() {
        assert_eq!(ChunkType::from_wire(0x8001), ChunkType::Error);
        assert_eq!(
            ChunkType::from_wire(0x8003),
            ChunkType::UnknownError(0x8003)
        );
        for unknown in [3, 4, 7, 0x7fff] {
            assert_eq!(ChunkType::from_wire(unknown), ChunkType::Unknown(unknown));
        }
    }

    #[test]
    fn an_error_counts_however_its_message_ends() {
        let cases: [(&[u8], &[u8], &[u8]); 4] = [
            (b"\0\0\0\x05", b"", b""),
            (b"\0\0\0\x05\0\0", b"", b""),
            (b"\0\0\0\x05\0\x02noyes", b"no", b"yes"),
            (b"\0\0\0\x05\0\x09no", b"no", b""),
        ];
        for (payload, message, rest) in cases {
            let expected = ErrorPayload {
                error: 5,
                message,
                rest,
            };
            assert_eq!(error_payload(payload), Some(expected));
        }
        assert_eq!(error_payload(b"\0\0\x05"), None);
    }
}
