// SPDX-License-Identifier: LGPL-2.1-or-later

//! The machine: its data, and functions to read it.

use std::borrow::Cow;
use std::collections::VecDeque;
use std::ffi::{CStr, CString};

use super::command::Commands;
use super::event::{Event, Extent};
use super::export::{Export, Negotiated};
use super::inbox::Inbox;
use super::meta_contexts::MetaContexts;
use super::outgoing::Outgoing;
use super::phase::{CurrentPhase, Phase};
use super::preferences::Preferences;
use super::state::State;
use super::traffic::Traffic;
use crate::error::Error;

/// The connection has ended; an event for the owner has the reason.
#[derive(Debug, Clone, Copy)]
pub(super) struct Dead;

/// One connection, from its creation to its end.
#[derive(Debug)]
pub struct Machine<T> {
    pub(super) preferences: Preferences,
    pub(super) negotiated: Negotiated,
    pub(super) export: Export,
    pub(super) meta_contexts: MetaContexts,
    pub(super) phase: CurrentPhase,
    pub(super) inbox: Inbox,
    pub(super) outgoing: Outgoing,
    pub(super) commands: Commands<T>,
    /// The first cookie whose request was not completely sent when the connection ended.
    pub(super) unsent_from: u64,
    pub(super) traffic: Traffic,
    /// The extents of the last block status chunk.
    pub(super) extents: Vec<Extent>,
    /// Events that were not returned yet: the only way from here to the owner.
    pub(super) events: VecDeque<Event>,
}

impl<T> Default for Machine<T> {
    fn default() -> Self {
        Machine {
            preferences: Preferences::default(),
            negotiated: Negotiated::default(),
            export: Export::default(),
            meta_contexts: MetaContexts::default(),
            phase: CurrentPhase::default(),
            inbox: Inbox::default(),
            outgoing: Outgoing::default(),
            commands: Commands::default(),
            unsent_from: u64::MAX,
            traffic: Traffic::default(),
            extents: Vec::new(),
            events: VecDeque::new(),
        }
    }
}

impl<T> Machine<T> {
    /// Returns the preferences for the negotiation.
    pub fn preferences(&self) -> &Preferences {
        &self.preferences
    }

    /// Returns the preferences for the negotiation, for changes.
    pub fn preferences_mut(&mut self) -> &mut Preferences {
        &mut self.preferences
    }

    /// Returns the negotiated features so far.
    pub fn negotiated(&self) -> &Negotiated {
        &self.negotiated
    }

    /// Returns the properties of the export so far.
    pub fn export(&self) -> &Export {
        &self.export
    }

    /// Returns the meta contexts so far.
    pub fn meta_contexts(&self) -> &MetaContexts {
        &self.meta_contexts
    }

    /// Sets the export name. The meta contexts in effect belong to the previous export
    /// (nbd_opt_set_meta_context(3)).
    pub fn set_export_name(&mut self, name: CString) {
        if name != self.preferences.export_name {
            self.preferences.export_name = name;
            self.export = Export::default();
            self.meta_contexts.make_stale();
        }
    }

    /// Returns the statistics.
    pub fn traffic(&self) -> &Traffic {
        &self.traffic
    }

    /// Returns the state for programs. A partly received reply still counts as ready: only the
    /// server has work to do.
    pub fn state(&self) -> State {
        match self.phase.state() {
            State::Ready if !self.outgoing.is_empty() => State::Processing,
            group => group,
        }
    }

    /// Returns the state text (nbd_connection_state(3)) for the state `group`.
    pub fn description(&self, group: State) -> &'static CStr {
        match group {
            State::Processing if self.outgoing.is_within_payload() => {
                c"ISSUE_COMMAND.SEND_WRITE_PAYLOAD: Sending the data of a write"
            }
            State::Processing => c"ISSUE_COMMAND.SEND_REQUEST: Sending requests",
            _ => self.phase.description(),
        }
    }

    /// Returns true if bytes from the server are expected.
    pub fn wants_to_receive(&self) -> bool {
        !matches!(
            *self.phase,
            Phase::Created
                | Phase::Connecting
                | Phase::Negotiating
                | Phase::Aborting(_)
                | Phase::Closed
                | Phase::Dead
        )
    }

    /// Returns true if there is data to send.
    pub fn wants_to_send(&self) -> bool {
        !self.outgoing.is_empty()
    }

    /// Records that the transport is being set up.
    pub fn connecting(&mut self) {
        self.phase.connecting();
    }

    /// Records that connecting has failed, and another attempt may be made.
    pub fn not_connected(&mut self) {
        self.phase.not_connected();
    }

    /// Records that the transport is connected: the server speaks first.
    pub fn connected(&mut self) {
        self.phase.connected();
    }

    /// Ends the connection after an error: nothing more is sent or received. Commands in flight
    /// stay, for the owner to complete.
    pub fn fail(&mut self) {
        self.keep_data_in_part();
        self.phase.fail();
        self.forget_messages();
    }

    /// Ends the connection normally.
    pub fn close(&mut self) {
        self.phase.close();
        self.forget_messages();
    }

    fn forget_messages(&mut self) {
        if let Some(cookie) = self.outgoing.first_unsent() {
            self.unsent_from = cookie;
        }
        self.outgoing.clear();
        self.commands.expect_no_more();
        self.inbox = Inbox::default();
    }

    /// Ends the connection after an error. The event with the error comes after all earlier
    /// events.
    pub(super) fn fail_with(&mut self, error: impl Into<Error>) -> Dead {
        self.fail();
        self.events.push_back(Event::Dead(error.into()));
        Dead
    }

    /// Queues a debug message.
    pub(super) fn note(&mut self, text: impl Into<Cow<'static, str>>) {
        self.events.push_back(Event::Note(text.into()));
    }

    /// Returns the memory used, in bytes, without the machine itself.
    pub fn allocated(&self) -> usize {
        self.commands.allocated()
            + self.outgoing.allocated()
            + self.extents.capacity() * size_of::<Extent>()
    }
}
