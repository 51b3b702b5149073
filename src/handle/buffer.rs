// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's buffers for reads and writes. They are raw pointers: the program may access the
//! memory at any time, and it is valid only until the command is complete.
//!
//! No access is outside a buffer. An offset that is out of range panics, like an array index, and
//! the C boundary turns the panic into a dead handle. So neither a reply from a server nor a bug
//! in handling it can write to other memory.

use std::marker::PhantomData;
use std::slice;

use libc::{c_int, c_void, iovec};

use crate::error::Error;
use crate::transport::IOV_MAX;

/// Memory of the program: the buffer of a read or a write.
pub trait Memory {
    /// Makes a buffer of `len` bytes. For NULL, the length is 0.
    ///
    /// # Safety
    ///
    /// As for [`ReadBuffer::new`] or [`WriteBuffer::new`].
    unsafe fn at(start: *mut c_void, len: usize) -> Self;

    /// Returns the length in bytes.
    fn length(&self) -> usize;

    /// Describes `len` bytes at offset `at`.
    fn iovec(&self, at: usize, len: usize) -> iovec;
}

use crate::memory::NoMemory;

/// The buffer of a read.
#[derive(Debug, Clone)]
pub struct ReadBuffer {
    start: *mut u8,
    len: usize,
    cleared: Cleared,
}

/// The time at which a buffer is cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cleared {
    /// Never.
    No,
    /// Before the command is sent.
    Before,
    /// When the read has failed, in the parts that did not arrive.
    OnFailure,
}

// SAFETY: the program allows every thread that drives the handle to fill the buffer (libnbd(3): a
// handle may be used from several threads).
unsafe impl Send for ReadBuffer {}

impl ReadBuffer {
    /// Makes a buffer of `len` bytes. For NULL, the length is 0.
    ///
    /// # Safety
    ///
    /// `start` must be NULL or valid for writing `len` bytes, and no Rust reference to them may
    /// be used, until the value and its copies are no longer used, which is when the command is
    /// complete.
    pub unsafe fn new(start: *mut c_void, len: usize) -> Self {
        ReadBuffer {
            start: start.cast(),
            len: if start.is_null() { 0 } else { len },
            cleared: Cleared::No,
        }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns true if the length is 0.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns true if the program passed NULL.
    pub fn is_null(&self) -> bool {
        self.start.is_null()
    }

    /// Clears the whole buffer. Call this before any other use.
    pub fn clear(&mut self) {
        self.zero(0, self.len);
        self.cleared = Cleared::Before;
    }

    /// Defers clearing until the read has failed. The program cannot see the difference if a call
    /// waits for the read.
    pub fn clear_on_failure(&mut self) {
        self.cleared = Cleared::OnFailure;
    }

    /// Handles a part that did not arrive before the read failed: `len` bytes at offset `at`.
    pub fn failed(&self, at: usize, len: usize) {
        if self.cleared == Cleared::OnFailure {
            self.zero(at, len);
        }
    }

    /// Clears a hole: `len` bytes at offset `at`. If the buffer has been cleared, the bytes are
    /// zero already, since every part is received only once.
    pub fn hole(&self, at: usize, len: usize) {
        match self.cleared {
            Cleared::Before => _ = part(self.start, self.len, at, len),
            Cleared::No | Cleared::OnFailure => self.zero(at, len),
        }
    }

    fn zero(&self, at: usize, len: usize) {
        let start = part(self.start, self.len, at, len);
        if len > 0 {
            // SAFETY: `part` has checked that the bytes are in the buffer, and they are valid for
            // writes by the contract of `new`.
            unsafe { start.write_bytes(0, len) }
        }
    }

    /// Copies `bytes` to offset `at`.
    pub fn copy_in(&self, at: usize, bytes: &[u8]) {
        let start = part(self.start, self.len, at, bytes.len());
        if !bytes.is_empty() {
            // SAFETY: `part` has checked that the bytes are in the buffer. They are valid for
            // writes and not referenced, so `bytes` does not overlap them.
            unsafe { start.copy_from_nonoverlapping(bytes.as_ptr(), bytes.len()) }
        }
    }

    /// Returns the address of offset `at`, or of the end of the buffer.
    pub fn pointer_at(&self, at: usize) -> *mut u8 {
        part(self.start, self.len, at, 0)
    }

    /// Describes `len` bytes at offset `at`, to receive into.
    pub fn iovec(&self, at: usize, len: usize) -> iovec {
        iovec {
            iov_base: part(self.start, self.len, at, len).cast(),
            iov_len: len,
        }
    }
}

impl Memory for ReadBuffer {
    unsafe fn at(start: *mut c_void, len: usize) -> Self {
        // SAFETY: by the contract of this function.
        unsafe { ReadBuffer::new(start, len) }
    }

    fn length(&self) -> usize {
        self.len
    }

    fn iovec(&self, at: usize, len: usize) -> iovec {
        self.iovec(at, len)
    }
}

/// The buffer of a write.
#[derive(Debug, Clone, Copy)]
pub struct WriteBuffer {
    start: *const u8,
    len: usize,
}

// SAFETY: the program allows every thread that drives the handle to send from the buffer
// (libnbd(3): a handle may be used from several threads).
unsafe impl Send for WriteBuffer {}

impl WriteBuffer {
    /// Makes a buffer of `len` bytes. For NULL, the length is 0.
    ///
    /// # Safety
    ///
    /// `start` must be NULL or valid for reading `len` bytes, until the value and its copies are
    /// no longer used, which is when the command is complete.
    pub unsafe fn new(start: *const c_void, len: usize) -> Self {
        WriteBuffer {
            start: start.cast(),
            len: if start.is_null() { 0 } else { len },
        }
    }

    /// Returns the length in bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns true if the length is 0.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Returns true if the program passed NULL.
    pub fn is_null(&self) -> bool {
        self.start.is_null()
    }

    /// Describes `len` bytes at offset `at`, to send. The pointer is mutable only because C has
    /// one type for both directions.
    pub fn iovec(&self, at: usize, len: usize) -> iovec {
        iovec {
            iov_base: part(self.start.cast_mut(), self.len, at, len).cast(),
            iov_len: len,
        }
    }

    /// Returns a copy of the buffer.
    pub fn copy(&self) -> Result<Box<[u8]>, NoMemory> {
        let mut copy = Vec::new();
        self.append_to(&mut copy)?;
        Ok(copy.into_boxed_slice())
    }

    /// Appends a copy of the buffer to `bytes`.
    pub fn append_to(&self, bytes: &mut Vec<u8>) -> Result<(), NoMemory> {
        bytes.try_reserve_exact(self.len)?;
        if self.len > 0 {
            // SAFETY: `len` bytes of the buffer are valid for reads by the contract of `new`, and
            // `bytes` has room for as many, which are initialized then.
            unsafe {
                let end: *mut u8 = bytes.as_mut_ptr().add(bytes.len());
                end.copy_from_nonoverlapping(self.start, self.len);
                bytes.set_len(bytes.len() + self.len);
            }
        }
        Ok(())
    }

    /// Returns a copy of the first bytes, at most `len`.
    pub fn head(&self, len: usize) -> Vec<u8> {
        let len = len.min(self.len);
        let mut head = vec![0; len];
        if len > 0 {
            // SAFETY: `len` bytes of the buffer are valid for reads by the contract of `new`, and
            // `head` has room for as many.
            unsafe { head.as_mut_ptr().copy_from_nonoverlapping(self.start, len) }
        }
        head
    }
}

impl Memory for WriteBuffer {
    unsafe fn at(start: *mut c_void, len: usize) -> Self {
        // SAFETY: by the contract of this function.
        unsafe { WriteBuffer::new(start, len) }
    }

    fn length(&self) -> usize {
        self.len
    }

    fn iovec(&self, at: usize, len: usize) -> iovec {
        self.iovec(at, len)
    }
}

/// The program's array of buffers, as for readv(2). The array is valid only during the call that
/// it is passed to; the buffers are valid for longer.
#[derive(Debug)]
pub struct Vector<'a, B> {
    /// Empty for NULL, and for an invalid count.
    array: &'a [iovec],
    count: c_int,
    is_null: bool,
    buffers: PhantomData<B>,
}

impl<B> Clone for Vector<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B> Copy for Vector<'_, B> {}

impl<'a, B: Memory> Vector<'a, B> {
    /// Wraps an array of `count` buffers.
    ///
    /// # Safety
    ///
    /// If `count` is in the range from 1 to [`IOV_MAX`], `start` must be NULL or point to as many
    /// elements, which are unchanged for `'a`, and each of which describes a buffer as for
    /// [`Memory::at`].
    pub unsafe fn new(start: *const iovec, count: c_int) -> Self {
        Vector {
            array: match valid_count(count) {
                // SAFETY: by the contract of this function.
                Some(count) if !start.is_null() => unsafe { slice::from_raw_parts(start, count) },
                _ => &[],
            },
            count,
            is_null: start.is_null(),
            buffers: PhantomData,
        }
    }

    /// Returns true if the program passed NULL instead of an array that is not empty.
    pub fn is_null(&self) -> bool {
        self.is_null && self.count > 0
    }

    /// Returns the buffers that are not empty, in order. For NULL, the length is 0.
    pub fn buffers(self) -> impl Iterator<Item = B> + 'a {
        let pieces = self.array.iter();
        pieces
            // SAFETY: by the contract of `new`.
            .map(|piece| unsafe { B::at(piece.iov_base, piece.iov_len) })
            .filter(|buffer| buffer.length() > 0)
    }

    /// Checks the array and adds up the lengths.
    ///
    /// Fails with `EINVAL` if the count is out of range, or if the sum is more than `SSIZE_MAX`,
    /// and with `EFAULT` if a buffer is NULL but not empty.
    pub fn check(self) -> Result<usize, Error> {
        if valid_count(self.count).is_none() {
            let what = format!("iovcnt should be from 0 to {IOV_MAX}, not {}", self.count);
            return Err(Error::new(libc::EINVAL, what));
        }
        let is_missing = |piece: &iovec| piece.iov_base.is_null() && piece.iov_len > 0;
        if let Some(index) = self.array.iter().position(is_missing) {
            let what = format!("iov[{index}].iov_base cannot be NULL");
            return Err(Error::new(libc::EFAULT, what));
        }
        let mut lengths = self.array.iter().map(|piece| piece.iov_len);
        lengths
            .try_fold(0, usize::checked_add)
            .filter(|sum| *sum <= isize::MAX as usize)
            .ok_or_else(|| {
                let what = "the lengths in iov add up to more than SSIZE_MAX";
                Error::new(libc::EINVAL, what)
            })
    }
}

impl Vector<'_, ReadBuffer> {
    /// Clears all buffers, if the array is valid.
    pub fn clear(self) {
        if self.check().is_ok() {
            self.buffers().for_each(|mut buffer| buffer.clear());
        }
    }
}

/// Returns the number of elements of an array of buffers, unless it is out of range.
fn valid_count(count: c_int) -> Option<usize> {
    usize::try_from(count)
        .ok()
        .filter(|count| *count <= IOV_MAX)
}

/// Returns the address of `len` bytes at offset `at`, after a bounds check.
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

    /// Makes a buffer of the first `used` bytes of a larger piece of memory.
    fn buffer(memory: &mut [u8], used: usize) -> ReadBuffer {
        assert!(used <= memory.len());
        // SAFETY: the bytes are valid, and the tests read them only between uses.
        unsafe { ReadBuffer::new(memory.as_mut_ptr().cast(), used) }
    }

    #[test]
    fn data_is_stored_at_its_offset() {
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
    fn a_hole_in_a_cleared_buffer_is_not_cleared_again() {
        let mut memory = [0xff; 8];
        let mut buffer = buffer(&mut memory, 6);
        buffer.clear();
        buffer.copy_in(0, b"abcdef");
        buffer.hole(1, 2);
        assert_eq!(memory, *b"abcdef\xff\xff");
    }

    #[test]
    fn failure_clears_missing_parts_only() {
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
    fn copies_end_with_the_buffer() {
        let data = *b"abcdef";
        // SAFETY: the bytes are valid and are not changed.
        let buffer = unsafe { WriteBuffer::new(data.as_ptr().cast(), data.len()) };
        assert_eq!(*buffer.copy().unwrap(), data);
        assert_eq!(buffer.head(3), b"abc");
        assert_eq!(buffer.head(9), b"abcdef");
    }

    fn piece(start: *mut c_void, iov_len: usize) -> iovec {
        iovec {
            iov_base: start,
            iov_len,
        }
    }

    /// Returns the result of checking an array that says it has `count` elements.
    fn check(array: &[iovec], count: c_int) -> Result<usize, Error> {
        assert!(valid_count(count).is_none_or(|count| count <= array.len()));
        // SAFETY: the array has at least as many elements, and the buffers are not accessed.
        unsafe { Vector::<WriteBuffer>::new(array.as_ptr(), count) }.check()
    }

    #[test]
    fn arrays_of_buffers_are_checked() {
        let some = std::ptr::NonNull::dangling().as_ptr();
        let null = std::ptr::null_mut();
        for count in [-1, c_int::MIN, 1025, c_int::MAX] {
            let text = format!("iovcnt should be from 0 to 1024, not {count}");
            assert_eq!(check(&[], count), Err(Error::new(libc::EINVAL, text)));
        }
        assert_eq!(check(&[piece(some, 3); IOV_MAX], 1024), Ok(3072));
        assert_eq!(check(&[], 0), Ok(0));
        assert_eq!(check(&[piece(null, 0), piece(some, 5)], 2), Ok(5));
        let missing = [piece(some, 1), piece(null, 1)];
        let text = "iov[1].iov_base cannot be NULL";
        assert_eq!(check(&missing, 2), Err(Error::new(libc::EFAULT, text)));
        assert_eq!(check(&missing, 1), Ok(1));
        let most = isize::MAX as usize;
        assert_eq!(check(&[piece(some, most)], 1), Ok(most));
        for lengths in [[most, 1], [usize::MAX, 1], [usize::MAX, 0]] {
            let array = lengths.map(|len| piece(some, len));
            let text = "the lengths in iov add up to more than SSIZE_MAX";
            assert_eq!(check(&array, 2), Err(Error::new(libc::EINVAL, text)));
        }
    }

    #[test]
    fn null_is_an_array_of_no_buffers() {
        for (count, is_null) in [(-1, false), (0, false), (1, true), (1025, true)] {
            // SAFETY: NULL is allowed.
            let vector = unsafe { Vector::<ReadBuffer>::new(std::ptr::null(), count) };
            assert_eq!(vector.is_null(), is_null);
            assert_eq!(vector.buffers().count(), 0);
            vector.clear();
        }
    }

    #[test]
    fn all_buffers_of_an_array_are_cleared() {
        let mut memory = [0xff; 8];
        let start: *mut u8 = memory.as_mut_ptr();
        let null = std::ptr::null_mut();
        let array = [
            piece(start.wrapping_add(1).cast(), 2),
            piece(null, 0),
            piece(start.cast(), 0),
            piece(start.wrapping_add(4).cast(), 3),
            piece(null, 1),
        ];
        // SAFETY: the bytes are valid and are read after the last use; NULL is allowed.
        let [valid, invalid] =
            [4, 5].map(|count| unsafe { Vector::<ReadBuffer>::new(array.as_ptr(), count) });
        invalid.clear();
        assert_eq!(memory, [0xff; 8]);
        valid.clear();
        assert_eq!(memory, [0xff, 0, 0, 0xff, 0, 0, 0, 0xff]);
    }
}
