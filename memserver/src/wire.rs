// SPDX-License-Identifier: LGPL-2.1-or-later

//! NBD protocol constants, under the names of the protocol document, and a
//! cursor that parses integers from a message.
//!
//! Written from the document alone and shared with no client.

/// First eight bytes of every greeting, "NBDMAGIC".
pub const NBD_MAGIC: u64 = 0x4e42_444d_4147_4943;
/// Second magic of an oldstyle greeting.
pub const NBD_OLDSTYLE_MAGIC: u64 = 0x0000_4202_8186_1253;
/// Second magic of a newstyle greeting and first of every option, "IHAVEOPT".
pub const NBD_OPTION_MAGIC: u64 = 0x4948_4156_454f_5054;
/// First eight bytes of every option reply.
pub const NBD_OPTION_REPLY_MAGIC: u64 = 0x0003_e889_0455_65a9;

/// Handshake flag, and the client's answer to it: fixed newstyle.
pub const NBD_FLAG_FIXED_NEWSTYLE: u16 = 1 << 0;
/// Handshake flag, and the client's answer to it: no padding after EXPORT_NAME.
pub const NBD_FLAG_NO_ZEROES: u16 = 1 << 1;

/// Reserved bytes at the end of an oldstyle greeting and of the reply to
/// EXPORT_NAME.
pub const PADDING: usize = 124;

/// Transmission flags.
pub mod flag {
    pub const HAS_FLAGS: u16 = 1 << 0;
    pub const READ_ONLY: u16 = 1 << 1;
    pub const SEND_FLUSH: u16 = 1 << 2;
    pub const SEND_FUA: u16 = 1 << 3;
    pub const ROTATIONAL: u16 = 1 << 4;
    pub const SEND_TRIM: u16 = 1 << 5;
    pub const SEND_WRITE_ZEROES: u16 = 1 << 6;
    pub const SEND_DF: u16 = 1 << 7;
    pub const CAN_MULTI_CONN: u16 = 1 << 8;
    pub const SEND_CACHE: u16 = 1 << 10;
    pub const SEND_FAST_ZERO: u16 = 1 << 11;
    pub const BLOCK_STATUS_PAYLOAD: u16 = 1 << 12;
}

/// Options, `NBD_OPT_*`.
pub mod opt {
    pub const EXPORT_NAME: u32 = 1;
    pub const ABORT: u32 = 2;
    pub const LIST: u32 = 3;
    pub const STARTTLS: u32 = 5;
    pub const INFO: u32 = 6;
    pub const GO: u32 = 7;
    pub const STRUCTURED_REPLY: u32 = 8;
    pub const LIST_META_CONTEXT: u32 = 9;
    pub const SET_META_CONTEXT: u32 = 10;
    pub const EXTENDED_HEADERS: u32 = 11;

    /// Every option under its name in the protocol document.
    pub const NAMES: &[(&str, u32)] = &[
        ("EXPORT_NAME", EXPORT_NAME),
        ("ABORT", ABORT),
        ("LIST", LIST),
        ("STARTTLS", STARTTLS),
        ("INFO", INFO),
        ("GO", GO),
        ("STRUCTURED_REPLY", STRUCTURED_REPLY),
        ("LIST_META_CONTEXT", LIST_META_CONTEXT),
        ("SET_META_CONTEXT", SET_META_CONTEXT),
        ("EXTENDED_HEADERS", EXTENDED_HEADERS),
    ];
}

/// Option reply types, `NBD_REP_*`.
pub mod rep {
    pub const ACK: u32 = 1;
    pub const SERVER: u32 = 2;
    pub const INFO: u32 = 3;
    pub const META_CONTEXT: u32 = 4;
    /// Set in every error reply.
    pub const ERROR_BIT: u32 = 1 << 31;
    pub const ERR_UNSUP: u32 = ERROR_BIT + 1;
    pub const ERR_POLICY: u32 = ERROR_BIT + 2;
    pub const ERR_INVALID: u32 = ERROR_BIT + 3;
    pub const ERR_PLATFORM: u32 = ERROR_BIT + 4;
    pub const ERR_TLS_REQD: u32 = ERROR_BIT + 5;
    pub const ERR_UNKNOWN: u32 = ERROR_BIT + 6;
    pub const ERR_SHUTDOWN: u32 = ERROR_BIT + 7;
    pub const ERR_BLOCK_SIZE_REQD: u32 = ERROR_BIT + 8;
    pub const ERR_TOO_BIG: u32 = ERROR_BIT + 9;
    pub const ERR_EXT_HEADER_REQD: u32 = ERROR_BIT + 10;

    /// Every error reply under its name without `NBD_REP_ERR_`.
    pub const ERROR_NAMES: &[(&str, u32)] = &[
        ("UNSUP", ERR_UNSUP),
        ("POLICY", ERR_POLICY),
        ("INVALID", ERR_INVALID),
        ("PLATFORM", ERR_PLATFORM),
        ("TLS_REQD", ERR_TLS_REQD),
        ("UNKNOWN", ERR_UNKNOWN),
        ("SHUTDOWN", ERR_SHUTDOWN),
        ("BLOCK_SIZE_REQD", ERR_BLOCK_SIZE_REQD),
        ("TOO_BIG", ERR_TOO_BIG),
        ("EXT_HEADER_REQD", ERR_EXT_HEADER_REQD),
    ];
}

/// Information types, `NBD_INFO_*`.
pub mod info {
    pub const EXPORT: u16 = 0;
    pub const NAME: u16 = 1;
    pub const DESCRIPTION: u16 = 2;
    pub const BLOCK_SIZE: u16 = 3;
}

/// First four bytes of a compact request.
pub const NBD_REQUEST_MAGIC: u32 = 0x2560_9513;
/// First four bytes of an extended request.
pub const NBD_EXTENDED_REQUEST_MAGIC: u32 = 0x21e4_1c71;
/// First four bytes of a simple reply.
pub const NBD_SIMPLE_REPLY_MAGIC: u32 = 0x6744_6698;
/// First four bytes of a structured reply chunk.
pub const NBD_STRUCTURED_REPLY_MAGIC: u32 = 0x668e_33ef;
/// First four bytes of an extended reply chunk.
pub const NBD_EXTENDED_REPLY_MAGIC: u32 = 0x6e8a_278c;

/// Commands, `NBD_CMD_*`.
pub mod cmd {
    pub const READ: u16 = 0;
    pub const WRITE: u16 = 1;
    pub const DISC: u16 = 2;
    pub const FLUSH: u16 = 3;
    pub const TRIM: u16 = 4;
    pub const CACHE: u16 = 5;
    pub const WRITE_ZEROES: u16 = 6;
    pub const BLOCK_STATUS: u16 = 7;

    /// Every command under its name in the protocol document.
    pub const NAMES: &[(&str, u16)] = &[
        ("READ", READ),
        ("WRITE", WRITE),
        ("DISC", DISC),
        ("FLUSH", FLUSH),
        ("TRIM", TRIM),
        ("CACHE", CACHE),
        ("WRITE_ZEROES", WRITE_ZEROES),
        ("BLOCK_STATUS", BLOCK_STATUS),
    ];
}

/// Command flags, `NBD_CMD_FLAG_*`.
pub mod cmd_flag {
    pub const FUA: u16 = 1 << 0;
    pub const NO_HOLE: u16 = 1 << 1;
    pub const DF: u16 = 1 << 2;
    pub const REQ_ONE: u16 = 1 << 3;
    pub const FAST_ZERO: u16 = 1 << 4;
    pub const PAYLOAD_LEN: u16 = 1 << 5;
}

/// The one reply flag: last chunk of the reply.
pub const NBD_REPLY_FLAG_DONE: u16 = 1 << 0;

/// Chunk types, `NBD_REPLY_TYPE_*`.
pub mod chunk {
    pub const NONE: u16 = 0;
    pub const OFFSET_DATA: u16 = 1;
    pub const OFFSET_HOLE: u16 = 2;
    pub const BLOCK_STATUS: u16 = 5;
    pub const BLOCK_STATUS_EXT: u16 = 6;
    pub const ERROR: u16 = (1 << 15) + 1;
    pub const ERROR_OFFSET: u16 = (1 << 15) + 2;
}

/// `NBD_STATE_HOLE` of `base:allocation`.
pub const NBD_STATE_HOLE: u64 = 1 << 0;
/// `NBD_STATE_ZERO` of `base:allocation`.
pub const NBD_STATE_ZERO: u64 = 1 << 1;

/// Error values, `NBD_E*`.
pub mod error {
    pub const EPERM: u32 = 1;
    pub const EIO: u32 = 5;
    pub const ENOMEM: u32 = 12;
    pub const EINVAL: u32 = 22;
    pub const ENOSPC: u32 = 28;
    pub const EOVERFLOW: u32 = 75;
    pub const ENOTSUP: u32 = 95;
    pub const ESHUTDOWN: u32 = 108;

    /// Every error value under its name.
    pub const NAMES: &[(&str, u32)] = &[
        ("EPERM", EPERM),
        ("EIO", EIO),
        ("ENOMEM", ENOMEM),
        ("EINVAL", EINVAL),
        ("ENOSPC", ENOSPC),
        ("EOVERFLOW", EOVERFLOW),
        ("ENOTSUP", ENOTSUP),
        ("ESHUTDOWN", ESHUTDOWN),
    ];
}

/// Maximum length of a string in the protocol.
pub const MAX_STRING: usize = 4096;

/// Looks up a name in one of the tables above.
pub fn by_name<T: Copy>(table: &[(&str, T)], name: &str) -> Option<T> {
    table
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|&(_, value)| value)
}

/// Returns the name of a value in one of the tables above.
pub fn name_of<T: Copy + PartialEq>(
    table: &'static [(&'static str, T)],
    value: T,
) -> Option<&'static str> {
    table
        .iter()
        .find(|&&(_, known)| known == value)
        .map(|&(name, _)| name)
}

/// A parser of big-endian integers and byte strings.
#[derive(Debug, Clone, Copy)]
pub struct Cursor<'a>(pub &'a [u8]);

impl<'a> Cursor<'a> {
    /// Returns the next `n` bytes, or `None` if the message is shorter.
    pub fn bytes(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    /// Returns the next 16-bit integer.
    pub fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    /// Returns the next 32-bit integer.
    pub fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    /// Returns the next 64-bit integer.
    pub fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    /// Returns a string preceded by its 32-bit length.
    pub fn string(&mut self) -> Option<&'a [u8]> {
        let n = self.u32()?;
        self.bytes(usize::try_from(n).ok()?)
    }

    /// Returns true if nothing is left.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cursor_does_not_read_past_the_end() {
        let mut cursor = Cursor(&[0, 1, 0, 0, 0, 2, b'a', b'b', 9]);
        assert_eq!(cursor.u16(), Some(1));
        assert_eq!(cursor.string(), Some(&b"ab"[..]));
        assert_eq!(cursor.u16(), None);
        assert_eq!(cursor.bytes(1), Some(&[9][..]));
        assert!(cursor.is_empty());
        assert_eq!(Cursor(&[0xff; 6]).string(), None);
    }

    #[test]
    fn names_are_found_both_ways() {
        assert_eq!(by_name(opt::NAMES, "go"), Some(opt::GO));
        assert_eq!(by_name(opt::NAMES, "PEEK"), None);
        assert_eq!(name_of(error::NAMES, error::EIO), Some("EIO"));
    }
}
