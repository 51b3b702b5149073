// SPDX-License-Identifier: LGPL-2.1-or-later

//! How threads share a connection: one waits for the server, for all of them, and the
//! others sleep.
//!
//! Only the thread that has the turn receives. It has it while it waits with the lock
//! released; whatever it does with the lock, the turn is free. So a turn is never left
//! behind: a thread that ends its call while threads sleep wakes one of them to wait in
//! its place ([`Turns::wakes`]).
//!
//! A thread sleeps in poll(2) on a descriptor of its own, with which the descriptor
//! of nbd_poll2(3) and the socket, where it waits for room, go together.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;

use super::admission::{Admissions, Ticket};
use super::completions::Completions;
use super::link::Link;
use crate::memory;
use crate::transport::Waker;

/// How the thread that has the turn waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holder {
    /// No thread waits for the server.
    None,
    /// In poll(2): nothing that belongs to the connection is in use.
    Polls {
        /// For room in the socket, too.
        for_room: bool,
    },
    /// In recv(2): the buffer of a command may be written to, so that no other thread
    /// may end the connection.
    Receives,
}

/// What a thread sleeps for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Goal {
    /// Its synchronous command, by its cookie, is done; or the turn is free.
    Command(u64),
    /// A command of the program's has completed since so many had; or the turn is free.
    Completion(u64),
    /// It may begin.
    Admission(Ticket),
    /// No thread has the turn.
    EndOfTurn,
}

#[derive(Debug)]
struct Sleeper {
    id: u64,
    goal: Goal,
    /// None where the process has no descriptor left for one.
    waker: Option<Arc<Waker>>,
    woken: bool,
}

impl Sleeper {
    fn wake(&mut self, wakes: &mut Wakes) {
        if !std::mem::replace(&mut self.woken, true) {
            if let Some(waker) = &self.waker {
                wakes.add(waker);
            }
        }
    }

    fn can_take_the_turn(&self) -> bool {
        matches!(self.goal, Goal::Command(_) | Goal::Completion(_))
    }
}

/// Wakes threads when it is dropped, after the lock is released: the first thing they
/// need is the lock.
#[derive(Debug, Default)]
pub(super) struct Wakes(Vec<Arc<Waker>>);

impl Wakes {
    fn add(&mut self, waker: &Arc<Waker>) {
        match self.0.try_reserve(1) {
            Ok(()) => self.0.push(Arc::clone(waker)),
            Err(_) => waker.wake(),
        }
    }
}

impl Drop for Wakes {
    fn drop(&mut self) {
        for waker in &self.0 {
            waker.wake();
        }
    }
}

/// Wakers kept when no thread sleeps any more. A sleep is often shorter than it takes to
/// make a waker; but each is a descriptor for as long as the handle is open.
const SPARE: usize = 1;

/// The state of all that, under the lock.
#[derive(Debug)]
pub(super) struct Turns {
    pub holder: Holder,
    pub admissions: Admissions,
    /// In the order in which they went to sleep.
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

    /// Whether a thread waits for the server.
    pub fn are_held(&self) -> bool {
        self.holder != Holder::None
    }

    /// Whether a thread may begin to wait for the server. While a call has the handle
    /// to itself, what arrives is left to that.
    pub fn are_free(&self) -> bool {
        !self.are_held() && !self.admissions.one_is_alone()
    }

    /// The calling thread is about to sleep: who it is, and the descriptor that wakes
    /// it, if there is one.
    pub fn lie_down(&mut self, goal: Goal) -> (u64, Option<RawFd>) {
        self.last_id += 1;
        if self.sleepers.try_reserve(1).is_err() {
            // A thread that nothing can wake looks again soon.
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

    /// The thread is awake.
    pub fn get_up(&mut self, id: u64) {
        let Some(at) = self.sleepers.iter().position(|it| it.id == id) else {
            return;
        };
        let sleeper = self.sleepers.remove(at);
        // A wake-up that is still to be written would wake the next sleeper instead.
        let kept = |waker: &Arc<Waker>| !sleeper.woken || waker.reset();
        if let Some(waker) = sleeper.waker.filter(kept) {
            // Without memory for it, it is closed.
            let _ = memory::push(&mut self.spare, waker);
        }
        if self.sleepers.is_empty() {
            self.spare.truncate(SPARE);
        }
    }

    /// The lock is about to be released: wakes those who have what they sleep for, and
    /// one to take the turn.
    #[inline]
    pub fn wakes(&mut self, completions: &Completions, link: &Link) -> Wakes {
        match self.sleepers.is_empty() {
            true => Wakes::default(),
            false => self.wakes_of_sleepers(completions, link),
        }
    }

    #[cold]
    fn wakes_of_sleepers(&mut self, completions: &Completions, link: &Link) -> Wakes {
        let mut wakes = Wakes::default();
        self.wake_ready(completions, link, &mut wakes);
        self.pass_on(&mut wakes);
        wakes
    }

    /// Those who have what they sleep for.
    fn wake_ready(&mut self, completions: &Completions, link: &Link, wakes: &mut Wakes) {
        for sleeper in &mut self.sleepers {
            let ready = match sleeper.goal {
                Goal::Command(cookie) => link.machine.command(cookie).is_none(),
                Goal::Completion(before) => completions.total() != before,
                Goal::Admission(ticket) => self.admissions.admits(ticket),
                Goal::EndOfTurn => self.holder == Holder::None,
            };
            if ready {
                sleeper.wake(wakes);
            }
        }
    }

    /// One that can wait for the server, unless none may or one is awake already.
    fn pass_on(&mut self, wakes: &mut Wakes) {
        if !self.are_free() {
            return;
        }
        let mut able = self.sleepers.iter_mut().filter(|it| it.can_take_the_turn());
        if let Some(first) = able.next() {
            if !able.any(|it| it.woken) {
                first.wake(wakes);
            }
        }
    }
}
