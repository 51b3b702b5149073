// SPDX-License-Identifier: LGPL-2.1-or-later

//! The part of a handle that the lock protects, and the only place where a connection ends.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::completions::Completions;
use super::high_water::HighWater;
use super::interruption::Watchers;
use super::link::{Link, Lost};
use super::report::Report;
use super::settings::Settings;
use super::shared::Shared;
use super::turns::{Holder, Turns};
use crate::error::Error;
use crate::machine::State;
use crate::text::shown;

/// The part of a handle that the lock protects. [`super::calls`] has the functions of the API,
/// [`super::drive`] the event handling.
#[derive(Debug)]
pub struct Connection {
    pub(super) settings: Settings,
    pub(super) link: Link,
    pub(super) completions: Completions,
    pub(super) report: Report,
    pub(super) turns: Turns,
    pub(super) watchers: Watchers,
    pub(super) high_water: HighWater,
    /// The pending reason to end the connection, once no thread is receiving.
    pub(super) failure: Option<Lost>,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Connection {
            settings: Settings::default(),
            link: Link::new(),
            completions: Completions::default(),
            report: Report {
                shared,
                context: c"",
            },
            turns: Turns::new(),
            watchers: Watchers::default(),
            high_water: HighWater::default(),
            failure: None,
        }
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        self.link.machine.state()
    }

    /// Publishes the state for other threads, before the call ends or waits. Until the lock is
    /// taken again, a receiving thread may read ahead.
    pub(super) fn publish_state(&mut self) {
        self.link.release_memory();
        self.report.publish(&self.link);
        if self.turns.holder != Holder::Receiving {
            self.report.shared.set_arrivals(self.link.has_arrivals());
        }
    }

    /// Returns true if pending data waits until the socket is writable. False after a failure.
    pub(super) fn waits_until_writable(&self) -> bool {
        self.failure.is_none() && self.link.waits_until_writable()
    }

    /// Finishes a step: if the connection was lost, ends it.
    pub(super) fn finish_step<R>(&mut self, step: Result<R, Lost>) -> Result<R, Error> {
        match step {
            Ok(result) => {
                if self.link.is_over() {
                    self.abandon_all();
                }
                Ok(result)
            }
            Err(lost) => Err(self.end(lost)),
        }
    }

    /// Ends the connection after an error. Every command in flight completes with `ENOTCONN`.
    /// Returns the error for the call that detected it.
    ///
    /// While another thread is receiving, this is deferred until that thread has woken: it may be
    /// writing to the buffer of a command.
    pub(super) fn end(&mut self, lost: Lost) -> Error {
        if self.turns.holder == Holder::Receiving {
            let error = lost.error().clone();
            self.link.shutdown_both();
            self.failure.get_or_insert(lost);
            return error;
        }
        let (error, of_option) = match lost {
            Lost::Connection(error) => (error.clone(), error),
            // An outstanding request for TLS ends as with any lost connection.
            // Source: seen with libnbd 1.24.4.
            Lost::Handshake(error) => {
                let failed = Error::new(libc::ENOTCONN, "the TLS handshake failed");
                (error, failed)
            }
        };
        if self.report.shared.debug_enabled() {
            let context = shown(self.report.context);
            self.report
                .debug(format_args!("handle dead: {context}: {error}"));
        }
        self.link.machine.fail();
        // The completion gets the errno of the failure, if it has one.
        if of_option.errno() != 0 && self.completions.awaits_option() {
            self.link.close_transport(self.turns.turn_is_held());
            self.completions
                .finish_option(&mut self.link, &self.report, Err(of_option));
        }
        self.abandon_all();
        error
    }

    /// Continues after waiting with the lock released. Fails if another thread has meanwhile lost
    /// the connection.
    pub(super) fn resume(&mut self) -> Result<(), Error> {
        self.turns.holder = Holder::None;
        self.link.forget_retired();
        match self.failure.take() {
            Some(lost) => Err(self.end(lost)),
            None => Ok(()),
        }
    }

    fn abandon_all(&mut self) {
        self.link.close(self.turns.turn_is_held());
        self.report.publish(&self.link);
        self.completions.abandon_all(&mut self.link, &self.report);
    }

    /// Discards the state of threads that do not exist in a forked child.
    pub(super) fn reset_after_fork(&mut self) {
        self.turns = Turns::new();
        self.watchers = Watchers::default();
        self.report.shared.interruptions().reset_after_fork();
        self.link.forget_retired();
        self.failure = None;
    }

    /// Frees the program's closures and ends its server, without any callback.
    pub(super) fn free(&mut self) {
        self.link.close(false);
        self.completions.free(&mut self.link);
        self.link.subprocess = None;
    }

    /// Handles a panic: the connection may be inconsistent, so it is dead, and everything in
    /// flight ends as with a lost connection.
    pub(super) fn poison(&mut self) {
        self.turns.admissions.clear();
        let error = Error::new(libc::ENOTRECOVERABLE, "internal error");
        if self.turns.holder == Holder::Receiving {
            self.end(error.into());
            return;
        }
        self.link.machine.fail();
        self.link.close_transport(self.turns.turn_is_held());
        self.report.publish(&self.link);
        self.report
            .debug(format_args!("handle dead: internal error"));
        // Unwind safety: a command is taken out before its callback is called, so none completes
        // twice. What remains after a second panic is ended by nbd_close(3).
        if catch_unwind(AssertUnwindSafe(|| self.abandon_all())).is_err() {
            self.report.publish(&self.link);
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.link.machine.fail();
        self.link.close(false);
        self.report.publish(&self.link);
        self.completions.close(&mut self.link, &self.report);
    }
}
