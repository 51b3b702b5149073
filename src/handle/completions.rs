// SPDX-License-Identifier: LGPL-2.1-or-later

//! Completed commands that are not retired, and the outstanding option. Only this module calls
//! the program's callbacks.

use libc::{c_int, c_uint};

use super::attachment::{clear_gaps, copy_data, Buffer, DataCallback, Waiter};
use super::callback::nbd_completion_callback;
use super::completed::Completed;
use super::extents;
use super::link::{Link, Lost};
use super::option::{OptionCallback, PendingOption};
use super::report::Report;
use crate::constants::{LIBNBD_READ_DATA, LIBNBD_READ_ERROR, LIBNBD_READ_HOLE};
use crate::error::Error;
use crate::machine::{Event, ReadStatus};
use crate::memory::NoMemory;

/// Completed commands, the outstanding option, and its outcome.
#[derive(Debug, Default)]
pub(super) struct Completions {
    pub completed: Completed,
    option: Option<PendingOption>,
    /// The outcome of the program's last option, for a call that waits for it.
    pub option_outcome: Option<Result<u32, Error>>,
    /// The total number of the program's commands completed on this handle.
    total: u64,
    /// The number of completions for which no nbd_poll(3) has returned yet.
    unpolled: usize,
    /// True if a command was cancelled since the last nbd_poll(3) began.
    cancelled: bool,
}

/// The maximum number of completions remembered for nbd_poll(3). With more, it would return again
/// and again for completions that the program has seen long ago.
const MAX_UNPOLLED: usize = 1024;

impl Completions {
    /// Handles one event.
    pub fn act(&mut self, link: &mut Link, report: &Report, event: Event) -> Result<(), Lost> {
        match event {
            Event::Chunk {
                cookie,
                at,
                count,
                offset,
                status,
            } => chunk(link, cookie, at, count, offset, status),
            Event::Extents { cookie, context_id } => call_extents(link, cookie, context_id),
            Event::Completed { cookie } => self.complete(link, report, cookie),
            Event::Listed { name, description } => {
                let callback = self.option.as_ref().map(|it| &it.callback);
                if let Some(OptionCallback::List(list)) = callback {
                    list.call(&name, &description);
                }
            }
            Event::MetaContext { name } => {
                let callback = self.option.as_ref().map(|it| &it.callback);
                if let Some(OptionCallback::Context(context)) = callback {
                    context.call(&name);
                }
            }
            Event::OptionDone(outcome) => self.finish_option(link, report, outcome),
            // For synchronous calls this is an answer, not an error; the completion callback gets
            // the errno, which is its only argument.
            Event::OptionRefused(errno) => self.end_option(link, report, Ok(0), errno),
            // Handled by the calling loop.
            Event::MessageEnd => {}
            Event::Note(text) => report.debug(format_args!("{text}")),
            Event::Dead(error) => return Err(error.into()),
        }
        Ok(())
    }

    /// Completes a command: calls its completion callback and, unless that returns 1, keeps the
    /// command until it is retired.
    fn complete(&mut self, link: &mut Link, report: &Report, cookie: u64) {
        let Some(command) = link.machine.finish(cookie) else {
            return;
        };
        let waiter = command.attachment.waiter;
        let calls_back = command.attachment.calls_back();
        match waiter {
            Waiter::Program => self.count(),
            Waiter::Call => link.synchronous -= 1,
        }
        if calls_back {
            report.publish(link);
        }
        let kept = link.machine.retire_unless(cookie, |command| {
            let mut error: c_int = command.error();
            match command.attachment.completion.call(&mut error) {
                1 => return false,
                -1 if error != 0 => command.replace_error(error),
                _ => {}
            }
            true
        });
        // The program does not retire commands that synchronous calls wait for.
        if kept && waiter == Waiter::Program {
            self.completed.add(link, cookie);
        }
    }

    fn count(&mut self) {
        self.total += 1;
        self.unpolled = MAX_UNPOLLED.min(self.unpolled + 1);
    }

    /// Returns the total number of completed commands of the program.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns true if there is a completion for which no nbd_poll(3) has returned yet, and marks
    /// it as returned.
    pub fn take_unpolled(&mut self) -> bool {
        let any = self.unpolled > 0;
        self.unpolled = self.unpolled.saturating_sub(1);
        any
    }

    /// Forgets earlier completions, since nbd_poll(3) is about to handle events itself.
    pub fn forget_unpolled(&mut self) {
        self.unpolled = 0;
    }

    /// Returns true if a command was cancelled since the last call of this function.
    pub fn take_cancelled(&mut self) -> bool {
        std::mem::take(&mut self.cancelled)
    }

    /// Completes a command that will not be answered.
    pub fn abandon(&mut self, link: &mut Link, report: &Report, cookie: u64) {
        if let Some(command) = link.machine.command_mut(cookie) {
            command.fail(libc::ENOTCONN);
        }
        self.complete(link, report, cookie);
    }

    /// Completes a command in flight with an error now; its memory and closures are not used any
    /// more. Fails if there is no memory for this; then nothing has changed.
    pub fn cancel(
        &mut self,
        link: &mut Link,
        report: &Report,
        cookie: u64,
        errno: c_int,
    ) -> Result<(), NoMemory> {
        let command = link.machine.cancel(cookie, errno, copy_data)?;
        clear_gaps(command);
        let attachment = command.attachment.take();
        let mut kept = true;
        match attachment.waiter {
            Waiter::Program => {
                self.count();
                self.cancelled = true;
                report.publish(link);
                let mut error = errno;
                kept = match attachment.completion.call(&mut error) {
                    1 => false,
                    -1 if error != 0 => {
                        link.machine.replace_error(cookie, error);
                        true
                    }
                    _ => true,
                };
                if kept {
                    self.completed.add(link, cookie);
                }
            }
            Waiter::Call => link.synchronous -= 1,
        }
        if !kept {
            link.machine.retire(cookie);
        }
        // This frees its closures.
        drop(attachment);
        Ok(())
    }

    /// Abandons an option whose waiting call was cancelled.
    pub fn forget_option(&mut self) {
        if let Some(option) = &mut self.option {
            *option = PendingOption::plain(nbd_completion_callback::null());
        }
    }

    /// Completes everything in flight after the connection was lost, in the order of the C
    /// library.
    pub fn abandon_all(&mut self, link: &mut Link, report: &Report) {
        self.abandon_each(link, report, |_, _| {});
        let what = "the connection ended before the reply";
        let error = Error::new(libc::ENOTCONN, what);
        self.finish_option(link, report, Err(error));
    }

    /// Completes and retires all commands, when the handle is closed; previously completed ones
    /// last. An option is not completed, only its closures are freed.
    /// Source: seen with libnbd 1.24.4.
    pub fn close(&mut self, link: &mut Link, report: &Report) {
        let mut before = std::mem::take(&mut self.completed);
        self.abandon_each(link, report, Completed::retire_all);
        self.option = None;
        before.retire_all(link);
    }

    /// Frees all closures in the same order, without completing anything.
    pub fn free(&mut self, link: &mut Link) {
        loop {
            let failing = link.machine.failing();
            if failing.is_empty() {
                break;
            }
            for cookie in failing {
                if link.machine.finish(cookie).is_some() {
                    link.machine.retire(cookie);
                }
            }
        }
        self.option = None;
        self.completed.retire_all(link);
    }

    fn abandon_each(
        &mut self,
        link: &mut Link,
        report: &Report,
        after: fn(&mut Completed, &mut Link),
    ) {
        loop {
            let failing = link.machine.failing();
            if failing.is_empty() {
                break;
            }
            for cookie in failing {
                self.abandon(link, report, cookie);
                after(&mut self.completed, link);
            }
        }
    }

    /// Stores the callbacks of an option that is about to be sent.
    pub fn start_option(&mut self, option: PendingOption) {
        self.option = Some(option);
        self.option_outcome = None;
    }

    /// Returns true if an option of the program is outstanding.
    pub fn awaits_option(&self) -> bool {
        self.option.is_some()
    }

    /// Completes the option, with or without a reply.
    pub fn finish_option(&mut self, link: &mut Link, report: &Report, outcome: Result<u32, Error>) {
        let errno = match &outcome {
            Ok(_) => 0,
            // The completion callback sees only the number, and 0 would look like success.
            Err(error) if error.errno() == 0 => libc::ENOTSUP,
            Err(error) => error.errno(),
        };
        self.end_option(link, report, outcome, errno);
    }

    fn end_option(
        &mut self,
        link: &mut Link,
        report: &Report,
        outcome: Result<u32, Error>,
        mut errno: c_int,
    ) {
        let Some(option) = self.option.take() else {
            return;
        };
        self.option_outcome = Some(outcome);
        report.publish(link);
        option.completion.call(&mut errno);
    }
}

fn chunk(link: &mut Link, cookie: u64, at: usize, count: usize, offset: u64, status: ReadStatus) {
    let Some(command) = link.machine.command_mut(cookie) else {
        return;
    };
    let attachment = &command.attachment;
    if status == ReadStatus::Hole {
        attachment.buffer.hole(at, count);
    }
    let (Buffer::Read(buffer), DataCallback::Chunk(chunk)) =
        (&attachment.buffer, &attachment.callback)
    else {
        return;
    };
    // A callback may replace only its own error.
    let (status, mut error, replaceable) = match status {
        ReadStatus::Data => (LIBNBD_READ_DATA, command.error(), false),
        ReadStatus::Hole => (LIBNBD_READ_HOLE, command.error(), false),
        ReadStatus::Error { errno, first } => (LIBNBD_READ_ERROR, errno, first),
    };
    let result = chunk.call(buffer, at, count, offset, status as c_uint, &mut error);
    match result {
        -1 if replaceable => command.replace_error(callback_error(error)),
        -1 => command.fail(callback_error(error)),
        _ => {}
    }
}

fn call_extents(link: &mut Link, cookie: u64, context_id: u32) {
    let callback = link
        .machine
        .command(cookie)
        .map(|it| &it.attachment.callback);
    let widest = match callback {
        Some(DataCallback::Extent(_)) => u64::from(u32::MAX),
        _ => u64::MAX,
    };
    let Some((command, context, extents)) = link.machine.extents(cookie, context_id, widest) else {
        return;
    };
    // The memory of a long list is freed now.
    let extents = std::mem::take(extents);
    let offset = command.offset;
    let mut error = command.error();
    let result = match &command.attachment.callback {
        DataCallback::Extent(extent) => {
            let Ok((mut entries, overflow)) = extents::narrow(&extents) else {
                return command.fail(libc::ENOMEM);
            };
            drop(extents);
            if overflow && error == 0 {
                error = libc::EOVERFLOW;
            }
            let before = error;
            let result = extent.call(&context.name, offset, &mut entries, &mut error);
            if before != 0 {
                command.fail(before);
            }
            result
        }
        DataCallback::Extent64(extent64) => {
            let mut entries = extents::wide(extents);
            extent64.call(&context.name, offset, &mut entries, &mut error)
        }
        _ => 0,
    };
    if result == -1 {
        command.fail(callback_error(error));
    }
}

/// Returns the error of a callback that has failed (libnbd(3), "Errors in callbacks").
fn callback_error(error: c_int) -> c_int {
    if error == 0 {
        libc::EPROTO
    } else {
        error
    }
}
