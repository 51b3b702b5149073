// SPDX-License-Identifier: LGPL-2.1-or-later

//! The received parts of a read.
//!
//! A server may split a read into chunks of any size and send them in any order, but must not
//! send a byte twice (proto.md, "NBD_REPLY_TYPE_OFFSET_DATA"). The sum of the lengths is not
//! enough: a duplicate part would hide a missing one.

use crate::memory::NoMemory;

/// The set of received bytes of a read.
#[derive(Debug, Default)]
pub(super) struct Filled {
    /// All bytes before this offset were received.
    until: u64,
    /// Later bytes. Most servers send everything in order, so there are none.
    apart: Option<Box<Apart>>,
}

/// Bytes received out of order, as a bitmap: an eighth of the size of the read's buffer, however
/// small the pieces.
#[derive(Debug)]
struct Apart {
    /// One bit for each byte of the read.
    bits: Vec<u64>,
    /// The number of bits set.
    count: u64,
}

/// The reason why a part is rejected.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// It was received before.
    Twice,
    /// Not enough memory to record it.
    NoMemory,
}

impl From<NoMemory> for Refused {
    fn from(_: NoMemory) -> Self {
        Refused::NoMemory
    }
}

impl Filled {
    /// Adds `length` bytes at offset `at` of a buffer of `whole` bytes.
    pub fn add(&mut self, at: u64, length: u64, whole: u64) -> Result<(), Refused> {
        if self.apart.is_none() && at == self.until {
            self.until += length;
            return Ok(());
        }
        if length == 0 {
            return Ok(());
        }
        if at < self.until {
            return Err(Refused::Twice);
        }
        let apart = match &mut self.apart {
            Some(apart) => apart,
            none => none.insert(Box::new(Apart::new(whole)?)),
        };
        apart.add(at, at + length)
    }

    /// Calls `gap` with the offset and length of each missing part of `whole` bytes.
    pub fn gaps(&self, whole: u64, mut gap: impl FnMut(u64, u64)) {
        let Some(apart) = &self.apart else {
            return gap(self.until, whole - self.until);
        };
        let mut at = self.until;
        while at < whole {
            let here = apart.has(at);
            let end = (at + 1..whole).find(|other| apart.has(*other) != here);
            let end = end.unwrap_or(whole);
            if !here {
                gap(at, end - at);
            }
            at = end;
        }
    }

    /// Returns true if all of the first `length` bytes were received.
    pub fn is_complete(&self, length: u64) -> bool {
        self.until + self.apart.as_ref().map_or(0, |apart| apart.count) == length
    }
}

impl Apart {
    fn new(whole: u64) -> Result<Self, NoMemory> {
        let words = whole.div_ceil(u64::from(u64::BITS));
        let words = usize::try_from(words).map_err(|_| NoMemory)?;
        let mut bits = Vec::new();
        bits.try_reserve_exact(words)?;
        bits.resize(words, 0);
        Ok(Apart { bits, count: 0 })
    }

    fn has(&self, at: u64) -> bool {
        let width = u64::from(u64::BITS);
        self.bits[(at / width) as usize] >> (at % width) & 1 != 0
    }

    fn add(&mut self, start: u64, end: u64) -> Result<(), Refused> {
        let width = u64::from(u64::BITS);
        let mut at = start;
        while at < end {
            let first = at % width;
            let count = (width - first).min(end - at);
            let mask = u64::MAX >> (width - count) << first;
            let word = &mut self.bits[(at / width) as usize];
            if *word & mask != 0 {
                return Err(Refused::Twice);
            }
            *word |= mask;
            self.count += count;
            at += count;
        }
        Ok(())
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
            &[(0, 40), (40, 40), (80, 20)],
            &[(80, 20), (40, 40), (0, 40)],
            &[(40, 40), (0, 40), (80, 20)],
            &[(80, 20), (0, 40), (40, 40)],
            &[(40, 40), (80, 20), (0, 40)],
        ] {
            assert!(filled(parts).is_complete(100), "{parts:?}");
        }
    }

    #[test]
    fn parts_in_order_need_no_memory() {
        let filled = filled(&[(0, 40), (40, 60), (100, 0)]);
        assert!(filled.is_complete(100));
        assert!(filled.apart.is_none());
    }

    #[test]
    fn parts_may_have_any_size() {
        for size in 1..=70 {
            let mut filled = Filled::default();
            let parts: Vec<_> = (0..1000).step_by(size).collect();
            let add = |filled: &mut Filled, at: usize| {
                let length = size.min(1000 - at) as u64;
                assert_eq!(filled.add(at as u64, length, 1000), Ok(()), "{size} {at}");
            };
            let (even, odd): (Vec<_>, Vec<_>) = parts.iter().partition(|at| *at / size % 2 == 0);
            odd.into_iter().rev().for_each(|at| add(&mut filled, at));
            assert!(!filled.is_complete(1000), "{size}");
            even.into_iter().for_each(|at| add(&mut filled, at));
            assert!(filled.is_complete(1000), "{size}");
        }
    }

    #[test]
    fn a_gap_is_not_complete() {
        assert!(!filled(&[(0, 4), (8, 4)]).is_complete(12));
        assert!(!filled(&[(4, 8)]).is_complete(12));
        assert!(!filled(&[]).is_complete(1));
    }

    #[test]
    fn gaps_are_the_missing_parts() {
        for (parts, expected) in [
            (&[][..], &[(0, 100)][..]),
            (&[(0, 30)], &[(30, 70)]),
            (&[(0, 100)], &[(100, 0)]),
            (&[(0, 4), (8, 60), (70, 30)], &[(4, 4), (68, 2)]),
            (&[(99, 1), (0, 98)], &[(98, 1)]),
        ] {
            let mut gaps = Vec::new();
            filled(parts).gaps(100, |at, count| gaps.push((at, count)));
            assert_eq!(gaps, expected, "{parts:?}");
        }
    }

    #[test]
    fn no_part_comes_twice() {
        for (at, length) in [(0, 1), (3, 2), (5, 1), (7, 3), (9, 1), (11, 9), (4, 8)] {
            let mut filled = filled(&[(0, 4), (5, 3), (9, 3)]);
            let added = filled.add(at, length, 100);
            assert_eq!(added, Err(Refused::Twice), "{at} {length}");
        }
    }

    #[test]
    fn empty_parts_are_ignored() {
        let mut filled = filled(&[(0, 0), (4, 4), (4, 0), (5, 0), (0, 4)]);
        assert!(filled.is_complete(8));
        assert_eq!(filled.add(2, 0, 8), Ok(()));
    }

    #[test]
    fn more_than_there_is_memory_for_is_an_error() {
        let mut filled = Filled::default();
        assert_eq!(filled.add(1, 1, u64::MAX), Err(Refused::NoMemory));
        assert!(!filled.is_complete(2));
    }
}
