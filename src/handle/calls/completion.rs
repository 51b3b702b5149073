// SPDX-License-Identifier: LGPL-2.1-or-later

//! Completed commands: waiting for them, and retiring them.

use libc::c_int;
use scopeguard::{guard, ScopeGuard};

use crate::error::Error;
use crate::handle::admission::Access;
use crate::handle::attachment::{clear_gaps, Attachment, Waiter};
use crate::handle::call::Call;
use crate::handle::callback::nbd_completion_callback;
use crate::handle::calls::Issue;
use crate::handle::completed::outcome;
use crate::handle::connection::Connection;
use crate::handle::interruption::{Interrupt, Stop};
use crate::handle::turns::{Goal, Holder};
use crate::machine::Machine;
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
    /// nbd_ext_aio_cancel(3)
    pub fn aio_cancel(&mut self, cookie: u64) -> Result<bool, Error> {
        if cookie == 0 {
            return Err(Error::new(libc::EINVAL, "invalid aio cookie 0"));
        }
        while is_receiving_into(self, cookie) {
            self.sleep_without_cancellation(Goal::UnusedBuffer(cookie))?;
        }
        let command = self.link.machine.command(cookie);
        let cancels = command.is_some_and(|it| it.attachment.waiter == Waiter::Program);
        if cancels {
            cancel(self, cookie, libc::ECANCELED)?;
            if matches!(self.turns.holder, Holder::Polling { .. }) {
                // The thread may be in nbd_poll(3), which returns after a completion.
                self.report.shared.interruptions().wake();
            }
        }
        Ok(cancels)
    }

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
            if let Some(outcome) = retire(&mut self.link.machine, cookie) {
                return outcome;
            }
            if let Err(stop) = self.wait_for_command(cookie, access).await {
                let mut error = match stop {
                    Stop::Interrupted(interrupt) => return self.interrupt(cookie, interrupt).await,
                    Stop::Failed(error) => error,
                };
                if self.link.machine.command(cookie).is_some() {
                    // The program may free the buffer as soon as the call returns, so no reply
                    // may be received after that.
                    error = self.end(error.into());
                }
                self.wait_for_completion(cookie).await;
                // A reply received before the connection was lost still counts.
                return match retire(&mut self.link.machine, cookie) {
                    Some(Ok(())) => Ok(()),
                    _ => Err(error),
                };
            }
        }
    }

    /// Completes a command whose call was interrupted. If another thread is receiving into its
    /// buffer, or there is no memory for its data, the connection ends, since the program may free
    /// the buffer as soon as the call returns.
    async fn interrupt(&mut self, cookie: u64, interrupt: Interrupt) -> Result<(), Error> {
        self.interrupted();
        let error = Error::from(interrupt);
        let used = is_receiving_into(self, cookie);
        if used || cancel(self, cookie, interrupt.errno()).is_err() {
            self.end(error.clone().into());
            self.wait_for_completion(cookie).await;
        }
        match retire(&mut self.link.machine, cookie) {
            Some(Ok(())) => Ok(()),
            _ => Err(error),
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
        // Another thread may be receiving into its buffer.
        while is_receiving_into(self, cookie) {
            let _ = self.sleep_without_cancellation(Goal::UnusedBuffer(cookie));
        }
        if cancel(self, cookie, libc::ECANCELED).is_err() {
            let what = "no memory for the data of a cancelled write";
            self.end(Error::new(libc::ENOMEM, what).into());
            self.without_cancellation(async |call| call.wait_for_completion(cookie).await);
        }
        let _ = retire(&mut self.link.machine, cookie);
    }
}

/// Returns true if a thread is receiving into the buffer of a command.
fn is_receiving_into(connection: &Connection, cookie: u64) -> bool {
    let direct = connection.link.machine.direct();
    connection.turns.holder == Holder::Receiving && direct.is_some_and(|it| it.0 == cookie)
}

/// Retires a synchronous command, if it is complete.
fn retire(machine: &mut Machine<Attachment>, cookie: u64) -> Option<Result<(), Error>> {
    let command = machine.completed(cookie)?;
    let outcome = outcome(command).inspect_err(|_| clear_gaps(command));
    machine.retire(cookie);
    Some(outcome)
}

/// Completes a command with an error, if it is in flight. No thread may be receiving into its
/// buffer. Fails if there is no memory for this; then nothing has changed.
fn cancel(connection: &mut Connection, cookie: u64, errno: c_int) -> Result<(), NoMemory> {
    if connection.link.machine.command(cookie).is_none() {
        return Ok(());
    }
    let Connection {
        completions,
        link,
        report,
        ..
    } = connection;
    completions.cancel(link, report, cookie, errno)
}
