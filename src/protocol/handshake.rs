// SPDX-License-Identifier: LGPL-2.1-or-later

//! The beginning of a connection, in both directions ("Handshake").

use super::bytes::Reader;

/// ASCII `NBDMAGIC`: the first bytes of every server.
pub const NBD_MAGIC: u64 = 0x4e42_444d_4147_4943;
/// `cliserv_magic`: the next bytes of an oldstyle server.
pub const OLDSTYLE_MAGIC: u64 = 0x0000_4202_8186_1253;
/// ASCII `IHAVEOPT`: the next bytes of a newstyle server, and the magic of each option request.
pub const IHAVEOPT: u64 = 0x4948_4156_454f_5054;

/// Length of the greeting: `NBDMAGIC` and the magic of the style.
pub const GREETING_LENGTH: usize = 16;
/// Length of the rest of an oldstyle handshake.
pub const OLDSTYLE_LENGTH: usize = 8 + 4 + 124;
/// Length of the rest of a newstyle greeting.
pub const NEWSTYLE_LENGTH: usize = 2;
/// Length of the zero padding of an oldstyle handshake and of a reply to `NBD_OPT_EXPORT_NAME`.
pub const RESERVED_ZEROES: usize = 124;

/// The handshake style of a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One export, described in the handshake; no negotiation.
    Oldstyle,
    /// Options are negotiated.
    Newstyle,
}

/// The defect of an invalid greeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadGreeting {
    /// The first eight bytes are not `NBDMAGIC`.
    NotNbd,
    /// The second eight bytes are not the magic of a style in the document.
    UnknownStyle,
}

/// Decodes the first [`GREETING_LENGTH`] bytes from a server.
pub fn greeting(bytes: &[u8; GREETING_LENGTH]) -> Result<Style, BadGreeting> {
    let mut reader = Reader::new(bytes);
    if reader.u64() != Some(NBD_MAGIC) {
        return Err(BadGreeting::NotNbd);
    }
    match reader.u64() {
        Some(OLDSTYLE_MAGIC) => Ok(Style::Oldstyle),
        Some(IHAVEOPT) => Ok(Style::Newstyle),
        _ => Err(BadGreeting::UnknownStyle),
    }
}

/// Decodes export size in bytes and flags from the rest of an oldstyle handshake. The lower 16 of
/// the 32 flag bits are transmission flags; the upper 16 are the flags of newstyle handshakes,
/// which an oldstyle server must leave clear.
pub fn oldstyle(bytes: &[u8]) -> Option<(u64, u32)> {
    let mut reader = Reader::new(bytes);
    Some((reader.u64()?, reader.u32()?))
}

/// Decodes export size in bytes and transmission flags from a reply to `NBD_OPT_EXPORT_NAME`.
pub fn export_name_reply(bytes: &[u8]) -> Option<(u64, u16)> {
    let mut reader = Reader::new(bytes);
    Some((reader.u64()?, reader.u16()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn greetings_are_of_one_style_or_none() {
        let cases = [
            (*b"NBDMAGICIHAVEOPT", Ok(Style::Newstyle)),
            (
                *b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53",
                Ok(Style::Oldstyle),
            ),
            (*b"NBDMAGICNBDMAGIC", Err(BadGreeting::UnknownStyle)),
            (*b"IHAVEOPTIHAVEOPT", Err(BadGreeting::NotNbd)),
        ];
        for (bytes, style) in cases {
            assert_eq!(greeting(&bytes), style);
        }
    }

    #[test]
    fn an_export_is_described_by_size_and_flags() {
        let bytes = b"\0\0\0\0\0\x10\0\0\x01\x02\x03\x04";
        assert_eq!(oldstyle(bytes), Some((1 << 20, 0x0102_0304)));
        assert_eq!(export_name_reply(bytes), Some((1 << 20, 0x0102)));
        assert_eq!(oldstyle(&bytes[..11]), None);
        assert_eq!(export_name_reply(&bytes[..9]), None);
    }
}
