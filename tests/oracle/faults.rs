// SPDX-License-Identifier: LGPL-2.1-or-later

//! Protocol violations, one rule at a time. Their consequences are defined by
//! the model, not here.

use nbd::protocol::request::RequestType;

use super::conversation::{Command, Generator, CONTEXTS};
use super::message::{self as wire, Message, Style, DONE};
use super::random::Random;
use super::replies::{chunk, content, extents, status};
use super::server;

macro_rules! faults {
    ($($fault:ident $text:literal)*) => {
        /// A rule that a server violates.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Fault {
            $(#[doc = $text] $fault,)*
        }

        pub const ALL: &[Fault] = &[$(Fault::$fault,)*];
    };
}

faults! {
    // Any message.
    WrongMagic "a magic that begins no message"
    OtherHeader "the header of another kind of replies than was agreed on"
    FlippedByte "one byte is another one"
    TooShort "fewer bytes than announced"
    TooLong "more bytes than announced"
    UnknownCookie "a cookie that no command has had"
    StrayMessage "a whole message with such a cookie, between others"
    TooEarly "an answer to a request that has not been received, or not been made"
    AnsweredTwice "the whole reply once more"
    UnknownError "an error number that does not exist"
    // Simple replies.
    DataAfterError "data after a simple error reply to a read"
    SimpleSuccess "a simple reply without an error to any command"
    SimpleError "a simple reply with an error to any command"
    // Reads.
    DataBefore "data before the range of the read"
    DataAfter "data after it"
    DataAcross "data that begins in the range and ends after it"
    DataOverflow "data whose end is past the last offset that there is"
    DataTwice "some bytes in two chunks"
    DataMoved "a chunk of the right length in the place of others"
    DataMissing "a chunk that is never sent"
    DataEmpty "a data chunk without data"
    DataWithoutOffset "a data chunk too short for its offset"
    HoleBefore "a hole before the range of the read"
    HoleAcross "a hole that begins in the range and ends after it"
    HoleTooLong "a hole much longer than the range"
    HoleTwice "a hole where data was sent, or the reverse"
    HoleEmpty "a hole of no length"
    HoleWrongLength "a hole whose payload is too short or too long"
    // Errors.
    ErrorTooShort "an error chunk without a number"
    ErrorWithoutText "an error chunk without the length of its text"
    ErrorZero "an error chunk without an error"
    ErrorTextTooLong "a text longer than the chunk"
    ErrorLong "an error chunk of 64 KiB and more"
    ErrorOffsetOutside "an error outside of the range"
    ErrorOffsetMissing "an error with an offset that is not there"
    ErrorTwice "two errors"
    ErrorUnknownType "an error chunk of an unknown type"
    // Chunks.
    NotDone "no chunk is marked as the last one"
    DoneEarly "a chunk is marked as the last one, and is not"
    NoneNotDone "a chunk of no content that is not the last one"
    NonePayload "a chunk of no content that has a payload"
    UnknownType "a chunk of an unknown type"
    UnknownFlags "flags that do not exist"
    LengthTooLong "a chunk that is longer than any"
    WrongType "a chunk that answers another kind of command"
    WrongOffset "an extended header with another offset"
    // Block status.
    ContextUnknown "extents of a context that was not agreed on"
    ContextTwice "extents of one context twice"
    ContextMissing "no extents of a context"
    ExtentsNone "no extents in a chunk"
    ExtentsShort "a chunk too short for the id of a context"
    ExtentsOdd "a chunk that ends within an extent"
    ExtentEmpty "an extent of no length, the first one or not"
    ExtentsBeyond "extents that go on after the end of the export"
    ExtentsUnaligned "extents that are no multiple of 512"
    ExtentsWrongWidth "32 bits in place of 64, or the reverse"
    ExtentsWrongCount "a number of extents that is not theirs"
}

/// Returns a message that belongs to no reply.
pub fn stray(
    fault: Fault,
    generator: &mut Generator<'_>,
    issued: u64,
    unsent: u64,
) -> Option<Message> {
    let random = &mut *generator.random;
    let cookie = match fault {
        Fault::StrayMessage => random.one_of(&[0, issued + 100, 1 << 40, u64::MAX]),
        Fault::TooEarly if unsent > 0 => issued - random.below(unsent),
        Fault::TooEarly => issued + 1,
        _ => return None,
    };
    let command = Command {
        kind: RequestType::Read,
        offset: random.below(1000),
        length: 10,
    };
    if generator.style == Style::Simple || generator.style == Style::Structured && random.once_in(4)
    {
        return Some(Message::Simple {
            error: random.one_of(&[0, 5]),
            cookie,
            data: Vec::new(),
        });
    }
    let kind = random.one_of(&[wire::NONE, wire::DATA, wire::HOLE, wire::ERROR, 99]);
    let payload = content(cookie, 0, random.below(30));
    let flags = random.one_of(&[0, DONE]);
    let mut message = chunk(cookie, command, kind, payload);
    if let Message::Chunk(chunk) = &mut message {
        chunk.flags = flags;
    }
    Some(message)
}

/// Corrupts the remaining messages of a reply. Returns false if the fault does
/// not apply to them.
pub fn spoil(
    fault: Fault,
    generator: &mut Generator<'_>,
    cookie: u64,
    command: Command,
    messages: &mut Vec<Message>,
) -> bool {
    let mut reply = Reply {
        cookie,
        command,
        messages,
        generator,
    };
    let chunks = reply.generator.style != Style::Simple;
    let read = command.kind == RequestType::Read;
    let contexts = reply.generator.contexts > 0;
    let status = command.kind == RequestType::BlockStatus && chunks && contexts;
    reply.any_message(fault)
        || reply.simple(fault)
        || chunks && reply.any_chunk(fault)
        || chunks && reply.error(fault)
        || chunks && read && command.length > 0 && reply.read(fault)
        || status && reply.extents(fault)
}

struct Reply<'a, 'r> {
    cookie: u64,
    command: Command,
    messages: &'a mut Vec<Message>,
    generator: &'a mut Generator<'r>,
}

impl Reply<'_, '_> {
    fn random(&mut self) -> &mut Random {
        self.generator.random
    }

    /// Changes the bytes of a random message. Returns false if all of them are
    /// truncated already.
    fn rewrite(&mut self, change: impl FnOnce(&mut Vec<u8>, &mut Random)) -> bool {
        let style = self.generator.style;
        let index = self.generator.random.index(self.messages.len());
        let message = &mut self.messages[index];
        let mut bytes = message.bytes(style);
        if bytes.len() < message.header(style) {
            return false;
        }
        change(&mut bytes, self.generator.random);
        *message = Message::Raw(bytes);
        true
    }

    /// Inserts a chunk before the last one, or as the last one.
    fn insert(&mut self, kind: u16, payload: Vec<u8>) {
        let mut message = chunk(self.cookie, self.command, kind, payload);
        if self.random().once_in(4) {
            if let Message::Chunk(chunk) = &mut message {
                chunk.flags = DONE;
            }
            *self.messages = vec![message];
            return;
        }
        self.insert_before_last(message);
    }

    fn insert_before_last(&mut self, message: Message) {
        let index = self.generator.random.index(self.messages.len());
        self.messages.insert(index, message);
    }

    /// Moves data or a hole to another part of the range, so that the sum of
    /// all lengths stays right.
    fn move_data(&mut self) -> bool {
        let end = self.end();
        let random = &mut *self.generator.random;
        let index = random.index(self.messages.len());
        let Message::Chunk(chunk) = &mut self.messages[index] else {
            return false;
        };
        let count = match (chunk.kind, chunk.payload.len()) {
            (wire::DATA, length @ 9..) => length as u64 - 8,
            (wire::HOLE, 12) => chunk.payload[8..]
                .iter()
                .fold(0, |sum, it| sum << 8 | u64::from(*it)),
            _ => return false,
        };
        let Some(room) = (end - self.command.offset).checked_sub(count) else {
            return false;
        };
        let offset = self.command.offset + random.between(0..=room);
        let offset = offset.to_be_bytes();
        let moved = chunk.payload[..8] != offset;
        chunk.payload[..8].copy_from_slice(&offset);
        moved
    }

    /// Removes a chunk of one of these types, unless it is the last one.
    fn leave_out(&mut self, kinds: &[u16]) -> bool {
        let before_last = self.messages.iter().rev().skip(1).rev();
        let index = before_last
            .enumerate()
            .find_map(|(index, message)| match message {
                Message::Chunk(chunk) if kinds.contains(&chunk.kind) => Some(index),
                _ => None,
            });
        index.is_some_and(|index| {
            self.messages.remove(index);
            true
        })
    }

    /// Returns a random offset in the range of the command.
    fn inside(&mut self) -> u64 {
        let (offset, length) = (self.command.offset, self.command.length);
        offset + self.random().below(length)
    }

    fn end(&self) -> u64 {
        self.command.offset + self.command.length
    }

    fn any_message(&mut self, fault: Fault) -> bool {
        let style = self.generator.style;
        match fault {
            Fault::WrongMagic => {
                return self.rewrite(|bytes, random| {
                    let any = random.number() as u32;
                    // The historical magics, which are reserved, and those of
                    // requests.
                    let magic = random.one_of(&[any, 0x9674_4668, 0x1256_0953, 0x2560_9513, 0]);
                    bytes[..4].copy_from_slice(&magic.to_be_bytes());
                });
            }
            Fault::OtherHeader => {
                let kind = self.random().one_of(&[wire::NONE, wire::DATA, wire::ERROR]);
                let message = chunk(self.cookie, self.command, kind, vec![0; 12]);
                let other = match style {
                    Style::Simple | Style::Extended => Style::Structured,
                    Style::Structured => Style::Extended,
                };
                let mut bytes = message.bytes(other);
                if style == Style::Extended && self.random().once_in(2) {
                    let (error, cookie, data) = (0, self.cookie, Vec::new());
                    let simple = Message::Simple {
                        error,
                        cookie,
                        data,
                    };
                    bytes = simple.bytes(style);
                }
                *self.messages = vec![Message::Raw(bytes)];
            }
            Fault::FlippedByte => {
                return self.rewrite(|bytes, random| {
                    let most = bytes.len().min(44);
                    bytes[random.index(most)] ^= random.between(1..=255) as u8;
                })
            }
            Fault::TooShort => {
                return self.rewrite(|bytes, random| {
                    bytes.truncate(bytes.len() - random.between(1..=16) as usize);
                })
            }
            Fault::TooLong => {
                return self.rewrite(|bytes, random| {
                    let more = random.between(1..=40);
                    bytes.extend(content(random.number(), 0, more));
                })
            }
            Fault::UnknownCookie => {
                return self.rewrite(|bytes, random| bytes[8] ^= 1 << random.below(8));
            }
            Fault::AnsweredTwice => self.messages.extend(self.messages.clone()),
            Fault::UnknownError => {
                let error = self.random().one_of(&[2, 11, 9999, u32::MAX]);
                if style == Style::Simple {
                    return self.answer_simply(error, 0);
                }
                self.insert(wire::ERROR, server::error(error, "odd"));
            }
            _ => return false,
        }
        true
    }

    /// Replaces the reply by one simple reply.
    fn answer_simply(&mut self, error: u32, data: u64) -> bool {
        *self.messages = vec![Message::Simple {
            error,
            cookie: self.cookie,
            data: content(self.cookie, self.command.offset, data),
        }];
        true
    }

    fn simple(&mut self, fault: Fault) -> bool {
        let (style, length) = (self.generator.style, self.command.length);
        let read = self.command.kind == RequestType::Read;
        let some = self.random().one_of(&[0, length]);
        match fault {
            Fault::DataAfterError if read && style == Style::Simple => {
                self.answer_simply(5, length.max(1))
            }
            Fault::SimpleSuccess if style == Style::Structured => self.answer_simply(0, some),
            Fault::SimpleSuccess if style == Style::Simple && !read => self.answer_simply(0, 0),
            Fault::SimpleError if style == Style::Structured => self.answer_simply(28, 0),
            _ => false,
        }
    }

    fn any_chunk(&mut self, fault: Fault) -> bool {
        let Some(Message::Chunk(last)) = self.messages.last_mut() else {
            return false;
        };
        match fault {
            Fault::NotDone => last.flags &= !DONE,
            Fault::DoneEarly => {
                if let Some(Message::Chunk(first)) = self.messages.first_mut() {
                    first.flags |= DONE;
                }
            }
            Fault::NoneNotDone => {
                let none = chunk(self.cookie, self.command, wire::NONE, Vec::new());
                self.insert_before_last(none);
            }
            Fault::NonePayload => {
                let length = self.random().between(1..=20) as usize;
                self.insert(wire::NONE, vec![0; length]);
            }
            Fault::UnknownType => {
                let kind = self.random().one_of(&[3, 4, 7, 99, 0x7fff]);
                let length = self.random().index(40);
                self.insert(kind, vec![0; length]);
            }
            Fault::UnknownFlags => last.flags |= self.generator.random.number() as u16 & !DONE,
            Fault::LengthTooLong => {
                let extended = self.generator.style == Style::Extended;
                return self.rewrite(|bytes, random| match extended {
                    true => {
                        let length = random.one_of(&[(64 << 20) + 9, 1 << 32, u64::MAX]);
                        bytes[24..32].copy_from_slice(&length.to_be_bytes());
                    }
                    false => {
                        let length = random.one_of(&[(64 << 20) + 9, u32::MAX]);
                        bytes[16..20].copy_from_slice(&length.to_be_bytes());
                    }
                });
            }
            Fault::WrongType => {
                let offset = self.command.offset;
                let (kind, payload) = match self.command.kind {
                    RequestType::BlockStatus if self.generator.contexts == 0 => {
                        status(self.generator.style, 42, &[(512, 0)])
                    }
                    RequestType::Read => status(self.generator.style, 42, &[(512, 0)]),
                    _ => (wire::DATA, server::data(offset, b"data")),
                };
                self.insert(kind, payload);
            }
            Fault::WrongOffset if self.generator.style == Style::Extended => {
                let index = self.generator.random.index(self.messages.len());
                if let Message::Chunk(chunk) = &mut self.messages[index] {
                    chunk.offset ^= 1 << self.generator.random.below(64);
                }
            }
            _ => return false,
        }
        true
    }

    fn error(&mut self, fault: Fault) -> bool {
        let number = self.random().one_of(&[1, 5, 12, 22, 28, 75, 95, 108]);
        let kind = self.random().one_of(&[wire::ERROR, wire::ERROR_OFFSET]);
        let place = self.inside().to_be_bytes();
        let mut payload = server::error(number, "bad");
        match fault {
            Fault::ErrorTooShort => payload.truncate(self.random().index(4)),
            Fault::ErrorWithoutText => payload.truncate(self.random().between(4..=5) as usize),
            Fault::ErrorZero => payload[..4].fill(0),
            Fault::ErrorTextTooLong => payload[4..6].fill(0xff),
            Fault::ErrorLong => {
                let more = self.random().one_of(&[65535, 65549, 65550, 70000]);
                payload.truncate(6);
                payload.resize(more, b'!');
                payload[4..6].fill(0xff);
            }
            Fault::ErrorOffsetOutside => {
                let before = self.command.offset.wrapping_sub(1);
                let end = self.end();
                let offset = self.random().one_of(&[before, end, u64::MAX]);
                payload.extend(offset.to_be_bytes());
                self.insert(wire::ERROR_OFFSET, payload);
                return true;
            }
            Fault::ErrorOffsetMissing => {
                let some = self.random().index(8);
                payload.extend(&place[..some]);
                self.insert(wire::ERROR_OFFSET, payload);
                return true;
            }
            Fault::ErrorTwice => {
                payload.extend(place);
                self.insert(wire::ERROR_OFFSET, payload.clone());
                let other = self.random().one_of(&[5, 22]);
                payload[..4].copy_from_slice(&u32::to_be_bytes(other));
                self.insert(wire::ERROR_OFFSET, payload);
                return true;
            }
            Fault::ErrorUnknownType => {
                let kind = self.random().one_of(&[0x8000, 0x8003, 0xffff]);
                self.insert(kind, payload);
                return true;
            }
            _ => return false,
        }
        self.insert(kind, payload);
        true
    }

    fn read(&mut self, fault: Fault) -> bool {
        let (start, end) = (self.command.offset, self.end());
        let few = self.random().between(1..=9);
        let inside = self.inside();
        let before = start.wrapping_sub(few);
        let (offset, length) = match fault {
            Fault::DataBefore | Fault::HoleBefore => (before, self.random().between(1..=20)),
            Fault::DataAfter => (end + few - 1, few),
            Fault::DataAcross | Fault::HoleAcross => (inside, end - inside + few),
            Fault::DataOverflow => (0_u64.wrapping_sub(few), self.random().between(1..=20)),
            Fault::DataTwice | Fault::HoleTwice => {
                (inside, self.generator.random.between(1..=end - inside))
            }
            Fault::DataEmpty | Fault::HoleEmpty => (inside, 0),
            // Some lengths wrap around in fewer bits.
            Fault::HoleTooLong => (inside, (1 << self.random().between(8..=31)) + end - inside),
            Fault::HoleWrongLength => {
                let mut payload = server::hole(inside, 1);
                payload.resize(self.random().one_of(&[0, 8, 11, 13, 16]), 0);
                self.insert(wire::HOLE, payload);
                return true;
            }
            Fault::DataWithoutOffset => {
                let mut payload = server::data(inside, &[]);
                payload.truncate(self.random().index(8));
                self.insert(wire::DATA, payload);
                return true;
            }
            Fault::DataMoved => return self.move_data(),
            Fault::DataMissing => return self.leave_out(&[wire::DATA, wire::HOLE]),
            _ => return false,
        };
        match fault {
            Fault::HoleBefore
            | Fault::HoleAcross
            | Fault::HoleTooLong
            | Fault::HoleTwice
            | Fault::HoleEmpty => self.insert(wire::HOLE, server::hole(offset, length as u32)),
            _ => {
                let bytes = content(self.cookie + 1, offset, length);
                let bytes = if bytes.len() as u64 == length {
                    bytes
                } else {
                    vec![7; length as usize]
                };
                self.insert(wire::DATA, server::data(offset, &bytes));
            }
        }
        true
    }

    fn extents(&mut self, fault: Fault) -> bool {
        let style = self.generator.style;
        let (id, _) = CONTEXTS[self.generator.random.index(self.generator.contexts)];
        let mut list = extents(self.generator, self.command);
        let left = server::SIZE - self.command.offset;
        match fault {
            Fault::ContextUnknown => {
                let id = self.random().one_of(&[0, 43, u32::MAX]);
                let (kind, payload) = status(style, id, &list);
                self.insert(kind, payload);
                return true;
            }
            Fault::ContextTwice => {}
            Fault::ContextMissing => {
                return self.leave_out(&[wire::STATUS, wire::STATUS_EXT]);
            }
            Fault::ExtentsNone => list.clear(),
            Fault::ExtentEmpty => {
                let index = self.random().index(list.len() + 1);
                list.insert(index, (0, 1));
            }
            Fault::ExtentsBeyond => {
                let more = self.random().one_of(&[left + 1, left, u64::from(u32::MAX)]);
                list.insert(0, (more, 2));
            }
            Fault::ExtentsUnaligned => list.insert(0, (1, 0)),
            Fault::ExtentsShort | Fault::ExtentsOdd => {
                let (kind, mut payload) = status(style, id, &list);
                let kept = match fault {
                    Fault::ExtentsShort => self.random().index(4),
                    _ => payload.len() - self.random().between(1..=7) as usize,
                };
                payload.truncate(kept);
                self.insert(kind, payload);
                return true;
            }
            Fault::ExtentsWrongWidth => {
                let other = match style {
                    Style::Extended => Style::Structured,
                    _ => Style::Extended,
                };
                let (kind, payload) = status(other, id, &list);
                self.insert(kind, payload);
                return true;
            }
            Fault::ExtentsWrongCount if style == Style::Extended => {
                let (kind, mut payload) = status(style, id, &list);
                let count = list.len() as u32;
                let count = self.random().one_of(&[0, count - 1, count + 1, u32::MAX]);
                payload[4..8].copy_from_slice(&count.to_be_bytes());
                self.insert(kind, payload);
                return true;
            }
            _ => return false,
        }
        let (kind, payload) = status(style, id, &list);
        self.insert(kind, payload);
        true
    }
}
