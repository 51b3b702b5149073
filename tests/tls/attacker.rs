// SPDX-License-Identifier: LGPL-2.1-or-later

//! An attacker in place of a server, or between client and server.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::Duration;

use scripted_server::{messages, Peer, Script};

use crate::seen::Seen;
use support::servers::Address;
use support::Result;

/// An attacker that waits for one client on its own socket.
pub struct Attacker {
    address: Address,
    script: Script<Vec<u8>>,
}

/// The attacker's behaviour after its answer to STARTTLS.
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

impl Attacker {
    /// Answers the client's first option with these bytes.
    pub fn answer(directory: &Path, name: &str, answer: Vec<u8>, then: Then) -> Result<Attacker> {
        Attacker::start(directory, name, move |peer| {
            peer.send(&messages::newstyle(3))?;
            // The client's flags and an option without data.
            let mut seen = peer.receive::<20>()?.to_vec();
            peer.send(&answer)?;
            match then {
                Then::Listen => {}
                Then::HangUp => peer.socket.shutdown(Shutdown::Write)?,
                Then::Close => return Ok(seen),
            }
            peer.receive_all(&mut seen)?;
            Ok(seen)
        })
    }

    /// Passes the bytes on between the client and this server.
    pub fn between(
        directory: &Path,
        name: &str,
        server: &Address,
        to_server: Tampering,
        to_client: Tampering,
    ) -> Result<Attacker> {
        let Address::Unix(socket) = server.clone() else {
            return Err(format!("{server} is no Unix socket"));
        };
        Attacker::start(directory, name, move |peer| {
            let server = UnixStream::connect(&socket)?;
            server.set_read_timeout(peer.socket.read_timeout()?)?;
            let (from, to) = (server.try_clone()?, peer.socket.try_clone()?);
            let back = thread::spawn(move || pass_on(from, to, &to_client));
            let seen = pass_on(peer.socket.try_clone()?, server, &to_server);
            let _ = back.join();
            Ok(seen)
        })
    }

    fn start(
        directory: &Path,
        name: &str,
        script: impl FnOnce(&mut Peer) -> io::Result<Vec<u8>> + Send + 'static,
    ) -> Result<Attacker> {
        let socket = directory.join(format!("{name}.attacker"));
        let script =
            Peer::listen(&socket, script).map_err(|e| format!("{}: {e}", socket.display()))?;
        Ok(Attacker {
            address: Address::Unix(socket),
            script,
        })
    }

    pub fn address(&self) -> &Address {
        &self.address
    }

    /// Returns everything that the client sent until it disconnected.
    pub fn seen(self) -> Result<Seen> {
        let seen = self.script.join().map_err(|_| "an attacker panicked")?;
        seen.map(Seen).map_err(|e| format!("{}: {e}", self.address))
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
