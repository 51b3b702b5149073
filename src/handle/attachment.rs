// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a command is to its issuer: the program's memory and callbacks.

use libc::iovec;

use super::buffer::{ReadBuffer, WriteBuffer};
use super::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use crate::machine::Command;

/// What the machine keeps with a command and does not look at. The fields are
/// in the order in which they are freed (libnbd(3), "Callback lifetimes").
#[derive(Debug)]
pub struct Attachment {
    pub(super) buffer: Buffer,
    pub(super) callback: DataCallback,
    pub(super) completion: nbd_completion_callback,
    pub(super) waiter: Waiter,
}

/// Who asks for a command when it is done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Waiter {
    /// The program, by its cookie.
    Program,
    /// A synchronous call; the program does not know the cookie.
    Call,
    /// Nobody: the thread of that call was cancelled.
    Nobody,
}

/// The user's memory.
#[derive(Debug)]
pub(super) enum Buffer {
    None,
    Read(ReadBuffer),
    Write(WriteBuffer),
}

impl Buffer {
    /// The data of a request.
    pub(super) fn to_send(&self) -> Option<iovec> {
        match self {
            Buffer::Write(buffer) if !buffer.is_empty() => Some(buffer.iovec(0, buffer.len())),
            _ => None,
        }
    }
}

/// What is called while the reply comes.
#[derive(Debug)]
pub(super) enum DataCallback {
    None,
    Chunk(nbd_chunk_callback),
    Extent(nbd_extent_callback),
    Extent64(nbd_extent64_callback),
}

impl Attachment {
    /// Of a command without data.
    pub(super) fn plain(completion: nbd_completion_callback) -> Self {
        Attachment {
            buffer: Buffer::None,
            callback: DataCallback::None,
            completion,
            waiter: Waiter::Program,
        }
    }

    /// Of a command of which the reply may come, and concerns nobody.
    pub(super) fn of_nobody() -> Self {
        Attachment {
            waiter: Waiter::Nobody,
            ..Attachment::plain(nbd_completion_callback::null())
        }
    }

    /// Whether the program is called when the command completes or is freed.
    pub(super) fn calls_back(&self) -> bool {
        !self.completion.is_null() || !matches!(self.callback, DataCallback::None)
    }
}

/// A read that a call waits for has failed, or nobody waits for it any more.
pub(super) fn clear_gaps(command: &Command<Attachment>) {
    if let Buffer::Read(buffer) = &command.attachment.buffer {
        command.gaps(|at, count| buffer.failed(at, count));
    }
}

/// Puts data of a read where it belongs.
pub(super) fn put(command: &mut Command<Attachment>, at: usize, bytes: &[u8]) {
    if let Buffer::Read(buffer) = &command.attachment.buffer {
        buffer.copy_in(at, bytes);
    }
}
