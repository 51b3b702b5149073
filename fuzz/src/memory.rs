// SPDX-License-Identifier: LGPL-2.1-or-later

//! A buffer of a program, with guards that detect out-of-bounds writes.

const GUARD: usize = 32;
const UNTOUCHED: u8 = 0xa5;

/// A buffer between two guards.
pub struct Memory {
    bytes: Vec<u8>,
    /// Marks of the bytes that have been filled.
    filled: Vec<bool>,
}

impl Memory {
    pub fn new(length: usize) -> Self {
        Memory {
            bytes: vec![UNTOUCHED; GUARD + length + GUARD],
            filled: vec![false; length],
        }
    }

    pub fn len(&self) -> usize {
        self.filled.len()
    }

    pub fn contents(&self) -> &[u8] {
        &self.bytes[GUARD..GUARD + self.len()]
    }

    /// Returns the address of the buffer, for C.
    pub fn as_mut_ptr(&mut self) -> *mut u8 {
        self.bytes[GUARD..].as_mut_ptr()
    }

    /// Stores bytes at an offset; panics outside of the buffer.
    pub fn put(&mut self, at: usize, bytes: &[u8]) {
        self.filled[at..at + bytes.len()].fill(true);
        self.bytes[GUARD + at..][..bytes.len()].copy_from_slice(bytes);
    }

    pub fn put_zeroes(&mut self, at: usize, count: usize) {
        self.filled[at..at + count].fill(true);
        self.bytes[GUARD + at..][..count].fill(0);
    }

    pub fn is_complete(&self) -> bool {
        self.filled.iter().all(|filled| *filled)
    }

    pub fn check_guards(&self) {
        let (before, rest) = self.bytes.split_at(GUARD);
        let after = &rest[self.len()..];
        let untouched = |guard: &[u8]| guard.iter().all(|byte| *byte == UNTOUCHED);
        assert!(untouched(before) && untouched(after), "a guard was hit");
    }
}
