// SPDX-License-Identifier: LGPL-2.1-or-later

//! Commands that are done: asked for, and retired.

use crate::error::Error;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::connection::Connection;
use crate::protocol::request::RequestType;

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
    /// nbd_aio_command_completed(3)
    pub fn aio_command_completed(&mut self, cookie: u64) -> Result<bool, Error> {
        if cookie == 0 {
            return Err(Error::new(libc::EINVAL, "invalid aio cookie 0"));
        }
        let Some(command) = self.completions.completed.take(cookie) else {
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

    /// Issues a command, and waits until it is done. `issue` gets the completion
    /// callback to issue it with, which is none.
    pub fn until_completed(
        &mut self,
        issue: impl FnOnce(&mut Self, nbd_completion_callback) -> Result<u64, Error>,
    ) -> Result<(), Error> {
        let cookie = issue(self, nbd_completion_callback::null())?;
        while !self.aio_command_completed(cookie)? {
            if let Err(mut error) = self.wait_for_message() {
                if self.link.machine.command(cookie).is_some() {
                    // The program may free the buffer as soon as the call
                    // returns, so no reply may come any more.
                    error = self.end(error.into());
                }
                // What the server said of the command before the connection
                // was lost still counts. Nothing will ask for it any more.
                return match self.completions.completed.take(cookie) {
                    Some(command) if command.error() == 0 => Ok(()),
                    _ => Err(error),
                };
            }
        }
        Ok(())
    }

    /// nbd_aio_peek_command_completed(3)
    pub fn aio_peek_command_completed(&mut self) -> Result<i64, Error> {
        match self.completions.completed.first() {
            Some(cookie) => Ok(cookie as i64),
            None if self.link.machine.in_flight() > 0 => Ok(0),
            None => Err(Error::new(libc::EINVAL, "no commands are in flight")),
        }
    }
}
