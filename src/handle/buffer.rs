// SPDX-License-Identifier: LGPL-2.1-or-later

//! The memory of the program that reads fill and writes send: raw pointers,
//! because the program may look at it meanwhile, and because it has to stay only
//! until the command is complete.
//!
//! No offset gets outside a buffer. One that tries panics, as an index does that
//! is out of range, and the C boundary makes a dead handle of that: no reply of a
//! server, and no mistake in handling one, writes anywhere else.

use libc::{c_void, iovec};

/// Where the data of a read goes.
#[derive(Debug, Clone)]
pub struct ReadBuffer {
    start: *mut u8,
    len: usize,
    cleared: Cleared,
}

/// When a buffer is filled with zeroes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cleared {
    /// Never.
    No,
    /// Before the command is sent.
    Before,
    /// When the read has failed, where nothing has arrived.
    OnFailure,
}

// SAFETY: the program allows any thread that drives the handle to fill the buffer
// (libnbd(3): a handle may be used from several threads).
unsafe impl Send for ReadBuffer {}

impl ReadBuffer {
    /// The `len` bytes from `start` on. NULL makes a buffer without any bytes.
    ///
    /// # Safety
    ///
    /// Until the value and its copies are no longer used, which is when the command is
    /// complete, `start` is NULL or the bytes may be written, and no reference of Rust's to
    /// them is used.
    pub unsafe fn new(start: *mut c_void, len: usize) -> Self {
        ReadBuffer {
            start: start.cast(),
            len: if start.is_null() { 0 } else { len },
            cleared: Cleared::No,
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the program passed NULL.
    pub fn is_null(&self) -> bool {
        self.start.is_null()
    }

    /// Fills the whole buffer with zeroes, before anything else is done with it.
    pub fn clear(&mut self) {
        self.zero(0, self.len);
        self.cleared = Cleared::Before;
    }

    /// Leaves the buffer to be cleared when the read has failed. Nobody looks at it before
    /// that where a call waits for the read.
    pub fn clear_on_failure(&mut self) {
        self.cleared = Cleared::OnFailure;
    }

    /// The read has failed, and nothing has arrived `at` bytes into the buffer, nor in the
    /// `len` bytes from there on.
    pub fn failed(&self, at: usize, len: usize) {
        if self.cleared == Cleared::OnFailure {
            self.zero(at, len);
        }
    }

    /// `len` bytes, `at` bytes into the buffer, are a hole: zeroes. They are that
    /// already where the buffer was cleared, since no part of a read comes twice.
    pub fn hole(&self, at: usize, len: usize) {
        match self.cleared {
            Cleared::Before => _ = part(self.start, self.len, at, len),
            Cleared::No | Cleared::OnFailure => self.zero(at, len),
        }
    }

    fn zero(&self, at: usize, len: usize) {
        let start = part(self.start, self.len, at, len);
        if len > 0 {
            // SAFETY: `part` has checked that the bytes are the buffer's, which
            // may be written by the promise made to `new`.
            unsafe { start.write_bytes(0, len) }
        }
    }

    /// Copies `bytes` to the place `at` bytes into the buffer.
    pub fn copy_in(&self, at: usize, bytes: &[u8]) {
        let start = part(self.start, self.len, at, bytes.len());
        if !bytes.is_empty() {
            // SAFETY: `part` has checked that the bytes are the buffer's, which
            // may be written and have no reference to them in use, so `bytes` is
            // memory of another kind.
            unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
        }
    }

    /// The address `at` bytes into the buffer, or just behind it.
    pub fn pointer_at(&self, at: usize) -> *mut u8 {
        part(self.start, self.len, at, 0)
    }

    /// `len` bytes, `at` bytes into the buffer, to receive into.
    pub fn iovec(&self, at: usize, len: usize) -> iovec {
        iovec {
            iov_base: part(self.start, self.len, at, len).cast(),
            iov_len: len,
        }
    }
}

/// What a write sends.
#[derive(Debug, Clone, Copy)]
pub struct WriteBuffer {
    start: *const u8,
    len: usize,
}

// SAFETY: the program allows any thread that drives the handle to send from the
// buffer (libnbd(3): a handle may be used from several threads).
unsafe impl Send for WriteBuffer {}

impl WriteBuffer {
    /// The `len` bytes from `start` on. NULL makes a buffer without any bytes.
    ///
    /// # Safety
    ///
    /// Until the value and its copies are no longer used, which is when the
    /// command is complete, `start` is NULL or the bytes may be read.
    pub unsafe fn new(start: *const c_void, len: usize) -> Self {
        WriteBuffer {
            start: start.cast(),
            len: if start.is_null() { 0 } else { len },
        }
    }

    /// How many bytes there are.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the program passed NULL.
    pub fn is_null(&self) -> bool {
        self.start.is_null()
    }

    /// `len` bytes, `at` bytes into the buffer, to send from. The pointer is
    /// mutable only because C has one type for both directions.
    pub fn iovec(&self, at: usize, len: usize) -> iovec {
        iovec {
            iov_base: part(self.start.cast_mut(), self.len, at, len).cast(),
            iov_len: len,
        }
    }

    /// A copy of the first bytes, at most `len` of them.
    pub fn head(&self, len: usize) -> Vec<u8> {
        let len = len.min(self.len);
        let mut head = vec![0; len];
        if len > 0 {
            // SAFETY: `len` bytes of the buffer may be read, by the promise made
            // to `new`, and `head` has room for as many.
            unsafe { head.as_mut_ptr().copy_from_nonoverlapping(self.start, len) }
        }
        head
    }
}

/// Where the `len` bytes begin that are `at` bytes into a buffer.
fn part(start: *mut u8, size: usize, at: usize, len: usize) -> *mut u8 {
    let end = at.checked_add(len);
    assert!(
        end.is_some_and(|end| end <= size),
        "{len} bytes at {at} are not in a buffer of {size}"
    );
    start.wrapping_add(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::panic::catch_unwind;

    /// `used` bytes of a larger piece of memory, as a buffer.
    fn buffer(memory: &mut [u8], used: usize) -> ReadBuffer {
        assert!(used <= memory.len());
        // SAFETY: the bytes exist, and the tests look at them only between uses.
        unsafe { ReadBuffer::new(memory.as_mut_ptr().cast(), used) }
    }

    #[test]
    fn bytes_go_where_they_belong() {
        let mut memory = [0xff; 8];
        let buffer = buffer(&mut memory, 6);
        buffer.copy_in(1, b"abc");
        buffer.hole(4, 2);
        assert_eq!(memory, *b"\xffabc\0\0\xff\xff");
    }

    #[test]
    fn nothing_is_written_outside() {
        for (at, len) in [(0, 7), (6, 1), (7, 0), (usize::MAX, 1), (1, usize::MAX)] {
            let mut memory = [0xff; 8];
            let buffer = buffer(&mut memory, 6);
            assert!(catch_unwind(|| buffer.hole(at, len)).is_err(), "{at} {len}");
            assert!(
                catch_unwind(|| buffer.iovec(at, len)).is_err(),
                "{at} {len}"
            );
            assert_eq!(memory, [0xff; 8]);
            let mut buffer = self::buffer(&mut memory, 6);
            buffer.clear();
            assert!(catch_unwind(|| buffer.hole(at, len)).is_err(), "{at} {len}");
            assert_eq!(memory, [0, 0, 0, 0, 0, 0, 0xff, 0xff]);
        }
    }

    #[test]
    fn what_was_cleared_is_not_cleared_again_for_a_hole() {
        let mut memory = [0xff; 8];
        let mut buffer = buffer(&mut memory, 6);
        buffer.clear();
        buffer.copy_in(0, b"abcdef");
        buffer.hole(1, 2);
        assert_eq!(memory, *b"abcdef\xff\xff");
    }

    #[test]
    fn after_a_failure_zeroes_are_where_nothing_arrived() {
        let mut memory = [0xff; 8];
        let mut buffer = buffer(&mut memory, 6);
        buffer.failed(0, 6);
        assert_eq!(memory, [0xff; 8]);
        buffer.clear_on_failure();
        buffer.copy_in(0, b"ab");
        buffer.hole(2, 1);
        buffer.failed(4, 2);
        assert_eq!(memory, *b"ab\0\xff\0\0\xff\xff");
        assert!(catch_unwind(|| buffer.failed(4, 3)).is_err());
    }

    #[test]
    fn null_is_a_buffer_of_no_bytes() {
        // SAFETY: NULL is allowed.
        let mut buffer = unsafe { ReadBuffer::new(std::ptr::null_mut(), 512) };
        assert!(buffer.is_null() && buffer.is_empty());
        buffer.clear();
        buffer.copy_in(0, b"");
        // SAFETY: NULL is allowed.
        let buffer = unsafe { WriteBuffer::new(std::ptr::null(), 512) };
        assert!(buffer.is_null() && buffer.is_empty());
        assert!(buffer.head(16).is_empty());
    }

    #[test]
    fn the_head_ends_with_the_buffer() {
        let data = *b"abcdef";
        // SAFETY: the bytes exist and are not changed.
        let buffer = unsafe { WriteBuffer::new(data.as_ptr().cast(), data.len()) };
        assert_eq!(buffer.head(3), b"abc");
        assert_eq!(buffer.head(9), b"abcdef");
    }
}
