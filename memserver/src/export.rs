// SPDX-License-Identifier: LGPL-2.1-or-later

//! Exports: their content, and the properties that the server advertises.

use crate::pages::Pages;
use crate::wire::flag;

/// Payload limit of requests without `--block-size`: twice the size that every
/// client may rely on.
pub const MAX_PAYLOAD: u64 = 64 << 20;

/// Block size constraints, as in `NBD_INFO_BLOCK_SIZE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSize {
    /// Minimum block size; every offset and length is a multiple of it.
    pub minimum: u32,
    /// Preferred block size.
    pub preferred: u32,
    /// Maximum length of a read or write.
    pub maximum: u32,
}

/// A meta context with fixed extents from the command line, which repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedContext {
    /// Full name: namespace, colon, and the rest.
    pub name: Vec<u8>,
    /// Length and flags of each extent; every length is positive.
    pub extents: Vec<(u64, u64)>,
}

impl FixedContext {
    /// Returns the rest of the extent at `offset`: its length and its flags.
    pub fn at(&self, offset: u64) -> (u64, u64) {
        let period: u64 = self.extents.iter().map(|&(length, _)| length).sum();
        let mut within = offset % period;
        for &(length, flags) in &self.extents {
            if within < length {
                return (length - within, flags);
            }
            within -= length;
        }
        unreachable!("the lengths add up to the period")
    }

    /// Returns true if all flags fit the 32 bits of a compact block status.
    pub fn is_narrow(&self) -> bool {
        self.extents
            .iter()
            .all(|&(_, flags)| flags <= u64::from(u32::MAX))
    }
}

/// One export.
#[derive(Debug)]
pub struct Export {
    /// Name by which clients open it.
    pub name: Vec<u8>,
    /// Reply to `NBD_INFO_NAME` if it differs from `name`.
    pub canonical_name: Option<Vec<u8>>,
    /// Human-readable description.
    pub description: Option<Vec<u8>>,
    /// Size in bytes.
    pub size: u64,
    /// Transmission flags with every feature negotiated.
    pub flags: u16,
    /// Block size constraints, if any.
    pub block_size: Option<BlockSize>,
    /// Meta contexts besides `base:allocation`.
    pub contexts: Vec<FixedContext>,
    /// The content.
    pub pages: Pages,
}

/// Default transmission flags, with every feature enabled.
pub const ALL_FLAGS: u16 = flag::HAS_FLAGS
    | flag::SEND_FLUSH
    | flag::SEND_FUA
    | flag::SEND_TRIM
    | flag::SEND_WRITE_ZEROES
    | flag::SEND_DF
    | flag::CAN_MULTI_CONN
    | flag::SEND_CACHE
    | flag::SEND_FAST_ZERO
    | flag::BLOCK_STATUS_PAYLOAD;

impl Export {
    /// Returns the alignment required of requests.
    pub fn minimum(&self) -> u64 {
        self.block_size
            .map_or(1, |size| u64::from(size.minimum.max(1)))
    }

    /// Returns the maximum length of a read or write.
    pub fn maximum(&self) -> u64 {
        let stated = self.block_size.map_or(u32::MAX, |size| size.maximum);
        u64::from(stated).min(MAX_PAYLOAD)
    }

    /// Returns the name sent in `NBD_INFO_NAME`.
    pub fn advertised_name(&self) -> &[u8] {
        self.canonical_name.as_deref().unwrap_or(&self.name)
    }
}

/// All exports; the first is the default one.
#[derive(Debug)]
pub struct Exports(pub Vec<Export>);

impl Exports {
    /// Returns the index of the export that `name` refers to.
    pub fn find(&self, name: &[u8]) -> Option<usize> {
        let exact = self.0.iter().position(|export| export.name == name);
        exact.or_else(|| (name.is_empty() && !self.0.is_empty()).then_some(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fixed_extents_repeat() {
        let context = FixedContext {
            name: b"x:y".to_vec(),
            extents: vec![(10, 1), (5, 1 << 40)],
        };
        assert_eq!(context.at(0), (10, 1));
        assert_eq!(context.at(12), (3, 1 << 40));
        assert_eq!(context.at(15), (10, 1));
        assert_eq!(context.at(15_000_000_000_009), (1, 1));
        assert!(!context.is_narrow());
    }
}
