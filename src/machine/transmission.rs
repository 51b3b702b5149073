// SPDX-License-Identifier: LGPL-2.1-or-later

//! Issuing commands, and ending the transmission phase.

use libc::c_int;

use super::command::{Command, NewCommand};
use super::core::Machine;
use super::outgoing::{Kind, Sending, Unsent};
use super::phase::Phase;
use crate::error::Error;
use crate::memory::NoMemory;
use crate::protocol::flags::command;
use crate::protocol::request::{Request, RequestType};

/// A piece of the data to send next.
#[derive(Debug)]
pub enum Piece<'m, T> {
    /// Bytes in the machine.
    Bytes(&'m [u8]),
    /// The rest of a write's data, from offset `at` of the user's buffer.
    Data {
        /// The write.
        command: &'m Command<T>,
        /// Offset in its buffer.
        at: usize,
    },
}

/// The iterator returned by [`Machine::outgoing`].
#[derive(Debug)]
pub struct Pieces<'m, T> {
    machine: &'m Machine<T>,
    handshake: &'m [u8],
    /// The index of the next request in the queue.
    request: usize,
    /// The number of bytes of that request that were sent or returned.
    at: u64,
}

impl<'m, T> Iterator for Pieces<'m, T> {
    type Item = Piece<'m, T>;

    fn next(&mut self) -> Option<Piece<'m, T>> {
        if !self.handshake.is_empty() {
            return Some(Piece::Bytes(std::mem::take(&mut self.handshake)));
        }
        loop {
            let request = self.machine.outgoing.request(self.request)?;
            let header = request.header();
            let at = std::mem::replace(&mut self.at, header.len() as u64);
            if at < header.len() as u64 {
                return Some(Piece::Bytes(&header[at as usize..]));
            }
            (self.request, self.at) = (self.request + 1, 0);
            if request.payload > 0 {
                let at = at as usize - header.len();
                let payload = self.machine.payload_piece(request, at);
                if payload.is_some() {
                    return payload;
                }
            }
        }
    }
}

impl<T> Machine<T> {
    /// Queues a command and returns its cookie. Fails when out of memory; then nothing has
    /// changed.
    pub fn issue(&mut self, new: NewCommand<T>) -> Result<u64, Error> {
        let (cookie, request) = self.begin(new)?;
        self.queue(request);
        Ok(cookie)
    }

    /// Starts a command, and returns its cookie and its request, which must be queued or sent.
    /// Fails when out of memory; then nothing has changed.
    pub fn begin(&mut self, new: NewCommand<T>) -> Result<(u64, Unsent), Error> {
        self.commands.reserve()?;
        self.outgoing.reserve()?;
        let cookie = self.commands.next_cookie();
        let own_payload = new.payload.as_ref().map(|payload| payload.len() as u64);
        let announced = self.negotiated.extended_headers && new.flags & command::PAYLOAD_LEN != 0;
        let payload = match new.kind {
            RequestType::Write => new.length,
            // A server parses a payload that is not announced as the next request, and only
            // extended headers can announce one.
            // Source: proto.md, "Request message"; seen with libnbd 1.24.4.
            _ if announced => own_payload.unwrap_or(0),
            _ => 0,
        };
        let request = Request {
            flags: new.flags,
            kind: new.kind,
            cookie,
            offset: new.offset,
            length: own_payload.unwrap_or(new.length),
        };
        self.commands.insert(Command::new(cookie, new));
        let request = self.unsent(Kind::Request { cookie }, &request, payload);
        Ok((cookie, request))
    }

    /// Queues the request of a command.
    pub fn queue(&mut self, request: Unsent) {
        self.outgoing.push(request);
    }

    /// Records that `count` bytes of a request were sent, while the queue was empty. The rest is
    /// queued.
    pub fn sent_at_once(&mut self, request: Unsent, count: usize) {
        self.traffic.bytes_sent += count as u64;
        self.traffic.chunks_sent += u64::from(count >= request.header().len());
        self.outgoing.push_rest(request, count as u64);
    }

    /// Returns the number of commands, in flight or not retired.
    pub fn commands(&self) -> usize {
        self.commands.count()
    }

    /// Shrinks the memory to `commands` commands.
    pub fn shrink(&mut self, commands: usize) {
        self.commands.shrink(commands);
        self.outgoing.shrink();
    }

    /// Queues `NBD_CMD_DISC`, the last request of the connection, with command flags for the
    /// wire.
    pub fn disconnect(&mut self, flags: u16) {
        let Some(disconnecting) = self.phase.disconnecting_mut() else {
            return;
        };
        if std::mem::replace(disconnecting, true) {
            return;
        }
        let request = Request {
            flags,
            kind: RequestType::Disconnect,
            cookie: self.commands.next_cookie(),
            offset: 0,
            length: 0,
        };
        self.outgoing
            .push(self.unsent(Kind::Disconnect, &request, 0));
    }

    fn unsent(&self, kind: Kind, request: &Request, payload: u64) -> Unsent {
        if self.negotiated.extended_headers {
            Unsent::new(kind, &request.extended(), payload)
        } else {
            Unsent::new(kind, &request.compact(), payload)
        }
    }

    /// Returns true if `NBD_CMD_DISC` has been queued: no command may follow.
    pub fn is_disconnecting(&self) -> bool {
        matches!(
            *self.phase,
            Phase::Transmission {
                disconnecting: true,
                ..
            }
        )
    }

    /// Returns true if the last message of the connection, `NBD_CMD_DISC` or `NBD_OPT_ABORT`, has
    /// been sent.
    pub fn has_sent_last_message(&self) -> bool {
        let aborting = matches!(*self.phase, Phase::Aborting(_));
        (aborting || self.is_disconnecting()) && !self.wants_to_send()
    }

    /// Returns the data to send next, in order, as pieces of memory.
    pub fn outgoing(&self) -> Pieces<'_, T> {
        Pieces {
            machine: self,
            handshake: self.outgoing.handshake_left(),
            request: 0,
            at: self.outgoing.first_sent(),
        }
    }

    fn payload_piece(&self, request: &Unsent, at: usize) -> Option<Piece<'_, T>> {
        let Kind::Request { cookie } = request.kind else {
            return None;
        };
        let command = self.commands.get(cookie)?;
        Some(match &command.payload {
            Some(payload) => Piece::Bytes(&payload[at..]),
            None => Piece::Data { command, at },
        })
    }

    /// Records that `count` bytes of [`Machine::outgoing`] were sent.
    pub fn sent(&mut self, count: usize) {
        self.traffic.bytes_sent += count as u64;
        self.traffic.chunks_sent += self.outgoing.sent(count);
    }

    /// Removes unsent requests from the queue, including `NBD_CMD_DISC`
    /// (`LIBNBD_SHUTDOWN_ABANDON_PENDING`). Their commands stay in flight, and the owner must
    /// complete them: all from the returned cookie on.
    pub fn abandon_unsent(&mut self) -> Option<u64> {
        let (first, last) = self.outgoing.abandon()?;
        if last == Kind::Disconnect {
            if let Some(disconnecting) = self.phase.disconnecting_mut() {
                *disconnecting = false;
            }
        }
        match first {
            Kind::Request { cookie } => Some(cookie),
            Kind::Disconnect => None,
        }
    }

    /// Returns true if data of a write is still to be sent from the user's buffer.
    pub fn sends_data_of(&self, cookie: u64) -> bool {
        let writes = |command: &Command<T>| command.kind == RequestType::Write;
        self.command(cookie).is_some_and(writes) && self.outgoing.has_unsent(cookie)
    }

    /// Returns a command in flight.
    pub fn command(&self, cookie: u64) -> Option<&Command<T>> {
        self.commands.in_flight(cookie)
    }

    /// Returns a command in flight, for changes.
    pub fn command_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        self.commands.in_flight_mut(cookie)
    }

    /// Completes a command in flight, which stays until it is retired. Returns `None` if it is
    /// not in flight; a cancelled command then expects no reply any more.
    pub fn finish(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        self.commands.finish(cookie)
    }

    /// Completes a command in flight with an error now. A request that has not begun to be sent
    /// is not sent; otherwise, the reply is ignored when it arrives. The owner's memory is not
    /// used any more: if a write is partly sent, `copy` returns a copy of its data.
    ///
    /// Returns the command. Fails if there is no memory for the copy; then nothing has changed.
    /// The command must be in flight.
    pub fn cancel(
        &mut self,
        cookie: u64,
        errno: c_int,
        copy: impl FnOnce(&Command<T>) -> Result<Box<[u8]>, NoMemory>,
    ) -> Result<&mut Command<T>, NoMemory> {
        match self.outgoing.progress(cookie) {
            Sending::NotBegun => {
                self.outgoing.remove(cookie);
                self.commands.cancel(cookie, errno);
                self.commands.finish(cookie);
            }
            Sending::Begun => {
                let command = self.commands.in_flight_mut(cookie);
                let command = command.filter(|it| it.kind == RequestType::Write);
                if let Some(command) = command {
                    command.payload = Some(copy(command)?);
                }
                self.commands.cancel(cookie, errno);
            }
            Sending::Sent => self.commands.cancel(cookie, errno),
        }
        let command = self.commands.completed_mut(cookie);
        Ok(command.expect("a command in flight was completed"))
    }

    /// Returns a completed command that is not retired.
    pub fn completed(&self, cookie: u64) -> Option<&Command<T>> {
        self.commands.completed(cookie)
    }

    /// Replaces the error of a completed command that is not retired.
    pub fn replace_error(&mut self, cookie: u64, errno: c_int) {
        if let Some(command) = self.commands.completed_mut(cookie) {
            command.replace_error(errno);
        }
    }

    /// Retires a completed command, unless `keeps` returns true. Returns the result of `keeps`.
    pub fn retire_unless(
        &mut self,
        cookie: u64,
        keeps: impl FnOnce(&mut Command<T>) -> bool,
    ) -> bool {
        self.commands.retire_unless(cookie, keeps)
    }

    /// Retires a completed command.
    pub fn retire(&mut self, cookie: u64) {
        self.commands.retire(cookie);
    }

    /// Returns the commands in flight in the order in which they fail with the connection. If
    /// there is not enough memory for all cookies, returns the first ones; call it again after
    /// these have ended. Empty if there are none.
    pub fn failing(&self) -> Vec<u64> {
        self.commands.failing(self.unsent_from)
    }

    /// Returns the commands in flight from this cookie on, oldest first.
    pub fn failing_from(&self, cookie: u64) -> Vec<u64> {
        let mut failing = self.commands.failing(cookie);
        let count = failing.partition_point(|other| *other >= cookie);
        failing.truncate(count);
        failing
    }

    /// Returns the number of commands in flight. `NBD_CMD_DISC` counts until the server has
    /// closed the connection.
    pub fn in_flight(&self) -> usize {
        self.commands.len() + usize::from(self.is_disconnecting())
    }
}
