// SPDX-License-Identifier: LGPL-2.1-or-later

//! A session on a socket: reads in bulk, writes in bulk, never waits.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, OwnedFd, RawFd};
use std::rc::Rc;
use std::time::Instant;

use crate::export::Exports;
use crate::session::Session;
use crate::settings::Settings;

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
    /// Received, but not used yet: the front part of a message, or what has to
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
        self.flush()
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
        if self.blocked || !self.readable || self.ended {
            return Ok(());
        }
        // What is pending is the front of one message, which is shorter than
        // the buffer: there is space behind it.
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
            if self.session.out.is_empty() || !self.writable {
                break;
            }
            let allowance = usize::try_from(self.allowance()).unwrap_or(usize::MAX);
            if allowance == 0 {
                break;
            }
            let limit = self.settings.send_size.min(allowance);
            match self.session.out.write_to(&mut self.stream, limit) {
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

    fn is_over(&self) -> bool {
        if self.settings.close_after.is_some_and(|n| self.sent >= n) {
            return true;
        }
        if self.hangup && self.is_stalled() {
            return true;
        }
        let nothing_to_send = self.session.out.is_empty() && self.session.next_due().is_none();
        if self.ended {
            // Apart from a backlog, what is pending is the front of a message
            // whose end will never come.
            return self.is_stalled() || (nothing_to_send && !self.blocked);
        }
        self.session.is_closing() && nothing_to_send
    }

    fn has_work(&self) -> bool {
        let can_send = !self.session.out.is_empty() && self.writable && self.allowance() > 0;
        let can_take = (self.readable && !self.ended) || self.blocked;
        can_send || (can_take && !self.session.is_full())
    }
}
