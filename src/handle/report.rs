// SPDX-License-Identifier: LGPL-2.1-or-later

//! Publication of a connection's state to other threads, and debug messages.

use std::ffi::CStr;
use std::fmt;
use std::sync::Arc;

use super::link::Link;
use super::shared::Shared;
use crate::machine::State;

/// The shared part of a handle, as the connection uses it.
#[derive(Debug)]
pub(super) struct Report {
    pub shared: Arc<Shared>,
    /// The current API function, for debug messages.
    pub context: &'static CStr,
}

impl Report {
    /// Emits a debug message of the current function.
    pub fn debug(&self, message: fmt::Arguments<'_>) {
        self.shared.debug(self.context, message);
    }

    /// Emits a debug message that sending a command or an option failed, and that it stays in
    /// flight.
    pub fn failure_ignored(&self, what: &str) {
        self.debug(format_args!(
            "{what} queued, ignoring state machine failure"
        ));
    }

    /// Records that the program handles events of the descriptor; in transmission, it polls the
    /// descriptor itself from now on.
    pub fn program_polls(&self, state: State) {
        if matches!(state, State::Ready | State::Processing) {
            self.shared.set_program_polls();
        }
    }

    /// Publishes the number of commands in flight.
    pub fn publish_in_flight(&self, link: &Link) {
        self.shared.publish_in_flight(link.in_flight());
    }

    /// Publishes the state of the connection.
    pub fn publish(&self, link: &Link) {
        self.publish_in_flight(link);
        self.shared
            .publish(&link.machine, link.machine.state(), link.direction());
    }
}
