// SPDX-License-Identifier: LGPL-2.1-or-later

//! Choices made by an input. Once it is used up, every choice is the first one.

use std::ops::RangeInclusive;

use arbitrary::Unstructured;

pub struct Choices<'a>(Unstructured<'a>);

impl<'a> Choices<'a> {
    pub fn new(input: &'a [u8]) -> Self {
        Choices(Unstructured::new(input))
    }

    /// Returns true if input is left to choose by.
    pub fn has_input(&self) -> bool {
        !self.0.is_empty()
    }

    pub fn number(&mut self, range: RangeInclusive<u64>) -> u64 {
        let least = *range.start();
        self.0.int_in_range(range).unwrap_or(least)
    }

    pub fn index(&mut self, count: usize) -> usize {
        self.number(0..=count as u64 - 1) as usize
    }

    pub fn one_of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.index(all.len())]
    }

    /// Returns true once in `times`.
    pub fn once_in(&mut self, times: u64) -> bool {
        self.number(0..=times - 1) == 1
    }

    /// Returns at most this many bytes, unchanged.
    pub fn bytes(&mut self, most: usize) -> &'a [u8] {
        let count = self.index(most + 1).min(self.0.len());
        self.0.bytes(count).unwrap_or_default()
    }

    /// Returns all remaining bytes.
    pub fn rest(self) -> &'a [u8] {
        self.0.take_rest()
    }
}
