// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replies of the transmission phase: headers, and data for a user's buffer. [`super::chunk`]
//! decodes other payloads.

use libc::c_int;

use super::chunk;
use super::command::Command;
use super::core::{Dead, Machine};
use super::event::{Event, ReadStatus};
use super::fault::Fault;
use super::phase::Phase;
use super::receiving::{Chunk, Data, Receiving};
use crate::protocol::bytes::Reader;
use crate::protocol::errno;
use crate::protocol::reply::{self, Header, OFFSET_DATA_PREFIX, SIMPLE_LENGTH};
use crate::protocol::request::RequestType;

/// Stores bytes of a read at offset `at` of its buffer.
pub type Put<T> = fn(command: &mut Command<T>, at: usize, bytes: &[u8]);

impl<T> Machine<T> {
    /// Returns true if the last reply is complete and the next has not begun.
    pub(super) fn between_replies(&self) -> bool {
        match *self.phase {
            Phase::Transmission { receiving, .. } => {
                matches!(receiving, Receiving::Header | Receiving::End) && self.inbox.is_empty()
            }
            _ => true,
        }
    }

    pub(super) fn set_receiving(&mut self, next: Receiving) {
        if let Some(receiving) = self.phase.receiving_mut() {
            *receiving = next;
        }
    }

    /// Returns the place in a user's buffer for the next bytes: the cookie, the offset in the
    /// buffer, and the number of bytes. An owner that receives into it must call
    /// [`Machine::received_directly`].
    pub fn direct(&self) -> Option<(u64, usize, usize)> {
        match *self.phase {
            Phase::Transmission {
                receiving: Receiving::Data(data),
                ..
            } if data.left > 0 => Some((data.cookie, data.at, data.left)),
            _ => None,
        }
    }

    /// Records that `count` bytes were stored at the place of [`Machine::direct`].
    pub fn received_directly(&mut self, count: usize) {
        if let Some(Receiving::Data(data)) = self.phase.receiving_mut() {
            let count = count.min(data.left);
            data.at += count;
            data.left -= count;
            self.traffic.bytes_received += count as u64;
        }
    }

    /// Parses a reply up to the next event; `None` if more bytes are needed.
    pub(super) fn receive_reply(
        &mut self,
        mut receiving: Receiving,
        input: &mut &[u8],
        put: Put<T>,
    ) -> Option<Event> {
        let event = loop {
            receiving = match receiving {
                Receiving::Header => match self.header(input) {
                    Some(Ok(next)) => next,
                    Some(Err(Dead)) => receiving,
                    None => break None,
                },
                Receiving::DataOffset(chunk) => {
                    let Some(prefix) = self.inbox.take(input, OFFSET_DATA_PREFIX) else {
                        break None;
                    };
                    let offset = Reader::new(&prefix).u64().expect("exact length");
                    self.data_chunk(&chunk, offset).unwrap_or(receiving)
                }
                Receiving::Data(mut data) => {
                    let (bytes, rest) = input.split_at(data.left.min(input.len()));
                    if bytes.is_empty() && data.left > 0 {
                        break None;
                    }
                    *input = rest;
                    data.at += bytes.len();
                    data.left -= bytes.len();
                    self.data(&data, bytes, put)
                }
                Receiving::Payload(chunk) => {
                    // Checked against the limits in the header.
                    let wanted = chunk::decoded_length(&chunk);
                    if self.inbox.make_room(input, wanted as usize).is_err() {
                        receiving = self.skip_for_lack_of_memory(chunk);
                        continue;
                    }
                    let Some(payload) = self.inbox.take(input, wanted as usize) else {
                        break None;
                    };
                    // If this ends the connection, its events come first.
                    let _ = self.payload(&chunk, &payload);
                    match chunk.length - wanted {
                        0 => chunk.after(),
                        left => Receiving::Skip {
                            chunk,
                            left,
                            errno: 0,
                        },
                    }
                }
                Receiving::Skip { chunk, left, errno } => {
                    let skipped = left.min(input.len() as u64);
                    *input = &input[skipped as usize..];
                    if skipped < left {
                        let left = left - skipped;
                        receiving = Receiving::Skip { chunk, left, errno };
                        break None;
                    }
                    self.fail_answered(&chunk, errno);
                    chunk.after()
                }
                Receiving::Done(cookie) => {
                    if let Some(command) = self.commands.get_mut(cookie) {
                        command.finish();
                    }
                    receiving = Receiving::Header;
                    break Some(Event::Completed { cookie });
                }
                Receiving::End => {
                    receiving = Receiving::Header;
                    break Some(Event::MessageEnd);
                }
            };
            if let Some(event) = self.events.pop_front() {
                break Some(event);
            }
        };
        self.set_receiving(receiving);
        event
    }

    /// Skips a payload that there is no memory for, even if a part has arrived. Its command
    /// fails, and the stream continues.
    fn skip_for_lack_of_memory(&mut self, chunk: Chunk) -> Receiving {
        let left = chunk.length - self.inbox.discard() as u64;
        Receiving::Skip {
            chunk,
            left,
            errno: libc::ENOMEM,
        }
    }

    /// Fails the command of a chunk, if there is one.
    fn fail_answered(&mut self, chunk: &Chunk, errno: c_int) {
        let command = chunk
            .cookie
            .and_then(|cookie| self.commands.get_mut(cookie));
        if let Some(command) = command {
            command.fail(errno);
        }
    }

    /// Returns the magic of a header, once enough bytes have arrived.
    fn magic(&mut self, input: &mut &[u8]) -> Option<u32> {
        let magic = match self.negotiated.extended_headers {
            true => self.inbox.peek::<4>(input)?,
            false => *self.inbox.peek::<SIMPLE_LENGTH>(input)?.first_chunk()?,
        };
        Some(u32::from_be_bytes(magic))
    }

    /// Parses a header and returns the next position; `None` if more bytes are needed.
    fn header(&mut self, input: &mut &[u8]) -> Option<Result<Receiving, Dead>> {
        let magic = self.magic(input)?;
        let length = self.header_length(magic);
        let Some(length) = length else {
            return Some(Err(self.fail_with(Fault::UnexpectedMagic(magic))));
        };
        let bytes = self.inbox.take(input, length)?;
        let header = reply::decode(&bytes).expect("a whole header of a known kind");
        self.traffic.chunks_received += 1;
        Some(match header {
            Header::Simple { error, cookie } => self.simple_reply(error, cookie),
            Header::Chunk(header) => self.chunk_header(header),
        })
    }

    /// Returns true if the request with this cookie is not completely sent.
    pub(super) fn is_unsent(&self, cookie: u64) -> bool {
        self.commands.contains(cookie) && self.outgoing.has_unsent(cookie)
    }

    /// Handles a simple reply. The data after it depends on the request, so the request must be
    /// known.
    fn simple_reply(&mut self, error: u32, cookie: u64) -> Result<Receiving, Dead> {
        let structured = self.negotiated.structured_replies;
        let Some(command) = self.commands.get_mut(cookie) else {
            // An error has no data, for any request.
            if structured || error != 0 {
                self.note("skipping a simple reply whose cookie is not in flight");
                return Ok(Receiving::End);
            }
            return Err(self.fail_with(Fault::UnknownCookie(cookie)));
        };
        if self.outgoing.has_unsent(cookie) {
            return Err(self.fail_with(Fault::UnsentRequest(cookie)));
        }
        let read = command.kind == RequestType::Read;
        let has_extents = command.kind == RequestType::BlockStatus && error == 0;
        if (read && structured) || has_extents {
            // "Simple reply message": not allowed for reads here, and unable to report extents.
            command.fail(libc::EPROTO);
        }
        command.fail(errno::from_wire(error));
        if !read || error != 0 {
            return Ok(Receiving::Done(cookie));
        }
        if structured {
            // It may have data or not. Taking the next reply for the data would leave that
            // reply's command without an answer; taking the data for replies would allow contents
            // of the disk to forge them.
            return Err(self.fail_with(Fault::SimpleReplyToRead));
        }
        Ok(Receiving::Data(Data {
            cookie,
            start: 0,
            at: 0,
            left: command.length as usize,
            is_last: true,
        }))
    }

    /// Finds the place for the data of a chunk, once its offset is known.
    fn data_chunk(&mut self, chunk: &Chunk, offset: u64) -> Result<Receiving, Dead> {
        let left = chunk.length - OFFSET_DATA_PREFIX as u64;
        let Some(cookie) = chunk.cookie else {
            return Ok(Receiving::Skip {
                chunk: *chunk,
                left,
                errno: 0,
            });
        };
        let at = self.place(cookie, offset, left)?;
        Ok(Receiving::Data(Data {
            cookie,
            start: at,
            at,
            left: left as usize,
            is_last: chunk.is_last,
        }))
    }

    /// Returns the offset in a read's buffer for `length` bytes at `offset` of the export. Data
    /// outside the range of the read ends the connection.
    /// Source: seen with libnbd 1.24.4.
    pub(super) fn place(&mut self, cookie: u64, offset: u64, length: u64) -> Result<usize, Dead> {
        let command = self.commands.get(cookie);
        let (start, count) = command.map_or((0, 0), |it| (it.offset, it.length));
        let at = offset.checked_sub(start);
        let fits = |at: &u64| at.checked_add(length).is_some_and(|end| end <= count);
        at.filter(fits).map(|at| at as usize).ok_or_else(|| {
            self.fail_with(Fault::OutOfRange {
                offset,
                length,
                start,
                count,
            })
        })
    }

    /// Records partly received data when the connection is lost.
    pub(super) fn keep_data_in_part(&mut self) {
        if let Phase::Transmission {
            receiving: Receiving::Data(data),
            ..
        } = *self.phase
        {
            if let Some(command) = self.commands.get_mut(data.cookie) {
                command.fill_in_part(data.start, data.at - data.start);
            }
        }
    }

    /// Stores the last `bytes` before the position of `data`, and returns the next position.
    fn data(&mut self, data: &Data, bytes: &[u8], put: Put<T>) -> Receiving {
        let Some(command) = self.commands.get_mut(data.cookie) else {
            return data.after();
        };
        if !bytes.is_empty() {
            put(command, data.at - bytes.len(), bytes);
        }
        if data.left == 0 {
            let (at, count) = (data.start, data.at - data.start);
            command.fill(at, count);
            if command.reports_data {
                self.events.push_back(Event::Chunk {
                    cookie: data.cookie,
                    at,
                    count,
                    offset: command.offset + at as u64,
                    status: ReadStatus::Data,
                });
            } else if data.is_last {
                // Saves another lookup of the command.
                command.finish();
                let cookie = data.cookie;
                self.events.push_back(Event::Completed { cookie });
                return Receiving::Header;
            }
        }
        data.after()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::reply::{ChunkHeader, ChunkType};

    /// In a payload of 100 bytes, of which 3 have arrived.
    #[test]
    fn the_rest_of_a_payload_that_there_is_no_memory_for_is_skipped() {
        let header = ChunkHeader {
            flags: 0,
            kind: ChunkType::BlockStatus,
            cookie: 1,
            offset: None,
            length: 100,
        };
        let cookie = Some(1);
        let mut machine = Machine::<()>::default();
        assert!(machine.inbox.take(&mut b"abc".as_slice(), 100).is_none());
        let next = machine.skip_for_lack_of_memory(Chunk::new(&header, cookie));
        let Receiving::Skip { left, errno, .. } = next else {
            panic!("{next:?}");
        };
        assert_eq!((left, errno), (97, libc::ENOMEM));
        assert!(machine.inbox.is_empty());
    }
}
