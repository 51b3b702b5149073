// SPDX-License-Identifier: LGPL-2.1-or-later

//! A session on a socket, with batched, non-blocking reads and writes.

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

/// Maximum number of send calls in one turn, so that one client cannot starve
/// the others.
const SENDS_PER_TURN: usize = 4096;

/// The event loop's next step for a connection after its turn.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// More work is ready now.
    Again,
    /// Wait for the next event or deadline.
    Wait,
    /// The connection is finished.
    End,
}

/// One client's socket and session.
#[derive(Debug)]
pub struct Connection {
    /// Any stream socket; `File` reads and writes the descriptor.
    stream: File,
    settings: Rc<Settings>,
    session: Session,
    number: u64,
    /// TLS configuration for STARTTLS, if TLS is offered.
    offered: Option<Arc<ServerConfig>>,
    tls: Option<Tls>,
    /// Bytes received and decrypted but not yet handled: a partial message, or
    /// input held back until the client reads its replies.
    pending: Vec<u8>,
    pending_used: usize,
    /// True if complete messages are pending and wait for space in the output
    /// queue.
    blocked: bool,
    /// True if the socket is readable as far as is known: set by an event,
    /// cleared by a call that would block.
    readable: bool,
    writable: bool,
    /// True if the peer has closed: then read until end of file even after a
    /// short read.
    hangup: bool,
    ended: bool,
    sent: u64,
    /// True if the connection is queued for a turn.
    pub queued: bool,
}

impl Connection {
    /// Creates a connection to the client on `socket`, which must be
    /// non-blocking.
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

    /// Sets the TLS configuration to use for STARTTLS.
    pub fn offer_tls(&mut self, config: Option<Arc<ServerConfig>>) {
        self.offered = config;
    }

    /// Returns the descriptor to watch.
    pub fn fd(&self) -> RawFd {
        self.stream.as_raw_fd()
    }

    /// Records the readiness reported by an event.
    pub fn ready(&mut self, readable: bool, writable: bool, hangup: bool) {
        self.readable |= readable || hangup;
        self.writable |= writable;
        self.hangup |= hangup;
    }

    /// Returns the time at which a turn is due without an event.
    pub fn next_due(&self) -> Option<Instant> {
        self.session.next_due()
    }

    /// Does all work that is possible without blocking. `scratch` is the
    /// receive buffer shared by the whole server, so that it stays in the
    /// cache.
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
            self.handle_input(scratch, exports)?;
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

    fn handle_input(&mut self, scratch: &mut [u8], exports: &mut Exports) -> io::Result<()> {
        if self.blocked {
            let backlog = &self.pending[self.pending_used..];
            self.pending_used += self.session.consume(backlog, exports);
            self.note_backlog();
        }
        // Input after STARTTLS waits until the reply has been sent.
        if self.blocked || !self.readable || self.ended || self.session.awaits_tls() {
            return Ok(());
        }
        if self.tls.is_some() {
            let got = self.receive(scratch)?;
            return self.take_records(&scratch[..got], exports);
        }
        // The pending bytes are one partial message, which is shorter than the
        // buffer: there is space after it.
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

    /// Begins TLS once the reply to STARTTLS has been sent. Bytes that the
    /// client sent after the option are either TLS or refused: plaintext is no
    /// longer accepted.
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
                    // A short read: the socket is drained.
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

    /// Returns the number of bytes that may still be sent.
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
                    // A short write: the socket is full.
                    self.writable = sent == offered;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => self.writable = false,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Returns true if output is ready to send as soon as the socket accepts
    /// it.
    fn has_output(&self) -> bool {
        !self.session.out.is_empty() || self.tls.as_ref().is_some_and(Tls::has_records)
    }

    /// Returns true if neither side has anything left to send.
    fn is_finished(&self) -> bool {
        if self.has_output() || self.session.next_due().is_some() {
            return false;
        }
        // Apart from a backlog, the pending bytes are a partial message that
        // will never be completed.
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
