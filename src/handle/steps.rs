// SPDX-License-Identifier: LGPL-2.1-or-later

//! The steps of a connection: received bytes are parsed, and callbacks are called.
//!
//! Several replies are received by one system call, and used one message at a time, since
//! programs expect at most one completion per call (nbd_poll(3)). Bytes stay in the handle
//! between calls only if the program waits with calls of the library. For other programs, nothing
//! after the current message is received.
//!
//! After nbd_ext_set_batching(3), one call uses all received messages, so nothing stays in the
//! handle and every program may receive several replies at once.

use std::io;

use super::completions::Completions;
use super::link::{Link, Lost, Receive};
use super::report::Report;
use super::settings::Settings;
use crate::transport::Received;

/// The approximate maximum number of bytes that a call handles, unless it waits for a particular
/// reply: it must return in time however fast the server sends.
const BUDGET: usize = 256 * 1024;

/// The minimum that a receive takes from the budget, in bytes: a TLS record may carry a single
/// byte.
const MIN_CHARGE: usize = 1024;

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

    /// Receives and handles at most one reply message; with TLS, all messages of one record; when
    /// batching, all messages of one receive.
    pub fn receive(&mut self) -> Result<(), Lost> {
        let is_negotiating = self.link.is_negotiating();
        let sends = self.link.machine.wants_to_send();
        let mut left = BUDGET;
        let mut drained = false;
        // In transmission, there are no further events once all received bytes are used.
        let mut something = is_negotiating || self.link.has_unparsed();
        while self.link.machine.wants_to_receive() {
            let ended = something && self.parse_arrivals()?;
            let next = self.link.machine.wants_to_send() && !sends;
            if is_negotiating && (next || !self.link.is_negotiating()) {
                break;
            }
            if ended && self.has_more(left) {
                continue;
            }
            if ended || left == 0 || drained && self.link.machine.is_within_part() {
                break;
            }
            let ahead = self.may_receive_ahead();
            match self.link.receive(ahead)? {
                Received::NOTHING => break,
                Received::Bytes { count, drained: d } => {
                    left = left.saturating_sub(count.max(MIN_CHARGE));
                    drained = d;
                    something = true;
                }
                Received::End => return self.link.end_of_stream(),
            }
        }
        Ok(())
    }

    /// Returns true if more messages must be used by this call.
    fn has_more(&self, budget: usize) -> bool {
        self.link.has_decrypted()
            || budget > 0 && self.report.shared.batching() && self.link.has_arrivals()
    }

    /// Uses received bytes up to the end of one message; during the negotiation and when
    /// batching, all of them. Returns false if they end before a message does.
    pub fn parse_arrivals(&mut self) -> Result<bool, Lost> {
        let batching = self.report.shared.batching();
        let mut ended = false;
        while let Some(event) = self.link.next_event() {
            let ends = event.ends_message();
            self.completions.act(self.link, self.report, event)?;
            ended |= ends;
            if ends && !batching {
                break;
            }
        }
        self.link.arrivals_parsed();
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

    /// Handles the machine's events after the TLS handshake, and sends its next message.
    pub fn after_tls_handshake(&mut self) -> Result<(), Lost> {
        if self.link.is_in_tls_handshake() {
            return Ok(());
        }
        self.parse_arrivals()?;
        self.link.send()
    }

    /// Handles the bytes received by a thread that waited, up to the end of one message. Returns
    /// false if it did not wait.
    pub fn handle_received(
        &mut self,
        receive: Receive,
        result: io::Result<usize>,
    ) -> Result<bool, Lost> {
        match self.link.finish_receive(receive, result)? {
            Received::NOTHING => return Ok(false),
            Received::Bytes { .. } => {
                // Another thread may meanwhile have begun to poll the descriptor, where these
                // bytes are not visible.
                while self.parse_arrivals()? && self.report.shared.program_polls() {}
            }
            Received::End => self.link.end_of_stream()?,
        }
        self.link.send()?;
        Ok(true)
    }

    pub fn may_receive_ahead(&self) -> bool {
        !self.link.is_negotiating()
            && !self.report.shared.debug_enabled()
            && (self.report.shared.begin_receiving_ahead() || self.report.shared.batching())
    }
}
