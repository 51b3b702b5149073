// SPDX-License-Identifier: LGPL-2.1-or-later

//! The parts of a session shared by all stages of the conversation.

use crate::delivery::Delivery;
use crate::export::Exports;
use crate::faults::Faults;
use crate::output::Output;
use crate::settings::Settings;

/// Everything except the phase, borrowed while messages are handled.
pub struct Env<'a> {
    pub settings: &'a Settings,
    pub exports: &'a mut Exports,
    pub out: &'a mut Output,
    pub faults: &'a mut Faults,
    pub delivery: &'a mut Option<Delivery>,
    /// Number of the connection, used in the log.
    pub connection: u64,
}

impl Env<'_> {
    /// Writes a line to standard error, if `--log` is set.
    pub fn log(&self, text: std::fmt::Arguments<'_>) {
        if self.settings.log {
            eprintln!("memserver: connection {}: {text}", self.connection);
        }
    }
}
