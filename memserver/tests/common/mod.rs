// SPDX-License-Identifier: LGPL-2.1-or-later

//! Test support: a client's messages, byte by byte, and a session to feed them
//! to.

// Each test program uses a different part of this.
#![allow(dead_code)]

pub mod program;

use std::rc::Rc;

use memserver::command_line::CommandLine;
use memserver::export::Exports;
use memserver::pages::Budget;
use memserver::session::Session;
use memserver::settings::Settings;

pub const IHAVEOPT: &[u8; 8] = b"IHAVEOPT";

/// Parses settings and exports from command line options.
pub fn configure(options: &str) -> (Settings, Exports) {
    let line = CommandLine::parse(options.split_whitespace()).expect("options");
    let budget = Budget::new(line.memory_limit.unwrap_or(1 << 30));
    let exports = line.exports.into_iter();
    let exports = exports.map(|export| export.build(&budget).expect("export"));
    (line.settings, Exports(exports.collect()))
}

/// A session without a socket.
pub struct Peer {
    pub session: Session,
    pub exports: Exports,
    /// Input that has not been consumed yet.
    pending: Vec<u8>,
}

impl Peer {
    /// Creates a client that has just connected to a server with these options.
    pub fn new(options: &str) -> Peer {
        let (settings, exports) = configure(options);
        Peer {
            session: Session::new(&Rc::new(settings), &exports, 1),
            exports,
            pending: Vec::new(),
        }
    }

    /// Returns everything the server has sent since the previous call.
    pub fn output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.session.out).to_vec()
    }

    /// Sends bytes and returns the answer.
    pub fn send(&mut self, bytes: &[u8]) -> Vec<u8> {
        self.pending.extend_from_slice(bytes);
        let used = self.session.consume(&self.pending, &mut self.exports);
        self.pending.drain(..used);
        self.output()
    }

    /// Creates a client that read the greeting and answered with these client
    /// flags.
    pub fn greeted(options: &str, flags: u32) -> Peer {
        let mut peer = Peer::new(options);
        assert_eq!(peer.output().len(), 18, "greeting");
        assert_eq!(peer.send(&flags.to_be_bytes()), b"");
        peer
    }

    /// Creates a client in the transmission phase of the default export, with
    /// all contexts selected.
    pub fn transmitting(options: &str, headers: Headers) -> Peer {
        let mut peer = Peer::greeted(options, 3);
        match headers {
            Headers::Simple => {}
            Headers::Structured => peer.ack(8, b""),
            Headers::Extended => peer.ack(11, b""),
        }
        if headers != Headers::Simple {
            let names: Vec<Vec<u8>> = peer.context_names();
            let queries: Vec<&[u8]> = names.iter().map(|name| &name[..]).collect();
            peer.send(&option(10, &queries_data(b"", &queries)));
        }
        let replies = option_replies(&peer.send(&option(7, &info_data(b"", &[]))));
        assert_eq!(replies.last().map(|reply| reply.kind), Some(1), "GO");
        peer
    }

    fn ack(&mut self, number: u32, data: &[u8]) {
        let replies = option_replies(&self.send(&option(number, data)));
        assert_eq!(replies.len(), 1);
        assert_eq!(replies[0].kind, 1, "option {number}");
    }

    fn context_names(&mut self) -> Vec<Vec<u8>> {
        let replies = option_replies(&self.send(&option(9, &queries_data(b"", &[]))));
        let contexts = replies.into_iter().filter(|reply| reply.kind == 4);
        contexts.map(|reply| reply.data[4..].to_vec()).collect()
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Headers {
    Simple,
    Structured,
    Extended,
}

/// Encodes an option.
pub fn option(number: u32, data: &[u8]) -> Vec<u8> {
    let length = (data.len() as u32).to_be_bytes();
    [&IHAVEOPT[..], &number.to_be_bytes(), &length, data].concat()
}

fn string(text: &[u8]) -> Vec<u8> {
    [&(text.len() as u32).to_be_bytes()[..], text].concat()
}

/// Encodes the data of INFO and GO.
pub fn info_data(name: &[u8], asked: &[u16]) -> Vec<u8> {
    let mut data = string(name);
    data.extend_from_slice(&(asked.len() as u16).to_be_bytes());
    data.extend(asked.iter().flat_map(|kind| kind.to_be_bytes()));
    data
}

/// Encodes the data of LIST_META_CONTEXT and SET_META_CONTEXT.
pub fn queries_data(name: &[u8], queries: &[&[u8]]) -> Vec<u8> {
    let mut data = string(name);
    data.extend_from_slice(&(queries.len() as u32).to_be_bytes());
    data.extend(queries.iter().flat_map(|query| string(query)));
    data
}

/// One option reply.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OptionReply {
    pub option: u32,
    pub kind: u32,
    pub data: Vec<u8>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_be_bytes(bytes[at..at + 8].try_into().unwrap())
}

/// Parses a sequence of option replies.
pub fn option_replies(mut bytes: &[u8]) -> Vec<OptionReply> {
    let mut replies = Vec::new();
    while !bytes.is_empty() {
        assert_eq!(u64_at(bytes, 0), 0x0003_e889_0455_65a9, "magic");
        let end = 20 + u32_at(bytes, 16) as usize;
        replies.push(OptionReply {
            option: u32_at(bytes, 8),
            kind: u32_at(bytes, 12),
            data: bytes[20..end].to_vec(),
        });
        bytes = &bytes[end..];
    }
    replies
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub struct Request {
    pub flags: u16,
    pub command: u16,
    pub cookie: u64,
    pub offset: u64,
    pub length: u64,
}

impl Request {
    pub fn new(command: u16, offset: u64, length: u64) -> Request {
        Request {
            flags: 0,
            command,
            cookie: 0x1122_3344_5566_7788,
            offset,
            length,
        }
    }

    pub fn flags(mut self, flags: u16) -> Request {
        self.flags = flags;
        self
    }

    pub fn cookie(mut self, cookie: u64) -> Request {
        self.cookie = cookie;
        self
    }

    /// Encodes the request for these headers, without a payload.
    pub fn encode(&self, headers: Headers) -> Vec<u8> {
        let extended = headers == Headers::Extended;
        let magic: u32 = if extended { 0x21e4_1c71 } else { 0x2560_9513 };
        let mut bytes = magic.to_be_bytes().to_vec();
        bytes.extend_from_slice(&self.flags.to_be_bytes());
        bytes.extend_from_slice(&self.command.to_be_bytes());
        bytes.extend_from_slice(&self.cookie.to_be_bytes());
        bytes.extend_from_slice(&self.offset.to_be_bytes());
        if extended {
            bytes.extend_from_slice(&self.length.to_be_bytes());
        } else {
            bytes.extend_from_slice(&(self.length as u32).to_be_bytes());
        }
        bytes
    }
}

/// Encodes a WRITE with its payload and the flag that extended headers require.
pub fn write(headers: Headers, offset: u64, payload: &[u8]) -> Vec<u8> {
    let flags = if headers == Headers::Extended { 32 } else { 0 };
    let request = Request::new(1, offset, payload.len() as u64).flags(flags);
    [request.encode(headers), payload.to_vec()].concat()
}

/// One reply chunk, or a simple reply as one of kind `SIMPLE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Chunk {
    pub done: bool,
    pub kind: u16,
    pub cookie: u64,
    pub payload: Vec<u8>,
}

pub const SIMPLE: u16 = 0x5353;

/// Parses structured or extended chunks.
pub fn chunks(mut bytes: &[u8], headers: Headers) -> Vec<Chunk> {
    let mut chunks = Vec::new();
    while !bytes.is_empty() {
        let flags = u16::from_be_bytes(bytes[4..6].try_into().unwrap());
        assert_eq!(flags & !1, 0, "flags");
        let (start, length) = match u32_at(bytes, 0) {
            0x668e_33ef if headers == Headers::Structured => (20, u32_at(bytes, 16) as usize),
            0x6e8a_278c if headers == Headers::Extended => (32, u64_at(bytes, 24) as usize),
            magic => panic!("magic {magic:#x}"),
        };
        chunks.push(Chunk {
            done: flags & 1 != 0,
            kind: u16::from_be_bytes(bytes[6..8].try_into().unwrap()),
            cookie: u64_at(bytes, 8),
            payload: bytes[start..start + length].to_vec(),
        });
        bytes = &bytes[start + length..];
    }
    chunks
}

/// Returns the error in a reply; 0 for success.
pub fn error_of(bytes: &[u8], headers: Headers) -> u32 {
    if headers == Headers::Simple {
        assert_eq!(u32_at(bytes, 0), 0x6744_6698);
        return u32_at(bytes, 4);
    }
    let chunks = chunks(bytes, headers);
    assert!(chunks.iter().rev().skip(1).all(|chunk| !chunk.done));
    let last = chunks.last().expect("a chunk");
    assert!(last.done);
    let error = chunks.iter().find(|chunk| chunk.kind >= 1 << 15);
    error.map_or(0, |chunk| u32_at(&chunk.payload, 0))
}
