// SPDX-License-Identifier: LGPL-2.1-or-later

//! The wire format of NBD: numbers, encoders, decoders.
//!
//! Everything here is a pure function of bytes. [`crate::machine`] decides which message is valid
//! in which state. All rules come from the NBD protocol document (`doc/proto.md` of the public
//! repository NetworkBlockDevice/nbd), and names are those of the document.

#![forbid(unsafe_code)]

pub mod bytes;
pub mod errno;
pub mod flags;
pub mod handshake;
pub mod option;
pub mod reply;
pub mod request;

/// The maximum length of a string in bytes: export names, meta context names, descriptions and
/// messages ("Conventions" of the document).
pub const MAX_STRING: usize = 4096;

/// The maximum payload in bytes that this client sends or accepts in one message, regardless of
/// the server's limit (nbd_get_block_size(3)).
pub const MAX_PAYLOAD: u64 = 64 * 1024 * 1024;

/// The assumed maximum payload of a server that advertises none ("Block size constraints": 32
/// MiB).
pub const DEFAULT_PAYLOAD: u64 = 32 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: nbd_get_block_size(3); proto.md, "Block size constraints".
    #[test]
    fn payloads_have_at_most_64_mib_and_by_default_32() {
        assert_eq!(MAX_PAYLOAD, 67_108_864);
        assert_eq!(DEFAULT_PAYLOAD, 33_554_432);
    }
}
