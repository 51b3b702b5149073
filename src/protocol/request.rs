// SPDX-License-Identifier: LGPL-2.1-or-later

//! Requests of the transmission phase, compact and extended.

use std::collections::TryReserveError;

/// `NBD_REQUEST_MAGIC`: a request whose length has 32 bits.
pub const COMPACT_MAGIC: u32 = 0x2560_9513;
/// `NBD_EXTENDED_REQUEST_MAGIC`: a request whose length has 64 bits.
pub const EXTENDED_MAGIC: u32 = 0x21e4_1c71;

/// Length of a compact request header.
pub const COMPACT_LENGTH: usize = 28;
/// Length of an extended request header.
pub const EXTENDED_LENGTH: usize = 32;

/// Request types ("Request types").
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum RequestType {
    /// `NBD_CMD_READ`
    Read = 0,
    /// `NBD_CMD_WRITE`
    Write = 1,
    /// `NBD_CMD_DISC`
    Disconnect = 2,
    /// `NBD_CMD_FLUSH`
    Flush = 3,
    /// `NBD_CMD_TRIM`
    Trim = 4,
    /// `NBD_CMD_CACHE`
    Cache = 5,
    /// `NBD_CMD_WRITE_ZEROES`
    WriteZeroes = 6,
    /// `NBD_CMD_BLOCK_STATUS`
    BlockStatus = 7,
}

impl RequestType {
    /// Returns the name of the command in error messages.
    pub fn name(self) -> &'static str {
        match self {
            RequestType::Read => "read",
            RequestType::Write => "write",
            RequestType::Disconnect => "disconnect",
            RequestType::Flush => "flush",
            RequestType::Trim => "trim",
            RequestType::Cache => "cache",
            RequestType::WriteZeroes => "write-zeroes",
            RequestType::BlockStatus => "block-status",
        }
    }
}

/// The header of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Command flags, see [`super::flags::command`].
    pub flags: u16,
    /// The request type.
    pub kind: RequestType,
    /// The cookie that identifies the replies.
    pub cookie: u64,
    /// Offset in the export, in bytes.
    pub offset: u64,
    /// Length in bytes, of the range in the export or of the payload.
    pub length: u64,
}

impl Request {
    /// Encodes a compact header. The caller has checked that the length fits into 32 bits.
    pub fn compact(&self) -> [u8; COMPACT_LENGTH] {
        debug_assert!(self.length <= u64::from(u32::MAX));
        let mut out = [0; COMPACT_LENGTH];
        out[0..4].copy_from_slice(&COMPACT_MAGIC.to_be_bytes());
        self.common(&mut out);
        out[24..28].copy_from_slice(&(self.length as u32).to_be_bytes());
        out
    }

    /// Encodes an extended header.
    pub fn extended(&self) -> [u8; EXTENDED_LENGTH] {
        let mut out = [0; EXTENDED_LENGTH];
        out[0..4].copy_from_slice(&EXTENDED_MAGIC.to_be_bytes());
        self.common(&mut out);
        out[24..32].copy_from_slice(&self.length.to_be_bytes());
        out
    }

    fn common(&self, out: &mut [u8]) {
        out[4..6].copy_from_slice(&self.flags.to_be_bytes());
        out[6..8].copy_from_slice(&(self.kind as u16).to_be_bytes());
        out[8..16].copy_from_slice(&self.cookie.to_be_bytes());
        out[16..24].copy_from_slice(&self.offset.to_be_bytes());
    }
}

/// Encodes the payload of a block status request that selects contexts: the length of the range
/// in bytes, then the context ids.
pub fn block_status_payload(
    length: u64,
    context_ids: &[u32],
) -> Result<Box<[u8]>, TryReserveError> {
    let mut payload = Vec::new();
    payload.try_reserve_exact(size_of_val(&length) + size_of_val(context_ids))?;
    payload.extend_from_slice(&length.to_be_bytes());
    for id in context_ids {
        payload.extend_from_slice(&id.to_be_bytes());
    }
    Ok(payload.into_boxed_slice())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CACHE: Request = Request {
        flags: 0x0102,
        kind: RequestType::Cache,
        cookie: 0x1112_1314_1516_1718,
        offset: 0x2122_2324_2526_2728,
        length: 0x3132_3334,
    };

    /// Source: proto.md, "Compact request message", "Extended request message".
    #[test]
    fn requests_have_their_fields_in_order() {
        let fields = [
            b"\x01\x02\x00\x05".as_slice(),
            &0x1112_1314_1516_1718_u64.to_be_bytes(),
            &0x2122_2324_2526_2728_u64.to_be_bytes(),
        ]
        .concat();
        let compact = [b"\x25\x60\x95\x13", &fields[..], b"1234"].concat();
        assert_eq!(CACHE.compact()[..], compact);
        let extended = [b"\x21\xe4\x1c\x71", &fields[..], b"\0\0\0\x001234"].concat();
        assert_eq!(CACHE.extended()[..], extended);
    }

    #[test]
    fn a_filter_is_the_length_and_the_ids() {
        let payload = block_status_payload(1 << 32, &[1, 2, 0x0304_0506]);
        let expected = b"\0\0\0\x01\0\0\0\0\0\0\0\x01\0\0\0\x02\x03\x04\x05\x06";
        assert_eq!(payload.expect("there is memory")[..], expected[..]);
    }

    #[test]
    fn commands_are_named_in_lower_case_with_hyphens() {
        assert_eq!(RequestType::Read.name(), "read");
        assert_eq!(RequestType::WriteZeroes.name(), "write-zeroes");
    }
}
