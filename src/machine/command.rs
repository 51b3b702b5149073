// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands in flight, found by cookie in constant time.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use libc::c_int;

use crate::protocol::request::RequestType;

/// A command that awaits its reply. `T` belongs to whoever issued it: the
/// user's buffer and callbacks, of which the machine knows nothing.
#[derive(Debug)]
pub struct Command<T> {
    /// Unique for the connection, counted from 1; also on the wire.
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
    pub(super) received: u64,
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

    /// Remembers an error in place of one that there may have been.
    pub fn replace_error(&mut self, errno: c_int) {
        self.error = errno;
    }
}

/// Where a command is kept until it completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(u32);

/// All commands in flight.
#[derive(Debug)]
pub struct Commands<T> {
    slots: Vec<Option<Command<T>>>,
    vacant: Vec<u32>,
    by_cookie: HashMap<u64, u32, BuildHasherDefault<CookieHasher>>,
    last_cookie: u64,
}

impl<T> Default for Commands<T> {
    fn default() -> Self {
        Commands {
            slots: Vec::new(),
            vacant: Vec::new(),
            by_cookie: HashMap::default(),
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

    /// Adds a command under a cookie from [`Commands::next_cookie`].
    pub fn insert(
        &mut self,
        cookie: u64,
        kind: RequestType,
        offset: u64,
        length: u64,
        payload: Option<Box<[u8]>>,
        attachment: T,
    ) {
        let command = Some(Command {
            cookie,
            kind,
            offset,
            length,
            payload,
            attachment,
            error: 0,
            received: 0,
        });
        let index = match self.vacant.pop() {
            Some(index) => {
                self.slots[index as usize] = command;
                index
            }
            None => {
                self.slots.push(command);
                (self.slots.len() - 1) as u32
            }
        };
        self.by_cookie.insert(cookie, index);
    }

    /// Where the command with this cookie is.
    pub fn find(&self, cookie: u64) -> Option<Slot> {
        self.by_cookie.get(&cookie).copied().map(Slot)
    }

    /// The command in a slot, while it is in flight.
    pub fn get(&self, slot: Slot) -> Option<&Command<T>> {
        self.slots.get(slot.0 as usize)?.as_ref()
    }

    /// The command in a slot, while it is in flight.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Command<T>> {
        self.slots.get_mut(slot.0 as usize)?.as_mut()
    }

    /// Takes a command out: it is no longer in flight.
    pub fn remove(&mut self, slot: Slot) -> Option<Command<T>> {
        let command = self.slots.get_mut(slot.0 as usize)?.take()?;
        self.by_cookie.remove(&command.cookie);
        self.vacant.push(slot.0);
        Some(command)
    }

    /// All commands in flight, oldest first: for the end of a connection.
    pub fn oldest_first(&self) -> Vec<Slot> {
        let mut all: Vec<_> = self.by_cookie.iter().collect();
        all.sort_unstable();
        all.into_iter().map(|(_, index)| Slot(*index)).collect()
    }

    /// How many commands are in flight.
    pub fn len(&self) -> usize {
        self.by_cookie.len()
    }

    /// Bytes of memory held.
    pub fn allocated(&self) -> usize {
        self.slots.capacity() * size_of::<Option<Command<T>>>()
            + self.vacant.capacity() * size_of::<u32>()
            + self.by_cookie.capacity() * size_of::<(u64, u32)>()
    }
}

/// Spreads consecutive cookies. Only cookies that this client chose are ever
/// stored, so a server has no way to provoke collisions.
#[derive(Debug, Default)]
pub struct CookieHasher(u64);

impl Hasher for CookieHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(self.0 ^ u64::from(byte));
        }
    }

    fn write_u64(&mut self, cookie: u64) {
        // 2^64 divided by the golden ratio (Knuth's multiplicative hash).
        self.0 = cookie.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}
