// SPDX-License-Identifier: LGPL-2.1-or-later

//! Chunks of structured and extended replies: which are valid for a command, and their payloads
//! ("Structured reply types").
//!
//! An invalid chunk is skipped, and its command fails with EPROTO: the length is known, so the
//! rest of the stream can still be trusted.

use super::command::Command;
use super::core::{Dead, Machine};
use super::event::{Event, Extent, ReadStatus};
use super::fault::Fault;
use super::meta_contexts::MetaContext;
use super::receiving::{Chunk, Receiving};
use crate::protocol::bytes::Reader;
use crate::protocol::errno;
use crate::protocol::flags::REPLY_FLAG_DONE;
use crate::protocol::reply::{
    self, ChunkHeader, ChunkType, ERROR_MIN, ERROR_PREFIX, EXTENT, EXTENTS_64_PREFIX,
    EXTENTS_PREFIX, EXTENT_64, OFFSET_DATA_PREFIX, OFFSET_HOLE_LENGTH,
};
use crate::protocol::request::RequestType;
use crate::protocol::MAX_PAYLOAD;
use crate::text::{text, Lossy};

/// The maximum payload of a chunk in bytes: the maximum data of a read, and the offset before it.
pub(super) const MAX_CHUNK: u64 = MAX_PAYLOAD + OFFSET_DATA_PREFIX as u64;

/// The maximum number of extents of one chunk that are passed on. A server may describe less than
/// the requested range, so the rest of a longer list is dropped, and the program asks again.
/// nbdkit, the largest known, sends at most this many.
const MAX_EXTENTS: usize = 1 << 20;

/// The maximum error payload that is decoded, in bytes: error number, offset, and the longest
/// message that its length field allows. The message should not exceed the maximum string length,
/// but the error number counts even then.
const MAX_ERROR: u64 = (ERROR_PREFIX + u16::MAX as usize + 8) as u64;

impl<T> Machine<T> {
    /// Handles the header of a chunk.
    pub(super) fn chunk_header(&mut self, header: ChunkHeader) -> Result<Receiving, Dead> {
        if header.length > MAX_CHUNK {
            return Err(self.fail_with(Fault::ChunkLength(header.length)));
        }
        let left = header.length;
        let Some(command) = self.commands.get_mut(header.cookie) else {
            self.note("skipping a reply chunk whose cookie is not in flight");
            return Ok(Receiving::Skip {
                chunk: Chunk::new(&header, None),
                left,
                errno: 0,
            });
        };
        if self.outgoing.has_unsent(header.cookie) {
            return Err(self.fail_with(Fault::UnsentRequest(header.cookie)));
        }
        let chunk = Chunk::new(&header, Some(header.cookie));
        let extended = self.negotiated.extended_headers;
        let read = command.kind == RequestType::Read;
        let block_status =
            command.kind == RequestType::BlockStatus && !self.meta_contexts.in_effect().is_empty();
        let about_this = header.offset.is_none_or(|offset| offset == command.offset);
        let acceptable = match header.kind {
            _ if !about_this => false,
            ChunkType::None => left == 0 && header.flags & REPLY_FLAG_DONE != 0,
            ChunkType::OffsetData => read && left >= OFFSET_DATA_PREFIX as u64,
            ChunkType::OffsetHole => read && left == OFFSET_HOLE_LENGTH as u64,
            ChunkType::BlockStatus => block_status && is_list(left, EXTENTS_PREFIX, EXTENT),
            ChunkType::BlockStatusExt => {
                block_status && is_list(left, EXTENTS_64_PREFIX, EXTENT_64)
            }
            ChunkType::Error | ChunkType::ErrorOffset | ChunkType::UnknownError(_) => {
                (ERROR_MIN as u64..=MAX_ERROR).contains(&left)
            }
            ChunkType::Unknown(_) => false,
        };
        if !acceptable {
            // It fails when it is complete: seen with libnbd 1.24.4.
            return Ok(Receiving::Skip {
                chunk,
                left,
                errno: libc::EPROTO,
            });
        }
        // 32-bit extents belong to compact headers, 64-bit ones to extended headers; but both are
        // unambiguous in either case.
        match header.kind {
            ChunkType::BlockStatus if extended => command.fail(libc::EPROTO),
            ChunkType::BlockStatusExt if !extended => command.fail(libc::EPROTO),
            _ => {}
        }
        Ok(match header.kind {
            ChunkType::None => chunk.after(),
            ChunkType::OffsetData => Receiving::DataOffset(chunk),
            _ => Receiving::Payload(chunk),
        })
    }

    /// Decodes the payload of a chunk other than data.
    pub(super) fn payload(&mut self, chunk: &Chunk, payload: &[u8]) -> Result<(), Dead> {
        let Some(cookie) = chunk.cookie else {
            return Ok(());
        };
        match chunk.kind {
            ChunkType::OffsetHole => return self.hole(cookie, payload),
            ChunkType::BlockStatus | ChunkType::BlockStatusExt => {
                self.block_status(cookie, chunk, payload)
            }
            _ => self.error_chunk(cookie, chunk.kind, payload),
        };
        Ok(())
    }

    fn hole(&mut self, cookie: u64, payload: &[u8]) -> Result<(), Dead> {
        let Some((offset, length)) = reply::offset_hole(payload) else {
            return Ok(());
        };
        let count = length as usize;
        let at = self.place(cookie, offset, u64::from(length))?;
        if let Some(command) = self.commands.get_mut(cookie) {
            command.fill(at, count);
            self.events.push_back(Event::Chunk {
                cookie,
                at,
                count,
                offset,
                status: ReadStatus::Hole,
            });
        }
        Ok(())
    }

    fn error_chunk(&mut self, cookie: u64, kind: ChunkType, payload: &[u8]) -> Option<()> {
        let decoded = reply::error_payload(payload)?;
        if !decoded.message.is_empty() {
            let message = Lossy(decoded.message);
            self.note(text!("structured error server message: {message}"));
        }
        let command = self.commands.get_mut(cookie)?;
        // An error chunk without an error number: the server reports that the command failed, so
        // it does.
        let errno = match errno::from_wire(decoded.error) {
            0 => libc::EPROTO,
            errno => errno,
        };
        let first = command.error() == 0;
        command.fail(errno);
        if kind == ChunkType::ErrorOffset && command.kind == RequestType::Read {
            let offset = Reader::new(decoded.rest).u64()?;
            let at = offset.checked_sub(command.offset)?;
            if at < command.length {
                self.events.push_back(Event::Chunk {
                    cookie,
                    at: at as usize,
                    count: 0,
                    offset,
                    status: ReadStatus::Error { errno, first },
                });
            }
        }
        Some(())
    }

    /// Returns the data of an [`Event::Extents`]: the command, the context, and the extents in
    /// order. If the extents are invalid, the command fails, and the list is truncated there.
    ///
    /// The list is also truncated before flags greater than `widest`. If the first extent has
    /// such flags, only this extent is returned, and the owner decides about its flags. Extents
    /// after that are not checked.
    /// Source: seen with libnbd 1.24.4.
    pub fn extents(
        &mut self,
        cookie: u64,
        context_id: u32,
        widest: u64,
    ) -> Option<(&mut Command<T>, &MetaContext, &mut Vec<Extent>)> {
        let command = self.commands.get_mut(cookie)?;
        let context = self.meta_contexts.by_id(context_id)?;
        let wide = self.extents.iter().position(|it| it.flags > widest);
        self.extents
            .truncate(wide.map_or(usize::MAX, |index| index.max(1)));
        let proper = truncate_extents(&mut self.extents, command.offset, self.export.size());
        if !proper && wide != Some(0) {
            command.fail(libc::EPROTO);
        }
        Some((command, context, &mut self.extents))
    }

    fn block_status(&mut self, cookie: u64, chunk: &Chunk, payload: &[u8]) -> Option<()> {
        let command = self.commands.get_mut(cookie)?;
        let (context_id, rest) = reply::context_id(payload)?;
        let mut reader = Reader::new(rest);
        let extended = chunk.kind == ChunkType::BlockStatusExt;
        let count = rest.len() as u64 / if extended { EXTENT_64 } else { EXTENT };
        self.extents = Vec::new();
        if self.extents.try_reserve_exact(count as usize).is_err() {
            command.fail(libc::ENOMEM);
            return None;
        }
        if extended {
            let announced = u64::from(reader.u32()?);
            if announced != (chunk.length - EXTENTS_64_PREFIX) / EXTENT_64 {
                command.fail(libc::EPROTO);
                return None;
            }
            while let (Some(length), Some(flags)) = (reader.u64(), reader.u64()) {
                self.extents.push(Extent { length, flags });
            }
        } else {
            while let (Some(length), Some(flags)) = (reader.u32(), reader.u32()) {
                let (length, flags) = (u64::from(length), u64::from(flags));
                self.extents.push(Extent { length, flags });
            }
        }
        if self.meta_contexts.by_id(context_id).is_none() {
            self.extents = Vec::new();
            self.note("ignoring block status of a context that was not negotiated");
            return None;
        }
        self.events.push_back(Event::Extents { cookie, context_id });
        Some(())
    }
}

/// Returns true if a payload consists of a prefix and at least one complete item.
fn is_list(length: u64, prefix: u64, item: u64) -> bool {
    let list = length.checked_sub(prefix);
    list.is_some_and(|list| list > 0 && list % item == 0)
}

/// Returns the length of the part of a payload that is decoded; the rest is skipped.
pub(super) fn decoded_length(chunk: &Chunk) -> u64 {
    let limit = match chunk.kind {
        ChunkType::BlockStatus => EXTENTS_PREFIX + MAX_EXTENTS as u64 * EXTENT,
        ChunkType::BlockStatusExt => EXTENTS_64_PREFIX + MAX_EXTENTS as u64 * EXTENT_64,
        _ => return chunk.length,
    };
    chunk.length.min(limit)
}

/// Checks consecutive extents from `offset` on: each must have at least one byte, and none may
/// extend beyond the end of the export. Truncates the list at an invalid extent. One that is too
/// long is shortened and kept; an empty one is kept only as the first. Returns false if the
/// result is still invalid; an empty extent after valid ones is just dropped.
/// Source: seen with libnbd 1.24.4.
fn truncate_extents(extents: &mut Vec<Extent>, offset: u64, size: u64) -> bool {
    let mut left = size.saturating_sub(offset);
    for (index, extent) in extents.iter_mut().enumerate() {
        if extent.length == 0 && index > 0 {
            extents.truncate(index);
            return true;
        }
        if left == 0 || extent.length == 0 || extent.length > left {
            extent.length = extent.length.min(left);
            let kept = if left == 0 { index.max(1) } else { index + 1 };
            extents.truncate(kept);
            return false;
        }
        left -= extent.length;
    }
    true
}
