// SPDX-License-Identifier: LGPL-2.1-or-later

//! Completed commands: waiting for them, and retiring them.

use scopeguard::{guard, ScopeGuard};

use crate::error::Error;
use crate::handle::admission::Access;
use crate::handle::attachment::{clear_gaps, Attachment};
use crate::handle::call::Call;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::calls::Issue;
use crate::handle::connection::Connection;
use crate::handle::turns::{Goal, Holder};
use crate::machine::Command;

/// Returns the outcome of a completed command.
fn outcome(command: &Command<Attachment>) -> Result<(), Error> {
    match command.error() {
        0 => Ok(()),
        errno => {
            let what = format!("{}: command failed", command.kind.name());
            Err(Error::new(errno, what))
        }
    }
}

impl Connection {
    /// nbd_aio_command_completed(3)
    pub fn aio_command_completed(&mut self, cookie: u64) -> Result<bool, Error> {
        if cookie == 0 {
            return Err(Error::new(libc::EINVAL, "invalid aio cookie 0"));
        }
        match self.completions.completed.take(&mut self.link, cookie) {
            Some(command) => outcome(&command).map(|()| true),
            None => Ok(false),
        }
    }

    /// nbd_aio_peek_command_completed(3)
    pub fn aio_peek_command_completed(&mut self) -> Result<i64, Error> {
        // Commands of synchronous calls are not visible here.
        let awaited = self.link.in_flight() > 0;
        match self.completions.completed.first() {
            Some(cookie) => Ok(cookie as i64),
            None if awaited => Ok(0),
            None => Err(Error::new(libc::EINVAL, "no commands are in flight")),
        }
    }
}

impl Call<'_> {
    /// Issues a command, and waits for its completion; other threads may issue theirs meanwhile.
    /// `issue` gets an empty completion callback to pass on.
    pub async fn until_completed(
        &mut self,
        access: Access,
        issue: impl FnOnce(Issue<'_>, nbd_completion_callback) -> Result<u64, Error>,
    ) -> Result<(), Error> {
        self.admitted(access, async |call| {
            let done = nbd_completion_callback::null();
            let cookie = issue(call.issue().synchronous(), done)?;
            let mut awaited = guard(call, |call| call.abandon(cookie));
            let result = awaited.finish(cookie, access).await;
            ScopeGuard::into_inner(awaited);
            result
        })
        .await
    }

    /// Waits until a command is complete, and retires it.
    async fn finish(&mut self, cookie: u64, access: Access) -> Result<(), Error> {
        loop {
            if self.link.machine.command(cookie).is_none() {
                if let Some(command) = self.link.machine.retire(cookie) {
                    return outcome(&command).inspect_err(|_| clear_gaps(&command));
                }
            }
            if let Err(mut error) = self.wait_for_command(cookie, access).await {
                if self.link.machine.command(cookie).is_some() {
                    // The program may free the buffer as soon as the call returns, so no reply
                    // may be received after that.
                    error = self.end(error.into());
                }
                self.wait_for_completion(cookie).await;
                // A reply received before the connection was lost still counts. No other code
                // retires the command.
                let Some(command) = self.link.machine.retire(cookie) else {
                    return Err(error);
                };
                if command.error() == 0 {
                    return Ok(());
                }
                clear_gaps(&command);
                return Err(error);
            }
        }
    }

    /// Waits, after the connection was lost, until the receiving thread has woken and completed
    /// the command.
    async fn wait_for_completion(&mut self, cookie: u64) {
        while self.link.machine.command(cookie).is_some() {
            let _ = self.sleep(Goal::Command(cookie), -1, -1).await;
        }
    }

    /// Cleans up after a thread was cancelled while waiting for its command. Its memory and
    /// callbacks are not used again, but the reply of the command can still arrive.
    fn abandon(&mut self, cookie: u64) {
        self.cancelled();
        if self.link.machine.sends_data_of(cookie) {
            let what = "the thread that sent a command was cancelled";
            self.end(Error::new(libc::ECANCELED, what).into());
            self.without_cancellation(async |call| call.wait_for_completion(cookie).await);
        }
        // Another thread may be receiving into its buffer.
        let receives = |call: &Self| {
            let direct = call.link.machine.direct();
            call.turns.holder == Holder::Receiving && direct.is_some_and(|it| it.0 == cookie)
        };
        while receives(self) {
            let _ = self.sleep_without_cancellation(Goal::EndOfTurn);
        }
        let connection = &mut **self;
        let machine = &connection.link.machine;
        let command = machine.command(cookie).or_else(|| machine.finished(cookie));
        if let Some(command) = command {
            clear_gaps(command);
        }
        connection.completions.forget(&mut connection.link, cookie);
    }
}
