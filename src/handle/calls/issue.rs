// SPDX-License-Identifier: LGPL-2.1-or-later

//! Issuing a data command of any type.

use super::checks::Rules;
use crate::error::Error;
use crate::handle::attachment::{Attachment, DataCallback, Waiter};
use crate::handle::call::Call;
use crate::handle::connection::Connection;
use crate::machine::NewCommand;
use crate::protocol::flags::command;
use crate::protocol::request::RequestType;

/// A connection that can issue data commands.
#[derive(Debug)]
pub struct Issue<'a> {
    pub(super) connection: &'a mut Connection,
    waiter: Waiter,
}

impl Connection {
    /// Provides the functions to issue data commands.
    pub(super) fn issue(&mut self) -> Issue<'_> {
        Issue {
            connection: self,
            waiter: Waiter::Program,
        }
    }
}

impl Call<'_> {
    /// Issues a command that the program retires itself.
    pub fn issue_asynchronous(
        &mut self,
        issue: impl FnOnce(Issue<'_>) -> Result<u64, Error>,
    ) -> Result<u64, Error> {
        let cookie = issue(self.issue())?;
        self.send_for_poll();
        Ok(cookie)
    }
}

impl Issue<'_> {
    /// Marks the command as that of a synchronous call.
    pub(super) fn synchronous(mut self) -> Self {
        self.waiter = Waiter::Call;
        self
    }

    /// Checks and issues a command without an allocated payload. Inline, so that each command
    /// contains only the checks of its rules.
    #[inline(always)]
    pub(super) fn issue(
        &mut self,
        rules: &Rules,
        flags: u32,
        offset: u64,
        count: u64,
        attachment: Attachment,
    ) -> Result<u64, Error> {
        let flags = self.connection.checks().command(rules, flags)?;
        self.connection.checks().range(rules, offset, count)?;
        self.issue_checked(NewCommand {
            kind: rules.kind,
            flags,
            offset,
            length: count,
            payload: None,
            reports_data: matches!(attachment.callback, DataCallback::Chunk(_)),
            attachment,
        })
    }

    /// Issues a command that passed all checks, and sends its request unless earlier requests are
    /// waiting or requests are sent together. If sending fails, the completion reports the error,
    /// and issuing it still succeeds.
    pub(super) fn issue_checked(
        &mut self,
        mut command: NewCommand<Attachment>,
    ) -> Result<u64, Error> {
        let count = self.connection.link.machine.commands() + 1;
        if let Some(enough) = self.connection.high_water.count_command(count) {
            self.shrink(enough);
        }
        let connection = &mut *self.connection;
        let link = &mut connection.link;
        command.attachment.waiter = self.waiter;
        if self.waiter == Waiter::Program {
            let in_flight = link.machine.in_flight();
            connection.completions.completed.reserve(in_flight)?;
        }
        let lacks_payload = command.kind == RequestType::BlockStatus
            && command.flags & command::PAYLOAD_LEN != 0
            && command.payload.is_none()
            && link.machine.negotiated().extended_headers;
        let holds = self.waiter == Waiter::Program && connection.report.shared.batching();
        let waits = link.waits_until_writable();
        let several_pieces = command.payload.is_some() || command.attachment.buffer.sends_pieces();
        let data = command.attachment.buffer.to_send();
        let (cookie, request) = link.machine.begin(command)?;
        link.synchronous += usize::from(self.waiter == Waiter::Call);
        // Publish the command before its reply can arrive.
        connection.report.publish_in_flight(link);
        if holds {
            link.holds |= !waits;
            link.machine.queue(request);
        } else if waits {
            link.machine.queue(request);
            if link.holds {
                connection.send_accepted();
            }
        } else if several_pieces {
            link.machine.queue(request);
            connection.send_accepted();
        } else if let Err(lost) = link.send_request(request, data) {
            connection.end(lost);
            connection.report.failure_ignored("command");
        }
        if lacks_payload {
            // The server would wait for the payload that the request announces.
            // Source: seen with libnbd 1.24.4.
            connection.end(Error::new(libc::EFAULT, "send: Bad address").into());
        }
        Ok(cookie)
    }

    /// Shrinks the memory to `commands` commands.
    #[cold]
    fn shrink(&mut self, commands: usize) {
        self.connection.link.machine.shrink(commands);
        self.connection.completions.completed.shrink(commands);
    }
}
