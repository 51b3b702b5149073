// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ordering of synchronous commands issued by several threads.
//!
//! The result is that of a serial order, the order of arrival: commands on overlapping ranges,
//! unless all of them read, run one after the other. Others run at the same time.

use crate::memory::{self, NoMemory};

/// The access of a synchronous call to the export.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Reads a range, in bytes.
    Read { offset: u64, count: u64 },
    /// Changes a range, in bytes.
    Write { offset: u64, count: u64 },
    /// Waits for earlier writes, and does not block later ones.
    Flush,
    /// Excludes all other calls.
    Exclusive,
}

impl Access {
    /// Returns read access to `count` bytes at `offset`.
    pub fn read(offset: u64, count: u64) -> Access {
        Access::Read { offset, count }
    }

    /// Returns write access to `count` bytes at `offset`.
    pub fn write(offset: u64, count: u64) -> Access {
        Access::Write { offset, count }
    }

    /// Returns true if `self` has to wait for `earlier`.
    fn waits_for(self, earlier: Access) -> bool {
        match (earlier, self) {
            (Access::Exclusive, _) | (_, Access::Exclusive) => true,
            (Access::Flush, _) => false,
            (Access::Write { .. }, Access::Flush) => true,
            (Access::Read { .. }, Access::Flush | Access::Read { .. }) => false,
            (
                Access::Read { offset, count } | Access::Write { offset, count },
                Access::Read {
                    offset: at,
                    count: length,
                }
                | Access::Write {
                    offset: at,
                    count: length,
                },
            ) => offset < at.saturating_add(length) && at < offset.saturating_add(count),
        }
    }
}

/// The position of a call in the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Ticket(u64);

/// Synchronous calls, running and waiting, in the order of arrival.
#[derive(Debug, Default)]
pub(super) struct Admissions {
    calls: Vec<(Ticket, Access)>,
    last: u64,
}

impl Admissions {
    /// Adds a new call.
    pub fn join(&mut self, access: Access) -> Result<Ticket, NoMemory> {
        let ticket = Ticket(self.last + 1);
        memory::push(&mut self.calls, (ticket, access))?;
        self.last = ticket.0;
        Ok(ticket)
    }

    /// Returns true if a call may run: it need not wait for an earlier one.
    pub fn admits(&self, ticket: Ticket) -> bool {
        let own = self.calls.iter().position(|(other, _)| *other == ticket);
        let Some(own) = own else { return true };
        let (earlier, access) = (&self.calls[..own], self.calls[own].1);
        !earlier.iter().any(|(_, other)| access.waits_for(*other))
    }

    /// Returns true if a call with exclusive access is running or next.
    pub fn exclusive_is_first(&self) -> bool {
        matches!(self.calls.first(), Some((_, Access::Exclusive)))
    }

    /// Removes a finished call.
    pub fn leave(&mut self, ticket: Ticket) {
        self.calls.retain(|(other, _)| *other != ticket);
    }

    /// Removes all calls: the connection is not usable any more.
    pub fn clear(&mut self) {
        self.calls.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const READ: Access = Access::Read {
        offset: 0,
        count: 512,
    };
    const WRITE: Access = Access::Write {
        offset: 511,
        count: 1,
    };
    const ELSEWHERE: Access = Access::Write {
        offset: 512,
        count: u64::MAX,
    };

    #[test]
    fn overlapping_ranges_wait_unless_both_read() {
        for (earlier, later, waits) in [
            (READ, READ, false),
            (READ, WRITE, true),
            (WRITE, READ, true),
            (WRITE, WRITE, true),
            (READ, ELSEWHERE, false),
            (ELSEWHERE, WRITE, false),
        ] {
            let mut calls = Admissions::default();
            let first = calls.join(earlier).unwrap();
            let second = calls.join(later).unwrap();
            assert!(calls.admits(first));
            assert_eq!(calls.admits(second), !waits, "{earlier:?} {later:?}");
            calls.leave(first);
            assert!(calls.admits(second));
        }
    }

    #[test]
    fn a_flush_waits_for_earlier_writes_only() {
        let mut calls = Admissions::default();
        let read = calls.join(READ).unwrap();
        let write = calls.join(ELSEWHERE).unwrap();
        let flush = calls.join(Access::Flush).unwrap();
        let later = calls.join(WRITE).unwrap();
        assert!(!calls.admits(flush));
        calls.leave(write);
        assert!(calls.admits(flush));
        assert!(!calls.admits(later), "the read touches the same bytes");
        calls.leave(read);
        assert!(calls.admits(later));
    }

    #[test]
    fn exclusive_calls_exclude_all_others() {
        let mut calls = Admissions::default();
        let read = calls.join(READ).unwrap();
        let alone = calls.join(Access::Exclusive).unwrap();
        let after = calls.join(READ).unwrap();
        assert!(calls.admits(read));
        assert!(!calls.admits(alone));
        assert!(!calls.admits(after));
        assert!(!calls.exclusive_is_first());
        calls.leave(read);
        assert!(calls.admits(alone));
        assert!(calls.exclusive_is_first());
        assert!(!calls.admits(after));
    }
}
