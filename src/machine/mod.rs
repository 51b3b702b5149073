// SPDX-License-Identifier: LGPL-2.1-or-later

//! The client of one connection as a state machine: bytes in, bytes out,
//! events out.
//!
//! There is no I/O here, no clock, no thread and no unsafe code. Whoever owns
//! a [`Machine`] moves the bytes:
//!
//! - [`Machine::outgoing`] says what to send next, [`Machine::sent`] is told
//!   how much of it went;
//! - [`Machine::receive`] is given what came and hands back one [`Event`] at a
//!   time; [`Machine::direct`] names the place in a user's buffer where the
//!   next bytes belong, for an owner that can receive straight into it;
//! - [`Machine::end_of_stream`] and [`Machine::fail`] end the connection.
//!
//! User memory is the attachment `T` of a command: stored here, never looked
//! at. The same bytes give the same events however they are split.

#![forbid(unsafe_code)]

mod chunk;
mod command;
mod event;
mod export;
mod filled;
mod handshake;
mod inbox;
mod negotiation;
mod option_reply;
mod outgoing;
mod phase;
mod reply;
mod settings;
mod starttls;
mod statistics;
mod transmission;

use std::collections::VecDeque;

use libc::c_int;

pub use command::{Command, CookieHasher};
pub use event::{Event, Extent, ReadStatus};
pub use export::{Export, MetaContext, Negotiated, Protocol};
pub use phase::Group;
pub use settings::{Settings, Tls};
pub use statistics::Statistics;
pub use transmission::{NewCommand, Piece};

use crate::error::Error;
use command::Commands;
use inbox::Inbox;
use outgoing::Outgoing;
use phase::Phase;

/// Puts bytes of a read where they belong, `at` bytes into its buffer.
pub type Put<T> = fn(command: &mut Command<T>, at: usize, bytes: &[u8]);

/// One connection, from its creation to its end.
#[derive(Debug)]
pub struct Machine<T> {
    settings: Settings,
    negotiated: Negotiated,
    export: Export,
    phase: Phase,
    inbox: Inbox,
    outgoing: Outgoing,
    commands: Commands<T>,
    /// When the connection ended, commands from this cookie on were not sent, at
    /// least not completely.
    unsent_from: u64,
    statistics: Statistics,
    /// Extents of the block status chunk received last.
    extents: Vec<Extent>,
    /// Events of the negotiation that were not handed out yet.
    events: VecDeque<Event>,
}

impl<T> Default for Machine<T> {
    fn default() -> Self {
        Machine {
            settings: Settings::default(),
            negotiated: Negotiated::default(),
            export: Export::default(),
            phase: Phase::Created,
            inbox: Inbox::default(),
            outgoing: Outgoing::default(),
            commands: Commands::default(),
            unsent_from: u64::MAX,
            statistics: Statistics::default(),
            extents: Vec::new(),
            events: VecDeque::new(),
        }
    }
}

impl<T> Machine<T> {
    /// What to negotiate.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// What to negotiate, to be changed before it is.
    pub fn settings_mut(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// What has been agreed so far.
    pub fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// What the server has said of the export so far.
    pub fn export(&self) -> &Export {
        &self.export
    }

    /// Changes the export to ask for. The meta contexts in effect belonged to
    /// the export of before (nbd_opt_set_meta_context(3)).
    pub fn set_export_name(&mut self, name: std::ffi::CString) {
        if name != self.settings.export_name {
            self.settings.export_name = name;
            self.export = Export::default();
        }
    }

    /// Traffic so far.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The group of states that programs can tell apart. Half of a reply does
    /// not make a difference to them: it is the server that has work to do.
    pub fn group(&self) -> Group {
        match self.phase.group() {
            Group::Ready if !self.outgoing.is_empty() => Group::Processing,
            group => group,
        }
    }

    /// The state in words (nbd_connection_state(3)), seen as in `group`.
    pub fn description(&self, group: Group) -> &'static std::ffi::CStr {
        match group {
            Group::Processing if self.outgoing.is_within_payload() => {
                c"ISSUE_COMMAND.SEND_WRITE_PAYLOAD: Sending the data of a write"
            }
            Group::Processing => c"ISSUE_COMMAND.SEND_REQUEST: Sending requests",
            _ => self.phase.description(),
        }
    }

    /// Whether bytes from the server are awaited.
    pub fn wants_to_receive(&self) -> bool {
        !matches!(
            self.phase,
            Phase::Created
                | Phase::Connecting
                | Phase::Negotiating
                | Phase::Aborting(_)
                | Phase::Closed
                | Phase::Dead
        )
    }

    /// Whether there is something to send.
    pub fn wants_to_send(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// The transport is being set up.
    pub fn connecting(&mut self) {
        self.phase = Phase::Connecting;
    }

    /// The transport could not be set up, and another attempt may be made.
    pub fn not_connected(&mut self) {
        self.phase = Phase::Created;
    }

    /// The transport is there: the server speaks first.
    pub fn connected(&mut self) {
        self.phase = Phase::Greeting;
    }

    /// Takes in bytes from the server: as many as belong to the next event. The data of
    /// a read is handed to `put`. `None` means that all of `input` has been taken. To
    /// handle one reply message only, stop after [`Event::MessageEnd`].
    pub fn receive(&mut self, input: &mut &[u8], put: Put<T>) -> Option<Event> {
        let before = input.len();
        let event = loop {
            if let Some(event) = self.events.pop_front() {
                break Some(event);
            }
            match self.phase {
                Phase::Transmission { receiving, .. } => {
                    break self.receive_reply(receiving, input, put);
                }
                Phase::Aborting(_) | Phase::Closed | Phase::Dead => {
                    *input = &[];
                    break None;
                }
                _ => {
                    if !self.negotiate(input) && self.events.is_empty() {
                        break None;
                    }
                }
            }
        };
        self.statistics.bytes_received += (before - input.len()) as u64;
        event
    }

    /// The server closed the connection. An error in the middle of something;
    /// between replies it is an end like any other, and whoever waits for a
    /// reply learns of it by that.
    pub fn end_of_stream(&mut self) -> Result<(), Error> {
        if self.phase.may_end() && self.between_replies() {
            self.close();
            return Ok(());
        }
        self.fail();
        Err(Error::new(0, "recv: server disconnected unexpectedly"))
    }

    /// Ends the connection after an error: nothing is sent or received any
    /// more. Commands in flight stay, for their owner to end them.
    pub fn fail(&mut self) {
        self.end(Phase::Dead);
    }

    /// Ends the connection in good order.
    pub fn close(&mut self) {
        self.end(Phase::Closed);
    }

    fn end(&mut self, phase: Phase) {
        self.phase = phase;
        if let Some(cookie) = self.outgoing.first_unsent() {
            self.unsent_from = cookie;
        }
        self.outgoing.clear();
        self.inbox = Inbox::default();
    }

    /// A server broke the protocol beyond repair. There is no errno for that,
    /// for most of the ways to do it.
    fn violation(&mut self, what: impl Into<std::borrow::Cow<'static, str>>) -> Event {
        self.violation_errno(0, what)
    }

    fn violation_errno(
        &mut self,
        errno: c_int,
        what: impl Into<std::borrow::Cow<'static, str>>,
    ) -> Event {
        self.fail();
        Event::Dead(Error::new(errno, what))
    }

    /// Bytes of memory held, besides the machine itself.
    pub fn allocated(&self) -> usize {
        self.commands.allocated()
            + self.outgoing.allocated()
            + self.extents.capacity() * size_of::<Extent>()
    }
}
