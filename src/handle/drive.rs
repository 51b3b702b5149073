// SPDX-License-Identifier: LGPL-2.1-or-later

//! Event handling of a connection, for the program's main loop and for calls that wait.

use std::io;

use libc::{c_int, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT};

use super::connection::Connection;
use super::link::Receive;
use super::shared::{DIRECTION_READ, DIRECTION_WRITE};
use super::steps::Steps;
use crate::error::Error;
use crate::machine::State;
use crate::transport::blocking::Poll;

/// The result of poll(2).
#[derive(Debug, Clone, Copy)]
pub(super) struct Ready {
    /// The events of the connection's descriptor.
    pub events: i16,
    /// True if there was any event, including `POLLNVAL`, on the program's second descriptor.
    pub extra: bool,
}

/// Sending and receiving.
impl Connection {
    fn steps(&mut self) -> Steps<'_> {
        Steps {
            settings: &self.settings,
            link: &mut self.link,
            completions: &mut self.completions,
            report: &self.report,
        }
    }

    /// Sends an accepted command or option. If this fails, the completion reports the error, and
    /// issuing it still succeeds.
    pub(super) fn send_accepted(&mut self) {
        let what = match self.state() {
            State::Connecting => "option",
            _ => "command",
        };
        let sent = self.link.send();
        if self.finish_step(sent).is_err() {
            self.report.failure_ignored(what);
        }
    }

    /// Handles data that the server may have sent already, once there may be a connection.
    pub(super) fn begin(&mut self) -> Result<(), Error> {
        let begun = self.steps().receive_and_send();
        self.finish_step(begun)
    }
}

/// Events of the descriptor.
impl Connection {
    /// Handles a readable descriptor.
    pub(super) fn notify_read(&mut self) -> Result<(), Error> {
        if self.link.direction() & DIRECTION_READ == 0 {
            return Err(self.link.invalid_event(0));
        }
        let step = if self.link.is_in_tls_handshake() {
            self.steps().continue_tls_handshake()
        } else if self.link.waits_until_writable() {
            self.steps().receive()
        } else {
            // The negotiation may have to send the next option.
            self.steps().receive_and_send()
        };
        self.finish_step(step)
    }

    /// Handles a writable descriptor.
    pub(super) fn notify_write(&mut self) -> Result<(), Error> {
        if self.link.direction() & DIRECTION_WRITE == 0 {
            return Err(self.link.invalid_event(1));
        }
        if self.link.is_connecting() {
            return self.continue_connecting();
        }
        let step = if self.link.is_in_tls_handshake() {
            self.steps().continue_tls_handshake()
        } else {
            self.link.send()
        };
        self.finish_step(step)
    }

    fn continue_connecting(&mut self) -> Result<(), Error> {
        let step = self.link.continue_connecting();
        self.finish_step(step)?;
        self.begin()
    }

    /// Handles one message that has already been received, after sending queued data. If sending
    /// fails, the failure is detected later by receiving: messages received before it still
    /// count.
    pub(super) fn handle_before_waiting(&mut self) -> Result<(), Error> {
        if let Some(fd) = self.link.fd().filter(|_| self.link.waits_until_writable()) {
            if matches!(Poll::now(fd, POLLOUT), Ok(POLLOUT)) {
                let sent = self.link.send();
                self.finish_step(sent)?;
            }
        }
        let received = self.steps().receive();
        self.finish_step(received)
    }

    /// Handles events of poll(2). Another thread may meanwhile have sent the queued data, or
    /// ended the connection.
    fn notify(&mut self, events: i16) -> Result<(), Error> {
        let direction = self.link.direction();
        if direction & DIRECTION_READ != 0 && events & (POLLIN | POLLHUP) != 0 {
            return self.notify_read();
        }
        if self.link.is_connecting() && events != 0 {
            return self.continue_connecting();
        }
        if direction & DIRECTION_WRITE != 0 && events & POLLOUT != 0 {
            return self.notify_write();
        }
        if direction != 0 && events & (POLLERR | POLLNVAL) != 0 {
            let error = Error::new(libc::ENOTCONN, "server closed socket unexpectedly");
            return Err(self.end(error.into()));
        }
        Ok(())
    }
}

/// Before and after waiting.
impl Connection {
    /// Returns the descriptor and the events to poll for. `None` if a received message was
    /// handled instead.
    pub(super) fn before_polling(&mut self) -> Result<Option<(c_int, i16)>, Error> {
        let direction = self.link.direction();
        let Some(fd) = self.link.fd().filter(|_| direction != 0) else {
            let state = self.link.state_name();
            let what = format!("nothing to poll for in state {state}");
            return Err(Error::new(libc::EINVAL, what));
        };
        // In transmission, parsing the received bytes shows whether they are a complete message.
        let only_replies = self.state() == State::Ready && self.link.is_plain();
        if !only_replies && self.link.has_complete_message() {
            self.handle_before_waiting()?;
            return Ok(None);
        }
        if self.parse_beginning()? {
            return Ok(None);
        }
        let mut events = 0;
        if direction & DIRECTION_READ != 0 {
            events |= POLLIN;
        }
        if direction & DIRECTION_WRITE != 0 {
            events |= POLLOUT;
        }
        if self.report.shared.debug_enabled() {
            self.report
                .debug(format_args!("poll start: events={events:x}"));
        }
        Ok(Some((fd, events)))
    }

    /// Handles the result of poll(2). Returns false on timeout.
    pub(super) fn after_polling(&mut self, ready: Option<Ready>) -> Result<bool, Error> {
        let Some(ready) = ready else {
            return Ok(false);
        };
        self.notify(ready.events)?;
        Ok(true)
    }

    /// Prepares to wait by receiving, if only replies are expected: poll(2) would need another
    /// system call for each reply. A call that may be interrupted waits in poll(2) only.
    pub(super) fn before_receiving(
        &mut self,
        interruptible: bool,
    ) -> Result<Option<Receive>, Error> {
        let by_receiving = !interruptible
            && self.state() == State::Ready
            && self.link.is_plain()
            && !self.report.shared.program_polls()
            && !self.report.shared.debug_enabled()
            && !self.link.has_complete_message();
        if !by_receiving {
            return Ok(None);
        }
        self.parse_beginning()?;
        self.report.publish(&self.link);
        let ahead = self.steps().may_receive_ahead();
        let receive = self.link.begin_receive(ahead);
        self.finish_step(receive).map(Some)
    }

    /// Handles received data, up to the end of one message. Returns false if the receive did not
    /// wait, which can happen because of the socket or of other processes that share it.
    pub(super) fn after_receiving(
        &mut self,
        receive: Receive,
        result: Result<usize, c_int>,
    ) -> Result<bool, Error> {
        let result = result.map_err(io::Error::from_raw_os_error);
        let handled = self.steps().handle_received(receive, result);
        self.finish_step(handled)
    }

    /// Parses the beginning of a message, which may already be invalid. Returns true if it was a
    /// complete message.
    fn parse_beginning(&mut self) -> Result<bool, Error> {
        if !self.link.has_unparsed() {
            return Ok(false);
        }
        let used = self.steps().parse_arrivals();
        self.finish_step(used)
    }

    /// Sends pending data, when the socket is writable.
    pub(super) fn send_pending(&mut self) -> Result<(), Error> {
        let sent = self.link.send();
        self.finish_step(sent)
    }
}
