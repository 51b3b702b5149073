// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands that are done but not retired: they wait for the program to ask.

use std::collections::{HashMap, VecDeque};
use std::hash::BuildHasherDefault;

use libc::c_int;

use super::commands::Attachment;
use super::connection::Connection;
use crate::error::Error;
use crate::machine::{Command, CookieHasher};
use crate::protocol::request::RequestType;

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
        self.order.push_back(command.cookie);
        self.commands.insert(command.cookie, command);
    }

    /// Retires a command.
    pub fn take(&mut self, cookie: u64) -> Option<Command<Attachment>> {
        let command = self.commands.remove(&cookie)?;
        while let Some(first) = self.order.front() {
            if self.commands.contains_key(first) {
                break;
            }
            self.order.pop_front();
        }
        Some(command)
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

/// What a failed command is called in error messages.
fn name(kind: RequestType) -> &'static str {
    match kind {
        RequestType::Read => "read",
        RequestType::Write => "write",
        RequestType::Disconnect => "disconnect",
        RequestType::Flush => "flush",
        RequestType::Trim => "trim",
        RequestType::Cache => "cache",
        RequestType::WriteZeroes => "write-zeroes",
        RequestType::BlockStatus => "block-status",
    }
}

impl Connection {
    /// A command is done: its completion callback runs, and unless that
    /// returns 1 the command waits to be asked for.
    pub(super) fn complete(&mut self, cookie: u64) {
        let Some(mut command) = self.machine.take(cookie) else {
            return;
        };
        self.publish();
        let mut error: c_int = command.error();
        match command.attachment.completion.call(&mut error) {
            1 => return,
            -1 if error != 0 => command.replace_error(error),
            _ => {}
        }
        self.completed.insert(command);
    }

    /// The same for a command that will never be answered.
    pub(super) fn complete_with(&mut self, cookie: u64, errno: c_int) {
        if let Some(command) = self.machine.command_mut(cookie) {
            command.fail(errno);
        }
        self.complete(cookie);
    }

    /// nbd_aio_command_completed(3)
    pub fn aio_command_completed(&mut self, cookie: u64) -> Result<bool, Error> {
        if cookie == 0 {
            return Err(Error::new(libc::EINVAL, "invalid aio cookie 0"));
        }
        let Some(command) = self.completed.take(cookie) else {
            return Ok(false);
        };
        match command.error() {
            0 => Ok(true),
            errno => {
                let what = format!("{}: command failed", name(command.kind));
                Err(Error::new(errno, what))
            }
        }
    }

    /// nbd_aio_peek_command_completed(3)
    pub fn aio_peek_command_completed(&mut self) -> Result<i64, Error> {
        match self.completed.first() {
            Some(cookie) => Ok(cookie as i64),
            None if self.machine.in_flight() > 0 => Ok(0),
            None => Err(Error::new(libc::EINVAL, "no commands are in flight")),
        }
    }
}
