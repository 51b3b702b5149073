// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the machine tells its owner.

use std::borrow::Cow;
use std::ffi::CString;

use libc::c_int;

use crate::error::Error;

/// One extent of a meta context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Extent {
    /// Bytes.
    pub length: u64,
    /// Their status; what the bits mean is the context's business.
    pub flags: u64,
}

/// What a chunk of a read says of its part of the buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadStatus {
    /// It holds data (`LIBNBD_READ_DATA`).
    Data,
    /// It is a hole, all zeroes (`LIBNBD_READ_HOLE`).
    Hole,
    /// Reading failed at this place (`LIBNBD_READ_ERROR`).
    Error {
        /// Why.
        errno: c_int,
        /// Whether nothing was wrong with the command before.
        first: bool,
    },
}

/// Something that the owner has to act on, in the order in which it happened.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A part of a read is complete. Its data is in place, and not told of unless the
    /// command says so ([`super::NewCommand::reports_data`]); a hole is the owner's to fill
    /// with zeroes.
    Chunk {
        /// The read.
        cookie: u64,
        /// Where in its buffer.
        at: usize,
        /// How many bytes; 0 for an error.
        count: usize,
        /// Where in the export, in bytes.
        offset: u64,
        /// What it is.
        status: ReadStatus,
    },
    /// Extents of one context; see [`super::Machine::extents`].
    Extents {
        /// The block status command.
        cookie: u64,
        /// Their context.
        context_id: u32,
    },
    /// A command is done, successfully if it has no error. The message that completes it
    /// has been received whole.
    Completed {
        /// The command, still in flight until it is taken out.
        cookie: u64,
    },
    /// A message of the transmission phase has been received whole that completes no
    /// command. All events about it came before.
    MessageEnd,
    /// An export, in reply to `NBD_OPT_LIST`.
    Listed {
        /// Its name.
        name: CString,
        /// Its description; may be empty.
        description: CString,
    },
    /// A meta context, in reply to an option that the program asked for.
    MetaContext {
        /// Its name.
        name: CString,
    },
    /// The option that the program asked for is done: how many replies it
    /// had, or 1 where the server could only agree or refuse.
    OptionDone(Result<u32, Error>),
    /// The server refused an option to which it could only say yes or no,
    /// which is an answer and no failure. With the errno that tells why.
    OptionRefused(c_int),
    /// Something worth a debug message.
    Note(Cow<'static, str>),
    /// The server broke the protocol: the connection is dead.
    Dead(Error),
}

impl Event {
    /// Whether it is the last one of a message of the transmission phase: a simple reply,
    /// or a chunk.
    pub fn ends_message(&self) -> bool {
        matches!(self, Event::Completed { .. } | Event::MessageEnd)
    }
}
