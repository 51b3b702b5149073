// SPDX-License-Identifier: LGPL-2.1-or-later

//! The other end of a client's connection, played by the test: a scripted
//! server, or an attacker between client and server.

use std::io::{self, ErrorKind, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::seen::Seen;
use support::servers::Address;
use support::Result;

/// Time limit for bytes that must arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The handshake of a server up to its flags.
const GREETING: &[u8] = b"NBDMAGICIHAVEOPT\0\x03";
/// Length of a client's flags and of an option without data.
const FLAGS_AND_OPTION: usize = 4 + 16;

/// A peer that waits for one client on its own socket.
pub struct Peer {
    address: Address,
    thread: JoinHandle<io::Result<Vec<u8>>>,
}

/// The server's behaviour after its answer to STARTTLS.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Then {
    /// Waits for the client to disconnect.
    Listen,
    /// Shuts down its sending side, then waits.
    HangUp,
    /// Closes, possibly with bytes unread.
    Close,
}

/// Manipulation of the bytes in one direction.
#[derive(Clone, Debug)]
pub enum Tampering {
    Nothing,
    /// Inserts these bytes after the first `at`.
    Insert {
        at: usize,
        bytes: Vec<u8>,
    },
    /// Changes the last byte of the record with this number, after the first
    /// `start` bytes. Change-cipher records are not counted.
    Flip {
        start: usize,
        number: usize,
    },
    /// Ends the connection after this many bytes.
    Cut(usize),
    /// Splits them into small pieces: single bytes at first.
    Pieces,
}

impl Peer {
    /// Creates a server that answers the client's first option, whatever it is,
    /// with these bytes.
    pub fn answer(directory: &Path, name: &str, answer: Vec<u8>, then: Then) -> Result<Peer> {
        Peer::start(directory, name, move |mut client| {
            client.write_all(GREETING)?;
            let mut seen = vec![0; FLAGS_AND_OPTION];
            client.read_exact(&mut seen)?;
            client.write_all(&answer)?;
            match then {
                Then::Listen => {}
                Then::HangUp => client.shutdown(Shutdown::Write)?,
                Then::Close => return Ok(seen),
            }
            read_to_end(&mut client, &mut seen)?;
            Ok(seen)
        })
    }

    /// Creates an attacker between the client and this server.
    pub fn between(
        directory: &Path,
        name: &str,
        server: &Address,
        to_server: Tampering,
        to_client: Tampering,
    ) -> Result<Peer> {
        let Address::Unix(socket) = server.clone() else {
            return Err(format!("{server} is no Unix socket"));
        };
        Peer::start(directory, name, move |client| {
            let server = UnixStream::connect(&socket)?;
            server.set_read_timeout(Some(PATIENCE))?;
            let (from, to) = (server.try_clone()?, client.try_clone()?);
            let back = thread::spawn(move || pass_on(from, to, &to_client));
            let seen = pass_on(client, server, &to_server);
            let _ = back.join();
            Ok(seen)
        })
    }

    fn start(
        directory: &Path,
        name: &str,
        play: impl FnOnce(UnixStream) -> io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Peer> {
        let socket: PathBuf = directory.join(format!("{name}.peer"));
        let listener =
            UnixListener::bind(&socket).map_err(|e| format!("{}: {e}", socket.display()))?;
        let thread = thread::spawn(move || {
            let client = accept(&listener)?;
            client.set_read_timeout(Some(PATIENCE))?;
            play(client)
        });
        Ok(Peer {
            address: Address::Unix(socket),
            thread,
        })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns everything that the client sent until it disconnected.
    pub fn seen(self) -> Result<Seen> {
        let seen = self.thread.join().map_err(|_| "a peer panicked")?;
        seen.map(Seen).map_err(|e| format!("{}: {e}", self.address))
    }
}

fn accept(listener: &UnixListener) -> io::Result<UnixStream> {
    listener.set_nonblocking(true)?;
    let start = Instant::now();
    loop {
        match listener.accept() {
            Ok((client, _)) => {
                client.set_nonblocking(false)?;
                return Ok(client);
            }
            Err(e) if e.kind() == ErrorKind::WouldBlock && start.elapsed() < PATIENCE => {
                thread::sleep(Duration::from_millis(2));
            }
            Err(e) => return Err(e),
        }
    }
}

/// Treats a reset like end of file: a client that disconnects with unread data
/// resets the connection.
fn read_to_end(client: &mut UnixStream, seen: &mut Vec<u8>) -> io::Result<()> {
    match client.read_to_end(seen) {
        Err(e) if e.kind() != ErrorKind::ConnectionReset => Err(e),
        _ => Ok(()),
    }
}

/// Copies until one side disconnects, and returns all bytes from the first.
fn pass_on(mut from: UnixStream, mut to: UnixStream, tampering: &Tampering) -> Vec<u8> {
    let mut seen = Vec::new();
    let mut buffer = vec![0; 65_536];
    loop {
        let count = match from.read(&mut buffer) {
            Ok(0) | Err(_) => break,
            Ok(count) => count,
        };
        let before = seen.len();
        seen.extend_from_slice(&buffer[..count]);
        if send(&mut to, &seen, before, tampering).is_err() {
            break;
        }
        if matches!(tampering, Tampering::Cut(end) if seen.len() >= *end) {
            let _ = from.shutdown(Shutdown::Both);
            let _ = to.shutdown(Shutdown::Both);
            break;
        }
    }
    let _ = to.shutdown(Shutdown::Write);
    seen
}

/// Sends the bytes after the first `before`.
fn send(to: &mut UnixStream, seen: &[u8], before: usize, tampering: &Tampering) -> io::Result<()> {
    let mut new = seen[before..].to_vec();
    match tampering {
        Tampering::Nothing => {}
        Tampering::Insert { at, bytes } => {
            // In one packet with the preceding bytes, so that the client cannot
            // receive one without the other.
            if (before + 1..=seen.len()).contains(at) {
                new.splice(at - before..at - before, bytes.iter().copied());
            }
        }
        Tampering::Flip { start, number } => {
            let at = seen.get(*start..).and_then(|r| end_of_record(r, *number));
            if let Some(last) = at.and_then(|at| (start + at).checked_sub(before + 1)) {
                if let Some(byte) = new.get_mut(last) {
                    *byte ^= 1;
                }
            }
        }
        Tampering::Cut(end) => new.truncate(end.saturating_sub(before)),
        Tampering::Pieces => return send_pieces(to, &new, before),
    }
    to.write_all(&new)
}

/// Returns the end of the TLS record with this number, once its header has
/// arrived.
fn end_of_record(records: &[u8], number: usize) -> Option<usize> {
    const CHANGE_CIPHER_SPEC: u8 = 20;
    let (mut at, mut left) = (0, number);
    loop {
        let header = records.get(at..)?.first_chunk::<5>()?;
        let end = at + 5 + usize::from(u16::from_be_bytes([header[3], header[4]]));
        if header[0] != CHANGE_CIPHER_SPEC {
            if left == 0 {
                return Some(end);
            }
            left -= 1;
        }
        at = end;
    }
}

/// Sends pieces of increasing length, with time for the other side to see the
/// first ones separately.
fn send_pieces(to: &mut UnixStream, mut new: &[u8], mut sent: usize) -> io::Result<()> {
    while !new.is_empty() {
        let size = match sent {
            ..1500 => 1,
            1500..8000 => 37,
            _ => 7001,
        };
        let (piece, rest) = new.split_at(size.min(new.len()));
        to.write_all(piece)?;
        sent += piece.len();
        new = rest;
        thread::sleep(Duration::from_micros(20));
    }
    Ok(())
}
