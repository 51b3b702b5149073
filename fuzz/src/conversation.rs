// SPDX-License-Identifier: LGPL-2.1-or-later

//! A server that follows the protocol: every command succeeds, and reads return
//! the right data. Or one byte of one message is wrong: commands that succeed
//! are then at least complete.

use nbd::machine::State;
use nbd::protocol::request::RequestType;

use crate::choices::Choices;
use crate::owner::{Owner, PAYLOAD_LEN};
use crate::server;

/// The kind of replies.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Style {
    Simple,
    Structured,
    Extended,
}

/// A wrong byte in one message.
struct WrongByte {
    message: usize,
    byte: usize,
    difference: u8,
}

/// A request as received by the server.
#[derive(Clone, Copy)]
struct Request {
    kind: u16,
    cookie: u64,
    offset: u64,
    length: u64,
}

const READ: u16 = 0;
const WRITE: u16 = 1;
const BLOCK_STATUS: u16 = 7;

/// Returns the content of the export at an offset. One sector in four is a
/// hole.
fn byte_at(offset: u64) -> u8 {
    match is_hole(offset) {
        true => 0,
        false => (offset ^ (offset >> 8)) as u8 | 1,
    }
}

fn is_hole(offset: u64) -> bool {
    (offset / 512) % 4 == 3
}

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let style = choices.one_of(&[Style::Structured, Style::Extended, Style::Simple]);
    let wrong_byte = choices.once_in(2).then(|| WrongByte {
        message: choices.index(32),
        byte: choices.index(40),
        difference: choices.number(1..=255) as u8,
    });
    let mut owner = Owner::new(choices.number(0..=u64::from(u16::MAX)));
    owner.connect();
    let mut messages = match style {
        Style::Simple => vec![server::handshake_simple()],
        Style::Structured => vec![server::handshake_structured()],
        Style::Extended => vec![server::handshake_extended()],
    };
    let mut sent = 0;
    send(&mut owner, &mut messages, &mut sent, &wrong_byte);
    owner.send(true);
    let mut read = owner.sent.len();

    let mut asked = Vec::new();
    let mut waiting = Vec::new();
    while choices.has_input() && owner.takes_commands() && asked.len() < 200 {
        if choices.index(3) != 2 {
            let (kind, offset, length) = command(&mut choices, style);
            asked.push((owner.issue(kind, offset, length), kind, offset, length));
            owner.send(choices.index(3) != 1);
            continue;
        }
        owner.send(true);
        waiting.extend(requests(&owner.sent, &mut read, style));
        for _ in 0..choices.index(8).min(waiting.len()) {
            let request = waiting.swap_remove(choices.index(waiting.len()));
            messages.extend(replies(request, style, &mut choices));
        }
        send(&mut owner, &mut messages, &mut sent, &wrong_byte);
    }
    if !owner.has_ended() {
        owner.send(true);
        waiting.extend(requests(&owner.sent, &mut read, style));
        for request in waiting {
            messages.extend(replies(request, style, &mut choices));
        }
        send(&mut owner, &mut messages, &mut sent, &wrong_byte);
    }

    let corrupted = wrong_byte.is_some_and(|wrong_byte| wrong_byte.message < sent);
    if corrupted {
        owner.finish(true);
        return;
    }
    assert_eq!(owner.machine.state(), State::Ready, "without a wrong byte");
    let ended = owner.finish(true);
    for (cookie, kind, offset, length) in asked {
        let ended = &ended[&cookie];
        assert_eq!(ended.errno, 0, "{kind:?} at {offset} of {length}");
        if kind == RequestType::Read {
            let expected: Vec<_> = (offset..offset + length).map(byte_at).collect();
            assert_eq!(ended.data, expected, "read at {offset} of {length}");
        }
        if kind == RequestType::BlockStatus {
            assert_eq!(ended.extents, length, "extents at {offset} of {length}");
        }
    }
}

/// Sends all messages to the client, one of them with the wrong byte.
fn send(
    owner: &mut Owner,
    messages: &mut Vec<Vec<u8>>,
    sent: &mut usize,
    wrong_byte: &Option<WrongByte>,
) {
    let mut bytes = Vec::new();
    for mut message in messages.drain(..) {
        if let Some(wrong_byte) = wrong_byte
            .as_ref()
            .filter(|wrong_byte| wrong_byte.message == *sent)
        {
            let at = wrong_byte.byte % message.len();
            message[at] ^= wrong_byte.difference;
        }
        *sent += 1;
        bytes.extend(message);
    }
    owner.feed(&bytes);
}

fn command(choices: &mut Choices, style: Style) -> (RequestType, u64, u64) {
    let kind = choices.one_of(&[
        RequestType::Read,
        RequestType::Read,
        RequestType::BlockStatus,
        RequestType::Write,
        RequestType::Flush,
        RequestType::Trim,
    ]);
    let offset = choices.number(0..=server::SIZE - 8192);
    match kind {
        RequestType::Flush => (kind, 0, 0),
        RequestType::BlockStatus if style == Style::Simple => (RequestType::Read, offset, 1),
        RequestType::BlockStatus => (kind, offset, choices.number(1..=8192)),
        _ => (kind, offset, choices.number(0..=4096)),
    }
}

/// Returns the requests that have been received completely.
fn requests(sent: &[u8], read: &mut usize, style: Style) -> Vec<Request> {
    let mut requests = Vec::new();
    let header = if style == Style::Extended { 32 } else { 28 };
    while let Some(bytes) = sent.get(*read..*read + header) {
        let number = |at: usize, count: usize| {
            let bytes = &bytes[at..at + count];
            bytes
                .iter()
                .fold(0, |number, byte| number << 8 | u64::from(*byte))
        };
        let request = Request {
            kind: number(6, 2) as u16,
            cookie: number(8, 8),
            offset: number(16, 8),
            length: number(24, header - 24),
        };
        // With extended headers the flag alone announces a payload.
        let announced = number(4, 2) as u16 & PAYLOAD_LEN != 0;
        let follows = match style {
            Style::Extended => announced,
            _ => request.kind == WRITE,
        };
        assert_eq!(announced, follows && style == Style::Extended);
        let payload = if follows { request.length } else { 0 };
        if sent.len() < *read + header + payload as usize {
            break;
        }
        *read += header + payload as usize;
        requests.push(request);
    }
    requests
}

/// Returns all replies to a request.
fn replies(request: Request, style: Style, choices: &mut Choices) -> Vec<Vec<u8>> {
    let data = |from: u64, to: u64| (from..to).map(byte_at).collect::<Vec<_>>();
    let end = request.offset + request.length;
    if style == Style::Simple {
        let data = match request.kind {
            READ => data(request.offset, end),
            _ => Vec::new(),
        };
        return vec![server::simple(request.cookie, 0, &data)];
    }
    let mut chunks = Vec::new();
    match request.kind {
        READ => {
            let mut at = request.offset;
            while at < end {
                let to = end.min(at + choices.number(1..=4096));
                // A part that is entirely a hole may be sent as one.
                let hole = (at..to).all(is_hole) && choices.index(2) == 0;
                chunks.push(match hole {
                    true => (2, server::hole(at, (to - at) as u32)),
                    false => (1, server::data(at, &data(at, to))),
                });
                at = to;
            }
            match choices.index(3) {
                1 => chunks.reverse(),
                2 => {
                    let middle = chunks.len() / 2;
                    chunks.rotate_left(middle);
                }
                _ => {}
            }
        }
        BLOCK_STATUS => {
            let mut extents = Vec::new();
            let mut at = request.offset;
            while at < end {
                let to = end.min((at / 512 + 1) * 512);
                extents.push((to - at, if is_hole(at) { 3 } else { 0 }));
                at = to;
            }
            let narrow: Vec<_> = extents
                .iter()
                .map(|(l, f)| (*l as u32, *f as u32))
                .collect();
            chunks.push(match style {
                Style::Extended => (6, server::extents_64(42, &extents)),
                _ => (5, server::extents(42, &narrow)),
            });
        }
        _ => {}
    }
    // Either the last chunk has the flag, or an empty one.
    if chunks.is_empty() || choices.once_in(3) {
        chunks.push((0, Vec::new()));
    }
    let last = chunks.len() - 1;
    let (cookie, offset) = (request.cookie, request.offset);
    let chunks = chunks.into_iter().enumerate();
    chunks
        .map(|(index, (kind, payload))| match style {
            Style::Extended => server::extended(cookie, offset, index == last, kind, &payload),
            _ => server::chunk(cookie, index == last, kind, &payload),
        })
        .collect()
}
