// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands in flight, with lookup in constant time.

use std::collections::hash_map::{Entry, HashMap};
use std::hash::{BuildHasherDefault, Hasher};

use libc::c_int;

use super::filled::{Filled, Refused};
use crate::memory::NoMemory;
use crate::protocol::request::RequestType;

/// A command to be issued, already checked.
#[derive(Debug)]
pub struct NewCommand<T> {
    /// The request type; not [`RequestType::Disconnect`].
    pub kind: RequestType,
    /// Command flags for the wire.
    pub flags: u16,
    /// Offset in the export, in bytes.
    pub offset: u64,
    /// Length in bytes.
    pub length: u64,
    /// A payload that is not in the user's memory.
    pub payload: Option<Box<[u8]>>,
    /// True if each data chunk of a read is reported.
    pub reports_data: bool,
    /// Data of the owner.
    pub attachment: T,
}

/// A command in flight, or completed but not retired. `T` belongs to the owner: the user's buffer
/// and callbacks, which the machine does not access.
#[derive(Debug)]
pub struct Command<T> {
    /// The identifier for program and server: unique for the connection, counted from 1.
    pub cookie: u64,
    /// The request type.
    pub kind: RequestType,
    /// Offset in the export, in bytes.
    pub offset: u64,
    /// Length of the range in bytes.
    pub length: u64,
    /// A request payload that is not in the user's memory: the filter of a block status request.
    pub payload: Option<Box<[u8]>>,
    pub(super) reports_data: bool,
    /// Data of the owner.
    pub attachment: T,
    error: c_int,
    /// True if it is complete: it was answered, or will not be.
    done: bool,
    /// The received parts of a read.
    filled: Filled,
    /// True if a part of a read was received twice.
    refused: bool,
}

impl<T> Command<T> {
    /// Makes a command without any reply yet.
    pub(super) fn new(cookie: u64, new: NewCommand<T>) -> Self {
        Command {
            cookie,
            kind: new.kind,
            offset: new.offset,
            length: new.length,
            payload: new.payload,
            reports_data: new.reports_data,
            attachment: new.attachment,
            error: 0,
            done: false,
            filled: Filled::default(),
            refused: false,
        }
    }
}

impl<T> Command<T> {
    /// Returns the first error of this command, or 0.
    pub fn error(&self) -> c_int {
        self.error
    }

    /// Sets the error, unless there is one.
    pub fn fail(&mut self, errno: c_int) {
        if self.error == 0 {
            self.error = errno;
        }
    }

    /// Records data or a hole: `count` bytes at offset `at` of the buffer.
    pub(super) fn fill(&mut self, at: usize, count: usize) {
        match self.filled.add(at as u64, count as u64, self.length) {
            Ok(()) => {}
            Err(Refused::Twice) => self.refused = true,
            Err(Refused::NoMemory) => self.fail(libc::ENOMEM),
        }
    }

    /// Records partly received data when the connection is lost: `count` bytes at offset `at` of
    /// the buffer. They only affect [`gaps`](Self::gaps).
    pub(super) fn fill_in_part(&mut self, at: usize, count: usize) {
        let _ = self.filled.add(at as u64, count as u64, self.length);
    }

    /// Calls `gap` with the offset and length of each missing part of a read's buffer.
    pub fn gaps(&self, mut gap: impl FnMut(usize, usize)) {
        self.filled
            .gaps(self.length, |at, count| gap(at as usize, count as usize));
    }

    /// Completes the reply. A read fails unless each part was received exactly once; an error
    /// reported by the server has priority.
    /// Source: seen with libnbd 1.24.4.
    pub(super) fn finish(&mut self) {
        let complete = !self.refused && self.filled.is_complete(self.length);
        if self.kind == RequestType::Read && !complete {
            self.fail(libc::EPROTO);
        }
    }

    /// Sets the error, replacing any previous one.
    pub fn replace_error(&mut self, errno: c_int) {
        self.error = errno;
    }
}

/// All commands in flight, by cookie, and completed ones that are not retired. Completed commands
/// stay in the table, so that completing one needs no memory.
#[derive(Debug)]
pub struct Commands<T> {
    all: Table<T>,
    /// The number of completed commands.
    done: usize,
    /// The number of reads in flight.
    reads: usize,
    last_cookie: u64,
}

type Table<T> = HashMap<u64, Command<T>, BuildHasherDefault<CookieHasher>>;

/// The minimum number of cookies that memory is kept for.
const MIN_LIST: usize = 64;

impl<T> Default for Commands<T> {
    fn default() -> Self {
        Commands {
            all: Table::default(),
            done: 0,
            reads: 0,
            last_cookie: 0,
        }
    }
}

impl<T> Commands<T> {
    /// Returns the next cookie of the connection.
    pub fn next_cookie(&mut self) -> u64 {
        self.last_cookie += 1;
        self.last_cookie
    }

    /// Reserves memory for a command.
    pub fn reserve(&mut self) -> Result<(), NoMemory> {
        Ok(self.all.try_reserve(1)?)
    }

    /// Shrinks the memory to `count` commands, or to the existing ones if they are more.
    pub fn shrink(&mut self, count: usize) {
        let mut smaller = Table::default();
        // Without memory for the smaller table, keep the larger one.
        if smaller.try_reserve(count.max(self.all.len())).is_ok() {
            smaller.extend(self.all.drain());
            self.all = smaller;
        }
    }

    /// Adds a command.
    pub fn insert(&mut self, command: Command<T>) {
        self.reads += usize::from(command.kind == RequestType::Read);
        self.all.insert(command.cookie, command);
    }

    /// Returns true if the command with this cookie is in flight.
    pub fn contains(&self, cookie: u64) -> bool {
        self.get(cookie).is_some()
    }

    /// Returns a command in flight.
    pub fn get(&self, cookie: u64) -> Option<&Command<T>> {
        self.all.get(&cookie).filter(|command| !command.done)
    }

    /// Returns a command in flight, for changes.
    pub fn get_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        self.all.get_mut(&cookie).filter(|command| !command.done)
    }

    /// Completes a command: it is no longer in flight.
    pub fn finish(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        let command = self.all.get_mut(&cookie).filter(|command| !command.done)?;
        command.done = true;
        self.done += 1;
        self.reads -= usize::from(command.kind == RequestType::Read);
        Some(command)
    }

    /// Returns true if there are reads in flight, and nothing else.
    pub fn only_reads(&self) -> bool {
        self.reads > 0 && self.reads == self.len()
    }

    /// Returns a completed command.
    pub fn finished(&self, cookie: u64) -> Option<&Command<T>> {
        self.all.get(&cookie).filter(|command| command.done)
    }

    /// Takes out a completed command, unless `keeps` returns true. Returns the result of `keeps`.
    pub fn retire_unless(
        &mut self,
        cookie: u64,
        keeps: impl FnOnce(&mut Command<T>) -> bool,
    ) -> bool {
        let Entry::Occupied(mut place) = self.all.entry(cookie) else {
            return false;
        };
        debug_assert!(place.get().done);
        let kept = keeps(place.get_mut());
        if !kept {
            let command = place.remove();
            self.done -= 1;
            // This frees its closures, and one of them may end the process.
            drop(command);
        }
        kept
    }

    /// Takes out a completed command, if there is one with this cookie. It must not be in flight.
    pub fn retire(&mut self, cookie: u64) -> Option<Command<T>> {
        let command = self.all.remove(&cookie)?;
        debug_assert!(command.done);
        self.done -= 1;
        Some(command)
    }

    /// Returns the commands in flight in the order in which they fail with the connection: those
    /// from the cookie `unsent` on, which were not completely sent, oldest first; then the
    /// others, newest first. If there is not enough memory for all cookies, returns the first
    /// ones.
    /// Source: seen with libnbd 1.24.4.
    pub fn failing(&self, unsent: u64) -> Vec<u64> {
        let mut first = largest_list(self.len());
        self.fill_with_failing(&mut first, unsent);
        first
    }

    /// Fills the capacity of an empty list.
    fn fill_with_failing(&self, first: &mut Vec<u64>, unsent: u64) {
        let place = |cookie: &u64| match *cookie {
            cookie if cookie >= unsent => (0, cookie),
            cookie => (1, !cookie),
        };
        let mut last = (2, 0);
        for command in self.all.values().filter(|command| !command.done) {
            if last <= place(&command.cookie) {
                continue;
            }
            if first.len() == first.capacity() {
                // The second half is for the next call.
                first.sort_unstable_by_key(place);
                first.truncate(first.len() / 2);
                last = first.last().map_or(last, place);
                if last <= place(&command.cookie) {
                    continue;
                }
            }
            first.push(command.cookie);
        }
        first.sort_unstable_by_key(place);
    }

    /// Returns the number of commands, including completed ones.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns the number of commands in flight.
    pub fn len(&self) -> usize {
        self.all.len() - self.done
    }

    /// Returns the memory used, in bytes.
    pub fn allocated(&self) -> usize {
        self.all.capacity() * size_of::<(u64, Command<T>)>()
    }
}

/// Returns an empty list with capacity for `wanted` cookies, or for as many as there is memory
/// for.
fn largest_list(wanted: usize) -> Vec<u64> {
    let mut list = Vec::new();
    match list.try_reserve_exact(wanted) {
        Err(_) if wanted > MIN_LIST => largest_list(MIN_LIST.max(wanted / 2)),
        _ => list,
    }
}

/// A hash function for cookies. These are counted, and the table has only commands that the
/// program issued, so a server cannot choose keys that collide.
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

    /// Hashes a cookie. The odd factor gives consecutive cookies different low bits, which select
    /// the place in the table, and mixes the high bits, which distinguish keys.
    fn write_u64(&mut self, cookie: u64) {
        self.0 = self.0.wrapping_add(cookie);
        self.0 = self.0.wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn issue(commands: &mut Commands<()>, kind: RequestType) -> u64 {
        let new = NewCommand {
            kind,
            flags: 0,
            offset: 0,
            length: 0,
            payload: None,
            reports_data: false,
            attachment: (),
        };
        let cookie = commands.next_cookie();
        commands.insert(Command::new(cookie, new));
        cookie
    }

    fn commands(count: u64) -> Commands<()> {
        let mut commands = Commands::default();
        for _ in 0..count {
            issue(&mut commands, RequestType::Flush);
        }
        commands
    }

    #[test]
    fn completed_commands_stay_until_retired() {
        let mut commands = commands(3);
        assert!(commands.finish(2).is_some());
        assert!(commands.finish(2).is_none());
        assert_eq!(commands.len(), 2);
        assert!(commands.get(2).is_none() && commands.get_mut(2).is_none());
        assert!(commands.finished(2).is_some());
        assert!(commands.finished(1).is_none());
        assert!(commands.retire(2).is_some());
        assert!(commands.retire(2).is_none());
        assert_eq!(commands.failing(3), [3, 1]);
    }

    #[test]
    fn with_little_memory_the_order_of_failing_is_the_same() {
        let whole: Vec<u64> = (70..=100).chain((1..70).rev()).collect();
        assert_eq!(commands(100).failing(70), whole);
        for room in [4, 7, 64, 100] {
            let mut commands = commands(100);
            let mut order = Vec::new();
            while commands.len() > 0 {
                let mut first = Vec::with_capacity(room);
                commands.fill_with_failing(&mut first, 70);
                assert!(!first.is_empty());
                assert_eq!(first.capacity(), room);
                for cookie in first {
                    order.push(cookie);
                    assert!(commands.finish(cookie).is_some());
                }
            }
            assert_eq!(order, whole, "{room}");
        }
    }
    #[test]
    #[cfg_attr(miri, ignore = "takes the memory that there is")]
    fn lists_shrink_by_halves_when_memory_is_short() {
        assert_eq!(largest_list(0).capacity(), 0);
        assert_eq!(largest_list(1000).capacity(), 1000);
        assert!(largest_list(usize::MAX).capacity() > MIN_LIST);
    }

    #[test]
    fn the_first_error_stays_unless_it_is_replaced() {
        let mut commands = commands(1);
        let command = commands.get_mut(1).expect("in flight");
        command.fail(libc::EIO);
        command.fail(libc::EPROTO);
        assert_eq!(command.error(), libc::EIO);
        command.replace_error(libc::ENOMEM);
        assert_eq!(command.error(), libc::ENOMEM);
    }

    #[test]
    fn reads_are_told_from_reads_among_others() {
        let mut commands = Commands::default();
        assert!(!commands.only_reads());
        let first = issue(&mut commands, RequestType::Read);
        let second = issue(&mut commands, RequestType::Read);
        assert!(commands.only_reads());
        let flush = issue(&mut commands, RequestType::Flush);
        assert!(!commands.only_reads());
        commands.finish(flush);
        assert!(commands.only_reads());
        commands.finish(first);
        assert!(commands.only_reads());
        commands.finish(second);
        assert!(!commands.only_reads());
    }

    #[test]
    fn completed_commands_can_be_changed() {
        let mut commands = commands(2);
        commands.finish(1);
        assert!(commands.retire_unless(1, |done| {
            done.replace_error(libc::EIO);
            true
        }));
        assert_eq!(commands.finished(1).map(Command::error), Some(libc::EIO));
        assert!(!commands.retire_unless(1, |_| false));
        assert!(commands.finished(1).is_none());
        assert!(!commands.retire_unless(1, |_| true));
        assert_eq!(commands.len(), 1);
    }

    #[test]
    fn memory_is_counted_and_reserved_before_a_command_is_issued() {
        let mut commands = Commands::default();
        assert_eq!(commands.allocated(), 0);
        commands.reserve().expect("there is memory");
        let reserved = commands.allocated();
        issue(&mut commands, RequestType::Flush);
        assert_eq!(commands.allocated(), reserved);
        for _ in 1..1000 {
            issue(&mut commands, RequestType::Flush);
        }
        let least = 1000 * size_of::<Command<()>>();
        let held = commands.allocated();
        assert!((least..4 * least).contains(&held), "{held}, not {least}");
    }

    #[test]
    fn cookies_in_a_row_have_different_hashes_at_both_ends() {
        let hash = |cookie| {
            let mut hasher = CookieHasher::default();
            hasher.write_u64(cookie);
            hasher.finish()
        };
        let mut low: Vec<_> = (1..=128).map(|cookie| hash(cookie) % 128).collect();
        low.sort_unstable();
        low.dedup();
        assert_eq!(low.len(), 128);
        let mut high: Vec<_> = (1..=128).map(|cookie| hash(cookie) >> 57).collect();
        high.sort_unstable();
        high.dedup();
        assert!(high.len() > 64, "{}", high.len());
    }
}
