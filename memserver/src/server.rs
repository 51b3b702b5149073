// SPDX-License-Identifier: LGPL-2.1-or-later

//! The event loop: one thread, every listener and every connection.

use std::collections::VecDeque;
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use crate::connection::{Connection, Turn};
use crate::delivery::Delivery;
use crate::export::Exports;
use crate::listener::Listener;
use crate::settings::Settings;
use crate::tls::ServerConfig;

/// Size of the receive buffer shared by all connections: more than a hundred
/// requests of 4 KiB in one call, and small enough to stay in the processor's
/// cache.
const RECEIVE: usize = 512 << 10;

const STOP: Token = Token(usize::MAX - 1);

/// The exports and the sockets that serve them.
#[derive(Debug)]
pub struct Server {
    poll: Poll,
    settings: Rc<Settings>,
    exports: Exports,
    listeners: Vec<Listener>,
    /// True if a listener may have clients left that could not be accepted.
    accept_again: bool,
    connections: Vec<Option<Connection>>,
    free: Vec<usize>,
    turns: VecDeque<usize>,
    scratch: Vec<u8>,
    /// Connections started, and connections finished.
    begun: u64,
    over: u64,
    stop: Option<OwnedFd>,
    /// TLS configuration for STARTTLS.
    tls: Option<Arc<ServerConfig>>,
    /// True if connections may hold replies that become due at some time.
    holds_replies: bool,
}

impl Server {
    /// Creates a server without a socket.
    pub fn new(settings: Settings, exports: Exports) -> io::Result<Server> {
        let holds_replies = Delivery::new(&settings).is_some();
        Ok(Server {
            poll: Poll::new()?,
            settings: Rc::new(settings),
            exports,
            listeners: Vec::new(),
            accept_again: false,
            connections: Vec::new(),
            free: Vec::new(),
            turns: VecDeque::new(),
            scratch: vec![0; RECEIVE],
            begun: 0,
            over: 0,
            stop: None,
            tls: None,
            holds_replies,
        })
    }

    /// Offers TLS to clients.
    pub fn encrypt_with(&mut self, config: Arc<ServerConfig>) {
        self.tls = Some(config);
    }

    /// Accepts clients on `listener`.
    pub fn listen(&mut self, mut listener: Listener) -> io::Result<()> {
        let token = Token(self.listeners.len() * 2);
        listener.register(self.poll.registry(), token)?;
        self.listeners.push(listener);
        Ok(())
    }

    /// Stops [`Server::run`] when `fd` becomes readable.
    pub fn stop_on(&mut self, fd: OwnedFd) -> io::Result<()> {
        let number = fd.as_raw_fd();
        let mut source = SourceFd(&number);
        self.poll
            .registry()
            .register(&mut source, STOP, Interest::READABLE)?;
        self.stop = Some(fd);
        Ok(())
    }

    /// Serves a connected client. The socket must be non-blocking.
    pub fn serve(&mut self, socket: OwnedFd) -> io::Result<()> {
        let slot = self.free.pop().unwrap_or_else(|| {
            self.connections.push(None);
            self.connections.len() - 1
        });
        self.begun += 1;
        let mut connection = Connection::new(socket, &self.settings, &self.exports, self.begun);
        connection.offer_tls(self.tls.clone());
        let registered = self.poll.registry().register(
            &mut SourceFd(&connection.fd()),
            connection_token(slot),
            Interest::READABLE | Interest::WRITABLE,
        );
        if let Err(error) = registered {
            self.free.push(slot);
            return Err(error);
        }
        connection.queued = true;
        self.connections[slot] = Some(connection);
        self.turns.push_back(slot);
        Ok(())
    }

    /// Serves until [`Server::stop_on`] stops it, until `limit` connections
    /// have finished, or until there is neither a connection nor a listener.
    pub fn run(&mut self, limit: Option<u64>) -> io::Result<()> {
        let mut events = Events::with_capacity(256);
        loop {
            let idle = self.listeners.is_empty() && self.begun == self.over;
            if idle || limit.is_some_and(|limit| self.over >= limit) {
                return Ok(());
            }
            let timeout = self.timeout();
            match self.poll.poll(&mut events, timeout) {
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                outcome => outcome?,
            }
            for event in &events {
                let token = event.token();
                if token == STOP {
                    return Ok(());
                }
                if token.0 % 2 == 0 {
                    self.accept_from(token.0 / 2)?;
                    continue;
                }
                if let Some(Some(connection)) = self.connections.get_mut(token.0 / 2) {
                    let hangup = event.is_read_closed() || event.is_error();
                    connection.ready(event.is_readable(), event.is_writable(), hangup);
                    queue(&mut self.turns, token.0 / 2, connection);
                }
            }
            self.take_turns()?;
        }
    }

    fn timeout(&self) -> Option<Duration> {
        if !self.turns.is_empty() {
            return Some(Duration::ZERO);
        }
        if !self.holds_replies {
            return None;
        }
        let connections = self.connections.iter().flatten();
        let due = connections.filter_map(Connection::next_due).min()?;
        Some(due.saturating_duration_since(Instant::now()))
    }

    fn accept_from(&mut self, listener: usize) -> io::Result<()> {
        loop {
            match self.listeners[listener].accept() {
                Ok(Some(socket)) => self.serve(socket)?,
                Ok(None) => return Ok(()),
                // Out of descriptors or memory: retry when a connection ends.
                Err(_) => {
                    self.accept_again = true;
                    return Ok(());
                }
            }
        }
    }

    fn take_turns(&mut self) -> io::Result<()> {
        if self.holds_replies {
            let now = Instant::now();
            for (slot, connection) in self.connections.iter_mut().enumerate() {
                if let Some(connection) = connection {
                    if connection.next_due().is_some_and(|due| due <= now) {
                        queue(&mut self.turns, slot, connection);
                    }
                }
            }
        }
        for _ in 0..self.turns.len() {
            let Some(slot) = self.turns.pop_front() else {
                break;
            };
            let Some(connection) = &mut self.connections[slot] else {
                continue;
            };
            connection.queued = false;
            match connection.turn(&mut self.scratch, &mut self.exports) {
                Turn::Again => queue(&mut self.turns, slot, connection),
                Turn::Wait => {}
                Turn::End => self.end(slot)?,
            }
        }
        Ok(())
    }

    fn end(&mut self, slot: usize) -> io::Result<()> {
        let Some(connection) = self.connections[slot].take() else {
            return Ok(());
        };
        self.poll
            .registry()
            .deregister(&mut SourceFd(&connection.fd()))?;
        drop(connection);
        self.free.push(slot);
        self.over += 1;
        if std::mem::take(&mut self.accept_again) {
            for listener in 0..self.listeners.len() {
                self.accept_from(listener)?;
            }
        }
        Ok(())
    }
}

fn queue(turns: &mut VecDeque<usize>, slot: usize, connection: &mut Connection) {
    if !connection.queued {
        connection.queued = true;
        turns.push_back(slot);
    }
}

/// Returns the token of a connection: even tokens are listeners, odd ones
/// connections.
fn connection_token(slot: usize) -> Token {
    Token(slot * 2 + 1)
}
