// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replies to reads.

use nbd::machine::State;
use nbd::protocol::request::RequestType;

use super::script::{command, defaults, play, read, with_allocation, Issue, Outcome, Script};
use super::server::{self, chunk, data, hole, simple};

fn structured(commands: &[Issue], replies: &[u8]) -> Outcome {
    play(&Script {
        settings: &with_allocation,
        handshake: &server::handshake_structured(),
        commands,
        replies,
    })
}

fn failed(cookie: u64) -> String {
    format!("{cookie}: done, error {}", libc::EPROTO)
}

#[test]
fn a_simple_reply_counts_as_one_chunk() {
    let replies = [simple(2, 0, b"second"), simple(1, 0, b"first")].concat();
    let outcome = play(&Script {
        settings: &defaults,
        handshake: &server::handshake_simple(),
        commands: &[read(0, 5), read(512, 6)],
        replies: &replies,
    });
    assert_eq!(
        outcome.lines,
        [
            "2: Data at 0 count 6 offset 512",
            "2: second",
            "2: done, error 0",
            "1: Data at 0 count 5 offset 0",
            "1: first",
            "1: done, error 0",
        ]
    );
    assert_eq!(
        outcome.received,
        (server::handshake_simple().len() + replies.len()) as u64
    );
    assert_eq!(outcome.chunks_received, 3);
}

#[test]
fn a_simple_error_reply_has_no_data() {
    let replies = [simple(1, 5, &[]), simple(2, 0, b"ok")].concat();
    let outcome = play(&Script {
        settings: &defaults,
        handshake: &server::handshake_simple(),
        commands: &[read(0, 512), read(0, 2)],
        replies: &replies,
    });
    assert_eq!(outcome.lines[0], "1: done, error 5");
    assert_eq!(outcome.lines[3], "2: done, error 0");
}

#[test]
fn chunks_may_be_reordered_and_interleaved() {
    let replies = [
        chunk(1, false, 1, &data(4100, b"WXYZ")),
        chunk(2, true, 0, &[]),
        chunk(1, true, 1, &data(4096, b"abcd")),
    ]
    .concat();
    let flush = command(RequestType::Flush, 0, 0);
    let outcome = structured(&[read(4096, 8), flush], &replies);
    assert_eq!(
        outcome.lines,
        [
            "1: Data at 4 count 4 offset 4100",
            "2: done, error 0",
            "1: Data at 0 count 4 offset 4096",
            "1: abcdWXYZ",
            "1: done, error 0",
        ]
    );
}

#[test]
fn the_end_of_a_reply_may_be_a_chunk_of_its_own() {
    let replies = [
        chunk(1, false, 1, &data(0, b"abcd")),
        chunk(1, true, 0, &[]),
    ]
    .concat();
    let outcome = structured(&[read(0, 4)], &replies);
    assert!(outcome.reported("1: abcd"));
    assert!(outcome.reported("1: done, error 0"));
}

#[test]
fn a_hole_is_reported_for_the_owner_to_fill() {
    let outcome = structured(&[read(512, 16)], &chunk(1, true, 2, &hole(512, 16)));
    assert_eq!(outcome.lines[0], "1: Hole at 0 count 16 offset 512");
    assert_eq!(outcome.lines[2], "1: done, error 0");
}

#[test]
fn data_outside_of_the_read_ends_the_connection() {
    for (offset, length) in [(4095_u64, 4_usize), (4097, 4), (u64::MAX, 1), (0, 4)] {
        let reply = chunk(1, true, 1, &data(offset, &vec![b'x'; length]));
        let outcome = structured(&[read(4096, 4)], &reply);
        assert!(!outcome.reported("1: xxxx"), "{length} bytes at {offset}");
        assert_eq!(outcome.group, State::Dead, "{length} bytes at {offset}");
    }
}

#[test]
fn a_hole_outside_of_the_read_ends_the_connection() {
    let outcome = structured(&[read(512, 16)], &chunk(1, true, 2, &hole(512, u32::MAX)));
    assert_eq!(outcome.group, State::Dead);
}

#[test]
fn a_read_without_all_of_its_data_fails() {
    let nothing = structured(&[read(0, 4)], &chunk(1, true, 0, &[]));
    assert_eq!(nothing.lines, [failed(1)]);
    let half = structured(&[read(0, 4)], &chunk(1, true, 1, &data(0, b"ab")));
    assert_eq!(half.lines[1], failed(1));
    let twice = [
        chunk(1, false, 1, &data(0, b"ab")),
        chunk(1, true, 1, &data(0, b"abcd")),
    ]
    .concat();
    assert!(structured(&[read(0, 4)], &twice).reported(&failed(1)));
}

/// Duplicate data does not make up for missing data.
#[test]
fn a_read_with_duplicate_data_fails() {
    let twice = data(0, &[7; 256]);
    let halves = [&twice, &hole(0, 256)];
    for again in halves {
        let kind = if again.len() == 12 { 2 } else { 1 };
        let replies = [
            chunk(1, false, 1, &twice),
            chunk(1, true, kind, again),
            chunk(2, true, 1, &data(0, b"ok")),
        ]
        .concat();
        let outcome = structured(&[read(0, 512), read(0, 2)], &replies);
        assert!(outcome.lines.contains(&failed(1)), "{:?}", outcome.lines);
        assert_eq!(
            outcome.lines.last().map(String::as_str),
            Some("2: done, error 0")
        );
    }
}

#[test]
fn an_error_at_an_offset_fails_the_read() {
    let mut payload = server::error(5, "bad sector");
    payload.extend(520_u64.to_be_bytes());
    let outcome = structured(&[read(512, 16)], &chunk(1, true, 0x8002, &payload));
    assert_eq!(
        outcome.lines,
        [
            "1: Error { errno: 5, first: true } at 8 count 0 offset 520",
            "1: done, error 5",
        ]
    );
}

#[test]
fn reads_refuse_simple_replies_with_structured_replies() {
    let flush = command(RequestType::Flush, 0, 0);
    let replies = [simple(1, 5, &[]), chunk(2, true, 0, &[])].concat();
    let outcome = structured(&[read(0, 4), flush], &replies);
    assert_eq!(outcome.lines, [failed(1), "2: done, error 0".into()]);
    for data in [b"data".as_slice(), &[]] {
        let replies = [simple(1, 0, data), chunk(2, true, 0, &[])].concat();
        let outcome = structured(&[read(0, 4), flush], &replies);
        assert_eq!(outcome.group, State::Dead);
        assert!(!outcome.reported("2: done, error 0"));
    }
}

#[test]
fn chunks_for_another_command_type_fail_the_command() {
    let flush = command(RequestType::Flush, 0, 0);
    let outcome = structured(&[flush], &chunk(1, true, 1, &data(0, b"why")));
    assert_eq!(outcome.lines, [failed(1)]);
    let status = server::extents(42, &[(512, 0)]);
    let outcome = structured(&[read(0, 512)], &chunk(1, true, 5, &status));
    assert_eq!(outcome.lines, [failed(1)]);
}

#[test]
fn payloads_of_the_wrong_length_fail_the_command() {
    for (kind, payload) in [
        (0_u16, b"none has no payload".as_slice()),
        (1, b"short"),
        (2, b"eleven byte"),
        (0x8001, b"you"),
    ] {
        let replies = [chunk(1, true, kind, payload), chunk(2, true, 0, &[])].concat();
        let flush = command(RequestType::Flush, 0, 0);
        let outcome = structured(&[read(0, 512), flush], &replies);
        assert_eq!(outcome.lines, [failed(1), "2: done, error 0".into()]);
    }
}
