// SPDX-License-Identifier: LGPL-2.1-or-later

//! Messages that wait to be sent, oldest first.

use std::collections::VecDeque;

use crate::memory::{self, NoMemory};
use crate::protocol::request::EXTENDED_LENGTH;

/// What a queued message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A request, and its command.
    Request {
        /// The command's cookie.
        cookie: u64,
    },
    /// `NBD_CMD_DISC`: nothing may follow.
    Disconnect,
}

/// A request that is not sent completely: its header, and the length of its payload. The
/// payload itself stays with the command.
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

    /// The header as it goes on the wire.
    pub fn header(&self) -> &[u8] {
        &self.header[..usize::from(self.header_length)]
    }

    fn length(&self) -> u64 {
        u64::from(self.header_length) + self.payload
    }
}

/// All that waits to be sent.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    /// Messages of the handshake, already laid out.
    handshake: Vec<u8>,
    handshake_sent: usize,
    requests: VecDeque<Unsent>,
    /// Bytes of the first request that are gone already.
    first_sent: u64,
}

impl Outgoing {
    /// Where handshake messages are appended.
    pub fn handshake(&mut self) -> &mut Vec<u8> {
        &mut self.handshake
    }

    /// Makes room for a request, and for the `NBD_CMD_DISC` that comes last.
    pub fn reserve(&mut self) -> Result<(), NoMemory> {
        Ok(self.requests.try_reserve(2)?)
    }

    /// Gives memory back that no request needs now.
    pub fn shrink(&mut self) {
        memory::shrink(&mut self.requests, 0);
    }

    pub fn push(&mut self, request: Unsent) {
        self.requests.push_back(request);
    }

    /// Adds a request to an empty queue, of which `count` bytes have been sent; none if
    /// these were all.
    pub fn push_rest(&mut self, request: Unsent, count: u64) {
        debug_assert!(self.is_empty() && self.first_sent == 0);
        if count < request.length() {
            self.first_sent = count;
            self.requests.push_back(request);
        }
    }

    pub fn is_empty(&self) -> bool {
        // What has been sent of the handshake goes with its last byte.
        self.handshake.is_empty() && self.requests.is_empty()
    }

    /// The part of the handshake that is not sent yet.
    pub fn handshake_left(&self) -> &[u8] {
        &self.handshake[self.handshake_sent..]
    }

    /// One of the requests that are not completely sent.
    pub fn request(&self, index: usize) -> Option<&Unsent> {
        self.requests.get(index)
    }

    /// How many bytes of the first request are gone already.
    pub fn first_sent(&self) -> u64 {
        self.first_sent
    }

    /// Whether the data of a request is next, after a header that has been sent.
    pub fn is_within_payload(&self) -> bool {
        let first = self.requests.front();
        first.is_some_and(|first| self.first_sent >= u64::from(first.header_length))
    }

    /// Whether the request with this cookie, which is in flight, still has
    /// bytes to be sent. Requests are queued in the order of their cookies.
    pub fn has_unsent(&self, cookie: u64) -> bool {
        match self.requests.front().map(|request| request.kind) {
            Some(Kind::Request { cookie: first }) => cookie >= first,
            _ => false,
        }
    }

    /// Forgets the first `count` bytes: they have been sent. How many requests of
    /// which the header is gone now and was not before.
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

    /// The cookie of the first request that is not sent completely.
    pub fn first_unsent(&self) -> Option<u64> {
        match self.requests.front()?.kind {
            Kind::Request { cookie } => Some(cookie),
            Kind::Disconnect => None,
        }
    }

    /// Takes out the requests of which no byte has been sent
    /// (`LIBNBD_SHUTDOWN_ABANDON_PENDING`). The first and the last of them.
    pub fn abandon(&mut self) -> Option<(Kind, Kind)> {
        let started = usize::from(self.first_sent > 0);
        let first = self.requests.get(started)?.kind;
        let last = self.requests.back()?.kind;
        self.requests.truncate(started);
        Some((first, last))
    }

    /// Drops everything: the connection is over.
    pub fn clear(&mut self) {
        *self = Outgoing::default();
    }

    /// Bytes of memory held.
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
        // The request that ends the connection has room of its own.
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

    /// A server may have said everything before it was asked.
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
}
