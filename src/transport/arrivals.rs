// SPDX-License-Identifier: LGPL-2.1-or-later

//! Received bytes that are not parsed yet.

use std::ffi::c_void;
use std::io;
use std::ops::{Deref, DerefMut};
use std::ptr::NonNull;
use std::slice;

use crate::thread_block::ThreadBlock;

/// The maximum number of bytes received by one system call, not counting those that go directly
/// to a user's buffer. More saves no time, even with many small replies at once.
pub const BUFFER_SIZE: usize = 128 * 1024;

/// Spare buffers of each thread, so that an idle handle needs no memory for one. With TLS, two
/// can hold arrivals while a third is used to send.
static SPARES: [ThreadBlock; 3] = [const { ThreadBlock::new() }; 3];

/// Received bytes in stream order. The buffer is borrowed from the receiving thread. The thread
/// that consumes the last byte keeps it, when its call returns or waits.
#[derive(Debug, Default)]
pub struct Arrivals {
    buffer: Option<Buffer>,
    used: usize,
    end: usize,
}

impl Arrivals {
    /// Returns the bytes that are left.
    pub fn bytes(&self) -> &[u8] {
        let buffer = self.buffer.as_deref().unwrap_or_default();
        &buffer[self.used..self.end]
    }

    /// Returns true if no bytes are left.
    pub fn is_empty(&self) -> bool {
        self.used == self.end
    }

    /// Returns an empty buffer to receive into: [`BUFFER_SIZE`] bytes, or fewer if memory is
    /// short. All bytes must have been consumed.
    pub fn room(&mut self) -> io::Result<&mut [u8]> {
        debug_assert!(self.is_empty());
        if self.buffer.is_none() {
            self.buffer = Some(Buffer::borrow()?);
        }
        Ok(self.buffer.as_deref_mut().unwrap_or_default())
    }

    /// Takes out the same buffer, to receive without the lock; see
    /// [`return_buffer`](Self::return_buffer).
    pub fn take_buffer(&mut self) -> io::Result<Buffer> {
        debug_assert!(self.is_empty());
        self.buffer.take().map_or_else(Buffer::borrow, Ok)
    }

    /// Puts back the buffer, with `count` received bytes in it.
    pub fn return_buffer(&mut self, buffer: Buffer, count: usize) {
        self.buffer = Some(buffer);
        self.received(count);
    }

    /// Records that `count` bytes were received into the [`room`](Self::room).
    pub fn received(&mut self, count: usize) {
        (self.used, self.end) = (0, count);
    }

    /// Removes the first `count` bytes.
    pub fn consume(&mut self, count: usize) {
        self.used += count;
    }

    /// Returns the buffer to this thread if no bytes are left.
    pub fn release_if_empty(&mut self) {
        if self.is_empty() && self.buffer.is_some() {
            *self = Arrivals::default();
        }
    }
}

/// The buffer size if there is no memory for [`BUFFER_SIZE`] bytes.
const SMALL_BUFFER_SIZE: usize = 1024;

/// A malloc(3) buffer of [`BUFFER_SIZE`] or [`SMALL_BUFFER_SIZE`] bytes. The thread that drops it
/// keeps it as a spare.
#[derive(Debug)]
pub struct Buffer {
    start: NonNull<u8>,
    length: usize,
}

// SAFETY: it owns its memory.
unsafe impl Send for Buffer {}
// SAFETY: through a shared reference, the memory is only read.
unsafe impl Sync for Buffer {}

impl Buffer {
    /// Takes this thread's spare buffer, or allocates one.
    pub fn borrow() -> io::Result<Buffer> {
        let buffer = |start: *mut c_void, length| {
            let start = NonNull::new(start.cast())?;
            Some(Buffer { start, length })
        };
        // SAFETY: calloc takes any sizes.
        let new = |length| buffer(unsafe { libc::calloc(1, length) }, length);
        let mut spares = SPARES.iter().map(ThreadBlock::take);
        spares
            .find_map(|spare| buffer(spare, BUFFER_SIZE))
            .or_else(|| new(BUFFER_SIZE))
            .or_else(|| new(SMALL_BUFFER_SIZE))
            .ok_or_else(|| io::Error::from_raw_os_error(libc::ENOMEM))
    }
}

impl Deref for Buffer {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: `length` bytes were initialized by calloc, and live as long as `self`.
        unsafe { slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl DerefMut for Buffer {
    fn deref_mut(&mut self) -> &mut [u8] {
        // SAFETY: as above, and `&mut self` excludes other references.
        unsafe { slice::from_raw_parts_mut(self.start.as_ptr(), self.length) }
    }
}

impl Drop for Buffer {
    fn drop(&mut self) {
        let [first, second, third] = &SPARES;
        let free = [first, second].into_iter().find(|it| it.get().is_null());
        let place = free.unwrap_or(third);
        let block = self.start.as_ptr().cast();
        // SAFETY: the block comes from calloc, and is not used after this.
        unsafe {
            match self.length {
                BUFFER_SIZE => place.replace(block),
                _ => libc::free(block),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_used_in_order() {
        let mut arrivals = Arrivals::default();
        assert!(arrivals.is_empty());
        arrivals.room().unwrap()[..5].copy_from_slice(b"abcde");
        arrivals.received(5);
        arrivals.consume(2);
        assert_eq!(arrivals.bytes(), b"cde");
        arrivals.consume(3);
        assert!(arrivals.is_empty());
        assert_eq!(arrivals.bytes(), b"");
    }

    #[test]
    fn memory_goes_back_when_nothing_is_left() {
        let mut first = Arrivals::default();
        let address = first.room().unwrap().as_ptr();
        first.release_if_empty();
        let mut second = Arrivals::default();
        assert_eq!(second.room().unwrap().as_ptr(), address);
        second.received(7);
        second.release_if_empty();
        assert_ne!(first.room().unwrap().as_ptr(), address);
        first.release_if_empty();
        // Without a buffer, this does nothing.
        first.release_if_empty();
        second.consume(7);
        second.release_if_empty();
        let both = [
            first.room().unwrap().as_ptr(),
            second.room().unwrap().as_ptr(),
        ];
        assert!(both.contains(&address));
    }

    #[test]
    fn a_thread_keeps_three_buffers() {
        let mut arrivals: [Arrivals; 3] = Default::default();
        let mut addresses = || {
            let mut addresses = arrivals.each_mut().map(|it| it.room().unwrap().as_ptr());
            arrivals.iter_mut().for_each(Arrivals::release_if_empty);
            addresses.sort_unstable();
            addresses
        };
        assert_eq!(addresses(), addresses());
    }
}
