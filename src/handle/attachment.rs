// SPDX-License-Identifier: LGPL-2.1-or-later

//! The attachment of a command: the program's memory and callbacks.

use libc::iovec;

use super::buffer::{ReadBuffer, WriteBuffer};
use super::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
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
}

impl Buffer {
    /// Returns the payload of a request.
    pub(super) fn to_send(&self) -> Option<iovec> {
        match self {
            Buffer::Write(buffer) if !buffer.is_empty() => Some(buffer.iovec(0, buffer.len())),
            _ => None,
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
    if let Buffer::Read(buffer) = &command.attachment.buffer {
        command.gaps(|at, count| buffer.failed(at, count));
    }
}

/// Returns a copy of a write's data.
pub(super) fn copy_data(command: &Command<Attachment>) -> Result<Box<[u8]>, NoMemory> {
    match &command.attachment.buffer {
        Buffer::Write(buffer) => buffer.copy(),
        Buffer::None | Buffer::Read(_) => Ok(Box::default()),
    }
}

/// Stores data of a read in its buffer.
pub(super) fn put(command: &mut Command<Attachment>, at: usize, bytes: &[u8]) {
    if let Buffer::Read(buffer) = &command.attachment.buffer {
        buffer.copy_in(at, bytes);
    }
}
