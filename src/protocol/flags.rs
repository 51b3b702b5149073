// SPDX-License-Identifier: LGPL-2.1-or-later

//! Flag fields: handshake, client, transmission, command and reply flags.

/// `NBD_FLAG_FIXED_NEWSTYLE` of the handshake flags and
/// `NBD_FLAG_C_FIXED_NEWSTYLE` of the client flags.
pub const FIXED_NEWSTYLE: u16 = 1;
/// `NBD_FLAG_NO_ZEROES` and `NBD_FLAG_C_NO_ZEROES`.
pub const NO_ZEROES: u16 = 1 << 1;

/// The 16 transmission flags, with which a server describes an export.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TransmissionFlags(pub u16);

impl TransmissionFlags {
    /// Writes and similar commands fail.
    pub const READ_ONLY: u16 = 1 << 1;
    /// `NBD_CMD_FLUSH` may be sent.
    pub const SEND_FLUSH: u16 = 1 << 2;
    /// `NBD_CMD_FLAG_FUA` may be sent.
    pub const SEND_FUA: u16 = 1 << 3;
    /// The export behaves like a rotating disk.
    pub const ROTATIONAL: u16 = 1 << 4;
    /// `NBD_CMD_TRIM` may be sent.
    pub const SEND_TRIM: u16 = 1 << 5;
    /// `NBD_CMD_WRITE_ZEROES` and `NBD_CMD_FLAG_NO_HOLE` may be sent.
    pub const SEND_WRITE_ZEROES: u16 = 1 << 6;
    /// `NBD_CMD_FLAG_DF` may be sent.
    pub const SEND_DF: u16 = 1 << 7;
    /// Writes on one connection are visible on the others.
    pub const CAN_MULTI_CONN: u16 = 1 << 8;
    /// `NBD_CMD_CACHE` may be sent.
    pub const SEND_CACHE: u16 = 1 << 10;
    /// `NBD_CMD_FLAG_FAST_ZERO` may be sent.
    pub const SEND_FAST_ZERO: u16 = 1 << 11;
    /// `NBD_CMD_BLOCK_STATUS` may carry a payload that selects contexts.
    pub const BLOCK_STATUS_PAYLOAD: u16 = 1 << 12;

    /// Returns true if all bits of `flag` are set.
    pub fn has(self, flag: u16) -> bool {
        self.0 & flag == flag
    }
}

/// Command flags of a request.
pub mod command {
    /// Reply only when the data is on stable storage.
    pub const FUA: u16 = 1;
    /// Do not punch a hole.
    pub const NO_HOLE: u16 = 1 << 1;
    /// Do not fragment the reply.
    pub const DF: u16 = 1 << 2;
    /// One extent per context, no longer than the request.
    pub const REQ_ONE: u16 = 1 << 3;
    /// Fail quickly if zeroing is not faster than writing.
    pub const FAST_ZERO: u16 = 1 << 4;
    /// The length field of the request is the length of a payload.
    pub const PAYLOAD_LEN: u16 = 1 << 5;
    /// All command flags.
    pub const MASK: u16 = 0x3f;
}

/// `NBD_REPLY_FLAG_DONE`: the last chunk of the reply.
pub const REPLY_FLAG_DONE: u16 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    /// Checks that flags are numbered as in the document, starting with bit 0.
    fn are_in_order(flags: &[Option<u16>]) {
        let mut bit = 1;
        for (number, flag) in flags.iter().enumerate() {
            assert!(flag.is_none_or(|flag| flag == bit), "bit {number}");
            bit *= 2;
        }
    }

    /// Source: proto.md, "Handshake flags", "Transmission flags", "Command flags".
    #[test]
    fn flags_are_the_bits_that_the_document_numbers() {
        are_in_order(&[Some(FIXED_NEWSTYLE), Some(NO_ZEROES)]);
        are_in_order(&[
            None, // NBD_FLAG_HAS_FLAGS
            Some(TransmissionFlags::READ_ONLY),
            Some(TransmissionFlags::SEND_FLUSH),
            Some(TransmissionFlags::SEND_FUA),
            Some(TransmissionFlags::ROTATIONAL),
            Some(TransmissionFlags::SEND_TRIM),
            Some(TransmissionFlags::SEND_WRITE_ZEROES),
            Some(TransmissionFlags::SEND_DF),
            Some(TransmissionFlags::CAN_MULTI_CONN),
            None, // NBD_FLAG_SEND_RESIZE
            Some(TransmissionFlags::SEND_CACHE),
            Some(TransmissionFlags::SEND_FAST_ZERO),
            Some(TransmissionFlags::BLOCK_STATUS_PAYLOAD),
        ]);
        let commands = [
            command::FUA,
            command::NO_HOLE,
            command::DF,
            command::REQ_ONE,
            command::FAST_ZERO,
            command::PAYLOAD_LEN,
        ];
        are_in_order(&commands.map(Some));
        assert_eq!(commands.iter().sum::<u16>(), command::MASK);
    }

    #[test]
    fn an_export_has_the_flags_that_are_set_and_no_others() {
        let flags = TransmissionFlags(0b1001);
        assert!(flags.has(TransmissionFlags::SEND_FUA));
        assert!(!flags.has(TransmissionFlags::SEND_FLUSH));
        assert!(!flags.has(TransmissionFlags::SEND_FUA | TransmissionFlags::SEND_FLUSH));
    }
}
