// SPDX-License-Identifier: LGPL-2.1-or-later

//! Model of `handle/link` and its machine: commands in flight.

use std::collections::BTreeMap;

use shuttle::thread::{self, ThreadId};

use crate::client::Lost;
use crate::world::WORLD;

#[derive(Debug, Default)]
pub struct Link {
    pub machine: Machine,
}

/// Commands by cookie.
#[derive(Debug, Default)]
pub struct Machine {
    in_flight: BTreeMap<u64, Kind>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Synchronous,
    /// Issued by a call with exclusive use of the handle: its callback runs in
    /// this thread.
    Exclusive(ThreadId),
    /// The program waits for it itself.
    Asynchronous,
    /// The thread that waited for it was cancelled.
    OfNobody,
}

impl Machine {
    pub fn start(&mut self, cookie: u64, kind: Kind) {
        assert_eq!(self.in_flight.insert(cookie, kind), None);
    }

    pub fn command(&self, cookie: u64) -> Option<&Kind> {
        self.in_flight.get(&cookie)
    }

    pub fn first(&self) -> Option<u64> {
        self.in_flight.keys().next().copied()
    }

    /// Returns the command whose buffer the next reply may fill, and the place
    /// in it.
    pub fn direct(&self) -> Option<(u64, usize, usize)> {
        let mut known = self.in_flight.iter();
        known
            .find(|(_, kind)| **kind != Kind::OfNobody)
            .map(|(cookie, _)| (*cookie, 0, 512))
    }

    pub fn forget(&mut self, cookie: u64) {
        WORLD.give_back(cookie);
        if let Some(kind) = self.in_flight.get_mut(&cookie) {
            *kind = Kind::OfNobody;
        }
    }

    /// Checks that no call waits for a command.
    pub fn check_at_rest(&self) {
        for kind in self.in_flight.values() {
            assert!(matches!(kind, Kind::Asynchronous | Kind::OfNobody));
        }
    }

    /// Removes a completed command, whose buffer is then the program's.
    pub fn take(&mut self, cookie: u64, outcome: Result<(), Lost>) -> Kind {
        WORLD.give_back(cookie);
        let kind = self.in_flight.remove(&cookie).expect("completes once");
        if let (Kind::Exclusive(owner), Ok(())) = (kind, outcome) {
            assert_eq!(owner, thread::current().id(), "handled by its own thread");
        }
        kind
    }
}
