// SPDX-License-Identifier: LGPL-2.1-or-later

//! The first bytes of a connection, in both directions ("Handshake").

use super::bytes::Reader;

/// ASCII `NBDMAGIC`: how every server begins.
pub const NBD_MAGIC: u64 = 0x4e42_444d_4147_4943;
/// `cliserv_magic`: what follows in the oldstyle handshake.
pub const OLDSTYLE_MAGIC: u64 = 0x0000_4202_8186_1253;
/// ASCII `IHAVEOPT`: what follows in the newstyle handshake, and the magic of
/// each option request.
pub const IHAVEOPT: u64 = 0x4948_4156_454f_5054;

/// Bytes of the magic that begins a connection: `NBDMAGIC` and the style.
pub const GREETING_LENGTH: usize = 16;
/// Bytes after the greeting in the oldstyle handshake.
pub const OLDSTYLE_LENGTH: usize = 8 + 4 + 124;
/// Bytes after the greeting in the newstyle handshake.
pub const NEWSTYLE_LENGTH: usize = 2;
/// Zeroes that end an oldstyle handshake and a reply to `NBD_OPT_EXPORT_NAME`.
pub const RESERVED_ZEROES: usize = 124;

/// Which of the two handshakes a server speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// One export, described at once; no negotiation.
    Oldstyle,
    /// Options are negotiated.
    Newstyle,
}

/// Why a greeting is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadGreeting {
    /// The first eight bytes are not `NBDMAGIC`.
    NotNbd,
    /// The second eight bytes name no style that the document knows.
    UnknownStyle,
}

/// Decodes the [`GREETING_LENGTH`] bytes that a server begins with.
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

/// Export size in bytes and flags, from the front of an oldstyle handshake. Of
/// the 32 flag bits the lower 16 are transmission flags; the upper 16 are those
/// of newstyle handshakes, which an oldstyle server must leave clear.
pub fn oldstyle(bytes: &[u8]) -> Option<(u64, u32)> {
    let mut reader = Reader::new(bytes);
    Some((reader.u64()?, reader.u32()?))
}

/// Export size in bytes and transmission flags, from the front of a reply to
/// `NBD_OPT_EXPORT_NAME`.
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
