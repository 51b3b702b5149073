// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands in flight, found in constant time.

use libc::c_int;

use super::filled::Filled;
use super::transmission::NewCommand;
use crate::protocol::request::RequestType;

/// A command that awaits its reply. `T` belongs to whoever issued it: the
/// user's buffer and callbacks, of which the machine knows nothing.
#[derive(Debug)]
pub struct Command<T> {
    /// What the program knows it by: unique for the connection, counted from 1.
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

/// Where a command is kept until it completes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Slot(u32);

/// A place for one command after another.
#[derive(Debug)]
struct Place<T> {
    /// How many commands have had it before.
    generation: u32,
    command: Option<Command<T>>,
}

/// All commands in flight. The cookie on the wire says where a command is kept,
/// so that a reply finds it without a search, and which of those that were kept
/// there it is.
#[derive(Debug)]
pub struct Commands<T> {
    places: Vec<Place<T>>,
    vacant: Vec<Slot>,
    last_cookie: u64,
}

impl<T> Default for Commands<T> {
    fn default() -> Self {
        Commands {
            places: Vec::new(),
            vacant: Vec::new(),
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

    /// Adds a command, and says where it is and what its cookie on the wire is.
    pub fn insert(&mut self, command: Command<T>) -> (Slot, u64) {
        let slot = self.vacant.pop().unwrap_or(Slot(self.places.len() as u32));
        match self.places.get_mut(slot.index()) {
            Some(place) => place.command = Some(command),
            None => self.places.push(Place {
                generation: 0,
                command: Some(command),
            }),
        }
        let generation = self.places[slot.index()].generation;
        (slot, wire_cookie(slot, generation))
    }

    /// Where the command with this cookie on the wire is.
    pub fn find_wire(&self, cookie: u64) -> Option<Slot> {
        let slot = Slot((cookie as u32).checked_sub(1)?);
        let place = self.places.get(slot.index())?;
        let found = place.command.is_some() && wire_cookie(slot, place.generation) == cookie;
        found.then_some(slot)
    }

    /// Where the command with this cookie of the program's is. This looks at
    /// all of them.
    pub fn find(&self, cookie: u64) -> Option<Slot> {
        let mut all = self.in_flight();
        all.find_map(|(slot, command)| (command.cookie == cookie).then_some(slot))
    }

    /// The command in a slot, while it is in flight.
    pub fn get(&self, slot: Slot) -> Option<&Command<T>> {
        self.places.get(slot.index())?.command.as_ref()
    }

    /// The command in a slot, while it is in flight.
    pub fn get_mut(&mut self, slot: Slot) -> Option<&mut Command<T>> {
        self.places.get_mut(slot.index())?.command.as_mut()
    }

    /// Takes a command out: it is no longer in flight.
    pub fn remove(&mut self, slot: Slot) -> Option<Command<T>> {
        let place = self.places.get_mut(slot.index())?;
        let command = place.command.take()?;
        place.generation = place.generation.wrapping_add(1);
        self.vacant.push(slot);
        Some(command)
    }

    fn in_flight(&self) -> impl Iterator<Item = (Slot, &Command<T>)> {
        let places = self.places.iter().enumerate();
        places.filter_map(|(index, place)| Some((Slot(index as u32), place.command.as_ref()?)))
    }

    /// All commands in flight, in the order in which they fail with their
    /// connection: those from the cookie `unsent` on, which were not sent
    /// completely, oldest first; then the others, newest first.
    /// Source: seen with libnbd 1.24.4.
    pub fn failing_order(&self, unsent: u64) -> Vec<Slot> {
        let mut all: Vec<_> = self.in_flight().collect();
        all.sort_unstable_by_key(|(_, command)| match command.cookie {
            cookie if cookie >= unsent => (0, cookie),
            cookie => (1, u64::MAX - cookie),
        });
        all.into_iter().map(|(slot, _)| slot).collect()
    }

    /// How many commands are in flight.
    pub fn len(&self) -> usize {
        self.places.len() - self.vacant.len()
    }

    /// Bytes of memory held.
    pub fn allocated(&self) -> usize {
        self.places.capacity() * size_of::<Place<T>>() + self.vacant.capacity() * size_of::<Slot>()
    }
}

impl Slot {
    fn index(self) -> usize {
        self.0 as usize
    }
}

/// The place in the lower half, counted from 1 so that no cookie is 0, and its
/// generation in the upper one.
fn wire_cookie(slot: Slot, generation: u32) -> u64 {
    u64::from(generation) << 32 | u64::from(slot.0 + 1)
}
