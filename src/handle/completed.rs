// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands that are done but not retired: they wait for the program to ask.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;

use super::attachment::{Attachment, Waiter};
use crate::machine::{Command, CookieHasher};

/// Completed commands by cookie, and their order. Their callbacks are freed
/// when they are retired.
#[derive(Debug, Default)]
pub(super) struct Completed {
    commands: HashMap<u64, Command<Attachment>, BuildHasherDefault<CookieHasher>>,
    /// Cookies in the order of completion; those that were retired out of
    /// order stay until they come to the front or are swept out.
    order: VecDeque<u64>,
}

impl Completed {
    pub fn insert(&mut self, command: Command<Attachment>) {
        self.sweep();
        // The program does not ask for those that calls wait for.
        if command.attachment.waiter == Waiter::Program {
            self.order.push_back(command.cookie);
        }
        self.commands.insert(command.cookie, command);
    }

    /// Whether a command is complete and not retired.
    pub fn contains(&self, cookie: u64) -> bool {
        self.commands.contains_key(&cookie)
    }

    /// Retires a command that the program asks for.
    pub fn take(&mut self, cookie: u64) -> Option<Command<Attachment>> {
        let known = |command: &Command<Attachment>| command.attachment.waiter == Waiter::Program;
        self.commands.get(&cookie).filter(|it| known(it))?;
        let command = self.commands.remove(&cookie)?;
        while let Some(first) = self.order.front() {
            if self.commands.contains_key(first) {
                break;
            }
            self.order.pop_front();
        }
        Some(command)
    }

    /// Retires a command that a call has waited for.
    pub fn take_synchronous(&mut self, cookie: u64) -> Option<Command<Attachment>> {
        self.commands.remove(&cookie)
    }

    /// Frees what waits, in the order of completion.
    pub fn retire_all(&mut self) {
        while let Some(cookie) = self.first() {
            drop(self.take(cookie));
        }
    }

    /// The command that completed first. At the front there is never one that
    /// has been retired.
    pub fn first(&self) -> Option<u64> {
        self.order.front().copied()
    }

    /// Keeps the order from growing when commands are retired out of it.
    fn sweep(&mut self) {
        if self.order.len() > 2 * self.commands.len() + 64 {
            let commands = &self.commands;
            self.order.retain(|cookie| commands.contains_key(cookie));
        }
    }

    pub fn allocated(&self) -> usize {
        self.commands.capacity() * size_of::<(u64, Command<Attachment>)>()
            + self.order.capacity() * size_of::<u64>()
    }
}
