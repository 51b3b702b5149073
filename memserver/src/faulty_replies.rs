// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replies that violate the protocol, one fault at a time.

use crate::agreed::Headers;
use crate::answer::Answer;
use crate::checks::Refusal;
use crate::commands;
use crate::extents;
use crate::faults::{Fault, Scope};
use crate::output::Output;
use crate::replies::ReplyTo;
use crate::transition::Transition;
use crate::wire::{chunk, cmd, error};

/// Returns the scope of faults that only affect replies to one command.
pub fn scope(command: u16) -> Option<Scope> {
    match command {
        cmd::READ => Some(Scope::Read),
        cmd::BLOCK_STATUS => Some(Scope::Status),
        _ => None,
    }
}

/// Queues the reply, corrupted by `fault` if there is one.
pub fn send(answer: &mut Answer<'_>, fault: Option<Fault>, out: &mut Output) -> Transition {
    let Some(fault) = fault else {
        commands::send(answer, out);
        return Transition::Stay;
    };
    match fault {
        Fault::ReplyMagic => answer.reply.magic_error = 1,
        Fault::ReplyCookie => answer.reply.cookie ^= 1 << 63,
        Fault::ReplyOffset => answer.reply.offset ^= 512,
        Fault::ReplyCompact => answer.reply.headers = Headers::Structured,
        Fault::ReplySimple => {
            answer.reply.headers = Headers::Simple;
            if answer.request.command == cmd::BLOCK_STATUS {
                answer.reply.simple(out, 0);
                return Transition::Stay;
            }
        }
        Fault::ReplyTwice => commands::send(answer, out),
        Fault::ReplyNever => return Transition::Stay,
        Fault::ReplyNoDone => {
            answer.reply.done = 0;
            commands::send(answer, out);
            return Transition::Close;
        }
        Fault::ReplyUnknownError => {
            answer.outcome = Err(Refusal::new(error::EIO, "error on request"));
            unknown_error(&answer.reply, out);
            return Transition::Stay;
        }
        Fault::ReplyHugeLength => {
            let length = match answer.reply.headers {
                Headers::Extended => u64::MAX / 2,
                _ => u64::from(u32::MAX) - 4,
            };
            answer.reply.chunk(out, true, chunk::OFFSET_DATA, length);
            out.put_u64(answer.request.offset);
            return Transition::Mute;
        }
        Fault::ReplyAfterDone => {
            commands::send(answer, out);
            answer.reply.chunk(out, true, chunk::NONE, 0);
            return Transition::Stay;
        }
        Fault::ReplyUnknownChunk => {
            answer.reply.chunk(out, false, 99, 4);
            out.put_u32(0);
        }
        Fault::ReplyWrongChunk => wrong_chunk(answer, out),
        Fault::NonePayload => {
            answer.reply.chunk(out, true, chunk::NONE, 8);
            out.put_u64(0);
            return Transition::Stay;
        }
        Fault::NoneNotDone => answer.reply.chunk(out, false, chunk::NONE, 0),
        Fault::ErrorShort
        | Fault::ErrorZero
        | Fault::ErrorUnknown
        | Fault::ErrorMessageTooLong
        | Fault::ErrorLongMessage
        | Fault::ErrorOffsetOutside => {
            corrupt_error(answer, fault, out);
            return Transition::Stay;
        }
        _ if answer.outcome.is_ok() && answer.reply.headers != Headers::Simple => {
            match answer.request.command {
                cmd::READ => corrupt_read(answer, fault, out),
                cmd::BLOCK_STATUS => corrupt_status(answer, fault, out),
                _ => commands::send(answer, out),
            }
            return Transition::Stay;
        }
        // Simple replies and failures have no chunks to corrupt.
        _ => {}
    }
    commands::send(answer, out);
    Transition::Stay
}

fn unknown_error(reply: &ReplyTo, out: &mut Output) {
    reply.chunk(out, true, (1 << 15) + 99, 10);
    out.put_u32(error::EIO);
    out.put_u16(4);
    out.put(b"what");
}

/// Queues a chunk of a type that is invalid in the reply to this command.
fn wrong_chunk(answer: &Answer<'_>, out: &mut Output) {
    let reply = &answer.reply;
    if answer.request.command == cmd::READ {
        reply.extents(out, false, 1, &[(answer.request.length, 0)]);
    } else {
        reply.data(out, false, answer.request.offset, 512);
        out.put_zeroes(512);
    }
}

fn corrupt_error(answer: &mut Answer<'_>, fault: Fault, out: &mut Output) {
    let reply = answer.reply;
    let text = "error on request";
    match fault {
        _ if reply.headers == Headers::Simple => {
            let error = if fault == Fault::ErrorUnknown {
                9999
            } else {
                error::EIO
            };
            reply.simple(out, error);
        }
        Fault::ErrorShort => {
            reply.chunk(out, true, chunk::ERROR, 5);
            out.put_u32(error::EIO);
            out.put(&[0]);
        }
        Fault::ErrorZero => reply.error(out, 0, text),
        Fault::ErrorUnknown => reply.error(out, 9999, text),
        Fault::ErrorMessageTooLong => {
            reply.chunk(out, true, chunk::ERROR, 6 + text.len() as u64);
            out.put_u32(error::EIO);
            out.put_u16(text.len() as u16 + 100);
            out.put(text.as_bytes());
        }
        Fault::ErrorLongMessage => reply.error(out, error::EIO, &"long ".repeat(1000)),
        _ => {
            let beyond = answer.request.offset.wrapping_add(answer.request.length);
            reply.error_at(out, error::EIO, text, beyond);
        }
    }
}

/// Queues a data chunk with the export's real content, at the offset that it
/// claims.
fn data(answer: &Answer<'_>, out: &mut Output, last: bool, claimed: u64, length: u64) {
    answer.reply.data(out, last, claimed, length);
    answer.export.pages.read(answer.request.offset, length, out);
}

fn corrupt_read(answer: &mut Answer<'_>, fault: Fault, out: &mut Output) {
    let reply = answer.reply;
    let (offset, length) = (answer.request.offset, answer.request.length);
    let end = offset + length;
    match fault {
        Fault::DataOversize => {
            reply.data(out, true, offset, length + 512);
            answer.export.pages.read(offset, length, out);
            out.put_zeroes(512);
        }
        Fault::DataMisplaced => data(answer, out, true, offset.wrapping_sub(512), length),
        Fault::DataBeyond => data(answer, out, true, end, length),
        Fault::DataOverlap => {
            data(answer, out, false, offset, length);
            data(answer, out, true, offset, length);
        }
        Fault::DataMissing => {
            if length > 1 {
                data(answer, out, false, offset, length - 1);
            }
            reply.chunk(out, true, chunk::NONE, 0);
        }
        Fault::DataEmpty => {
            reply.data(out, false, offset, 0);
            commands::send(answer, out);
        }
        Fault::DataShort => {
            reply.chunk(out, true, chunk::OFFSET_DATA, 4);
            out.put_u32(0);
        }
        Fault::HoleEmpty => {
            reply.hole(out, false, offset, 0);
            commands::send(answer, out);
        }
        Fault::HoleShort | Fault::HoleLong => {
            let size = if fault == Fault::HoleShort { 11 } else { 16 };
            reply.chunk(out, true, chunk::OFFSET_HOLE, size as u64);
            let payload = [&offset.to_be_bytes()[..], &length.to_be_bytes()].concat();
            out.put(&payload[..size]);
        }
        Fault::HoleOversize => reply.hole(out, true, offset, length as u32 + 512),
        _ => reply.hole(out, true, end, length as u32),
    }
}

fn corrupt_status(answer: &mut Answer<'_>, fault: Fault, out: &mut Output) {
    let reply = answer.reply;
    let contexts = answer.contexts();
    let wide = reply.headers == Headers::Extended;
    for (n, context) in contexts.iter().enumerate() {
        let last = n + 1 == contexts.len();
        let id = context.id;
        let mut extents = extents::list(answer, context.source);
        match fault {
            Fault::StatusWrongContext => {
                reply.extents(out, last, id ^ 0x4000_0000, &extents);
                continue;
            }
            Fault::StatusContextTwice if n == 0 => reply.extents(out, false, id, &extents),
            Fault::StatusContextMissing if last => {
                reply.chunk(out, true, chunk::NONE, 0);
                continue;
            }
            Fault::StatusOddLength => {
                truncated(&reply, out, last, id, &extents);
                continue;
            }
            Fault::StatusEmpty => extents.clear(),
            Fault::StatusShort => {
                let kind = if wide {
                    chunk::BLOCK_STATUS_EXT
                } else {
                    chunk::BLOCK_STATUS
                };
                reply.chunk(out, last, kind, 2);
                out.put_u16(0);
                continue;
            }
            Fault::StatusZeroExtent => extents.insert(0, (0, 0)),
            Fault::StatusWrongWidth => {
                wrong_width(&reply, out, last, id, &extents);
                continue;
            }
            Fault::StatusBadCount if wide => {
                let length = 8 + 16 * extents.len() as u64;
                reply.chunk(out, last, chunk::BLOCK_STATUS_EXT, length);
                out.put_u32(id);
                out.put_u32(extents.len() as u32 + 1);
                for (length, flags) in extents {
                    out.put_u64(length);
                    out.put_u64(flags);
                }
                continue;
            }
            Fault::StatusTooMany => extents.extend([(512, 0), (512, 1)]),
            Fault::StatusBeyondEnd => {
                let past = (answer.export.size - answer.request.offset).saturating_add(65536);
                extents = vec![(past, 0)];
            }
            _ => {}
        }
        reply.extents(out, last, id, &extents);
    }
}

/// Queues a chunk that is cut off four bytes before the end of its last extent.
fn truncated(reply: &ReplyTo, out: &mut Output, last: bool, id: u32, extents: &[(u64, u64)]) {
    let mut whole = Output::default();
    reply.extents(&mut whole, last, id, extents);
    let bytes = whole.to_vec();
    let (kind, header) = match reply.headers {
        Headers::Extended => (chunk::BLOCK_STATUS_EXT, 32),
        _ => (chunk::BLOCK_STATUS, 20),
    };
    let payload = &bytes[header..bytes.len() - 4];
    reply.chunk(out, last, kind, payload.len() as u64);
    out.put(payload);
}

fn wrong_width(reply: &ReplyTo, out: &mut Output, last: bool, id: u32, extents: &[(u64, u64)]) {
    let count = extents.len() as u64;
    if reply.headers == Headers::Extended {
        reply.chunk(out, last, chunk::BLOCK_STATUS, 4 + 8 * count);
        out.put_u32(id);
        for &(length, flags) in extents {
            out.put_u32(length as u32);
            out.put_u32(flags as u32);
        }
    } else {
        reply.chunk(out, last, chunk::BLOCK_STATUS_EXT, 8 + 16 * count);
        out.put_u32(id);
        out.put_u32(count as u32);
        for &(length, flags) in extents {
            out.put_u64(length);
            out.put_u64(flags);
        }
    }
}
