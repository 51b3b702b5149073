// SPDX-License-Identifier: LGPL-2.1-or-later

//! What others learn of a connection: threads that look, and readers of debug messages.

use std::ffi::CStr;
use std::fmt;
use std::sync::Arc;

use super::link::Link;
use super::shared::Shared;
use crate::machine::State;

/// The way from a connection to those who watch it.
#[derive(Debug)]
pub(super) struct Report {
    pub shared: Arc<Shared>,
    /// The API function that is running, for debug messages.
    pub context: &'static CStr,
}

impl Report {
    /// Emits a debug message in the name of the function that is running.
    pub fn debug(&self, message: fmt::Arguments<'_>) {
        self.shared.debug(self.context, message);
    }

    /// Says in a debug message that a command or an option is in flight although it could
    /// not be sent.
    pub fn failure_ignored(&self, what: &str) {
        self.debug(format_args!(
            "{what} queued, ignoring state machine failure"
        ));
    }

    /// The program handles events of the descriptor: in transmission, it polls the
    /// descriptor by itself from now on.
    pub fn program_polls(&self, state: State) {
        if matches!(state, State::Ready | State::Processing) {
            self.shared.set_program_polls();
        }
    }

    /// Lets other threads see how many commands are in flight.
    pub fn publish_in_flight(&self, link: &Link) {
        self.shared.publish_in_flight(link.in_flight());
    }

    /// Lets other threads see where the connection is.
    pub fn publish(&self, link: &Link) {
        self.publish_in_flight(link);
        self.shared
            .publish(&link.machine, link.machine.state(), link.direction());
    }
}
