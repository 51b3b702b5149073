// SPDX-License-Identifier: LGPL-2.1-or-later

//! The session survives any input, in any fragments.

mod common;

use std::rc::Rc;

use common::*;
use memserver::session::Session;

/// Returns a conversation that uses most of the protocol.
fn conversation(headers: Headers) -> Vec<u8> {
    let number = if headers == Headers::Extended { 11 } else { 8 };
    let queries = queries_data(b"", &[b"base:allocation", b"x:y"]);
    let filter = [&4096u64.to_be_bytes()[..], &[0, 1, 0, 1]].concat();
    let mut all = [
        &[0, 0, 0, 3][..],
        &option(3, b""),
        &option(number, b""),
        &option(9, &queries_data(b"", &[])),
        &option(10, &queries),
        &option(0x7777, b"unknown"),
        &option(6, &info_data(b"", &[1, 2, 3])),
        &option(7, &info_data(b"", &[3])),
        &write(headers, 100, &[7; 6000]),
    ]
    .concat();
    for request in [
        Request::new(0, 0, 9000),
        Request::new(6, 0, 4096),
        Request::new(7, 0, 30_000),
        Request::new(4, 0, 8192).flags(1),
        Request::new(99, 0, 1),
    ] {
        all.extend(request.encode(headers));
    }
    if headers == Headers::Extended {
        all.extend(Request::new(7, 0, 12).flags(32).encode(headers));
        all.extend(filter);
    }
    all.extend(Request::new(2, 0, 0).encode(headers));
    all
}

const OPTIONS: &str = "--size 64k --context x:y=1k:1,1k:2 --description text";

fn replies<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<u8>, bool) {
    let mut peer = Peer::new(OPTIONS);
    let mut sent = peer.output();
    for piece in pieces {
        sent.extend(peer.send(piece));
    }
    (sent, peer.session.is_closing())
}

#[test]
fn splitting_the_input_does_not_change_the_replies() {
    for headers in [Headers::Structured, Headers::Extended] {
        let input = conversation(headers);
        let whole = replies([&input[..]].into_iter());
        assert!(whole.1, "the conversation ends with DISC");
        assert!(whole.0.len() > 9000);
        for at in 0..input.len() {
            let (front, back) = input.split_at(at);
            assert!(replies([front, back].into_iter()) == whole, "cut at {at}");
        }
        assert!(replies(input.chunks(1)) == whole, "byte by byte");
    }
}

/// A deterministic pseudo-random number generator.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

#[test]
fn damaged_input_does_not_crash() {
    let mut random = Random(0x1234_5678_9abc_def1);
    let mut closed = 0;
    for round in 0..4000 {
        let headers = [Headers::Structured, Headers::Extended][round % 2];
        let mut input = conversation(headers);
        for _ in 0..=random.next() % 4 {
            let at = random.next() as usize % input.len();
            match random.next() % 4 {
                0 => input[at] = random.next() as u8,
                1 => input[at] ^= 1 << (random.next() % 8),
                2 => input[at..].fill(0xff),
                _ => drop(input.remove(at)),
            }
        }
        let (settings, mut exports) = configure(OPTIONS);
        let mut session = Session::new(&Rc::new(settings), &exports, 1);
        let mut input = &input[..];
        // Repeat until no progress is made, like the event loop.
        loop {
            let used = session.consume(input, &mut exports);
            input = &input[used..];
            let sent = std::mem::take(&mut session.out).len();
            if used == 0 && sent == 0 {
                break;
            }
        }
        closed += u32::from(session.is_closing());
    }
    assert!(closed > 1000, "only {closed} ended the session");
}

#[test]
fn random_input_does_not_crash() {
    let mut random = Random(99);
    for options in ["--oldstyle", "--newstyle", ""] {
        for _ in 0..500 {
            let mut peer = Peer::new(options);
            let noise: Vec<u8> = (0..200).map(|_| random.next() as u8).collect();
            peer.output();
            peer.send(&noise);
            assert!(peer.session.is_closing(), "{options}");
        }
    }
}
