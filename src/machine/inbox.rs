// SPDX-License-Identifier: LGPL-2.1-or-later

//! Collects a message of which only a part has come.

use std::collections::TryReserveError;

/// Bytes of a message that is not complete yet. Empty, and without memory of
/// its own, as long as messages come whole.
#[derive(Debug, Default)]
pub struct Inbox {
    bytes: Vec<u8>,
}

/// What [`Inbox::take`] hands out: from the input itself when it could.
pub enum Message<'a> {
    /// All of it was in the input.
    Whole(&'a [u8]),
    /// It came in pieces.
    Collected(Vec<u8>),
}

impl std::ops::Deref for Message<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Message::Whole(bytes) => bytes,
            Message::Collected(bytes) => bytes,
        }
    }
}

impl Inbox {
    /// A message of `length` bytes, once that many have come. What is short is
    /// taken from `input` and kept; memory grows with what was received, never
    /// with what a server announced.
    pub fn take<'a>(&mut self, input: &mut &'a [u8], length: usize) -> Option<Message<'a>> {
        if self.bytes.is_empty() {
            if let Some((message, rest)) = input.split_at_checked(length) {
                *input = rest;
                return Some(Message::Whole(message));
            }
        }
        if !self.fill(input, length) {
            return None;
        }
        Some(Message::Collected(std::mem::take(&mut self.bytes)))
    }

    /// Makes room for what [`take`](Self::take) would keep of that message: an
    /// error where a server sends more than there is memory for.
    pub fn make_room(&mut self, input: &[u8], length: usize) -> Result<(), TryReserveError> {
        if self.bytes.is_empty() && input.len() >= length {
            return Ok(());
        }
        let wanted = length.saturating_sub(self.bytes.len());
        let coming = wanted.min(input.len());
        if self.bytes.capacity() - self.bytes.len() >= coming {
            return Ok(());
        }
        // Twice as much as there was, but no more than the whole message.
        let more = coming.max(self.bytes.len()).min(wanted);
        self.bytes.try_reserve_exact(more)
    }

    /// Drops what is being kept, and says how many bytes that were.
    pub fn discard(&mut self) -> usize {
        std::mem::take(&mut self.bytes).len()
    }

    /// The first `N` bytes of the message, left in place.
    pub fn peek<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        if self.bytes.is_empty() {
            if let Some(head) = input.first_chunk::<N>() {
                return Some(*head);
            }
        }
        if !self.fill(input, N) {
            return None;
        }
        self.bytes.first_chunk::<N>().copied()
    }

    /// How many bytes are being kept.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The first `N` of them.
    pub fn first<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes.first_chunk::<N>().copied()
    }

    /// Whether a part of a message is being kept.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    fn fill(&mut self, input: &mut &[u8], length: usize) -> bool {
        let wanted = length.saturating_sub(self.bytes.len());
        let (head, rest) = input.split_at(wanted.min(input.len()));
        self.bytes.extend_from_slice(head);
        *input = rest;
        self.bytes.len() >= length
    }
}
