// SPDX-License-Identifier: LGPL-2.1-or-later

//! The payload of a command in several buffers, as for readv(2).
//!
//! As in [`super::buffer`], an offset that is out of range panics.

use libc::iovec;

use super::buffer::{Memory, ReadBuffer, Vector, WriteBuffer};
use crate::error::Error;
use crate::memory::NoMemory;

/// Buffers that follow each other in the payload. The program's array of them is copied.
#[derive(Debug)]
pub struct Pieces<B> {
    /// The buffers that are not empty, each with the offset of its end in the payload.
    all: Box<[(B, usize)]>,
}

impl<B: Memory> Pieces<B> {
    /// Copies the program's array.
    ///
    /// Fails as [`Vector::check`], and with `ENOMEM`.
    pub fn new(vector: Vector<'_, B>) -> Result<Self, Error> {
        vector.check()?;
        let mut all = Vec::new();
        all.try_reserve_exact(vector.buffers().count())
            .map_err(NoMemory::from)?;
        let mut end = 0;
        for buffer in vector.buffers() {
            end += buffer.length();
            all.push((buffer, end));
        }
        // Does not allocate: the capacity is exactly the length.
        let all = all.into_boxed_slice();
        Ok(Pieces { all })
    }

    /// Returns the length of the payload in bytes.
    pub fn length(&self) -> usize {
        self.all.last().map_or(0, |(_, end)| *end)
    }

    /// Describes `len` bytes at offset `at` of the payload.
    pub fn iovecs(&self, at: usize, len: usize) -> impl Iterator<Item = iovec> + '_ {
        let parts = self.parts(at, len);
        parts.map(|part| part.buffer.iovec(part.at, part.len))
    }

    /// Returns the parts of the buffers that `len` bytes at offset `at` of the payload are in.
    fn parts(&self, at: usize, len: usize) -> impl Iterator<Item = Part<'_, B>> + '_ {
        let end = at.checked_add(len);
        let end = end.filter(|end| *end <= self.length()).unwrap_or_else(|| {
            let size = self.length();
            panic!("{len} bytes at {at} are not in buffers of {size}")
        });
        let first = self.all.partition_point(|(_, end)| *end <= at);
        let mut next = at;
        self.all[first..]
            .iter()
            .take_while(move |(buffer, piece_end)| piece_end - buffer.length() < end)
            .map(move |(buffer, piece_end)| {
                let start = piece_end - buffer.length();
                let at = next - start;
                next = end.min(*piece_end);
                let len = next - start - at;
                Part { buffer, at, len }
            })
    }
}

/// A part of a buffer.
struct Part<'a, B> {
    buffer: &'a B,
    at: usize,
    len: usize,
}

impl Pieces<WriteBuffer> {
    /// Returns a copy of the payload.
    pub fn copy(&self) -> Result<Box<[u8]>, NoMemory> {
        let mut copy = Vec::new();
        copy.try_reserve_exact(self.length())?;
        for (buffer, _) in &self.all {
            buffer.append_to(&mut copy)?;
        }
        Ok(copy.into_boxed_slice())
    }
}

impl Pieces<ReadBuffer> {
    /// Clears all buffers. Call this before any other use.
    pub fn clear(&mut self) {
        self.all.iter_mut().for_each(|(buffer, _)| buffer.clear());
    }

    /// See [`ReadBuffer::clear_on_failure`].
    pub fn clear_on_failure(&mut self) {
        let all = self.all.iter_mut();
        all.for_each(|(buffer, _)| buffer.clear_on_failure());
    }

    /// See [`ReadBuffer::failed`].
    pub fn failed(&self, at: usize, len: usize) {
        let parts = self.parts(at, len);
        parts.for_each(|part| part.buffer.failed(part.at, part.len));
    }

    /// See [`ReadBuffer::hole`].
    pub fn hole(&self, at: usize, len: usize) {
        let parts = self.parts(at, len);
        parts.for_each(|part| part.buffer.hole(part.at, part.len));
    }

    /// Copies `bytes` to offset `at` of the payload.
    pub fn copy_in(&self, at: usize, mut bytes: &[u8]) {
        for part in self.parts(at, bytes.len()) {
            let (first, rest) = bytes.split_at(part.len);
            part.buffer.copy_in(part.at, first);
            bytes = rest;
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(unsafe_code)]

    use super::*;
    use std::panic::{catch_unwind, AssertUnwindSafe};

    /// Memory with buffers of these lengths, each followed by a guard byte.
    struct Memory {
        bytes: Vec<u8>,
        array: Vec<iovec>,
    }

    impl Memory {
        fn new(lengths: &[usize]) -> Self {
            let mut bytes = vec![0xff; lengths.iter().sum::<usize>() + lengths.len()];
            let start = bytes.as_mut_ptr();
            let mut at = 0;
            let array = lengths.iter().map(|&iov_len| {
                let iov_base = start.wrapping_add(at).cast();
                at += iov_len + 1;
                iovec { iov_base, iov_len }
            });
            let array = array.collect();
            Memory { bytes, array }
        }

        fn reads(&self) -> Pieces<ReadBuffer> {
            let count = self.array.len() as i32;
            // SAFETY: the memory outlives the pieces, and the tests read it only between uses.
            Pieces::new(unsafe { Vector::new(self.array.as_ptr(), count) }).unwrap()
        }

        fn writes(&self) -> Pieces<WriteBuffer> {
            let count = self.array.len() as i32;
            // SAFETY: the memory outlives the pieces and is not changed.
            Pieces::new(unsafe { Vector::new(self.array.as_ptr(), count) }).unwrap()
        }

        /// Returns the contents of the buffers. Fails if a guard byte has changed.
        fn contents(&self) -> Vec<u8> {
            let mut contents = Vec::new();
            let mut bytes = self.bytes.as_slice();
            for piece in &self.array {
                let (buffer, rest) = bytes.split_at(piece.iov_len);
                contents.extend_from_slice(buffer);
                assert_eq!(rest[0], 0xff);
                bytes = &rest[1..];
            }
            contents
        }
    }

    /// Ways to divide six bytes.
    const LENGTHS: [&[usize]; 6] = [
        &[6],
        &[1, 5],
        &[0, 3, 0, 3, 0],
        &[1, 1, 1, 1, 1, 1],
        &[2, 4],
        &[0, 0, 5, 1],
    ];

    #[test]
    fn data_is_stored_at_its_offset_however_it_is_divided() {
        for lengths in LENGTHS {
            for at in 0..6 {
                for len in 0..=6 - at {
                    let memory = Memory::new(lengths);
                    let pieces = memory.reads();
                    assert_eq!(pieces.length(), 6);
                    pieces.copy_in(at, &b"abcdef"[at..at + len]);
                    let mut expected = [0xff; 6];
                    expected[at..at + len].copy_from_slice(&b"abcdef"[at..at + len]);
                    assert_eq!(memory.contents(), expected, "{lengths:?} {at} {len}");
                    pieces.hole(at, len);
                    expected[at..at + len].fill(0);
                    assert_eq!(memory.contents(), expected, "{lengths:?} {at} {len}");
                }
            }
        }
    }

    #[test]
    fn pieces_are_described_in_order() {
        for lengths in LENGTHS {
            let memory = Memory::new(lengths);
            let all: Vec<usize> = memory
                .array
                .iter()
                .flat_map(|piece| (0..piece.iov_len).map(|at| piece.iov_base.addr() + at))
                .collect();
            for at in 0..6 {
                for len in 0..=6 - at {
                    let described: Vec<usize> = memory
                        .writes()
                        .iovecs(at, len)
                        .flat_map(|piece| {
                            (0..piece.iov_len).map(move |at| piece.iov_base.addr() + at)
                        })
                        .collect();
                    assert_eq!(described, all[at..at + len], "{lengths:?} {at} {len}");
                }
            }
        }
    }

    #[test]
    fn a_copy_has_all_pieces() {
        for lengths in LENGTHS {
            let memory = Memory::new(lengths);
            memory.reads().copy_in(0, b"abcdef");
            assert_eq!(*memory.writes().copy().unwrap(), *b"abcdef");
        }
    }

    #[test]
    fn nothing_is_written_outside() {
        for (at, len) in [(0, 7), (6, 1), (7, 0), (usize::MAX, 1), (1, usize::MAX)] {
            let memory = Memory::new(&[2, 0, 4]);
            let pieces = AssertUnwindSafe(memory.reads());
            assert!(catch_unwind(|| pieces.hole(at, len)).is_err());
            assert!(catch_unwind(|| pieces.failed(at, len)).is_err());
            assert!(catch_unwind(|| pieces.iovecs(at, len).count()).is_err());
            assert_eq!(memory.contents(), [0xff; 6]);
        }
        let memory = Memory::new(&[2, 0, 4]);
        let pieces = AssertUnwindSafe(memory.reads());
        assert!(catch_unwind(|| pieces.copy_in(1, b"abcdef")).is_err());
        assert_eq!(memory.contents(), [0xff; 6]);
    }

    #[test]
    fn failure_clears_missing_parts_only() {
        let memory = Memory::new(&[1, 2, 3]);
        let mut pieces = memory.reads();
        pieces.failed(0, 6);
        assert_eq!(memory.contents(), [0xff; 6]);
        pieces.clear_on_failure();
        pieces.copy_in(0, b"ab");
        pieces.failed(2, 2);
        assert_eq!(memory.contents(), *b"ab\0\0\xff\xff");
    }

    #[test]
    fn a_hole_in_cleared_buffers_is_not_cleared_again() {
        let memory = Memory::new(&[1, 2, 3]);
        let mut pieces = memory.reads();
        pieces.clear();
        assert_eq!(memory.contents(), [0; 6]);
        pieces.copy_in(0, b"abcdef");
        pieces.hole(0, 4);
        assert_eq!(memory.contents(), *b"abcdef");
    }

    #[test]
    fn overlapping_buffers_are_filled_in_order() {
        let mut bytes = [0xff_u8; 4];
        let start: *mut u8 = bytes.as_mut_ptr();
        let array = [(0, 3), (1, 3), (0, 1)].map(|(at, iov_len)| iovec {
            iov_base: start.wrapping_add(at).cast(),
            iov_len,
        });
        // SAFETY: the bytes outlive the pieces, and are read after all uses.
        let pieces = Pieces::new(unsafe { Vector::<ReadBuffer>::new(array.as_ptr(), 3) }).unwrap();
        pieces.copy_in(0, b"abcdefg");
        assert_eq!(bytes, *b"gdef");
    }

    #[test]
    fn no_pieces_are_a_payload_of_no_bytes() {
        for lengths in [&[][..], &[0], &[0, 0]] {
            let pieces = Memory::new(lengths).reads();
            assert_eq!(pieces.length(), 0);
            pieces.copy_in(0, b"");
            pieces.failed(0, 0);
            assert_eq!(pieces.iovecs(0, 0).count(), 0);
        }
    }
}
