// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's main loop, or the one inside synchronous calls.

use std::os::fd::AsRawFd;

use libc::{c_int, POLLERR, POLLHUP, POLLIN, POLLNVAL, POLLOUT};

use super::connection::{Connection, Transport};
use super::shared::State;
use crate::error::Error;
use crate::transport::{self, Channel};

/// `LIBNBD_AIO_DIRECTION_READ`
pub(super) const DIRECTION_READ: u32 = 1;
/// `LIBNBD_AIO_DIRECTION_WRITE`
pub(super) const DIRECTION_WRITE: u32 = 2;

impl Connection {
    fn fd(&self) -> Option<c_int> {
        match &self.transport {
            Transport::None => None,
            Transport::Connecting(connector) => connector.fd(),
            Transport::TlsHandshake(handshake) => Some(handshake.as_raw_fd()),
            Transport::Connected(channel) => Some(channel.as_raw_fd()),
        }
    }

    /// nbd_aio_get_fd(3)
    pub fn aio_get_fd(&mut self) -> Result<c_int, Error> {
        self.shared.set_program_polls();
        if let Transport::Connected(channel) = &self.transport {
            channel.make_non_blocking();
        }
        let what = "connection is not in a connected state";
        self.fd().ok_or_else(|| Error::new(libc::EINVAL, what))
    }

    /// nbd_aio_notify_read(3)
    pub fn aio_notify_read(&mut self) -> Result<(), Error> {
        self.program_polls();
        self.notify_read()
    }

    fn notify_read(&mut self) -> Result<(), Error> {
        if self.direction() & DIRECTION_READ == 0 {
            return Err(self.invalid_event(0));
        }
        if let Transport::TlsHandshake(_) = self.transport {
            return self.continue_tls_handshake();
        }
        let waits = self.waits_for_room();
        self.receive()?;
        if waits {
            return Ok(());
        }
        // The negotiation may have a next option to send.
        self.send()
    }

    /// nbd_aio_notify_write(3)
    pub fn aio_notify_write(&mut self) -> Result<(), Error> {
        self.program_polls();
        let said_to_write = self.shared.take_said_to_write();
        if self.has_arrivals() {
            // The program was told to wait for room so as to come here.
            return self.use_before_waiting();
        }
        if said_to_write && self.direction() & DIRECTION_WRITE == 0 {
            return Ok(());
        }
        self.notify_write()
    }

    fn notify_write(&mut self) -> Result<(), Error> {
        if self.direction() & DIRECTION_WRITE == 0 {
            return Err(self.invalid_event(1));
        }
        match self.transport {
            Transport::Connecting(_) => self.continue_connecting(),
            Transport::TlsHandshake(_) => self.continue_tls_handshake(),
            _ => self.send(),
        }
    }

    /// In transmission, the program polls the descriptor by itself from now on.
    fn program_polls(&self) {
        if matches!(self.state(), State::Ready | State::Processing) {
            self.shared.set_program_polls();
        }
    }

    /// Handles one message that has been received already, after sending what is
    /// queued. A server that has gone is left to be noticed by receiving: what it said
    /// before still counts.
    fn use_before_waiting(&mut self) -> Result<(), Error> {
        if let Some(fd) = self.fd().filter(|_| self.waits_for_room()) {
            let ready = transport::wait::poll(fd, POLLOUT, None, 0);
            if matches!(ready, Ok(Some(ready)) if ready.events == POLLOUT) {
                self.send()?;
            }
        }
        self.receive()
    }

    fn invalid_event(&self, event: u32) -> Error {
        let state = self.state_name();
        let what = format!("external event {event} is invalid in state {state}");
        Error::new(libc::EINVAL, what)
    }

    /// nbd_poll(3)
    pub fn poll(&mut self, timeout: c_int) -> Result<c_int, Error> {
        self.poll2(-1, timeout)
    }

    /// nbd_poll2(3)
    pub fn poll2(&mut self, fd: c_int, timeout: c_int) -> Result<c_int, Error> {
        self.wait(fd, timeout)
    }

    /// Waits, on behalf of the program or of a call that has to.
    pub(super) fn wait(&mut self, fd: c_int, timeout: c_int) -> Result<c_int, Error> {
        let direction = self.direction();
        let Some(own_fd) = self.fd().filter(|_| direction != 0) else {
            let state = self.state_name();
            let what = format!("nothing to poll for in state {state}");
            return Err(Error::new(libc::EINVAL, what));
        };
        if self.has_message_in_hand() {
            self.use_before_waiting()?;
            return Ok(1);
        }
        if !self.arrivals.is_empty() {
            // The beginning of a message, which may be wrong already.
            self.use_arrivals()?;
        }
        let mut events = 0;
        if direction & DIRECTION_READ != 0 {
            events |= POLLIN;
        }
        if direction & DIRECTION_WRITE != 0 {
            events |= POLLOUT;
        }
        self.settle();
        if self.shared.debug_enabled() {
            self.debug(format_args!("poll start: events={events:x}"));
        }
        let extra = (fd >= 0).then_some(fd);
        let ready = transport::wait::poll(own_fd, events, extra, timeout)
            .map_err(|error| Error::system("poll", &error))?;
        if self.shared.debug_enabled() {
            let (result, revents) = ready.as_ref().map_or((0, 0), |it| (1, it.events));
            self.debug(format_args!("poll end: r={result} revents={revents:x}"));
        }
        let Some(ready) = ready else {
            return Ok(0);
        };
        self.notify(ready.events)?;
        Ok(1)
    }

    /// Waits for the next reply message, on behalf of a synchronous command. Where
    /// replies are all that there is to wait for, it waits by receiving: poll(2) would
    /// be one more system call for each.
    fn wait_for_message(&mut self) -> Result<(), Error> {
        let by_receiving = self.state() == State::Ready
            && matches!(self.transport, Transport::Connected(Channel::Plain(_)))
            && !self.shared.program_polls()
            && !self.shared.debug_enabled()
            && !self.has_message_in_hand();
        if !by_receiving {
            return self.wait(-1, -1).map(drop);
        }
        self.use_arrivals()?;
        self.publish();
        match self.wait_and_receive()? {
            true => self.send(),
            false => self.wait(-1, -1).map(drop),
        }
    }

    /// Goes on after poll(2) has found the socket ready for `events`.
    fn notify(&mut self, events: i16) -> Result<(), Error> {
        let wants_to_receive = self.direction() & DIRECTION_READ != 0;
        if wants_to_receive && events & (POLLIN | POLLHUP) != 0 {
            return self.notify_read();
        }
        if matches!(self.transport, Transport::Connecting(_)) && events != 0 {
            return self.continue_connecting();
        }
        if events & POLLOUT != 0 {
            return self.notify_write();
        }
        if events & (POLLERR | POLLNVAL) != 0 {
            let error = Error::new(libc::ENOTCONN, "server closed socket unexpectedly");
            return Err(self.die(error));
        }
        Ok(())
    }

    /// Waits until the connection is made, or the option is done.
    pub(super) fn wait_while_connecting(&mut self) -> Result<(), Error> {
        while self.state() == State::Connecting {
            self.wait(-1, -1)?;
        }
        Ok(())
    }

    /// Waits until a command is done, and retires it.
    pub(super) fn wait_for(&mut self, cookie: u64) -> Result<(), Error> {
        while !self.aio_command_completed(cookie)? {
            if let Err(mut error) = self.wait_for_message() {
                if self.machine.command(cookie).is_some() {
                    // The program may free the buffer as soon as the call
                    // returns, so no reply may come any more.
                    error = self.die(error);
                }
                // What the server said of the command before the connection
                // was lost still counts. Nobody will ask for it any more.
                return match self.completed.take(cookie) {
                    Some(command) if command.error() == 0 => Ok(()),
                    _ => Err(error),
                };
            }
        }
        Ok(())
    }
}
