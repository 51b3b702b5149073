// SPDX-License-Identifier: LGPL-2.1-or-later

//! Reassembly of messages that arrive in several parts.

use std::collections::TryReserveError;

/// The maximum length of a message that needs no allocation, in bytes: headers often arrive in
/// two parts.
const SHORT: usize = 32;

/// The bytes of an incomplete message. Empty while messages arrive completely.
#[derive(Debug, Default)]
pub struct Inbox {
    /// A short message, in its first `short_length` bytes.
    short: [u8; SHORT],
    short_length: usize,
    /// Any longer message.
    long: Vec<u8>,
}

/// A complete message, returned by [`Inbox::take`].
pub enum Message<'a> {
    /// The message is part of the input.
    Whole(&'a [u8]),
    /// A short message, reassembled, and its length.
    Short([u8; SHORT], usize),
    /// A long message, reassembled.
    Collected(Vec<u8>),
}

impl std::ops::Deref for Message<'_> {
    type Target = [u8];
    fn deref(&self) -> &[u8] {
        match self {
            Message::Whole(bytes) => bytes,
            Message::Short(bytes, length) => &bytes[..*length],
            Message::Collected(bytes) => bytes,
        }
    }
}

impl Inbox {
    /// Takes a message of `length` bytes from `input` when it is complete. The bytes of an
    /// incomplete message are kept. Memory grows with the received bytes, not with the length
    /// that the server announced.
    pub fn take<'a>(&mut self, input: &mut &'a [u8], length: usize) -> Option<Message<'a>> {
        if self.is_empty() {
            if let Some((message, rest)) = input.split_at_checked(length) {
                *input = rest;
                return Some(Message::Whole(message));
            }
        }
        if !self.fill(input, length) {
            return None;
        }
        if length > SHORT {
            return Some(Message::Collected(std::mem::take(&mut self.long)));
        }
        self.short_length = 0;
        Some(Message::Short(self.short, length))
    }

    /// Allocates memory for the bytes that [`take`](Self::take) would keep of that message. Fails
    /// when out of memory.
    pub fn make_room(&mut self, input: &[u8], length: usize) -> Result<(), TryReserveError> {
        if length <= SHORT || self.is_empty() && input.len() >= length {
            return Ok(());
        }
        let wanted = length.saturating_sub(self.len());
        let coming = wanted.min(input.len()) + self.short_length;
        if self.long.capacity() - self.long.len() >= coming {
            return Ok(());
        }
        // Double the memory, up to the length of the message.
        let more = coming.max(self.long.len()).min(wanted + self.short_length);
        self.long.try_reserve_exact(more)
    }

    /// Discards the kept bytes, and returns their number.
    pub fn discard(&mut self) -> usize {
        std::mem::take(self).len()
    }

    /// Returns the first `N` bytes of the message without removing them.
    pub fn peek<const N: usize>(&mut self, input: &mut &[u8]) -> Option<[u8; N]> {
        if self.is_empty() {
            if let Some(head) = input.first_chunk::<N>() {
                return Some(*head);
            }
        }
        if !self.fill(input, N) {
            return None;
        }
        self.first()
    }

    /// Returns the kept bytes.
    pub fn bytes(&self) -> &[u8] {
        match self.long.is_empty() {
            true => &self.short[..self.short_length],
            false => &self.long,
        }
    }

    /// Returns the number of kept bytes.
    pub fn len(&self) -> usize {
        self.bytes().len()
    }

    /// Returns the first `N` kept bytes.
    pub fn first<const N: usize>(&self) -> Option<[u8; N]> {
        self.bytes().first_chunk::<N>().copied()
    }

    /// Returns true if no bytes are kept.
    pub fn is_empty(&self) -> bool {
        self.bytes().is_empty()
    }

    fn fill(&mut self, input: &mut &[u8], length: usize) -> bool {
        if input.is_empty() {
            return self.len() >= length;
        }
        let wanted = length.saturating_sub(self.len());
        let (head, rest) = input.split_at(wanted.min(input.len()));
        if length <= SHORT {
            self.short[self.short_length..][..head.len()].copy_from_slice(head);
            self.short_length += head.len();
        } else {
            self.long
                .extend_from_slice(&self.short[..self.short_length]);
            self.short_length = 0;
            self.long.extend_from_slice(head);
        }
        *input = rest;
        self.len() >= length
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reassembles a message from pieces, with memory reserved before each one. Returns the
    /// message and the final capacity.
    fn take_in(message: &[u8], pieces: &mut dyn Iterator<Item = &[u8]>) -> (Vec<u8>, usize) {
        let mut inbox = Inbox::default();
        loop {
            let mut input = pieces.next().expect("the message is not complete");
            let received = inbox.len() + input.len();
            inbox
                .make_room(input, message.len())
                .expect("there is memory");
            let room = inbox.long.capacity();
            assert!(room <= message.len().min(2 * received), "{room}");
            if let Some(taken) = inbox.take(&mut input, message.len()) {
                if let Message::Collected(bytes) = &taken {
                    assert_eq!(bytes.capacity(), room, "grown without being asked");
                }
                assert!(input.is_empty());
                return (taken.to_vec(), room);
            }
            assert_eq!(inbox.long.capacity(), room, "grown without being asked");
            assert!(input.is_empty());
            assert_eq!(inbox.len(), received);
        }
    }

    #[test]
    fn messages_in_pieces_have_all_their_memory_reserved() {
        for length in [1, SHORT - 1, SHORT, SHORT + 1, 100, 1000] {
            let message: Vec<_> = (0..length).map(|byte| byte as u8).collect();
            for size in 1..=length {
                let (taken, held) = take_in(&message, &mut message.chunks(size));
                assert_eq!(taken, message);
                assert_eq!(held > 0, length > SHORT && size < length, "{length} {size}");
            }
        }
    }

    #[test]
    fn memory_grows_with_what_came_and_at_least_doubles() {
        let (message, mut inbox) = ([7; 10_000], Inbox::default());
        let mut grown = 0;
        for byte in message.chunks(1) {
            let before = inbox.long.capacity();
            inbox
                .make_room(byte, message.len())
                .expect("there is memory");
            grown += usize::from(inbox.long.capacity() > before);
            assert!(inbox.take(&mut &*byte, message.len()).is_none() || inbox.is_empty());
        }
        // 1, 2, 4, ... 8192, 10000
        assert_eq!(grown, 15);
    }

    /// A header received in pieces is kept separately until the rest needs more room.
    #[test]
    fn a_message_may_turn_out_to_be_longer_than_its_beginning() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.peek::<4>(&mut b"ab".as_slice()), None);
        assert_eq!(inbox.peek::<4>(&mut b"cd".as_slice()), Some(*b"abcd"));
        assert_eq!(inbox.first::<2>(), Some(*b"ab"));
        assert_eq!(inbox.first::<5>(), None);
        let more = [b'e'; 60];
        inbox.make_room(&more, 50).expect("there is memory");
        let room = inbox.long.capacity();
        assert_eq!(room, 50);
        let mut input = more.as_slice();
        let taken = inbox.take(&mut input, 50).expect("all of it is there");
        assert_eq!(taken[..], [&b"abcd"[..], &[b'e'; 46]].concat());
        assert_eq!(input.len(), 14);
    }

    #[test]
    fn discarded_bytes_are_counted() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.discard(), 0);
        for length in [SHORT, 100] {
            assert!(inbox.take(&mut b"abc".as_slice(), length).is_none());
            assert_eq!(inbox.discard(), 3);
            assert!(inbox.is_empty());
        }
    }
}
