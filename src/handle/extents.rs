// SPDX-License-Identifier: LGPL-2.1-or-later

//! Conversion of extents for the program's callbacks.

use std::collections::TryReserveError;

use super::callback::nbd_extent;
use crate::machine::Extent;

/// Replaces lengths that exceed 32 bits: the maximum length that is a multiple of any sensible
/// block size (nbd_block_status(3)).
const TRUNCATED: u32 = u32::MAX - (64 * 1024 * 1024 - 1);

/// Converts to 64-bit extents, without allocating.
pub(super) fn wide(extents: Vec<Extent>) -> Vec<nbd_extent> {
    let entries = extents.into_iter().map(|it| nbd_extent {
        length: it.length,
        flags: it.flags,
    });
    entries.collect()
}

/// Converts to 32-bit extents: length, flags, length, flags. The list ends after an extent that
/// is too long, which is truncated, and before one whose flags do not fit. If that is the first
/// one, it is an overflow (nbd_block_status(3)).
pub(super) fn narrow(extents: &[Extent]) -> Result<(Vec<u32>, bool), TryReserveError> {
    let mut entries = Vec::new();
    entries.try_reserve_exact(2 * extents.len())?;
    for extent in extents {
        let length = u32::try_from(extent.length).unwrap_or(TRUNCATED);
        match u32::try_from(extent.flags) {
            Ok(flags) => entries.extend([length, flags]),
            Err(_) if entries.is_empty() => return Ok((vec![length, 0], true)),
            Err(_) => break,
        }
        if u64::from(length) != extent.length {
            break;
        }
    }
    Ok((entries, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_too_long_for_32_bits_is_cut_and_ends_the_list() {
        let long = Extent {
            length: 1 << 40,
            flags: 3,
        };
        let after = Extent {
            length: 512,
            flags: 0,
        };
        assert_eq!(narrow(&[long, after]), Ok((vec![4_227_858_432, 3], false)));
        assert_eq!(narrow(&[after, long]).unwrap().0.len(), 4);
    }

    #[test]
    fn flags_too_wide_for_32_bits_overflow_when_they_come_first() {
        let wide = Extent {
            length: 512,
            flags: 1 << 32,
        };
        let plain = Extent {
            length: 512,
            flags: 1,
        };
        assert_eq!(narrow(&[wide, plain]), Ok((vec![512, 0], true)));
        assert_eq!(narrow(&[plain, wide]), Ok((vec![512, 1], false)));
    }
}
