// SPDX-License-Identifier: LGPL-2.1-or-later

//! Bytes that have arrived and are not used yet.

use std::cell::Cell;
use std::collections::TryReserveError;

/// The most bytes that are received with one system call, besides those that go
/// straight to a user's buffer.
pub const MOST: usize = 32 * 1024;

thread_local! {
    /// A handle without arrivals needs no memory for them, so each thread has a
    /// buffer that it lends.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// Received bytes in the order of the stream. The memory is on loan from the
/// thread that receives, and goes back to the thread that uses the last byte.
#[derive(Debug, Default)]
pub struct Arrivals {
    buffer: Option<Box<[u8]>>,
    used: usize,
    end: usize,
}

impl Arrivals {
    /// The bytes that are left.
    pub fn bytes(&self) -> &[u8] {
        let buffer = self.buffer.as_deref().unwrap_or_default();
        &buffer[self.used..self.end]
    }

    /// Whether none are left.
    pub fn is_empty(&self) -> bool {
        self.used == self.end
    }

    /// Memory of [`MOST`] bytes to receive into, once nothing is left.
    pub fn room(&mut self) -> Result<&mut [u8], TryReserveError> {
        debug_assert!(self.is_empty());
        if self.buffer.is_none() {
            // A thread that is ending has nothing to lend any more.
            let spare = SPARE.try_with(Cell::take).ok().flatten();
            self.buffer = Some(match spare {
                Some(buffer) => buffer,
                None => allocate()?,
            });
        }
        Ok(self.buffer.as_deref_mut().unwrap_or_default())
    }

    /// The same memory for a thread to receive into without the lock;
    /// [`give`](Self::give) brings it back.
    pub fn lend(&mut self) -> Result<Box<[u8]>, TryReserveError> {
        self.room()?;
        Ok(self.buffer.take().unwrap_or_default())
    }

    /// Memory that was lent is back, with `count` bytes in it.
    pub fn give(&mut self, buffer: Box<[u8]>, count: usize) {
        self.buffer = Some(buffer);
        self.received(count);
    }

    /// `count` bytes have been received into the [`room`](Self::room).
    pub fn received(&mut self, count: usize) {
        (self.used, self.end) = (0, count);
        self.give_back_if_empty();
    }

    /// Forgets the first `count` bytes: they are used.
    pub fn use_up(&mut self, count: usize) {
        self.used += count;
        self.give_back_if_empty();
    }

    fn give_back_if_empty(&mut self) {
        if !self.is_empty() {
            return;
        }
        (self.used, self.end) = (0, 0);
        if let Some(buffer) = self.buffer.take() {
            // Without the thread's storage, the buffer is simply freed.
            let _ = SPARE.try_with(|spare| spare.set(Some(buffer)));
        }
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        self.use_up(self.end - self.used);
    }
}

fn allocate() -> Result<Box<[u8]>, TryReserveError> {
    let mut buffer = Vec::new();
    buffer.try_reserve_exact(MOST)?;
    buffer.resize(MOST, 0);
    Ok(buffer.into_boxed_slice())
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
        arrivals.use_up(2);
        assert_eq!(arrivals.bytes(), b"cde");
        arrivals.use_up(3);
        assert!(arrivals.is_empty());
        assert_eq!(arrivals.bytes(), b"");
    }

    #[test]
    fn memory_goes_back_when_nothing_is_left() {
        let mut first = Arrivals::default();
        let address = first.room().unwrap().as_ptr();
        first.received(0);
        let mut second = Arrivals::default();
        assert_eq!(second.room().unwrap().as_ptr(), address);
        second.received(7);
        assert_ne!(first.room().unwrap().as_ptr(), address);
        first.received(0);
        // What has none gives none back.
        first.use_up(0);
        second.use_up(7);
        assert_eq!(first.room().unwrap().as_ptr(), address);
    }
}
