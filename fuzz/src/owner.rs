// SPDX-License-Identifier: LGPL-2.1-or-later

//! Owns a machine in the same way as the library, and checks its invariants
//! after each step, for any input from the server.

use std::collections::BTreeMap;
use std::ffi::CString;

use nbd::machine::{Command, Event, Machine, NewCommand, Piece, ReadStatus, State};
use nbd::protocol::request::RequestType;

use crate::memory::Memory;

/// `NBD_CMD_FLAG_PAYLOAD_LEN`
pub const PAYLOAD_LEN: u16 = 1 << 5;

/// Result of a command.
#[derive(Debug, PartialEq, Eq)]
pub struct Ended {
    pub errno: i32,
    /// Data of a successful read.
    pub data: Vec<u8>,
    /// Number of bytes covered by the extents of a block status command.
    pub extents: u64,
}

/// A machine and its observed events.
#[derive(Default)]
pub struct Owner {
    pub machine: Machine<Memory>,
    /// The commands issued, by cookie, with their results.
    pub commands: BTreeMap<u64, Option<Ended>>,
    /// All bytes sent to the server.
    pub sent: Vec<u8>,
    extents: BTreeMap<u64, u64>,
    fed: u64,
    /// True while an option of the program is outstanding.
    pub option: bool,
    /// State of the generator for split positions.
    splits: u64,
}

impl Owner {
    /// Creates a connection that requests `base:allocation`; `splits`
    /// determines how input and output are split.
    pub fn new(splits: u64) -> Self {
        let mut owner = Owner {
            splits: splits | 1,
            ..Owner::default()
        };
        let context = CString::from(c"base:allocation");
        owner.machine.preferences_mut().meta_contexts = vec![context];
        owner
    }

    pub fn connect(&mut self) {
        self.machine.connecting();
        self.machine.connected();
    }

    /// Returns a number below `limit` without using up input.
    fn split(&mut self, limit: usize) -> usize {
        self.splits = self.splits.wrapping_mul(6_364_136_223_846_793_005);
        self.splits = self.splits.wrapping_add(1_442_695_040_888_963_407);
        (self.splits >> 33) as usize % limit.max(1)
    }

    pub fn has_ended(&self) -> bool {
        matches!(self.machine.state(), State::Closed | State::Dead)
    }

    pub fn takes_commands(&self) -> bool {
        let ready = matches!(self.machine.state(), State::Ready | State::Processing);
        ready && !self.machine.is_disconnecting()
    }

    pub fn issue(&mut self, kind: RequestType, offset: u64, length: u64) -> u64 {
        let buffer = match kind {
            RequestType::Read | RequestType::Write => length as usize,
            _ => 0,
        };
        // "NBD_CMD_WRITE MUST use the flag" with extended headers.
        let extended = self.machine.negotiated().extended_headers;
        let announces = kind == RequestType::Write && extended;
        let issued = self.machine.issue(NewCommand {
            kind,
            flags: if announces { PAYLOAD_LEN } else { 0 },
            offset,
            length,
            payload: None,
            reports_data: true,
            attachment: Memory::new(buffer),
        });
        let cookie = issued.expect("there is memory");
        let new = self.commands.insert(cookie, None).is_none();
        assert!(new, "cookie {cookie} was used before");
        cookie
    }

    /// Sends all waiting output or only a part.
    pub fn send(&mut self, all: bool) {
        let mut waiting = Vec::new();
        for piece in self.machine.outgoing() {
            match piece {
                Piece::Bytes(bytes) => waiting.extend_from_slice(bytes),
                Piece::Data { command, at } => {
                    waiting.extend_from_slice(&command.attachment.contents()[at..]);
                }
            }
        }
        let wants = self.machine.wants_to_send();
        assert_eq!(wants, !waiting.is_empty(), "wants to send nothing");
        let count = match all {
            true => waiting.len(),
            false => self.split(waiting.len() + 1),
        };
        self.machine.sent(count);
        self.sent.extend_from_slice(&waiting[..count]);
        assert!(!all || !self.machine.wants_to_send(), "left over");
        // Its error is that of the connection, which is not compared here.
        let _ = self.machine.finish_abort();
        self.check();
    }

    /// Feeds bytes from the server, in pieces.
    pub fn feed(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            let most = match self.split(4) {
                0 => 1,
                1 => 16,
                2 => 300,
                _ => bytes.len(),
            };
            let (piece, rest) = bytes.split_at(1 + self.split(most.min(bytes.len())));
            self.receive(piece);
            bytes = rest;
        }
        self.receive(&[]);
    }

    fn receive(&mut self, mut input: &[u8]) {
        self.fed += input.len() as u64;
        if self.split(2) == 0 {
            input = self.receive_directly(input);
        }
        let replies = matches!(self.machine.state(), State::Ready | State::Processing);
        let predicted = self.machine.reaches_end_of_message(input);
        let mut ended = false;
        while let Some(event) = self.machine.receive(&mut input, put) {
            ended |= event.ends_message() || matches!(event, Event::Dead(_));
            self.act(event);
        }
        assert!(input.is_empty(), "bytes were not taken");
        // A partial message may already be known to be invalid.
        let dead = self.machine.state() == State::Dead;
        assert!(
            predicted == ended || dead || !replies,
            "wrong about the end of a message"
        );
        let left = self.machine.rest_of_message(usize::MAX);
        let awaited = self.machine.wants_to_receive();
        assert!(left > 0 || !awaited, "awaits no bytes");
        self.check();
    }

    /// Plays an owner that receives directly into the buffer of a read.
    fn receive_directly<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        let Some((cookie, at, length)) = self.machine.direct() else {
            return input;
        };
        let (straight, rest) = input.split_at(length.min(input.len()));
        let command = self.machine.command_mut(cookie).expect("a read in flight");
        put(command, at, straight);
        self.machine.received_directly(straight.len());
        rest
    }

    fn act(&mut self, event: Event) {
        match event {
            Event::Chunk {
                cookie,
                at,
                count,
                offset,
                status,
            } => {
                let command = self.machine.command_mut(cookie).expect("in flight");
                assert_eq!(command.kind, RequestType::Read);
                assert_eq!(offset, command.offset + at as u64);
                assert!(at + count <= command.attachment.len());
                if status == ReadStatus::Hole {
                    command.attachment.put_zeroes(at, count);
                }
            }
            Event::Extents { cookie, context_id } => {
                let reported = self.machine.extents(cookie, context_id, u64::MAX);
                let (command, _, extents) = reported.expect("in flight, of a known context");
                assert_eq!(command.kind, RequestType::BlockStatus);
                assert!(!extents.is_empty());
                let total = extents.iter().map(|extent| extent.length);
                let total = total.fold(0, u64::saturating_add);
                *self.extents.entry(command.cookie).or_default() += total.min(1 << 40);
            }
            Event::Completed { cookie } => self.complete(cookie, None),
            Event::OptionDone(_) | Event::OptionRefused(_) => {
                assert!(self.option, "an option that was not asked for is done");
                self.option = false;
            }
            Event::Listed { .. } | Event::MetaContext { .. } => {
                assert!(self.option, "a reply to an option that was not asked for");
            }
            Event::Dead(_) => assert_eq!(self.machine.state(), State::Dead),
            Event::MessageEnd | Event::Note(_) => {}
        }
    }

    fn complete(&mut self, cookie: u64, errno: Option<i32>) {
        let command = self.machine.finish(cookie).expect("completed once");
        command.attachment.check_guards();
        let errno = errno.unwrap_or(command.error());
        let read = command.kind == RequestType::Read;
        if read && errno == 0 {
            let complete = command.attachment.is_complete();
            assert!(complete, "a read succeeds without all of its data");
        }
        let data = command.attachment.contents().to_vec();
        self.machine.retire(cookie);
        let ended = self.commands.get_mut(&cookie).expect("was issued");
        assert!(ended.is_none(), "completes again");
        *ended = Some(Ended {
            errno,
            data,
            extents: self.extents.remove(&cookie).unwrap_or(0),
        });
    }

    /// Takes back unsent commands.
    pub fn abandon(&mut self) {
        let first = self.machine.abandon_unsent();
        let unsent = first.map(|first| self.machine.failing_from(first));
        for cookie in unsent.unwrap_or_default() {
            self.complete(cookie, Some(libc::ENOTCONN));
        }
        self.check();
    }

    /// Checks the invariants.
    fn check(&self) {
        let statistics = self.machine.traffic();
        assert_eq!(statistics.bytes_received, self.fed, "bytes received");
        assert_eq!(statistics.bytes_sent, self.sent.len() as u64, "bytes sent");
        // A server can make the client store the bytes sent, in another form,
        // but not allocate for announced lengths.
        let allowed = (64 << 10) + 6 * self.fed + 1024 * self.commands.len() as u64;
        let allocated = self.machine.allocated() as u64;
        assert!(allocated <= allowed, "{allocated} bytes after {}", self.fed);
        if self.has_ended() {
            assert!(!self.machine.wants_to_send() && !self.machine.wants_to_receive());
        }
    }

    /// Ends the connection, in order or by a network error. Every command must
    /// then be complete.
    pub fn finish(mut self, in_order: bool) -> BTreeMap<u64, Ended> {
        if in_order {
            let _ = self.machine.end_of_stream();
        } else {
            self.machine.fail();
        }
        assert!(self.has_ended());
        for cookie in self.machine.failing() {
            self.complete(cookie, Some(libc::ENOTCONN));
        }
        assert_eq!(
            self.machine.in_flight(),
            usize::from(self.machine.is_disconnecting())
        );
        self.check();
        let ended = self.commands.into_iter();
        ended
            .map(|(cookie, ended)| (cookie, ended.expect("each command ends")))
            .collect()
    }
}

fn put(command: &mut Command<Memory>, at: usize, bytes: &[u8]) {
    assert_eq!(command.kind, RequestType::Read);
    command.attachment.put(at, bytes);
}
