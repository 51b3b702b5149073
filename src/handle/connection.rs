// SPDX-License-Identifier: LGPL-2.1-or-later

//! Everything of a handle that its lock protects, and the one place that ends a
//! connection.

use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::completions::Completions;
use super::high_water::HighWater;
use super::link::{Link, Lost};
use super::report::Report;
use super::settings::Settings;
use super::shared::Shared;
use super::turns::{Holder, Turns};
use crate::error::Error;
use crate::machine::State;
use crate::text::shown;

/// The part of a handle that its lock protects. What the API offers is in
/// [`super::calls`]; how the connection is driven is in [`super::drive`].
#[derive(Debug)]
pub struct Connection {
    pub(super) settings: Settings,
    pub(super) link: Link,
    pub(super) completions: Completions,
    pub(super) report: Report,
    pub(super) turns: Turns,
    pub(super) high_water: HighWater,
    /// Why the connection has to end, as soon as no thread receives any more.
    failure: Option<Lost>,
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
            high_water: HighWater::default(),
            failure: None,
        }
    }

    /// The group of states that the connection is in.
    pub fn state(&self) -> State {
        self.link.machine.state()
    }

    /// The call is over, or waits: lets other threads see that, and what is left to
    /// be used. A thread that receives may do so ahead until it has the lock again.
    pub(super) fn settle(&mut self) {
        self.link.give_back_memory();
        self.report.publish(&self.link);
        if self.turns.holder != Holder::Receives {
            self.report.shared.set_arrivals(self.link.has_arrivals());
        }
    }

    /// Whether something waits for room in the socket. After a failure, room is of no use.
    pub(super) fn waits_for_room(&self) -> bool {
        self.failure.is_none() && self.link.waits_for_room()
    }

    /// A step of the connection has been made. If it was the last one, the connection
    /// ends.
    pub(super) fn conclude<R>(&mut self, step: Result<R, Lost>) -> Result<R, Error> {
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

    /// Ends the connection after an error, which is handed back for the call
    /// that noticed it. Every command in flight completes with ENOTCONN.
    ///
    /// While another thread receives, that is put off until it has woken: it may be
    /// writing to a command's buffer.
    pub(super) fn end(&mut self, lost: Lost) -> Error {
        if self.turns.holder == Holder::Receives {
            let error = lost.error().clone();
            self.link.shutdown_both();
            self.failure.get_or_insert(lost);
            return error;
        }
        let (error, of_option) = match lost {
            Lost::Connection(error) => (error.clone(), error),
            // An option that asked for TLS ends as it does when the connection is lost.
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
        // The completion gets the errno of the failure, where it has one.
        if of_option.errno() != 0 && self.completions.awaits_option() {
            self.link.close_transport(self.turns.are_held());
            self.completions
                .finish_option(&mut self.link, &self.report, Err(of_option));
        }
        self.abandon_all();
        error
    }

    /// A thread that was waiting with the lock released has it again. Fails if another
    /// thread has noticed meanwhile that the connection cannot go on.
    pub(super) fn woken(&mut self) -> Result<(), Error> {
        self.turns.holder = Holder::None;
        self.link.forget_retired();
        match self.failure.take() {
            Some(lost) => Err(self.end(lost)),
            None => Ok(()),
        }
    }

    fn abandon_all(&mut self) {
        self.link.close(self.turns.are_held());
        self.report.publish(&self.link);
        self.completions.abandon_all(&mut self.link, &self.report);
    }

    /// The threads that had a part in it do not exist in this process.
    pub(super) fn renew(&mut self) {
        self.turns = Turns::new();
        self.link.forget_retired();
        self.failure = None;
    }

    /// Frees what belongs to the program and ends its server, without a call to it.
    pub(super) fn free(&mut self) {
        self.link.close(false);
        self.completions.free(&mut self.link);
        self.link.subprocess = None;
    }

    /// A panic is under way: nothing of the connection can be trusted, so it is
    /// dead, and what was in flight ends as it does when a connection is lost.
    pub(super) fn poison(&mut self) {
        self.turns.admissions.clear();
        let error = Error::new(libc::ENOTRECOVERABLE, "internal error");
        if self.turns.holder == Holder::Receives {
            self.end(error.into());
            return;
        }
        self.link.machine.fail();
        self.link.close_transport(self.turns.are_held());
        self.report.publish(&self.link);
        self.report
            .debug(format_args!("handle dead: internal error"));
        // Unwind safety: a command is taken out before its callback is called,
        // so none completes twice; what a second panic leaves, nbd_close(3) ends.
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
