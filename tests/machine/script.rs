// SPDX-License-Identifier: LGPL-2.1-or-later

//! Plays a conversation and records the reported events.

use std::ffi::CString;

use nbd::machine::{Command, Event, Machine, NewCommand, Piece, Preferences, State};
use nbd::protocol::request::RequestType;

/// The buffer of a read.
pub type Memory = Vec<u8>;

/// Commands issued once the client is ready, in this order, so that the first
/// one has cookie 1.
#[derive(Clone, Copy)]
pub struct Issue {
    pub kind: RequestType,
    pub offset: u64,
    pub length: u64,
}

/// Creates a read of `length` bytes at `offset`.
pub fn read(offset: u64, length: u64) -> Issue {
    let kind = RequestType::Read;
    Issue {
        kind,
        offset,
        length,
    }
}

/// Creates another command for `length` bytes at `offset`.
pub fn command(kind: RequestType, offset: u64, length: u64) -> Issue {
    Issue {
        kind,
        offset,
        length,
    }
}

/// Description of a conversation. The server replies to commands only after
/// they have been issued; apart from that, its bytes may be split arbitrarily.
pub struct Script<'a> {
    pub settings: &'a dyn Fn(&mut Preferences),
    pub handshake: &'a [u8],
    pub commands: &'a [Issue],
    pub replies: &'a [u8],
}

/// Result of a conversation: a line for each event, the final group of states,
/// and all bytes that the client sent.
#[derive(Debug, PartialEq, Eq, Clone)]
pub struct Outcome {
    pub lines: Vec<String>,
    pub group: State,
    pub sent: Vec<u8>,
    pub received: u64,
    pub chunks_received: u64,
}

impl Outcome {
    /// Returns true if the machine reported this line.
    pub fn reported(&self, line: &str) -> bool {
        self.lines.iter().any(|it| it == line)
    }
}

/// Distance between the positions where the input is split. Miri is a thousand
/// times slower, so it tries only a few, and small pieces in place of single
/// bytes.
const SPLIT_EVERY: usize = if cfg!(miri) { 1000 } else { 1 };
const SMALL: usize = if cfg!(miri) { 32 } else { 1 };

/// Plays the conversation whole, byte by byte and split in two at every
/// position, and checks that all results are equal.
pub fn play(script: &Script) -> Outcome {
    let (handshake, replies) = (script.handshake, script.replies);
    let whole = play_in(script, &[handshake, replies]);
    let bytes: Vec<_> = handshake
        .chunks(SMALL)
        .chain(replies.chunks(SMALL))
        .collect();
    assert_eq!(play_in(script, &bytes), whole, "a byte at a time");
    assert_eq!(
        play_exactly(script),
        whole,
        "no more than belongs to a reply"
    );
    for split in (1..handshake.len()).step_by(SPLIT_EVERY) {
        let (head, tail) = handshake.split_at(split);
        let outcome = play_in(script, &[head, tail, replies]);
        assert_eq!(outcome, whole, "handshake split at {split}");
    }
    for split in (1..replies.len()).step_by(SPLIT_EVERY) {
        let (head, tail) = replies.split_at(split);
        let outcome = play_in(script, &[handshake, head, tail]);
        assert_eq!(outcome, whole, "replies split at {split}");
        let outcome = play_directly(script, head, tail);
        assert_eq!(outcome, whole, "straight to the buffer from {split} on");
    }
    whole
}

/// Sends all output byte by byte.
pub fn send_all<T>(machine: &mut Machine<T>) {
    for _ in 0..10_000 {
        if !machine.wants_to_send() {
            return;
        }
        machine.sent(1);
    }
    panic!("there is no end of it");
}

/// Sends all output, which must not include a write.
pub fn send_outgoing(machine: &mut Machine<()>) {
    let length = machine.outgoing().map(|piece| match piece {
        Piece::Bytes(bytes) => bytes.len(),
        Piece::Data { .. } => 0,
    });
    let length = length.sum();
    machine.sent(length);
    assert!(!machine.wants_to_send());
}

/// Feeds bytes to the machine and returns its events, without debug messages.
pub fn say(machine: &mut Machine<()>, bytes: &[u8]) -> Vec<Event> {
    let mut input = bytes;
    let mut events = Vec::new();
    while let Some(event) = machine.receive(&mut input, |_, _, _| {}) {
        if !matches!(event, Event::Note(_)) {
            events.push(event);
        }
    }
    events
}

struct Player<'a> {
    machine: Machine<Memory>,
    script: &'a Script<'a>,
    issued: bool,
    outcome: Outcome,
}

fn start<'a>(script: &'a Script) -> Player<'a> {
    let mut machine = Machine::default();
    (script.settings)(machine.preferences_mut());
    machine.connecting();
    machine.connected();
    Player {
        machine,
        script,
        issued: false,
        outcome: Outcome {
            lines: Vec::new(),
            group: State::Created,
            sent: Vec::new(),
            received: 0,
            chunks_received: 0,
        },
    }
}

fn play_in(script: &Script, parts: &[&[u8]]) -> Outcome {
    let mut player = start(script);
    for part in parts {
        player.feed(part);
    }
    player.finish()
}

/// Plays an owner that leaves the bytes after a reply in the socket: the server
/// may send everything at once, and no reply is read before its command is
/// issued.
fn play_exactly(script: &Script) -> Outcome {
    let mut player = start(script);
    let all = [script.handshake, script.replies].concat();
    let mut rest = all.as_slice();
    while !rest.is_empty() && player.machine.wants_to_receive() {
        let wanted = player.machine.rest_of_message(usize::MAX);
        assert!(wanted > 0, "nothing is awaited");
        let (part, after) = rest.split_at(wanted.min(rest.len()));
        player.feed(part);
        rest = after;
    }
    player.feed(rest);
    player.finish()
}

/// Plays an owner that receives data directly into the user's buffer.
fn play_directly(script: &Script, head: &[u8], tail: &[u8]) -> Outcome {
    let mut player = start(script);
    player.feed(script.handshake);
    player.feed(head);
    let mut tail = tail;
    if let Some((cookie, at, length)) = player.machine.direct() {
        let (straight, rest) = tail.split_at(length.min(tail.len()));
        let command = player.machine.command_mut(cookie).expect("in flight");
        put(command, at, straight);
        player.machine.received_directly(straight.len());
        tail = rest;
    }
    player.feed(tail);
    player.finish()
}

fn put(command: &mut Command<Memory>, at: usize, bytes: &[u8]) {
    command.attachment[at..at + bytes.len()].copy_from_slice(bytes);
}

impl Player<'_> {
    fn feed(&mut self, mut input: &[u8]) {
        loop {
            self.send();
            self.issue_when_ready();
            match self.machine.receive(&mut input, put) {
                Some(event) => self.write_down(event),
                None => break,
            }
        }
        assert!(input.is_empty(), "the machine takes all that it is given");
        self.issue_when_ready();
        self.send();
    }

    fn issue_when_ready(&mut self) {
        if self.issued || self.machine.state() != State::Ready {
            return;
        }
        self.issued = true;
        for issue in self.script.commands {
            let issued = self.machine.issue(NewCommand {
                kind: issue.kind,
                flags: 0,
                offset: issue.offset,
                length: issue.length,
                payload: None,
                reports_data: true,
                attachment: vec![0xee; issue.length as usize],
            });
            issued.expect("there is memory");
        }
        self.send();
    }

    fn send(&mut self) {
        let mut count = 0;
        for piece in self.machine.outgoing() {
            let bytes = match &piece {
                Piece::Bytes(bytes) => bytes,
                Piece::Data { command, at } => &command.attachment[*at..],
            };
            self.outcome.sent.extend_from_slice(bytes);
            count += bytes.len();
        }
        self.machine.sent(count);
        assert!(!self.machine.wants_to_send());
        if let Err(error) = self.machine.finish_abort() {
            self.outcome.lines.push(format!("dead: {error}"));
        }
    }

    fn write_down(&mut self, event: Event) {
        let line = match event {
            Event::Chunk {
                cookie,
                at,
                count,
                offset,
                status,
            } => {
                format!("{cookie}: {status:?} at {at} count {count} offset {offset}")
            }
            Event::Extents { cookie, context_id } => {
                let (command, context, extents) = self
                    .machine
                    .extents(cookie, context_id, u64::MAX)
                    .expect("in flight");
                let list: Vec<_> = extents.iter().map(|it| (it.length, it.flags)).collect();
                let name = context.name.to_string_lossy();
                let error = command.error();
                format!("{}: {name} {list:?} error {error}", command.cookie)
            }
            Event::Completed { cookie } => {
                let command = self.machine.finish(cookie).expect("in flight");
                let line = format!("{}: done, error {}", command.cookie, command.error());
                if command.kind == RequestType::Read && command.error() == 0 {
                    let data = String::from_utf8_lossy(&command.attachment).into_owned();
                    self.outcome
                        .lines
                        .push(format!("{}: {data}", command.cookie));
                }
                self.machine.retire(cookie);
                line
            }
            Event::Listed { name, description } => format!("export {name:?} {description:?}"),
            Event::MetaContext { name } => format!("context {name:?}"),
            Event::OptionDone(Ok(count)) => format!("option done: {count}"),
            Event::OptionDone(Err(error)) => format!("option failed: {error}"),
            Event::OptionRefused(errno) => format!("option refused: {errno}"),
            Event::MessageEnd | Event::Note(_) => return,
            Event::Dead(error) => format!("dead: {error}"),
        };
        self.outcome.lines.push(line);
    }

    fn finish(mut self) -> Outcome {
        self.outcome.group = self.machine.state();
        self.outcome.received = self.machine.traffic().bytes_received;
        self.outcome.chunks_received = self.machine.traffic().chunks_received;
        self.outcome
    }
}

/// Sets preferences that request `base:allocation`.
pub fn with_allocation(settings: &mut Preferences) {
    let name = CString::new("base:allocation").expect("no NUL");
    settings.meta_contexts.push(name);
}

/// Leaves the preferences at their defaults.
pub fn defaults(_: &mut Preferences) {}
