// SPDX-License-Identifier: LGPL-2.1-or-later

//! Correct replies of a server to each command.

use nbd::protocol::request::RequestType;

use super::conversation::{Command, Generator, CONTEXTS};
use super::message::{self as wire, Chunk, Message, Style, DONE};
use super::server;

/// Error numbers of the protocol.
const ERRORS: [u32; 8] = [1, 5, 12, 22, 28, 75, 95, 108];

/// Returns a chunk that is not the last one.
pub fn chunk(cookie: u64, command: Command, kind: u16, payload: Vec<u8>) -> Message {
    Message::Chunk(Chunk {
        flags: 0,
        kind,
        cookie,
        offset: command.offset,
        payload,
    })
}

/// Returns data that differs between commands, so that mixed-up replies are
/// detected.
pub fn content(cookie: u64, offset: u64, length: u64) -> Vec<u8> {
    let byte = |at: u64| (at.wrapping_mul(7) ^ cookie.wrapping_mul(37)) as u8;
    (offset..offset.saturating_add(length)).map(byte).collect()
}

/// Returns all messages, in order.
pub fn to(generator: &mut Generator<'_>, cookie: u64, command: Command) -> Vec<Message> {
    let fails = generator.random.once_in(6);
    let read = command.kind == RequestType::Read;
    if generator.style == Style::Simple {
        let status = command.kind == RequestType::BlockStatus;
        let error = match fails || status {
            true => generator.random.one_of(&ERRORS),
            false => 0,
        };
        let data = match read && error == 0 {
            true => content(cookie, command.offset, command.length),
            false => Vec::new(),
        };
        return vec![Message::Simple {
            error,
            cookie,
            data,
        }];
    }
    let may_be_simple = generator.style == Style::Structured && !read;
    if may_be_simple && generator.random.once_in(3) {
        let success = command.kind != RequestType::BlockStatus && !fails;
        return vec![Message::Simple {
            error: match success {
                true => 0,
                false => generator.random.one_of(&ERRORS),
            },
            cookie,
            data: Vec::new(),
        }];
    }
    let mut messages = match command.kind {
        RequestType::Read => read_chunks(generator, cookie, command),
        RequestType::BlockStatus => status_chunks(generator, cookie, command),
        _ => Vec::new(),
    };
    // Without contexts, extents cannot be reported.
    if fails || command.kind == RequestType::BlockStatus && generator.contexts == 0 {
        messages.truncate(generator.random.index(messages.len() + 1));
        messages.push(error(generator, cookie, command));
    }
    if messages.is_empty() || generator.random.once_in(3) {
        messages.push(chunk(cookie, command, wire::NONE, Vec::new()));
    }
    if let Some(Message::Chunk(last)) = messages.last_mut() {
        last.flags = DONE;
    }
    messages
}

/// Returns data and holes that cover a read, in any order.
fn read_chunks(generator: &mut Generator<'_>, cookie: u64, command: Command) -> Vec<Message> {
    let random = &mut *generator.random;
    let end = command.offset + command.length;
    let most = random.one_of(&[5, 60, 6000]);
    let mut messages = Vec::new();
    let mut at = command.offset;
    while at < end {
        let count = random.between(1..=most).min(end - at);
        let (kind, payload) = match random.once_in(4) {
            true => (wire::HOLE, server::hole(at, count as u32)),
            false => (wire::DATA, server::data(at, &content(cookie, at, count))),
        };
        messages.push(chunk(cookie, command, kind, payload));
        at += count;
    }
    if random.once_in(2) {
        random.shuffle(&mut messages);
    }
    messages
}

/// Returns a chunk for each context, in any order.
fn status_chunks(generator: &mut Generator<'_>, cookie: u64, command: Command) -> Vec<Message> {
    let (style, contexts) = (generator.style, generator.contexts);
    let mut messages: Vec<_> = CONTEXTS[..contexts]
        .iter()
        .map(|(id, _)| {
            let extents = extents(generator, command);
            let (kind, payload) = status(style, *id, &extents);
            chunk(cookie, command, kind, payload)
        })
        .collect();
    generator.random.shuffle(&mut messages);
    messages
}

/// Returns extents from the offset of a command on; they may cover less or more
/// than requested.
pub fn extents(generator: &mut Generator<'_>, command: Command) -> Vec<(u64, u64)> {
    let random = &mut *generator.random;
    let mut left = server::SIZE - command.offset;
    let mut extents = Vec::new();
    for _ in 0..random.between(1..=4) {
        if left == 0 {
            break;
        }
        let most = command.length.clamp(1, left);
        let length = random.between(1..=most);
        extents.push((length, random.below(4)));
        left -= length;
    }
    extents
}

/// Returns the type and the payload of a chunk with extents.
pub fn status(style: Style, context: u32, extents: &[(u64, u64)]) -> (u16, Vec<u8>) {
    if style == Style::Extended {
        return (wire::STATUS_EXT, server::extents_64(context, extents));
    }
    let narrow = extents.iter().map(|it| (it.0 as u32, it.1 as u32));
    let narrow: Vec<_> = narrow.collect();
    (wire::STATUS, server::extents(context, &narrow))
}

/// Returns an error chunk, with or without an offset.
fn error(generator: &mut Generator<'_>, cookie: u64, command: Command) -> Message {
    let random = &mut *generator.random;
    let text = random.one_of(&["", "bad sector"]);
    let mut payload = server::error(random.one_of(&ERRORS), text);
    let somewhere = command.length > 0 && random.once_in(2);
    let kind = match somewhere {
        true => {
            let offset = command.offset + random.below(command.length);
            payload.extend(offset.to_be_bytes());
            wire::ERROR_OFFSET
        }
        false => wire::ERROR,
    };
    chunk(cookie, command, kind, payload)
}
