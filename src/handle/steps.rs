// SPDX-License-Identifier: LGPL-2.1-or-later

//! The steps by which a connection goes on: what arrives is used, and the program called.
//!
//! Several replies are received with one system call, and used one message at a
//! time: programs count on one completion for each call (nbd_poll(3)). They stay
//! in the handle between calls only for programs that wait by calls of the library.
//! For others, nothing is received that does not belong to the current message.

use std::io;

use super::completions::Completions;
use super::link::{Link, Lost, Receive};
use super::report::Report;
use super::settings::Settings;
use crate::transport::Received;

/// The most bytes that a call handles, roughly, unless it waits for a particular
/// reply: it has to return in time however fast the server sends.
const BUDGET: usize = 256 * 1024;

/// The least that a receive takes from the budget, in bytes: a record of TLS may carry a
/// single one.
const LEAST: usize = 1024;

/// The parts of a connection that a step needs.
#[derive(Debug)]
pub(super) struct Steps<'a> {
    pub settings: &'a Settings,
    pub link: &'a mut Link,
    pub completions: &'a mut Completions,
    pub report: &'a Report,
}

impl Steps<'_> {
    pub fn receive_and_send(&mut self) -> Result<(), Lost> {
        self.receive()?;
        self.link.send()
    }

    /// Handles what has arrived: one reply message at most, over TLS all messages of
    /// one record.
    pub fn receive(&mut self) -> Result<(), Lost> {
        let negotiates = self.link.negotiates();
        let sends = self.link.machine.wants_to_send();
        let mut left = BUDGET;
        let mut drained = false;
        while self.link.machine.wants_to_receive() {
            let ended = self.use_arrivals()?;
            let next = self.link.machine.wants_to_send() && !sends;
            if negotiates && (next || !self.link.negotiates()) {
                break;
            }
            if ended && self.link.has_decrypted() {
                continue;
            }
            if ended || left == 0 || drained && self.link.machine.is_within_part() {
                break;
            }
            let ahead = self.may_receive_ahead();
            match self.link.receive(ahead)? {
                Received::NOTHING => break,
                Received::Bytes { count, drained: d } => {
                    left = left.saturating_sub(count.max(LEAST));
                    drained = d;
                }
                Received::End => return self.link.end_of_stream(),
            }
        }
        Ok(())
    }

    /// Uses what has arrived up to the end of one message; of the negotiation,
    /// everything. False if all of it is used before a message ends.
    pub fn use_arrivals(&mut self) -> Result<bool, Lost> {
        let ended = loop {
            match self.link.next_event() {
                None => break false,
                Some(event) => {
                    let ends = event.ends_message();
                    self.completions.act(self.link, self.report, event)?;
                    if ends {
                        break true;
                    }
                }
            }
        };
        self.link.arrivals_used();
        if self.link.machine.awaits_tls_handshake() {
            let hostname = self.settings.tls.hostname(&self.link.endpoint);
            let credentials = self.settings.tls.credentials(hostname);
            self.link.start_tls_handshake(credentials)?;
            self.after_tls_handshake()?;
        }
        Ok(ended)
    }

    pub fn continue_tls_handshake(&mut self) -> Result<(), Lost> {
        self.link.continue_tls_handshake()?;
        self.after_tls_handshake()
    }

    /// What the machine has to say of TLS, and what it sends next, where the handshake
    /// is over.
    pub fn after_tls_handshake(&mut self) -> Result<(), Lost> {
        if self.link.is_in_tls_handshake() {
            return Ok(());
        }
        self.use_arrivals()?;
        self.link.send()
    }

    /// Handles what a thread has received that waited for it, up to the end of one
    /// message. False if it had not to wait.
    pub fn handle_received(
        &mut self,
        receive: Receive,
        result: io::Result<usize>,
    ) -> Result<bool, Lost> {
        match self.link.finish_receive(receive, result)? {
            Received::NOTHING => return Ok(false),
            Received::Bytes { .. } => {
                // Another thread may have begun meanwhile to poll the descriptor, which
                // does not show what is here.
                while self.use_arrivals()? && self.report.shared.program_polls() {}
            }
            Received::End => self.link.end_of_stream()?,
        }
        self.link.send()?;
        Ok(true)
    }

    pub fn may_receive_ahead(&self) -> bool {
        !self.link.negotiates()
            && !self.report.shared.debug_enabled()
            && self.report.shared.begin_receiving_ahead()
    }
}
