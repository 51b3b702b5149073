// SPDX-License-Identifier: LGPL-2.1-or-later

//! A session on a socket: reads in bulk, writes in bulk, never waits.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use crate::export::Exports;
use crate::session::Session;
use crate::settings::Settings;
use crate::tls::{Received, ServerConfig, Tls};

/// Send calls in one turn, so that one client does not keep the others waiting.
const SENDS_PER_TURN: usize = 4096;

/// What the event loop does with a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// There is more to do at once.
    Again,
    /// The next event or time will tell.
    Wait,
    /// It is over.
    End,
}

/// One client's socket and session.
#[derive(Debug)]
pub struct Connection {
    /// Any stream socket: `File` is what reads and writes a descriptor.
    stream: File,
    settings: Rc<Settings>,
    session: Session,
    number: u64,
    /// What STARTTLS leads to.
    offered: Option<Arc<ServerConfig>>,
    tls: Option<Tls>,
    /// Received, decrypted, but not used yet: the front part of a message, or what has to
    /// wait until the client takes its replies.
    pending: Vec<u8>,
    pending_used: usize,
    /// Complete messages are pending, and wait for space in the queue.
    blocked: bool,
    /// The last event said so, and no call has said otherwise since.
    readable: bool,
    writable: bool,
    /// The peer closed: read until the end even after a short read.
    hangup: bool,
    ended: bool,
    sent: u64,
    /// Whether it waits for its turn already.
    pub queued: bool,
}

impl Connection {
    /// A client on `socket`, which does not block.
    pub fn new(
        socket: OwnedFd,
        settings: &Rc<Settings>,
        exports: &Exports,
        number: u64,
    ) -> Connection {
        Connection {
            stream: File::from(socket),
            settings: Rc::clone(settings),
            session: Session::new(settings, exports, number),
            number,
            offered: None,
            tls: None,
            pending: Vec::new(),
            pending_used: 0,
            blocked: false,
            readable: true,
            writable: true,
            hangup: false,
            ended: false,
            sent: 0,
            queued: false,
        }
    }

    /// Has STARTTLS lead to something.
    pub fn offer_tls(&mut self, config: Option<Arc<ServerConfig>>) {
        self.offered = config;
    }

    /// The descriptor to watch.
    pub fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Notes what an event said.
    pub fn ready(&mut self, readable: bool, writable: bool, hangup: bool) {
        self.readable |= readable || hangup;
        self.writable |= writable;
        self.hangup |= hangup;
    }

    /// When a turn is due without an event.
    pub fn next_due(&self) -> Option<Instant> {
        self.session.next_due()
    }

    /// Does what can be done without waiting. `scratch` is the receive buffer
    /// of the whole server: it stays in the cache.
    pub fn turn(&mut self, scratch: &mut [u8], exports: &mut Exports) -> Turn {
        self.session.release();
        match self.work(scratch, exports) {
            Ok(()) if self.is_over() => Turn::End,
            Ok(()) if self.has_work() => Turn::Again,
            Ok(()) => Turn::Wait,
            Err(_) => Turn::End,
        }
    }

    fn work(&mut self, scratch: &mut [u8], exports: &mut Exports) -> io::Result<()> {
        if self.session.is_full() {
            self.flush()?;
        }
        if !self.session.is_full() {
            self.take_in(scratch, exports)?;
        }
        self.flush()?;
        if self.session.awaits_tls() && self.session.out.is_empty() {
            self.start_tls(exports)?;
            self.flush()?;
        }
        if self.settings.close_notify && self.is_finished() {
            if let Some(tls) = &mut self.tls {
                tls.finish();
                self.flush()?;
            }
        }
        Ok(())
    }

    fn pending(&self) -> &[u8] {
        &self.pending[self.pending_used..]
    }

    fn take_in(&mut self, scratch: &mut [u8], exports: &mut Exports) -> io::Result<()> {
        if self.blocked {
            let backlog = &self.pending[self.pending_used..];
            self.pending_used += self.session.consume(backlog, exports);
            self.note_backlog();
        }
        // What follows STARTTLS waits until the reply is sent.
        if self.blocked || !self.readable || self.ended || self.session.awaits_tls() {
            return Ok(());
        }
        if self.tls.is_some() {
            let got = self.receive(scratch)?;
            return self.take_records(&scratch[..got], exports);
        }
        // What is pending is the front of one message, which is shorter than
        // the buffer: there is space after it.
        let had = self.pending().len();
        scratch[..had].copy_from_slice(self.pending());
        let got = self.receive(&mut scratch[had..])?;
        let input = &scratch[..had + got];
        let used = self.session.consume(input, exports);
        self.pending.clear();
        self.pending_used = 0;
        self.pending.extend_from_slice(&input[used..]);
        self.note_backlog();
        Ok(())
    }

    /// The reply to STARTTLS is sent. Bytes that the client sent after the
    /// option are TLS, or refused: plaintext is no message any more.
    fn start_tls(&mut self, exports: &mut Exports) -> io::Result<()> {
        let Some(config) = &self.offered else {
            return Err(io::Error::other("STARTTLS without certificates"));
        };
        self.tls = Some(Tls::new(config)?);
        self.session.start_tls();
        let records = self.pending().to_vec();
        self.pending.clear();
        self.pending_used = 0;
        self.take_records(&records, exports)
    }

    fn take_records(&mut self, records: &[u8], exports: &mut Exports) -> io::Result<()> {
        let Some(tls) = &mut self.tls else {
            return Ok(());
        };
        self.pending.drain(..std::mem::take(&mut self.pending_used));
        let handshaking = tls.is_handshaking();
        let outcome = tls.decrypt(records, &mut self.pending);
        if self.settings.log && handshaking && !tls.is_handshaking() {
            eprintln!("memserver: connection {}: {}", self.number, tls.summary());
        }
        match outcome {
            Ok(Received::Open) => {}
            Ok(Received::Closed) => self.ended = true,
            Err(error) => {
                if self.settings.log {
                    eprintln!("memserver: connection {}: TLS: {error}", self.number);
                }
                self.pending.clear();
                self.session.close();
            }
        }
        self.pending_used = self.session.consume(&self.pending, exports);
        self.note_backlog();
        Ok(())
    }

    fn note_backlog(&mut self) {
        self.blocked = self.session.is_full() && !self.pending().is_empty();
    }

    fn receive(&mut self, space: &mut [u8]) -> io::Result<usize> {
        loop {
            return match self.stream.read(space) {
                Ok(0) => {
                    self.ended = true;
                    self.readable = false;
                    Ok(0)
                }
                Ok(n) => {
                    // Fewer than asked for: the socket is drained.
                    self.readable = n == space.len() || self.hangup;
                    Ok(n)
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    self.readable = false;
                    Ok(0)
                }
                Err(error) => Err(error),
            };
        }
    }

    /// How many bytes may still leave.
    fn allowance(&self) -> u64 {
        let stall = self.settings.stall_after.unwrap_or(u64::MAX);
        let close = self.settings.close_after.unwrap_or(u64::MAX);
        stall.min(close).saturating_sub(self.sent)
    }

    fn is_stalled(&self) -> bool {
        self.settings.stall_after.is_some() && self.allowance() == 0
    }

    fn flush(&mut self) -> io::Result<()> {
        for _ in 0..SENDS_PER_TURN {
            if let Some(tls) = &mut self.tls {
                tls.encrypt(&mut self.session.out)?;
            }
            if !self.has_output() || !self.writable {
                break;
            }
            let allowance = usize::try_from(self.allowance()).unwrap_or(usize::MAX);
            if allowance == 0 {
                break;
            }
            let limit = self.settings.send_size.min(allowance);
            let outcome = match &mut self.tls {
                Some(tls) => tls.write_to(&mut self.stream, limit),
                None => self.session.out.write_to(&mut self.stream, limit),
            };
            match outcome {
                Ok((sent, offered)) => {
                    self.sent += sent as u64;
                    // Less than offered: the socket is full.
                    self.writable = sent == offered;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Whether something can be sent as soon as the socket takes it.
    fn has_output(&self) -> bool {
        !self.session.out.is_empty() || self.tls.as_ref().is_some_and(Tls::has_records)
    }

    /// Whether neither side has anything left to say.
    fn is_finished(&self) -> bool {
        if self.has_output() || self.session.next_due().is_some() {
            return false;
        }
        // Apart from a backlog, what is pending is the front of a message
        // whose end will never come.
        (self.ended && !self.blocked) || self.session.is_closing()
    }

    fn is_over(&self) -> bool {
        if self.settings.close_after.is_some_and(|n| self.sent >= n) {
            return true;
        }
        if self.hangup && self.is_stalled() {
            return true;
        }
        (self.ended && self.is_stalled()) || self.is_finished()
    }

    fn has_work(&self) -> bool {
        let can_send = self.has_output() && self.writable && self.allowance() > 0;
        let can_take = (self.readable && !self.ended && !self.session.awaits_tls()) || self.blocked;
        can_send || (can_take && !self.session.is_full())
    }
}
