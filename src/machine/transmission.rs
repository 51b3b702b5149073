// SPDX-License-Identifier: LGPL-2.1-or-later

//! Issuing commands and ending the transmission phase.

use super::command::{Command, NewCommand};
use super::core::Machine;
use super::outgoing::{Kind, Unsent};
use super::phase::Phase;
use crate::error::Error;
use crate::protocol::flags::command;
use crate::protocol::request::{Request, RequestType};

/// A part of what is to be sent next.
#[derive(Debug)]
pub enum Piece<'m, T> {
    /// Bytes of the machine's own.
    Bytes(&'m [u8]),
    /// The rest of a write's data, `at` bytes into the user's buffer.
    Data {
        /// The write.
        command: &'m Command<T>,
        /// How far into its buffer.
        at: usize,
    },
}

/// What [`Machine::outgoing`] returns.
#[derive(Debug)]
pub struct Pieces<'m, T> {
    machine: &'m Machine<T>,
    handshake: &'m [u8],
    /// The next request, by its place in the queue.
    request: usize,
    /// How many bytes of that have been sent, or handed out.
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
    /// Queues a command and returns its cookie. Fails where there is no memory for it:
    /// nothing has changed then.
    pub fn issue(&mut self, new: NewCommand<T>) -> Result<u64, Error> {
        let (cookie, request) = self.begin(new)?;
        self.queue(request);
        Ok(cookie)
    }

    /// Takes a command in, and returns its cookie and its request, which has to be queued
    /// or sent. Fails where there is no memory for it: nothing has changed then.
    pub fn begin(&mut self, new: NewCommand<T>) -> Result<(u64, Unsent), Error> {
        self.commands.reserve()?;
        self.outgoing.reserve()?;
        let cookie = self.commands.next_cookie();
        let own_payload = new.payload.as_ref().map(|payload| payload.len() as u64);
        let announced = self.negotiated.extended_headers && new.flags & command::PAYLOAD_LEN != 0;
        let payload = match new.kind {
            RequestType::Write => new.length,
            // A server takes bytes that are not announced for the next request, and
            // they can be announced in an extended header only.
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

    /// `count` bytes of a request have been sent, to which the queue was empty. The rest
    /// is queued.
    pub fn sent_at_once(&mut self, request: Unsent, count: usize) {
        self.traffic.bytes_sent += count as u64;
        self.traffic.chunks_sent += u64::from(count >= request.header().len());
        self.outgoing.push_rest(request, count as u64);
    }

    /// How many commands there are, in flight or not retired.
    pub fn commands(&self) -> usize {
        self.commands.count()
    }

    /// Gives memory back, but for `commands` commands.
    pub fn shrink(&mut self, commands: usize) {
        self.commands.shrink(commands);
        self.outgoing.shrink();
    }

    /// Queues `NBD_CMD_DISC`, with command flags as they go on the wire: the last
    /// request of the connection.
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

    /// Whether `NBD_CMD_DISC` has been queued: no command may follow.
    pub fn is_disconnecting(&self) -> bool {
        matches!(
            *self.phase,
            Phase::Transmission {
                disconnecting: true,
                ..
            }
        )
    }

    /// Whether the last message of the connection, `NBD_CMD_DISC` or
    /// `NBD_OPT_ABORT`, has been sent.
    pub fn has_said_goodbye(&self) -> bool {
        let aborting = matches!(*self.phase, Phase::Aborting(_));
        (aborting || self.is_disconnecting()) && !self.wants_to_send()
    }

    /// What to send next, in order, in pieces of the memory that it lies in.
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

    /// `count` bytes of what [`Machine::outgoing`] said have been sent.
    pub fn sent(&mut self, count: usize) {
        self.traffic.bytes_sent += count as u64;
        self.traffic.chunks_sent += self.outgoing.sent(count);
    }

    /// Takes back the commands of which nothing has been sent yet, and
    /// `NBD_CMD_DISC` if it is among them
    /// (`LIBNBD_SHUTDOWN_ABANDON_PENDING`). The commands stay in flight, for
    /// the owner to end them: all from the cookie on that this returns.
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

    /// Whether data of a write is still to be sent, from the user's buffer.
    pub fn sends_data_of(&self, cookie: u64) -> bool {
        let writes = |command: &Command<T>| command.kind == RequestType::Write;
        self.command(cookie).is_some_and(writes) && self.outgoing.has_unsent(cookie)
    }

    /// A command in flight.
    pub fn command(&self, cookie: u64) -> Option<&Command<T>> {
        self.commands.get(cookie)
    }

    /// A command in flight.
    pub fn command_mut(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        self.commands.get_mut(cookie)
    }

    /// A command is done: it is no longer in flight, and stays until
    /// [`Machine::retire`] takes it out.
    pub fn finish(&mut self, cookie: u64) -> Option<&mut Command<T>> {
        self.commands.finish(cookie)
    }

    /// A command that is done and not retired.
    pub fn finished(&self, cookie: u64) -> Option<&Command<T>> {
        self.commands.finished(cookie)
    }

    /// Takes out a command that is done, unless `keeps` says that it stays. Says that, too.
    pub fn retire_unless(
        &mut self,
        cookie: u64,
        keeps: impl FnOnce(&mut Command<T>) -> bool,
    ) -> bool {
        self.commands.retire_unless(cookie, keeps)
    }

    /// Takes out a command that is done.
    pub fn retire(&mut self, cookie: u64) -> Option<Command<T>> {
        self.commands.retire(cookie)
    }

    /// Takes out a command in flight: it is done, and not of interest any more.
    pub fn take(&mut self, cookie: u64) -> Option<Command<T>> {
        self.finish(cookie)?;
        self.retire(cookie)
    }

    /// Commands in flight, in the order in which they fail with the connection: all of
    /// them, unless there is no memory for so many cookies. Then it is the first ones,
    /// and once they have ended, the next can be asked for. None when there are none.
    pub fn failing(&self) -> Vec<u64> {
        self.commands.failing(self.unsent_from)
    }

    /// The same for those from that cookie on, oldest first.
    pub fn failing_from(&self, cookie: u64) -> Vec<u64> {
        let mut failing = self.commands.failing(cookie);
        let count = failing.partition_point(|other| *other >= cookie);
        failing.truncate(count);
        failing
    }

    /// How many commands are in flight. `NBD_CMD_DISC` is one until the
    /// server has acted on it by closing the connection.
    pub fn in_flight(&self) -> usize {
        self.commands.len() + usize::from(self.is_disconnecting())
    }
}
