// SPDX-License-Identifier: LGPL-2.1-or-later

//! A server that runs a script in a thread.

use std::io::{self, ErrorKind, Read, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::messages;

/// Time limit for a client and for bytes that must arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// The server's end of a connection. Its methods fail if the client has
/// disconnected, which ends most scripts. It uses hardly any memory, so that a
/// test can measure the client's.
pub struct Peer {
    pub socket: UnixStream,
}

/// A request without its range.
pub struct Request {
    pub kind: u16,
    pub cookie: u64,
}

/// A running script.
pub type Script<T> = JoinHandle<io::Result<T>>;

impl Peer {
    /// Runs a script for the client with the returned socket.
    pub fn pair<T: Send + 'static>(
        script: impl FnOnce(&mut Peer) -> io::Result<T> + Send + 'static,
    ) -> (UnixStream, Script<T>) {
        let (client, socket) = UnixStream::pair().expect("a pair of sockets");
        let script = thread::spawn(move || script(&mut Peer::new(socket)?));
        (client, script)
    }

    /// Runs a script for the first client that connects to this new Unix
    /// socket.
    pub fn listen<T: Send + 'static>(
        path: &Path,
        script: impl FnOnce(&mut Peer) -> io::Result<T> + Send + 'static,
    ) -> io::Result<Script<T>> {
        let listener = UnixListener::bind(path)?;
        Ok(thread::spawn(move || {
            script(&mut Peer::new(accept(&listener)?)?)
        }))
    }

    fn new(socket: UnixStream) -> io::Result<Peer> {
        socket.set_read_timeout(Some(PATIENCE))?;
        Ok(Peer { socket })
    }

    pub fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.socket.write_all(bytes)
    }

    /// Sends `times` copies of `pattern`, several at once.
    pub fn repeat(&mut self, pattern: &[u8], times: usize) -> io::Result<()> {
        let at_once = (64 * 1024 / pattern.len()).clamp(1, times.max(1));
        let several = pattern.repeat(at_once);
        let mut left = times;
        while left > 0 {
            let now = left.min(at_once);
            self.send(&several[..now * pattern.len()])?;
            left -= now;
        }
        Ok(())
    }

    pub fn receive<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    /// Appends everything that the client sends until it disconnects. A client
    /// that disconnects with unread data resets the connection.
    pub fn receive_all(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        match self.socket.read_to_end(bytes) {
            Err(e) if e.kind() != ErrorKind::ConnectionReset => Err(e),
            _ => Ok(()),
        }
    }

    /// Sends the greeting and receives the client's flags.
    pub fn greet(&mut self) -> io::Result<()> {
        self.send(&messages::newstyle(3))?;
        self.receive::<4>().map(drop)
    }

    /// Returns the number of the next option.
    pub fn option(&mut self) -> io::Result<u32> {
        let header = self.receive::<16>()?;
        let [.., o0, o1, o2, o3, l0, l1, l2, l3] = header;
        for _ in 0..u32::from_be_bytes([l0, l1, l2, l3]) {
            self.receive::<1>()?;
        }
        Ok(u32::from_be_bytes([o0, o1, o2, o3]))
    }

    /// Agrees to structured replies and to `base:allocation` with the id 42,
    /// and answers GO.
    pub fn negotiate(&mut self, extended_headers: bool) -> io::Result<()> {
        self.greet()?;
        loop {
            let option = self.option()?;
            self.send(&match option {
                11 if !extended_headers => messages::refuse(11, 1),
                10 => messages::allocation(),
                7 => messages::go(1 << 40),
                other => messages::ack(other),
            })?;
            if option == 7 {
                return Ok(());
            }
        }
    }

    /// Returns the next request, whose header is compact or extended.
    pub fn request(&mut self, extended_headers: bool) -> io::Result<Request> {
        let header = self.receive::<28>()?;
        if extended_headers {
            self.receive::<4>()?;
        }
        let [_, _, _, _, _, _, k0, k1, c0, c1, c2, c3, c4, c5, c6, c7, ..] = header;
        Ok(Request {
            kind: u16::from_be_bytes([k0, k1]),
            cookie: u64::from_be_bytes([c0, c1, c2, c3, c4, c5, c6, c7]),
        })
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
