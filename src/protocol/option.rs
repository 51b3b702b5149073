// SPDX-License-Identifier: LGPL-2.1-or-later

//! Negotiation: options and their replies ("Option types", "Option reply types").

use std::collections::TryReserveError;

use super::bytes::Reader;
use super::handshake::IHAVEOPT;
use super::MAX_STRING;

/// The magic of every option reply.
pub const REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;
/// Length of an option reply's header.
pub const REPLY_HEADER_LENGTH: usize = 20;
/// Length of an option request's header.
pub const REQUEST_HEADER_LENGTH: usize = 16;

/// Options that a client may send.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum OptionType {
    /// `NBD_OPT_EXPORT_NAME`
    ExportName = 1,
    /// `NBD_OPT_ABORT`
    Abort = 2,
    /// `NBD_OPT_LIST`
    List = 3,
    /// `NBD_OPT_STARTTLS`
    StartTls = 5,
    /// `NBD_OPT_INFO`
    Info = 6,
    /// `NBD_OPT_GO`
    Go = 7,
    /// `NBD_OPT_STRUCTURED_REPLY`
    StructuredReply = 8,
    /// `NBD_OPT_LIST_META_CONTEXT`
    ListMetaContext = 9,
    /// `NBD_OPT_SET_META_CONTEXT`
    SetMetaContext = 10,
    /// `NBD_OPT_EXTENDED_HEADERS`
    ExtendedHeaders = 11,
}

/// Types of information. A client requests them with `NBD_OPT_INFO` and `NBD_OPT_GO`; a server
/// may also send others.
pub mod info {
    /// `NBD_INFO_EXPORT`: size and transmission flags.
    pub const EXPORT: u16 = 0;
    /// `NBD_INFO_NAME`: the canonical name.
    pub const NAME: u16 = 1;
    /// `NBD_INFO_DESCRIPTION`: a human-readable description.
    pub const DESCRIPTION: u16 = 2;
    /// `NBD_INFO_BLOCK_SIZE`: block size constraints.
    pub const BLOCK_SIZE: u16 = 3;
}

/// The type of an option reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReplyType {
    /// `NBD_REP_ACK`
    Ack,
    /// `NBD_REP_SERVER`
    Server,
    /// `NBD_REP_INFO`
    Info,
    /// `NBD_REP_META_CONTEXT`
    MetaContext,
    /// An error: bit 31 is set.
    Error(ReplyError),
    /// Not defined in the document.
    Unknown(u32),
}

impl ReplyType {
    /// Returns the type for a number on the wire.
    pub fn from_wire(number: u32) -> Self {
        match number {
            1 => ReplyType::Ack,
            2 => ReplyType::Server,
            3 => ReplyType::Info,
            4 => ReplyType::MetaContext,
            n if n & ReplyError::BIT != 0 => ReplyType::Error(ReplyError(n)),
            n => ReplyType::Unknown(n),
        }
    }

    /// Returns the number on the wire.
    pub fn to_wire(self) -> u32 {
        match self {
            ReplyType::Ack => 1,
            ReplyType::Server => 2,
            ReplyType::Info => 3,
            ReplyType::MetaContext => 4,
            ReplyType::Error(ReplyError(number)) | ReplyType::Unknown(number) => number,
        }
    }
}

/// The error number of a failed option, including bit 31.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyError(pub u32);

impl ReplyError {
    /// The bit that distinguishes errors from other reply types.
    pub const BIT: u32 = 1 << 31;
    /// `NBD_REP_ERR_UNSUP`: the server does not know the option.
    pub const UNSUP: ReplyError = ReplyError(Self::BIT + 1);
    /// `NBD_REP_ERR_POLICY`: forbidden by the server's policy.
    pub const POLICY: ReplyError = ReplyError(Self::BIT + 2);
    /// `NBD_REP_ERR_INVALID`: the server considers the request invalid.
    pub const INVALID: ReplyError = ReplyError(Self::BIT + 3);
    /// `NBD_REP_ERR_PLATFORM`: not supported on the server's system.
    pub const PLATFORM: ReplyError = ReplyError(Self::BIT + 4);
    /// `NBD_REP_ERR_TLS_REQD`: TLS must be started first.
    pub const TLS_REQD: ReplyError = ReplyError(Self::BIT + 5);
    /// `NBD_REP_ERR_UNKNOWN`: no such export.
    pub const UNKNOWN: ReplyError = ReplyError(Self::BIT + 6);
    /// `NBD_REP_ERR_SHUTDOWN`: the server is shutting down.
    pub const SHUTDOWN: ReplyError = ReplyError(Self::BIT + 7);
    /// `NBD_REP_ERR_BLOCK_SIZE_REQD`: the client must request block sizes.
    pub const BLOCK_SIZE_REQD: ReplyError = ReplyError(Self::BIT + 8);
    /// `NBD_REP_ERR_TOO_BIG`: the request or its reply is too large.
    pub const TOO_BIG: ReplyError = ReplyError(Self::BIT + 9);
    /// `NBD_REP_ERR_EXT_HEADER_REQD`: extended headers are required, or already negotiated.
    pub const EXT_HEADER_REQD: ReplyError = ReplyError(Self::BIT + 10);
}

/// The header of an option reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReplyHeader {
    /// [`REPLY_MAGIC`] in a valid reply.
    pub magic: u64,
    /// The number of the option answered.
    pub option: u32,
    /// The number of the reply type.
    pub reply: u32,
    /// Length of the data after the header.
    pub length: u32,
}

impl ReplyHeader {
    /// Decodes the header of an option reply.
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        let mut reader = Reader::new(bytes);
        Some(ReplyHeader {
            magic: reader.u64()?,
            option: reader.u32()?,
            reply: reader.u32()?,
            length: reader.u32()?,
        })
    }
}

/// Appends an option request to `out`. The length of `data` must fit into 32 bits.
pub fn encode(out: &mut Vec<u8>, option: OptionType, data: &[u8]) {
    out.extend_from_slice(&IHAVEOPT.to_be_bytes());
    out.extend_from_slice(&(option as u32).to_be_bytes());
    out.extend_from_slice(&(data.len() as u32).to_be_bytes());
    out.extend_from_slice(data);
}

/// Encodes the data of `NBD_OPT_INFO` and `NBD_OPT_GO`: the export name and the requested types
/// of information.
pub fn info_request(export: &[u8], wanted: &[u16]) -> Result<Vec<u8>, TryReserveError> {
    let mut data = Vec::new();
    data.try_reserve_exact(4 + export.len() + 2 + 2 * wanted.len())?;
    push_string(&mut data, export);
    data.extend_from_slice(&(wanted.len() as u16).to_be_bytes());
    for info in wanted {
        data.extend_from_slice(&info.to_be_bytes());
    }
    Ok(data)
}

/// Encodes the data of `NBD_OPT_LIST_META_CONTEXT` and `NBD_OPT_SET_META_CONTEXT`: the export
/// name and the queries. Returns `None` if it is too long for an option, and an error without
/// memory.
pub fn meta_context_request<'a>(
    export: &[u8],
    queries: impl ExactSizeIterator<Item = &'a [u8]> + Clone,
) -> Option<Result<Vec<u8>, TryReserveError>> {
    let string = |length: usize| 4 + length as u64;
    let all: u64 = queries.clone().map(|it| string(it.len())).sum();
    let length = u32::try_from(string(export.len()) + 4 + all).ok()?;
    let mut data = Vec::new();
    if let Err(error) = data.try_reserve_exact(length as usize) {
        return Some(Err(error));
    }
    push_string(&mut data, export);
    data.extend_from_slice(&(queries.len() as u32).to_be_bytes());
    for query in queries {
        push_string(&mut data, query);
    }
    Some(Ok(data))
}

fn push_string(data: &mut Vec<u8>, string: &[u8]) {
    data.extend_from_slice(&(string.len() as u32).to_be_bytes());
    data.extend_from_slice(string);
}

/// Decodes the data of `NBD_REP_SERVER`: name and description of an export.
pub fn server_reply(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut reader = Reader::new(data);
    let length = reader.u32()?;
    let name = reader.take(usize::try_from(length).ok()?)?;
    Some((name, reader.rest()))
}

/// Decodes the data of `NBD_REP_META_CONTEXT`: id and name of a context.
pub fn meta_context_reply(data: &[u8]) -> Option<(u32, &[u8])> {
    let mut reader = Reader::new(data);
    let id = reader.u32()?;
    Some((id, reader.rest()))
}

/// Block size constraints in bytes, from `NBD_INFO_BLOCK_SIZE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSize {
    /// Required alignment of offset and length.
    pub minimum: u32,
    /// Preferred alignment of offset and length.
    pub preferred: u32,
    /// Maximum payload.
    pub maximum: u32,
}

impl BlockSize {
    /// Returns true if the sizes satisfy "Block size constraints": minimum and preferred size are
    /// powers of 2, the minimum is at most 64 KiB, the preferred size is at least 512 and at
    /// least the minimum, and the maximum is a multiple of the minimum, or unlimited.
    pub fn is_proper(&self) -> bool {
        let least_preferred = self.minimum.max(512);
        self.minimum.is_power_of_two()
            && self.minimum <= 64 * 1024
            && self.preferred.is_power_of_two()
            && self.preferred >= least_preferred
            && self.maximum >= self.preferred
            && (self.maximum == u32::MAX || self.maximum % self.minimum == 0)
    }
}

/// The data of `NBD_REP_INFO`, decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Info<'a> {
    /// `NBD_INFO_EXPORT`: size in bytes and transmission flags.
    Export {
        /// Export size in bytes.
        size: u64,
        /// Transmission flags.
        flags: u16,
    },
    /// `NBD_INFO_NAME`
    Name(&'a [u8]),
    /// `NBD_INFO_DESCRIPTION`
    Description(&'a [u8]),
    /// `NBD_INFO_BLOCK_SIZE`
    BlockSize(BlockSize),
    /// An unknown type, to be ignored.
    Unknown(u16),
}

/// Decodes the data of `NBD_REP_INFO`. The error is the type whose data has the wrong length, or
/// `None` if the type itself is missing.
pub fn info_reply(data: &[u8]) -> Result<Info<'_>, Option<u16>> {
    let mut reader = Reader::new(data);
    let info = reader.u16().ok_or(None)?;
    let text = reader.rest();
    let proper_text = text.len() <= MAX_STRING;
    let decoded = match info {
        info::EXPORT => export_info(text),
        info::BLOCK_SIZE => block_size_info(text),
        info::NAME => proper_text.then_some(Info::Name(text)),
        info::DESCRIPTION => proper_text.then_some(Info::Description(text)),
        other => Some(Info::Unknown(other)),
    };
    decoded.ok_or(Some(info))
}

fn export_info(data: &[u8]) -> Option<Info<'static>> {
    let mut reader = Reader::new(data);
    let (size, flags) = (reader.u64()?, reader.u16()?);
    reader
        .rest()
        .is_empty()
        .then_some(Info::Export { size, flags })
}

fn block_size_info(data: &[u8]) -> Option<Info<'static>> {
    let mut reader = Reader::new(data);
    let sizes = BlockSize {
        minimum: reader.u32()?,
        preferred: reader.u32()?,
        maximum: reader.u32()?,
    };
    reader.rest().is_empty().then_some(Info::BlockSize(sizes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reply_types_have_the_numbers_that_they_came_with() {
        let numbers = [
            0,
            1,
            2,
            3,
            4,
            5,
            ReplyError::BIT,
            ReplyError::UNSUP.0,
            u32::MAX,
        ];
        for number in numbers {
            assert_eq!(ReplyType::from_wire(number).to_wire(), number);
        }
    }

    #[test]
    fn queries_are_counted_and_have_their_lengths() {
        let data = meta_context_request(b"e", [b"ab".as_slice(), b""].into_iter())
            .expect("short")
            .expect("there is memory");
        assert_eq!(data, b"\0\0\0\x01e\0\0\0\x02\0\0\0\x02ab\0\0\0\0");
        assert_eq!(data.capacity(), data.len());
    }

    #[test]
    fn information_is_asked_for_by_number_after_the_name() {
        let data = info_request(b"e", &[info::BLOCK_SIZE, info::NAME, info::DESCRIPTION])
            .expect("there is memory");
        assert_eq!(data, b"\0\0\0\x01e\0\x03\0\x03\0\x01\0\x02");
        assert_eq!(data.capacity(), data.len());
    }

    /// Source: proto.md, "Option reply types".
    #[test]
    fn refusals_have_the_numbers_of_the_document() {
        let refusals = [
            ReplyError::UNSUP,
            ReplyError::POLICY,
            ReplyError::INVALID,
            ReplyError::PLATFORM,
            ReplyError::TLS_REQD,
            ReplyError::UNKNOWN,
            ReplyError::SHUTDOWN,
            ReplyError::BLOCK_SIZE_REQD,
            ReplyError::TOO_BIG,
            ReplyError::EXT_HEADER_REQD,
        ];
        for (refusal, number) in refusals.into_iter().zip(0x8000_0001..) {
            assert_eq!(ReplyType::from_wire(number), ReplyType::Error(refusal));
        }
        assert_eq!(ReplyType::from_wire(5), ReplyType::Unknown(5));
    }

    /// Source: proto.md, "Block size constraints".
    #[test]
    fn block_sizes_are_proper_within_the_limits_of_the_document() {
        const NO_LIMIT: u32 = u32::MAX;
        for (minimum, preferred, maximum) in [
            (1, 512, 512),
            (512, 512, NO_LIMIT),
            (1024, 1024, 1024),
            (65536, 65536, 1 << 25),
            (4096, 65536, 65536 + 4096),
        ] {
            let sizes = BlockSize {
                minimum,
                preferred,
                maximum,
            };
            assert!(sizes.is_proper(), "{sizes:?}");
        }
        for (minimum, preferred, maximum) in [
            // Not a power of 2.
            (0, 4096, NO_LIMIT),
            (3, 4096, NO_LIMIT),
            (512, 4097, NO_LIMIT),
            // The minimum is too large, the preferred size or the maximum too small.
            (131_072, 131_072, NO_LIMIT),
            (1, 256, NO_LIMIT),
            (2048, 1024, NO_LIMIT),
            (512, 4096, 2048),
            // The maximum is not a multiple of the minimum.
            (4096, 4096, 6144),
        ] {
            let sizes = BlockSize {
                minimum,
                preferred,
                maximum,
            };
            assert!(!sizes.is_proper(), "{sizes:?}");
        }
    }

    #[test]
    fn information_has_the_length_of_its_kind() {
        let long = [b"\0\x01".as_slice(), &[b'x'; MAX_STRING]].concat();
        assert_eq!(info_reply(&long), Ok(Info::Name(&[b'x'; MAX_STRING])));
        let too_long = [long.as_slice(), b"x"].concat();
        assert_eq!(info_reply(&too_long), Err(Some(info::NAME)));

        assert_eq!(
            info_reply(b"\0\0\0\0\0\0\0\0\x02\0\0\x01"),
            Ok(Info::Export {
                size: 512,
                flags: 1
            })
        );
        assert_eq!(
            info_reply(b"\0\x03\0\0\0\x01\0\0\x10\0\0\x20\0\0"),
            Ok(Info::BlockSize(BlockSize {
                minimum: 1,
                preferred: 4096,
                maximum: 1 << 21,
            }))
        );
        assert_eq!(info_reply(&[0; 13]), Err(Some(info::EXPORT)));
        let improper = [b"\0\x03".as_slice(), &[0; 13]].concat();
        assert_eq!(info_reply(&improper), Err(Some(info::BLOCK_SIZE)));
        assert_eq!(info_reply(b"\0\x63any"), Ok(Info::Unknown(99)));
        assert_eq!(info_reply(b"\0"), Err(None));
    }

    #[test]
    fn queries_of_4_gib_are_too_many() {
        let long = vec![0; 16 << 20];
        let queries = [long.as_slice(); 256].into_iter();
        assert_eq!(meta_context_request(b"", queries), None);
    }
}
