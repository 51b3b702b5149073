// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands in flight, found in constant time.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use libc::c_int;

use super::filled::Filled;
use crate::protocol::request::RequestType;

/// A command to be issued. Whether it makes sense to the server has been
/// decided before.
#[derive(Debug)]
pub struct NewCommand<T> {
    /// What is asked for; not [`RequestType::Disconnect`].
    pub kind: RequestType,
    /// Command flags as they go on the wire.
    pub flags: u16,
    /// Where in the export, in bytes.
    pub offset: u64,
    /// How many bytes of it.
    pub length: u64,
    /// A payload that is not the user's memory.
    pub payload: Option<Box<[u8]>>,
    /// What the owner wants to find again.
    pub attachment: T,
}

/// A command that awaits its reply. `T` belongs to whoever issued it: the
/// user's buffer and callbacks, of which the machine knows nothing.
#[derive(Debug)]
pub struct Command<T> {
    /// What program and server know it by: unique for the connection, counted from 1.
    pub cookie: u64,
    /// What was asked for.
    pub kind: RequestType,
    /// Where in the export, in bytes.
    pub offset: u64,
    /// Bytes of the export that are meant.
    pub length: u64,
    /// A payload of the request that is not the user's memory: the filter of
    /// a block status request.
    pub payload: Option<Box<[u8]>>,
    /// Whatever the issuer wants to find again.
    pub attachment: T,
    error: c_int,
    /// Of a read: what has come of it.
    filled: Filled,
    /// Of a read: a part has come twice, or there were too many parts.
    refused: bool,
}

impl<T> Command<T> {
    /// A command that nothing has happened to yet.
    pub(super) fn new(cookie: u64, new: NewCommand<T>) -> Self {
        Command {
            cookie,
            kind: new.kind,
            offset: new.offset,
            length: new.length,
            payload: new.payload,
            attachment: new.attachment,
            error: 0,
            filled: Filled::default(),
            refused: false,
        }
    }
}

impl<T> Command<T> {
    /// The first error that happened to this command, or 0.
    pub fn error(&self) -> c_int {
        self.error
    }

    /// Remembers an error, unless there was one already.
    pub fn fail(&mut self, errno: c_int) {
        if self.error == 0 {
            self.error = errno;
        }
    }

    /// Data or a hole has come, `count` bytes `at` bytes into the buffer.
    pub(super) fn fill(&mut self, at: usize, count: usize) {
        let added = self.filled.add(at as u64, count as u64, self.length);
        self.refused |= added.is_err();
    }

    /// The reply is complete. A read fails unless each part has come once; an error
    /// that the server reported goes before that.
    /// Source: seen with libnbd 1.24.4.
    pub(super) fn finish(&mut self) {
        let complete = !self.refused && self.filled.is_complete(self.length);
        if self.kind == RequestType::Read && !complete {
            self.fail(libc::EPROTO);
        }
    }

    /// Remembers an error in place of one that there may have been.
    pub fn replace_error(&mut self, errno: c_int) {
        self.error = errno;
    }
}

/// All commands in flight, by cookie.
#[derive(Debug)]
pub struct Commands<T> {
    in_flight: HashMap<u64, Command<T>, BuildHasherDefault<CookieHasher>>,
    last_cookie: u64,
}

impl<T> Default for Commands<T> {
    fn default() -> Self {
        Commands {
            in_flight: HashMap::default(),
            last_cookie: 0,
        }
    }
}

impl<T> Commands<T> {
    /// The next cookie of the connection.
    pub fn next_cookie(&mut self) -> u64 {
        self.last_cookie += 1;
        self.last_cookie
    }

    /// Adds a command.
    pub fn insert(&mut self, command: Command<T>) {
        self.in_flight.insert(command.cookie, command);
    }

    /// Whether the command with this cookie is in flight.
    pub fn contains(&self, cookie: u64) -> bool {
        self.in_flight.contains_key(&cookie)
    }

    /// A command in flight.
    pub fn get(&self, cookie: u64) -> Option<&Command<T>> {
        self.in_flight.get(&cookie)
    }

    /// A command in flight.
    pub fn get_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        self.in_flight.get_mut(&cookie)
    }

    /// Takes a command out: it is no longer in flight.
    pub fn remove(&mut self, cookie: u64) -> Option<Command<T>> {
        self.in_flight.remove(&cookie)
    }

    /// All commands in flight, in the order in which they fail with their
    /// connection: those from the cookie `unsent` on, which were not sent
    /// completely, oldest first; then the others, newest first.
    /// Source: seen with libnbd 1.24.4.
    pub fn failing_order(&self, unsent: u64) -> Vec<u64> {
        let mut all: Vec<_> = self.in_flight.keys().copied().collect();
        all.sort_unstable_by_key(|&cookie| match cookie {
            cookie if cookie >= unsent => (0, cookie),
            cookie => (1, u64::MAX - cookie),
        });
        all
    }

    /// How many commands are in flight.
    pub fn len(&self) -> usize {
        self.in_flight.len()
    }

    /// Bytes of memory held.
    pub fn allocated(&self) -> usize {
        self.in_flight.capacity() * size_of::<(u64, Command<T>)>()
    }
}

/// A hash for cookies. They are counted, and only commands that the program issued
/// are in a table, so nobody can choose keys that collide.
#[derive(Debug, Default)]
pub struct CookieHasher(u64);

impl Hasher for CookieHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    /// An odd factor gives cookies in a row different low bits, by which a table finds
    /// the place; the high bits, by which it tells the keys apart, are mixed.
    fn write_u64(&mut self, cookie: u64) {
        self.0 = (self.0 ^ cookie).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}
