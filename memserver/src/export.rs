// SPDX-License-Identifier: LGPL-2.1-or-later

//! Exports: what a client can choose from, and what the server says about it.

use crate::pages::Pages;
use crate::wire::flag;

/// Requests with a payload are limited to this where no `--block-size` says
/// otherwise: twice what every client may count on.
pub const MAX_PAYLOAD: u64 = 64 << 20;

/// Block size constraints, as in `NBD_INFO_BLOCK_SIZE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BlockSize {
    /// Every offset and length is a multiple of it.
    pub minimum: u32,
    /// What is efficient.
    pub preferred: u32,
    /// The longest read or write.
    pub maximum: u32,
}

/// A meta context whose extents were given on the command line and repeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FixedContext {
    /// Namespace, colon, and the rest.
    pub name: Vec<u8>,
    /// Length and flags of each extent; every length is positive.
    pub extents: Vec<(u64, u64)>,
}

impl FixedContext {
    /// The extent at `offset`: how much of it is left, and its flags.
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

    /// Whether all flags fit the 32 bits of a compact block status.
    pub fn is_narrow(&self) -> bool {
        self.extents
            .iter()
            .all(|&(_, flags)| flags <= u64::from(u32::MAX))
    }
}

/// One export.
#[derive(Debug)]
pub struct Export {
    /// The name that clients ask for.
    pub name: Vec<u8>,
    /// What `NBD_INFO_NAME` answers when it is not `name`.
    pub canonical_name: Option<Vec<u8>>,
    /// A text for people.
    pub description: Option<Vec<u8>>,
    /// Size in bytes.
    pub size: u64,
    /// Transmission flags when everything is negotiated.
    pub flags: u16,
    /// Constraints, if there are any.
    pub block_size: Option<BlockSize>,
    /// Meta contexts besides `base:allocation`.
    pub contexts: Vec<FixedContext>,
    /// The content.
    pub pages: Pages,
}

/// The flags of an export for which nothing was turned off.
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
    /// Requests must be multiples of this.
    pub fn minimum(&self) -> u64 {
        self.block_size
            .map_or(1, |size| u64::from(size.minimum.max(1)))
    }

    /// The longest read or write that is served.
    pub fn maximum(&self) -> u64 {
        let stated = self.block_size.map_or(u32::MAX, |size| size.maximum);
        u64::from(stated).min(MAX_PAYLOAD)
    }

    /// The name that `NBD_INFO_NAME` tells.
    pub fn told_name(&self) -> &[u8] {
        self.canonical_name.as_deref().unwrap_or(&self.name)
    }
}

/// All exports; the first is the default one.
#[derive(Debug)]
pub struct Exports(pub Vec<Export>);

impl Exports {
    /// The export that a client means by `name`.
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
