// SPDX-License-Identifier: LGPL-2.1-or-later

//! Sharing of a connection by threads: one thread waits for the server, on behalf of all, and the
//! others sleep.
//!
//! Only the thread that has the turn receives. It has the turn while it waits with the lock
//! released; while it holds the lock, the turn is free. So a turn is never lost: a thread that
//! ends its call while threads sleep wakes one of them to wait in its place
//! ([`Turns::pending_wakes`]).
//!
//! A thread sleeps in poll(2) on a descriptor of its own. It polls the descriptor of nbd_poll2(3)
//! too, and the socket if data is waiting until it is writable.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

use super::admission::{Admissions, Ticket};
use super::completions::Completions;
use super::link::Link;
use crate::memory;
use crate::transport::Waker;

/// The system call in which the thread that has the turn waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// No thread waits for the server.
    None,
    /// In poll(2): no data of the connection is in use.
    Polling {
        /// True if it also waits until the socket is writable.
        until_writable: bool,
    },
    /// In recv(2): it may be writing to the buffer of a command, so no other thread may end the
    /// connection.
    Receiving,
}

/// The event that a thread sleeps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Its synchronous command is complete, or the turn is free.
    Command(u64),
    /// More of the program's commands have completed than this total, or the turn is free.
    Completion(u64),
    /// Its command may run.
    Admission(Ticket),
    /// No thread has the turn.
    EndOfTurn,
    /// No thread is receiving into the buffer of this command.
    UnusedBuffer(u64),
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    goal: Goal,
    /// `None` if the process has no free descriptor.
    waker: Option<Arc<Waker>>,
    woken: bool,
}

impl Sleeper {
    fn wake(&mut self, wakes: &mut PendingWakes) {
        if !std::mem::replace(&mut self.woken, true) {
            if let Some(waker) = &self.waker {
                wakes.add(waker);
            }
        }
    }

    fn can_take_turn(&self) -> bool {
        matches!(self.goal, Goal::Command(_) | Goal::Completion(_))
    }
}

/// Wakes threads when it is dropped, after the lock is released: a woken thread first needs the
/// lock.
#[derive(Debug, Default)]
pub(super) struct PendingWakes(Vec<Arc<Waker>>);

impl PendingWakes {
    fn add(&mut self, waker: &Arc<Waker>) {
        match self.0.try_reserve(1) {
            Ok(()) => self.0.push(Arc::clone(waker)),
            Err(_) => waker.wake(),
        }
    }
}

impl Drop for PendingWakes {
    fn drop(&mut self) {
        for waker in &self.0 {
            waker.wake();
        }
    }
}

/// The number of wakers kept while no thread sleeps. Sleeping is often shorter than creating a
/// waker, but each one uses a descriptor while the handle is open.
const MAX_SPARE_WAKERS: usize = 1;

/// The turn and the sleeping threads, protected by the lock.
#[derive(Debug)]
pub(super) struct Turns {
    pub holder: Holder,
    pub admissions: Admissions,
    /// In the order in which they fell asleep.
    sleepers: Vec<Sleeper>,
    spare: Vec<Arc<Waker>>,
    last_id: u64,
}

impl Turns {
    pub fn new() -> Self {
        Turns {
            holder: Holder::None,
            admissions: Admissions::default(),
            sleepers: Vec::new(),
            spare: Vec::new(),
            last_id: 0,
        }
    }

    /// Returns true if a thread is waiting for the server.
    pub fn turn_is_held(&self) -> bool {
        self.holder != Holder::None
    }

    /// Returns true if a thread may begin to wait for the server. A call with exclusive access
    /// receives everything itself.
    pub fn turn_is_free(&self) -> bool {
        !self.turn_is_held() && !self.admissions.exclusive_is_first()
    }

    /// Registers the calling thread before it sleeps. Returns its id, and the descriptor that
    /// wakes it, if any.
    pub fn add_sleeper(&mut self, goal: Goal) -> (u64, Option<RawFd>) {
        self.last_id += 1;
        if self.sleepers.try_reserve(1).is_err() {
            // Without a descriptor, the thread wakes by itself after a short time.
            return (self.last_id, None);
        }
        let waker = self
            .spare
            .pop()
            .map_or_else(|| Waker::new().map(Arc::new), io::Result::Ok)
            .ok();
        let fd = waker.as_ref().map(|waker| waker.fd());
        self.sleepers.push(Sleeper {
            id: self.last_id,
            goal,
            waker,
            woken: false,
        });
        (self.last_id, fd)
    }

    /// Removes a thread that is awake.
    pub fn remove_sleeper(&mut self, id: u64) {
        let Some(at) = self.sleepers.iter().position(|it| it.id == id) else {
            return;
        };
        let sleeper = self.sleepers.remove(at);
        // A pending wake-up would wake the next sleeper instead.
        let kept = |waker: &Arc<Waker>| !sleeper.woken || waker.reset();
        if let Some(waker) = sleeper.waker.filter(kept) {
            // Without memory for it, it is closed.
            let _ = memory::push(&mut self.spare, waker);
        }
        if self.sleepers.is_empty() {
            self.spare.truncate(MAX_SPARE_WAKERS);
        }
    }

    /// Returns the threads to wake when the lock is released: those whose event has happened, and
    /// one to take the turn.
    #[inline]
    pub fn pending_wakes(&mut self, completions: &Completions, link: &Link) -> PendingWakes {
        match self.sleepers.is_empty() {
            true => PendingWakes::default(),
            false => self.choose_sleepers(completions, link),
        }
    }

    #[cold]
    fn choose_sleepers(&mut self, completions: &Completions, link: &Link) -> PendingWakes {
        let mut wakes = PendingWakes::default();
        self.wake_ready(completions, link, &mut wakes);
        self.pass_turn(&mut wakes);
        wakes
    }

    /// Wakes the threads whose event has happened.
    fn wake_ready(&mut self, completions: &Completions, link: &Link, wakes: &mut PendingWakes) {
        for sleeper in &mut self.sleepers {
            let ready = match sleeper.goal {
                Goal::Command(cookie) => link.machine.command(cookie).is_none(),
                Goal::Completion(before) => completions.total() != before,
                Goal::Admission(ticket) => self.admissions.admits(ticket),
                Goal::EndOfTurn => self.holder == Holder::None,
                Goal::UnusedBuffer(cookie) => {
                    let direct = link.machine.direct();
                    self.holder != Holder::Receiving || direct.is_none_or(|it| it.0 != cookie)
                }
            };
            if ready {
                sleeper.wake(wakes);
            }
        }
    }

    /// Wakes one thread that can wait for the server, unless none may or one is already awake.
    fn pass_turn(&mut self, wakes: &mut PendingWakes) {
        if !self.turn_is_free() {
            return;
        }
        let mut able = self.sleepers.iter_mut().filter(|it| it.can_take_turn());
        if let Some(first) = able.next() {
            if !able.any(|it| it.woken) {
                first.wake(wakes);
            }
        }
    }
}
