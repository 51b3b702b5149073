// SPDX-License-Identifier: LGPL-2.1-or-later

//! The attachment of a command: the program's memory and callbacks.

use libc::iovec;

use super::buffer::{ReadBuffer, WriteBuffer};
use super::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use super::pieces::Pieces;
use crate::machine::Command;
use crate::memory::NoMemory;

/// Data that the machine stores with a command, and does not access. The fields are freed in this
/// order (libnbd(3), "Callback lifetimes").
#[derive(Debug)]
pub struct Attachment {
    pub(super) buffer: Buffer,
    pub(super) callback: DataCallback,
    pub(super) completion: nbd_completion_callback,
    pub(super) waiter: Waiter,
}

/// The party that retires a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    /// The program, with the cookie.
    Program,
    /// A synchronous call; the program does not know the cookie.
    Call,
}

/// The user's memory.
#[derive(Debug)]
pub(super) enum Buffer {
    None,
    Read(ReadBuffer),
    Write(WriteBuffer),
    ReadPieces(Pieces<ReadBuffer>),
    WritePieces(Pieces<WriteBuffer>),
}

impl Buffer {
    /// Returns the payload of a request, if it is in one piece of memory.
    pub(super) fn to_send(&self) -> Option<iovec> {
        match self {
            Buffer::Write(buffer) if !buffer.is_empty() => Some(buffer.iovec(0, buffer.len())),
            _ => None,
        }
    }

    /// Describes the payload of a request from offset `at` on, as far as there are places for its
    /// pieces of memory. Returns their number.
    pub(super) fn pieces(&self, at: usize, places: &mut [iovec]) -> usize {
        match self {
            Buffer::Write(buffer) => {
                let piece = buffer.iovec(at, buffer.len() - at);
                places.iter_mut().take(1).for_each(|place| *place = piece);
                1
            }
            Buffer::WritePieces(pieces) => {
                let pieces = pieces.iovecs(at, pieces.length() - at);
                let filled = places.iter_mut().zip(pieces);
                filled.map(|(place, piece)| *place = piece).count()
            }
            _ => 0,
        }
    }

    /// Returns true if the payload of a request is in several pieces of memory.
    pub(super) fn sends_pieces(&self) -> bool {
        matches!(self, Buffer::WritePieces(_))
    }

    /// Clears a hole of a read: `len` bytes at offset `at`.
    pub(super) fn hole(&self, at: usize, len: usize) {
        match self {
            Buffer::Read(buffer) => buffer.hole(at, len),
            Buffer::ReadPieces(pieces) => pieces.hole(at, len),
            _ => {}
        }
    }
}

/// A callback for the contents of the reply.
#[derive(Debug)]
pub(super) enum DataCallback {
    None,
    Chunk(nbd_chunk_callback),
    Extent(nbd_extent_callback),
    Extent64(nbd_extent64_callback),
}

impl Attachment {
    /// Makes the attachment of a command without data.
    pub(super) fn plain(completion: nbd_completion_callback) -> Self {
        Attachment {
            buffer: Buffer::None,
            callback: DataCallback::None,
            completion,
            waiter: Waiter::Program,
        }
    }

    /// Takes out the program's memory and callbacks.
    pub(super) fn take(&mut self) -> Self {
        let nothing = Attachment {
            waiter: self.waiter,
            ..Attachment::plain(nbd_completion_callback::null())
        };
        std::mem::replace(self, nothing)
    }

    /// Returns true if completing or freeing the command calls the program.
    pub(super) fn calls_back(&self) -> bool {
        !self.completion.is_null() || !matches!(self.callback, DataCallback::None)
    }
}

/// Clears the missing parts of a read that has failed or was abandoned.
pub(super) fn clear_gaps(command: &Command<Attachment>) {
    match &command.attachment.buffer {
        Buffer::Read(buffer) => command.gaps(|at, count| buffer.failed(at, count)),
        Buffer::ReadPieces(pieces) => command.gaps(|at, count| pieces.failed(at, count)),
        _ => {}
    }
}

/// Returns a copy of a write's data.
pub(super) fn copy_data(command: &Command<Attachment>) -> Result<Box<[u8]>, NoMemory> {
    match &command.attachment.buffer {
        Buffer::Write(buffer) => buffer.copy(),
        Buffer::WritePieces(pieces) => pieces.copy(),
        Buffer::None | Buffer::Read(_) | Buffer::ReadPieces(_) => Ok(Box::default()),
    }
}

/// Stores data of a read in its buffer.
pub(super) fn put(command: &mut Command<Attachment>, at: usize, bytes: &[u8]) {
    match &command.attachment.buffer {
        Buffer::Read(buffer) => buffer.copy_in(at, bytes),
        Buffer::ReadPieces(pieces) => pieces.copy_in(at, bytes),
        _ => {}
    }
}
