// SPDX-License-Identifier: LGPL-2.1-or-later

//! The outcome of a conversation: expected from the model, actual from the
//! client.

use nbd::machine::State;

/// An event reported to the client while a reply arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Part of a read is in its buffer.
    Data { cookie: u64, at: u64, count: u64 },
    /// Part of a read is zeroes.
    Hole { cookie: u64, at: u64, count: u64 },
    /// A read failed at this offset. `first` is true if nothing was wrong with
    /// it before.
    ErrorAt {
        cookie: u64,
        at: u64,
        errno: i32,
        first: bool,
    },
    /// The extents of one context, with the command's error so far.
    Extents {
        cookie: u64,
        context: u32,
        extents: Vec<(u64, u64)>,
        error: i32,
    },
    /// A command is complete.
    Completed { cookie: u64, errno: i32 },
    /// A message is complete.
    MessageEnd,
}

/// The end of a command, by its reply or with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub cookie: u64,
    pub errno: i32,
    /// The buffer of a read.
    pub buffer: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The events, each with the number of the server's bytes received.
    pub reports: Vec<(usize, Report)>,
    /// The state after the server's last byte, and after it has closed the
    /// connection.
    pub states: (State, State),
    /// All commands, in order of completion.
    pub ended: Vec<Ended>,
    /// Number of headers received.
    pub headers: u64,
}
