// SPDX-License-Identifier: LGPL-2.1-or-later

//! Every command under all three kinds of headers.

mod common;

use common::*;

const ALL: [Headers; 3] = [Headers::Simple, Headers::Structured, Headers::Extended];
const CHUNKED: [Headers; 2] = [Headers::Structured, Headers::Extended];

/// Sends a request and returns the error of the reply.
fn error(peer: &mut Peer, headers: Headers, request: Request) -> u32 {
    error_of(&peer.send(&request.encode(headers)), headers)
}

fn store(peer: &mut Peer, headers: Headers, offset: u64, payload: &[u8]) -> u32 {
    error_of(&peer.send(&write(headers, offset, payload)), headers)
}

/// Reassembles the content of the reply to a READ.
fn content(reply: &[u8], headers: Headers, offset: u64, length: usize) -> Vec<u8> {
    if headers == Headers::Simple {
        assert_eq!(error_of(reply, headers), 0);
        return reply[16..].to_vec();
    }
    let mut bytes = vec![0xee; length];
    for chunk in chunks(reply, headers) {
        assert_eq!(chunk.cookie, 0x1122_3344_5566_7788);
        let at = (u64_at(&chunk.payload, 0) - offset) as usize;
        match chunk.kind {
            1 => bytes[at..at + chunk.payload.len() - 8].copy_from_slice(&chunk.payload[8..]),
            2 => {
                let size = u32::from_be_bytes(chunk.payload[8..].try_into().unwrap());
                bytes[at..at + size as usize].fill(0);
            }
            kind => panic!("chunk type {kind}"),
        }
    }
    bytes
}

fn fetch(peer: &mut Peer, headers: Headers, offset: u64, length: usize) -> Vec<u8> {
    let request = Request::new(0, offset, length as u64);
    let reply = peer.send(&request.encode(headers));
    content(&reply, headers, offset, length)
}

#[test]
fn reads_return_written_data() {
    let text: Vec<u8> = (0..30_000).map(|n: u32| (n % 251) as u8).collect();
    for options in [
        "",
        "--read-chunks 1000",
        "--reverse-chunks --min-hole 1",
        "--no-holes",
    ] {
        for headers in ALL {
            let mut peer = Peer::transmitting(options, headers);
            assert_eq!(store(&mut peer, headers, 20_000, &text), 0);
            let bytes = fetch(&mut peer, headers, 1000, 80_000);
            assert!(bytes[..19_000].iter().all(|&byte| byte == 0));
            assert!(bytes[19_000..49_000] == text[..], "{options} {headers:?}");
            assert!(bytes[49_000..].iter().all(|&byte| byte == 0));
        }
    }
}

#[test]
fn replies_match_the_document_byte_by_byte() {
    let mut peer = Peer::transmitting("--pattern --size 4k", Headers::Simple);
    let reply = peer.send(&Request::new(0, 6, 4).encode(Headers::Simple));
    let expected = [
        &[0x67, 0x44, 0x66, 0x98, 0, 0, 0, 0][..],
        &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88],
        &[0, 0, 0, 0],
    ];
    assert_eq!(reply, expected.concat());
    let mut peer = Peer::transmitting("--pattern --size 4k", Headers::Structured);
    let reply = peer.send(&Request::new(0, 14, 3).encode(Headers::Structured));
    let expected = [
        &[0x66, 0x8e, 0x33, 0xef, 0, 1, 0, 1][..],
        &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88],
        &[0, 0, 0, 11, 0, 0, 0, 0, 0, 0, 0, 14],
        &[0, 8, 0],
    ];
    assert_eq!(reply, expected.concat());
    let mut peer = Peer::transmitting("--size 4k", Headers::Extended);
    let reply = peer.send(&Request::new(0, 0, 4096).encode(Headers::Extended));
    let expected = [
        &[0x6e, 0x8a, 0x27, 0x8c, 0, 1, 0, 2][..],
        &[0x11, 0x22, 0x33, 0x44, 0x55, 0x66, 0x77, 0x88],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 12],
        &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 16, 0],
    ];
    assert_eq!(reply, expected.concat());
}

#[test]
fn requests_beyond_the_end_fail() {
    for headers in ALL {
        let mut peer = Peer::transmitting("--size 1M", headers);
        for (command, expected) in [(0, 22), (4, 22), (5, 22), (6, 28), (7, 22)] {
            let request = Request::new(command, (1 << 20) - 512, 1024);
            assert_eq!(error(&mut peer, headers, request), expected, "{command}");
            let request = Request::new(command, u64::MAX - 100, 512);
            assert_eq!(error(&mut peer, headers, request), expected, "{command}");
        }
        assert_eq!(store(&mut peer, headers, 1 << 20, b"x"), 28);
        assert_eq!(store(&mut peer, headers, 0, b"in step"), 0);
    }
}

#[test]
fn a_read_only_export_refuses_to_change() {
    for headers in ALL {
        let mut peer = Peer::transmitting("--read-only", headers);
        assert_eq!(store(&mut peer, headers, 0, b"x"), 1);
        assert_eq!(error(&mut peer, headers, Request::new(4, 0, 512)), 1);
        assert_eq!(error(&mut peer, headers, Request::new(6, 0, 512)), 1);
        assert_eq!(error(&mut peer, headers, Request::new(3, 0, 0)), 0);
    }
}

#[test]
fn commands_and_flags_must_be_announced() {
    for (options, command, flags) in [
        ("--no-flush", 3, 0),
        ("--no-trim", 4, 0),
        ("--no-cache", 5, 0),
        ("--no-zero", 6, 0),
        ("--no-fast-zero", 6, 16),
        ("--no-fua", 6, 1),
        ("--no-df", 0, 4),
        ("", 0, 2),
        ("", 4, 8),
        ("", 99, 0),
    ] {
        for headers in CHUNKED {
            let length = if command == 3 { 0 } else { 512 };
            let request = Request::new(command, 0, length).flags(flags);
            let mut peer = Peer::transmitting(options, headers);
            assert_eq!(
                error(&mut peer, headers, request),
                22,
                "{options} {command}"
            );
        }
    }
    for (command, flags) in [
        (0, 1 | 4),
        (3, 1),
        (4, 1),
        (5, 1),
        (6, 1 | 2 | 16),
        (7, 1 | 8),
    ] {
        for headers in CHUNKED {
            let length = if command == 3 { 0 } else { 512 };
            let request = Request::new(command, 0, length).flags(flags);
            let mut peer = Peer::transmitting("", headers);
            assert_eq!(error(&mut peer, headers, request), 0, "{command} {flags}");
        }
    }
}

#[test]
fn block_size_limits_are_enforced() {
    for headers in ALL {
        let mut peer = Peer::transmitting("--block-size 512,4096,64k --size 1M", headers);
        assert_eq!(error(&mut peer, headers, Request::new(0, 256, 512)), 22);
        assert_eq!(error(&mut peer, headers, Request::new(0, 512, 256)), 22);
        assert_eq!(error(&mut peer, headers, Request::new(0, 512, 1 << 17)), 22);
        assert_eq!(store(&mut peer, headers, 0, &[1; 1 << 17]), 22);
        assert_eq!(error(&mut peer, headers, Request::new(6, 0, 1 << 20)), 0);
        assert_eq!(error(&mut peer, headers, Request::new(0, 512, 512)), 0);
    }
}

#[test]
fn zeroing_and_trimming_free_or_reserve_memory() {
    let headers = Headers::Structured;
    let mut peer = Peer::transmitting("--size 1M", headers);
    assert_eq!(store(&mut peer, headers, 0, &[1; 65536]), 0);
    assert_eq!(error(&mut peer, headers, Request::new(6, 4096, 4096)), 0);
    let provisioned = Request::new(6, 8192, 4096).flags(2);
    assert_eq!(error(&mut peer, headers, provisioned), 0);
    assert_eq!(error(&mut peer, headers, Request::new(4, 16384, 4096)), 0);
    let reply = peer.send(&Request::new(7, 0, 32768).encode(headers));
    let chunks = chunks(&reply, headers);
    let words: Vec<u32> = chunks[0].payload[4..]
        .chunks(4)
        .map(|word| u32::from_be_bytes(word.try_into().unwrap()))
        .collect();
    assert_eq!(
        words,
        [4096, 0, 4096, 3, 4096, 2, 4096, 0, 4096, 3, 12288, 0]
    );
    let mut peer = Peer::transmitting("--slow-zero", headers);
    let fast = Request::new(6, 0, 4096).flags(16);
    assert_eq!(error(&mut peer, headers, fast), 95);
}

#[test]
fn extents_are_64_bits_wide_with_extended_headers() {
    let headers = Headers::Extended;
    let options = "--size 6E --context x:wide=1T:0x900000000,512:7";
    let mut peer = Peer::transmitting(options, headers);
    let reply = peer.send(&Request::new(7, 1 << 40, 1 << 60).encode(headers));
    let parts = chunks(&reply, headers);
    assert_eq!(parts.len(), 2);
    assert_eq!((parts[0].kind, parts[0].done), (6, false));
    assert_eq!(parts[0].payload[4..8], [0, 0, 0, 1]);
    assert_eq!(u64_at(&parts[0].payload, 8), 1 << 60);
    assert_eq!(u64_at(&parts[0].payload, 16), 3);
    assert_eq!((parts[1].kind, parts[1].done), (6, true));
    assert_eq!(u64_at(&parts[1].payload, 8), 512);
    assert_eq!(u64_at(&parts[1].payload, 24), 1 << 40);
    assert_eq!(u64_at(&parts[1].payload, 32), 0x9_0000_0000);
    let one = Request::new(7, 0, 1 << 60).flags(8);
    let parts = chunks(&peer.send(&one.encode(headers)), headers);
    assert!(parts.iter().all(|part| part.payload.len() == 24));
    assert_eq!(error(&mut peer, headers, Request::new(6, 0, 5 << 60)), 0);
    assert_eq!(error(&mut peer, headers, Request::new(4, 1, 5 << 60)), 0);
}

#[test]
fn a_filter_limits_the_contexts() {
    let headers = Headers::Extended;
    let mut peer = Peer::transmitting("--context x:y=1k:5 --size 1M", headers);
    let reply = peer.send(&Request::new(7, 0, 4096).encode(headers));
    let ids: Vec<[u8; 4]> = chunks(&reply, headers)
        .iter()
        .map(|chunk| chunk.payload[..4].try_into().unwrap())
        .collect();
    assert_eq!(ids.len(), 2);
    let filter = |length: u64, ids: &[[u8; 4]]| {
        let payload = [&length.to_be_bytes()[..], &ids.concat()].concat();
        let request = Request::new(7, 0, payload.len() as u64).flags(32);
        [request.encode(headers), payload].concat()
    };
    let parts = chunks(&peer.send(&filter(2048, &ids[1..])), headers);
    assert_eq!(parts.len(), 1);
    assert_eq!(parts[0].payload[..4], ids[1]);
    assert_eq!(parts[0].payload.len(), 8 + 2 * 16);
    for wrong in [
        filter(2048, &[ids[0], ids[0]]),
        filter(2048, &[[9; 4]]),
        filter(2 << 20, &ids),
        filter(0, &ids),
    ] {
        assert_eq!(error_of(&peer.send(&wrong), headers), 22);
    }
    let short = [Request::new(7, 0, 7).flags(32).encode(headers), vec![0; 7]].concat();
    assert_eq!(error_of(&peer.send(&short), headers), 22);
    let long = [
        Request::new(7, 0, 100_000).flags(32).encode(headers),
        vec![0; 100_000],
    ];
    assert_eq!(error_of(&peer.send(&long.concat()), headers), 22);
    assert_eq!(store(&mut peer, headers, 0, b"in step"), 0);
}

#[test]
fn payload_flags_are_checked() {
    let headers = Headers::Extended;
    let mut peer = Peer::transmitting("", headers);
    // An unexpected payload is consumed and refused.
    let stray = [Request::new(4, 0, 5).flags(32).encode(headers), vec![0; 5]];
    assert_eq!(error_of(&peer.send(&stray.concat()), headers), 22);
    let unflagged = [Request::new(1, 0, 5).encode(headers), vec![0; 5]].concat();
    assert_eq!(error_of(&peer.send(&unflagged), headers), 22);
    assert_eq!(store(&mut peer, headers, 0, b"in step"), 0);
    let mut peer = Peer::transmitting("--lax-payload-flag", headers);
    assert_eq!(error_of(&peer.send(&unflagged), headers), 0);
    let mut peer = Peer::transmitting("", headers);
    peer.send(&Request::new(1, 0, 1 << 40).flags(32).encode(headers));
    assert!(peer.session.is_closing(), "too large to take in");
}

#[test]
fn error_rules_limit_offset_and_count() {
    for headers in ALL {
        let options = "--pattern --error READ=EIO@5000 --error FLUSH=ENOMEM:2 --error WRITE=ENOSPC";
        let mut peer = Peer::transmitting(options, headers);
        assert_eq!(error(&mut peer, headers, Request::new(0, 0, 4096)), 0);
        let reply = peer.send(&Request::new(0, 4096, 4096).encode(headers));
        assert_eq!(error_of(&reply, headers), 5);
        if headers != Headers::Simple {
            let parts = chunks(&reply, headers);
            assert_eq!((parts[0].kind, parts[0].payload.len()), (1, 8 + 904));
            assert_eq!(parts[1].kind, (1 << 15) + 2);
            assert_eq!(
                parts[1].payload[parts[1].payload.len() - 8..],
                5000u64.to_be_bytes()
            );
        }
        let flush = Request::new(3, 0, 0);
        let errors = [(); 3].map(|()| error(&mut peer, headers, flush));
        assert_eq!(errors, [0, 12, 0]);
        assert_eq!(store(&mut peer, headers, 0, b"lost"), 28);
        assert_ne!(fetch(&mut peer, headers, 0, 4), b"lost");
    }
}

#[test]
fn df_reads_come_in_one_chunk() {
    for headers in CHUNKED {
        let mut peer = Peer::transmitting("--read-chunks 512 --df-limit 64k", headers);
        assert_eq!(store(&mut peer, headers, 8192, &[1; 4096]), 0);
        let read = Request::new(0, 0, 65536);
        assert!(chunks(&peer.send(&read.encode(headers)), headers).len() > 8);
        let parts = chunks(&peer.send(&read.flags(4).encode(headers)), headers);
        assert_eq!((parts.len(), parts[0].payload.len()), (1, 8 + 65536));
        let long = Request::new(0, 0, 65537).flags(4);
        assert_eq!(error(&mut peer, headers, long), 75);
    }
}

#[test]
fn memory_runs_out_with_enospc() {
    for headers in ALL {
        let mut peer = Peer::transmitting("--size 1T --memory-limit 64k", headers);
        assert_eq!(store(&mut peer, headers, 0, &[1; 8192]), 0);
        assert_eq!(store(&mut peer, headers, 0, &[1; 1 << 17]), 28);
        let provision = Request::new(6, 1 << 30, 1 << 30).flags(2);
        assert_eq!(error(&mut peer, headers, provision), 28);
        assert_eq!(error(&mut peer, headers, Request::new(6, 0, 1 << 30)), 0);
        assert_eq!(store(&mut peer, headers, 1 << 35, &[1; 8192]), 0);
    }
}

#[test]
fn disc_and_wrong_magic_end_the_session() {
    for headers in ALL {
        let mut peer = Peer::transmitting("", headers);
        assert_eq!(peer.send(&Request::new(2, 0, 0).encode(headers)), b"");
        assert!(peer.session.is_closing());
        let mut peer = Peer::transmitting("", headers);
        assert_eq!(peer.send(&[0x25; 32]), b"");
        assert!(peer.session.is_closing());
    }
}

#[test]
fn a_client_that_does_not_read_is_throttled() {
    let headers = Headers::Structured;
    let mut peer = Peer::transmitting("--no-holes", headers);
    let read = Request::new(0, 0, 1 << 20).encode(headers);
    let mut exports = std::mem::replace(&mut peer.exports, memserver::export::Exports(vec![]));
    let used = peer.session.consume(&read.repeat(100), &mut exports);
    assert_eq!(used, read.len());
    assert!(peer.session.is_full());
    peer.session.out = Default::default();
    assert_eq!(
        peer.session.consume(&read.repeat(99), &mut exports),
        read.len()
    );
}

#[test]
fn simple_acks_only_replace_replies_without_payload() {
    let headers = Headers::Structured;
    let mut peer = Peer::transmitting("--simple-acks", headers);
    let reply = peer.send(&Request::new(3, 0, 0).encode(headers));
    assert_eq!(error_of(&reply, Headers::Simple), 0);
    let read = peer.send(&Request::new(0, 0, 512).encode(headers));
    assert_eq!(error_of(&read, headers), 0);
}
