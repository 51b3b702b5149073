// SPDX-License-Identifier: LGPL-2.1-or-later

//! The queue of messages to send.

use std::collections::VecDeque;

use crate::memory::{self, NoMemory};
use crate::protocol::request::EXTENDED_LENGTH;

/// The type of a queued message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// The request of a command.
    Request {
        /// The cookie of the command.
        cookie: u64,
    },
    /// `NBD_CMD_DISC`: the last request.
    Disconnect,
}

/// A request that is not completely sent: its header, and the length of its payload. The payload
/// stays with the command.
#[derive(Debug)]
pub struct Unsent {
    pub(super) kind: Kind,
    header: [u8; EXTENDED_LENGTH],
    header_length: u8,
    pub(super) payload: u64,
}

impl Unsent {
    pub(super) fn new(kind: Kind, header: &[u8], payload: u64) -> Self {
        let mut bytes = [0; EXTENDED_LENGTH];
        bytes[..header.len()].copy_from_slice(header);
        Unsent {
            kind,
            header: bytes,
            header_length: header.len() as u8,
            payload,
        }
    }

    /// Returns the encoded header.
    pub fn header(&self) -> &[u8] {
        &self.header[..usize::from(self.header_length)]
    }

    fn length(&self) -> u64 {
        u64::from(self.header_length) + self.payload
    }
}

/// The progress of sending a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sending {
    /// No byte has been sent.
    NotBegun,
    /// A part has been sent.
    Begun,
    /// All has been sent.
    Sent,
}

/// All messages to send, oldest first.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Encoded messages of the handshake.
    handshake: Vec<u8>,
    handshake_sent: usize,
    requests: VecDeque<Unsent>,
    /// The number of bytes of the first request that have been sent.
    first_sent: u64,
}

impl Outgoing {
    /// Returns the buffer to append handshake messages to.
    pub fn handshake(&mut self) -> &mut Vec<u8> {
        &mut self.handshake
    }

    /// Reserves memory for a request, and for the final `NBD_CMD_DISC`.
    pub fn reserve(&mut self) -> Result<(), NoMemory> {
        Ok(self.requests.try_reserve(2)?)
    }

    /// Frees memory that is not needed for queued requests.
    pub fn shrink(&mut self) {
        memory::shrink(&mut self.requests, 0);
    }

    pub fn push(&mut self, request: Unsent) {
        self.requests.push_back(request);
    }

    /// Adds a request, of which `count` bytes have been sent, to an empty queue, unless it is
    /// complete.
    pub fn push_rest(&mut self, request: Unsent, count: u64) {
        debug_assert!(self.is_empty() && self.first_sent == 0);
        if count < request.length() {
            self.first_sent = count;
            self.requests.push_back(request);
        }
    }

    pub fn is_empty(&self) -> bool {
        // Sent bytes of the handshake are removed together with the last one.
        self.handshake.is_empty() && self.requests.is_empty()
    }

    /// Returns the unsent part of the handshake.
    pub fn handshake_left(&self) -> &[u8] {
        &self.handshake[self.handshake_sent..]
    }

    /// Returns a queued request.
    pub fn request(&self, index: usize) -> Option<&Unsent> {
        self.requests.get(index)
    }

    /// Returns the number of bytes of the first request that have been sent.
    pub fn first_sent(&self) -> u64 {
        self.first_sent
    }

    /// Returns true if the next bytes are data of a request whose header has been sent.
    pub fn is_within_payload(&self) -> bool {
        let first = self.requests.front();
        first.is_some_and(|first| self.first_sent >= u64::from(first.header_length))
    }

    /// Returns true if the request of a command in flight is not completely sent. Requests are
    /// queued in the order of their cookies.
    pub fn has_unsent(&self, cookie: u64) -> bool {
        match self.requests.front().map(|request| request.kind) {
            Some(Kind::Request { cookie: first }) => cookie >= first,
            _ => false,
        }
    }

    /// Returns the progress of sending the request of a command in flight.
    pub fn progress(&self, cookie: u64) -> Sending {
        let Some(first) = self.requests.front().filter(|_| self.has_unsent(cookie)) else {
            return Sending::Sent;
        };
        if first.kind != (Kind::Request { cookie }) || self.first_sent == 0 {
            return Sending::NotBegun;
        }
        Sending::Begun
    }

    /// Removes the request of a command, of which no byte has been sent.
    pub fn remove(&mut self, cookie: u64) {
        self.requests
            .retain(|request| request.kind != Kind::Request { cookie });
    }

    /// Removes the first `count` bytes after sending them. Returns the number of requests whose
    /// header is now completely sent.
    pub fn sent(&mut self, count: usize) -> u64 {
        let mut headers = 0;
        let handshake = count.min(self.handshake_left().len());
        self.handshake_sent += handshake;
        if self.handshake_left().is_empty() {
            // Options are rare; an idle connection keeps no memory for them.
            self.handshake = Vec::new();
            self.handshake_sent = 0;
        }
        let mut left = (count - handshake) as u64;
        while let Some(first) = self.requests.front() {
            let before = self.first_sent;
            let step = left.min(first.length() - before);
            let header = u64::from(first.header_length);
            if before < header && before + step >= header {
                headers += 1;
            }
            if before + step < first.length() {
                self.first_sent += step;
                break;
            }
            left -= step;
            self.first_sent = 0;
            self.requests.pop_front();
        }
        headers
    }

    /// Returns the cookie of the first request that is not completely sent.
    pub fn first_unsent(&self) -> Option<u64> {
        match self.requests.front()?.kind {
            Kind::Request { cookie } => Some(cookie),
            Kind::Disconnect => None,
        }
    }

    /// Removes the requests of which no byte has been sent (`LIBNBD_SHUTDOWN_ABANDON_PENDING`).
    /// Returns the first and the last of them.
    pub fn abandon(&mut self) -> Option<(Kind, Kind)> {
        let started = usize::from(self.first_sent > 0);
        let first = self.requests.get(started)?.kind;
        let last = self.requests.back()?.kind;
        self.requests.truncate(started);
        Some((first, last))
    }

    /// Drops everything after the end of the connection.
    pub fn clear(&mut self) {
        *self = Outgoing::default();
    }

    /// Returns the memory used, in bytes.
    pub fn allocated(&self) -> usize {
        self.handshake.capacity() + self.requests.capacity() * size_of::<Unsent>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flush(cookie: u64) -> Unsent {
        Unsent::new(Kind::Request { cookie }, &[0; 28], 0)
    }

    #[test]
    fn memory_is_counted_and_reserved_before_a_request_is_queued() {
        let mut outgoing = Outgoing::default();
        assert_eq!(outgoing.allocated(), 0);
        for cookie in 1..100 {
            outgoing.reserve().expect("there is memory");
            let reserved = outgoing.allocated();
            outgoing.push(flush(cookie));
            assert_eq!(outgoing.allocated(), reserved);
        }
        // Memory for the final request is already reserved.
        let reserved = outgoing.allocated();
        outgoing.push(Unsent::new(Kind::Disconnect, &[0; 28], 0));
        assert_eq!(outgoing.allocated(), reserved);
        let least = 100 * size_of::<Unsent>();
        assert!((least..4 * least).contains(&reserved), "{reserved}");
        outgoing.handshake().reserve_exact(1000);
        assert_eq!(outgoing.allocated(), reserved + 1000);
    }

    #[test]
    fn a_handshake_leaves_no_memory_behind() {
        let mut outgoing = Outgoing::default();
        outgoing.handshake().extend_from_slice(b"options");
        assert!(!outgoing.is_empty());
        assert_eq!(outgoing.sent(3), 0);
        assert_eq!(outgoing.handshake_left(), b"ions");
        assert_eq!(outgoing.sent(4), 0);
        assert!(outgoing.is_empty());
        assert_eq!(outgoing.allocated(), 0);
    }

    /// A server may send all its replies before the requests.
    #[test]
    fn a_handshake_and_requests_can_be_sent_at_once() {
        let mut outgoing = Outgoing::default();
        outgoing.handshake().extend_from_slice(b"options");
        (1..=3).for_each(|cookie| outgoing.push(flush(cookie)));
        assert_eq!(outgoing.sent(7 + 28 + 1), 1);
        assert_eq!(outgoing.first_unsent(), Some(2));
        assert_eq!(outgoing.first_sent(), 1);
    }

    #[test]
    fn requests_that_have_begun_to_be_sent_are_not_taken_back() {
        let mut outgoing = Outgoing::default();
        assert_eq!(outgoing.abandon(), None);
        (1..=3).for_each(|cookie| outgoing.push(flush(cookie)));
        assert_eq!(outgoing.sent(28 + 1), 1);
        let (first, last) = outgoing.abandon().expect("one is left");
        assert_eq!(first, Kind::Request { cookie: 3 });
        assert_eq!(last, first);
        assert_eq!(outgoing.abandon(), None);
        assert_eq!(outgoing.first_unsent(), Some(2));
        assert_eq!(outgoing.sent(27), 1);
        assert!(outgoing.is_empty());
        assert_eq!(outgoing.first_unsent(), None);
    }

    #[test]
    fn requests_are_unsent_from_the_first_one_on() {
        let mut outgoing = Outgoing::default();
        assert!(!outgoing.has_unsent(1));
        (1..=3).for_each(|cookie| outgoing.push(flush(cookie)));
        outgoing.sent(28 + 27);
        let unsent = (1..=3).map(|cookie| outgoing.has_unsent(cookie));
        assert!(unsent.eq([false, true, true]));
    }

    #[test]
    fn a_request_that_has_not_begun_to_be_sent_can_be_removed() {
        let mut outgoing = Outgoing::default();
        let write = |cookie| Unsent::new(Kind::Request { cookie }, &[0; 28], 512);
        (1..=3).for_each(|cookie| outgoing.push(write(cookie)));
        assert_eq!(outgoing.progress(1), Sending::NotBegun);
        for sent in [1, 27, 511] {
            outgoing.sent(sent);
            assert_eq!(outgoing.progress(1), Sending::Begun);
            assert_eq!(outgoing.progress(2), Sending::NotBegun);
        }
        outgoing.remove(2);
        assert_eq!(outgoing.progress(1), Sending::Begun);
        outgoing.sent(1);
        assert_eq!(outgoing.progress(1), Sending::Sent);
        assert_eq!(outgoing.first_unsent(), Some(3));
        assert_eq!(outgoing.progress(3), Sending::NotBegun);
    }
}
