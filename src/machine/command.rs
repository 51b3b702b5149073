// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands from their issue to their retirement, with lookup in constant time.

use std::collections::hash_map::{Entry, HashMap, OccupiedEntry};
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

/// A command that is in flight, not retired, or whose reply is still expected. `T` belongs to the
/// owner: the user's buffer and callbacks, which the machine does not access.
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
    progress: Progress,
    /// The received parts of a read.
    filled: Filled,
    /// True if a part of a read was received twice.
    received_twice: bool,
}

/// The progress of a command, for the program and on the wire.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Progress {
    /// The reply is expected.
    InFlight,
    /// Complete: the reply has arrived, or none is expected.
    Completed,
    /// Complete for the program, but the reply is still expected.
    Cancelled,
    /// Retired by the program, but the reply is still expected.
    Forgotten,
}

impl Progress {
    fn expects_reply(self) -> bool {
        self != Progress::Completed
    }

    fn awaits_retirement(self) -> bool {
        matches!(self, Progress::Completed | Progress::Cancelled)
    }
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
            progress: Progress::InFlight,
            filled: Filled::default(),
            received_twice: false,
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
            Err(Refused::Twice) => self.received_twice = true,
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
        let complete = !self.received_twice && self.filled.is_complete(self.length);
        if self.kind == RequestType::Read && !complete {
            self.fail(libc::EPROTO);
        }
    }

    /// Sets the error, replacing any previous one.
    pub fn replace_error(&mut self, errno: c_int) {
        self.error = errno;
    }
}

/// All commands by cookie. Completed commands stay in the table until they are retired, and
/// cancelled ones until their reply, so that completing or cancelling one needs no memory.
#[derive(Debug)]
pub struct Commands<T> {
    all: Table<T>,
    /// The number of commands in flight.
    in_flight: usize,
    /// The number of commands whose reply is expected.
    expected: usize,
    /// The number of reads among them.
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
            in_flight: 0,
            expected: 0,
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
        self.in_flight += 1;
        self.expected += 1;
        self.reads += usize::from(command.kind == RequestType::Read);
        self.all.insert(command.cookie, command);
    }

    /// Returns true if a reply to the command with this cookie is expected.
    pub fn contains(&self, cookie: u64) -> bool {
        self.get(cookie).is_some()
    }

    /// Returns a command whose reply is expected.
    pub fn get(&self, cookie: u64) -> Option<&Command<T>> {
        let command = self.all.get(&cookie)?;
        command.progress.expects_reply().then_some(command)
    }

    /// Returns a command whose reply is expected, for changes.
    pub fn get_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        let command = self.all.get_mut(&cookie)?;
        command.progress.expects_reply().then_some(command)
    }

    /// Returns a command in flight.
    pub fn in_flight(&self, cookie: u64) -> Option<&Command<T>> {
        let command = self.all.get(&cookie)?;
        (command.progress == Progress::InFlight).then_some(command)
    }

    /// Returns a command in flight, for changes.
    pub fn in_flight_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        let command = self.all.get_mut(&cookie)?;
        (command.progress == Progress::InFlight).then_some(command)
    }

    /// Records that the reply of a command is complete, or that none will arrive. Returns the
    /// command if it was in flight.
    pub fn finish(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        let command = self.all.get_mut(&cookie)?;
        let before = command.progress;
        if !before.expects_reply() {
            return None;
        }
        self.expected -= 1;
        self.reads -= usize::from(command.kind == RequestType::Read);
        command.progress = Progress::Completed;
        match before {
            Progress::InFlight => {
                self.in_flight -= 1;
                // A second lookup, since `entry` would reserve memory for an unknown cookie.
                return self.all.get_mut(&cookie);
            }
            Progress::Forgotten => drop(self.all.remove(&cookie)),
            Progress::Cancelled | Progress::Completed => {}
        }
        None
    }

    /// Completes a command in flight with an error before its reply, which is still expected.
    pub fn cancel(&mut self, cookie: u64, errno: c_int) {
        if let Some(command) = self.in_flight_mut(cookie) {
            command.progress = Progress::Cancelled;
            command.error = errno;
            self.in_flight -= 1;
        }
    }

    /// Records that no more replies will arrive. Commands in flight stay in flight, for the owner
    /// to complete.
    pub fn expect_no_more(&mut self) {
        self.all.retain(|_, command| {
            if command.progress == Progress::Cancelled {
                command.progress = Progress::Completed;
            }
            command.progress != Progress::Forgotten
        });
        self.expected = self.in_flight;
        let reads = |command: &&Command<T>| command.kind == RequestType::Read;
        self.reads = self.all.values().filter(in_flight).filter(reads).count();
    }

    /// Returns true if replies to reads are expected, and no others.
    pub fn only_reads(&self) -> bool {
        self.reads > 0 && self.reads == self.expected
    }

    /// Returns a completed command that is not retired.
    pub fn completed(&self, cookie: u64) -> Option<&Command<T>> {
        let command = self.all.get(&cookie)?;
        command.progress.awaits_retirement().then_some(command)
    }

    /// Returns a completed command that is not retired, for changes.
    pub fn completed_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        let command = self.all.get_mut(&cookie)?;
        command.progress.awaits_retirement().then_some(command)
    }

    /// Retires a completed command, unless `keeps` returns true. Returns the result of `keeps`.
    pub fn retire_unless(
        &mut self,
        cookie: u64,
        keeps: impl FnOnce(&mut Command<T>) -> bool,
    ) -> bool {
        let Entry::Occupied(mut place) = self.all.entry(cookie) else {
            return false;
        };
        debug_assert!(place.get().progress.awaits_retirement());
        let kept = keeps(place.get_mut());
        if !kept {
            retire(place);
        }
        kept
    }

    /// Retires a completed command, if there is one with this cookie.
    pub fn retire(&mut self, cookie: u64) {
        if let Entry::Occupied(place) = self.all.entry(cookie) {
            if place.get().progress.awaits_retirement() {
                retire(place);
            }
        }
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
        for command in self.all.values().filter(in_flight) {
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

    /// Returns the number of commands in the table.
    pub fn count(&self) -> usize {
        self.all.len()
    }

    /// Returns the number of commands in flight.
    pub fn len(&self) -> usize {
        self.in_flight
    }

    /// Returns the memory used, in bytes.
    pub fn allocated(&self) -> usize {
        self.all.capacity() * size_of::<(u64, Command<T>)>()
    }
}

fn in_flight<T>(command: &&Command<T>) -> bool {
    command.progress == Progress::InFlight
}

/// Retires a completed command.
fn retire<T>(mut place: OccupiedEntry<'_, u64, Command<T>>) {
    match place.get().progress {
        Progress::Cancelled => place.get_mut().progress = Progress::Forgotten,
        // This frees its closures, and one of them may end the process.
        _ => drop(place.remove()),
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
        assert!(commands.completed(2).is_some());
        assert!(commands.completed(1).is_none());
        commands.retire(1);
        commands.retire(2);
        assert!(commands.completed(2).is_none());
        assert_eq!(commands.count(), 2);
        assert_eq!(commands.failing(3), [3, 1]);
    }

    #[test]
    fn a_cancelled_command_stays_until_its_reply() {
        for retired_first in [false, true] {
            let mut commands = Commands::default();
            issue(&mut commands, RequestType::Read);
            commands.cancel(1, libc::ECANCELED);
            commands.cancel(1, libc::EIO);
            let error = commands.completed(1).map(Command::error);
            assert_eq!(error, Some(libc::ECANCELED));
            assert_eq!(commands.len(), 0);
            assert!(commands.in_flight(1).is_none());
            assert!(commands.only_reads() && commands.contains(1));
            if retired_first {
                commands.retire(1);
                assert!(commands.completed(1).is_none() && commands.contains(1));
            }
            assert!(commands.finish(1).is_none());
            assert!(!commands.contains(1) && !commands.only_reads());
            commands.retire(1);
            assert_eq!(commands.count(), 0);
        }
    }

    #[test]
    fn cancelled_commands_expect_no_reply_after_the_end() {
        let mut commands = Commands::default();
        for _ in 0..4 {
            issue(&mut commands, RequestType::Read);
        }
        commands.cancel(1, libc::ETIMEDOUT);
        commands.cancel(2, libc::ETIMEDOUT);
        commands.retire(2);
        commands.finish(4);
        commands.expect_no_more();
        assert!(commands.only_reads() && commands.contains(3));
        assert_eq!(commands.count(), 3);
        assert!(!commands.contains(1) && commands.completed(1).is_some());
        commands.retire(1);
        commands.retire(4);
        assert_eq!((commands.count(), commands.failing(0)), (1, vec![3]));
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
        assert_eq!(commands.completed(1).map(Command::error), Some(libc::EIO));
        assert!(!commands.retire_unless(1, |_| false));
        assert!(commands.completed(1).is_none());
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
