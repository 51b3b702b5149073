// SPDX-License-Identifier: LGPL-2.1-or-later

//! A server that sends as much as a client accepts. It uses hardly any memory
//! itself, so the measured memory is the client's.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::thread::JoinHandle;

use crate::server;

/// The server's end of a connection. Send and receive errors are ignored: the
/// client has disconnected.
pub struct Hostile {
    socket: UnixStream,
}

impl Hostile {
    /// Runs `script` against the returned socket.
    pub fn start(script: fn(&mut Hostile)) -> (UnixStream, JoinHandle<()>) {
        let (client, socket) = UnixStream::pair().expect("a pair of sockets");
        let server = std::thread::spawn(move || script(&mut Hostile { socket }));
        (client, server)
    }

    pub fn send(&mut self, bytes: &[u8]) -> bool {
        self.socket.write_all(bytes).is_ok()
    }

    /// Sends `times` copies of `pattern`, several at once.
    pub fn repeat(&mut self, pattern: &[u8], times: usize) {
        let at_once = (64 * 1024 / pattern.len()).clamp(1, times.max(1));
        let several = pattern.repeat(at_once);
        let mut left = times;
        while left > 0 {
            let now = left.min(at_once);
            if !self.send(&several[..now * pattern.len()]) {
                return;
            }
            left -= now;
        }
    }

    fn receive<const N: usize>(&mut self) -> Option<[u8; N]> {
        let mut bytes = [0; N];
        self.socket.read_exact(&mut bytes).ok()?;
        Some(bytes)
    }

    /// Sends the greeting and reads the client's flags.
    pub fn greet(&mut self) {
        self.send(&server::newstyle(3));
        self.receive::<4>();
    }

    /// Returns the number of the next option.
    pub fn option(&mut self) -> Option<u32> {
        let header = self.receive::<16>()?;
        let [.., o0, o1, o2, o3, l0, l1, l2, l3] = header;
        let mut left = u32::from_be_bytes([l0, l1, l2, l3]);
        while left > 0 {
            self.receive::<1>()?;
            left -= 1;
        }
        Some(u32::from_be_bytes([o0, o1, o2, o3]))
    }

    /// Agrees to structured replies and to `base:allocation` with the id 42,
    /// and answers GO.
    pub fn negotiate(&mut self, extended_headers: bool) {
        self.greet();
        while let Some(option) = self.option() {
            self.send(&match option {
                11 if !extended_headers => server::refuse(11, 1),
                10 => [
                    server::meta_context(10, 42, "base:allocation"),
                    server::ack(10),
                ]
                .concat(),
                7 => [
                    server::info_export(7, 1 << 40, server::FLAGS),
                    server::ack(7),
                ]
                .concat(),
                other => server::ack(other),
            });
            if option == 7 {
                return;
            }
        }
    }

    /// Returns the cookie of the next request, whose header is compact or
    /// extended.
    pub fn request(&mut self, extended_headers: bool) -> Option<u64> {
        let header = self.receive::<28>()?;
        if extended_headers {
            self.receive::<4>()?;
        }
        header[8..16].try_into().ok().map(u64::from_be_bytes)
    }

    /// Answers each NBD_CMD_FLUSH together with the commands before it.
    pub fn answer_at_flush(&mut self) {
        let mut answers = Vec::new();
        while let Some(header) = self.receive::<28>() {
            let [.., kind_high, kind_low] = *header.first_chunk::<8>().expect("a header");
            let cookie = header[8..16].try_into().map(u64::from_be_bytes);
            answers.extend(server::chunk(cookie.expect("8 bytes"), true, 0, &[]));
            if u16::from_be_bytes([kind_high, kind_low]) == 3 {
                self.send(&answers);
                answers.clear();
            }
        }
    }

    /// Sends the header of a chunk that announces `length` bytes.
    pub fn chunk(&mut self, cookie: u64, done: bool, kind: u16, length: u32) {
        let mut header = server::chunk(cookie, done, kind, &[]);
        let at = header.len() - 4;
        header[at..].copy_from_slice(&length.to_be_bytes());
        self.send(&header);
    }

    /// Sends an extended chunk header in reply to a request at offset 0.
    pub fn extended(&mut self, cookie: u64, kind: u16, length: u64) {
        let mut header = server::extended(cookie, 0, true, kind, &[]);
        let at = header.len() - 8;
        header[at..].copy_from_slice(&length.to_be_bytes());
        self.send(&header);
    }
}
