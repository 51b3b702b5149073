// SPDX-License-Identifier: LGPL-2.1-or-later

//! Completed commands: waiting for them, and retiring them.

use libc::c_int;
use scopeguard::{guard, ScopeGuard};

use crate::error::Error;
use crate::handle::admission::Access;
use crate::handle::attachment::clear_gaps;
use crate::handle::call::Call;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::calls::Issue;
use crate::handle::completed::outcome;
use crate::handle::connection::Connection;
use crate::handle::turns::{Goal, Holder};
use crate::memory::NoMemory;

impl Connection {
    /// nbd_aio_command_completed(3)
    pub fn aio_command_completed(&mut self, cookie: u64) -> Result<bool, Error> {
        if cookie == 0 {
            return Err(Error::new(libc::EINVAL, "invalid aio cookie 0"));
        }
        match self.completions.completed.retire(&mut self.link, cookie) {
            Some(outcome) => outcome.map(|()| true),
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
            if let Some(outcome) = self.retire(cookie) {
                return outcome;
            }
            if let Err(mut error) = self.wait_for_command(cookie, access).await {
                if self.link.machine.command(cookie).is_some() {
                    // The program may free the buffer as soon as the call returns, so no reply
                    // may be received after that.
                    error = self.end(error.into());
                }
                self.wait_for_completion(cookie).await;
                // A reply received before the connection was lost still counts.
                return match self.retire(cookie) {
                    Some(Ok(())) => Ok(()),
                    _ => Err(error),
                };
            }
        }
    }

    /// Retires a synchronous command, if it is complete.
    fn retire(&mut self, cookie: u64) -> Option<Result<(), Error>> {
        let machine = &mut self.link.machine;
        let command = machine.completed(cookie)?;
        let outcome = outcome(command).inspect_err(|_| clear_gaps(command));
        machine.retire(cookie);
        Some(outcome)
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
        // Another thread may be receiving into its buffer.
        while self.is_receiving_into(cookie) {
            let _ = self.sleep_without_cancellation(Goal::EndOfTurn);
        }
        let connection = &mut **self;
        if connection.cancel(cookie, libc::ECANCELED).is_err() {
            let what = "no memory for the data of a cancelled write";
            self.end(Error::new(libc::ENOMEM, what).into());
            self.without_cancellation(async |call| call.wait_for_completion(cookie).await);
        }
        let _ = self.retire(cookie);
    }
}

impl Connection {
    /// Returns true if a thread is receiving into the buffer of a command.
    fn is_receiving_into(&self, cookie: u64) -> bool {
        let direct = self.link.machine.direct();
        self.turns.holder == Holder::Receiving && direct.is_some_and(|it| it.0 == cookie)
    }

    /// Completes a command with an error, if it is in flight. No thread may be receiving into its
    /// buffer. Fails if there is no memory for this; then nothing has changed.
    fn cancel(&mut self, cookie: u64, errno: c_int) -> Result<(), NoMemory> {
        if self.link.machine.command(cookie).is_none() {
            return Ok(());
        }
        self.completions
            .cancel(&mut self.link, &self.report, cookie, errno)
    }
}
