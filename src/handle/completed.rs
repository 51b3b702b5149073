// SPDX-License-Identifier: LGPL-2.1-or-later

//! Completed commands that have not been retired by the program yet.

use std::collections::VecDeque;

use super::attachment::{Attachment, Waiter};
use super::link::Link;
use crate::error::Error;
use crate::machine::Command;
use crate::memory::{self, NoMemory};

/// The order in which commands of the program have completed. The machine stores the commands;
/// their callbacks are freed when they are retired.
#[derive(Debug, Default)]
pub(super) struct Completed {
    /// Cookies in order of completion. Commands retired out of order stay here until they reach
    /// the front or are swept.
    order: VecDeque<u64>,
    /// The number of commands in the queue that are not retired.
    waiting: usize,
}

impl Completed {
    /// Reserves memory for one more command than those in flight, so that completing one cannot
    /// fail.
    pub fn reserve(&mut self, in_flight: usize) -> Result<(), NoMemory> {
        Ok(self.order.try_reserve(in_flight + 1)?)
    }

    /// Shrinks the memory to `count` commands.
    pub fn shrink(&mut self, count: usize) {
        memory::shrink(&mut self.order, count);
    }

    /// Adds a completed command.
    pub fn add(&mut self, link: &Link, cookie: u64) {
        self.remove_retired(link);
        self.order.push_back(cookie);
        self.waiting += 1;
    }

    /// Retires a command for the program. Returns its outcome, or `None` if there is no completed
    /// command of the program with this cookie.
    pub fn retire(&mut self, link: &mut Link, cookie: u64) -> Option<Result<(), Error>> {
        let command = link.machine.completed(cookie)?;
        if command.attachment.waiter != Waiter::Program {
            return None;
        }
        let outcome = outcome(command);
        self.waiting -= 1;
        while let Some(first) = self.order.front() {
            if *first != cookie && is_kept(link, *first) {
                break;
            }
            self.order.pop_front();
        }
        // Last, as it frees closures, and one of them may end the process.
        link.machine.retire(cookie);
        Some(outcome)
    }

    /// Retires all commands, in order of completion.
    pub fn retire_all(&mut self, link: &mut Link) {
        while let Some(cookie) = self.first() {
            let _ = self.retire(link, cookie);
        }
    }

    /// Returns the command that completed first. The front of the queue is never a retired
    /// command.
    pub fn first(&self) -> Option<u64> {
        self.order.front().copied()
    }

    /// Removes retired commands before the queue grows too long.
    fn remove_retired(&mut self, link: &Link) {
        if self.order.len() > 2 * self.waiting + 64 {
            self.order.retain(|cookie| is_kept(link, *cookie));
        }
    }

    pub fn allocated(&self) -> usize {
        self.order.capacity() * size_of::<u64>()
    }
}

/// Returns true if a command is complete and not retired.
fn is_kept(link: &Link, cookie: u64) -> bool {
    link.machine.completed(cookie).is_some()
}

/// Returns the outcome of a completed command.
pub(super) fn outcome(command: &Command<Attachment>) -> Result<(), Error> {
    match command.error() {
        0 => Ok(()),
        errno => {
            let what = format!("{}: command failed", command.kind.name());
            Err(Error::new(errno, what))
        }
    }
}
