// SPDX-License-Identifier: LGPL-2.1-or-later

//! The loop that drives a connection: on behalf of the program's main loop, or of a
//! call that waits.
//!
//! Several replies are received with one system call, and used one message at a
//! time: programs count on one completion for each call (nbd_poll(3)). They stay
//! in the handle between calls only for programs that wait by calls of the library.
//! For others, nothing is received that does not belong to the current message.

use libc::{c_int, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT};

use super::connection::Connection;
use super::link::{Link, Lost};
use super::shared::{DIRECTION_READ, DIRECTION_WRITE};
use crate::error::Error;
use crate::machine::Event;
use crate::machine::State;
use crate::transport::{self, Received, Wait};

/// The most bytes that a call handles, roughly, unless it waits for a particular
/// reply: it has to return in time however fast the server sends.
const BUDGET: usize = 256 * 1024;

/// Moving bytes.
impl Connection {
    /// Has `request` queue a request, and sends it unless others wait for room.
    pub(super) fn queue<R>(&mut self, request: impl FnOnce(&mut Link) -> R) -> R {
        let waits = self.link.waits_for_room();
        let queued = request(&mut self.link);
        let in_flight = self.link.machine.in_flight();
        // Others see a command before its reply can come.
        self.report.shared.publish_in_flight(in_flight);
        if !waits {
            self.send_accepted();
        }
        queued
    }

    /// Sends a command or an option that has been accepted. Its end is told by
    /// its completion, so a failure to send is no failure to issue it.
    pub(super) fn send_accepted(&mut self) {
        let what = match self.state() {
            State::Connecting => "option",
            _ => "command",
        };
        let sent = self.link.send();
        if self.conclude(sent).is_err() {
            self.report.debug(format_args!(
                "{what} queued, ignoring state machine failure"
            ));
        }
    }

    /// There may be a connection now, on which the server has spoken already.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let begun = self.receive_and_send();
        self.conclude(begun)
    }

    fn receive_and_send(&mut self) -> Result<(), Lost> {
        self.receive()?;
        self.link.send()
    }

    /// Handles what has arrived: one reply message at most, over TLS all messages of
    /// one record.
    fn receive(&mut self) -> Result<(), Lost> {
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
            match self.link.receive(Wait::No, ahead)? {
                Received::NOTHING => break,
                Received::Bytes { count, drained: d } => {
                    left = left.saturating_sub(count);
                    drained = d;
                }
                Received::End => return self.link.end_of_stream(),
            }
        }
        Ok(())
    }

    /// Waits until something has come, and handles it up to the end of one message.
    /// All arrivals have to be used. False if it did not wait: that depends on the
    /// socket, and on other processes that have it.
    fn wait_and_receive(&mut self) -> Result<bool, Lost> {
        let wait = self.link.wait_for_data();
        let ahead = self.may_receive_ahead();
        match self.link.receive(wait, ahead)? {
            Received::NOTHING => return Ok(false),
            Received::Bytes { .. } => self.use_arrivals().map(drop)?,
            Received::End => self.link.end_of_stream()?,
        }
        self.link.send()?;
        Ok(true)
    }

    fn may_receive_ahead(&self) -> bool {
        !self.link.negotiates()
            && !self.report.shared.debug_enabled()
            && self.report.shared.begin_receiving_ahead()
    }

    /// Uses what has arrived up to the end of one message; of the negotiation,
    /// everything. False if all of it is used before a message ends.
    fn use_arrivals(&mut self) -> Result<bool, Lost> {
        let ended = loop {
            match self.link.next_event() {
                None => break false,
                Some(Event::MessageEnd) => break true,
                Some(event) => self.completions.act(&mut self.link, &self.report, event)?,
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

    fn continue_tls_handshake(&mut self) -> Result<(), Lost> {
        self.link.continue_tls_handshake()?;
        self.after_tls_handshake()
    }

    /// What the machine has to say of TLS, and what it sends next, where the handshake
    /// is over.
    fn after_tls_handshake(&mut self) -> Result<(), Lost> {
        if self.link.is_in_tls_handshake() {
            return Ok(());
        }
        self.use_arrivals()?;
        self.link.send()
    }
}

/// Events of the descriptor.
impl Connection {
    /// The descriptor can be read.
    pub(super) fn notify_read(&mut self) -> Result<(), Error> {
        if self.link.direction() & DIRECTION_READ == 0 {
            return Err(self.link.invalid_event(0));
        }
        let step = if self.link.is_in_tls_handshake() {
            self.continue_tls_handshake()
        } else if self.link.waits_for_room() {
            self.receive()
        } else {
            // The negotiation may have a next option to send.
            self.receive_and_send()
        };
        self.conclude(step)
    }

    /// The descriptor can be written.
    pub(super) fn notify_write(&mut self) -> Result<(), Error> {
        if self.link.direction() & DIRECTION_WRITE == 0 {
            return Err(self.link.invalid_event(1));
        }
        if self.link.is_connecting() {
            return self.continue_connecting();
        }
        let step = if self.link.is_in_tls_handshake() {
            self.continue_tls_handshake()
        } else {
            self.link.send()
        };
        self.conclude(step)
    }

    fn continue_connecting(&mut self) -> Result<(), Error> {
        let step = self.link.continue_connecting();
        self.conclude(step)?;
        self.begin()
    }

    /// Handles one message that has been received already, after sending what is
    /// queued. A server that has gone is left to be noticed by receiving: what it said
    /// before still counts.
    pub(super) fn use_before_waiting(&mut self) -> Result<(), Error> {
        if let Some(fd) = self.link.fd().filter(|_| self.link.waits_for_room()) {
            let ready = transport::wait::poll(fd, POLLOUT, None, 0);
            if matches!(ready, Ok(Some(ready)) if ready.events == POLLOUT) {
                let sent = self.link.send();
                self.conclude(sent)?;
            }
        }
        let received = self.receive();
        self.conclude(received)
    }

    /// Goes on after poll(2) has found the socket ready for `events`.
    fn notify(&mut self, events: i16) -> Result<(), Error> {
        let wants_to_receive = self.link.direction() & DIRECTION_READ != 0;
        if wants_to_receive && events & (POLLIN | POLLHUP) != 0 {
            return self.notify_read();
        }
        if self.link.is_connecting() && events != 0 {
            return self.continue_connecting();
        }
        if events & POLLOUT != 0 {
            return self.notify_write();
        }
        if events & (POLLERR | POLLNVAL) != 0 {
            let error = Error::new(libc::ENOTCONN, "server closed socket unexpectedly");
            return Err(self.end(error.into()));
        }
        Ok(())
    }
}

/// Waiting.
impl Connection {
    /// Waits until the descriptor is ready and handles that; or until `fd` can be read,
    /// or for `timeout` milliseconds. 0 if the time was up.
    pub(super) fn wait(&mut self, fd: c_int, timeout: c_int) -> Result<c_int, Error> {
        let direction = self.link.direction();
        let Some(own_fd) = self.link.fd().filter(|_| direction != 0) else {
            let state = self.link.state_name();
            let what = format!("nothing to poll for in state {state}");
            return Err(Error::new(libc::EINVAL, what));
        };
        if self.link.has_message_in_hand() {
            self.use_before_waiting()?;
            return Ok(1);
        }
        self.use_beginning()?;
        let mut events = 0;
        if direction & DIRECTION_READ != 0 {
            events |= POLLIN;
        }
        if direction & DIRECTION_WRITE != 0 {
            events |= POLLOUT;
        }
        self.settle();
        let debug = self.report.shared.debug_enabled();
        if debug {
            self.report
                .debug(format_args!("poll start: events={events:x}"));
        }
        let extra = (fd >= 0).then_some(fd);
        let ready = transport::wait::poll(own_fd, events, extra, timeout)
            .map_err(|error| Error::system("poll", &error))?;
        if debug {
            let (result, revents) = ready.as_ref().map_or((0, 0), |it| (1, it.events));
            self.report
                .debug(format_args!("poll end: r={result} revents={revents:x}"));
        }
        let Some(ready) = ready else {
            return Ok(0);
        };
        self.notify(ready.events)?;
        Ok(1)
    }

    /// Uses the beginning of a message, which may be wrong already.
    fn use_beginning(&mut self) -> Result<(), Error> {
        if !self.link.has_beginning() {
            return Ok(());
        }
        let used = self.use_arrivals();
        self.conclude(used).map(drop)
    }

    /// Waits for the next reply message, on behalf of a synchronous command. Where
    /// replies are all that there is to wait for, it waits by receiving: poll(2) would
    /// be one more system call for each.
    pub(super) fn wait_for_message(&mut self) -> Result<(), Error> {
        let by_receiving = self.state() == State::Ready
            && self.link.is_plain()
            && !self.report.shared.program_polls()
            && !self.report.shared.debug_enabled()
            && !self.link.has_message_in_hand();
        if by_receiving {
            self.use_beginning()?;
            self.report.publish(&self.link);
            let received = self.wait_and_receive();
            if self.conclude(received)? {
                return Ok(());
            }
        }
        self.wait(-1, -1).map(drop)
    }

    /// Waits until the connection is made, or the option is done.
    pub(super) fn wait_while_connecting(&mut self) -> Result<(), Error> {
        while self.state() == State::Connecting {
            self.wait(-1, -1)?;
        }
        Ok(())
    }
}
