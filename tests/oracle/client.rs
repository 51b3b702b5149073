// SPDX-License-Identifier: LGPL-2.1-or-later

//! Plays a conversation with a machine, in pieces of any size, and records the
//! outcome.

use std::ffi::CString;

use nbd::machine::{self, Event, Machine, NewCommand, Piece, ReadStatus, State, Traffic};
use nbd::protocol::request::RequestType;

use super::conversation::{Command, Conversation, Step, CONTEXTS};
use super::message::Style;
use super::model::{Expected, UNTOUCHED};
use super::outcome::{Ended, Outcome, Report};
use super::random::Random;
use super::server;

/// A way of splitting input into pieces.
#[derive(Clone, Copy)]
enum Pieces {
    /// All available input.
    Whole,
    /// Random pieces, at most this long.
    Most(usize),
    /// The rest of a message according to the machine, at most this much.
    OneMessage(usize),
}

struct Client<'c> {
    machine: Machine<Vec<u8>>,
    conversation: &'c Conversation,
    expected: &'c Expected,
    random: Random,
    pieces: Pieces,
    /// The ends of messages and of the connection, according to the model.
    ends: Vec<usize>,
    /// Traffic of the handshake.
    before: Traffic,
    /// Bytes received after the handshake.
    received: usize,
    reports: Vec<(usize, Report)>,
    ended: Vec<Ended>,
}

/// Plays the conversation, in pieces determined by the seed.
pub fn play(conversation: &Conversation, expected: &Expected, seed: u64) -> Outcome {
    let mut random = Random::new(!seed);
    let pieces = random.one_of(&[
        Pieces::Whole,
        Pieces::Most(1),
        Pieces::Most(10),
        Pieces::Most(300),
        Pieces::Most(50_000),
        Pieces::OneMessage(16),
        Pieces::OneMessage(100),
        Pieces::OneMessage(256 << 10),
    ]);
    let machine = connected(conversation);
    let mut client = Client {
        before: *machine.traffic(),
        machine,
        conversation,
        expected,
        random,
        pieces,
        ends: expected.ends(),
        received: 0,
        reports: Vec::new(),
        ended: Vec::new(),
    };
    for step in &conversation.steps {
        if client.machine.state() == State::Dead {
            break;
        }
        match step {
            Step::Issue(command) => client.issue(*command),
            Step::Send(count) => client.send(*count),
            Step::Say(bytes) => client.receive_all(bytes),
        }
    }
    client.finish()
}

/// Returns a machine after the handshake.
fn connected(conversation: &Conversation) -> Machine<Vec<u8>> {
    let mut machine = Machine::default();
    let contexts = &CONTEXTS[..conversation.contexts];
    let names = contexts.iter().map(|(_, name)| CString::new(*name));
    let names: Result<_, _> = names.collect();
    machine.preferences_mut().meta_contexts = names.expect("no NUL");
    machine.connected();
    let mut said = match conversation.style {
        Style::Simple => vec![
            server::newstyle(3),
            server::refuse(11, 1),
            server::refuse(8, 1),
        ],
        Style::Structured => vec![server::newstyle(3), server::refuse(11, 1), server::ack(8)],
        Style::Extended => vec![server::newstyle(3), server::ack(11)],
    };
    if !contexts.is_empty() {
        let agreed = contexts.iter();
        said.extend(agreed.map(|(id, name)| server::meta_context(10, *id, name)));
        said.push(server::ack(10));
    }
    said.push(server::go(server::SIZE));
    for bytes in said {
        let mut input = bytes.as_slice();
        while machine.receive(&mut input, put).is_some() {}
        let asked = machine.outgoing().map(|piece| match piece {
            Piece::Bytes(bytes) => bytes.len(),
            Piece::Data { .. } => 0,
        });
        let asked = asked.sum();
        machine.sent(asked);
    }
    assert_eq!(machine.state(), State::Ready);
    machine
}

fn put(command: &mut machine::Command<Vec<u8>>, at: usize, bytes: &[u8]) {
    command.attachment[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Client<'_> {
    fn issue(&mut self, command: Command) {
        let read = command.kind == RequestType::Read;
        let length = if read { command.length as usize } else { 0 };
        // "NBD_CMD_WRITE MUST use the flag" NBD_CMD_FLAG_PAYLOAD_LEN.
        let write = command.kind == RequestType::Write;
        let announces = write && self.conversation.style == Style::Extended;
        let issued = self.machine.issue(NewCommand {
            kind: command.kind,
            flags: u16::from(announces) << 5,
            offset: command.offset,
            length: command.length,
            payload: None,
            reports_data: true,
            attachment: vec![UNTOUCHED; length],
        });
        issued.expect("there is memory");
    }

    fn send(&mut self, most: usize) {
        for _ in 0..most {
            if !self.machine.wants_to_send() {
                break;
            }
            self.machine.sent(1);
        }
    }

    fn receive_all(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.machine.state() != State::Dead {
            let direct = self.direct();
            let count = match self.pieces {
                Pieces::Whole => bytes.len(),
                Pieces::Most(most) => 1 + self.random.index(most),
                Pieces::OneMessage(room) => self.one_message(room, direct),
            };
            let (piece, rest) = bytes.split_at(count.min(bytes.len()));
            self.receive(piece);
            bytes = rest;
        }
    }

    /// Returns the number of bytes that can be received directly into a buffer.
    fn direct(&self) -> usize {
        self.machine.direct().map_or(0, |(_, _, count)| count)
    }

    /// Returns a number of bytes to receive that lies within one message.
    fn one_message(&mut self, room: usize, direct: usize) -> usize {
        let count = self.machine.rest_of_message(direct + room);
        assert!(count > 0, "no bytes are awaited");
        if let Some(left) = self.rest_of_message() {
            assert!(
                count <= left,
                "{count} bytes, where {left} are left of a message"
            );
        }
        count
    }

    /// Returns the end of the message that is being received.
    fn next_end(&self) -> Option<usize> {
        let past = self.ends.partition_point(|end| *end <= self.received);
        self.ends.get(past).copied()
    }

    /// Returns the maximum number of bytes to receive: no limit if a header
    /// violates the protocol.
    fn rest_of_message(&self) -> Option<usize> {
        let end = self.next_end()?;
        let ends = self.ends.iter().rev();
        let start = ends.copied().find(|end| *end <= self.received);
        let header = self.received - start.unwrap_or(0) < 20;
        // A simple reply is four bytes shorter than the chunk that a read
        // requires.
        let slack = match self.conversation.style {
            Style::Structured if header && !self.conversation.honest => 4,
            _ => 0,
        };
        let dies = self.expected.death.is_some_and(|death| death.at == end);
        (!dies).then(|| end - self.received + slack)
    }

    fn receive(&mut self, piece: &[u8]) {
        let last = self.received + piece.len();
        let mut input = piece;
        let direct = self.direct();
        if direct > 0 && self.random.once_in(2) {
            input = self.receive_directly(input);
        }
        let predicted = self.machine.reaches_end_of_message(input);
        let ends = self.next_end().is_some_and(|end| end <= last);
        let death = self.expected.death.filter(|death| death.at <= last);
        // The model does not predict data outside of the read.
        let dies = death.is_some();
        let foreseen = death.is_none_or(|death| death.header);
        assert!(
            predicted == ends || !foreseen,
            "whether a message ends before {last}"
        );
        while let Some(event) = self.machine.receive(&mut input, put) {
            self.received = last - input.len();
            self.act(event, last);
        }
        assert!(input.is_empty(), "bytes were not taken");
        self.received = last;
        let counted = self.machine.traffic().bytes_received - self.before.bytes_received;
        assert_eq!(counted, last as u64, "bytes received");
        let dead = self.machine.state() == State::Dead;
        assert_eq!(dead, dies, "dead after {last} bytes");
    }

    /// Plays an owner that receives directly into the buffer of a read.
    fn receive_directly<'i>(&mut self, input: &'i [u8]) -> &'i [u8] {
        let (cookie, at, count) = self.machine.direct().expect("there is a buffer");
        let count = count.min(1 + self.random.index(2 * count)).min(input.len());
        let (direct, rest) = input.split_at(count);
        let command = self.machine.command_mut(cookie).expect("in flight");
        put(command, at, direct);
        self.machine.received_directly(count);
        rest
    }

    fn act(&mut self, event: Event, last: usize) {
        let report = match event {
            Event::Chunk {
                cookie,
                at,
                count,
                offset,
                status,
            } => {
                let command = self.machine.command_mut(cookie).expect("in flight");
                assert_eq!(offset, command.offset + at as u64);
                if status == ReadStatus::Hole {
                    command.attachment[at..at + count].fill(0);
                }
                chunk(cookie, at as u64, count as u64, status)
            }
            Event::Extents { cookie, context_id } => {
                let reported = self.machine.extents(cookie, context_id, u64::MAX);
                let (command, context, extents) = reported.expect("in flight, of a known context");
                assert_eq!((command.cookie, context.id), (cookie, context_id));
                Report::Extents {
                    cookie,
                    context: context_id,
                    extents: extents.iter().map(|it| (it.length, it.flags)).collect(),
                    error: command.error(),
                }
            }
            Event::Completed { cookie } => {
                let errno = self.complete(cookie, false);
                let completed = Report::Completed { cookie, errno };
                self.reports.push((self.received, completed));
                Report::MessageEnd
            }
            Event::MessageEnd => Report::MessageEnd,
            Event::Note(_) => return,
            Event::Dead(_) => {
                let death = self.expected.death;
                assert!(death.is_some_and(|it| it.at <= last), "broken after {last}");
                return;
            }
            event => panic!("not an event of the transmission phase: {event:?}"),
        };
        self.reports.push((self.received, report));
    }

    /// Retires a command, which must be complete.
    fn complete(&mut self, cookie: u64, lost: bool) -> i32 {
        let command = self.machine.finish(cookie).expect("completes once");
        let errno = match command.error() {
            0 if lost => libc::ENOTCONN,
            errno => errno,
        };
        let buffer = command.attachment.clone();
        self.ended.push(Ended {
            cookie,
            errno,
            buffer,
        });
        if self.random.once_in(2) {
            self.machine.retire(cookie);
            assert!(self.machine.completed(cookie).is_none());
        }
        errno
    }

    fn finish(mut self) -> Outcome {
        let before = self.machine.state();
        let end = self.machine.end_of_stream();
        let after = self.machine.state();
        assert_eq!(end.is_ok(), after == State::Closed);
        for cookie in self.machine.failing() {
            self.complete(cookie, true);
        }
        assert_eq!(self.machine.in_flight(), 0);
        Outcome {
            reports: self.reports,
            states: (before, after),
            ended: self.ended,
            headers: self.machine.traffic().chunks_received - self.before.chunks_received,
        }
    }
}

fn chunk(cookie: u64, at: u64, count: u64, status: ReadStatus) -> Report {
    match status {
        ReadStatus::Data => Report::Data { cookie, at, count },
        ReadStatus::Hole => Report::Hole { cookie, at, count },
        ReadStatus::Error { errno, first } => Report::ErrorAt {
            cookie,
            at,
            errno,
            first,
        },
    }
}
