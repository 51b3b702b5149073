// SPDX-License-Identifier: LGPL-2.1-or-later

//! Which part of a read's buffer has come.
//!
//! A server may send the chunks of a read in any order, but no part twice
//! ("NBD_REPLY_TYPE_OFFSET_DATA"). To add up lengths would not do: a part that
//! comes twice would hide one that is missing.

use std::collections::BTreeMap;

/// How many parts with gaps between them are remembered of a read of so many
/// bytes: as many as there are if every other sector of 512 bytes comes first,
/// and some in any case. A server that sends more of them has the read fail. So
/// what is remembered never needs more than a small part of what the program's
/// own buffer needs.
fn most_parts(length: u64) -> usize {
    length as usize / 1024 + 16
}

/// Bytes of a read that have come.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// All bytes before this one have.
    until: u64,
    /// Parts after it, from start to end, with gaps between them. Most servers
    /// send everything in order, so there are none.
    #[expect(clippy::box_collection, reason = "commands stay small")]
    apart: Option<Box<BTreeMap<u64, u64>>>,
}

/// A part has come before, or there are too many of them.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused;

impl Filled {
    /// `length` bytes have come, `at` bytes into a buffer of `whole` bytes.
    pub fn add(&mut self, at: u64, length: u64, whole: u64) -> Result<(), Refused> {
        if self.apart.is_none() && at == self.until {
            self.until += length;
            return Ok(());
        }
        if length == 0 {
            return Ok(());
        }
        self.add_apart(at, length, most_parts(whole))
    }

    fn add_apart(&mut self, at: u64, length: u64, most: usize) -> Result<(), Refused> {
        let (mut start, mut end) = (at, at + length);
        let apart = self.apart.get_or_insert_default();
        let before = apart.range(..start).next_back().map(|(s, e)| (*s, *e));
        let behind = apart.range(start..).next().map(|(s, e)| (*s, *e));
        let overlaps = start < self.until
            || before.is_some_and(|(_, before)| before > start)
            || behind.is_some_and(|(behind, _)| behind < end);
        if overlaps {
            return Err(Refused);
        }
        if let Some((first, _)) = before.filter(|(_, before)| *before == start) {
            apart.remove(&first);
            start = first;
        }
        if let Some((behind, last)) = behind.filter(|(behind, _)| *behind == end) {
            apart.remove(&behind);
            end = last;
        }
        if start == self.until {
            self.until = end;
        } else if apart.len() < most {
            apart.insert(start, end);
        } else {
            return Err(Refused);
        }
        if apart.is_empty() {
            self.apart = None;
        }
        Ok(())
    }

    /// Whether each of the first `length` bytes has come.
    pub fn is_complete(&self, length: u64) -> bool {
        self.until == length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filled(parts: &[(u64, u64)]) -> Filled {
        let mut filled = Filled::default();
        for (at, length) in parts {
            assert_eq!(
                filled.add(*at, *length, 100),
                Ok(()),
                "{at} {length} of {parts:?}"
            );
        }
        filled
    }

    #[test]
    fn parts_may_come_in_any_order() {
        for parts in [
            &[(0, 4), (4, 4), (8, 4)],
            &[(8, 4), (4, 4), (0, 4)],
            &[(4, 4), (0, 4), (8, 4)],
            &[(8, 4), (0, 4), (4, 4)],
            &[(4, 4), (8, 4), (0, 4)],
        ] {
            let filled = filled(parts);
            assert!(filled.is_complete(12), "{parts:?}");
            assert!(filled.apart.is_none(), "{parts:?}");
        }
    }

    #[test]
    fn a_gap_is_not_complete() {
        assert!(!filled(&[(0, 4), (8, 4)]).is_complete(12));
        assert!(!filled(&[(4, 8)]).is_complete(12));
        assert!(!filled(&[]).is_complete(1));
    }

    #[test]
    fn no_part_comes_twice() {
        for (at, length) in [(0, 1), (3, 2), (5, 1), (7, 3), (9, 1), (11, 9), (4, 8)] {
            let mut filled = filled(&[(0, 4), (5, 3), (9, 3)]);
            assert_eq!(filled.add(at, length, 100), Err(Refused), "{at} {length}");
        }
    }

    #[test]
    fn parts_of_no_bytes_are_nowhere() {
        let mut filled = filled(&[(0, 0), (4, 4), (4, 0), (5, 0), (0, 4)]);
        assert!(filled.is_complete(8));
        assert_eq!(filled.add(2, 0, 8), Ok(()));
    }

    #[test]
    fn what_is_remembered_has_a_limit() {
        for (whole, most) in [(512, 16), (4096, 20), (64 << 10, 64 + 16)] {
            let mut filled = Filled::default();
            for part in 0..most {
                assert_eq!(filled.add(2 * part + 1, 1, whole), Ok(()));
            }
            assert_eq!(filled.add(2 * most + 1, 1, whole), Err(Refused));
            assert_eq!(filled.add(0, 1, whole), Ok(()));
        }
    }
}
