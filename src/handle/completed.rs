// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands that are done but not retired: they wait for the program to ask.

use std::collections::VecDeque;

use super::attachment::{Attachment, Waiter};
use super::link::Link;
use crate::machine::Command;
use crate::memory::{self, NoMemory};

/// The order in which commands of the program's have completed. The commands are in
/// the machine; their callbacks are freed when they are retired.
#[derive(Debug, Default)]
pub(super) struct Completed {
    /// Cookies in the order of completion; those that were retired out of
    /// order stay until they come to the front or are swept out.
    order: VecDeque<u64>,
    /// How many of them were not retired.
    waiting: usize,
}

impl Completed {
    /// Makes room for one more than the commands in flight, so that none is lost when
    /// it completes.
    pub fn reserve(&mut self, in_flight: usize) -> Result<(), NoMemory> {
        Ok(self.order.try_reserve(in_flight + 1)?)
    }

    /// Gives memory back, but for `count` commands.
    pub fn shrink(&mut self, count: usize) {
        memory::shrink(&mut self.order, count);
    }

    /// A command is done.
    pub fn add(&mut self, link: &Link, cookie: u64) {
        self.sweep(link);
        self.order.push_back(cookie);
        self.waiting += 1;
    }

    /// Retires a command that the program asks for.
    pub fn take(&mut self, link: &mut Link, cookie: u64) -> Option<Command<Attachment>> {
        let command = link.machine.finished(cookie)?;
        if command.attachment.waiter != Waiter::Program {
            return None;
        }
        let command = link.machine.retire(cookie);
        self.waiting -= 1;
        while let Some(first) = self.order.front() {
            if waits(link, *first) {
                break;
            }
            self.order.pop_front();
        }
        command
    }

    /// Frees what waits, in the order of completion.
    pub fn retire_all(&mut self, link: &mut Link) {
        while let Some(cookie) = self.first() {
            drop(self.take(link, cookie));
        }
    }

    /// The command that completed first. At the front there is never one that
    /// has been retired.
    pub fn first(&self) -> Option<u64> {
        self.order.front().copied()
    }

    /// Keeps the order from growing when commands are retired out of it.
    fn sweep(&mut self, link: &Link) {
        if self.order.len() > 2 * self.waiting + 64 {
            self.order.retain(|cookie| waits(link, *cookie));
        }
    }

    pub fn allocated(&self) -> usize {
        self.order.capacity() * size_of::<u64>()
    }
}

/// Whether a command is done and not retired.
fn waits(link: &Link, cookie: u64) -> bool {
    link.machine.finished(cookie).is_some()
}
