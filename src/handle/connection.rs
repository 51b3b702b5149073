// SPDX-License-Identifier: LGPL-2.1-or-later

//! Everything of a handle that is behind its lock.

use std::ffi::CStr;
use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::sync::Arc;

use super::commands::Attachment;
use super::completion::Completed;
use super::connect::Endpoint;
use super::options::PendingOption;
use super::read_ahead::ReadAhead;
use super::settings::Settings;
use super::shared::{Shared, State};
use super::wait::{DIRECTION_READ, DIRECTION_WRITE};
use crate::error::Error;
use crate::machine::Machine;
use crate::transport::{tls, Arrivals, Channel, Connector, Subprocess};

/// How the bytes travel.
#[derive(Debug)]
pub(super) enum Transport {
    /// Not at all: before connecting, and after the end.
    None,
    /// An address is being tried.
    Connecting(Connector),
    /// The server has agreed to TLS, and the handshake is going on.
    TlsHandshake(tls::Handshake),
    /// There is a connection.
    Connected(Channel),
}

/// The part of a handle that is behind its lock. For each function of the C
/// API that needs the lock there is a method of the same name.
#[derive(Debug)]
pub struct Connection {
    pub(super) shared: Arc<Shared>,
    pub(super) settings: Settings,
    pub(super) machine: Machine<Attachment>,
    pub(super) completed: Completed,
    /// How much to receive at once.
    pub(super) read_ahead: ReadAhead,
    /// Received and not used yet. Nothing more is received before that.
    pub(super) arrivals: Arrivals,
    pub(super) option: Option<PendingOption>,
    /// How the program's last option ended, for a call that waits for it.
    pub(super) option_outcome: Option<Result<u32, Error>>,
    /// Where the program asked to connect to.
    pub(super) endpoint: Endpoint,
    /// Before the subprocess, which waits for its end when it is dropped.
    pub(super) transport: Transport,
    pub(super) subprocess: Option<Subprocess>,
    /// The API function that is running, for debug messages.
    context: &'static CStr,
}

impl Connection {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Connection {
            shared,
            settings: Settings::default(),
            machine: Machine::default(),
            completed: Completed::default(),
            read_ahead: ReadAhead::default(),
            arrivals: Arrivals::default(),
            option: None,
            option_outcome: None,
            endpoint: Endpoint::None,
            transport: Transport::None,
            subprocess: None,
            context: c"",
        }
    }

    /// The group of states that the connection is in.
    pub fn state(&self) -> State {
        self.machine.group()
    }

    /// Names the API function that is running.
    pub fn set_context(&mut self, name: &'static CStr) {
        self.context = name;
    }

    /// Emits a debug message in the name of the function that is running.
    pub(super) fn debug(&self, message: fmt::Arguments<'_>) {
        self.shared.debug(self.context, message);
    }

    /// The name of the state, without its description.
    pub(super) fn state_name(&self) -> &'static str {
        let description = self
            .machine
            .description(self.state())
            .to_str()
            .unwrap_or_default();
        description.split(':').next().unwrap_or_default()
    }

    /// The `LIBNBD_AIO_DIRECTION_*` bits to wait for.
    pub(super) fn direction(&self) -> u32 {
        let (receive, send) = match &self.transport {
            Transport::Connecting(_) => (false, true),
            Transport::TlsHandshake(handshake) => {
                (handshake.wants_to_receive(), handshake.wants_to_send())
            }
            Transport::Connected(channel) => (
                self.machine.wants_to_receive(),
                self.machine.wants_to_send() || channel.wants_to_send(),
            ),
            Transport::None => (false, false),
        };
        let mut direction = 0;
        if receive {
            direction |= DIRECTION_READ;
        }
        if send {
            direction |= DIRECTION_WRITE;
        }
        direction
    }

    /// Lets other threads see where the connection is.
    pub(super) fn publish(&self) {
        self.shared
            .publish(&self.machine, self.state(), self.direction());
    }

    /// The call is over, or waits: lets other threads see that, and what is left to
    /// be used.
    pub(super) fn settle(&mut self) {
        self.publish();
        self.shared.set_arrivals(self.has_arrivals());
    }

    /// Ends the connection after an error, which is handed back for the call
    /// that noticed it. Every command in flight completes with ENOTCONN.
    pub(super) fn die(&mut self, error: Error) -> Error {
        if self.shared.debug_enabled() {
            let context = self.context.to_string_lossy();
            self.debug(format_args!("handle dead: {context}: {error}"));
        }
        self.machine.fail();
        self.fail_option(&error);
        self.abandon_all();
        error
    }

    /// The connection is over: nothing more will be answered.
    pub(super) fn abandon_all(&mut self) {
        self.abandon_each(|_| {});
    }

    /// The same, with something to be done with what is complete after each
    /// command.
    fn abandon_each(&mut self, after: fn(&mut Completed)) {
        self.transport = Transport::None;
        self.arrivals = Arrivals::default();
        self.publish();
        // In the order in which the C library does it.
        for cookie in self.machine.failing_order() {
            self.complete_with(cookie, libc::ENOTCONN);
            after(&mut self.completed);
        }
        let what = "the connection ended before the reply";
        self.finish_option(Err(Error::new(libc::ENOTCONN, what)));
    }

    /// A panic was caught: nothing of the connection can be trusted, so it is
    /// dead, and what was in flight ends as it does when a connection is lost.
    pub fn poison(&mut self, message: &str) {
        self.machine.fail();
        self.transport = Transport::None;
        self.publish();
        self.debug(format_args!("handle dead: internal error: {message}"));
        // Unwind safety: a command is taken out before its callback is called,
        // so none completes twice; what a second panic leaves, nbd_close(3) ends.
        if catch_unwind(AssertUnwindSafe(|| self.abandon_all())).is_err() {
            self.publish();
        }
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        // Nobody will answer any more: commands in flight end as they do when
        // the connection is lost, and their callbacks are freed. Those that
        // completed before come last.
        let mut completed = std::mem::take(&mut self.completed);
        self.machine.fail();
        self.abandon_each(Completed::retire_all);
        completed.retire_all();
    }
}
