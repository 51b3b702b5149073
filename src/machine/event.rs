// SPDX-License-Identifier: LGPL-2.1-or-later

//! Events, from the machine to its owner.

use std::borrow::Cow;
use std::ffi::CString;

use libc::c_int;

use crate::error::Error;

/// One extent of a meta context.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct Extent {
    /// Length in bytes.
    pub length: u64,
    /// Status flags. Their meaning depends on the context.
    pub flags: u64,
}

/// The type of a chunk of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadStatus {
    /// It holds data (`LIBNBD_READ_DATA`).
    Data,
    /// It is a hole, all zeroes (`LIBNBD_READ_HOLE`).
    Hole,
    /// Reading failed at this place (`LIBNBD_READ_ERROR`).
    Error {
        /// The errno.
        errno: c_int,
        /// True if the command had no error before.
        first: bool,
    },
}

/// An event for the owner to act on. Events are in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// A part of a read is complete. Data is already in the buffer, and is not reported unless
    /// the command requests it ([`super::NewCommand::reports_data`]). The owner fills holes with
    /// zeroes.
    Chunk {
        /// The cookie of the read.
        cookie: u64,
        /// Offset in its buffer.
        at: usize,
        /// Length in bytes; 0 for an error.
        count: usize,
        /// Offset in the export, in bytes.
        offset: u64,
        /// The type of the chunk.
        status: ReadStatus,
    },
    /// Extents of one context; see [`super::Machine::extents`].
    Extents {
        /// The cookie of the block status command.
        cookie: u64,
        /// The id of their context.
        context_id: u32,
    },
    /// A command is complete: it succeeded if it has no error. Its last message has been received
    /// completely.
    Completed {
        /// The cookie of the command, which stays in flight until it is taken out.
        cookie: u64,
    },
    /// A message of the transmission phase has been received completely, and completes no
    /// command. All events of the message come before this one.
    MessageEnd,
    /// An export, in reply to `NBD_OPT_LIST`.
    Listed {
        /// Its name.
        name: CString,
        /// Its description; may be empty.
        description: CString,
    },
    /// A meta context, in reply to an option sent by the program.
    MetaContext {
        /// Its name.
        name: CString,
    },
    /// The program's option is complete: the number of replies, or 1 if the server could only
    /// accept or refuse.
    OptionDone(Result<u32, Error>),
    /// The server refused an option that it could only accept or refuse. This is a valid answer,
    /// not an error. The errno is the reason.
    OptionRefused(c_int),
    /// A debug message.
    Note(Cow<'static, str>),
    /// The server violated the protocol: the connection is dead.
    Dead(Error),
}

impl Event {
    /// Returns true for the last event of a message of the transmission phase: a simple reply, or
    /// a chunk.
    pub fn ends_message(&self) -> bool {
        matches!(self, Event::Completed { .. } | Event::MessageEnd)
    }
}
