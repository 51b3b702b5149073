// SPDX-License-Identifier: LGPL-2.1-or-later

//! What comes of a conversation: the model says what has to, the client what did.

use nbd::machine::State;

/// Something that the client is told while a reply arrives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Told {
    /// A part of a read is in its buffer.
    Data { cookie: u64, at: u64, count: u64 },
    /// A part of a read is zeroes.
    Hole { cookie: u64, at: u64, count: u64 },
    /// A read failed at this place. `first` if nothing was wrong with it before.
    ErrorAt {
        cookie: u64,
        at: u64,
        errno: i32,
        first: bool,
    },
    /// The extents of one context, and the error that the command has by then.
    Extents {
        cookie: u64,
        context: u32,
        extents: Vec<(u64, u64)>,
        error: i32,
    },
    /// A command is done.
    Completed { cookie: u64, errno: i32 },
    /// A message is complete.
    MessageEnd,
}

/// How a command ended, in its reply or with the connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    pub cookie: u64,
    pub errno: i32,
    /// The buffer of a read.
    pub buffer: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
pub struct Outcome {
    /// What was told, and after how many bytes of the server.
    pub told: Vec<(usize, Told)>,
    /// The state when the server has said everything, and when it has closed the
    /// connection after that.
    pub states: (State, State),
    /// All commands, in the order in which they ended.
    pub ended: Vec<Ended>,
    /// Headers received.
    pub headers: u64,
}
