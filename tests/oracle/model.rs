// SPDX-License-Identifier: LGPL-2.1-or-later

//! The expected outcome of a conversation.
//!
//! Written from the protocol document; it sees all bytes of the server at once
//! and shares only the types of the result with the library. Where the document
//! leaves a choice, the client does what the C library 1.24.4 was seen to do,
//! as `docs/differences.md` and the programs in `capi-tests/` say.

use std::collections::VecDeque;

use nbd::machine::State;
use nbd::protocol::request::RequestType;

use super::conversation::{Command, Conversation, Step, CONTEXTS};
use super::message::Style;
use super::outcome::{Ended, Outcome, Report};
use super::server::SIZE;

/// Initial value of the bytes of a buffer.
pub const UNTOUCHED: u8 = 0xee;

/// Maximum payload of a chunk: an offset and the data of the longest read.
const LONGEST: u64 = 8 + (64 << 20);

/// A protocol error that ends the connection.
#[derive(Clone, Copy)]
pub struct Broken {
    /// Number of the server's bytes after which it is detected.
    pub at: usize,
    /// True if a header causes it, false for a payload.
    pub header: bool,
}

/// The expected outcome, and facts for the checks.
pub struct Expected {
    pub outcome: Outcome,
    pub death: Option<Broken>,
}

impl Expected {
    /// Returns the positions at which messages end, and the connection if it
    /// breaks.
    pub fn ends(&self) -> Vec<usize> {
        let reports = self.outcome.reports.iter();
        let ends = reports.filter(|(_, report)| *report == Report::MessageEnd);
        let ends = ends.map(|(at, _)| *at);
        ends.chain(self.death.map(|death| death.at)).collect()
    }
}

/// A command and its state.
struct CommandState {
    command: Command,
    cookie: u64,
    /// Number of the server's bytes received before it was issued.
    issued: usize,
    /// Number of the server's bytes received before its request was completely
    /// sent.
    sent: Option<usize>,
    buffer: Vec<u8>,
    arrived: Vec<bool>,
    twice: bool,
    errno: i32,
    ended: bool,
}

impl CommandState {
    /// Records an error; the first one counts.
    fn fail(&mut self, errno: i32) {
        if self.errno == 0 {
            self.errno = errno;
        }
    }

    fn is_read(&self) -> bool {
        self.command.kind == RequestType::Read
    }

    /// Marks a part of a read as complete.
    fn arrive(&mut self, at: usize, count: usize) {
        for arrived in &mut self.arrived[at..at + count] {
            self.twice |= *arrived;
            *arrived = true;
        }
    }

    /// Returns the position of `length` bytes at `offset` in the buffer, if all
    /// of them fit.
    fn place(&self, offset: u64, length: u64) -> Option<usize> {
        let start = u128::from(self.command.offset);
        let end = start + u128::from(self.command.length);
        let (first, last) = (u128::from(offset), u128::from(offset) + u128::from(length));
        (first >= start && last <= end).then(|| (first - start) as usize)
    }
}

struct Model<'c> {
    conversation: &'c Conversation,
    said: Vec<u8>,
    /// Number of those bytes already used.
    at: usize,
    command_states: Vec<CommandState>,
    reports: Vec<(usize, Report)>,
    ended: Vec<u64>,
    headers: u64,
}

pub fn expect(conversation: &Conversation) -> Expected {
    let mut model = Model {
        conversation,
        said: conversation.said(),
        at: 0,
        command_states: command_states(conversation),
        reports: Vec::new(),
        ended: Vec::new(),
        headers: 0,
    };
    let mut death = None;
    let mut whole = true;
    while model.at < model.said.len() {
        match model.message() {
            Ok(true) => {}
            Ok(false) => {
                whole = false;
                break;
            }
            Err(broken) => {
                death = Some(broken);
                break;
            }
        }
    }
    model.end(death, whole)
}

/// Returns all commands, with the times when they are issued and sent.
fn command_states(conversation: &Conversation) -> Vec<CommandState> {
    let mut command_states: Vec<CommandState> = Vec::new();
    // Bytes of waiting requests, and the commands they belong to.
    let mut waiting: VecDeque<(usize, usize)> = VecDeque::new();
    let mut said = 0;
    let header = match conversation.style {
        Style::Extended => 32,
        _ => 28,
    };
    for step in &conversation.steps {
        match step {
            Step::Say(bytes) => said += bytes.len(),
            Step::Issue(command) => {
                let length = command.length as usize;
                let (read, write) = match command.kind {
                    RequestType::Read => (length, 0),
                    RequestType::Write => (0, length),
                    _ => (0, 0),
                };
                waiting.push_back((command_states.len(), header + write));
                command_states.push(CommandState {
                    command: *command,
                    cookie: command_states.len() as u64 + 1,
                    issued: said,
                    sent: None,
                    buffer: vec![UNTOUCHED; read],
                    arrived: vec![false; read],
                    twice: false,
                    errno: 0,
                    ended: false,
                });
            }
            Step::Send(count) => {
                let mut count = *count;
                while let Some((state, left)) = waiting.front_mut() {
                    let part = count.min(*left);
                    *left -= part;
                    count -= part;
                    if *left > 0 {
                        break;
                    }
                    command_states[*state].sent = Some(said);
                    waiting.pop_front();
                }
            }
        }
    }
    command_states
}

fn number(bytes: &[u8]) -> u64 {
    let append = |number, byte: &u8| (number << 8) | u64::from(*byte);
    bytes.iter().fold(0, append)
}

/// Source: proto.md, "Error values": "SHOULD treat an unexpected error value as if it
/// had been NBD_EINVAL".
fn errno(error: u64) -> i32 {
    match error {
        0 => 0,
        1 => libc::EPERM,
        5 => libc::EIO,
        12 => libc::ENOMEM,
        28 => libc::ENOSPC,
        75 => libc::EOVERFLOW,
        95 => libc::EOPNOTSUPP,
        108 => libc::ESHUTDOWN,
        _ => libc::EINVAL,
    }
}

/// The fields of a chunk's header.
struct Header {
    done: bool,
    kind: u64,
    offset: Option<u64>,
    length: usize,
}

impl Header {
    fn is_extended(&self) -> bool {
        self.offset.is_some()
    }
}

impl Model<'_> {
    /// Returns a protocol error caused by a header, of which `more` bytes were
    /// read since.
    fn by_header(&self, more: usize) -> Broken {
        let at = self.at + more;
        Broken { at, header: true }
    }

    fn by_payload(&self) -> Broken {
        let at = self.at;
        Broken { at, header: false }
    }

    fn report(&mut self, report: Report) {
        self.reports.push((self.at, report));
    }

    /// Returns the next bytes, if the server sends that many.
    fn take(&mut self, count: usize) -> Option<Vec<u8>> {
        let bytes = self.said.get(self.at..)?.get(..count)?.to_vec();
        self.at += count;
        Some(bytes)
    }

    /// Returns the index of the command in flight with that cookie. A request
    /// that the server cannot have received has no reply.
    fn answered(&self, cookie: u64) -> Result<Option<usize>, Broken> {
        let index = (cookie as usize).wrapping_sub(1);
        let Some(state) = self.command_states.get(index) else {
            return Ok(None);
        };
        if state.cookie != cookie || state.ended || state.issued >= self.at {
            return Ok(None);
        }
        match state.sent {
            Some(sent) if sent < self.at => Ok(Some(index)),
            _ => Err(self.by_header(0)),
        }
    }

    /// Handles a message. Returns false if it is truncated.
    fn message(&mut self) -> Result<bool, Broken> {
        let style = self.conversation.style;
        // This much must have arrived before a magic is checked: seen with
        // 1.24.4.
        let judged = if style == Style::Extended { 4 } else { 16 };
        if self.said.len() - self.at < judged {
            return Ok(false);
        }
        let magic = number(&self.said[self.at..self.at + 4]);
        let length = match (magic, style) {
            (0x6744_6698, Style::Simple | Style::Structured) => 16,
            (0x668e_33ef, Style::Structured) => 20,
            (0x6e8a_278c, Style::Extended) => 32,
            _ => return Err(self.by_header(judged)),
        };
        let Some(header) = self.take(length) else {
            return Ok(false);
        };
        self.headers += 1;
        let cookie = number(&header[8..16]);
        if length == 16 {
            return self.simple(number(&header[4..8]), cookie);
        }
        let length = number(&header[length - if length == 20 { 4 } else { 8 }..]);
        if length > LONGEST {
            return Err(self.by_header(0));
        }
        let header = Header {
            done: header[5] & 1 != 0,
            kind: number(&header[6..8]),
            offset: (style == Style::Extended).then(|| number(&header[16..24])),
            length: length as usize,
        };
        match self.answered(cookie)? {
            Some(state) => self.chunk(state, &header),
            // Only its length is known.
            None => Ok(self.take(header.length).is_some_and(|_| self.message_end())),
        }
    }

    fn message_end(&mut self) -> bool {
        self.report(Report::MessageEnd);
        true
    }

    /// Source: proto.md, "Simple reply message".
    fn simple(&mut self, error: u64, cookie: u64) -> Result<bool, Broken> {
        let structured = self.conversation.style == Style::Structured;
        let Some(index) = self.answered(cookie)? else {
            // No data follows, except for a successful read in a style without
            // chunks.
            if error == 0 && !structured {
                return Err(self.by_header(0));
            }
            return Ok(self.message_end());
        };
        let broken = self.by_header(0);
        let state = &mut self.command_states[index];
        match state.command.kind {
            // A simple reply is forbidden here. After an error, the next
            // message can still be located.
            RequestType::Read if structured => {
                state.fail(libc::EPROTO);
                if error == 0 {
                    return Err(broken);
                }
            }
            RequestType::Read if error == 0 => {
                let count = state.command.length as usize;
                return Ok(self.data(index, 0, count) && self.complete(index));
            }
            // Extents cannot be sent in simple replies.
            RequestType::BlockStatus if error == 0 => state.fail(libc::EPROTO),
            _ => {}
        }
        state.fail(errno(error));
        Ok(self.complete(index))
    }

    /// Receives data into a buffer. Returns false if it is truncated; the rest
    /// of the buffer is then unchanged.
    fn data(&mut self, index: usize, at: usize, count: usize) -> bool {
        let came = count.min(self.said.len() - self.at);
        let bytes = self.take(came).expect("there are that many");
        let state = &mut self.command_states[index];
        state.buffer[at..at + came].copy_from_slice(&bytes);
        if came < count {
            return false;
        }
        state.arrive(at, count);
        let (cookie, at, count) = (state.cookie, at as u64, count as u64);
        self.report(Report::Data { cookie, at, count });
        true
    }

    /// Handles the last message of a command.
    fn complete(&mut self, index: usize) -> bool {
        let state = &mut self.command_states[index];
        if state.is_read() && (state.twice || state.arrived.contains(&false)) {
            state.fail(libc::EPROTO);
        }
        state.ended = true;
        let (cookie, errno) = (state.cookie, state.errno);
        self.ended.push(cookie);
        self.report(Report::Completed { cookie, errno });
        self.message_end()
    }

    /// A chunk for a command in flight.
    /// Source: proto.md, "Structured reply types".
    fn chunk(&mut self, index: usize, header: &Header) -> Result<bool, Broken> {
        let state = &self.command_states[index];
        let mine = header.offset.is_none_or(|it| it == state.command.offset);
        if mine && state.is_read() && header.kind == 1 && header.length >= 8 {
            let Some(offset) = self.take(8) else {
                return Ok(false);
            };
            let count = header.length - 8;
            let place = self.command_states[index].place(number(&offset), count as u64);
            let place = place.ok_or(self.by_payload())?;
            if !self.data(index, place, count) {
                return Ok(false);
            }
        } else {
            // Any other chunk is checked once it is complete, except extents of
            // the other width:
            // capi-tests/hostile-servers/wrong-chunks-are-refused-once-complete.c.
            if mine && self.has_extents(index, header) == Some(!header.is_extended()) {
                self.command_states[index].fail(libc::EPROTO);
            }
            let Some(payload) = self.take(header.length) else {
                return Ok(false);
            };
            match mine {
                true => self.payload(index, header, &payload)?,
                false => self.command_states[index].fail(libc::EPROTO),
            }
        }
        match header.done {
            true => Ok(self.complete(index)),
            false => Ok(self.message_end()),
        }
    }

    fn payload(&mut self, index: usize, header: &Header, payload: &[u8]) -> Result<(), Broken> {
        let read = self.command_states[index].is_read();
        let understood = match header.kind {
            0 => payload.is_empty() && header.done,
            2 if read && payload.len() == 12 => {
                self.hole(index, payload)?;
                true
            }
            5 | 6 => match self.has_extents(index, header) {
                Some(wide) => {
                    self.extents(index, payload, if wide { 8 } else { 4 });
                    true
                }
                None => false,
            },
            // "begin with the same error, message length, and optional message".
            0x8000.. => self.error(index, header.kind, payload),
            _ => false,
        };
        if !understood {
            self.command_states[index].fail(libc::EPROTO);
        }
        Ok(())
    }

    /// Returns true if a chunk has extents of 64 bits, false for 32; `None` if
    /// it has no extents, or none that the command requested.
    fn has_extents(&self, index: usize, header: &Header) -> Option<bool> {
        let asked = self.command_states[index].command.kind == RequestType::BlockStatus;
        let length = header.length;
        match header.kind {
            _ if !asked || self.conversation.contexts == 0 => None,
            5 if length > 4 && length % 8 == 4 => Some(false),
            6 if length > 8 && length % 16 == 8 => Some(true),
            _ => None,
        }
    }

    fn hole(&mut self, index: usize, payload: &[u8]) -> Result<(), Broken> {
        let (offset, count) = (number(&payload[..8]), number(&payload[8..]));
        let outside = self.by_payload();
        let state = &mut self.command_states[index];
        let at = state.place(offset, count).ok_or(outside)?;
        state.buffer[at..at + count as usize].fill(0);
        state.arrive(at, count as usize);
        let (cookie, at) = (state.cookie, at as u64);
        self.report(Report::Hole { cookie, at, count });
        Ok(())
    }

    /// Handles an error chunk. Returns false if it is malformed: no error, or
    /// longer than its fields can be.
    fn error(&mut self, index: usize, kind: u64, payload: &[u8]) -> bool {
        if payload.len() < 4 || payload.len() > 4 + 2 + 0xffff + 8 {
            return false;
        }
        let state = &mut self.command_states[index];
        let errno = match errno(number(&payload[..4])) {
            0 => libc::EPROTO,
            errno => errno,
        };
        let first = state.errno == 0;
        state.fail(errno);
        let text = payload.get(4..6).map_or(0, |it| number(it) as usize);
        let place = payload.get(6 + text..14 + text).map(number);
        let at = place.and_then(|offset| state.place(offset, 1));
        if let (0x8002, true, Some(at)) = (kind, state.is_read(), at) {
            let (cookie, at) = (state.cookie, at as u64);
            self.report(Report::ErrorAt {
                cookie,
                at,
                errno,
                first,
            });
        }
        true
    }

    /// Parses extents of two numbers of `half` bytes each, after a header of
    /// the same size.
    fn extents(&mut self, index: usize, payload: &[u8], half: usize) {
        let list = payload[half..].chunks(2 * half);
        let mut extents: Vec<_> = list
            .map(|extent| (number(&extent[..half]), number(&extent[half..])))
            .collect();
        let state = &mut self.command_states[index];
        if half == 8 && number(&payload[4..8]) != extents.len() as u64 {
            state.fail(libc::EPROTO);
            return;
        }
        let context = number(&payload[..4]) as u32;
        let negotiated = &CONTEXTS[..self.conversation.contexts];
        if !negotiated.iter().any(|(id, _)| *id == context) {
            return;
        }
        if !cut(&mut extents, SIZE - state.command.offset) {
            state.fail(libc::EPROTO);
        }
        let (cookie, error) = (state.cookie, state.errno);
        self.report(Report::Extents {
            cookie,
            context,
            extents,
            error,
        });
    }

    /// Handles the end of the connection, after a complete message or within
    /// one.
    fn end(mut self, death: Option<Broken>, whole: bool) -> Expected {
        // Events after the failure do not happen.
        let last = death.map_or(usize::MAX, |death| death.at);
        self.command_states.retain(|state| state.issued < last);
        let has_sent = |state: &CommandState| state.sent.is_some_and(|sent| sent < last);
        let before = match death {
            Some(_) => State::Dead,
            None if self.command_states.iter().all(has_sent) => State::Ready,
            None => State::Processing,
        };
        let after = match before {
            State::Dead => State::Dead,
            _ if whole => State::Closed,
            _ => State::Dead,
        };
        // Commands unknown to the server fail first: seen with 1.24.4.
        let (sent, unsent): (Vec<_>, Vec<_>) =
            self.command_states.iter().partition(|it| has_sent(it));
        let left = unsent.into_iter().chain(sent.into_iter().rev());
        let left = left.filter(|state| !state.ended).map(|state| state.cookie);
        self.ended.extend(left);
        let ended = self.ended.iter().map(|cookie| {
            let state = &self.command_states[*cookie as usize - 1];
            let errno = match state.errno {
                0 if !state.ended => libc::ENOTCONN,
                errno => errno,
            };
            let buffer = state.buffer.clone();
            Ended {
                cookie: *cookie,
                errno,
                buffer,
            }
        });
        Expected {
            outcome: Outcome {
                reports: self.reports,
                states: (before, after),
                ended: ended.collect(),
                headers: self.headers,
            },
            death,
        }
    }
}

/// Truncates extents at the end of the export, which is `left` bytes away, and
/// at the first empty one. Returns false if that is an error.
fn cut(extents: &mut Vec<(u64, u64)>, left: u64) -> bool {
    let mut kept = Vec::new();
    let mut left = left;
    let mut good = true;
    for &(length, flags) in extents.iter() {
        if length == 0 {
            // An empty extent after a valid one ends the list without an error.
            if kept.is_empty() {
                kept.push((0, flags));
                good = false;
            }
            break;
        }
        if left == 0 {
            good = false;
            break;
        }
        kept.push((length.min(left), flags));
        if length > left {
            good = false;
            break;
        }
        left -= length;
    }
    *extents = kept;
    good
}
