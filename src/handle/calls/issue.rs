// SPDX-License-Identifier: LGPL-2.1-or-later

//! How a data command is issued, whichever it is.

use super::checks::Rules;
use crate::error::Error;
use crate::handle::attachment::{Attachment, DataCallback, Waiter};
use crate::handle::call::Call;
use crate::handle::connection::Connection;
use crate::machine::NewCommand;
use crate::protocol::flags::command;
use crate::protocol::request::RequestType;

/// A connection for issuing data commands.
#[derive(Debug)]
pub struct Issue<'a> {
    pub(super) connection: &'a mut Connection,
    waiter: Waiter,
}

impl Connection {
    /// For issuing data commands.
    pub(super) fn issue(&mut self) -> Issue<'_> {
        Issue {
            connection: self,
            waiter: Waiter::Program,
        }
    }
}

impl Call<'_> {
    /// Issues a command that the program waits for by itself.
    pub fn issue_only(
        &mut self,
        issue: impl FnOnce(Issue<'_>) -> Result<u64, Error>,
    ) -> Result<u64, Error> {
        let cookie = issue(self.issue())?;
        self.send_for_poll();
        Ok(cookie)
    }
}

impl Issue<'_> {
    /// The same for a command that a call waits for.
    pub(super) fn synchronously(mut self) -> Self {
        self.waiter = Waiter::Call;
        self
    }

    /// Issues a command without a payload of the library's own, if it may be sent. Inline,
    /// so that each command has only the checks of its rules.
    #[inline(always)]
    pub(super) fn issue(
        &mut self,
        rules: &Rules,
        flags: u32,
        offset: u64,
        count: u64,
        attachment: Attachment,
    ) -> Result<u64, Error> {
        let wire = self.connection.checks().command(rules, flags)?;
        self.connection.checks().range(rules, offset, count)?;
        self.queue(rules.kind, wire, offset, count, None, attachment)
    }

    /// Queues a command that passed all checks and sends what can be sent.
    pub(super) fn queue(
        &mut self,
        kind: RequestType,
        flags: u16,
        offset: u64,
        length: u64,
        payload: Option<Box<[u8]>>,
        mut attachment: Attachment,
    ) -> Result<u64, Error> {
        attachment.waiter = self.waiter;
        let count = self.connection.link.machine.commands() + 1;
        if let Some(enough) = self.connection.high_water.rise(count) {
            self.shrink(enough);
        }
        let in_flight = self.connection.link.machine.in_flight();
        let synchronous = usize::from(self.waiter == Waiter::Call);
        if self.waiter == Waiter::Program {
            self.connection.completions.completed.reserve(in_flight)?;
        }
        let lacks_payload = kind == RequestType::BlockStatus
            && flags & command::PAYLOAD_LEN != 0
            && payload.is_none()
            && self.connection.link.machine.negotiated().extended_headers;
        // Counted before the request is sent, since that may end the connection.
        self.connection.link.synchronous += synchronous;
        let reports_data = matches!(attachment.callback, DataCallback::Chunk(_));
        let issued = self.connection.queue(|link| {
            link.machine.issue(NewCommand {
                kind,
                flags,
                offset,
                length,
                payload,
                reports_data,
                attachment,
            })
        });
        let cookie = issued.inspect_err(|_| {
            self.connection.link.synchronous -= synchronous;
            self.connection
                .report
                .publish_in_flight(&self.connection.link);
        })?;
        if lacks_payload {
            // The server would wait for the payload that the request announces.
            // Source: seen with libnbd 1.24.4.
            self.connection
                .end(Error::new(libc::EFAULT, "send: Bad address").into());
        }
        Ok(cookie)
    }

    /// Gives memory back, but for `commands` commands.
    #[cold]
    fn shrink(&mut self, commands: usize) {
        self.connection.link.machine.shrink(commands);
        self.connection.completions.completed.shrink(commands);
    }
}
