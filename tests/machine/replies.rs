// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replies to commands other than reads.

use nbd::machine::State;
use nbd::protocol::request::RequestType;

use super::script::{command, defaults, play, read, with_allocation, Issue, Outcome, Script};
use super::server::{self, chunk, extended, extents, extents_64, simple};

fn structured(commands: &[Issue], replies: &[u8]) -> Outcome {
    play(&Script {
        settings: &with_allocation,
        handshake: &server::handshake_structured(),
        commands,
        replies,
    })
}

fn with_extended_headers(commands: &[Issue], replies: &[u8]) -> Outcome {
    play(&Script {
        settings: &with_allocation,
        handshake: &server::handshake_extended(),
        commands,
        replies,
    })
}

fn simple_only(commands: &[Issue], replies: &[u8]) -> Outcome {
    play(&Script {
        settings: &defaults,
        handshake: &server::handshake_simple(),
        commands,
        replies,
    })
}

const FLUSH: Issue = Issue {
    kind: RequestType::Flush,
    offset: 0,
    length: 0,
};

#[test]
fn replies_come_in_any_order() {
    let trim = command(RequestType::Trim, 0, 512);
    let replies = [simple(2, 0, &[]), simple(1, 5, &[])].concat();
    let outcome = simple_only(&[FLUSH, trim], &replies);
    assert_eq!(outcome.lines, ["2: done, error 0", "1: done, error 5"]);
    assert_eq!(outcome.group, State::Ready);
}

#[test]
fn undefined_error_numbers_are_einval() {
    let outcome = simple_only(&[FLUSH], &simple(1, 9999, &[]));
    assert_eq!(outcome.lines, [format!("1: done, error {}", libc::EINVAL)]);
}

#[test]
fn a_write_sends_its_data_after_its_header() {
    let write = command(RequestType::Write, 4096, 3);
    let outcome = simple_only(&[write], &simple(1, 0, &[]));
    let sent = &outcome.sent[outcome.sent.len() - 31..];
    assert_eq!(sent[..4], 0x2560_9513_u32.to_be_bytes());
    assert_eq!(sent[4..8], [0, 0, 0, 1]);
    assert_eq!(sent[8..16], 1_u64.to_be_bytes());
    assert_eq!(sent[16..24], 4096_u64.to_be_bytes());
    assert_eq!(sent[24..28], 3_u32.to_be_bytes());
    assert_eq!(sent[28..], [0xee; 3]);
}

#[test]
fn extended_headers_carry_64_bit_lengths_both_ways() {
    let zero = command(RequestType::WriteZeroes, 512, 0);
    let outcome = with_extended_headers(&[zero], &extended(1, 512, true, 0, &[]));
    let sent = &outcome.sent[outcome.sent.len() - 32..];
    assert_eq!(sent[..4], 0x21e4_1c71_u32.to_be_bytes());
    assert_eq!(sent[16..24], 512_u64.to_be_bytes());
    assert_eq!(sent[24..32], 0_u64.to_be_bytes());
    assert_eq!(outcome.lines, ["1: done, error 0"]);
}

#[test]
fn a_wrong_reply_offset_fails_its_command_only() {
    let replies = [
        extended(1, 4096, true, 0, b"payload"),
        extended(2, 0, true, 0, &[]),
    ]
    .concat();
    let outcome = with_extended_headers(&[FLUSH, FLUSH], &replies);
    let eproto = libc::EPROTO;
    let failed = format!("1: done, error {eproto}");
    assert_eq!(outcome.lines, [failed.as_str(), "2: done, error 0"]);
    assert_eq!(outcome.group, State::Ready);
}

#[test]
fn block_status_is_reported_context_by_context() {
    let status = command(RequestType::BlockStatus, 0, 8192);
    let reply = chunk(1, true, 5, &extents(42, &[(4096, 0), (4096, 3)]));
    let outcome = structured(&[status], &reply);
    assert_eq!(
        outcome.lines,
        [
            "1: base:allocation [(4096, 0), (4096, 3)] error 0",
            "1: done, error 0"
        ]
    );
}

#[test]
fn block_status_of_64_bits_is_reported_with_extended_headers() {
    let status = command(RequestType::BlockStatus, 0, 8192);
    let reply = extended(1, 0, true, 6, &extents_64(42, &[(8192, 1 << 40)]));
    let outcome = with_extended_headers(&[status], &reply);
    assert!(outcome.reported("1: base:allocation [(8192, 1099511627776)] error 0"));
}

#[test]
fn an_empty_extent_ends_the_list() {
    let status = command(RequestType::BlockStatus, 0, 8192);
    let list = [(512, 1), (0, 2), (512, 3)];
    let outcome = structured(&[status], &chunk(1, true, 5, &extents(42, &list)));
    assert_eq!(outcome.lines[0], "1: base:allocation [(512, 1)] error 0");
    assert_eq!(outcome.lines[1], "1: done, error 0");

    let list = [(0, 2), (512, 3)];
    let outcome = structured(&[status], &chunk(1, true, 5, &extents(42, &list)));
    let eproto = libc::EPROTO;
    let expected = format!("1: base:allocation [(0, 2)] error {eproto}");
    assert_eq!(outcome.lines[0], expected);
    assert_eq!(outcome.lines[1], format!("1: done, error {eproto}"));
}

#[test]
fn extents_beyond_the_export_fail_the_command() {
    let status = command(RequestType::BlockStatus, server::SIZE - 512, 512);
    let list = [(512, 1), (512, 3)];
    let outcome = structured(&[status], &chunk(1, true, 5, &extents(42, &list)));
    let expected = format!("1: base:allocation [(512, 1)] error {}", libc::EPROTO);
    assert_eq!(outcome.lines[0], expected);
}

#[test]
fn an_empty_extent_at_the_end_is_dropped() {
    let status = command(RequestType::BlockStatus, server::SIZE - 512, 512);
    let list = [(512, 1), (0, 2), (512, 3)];
    let outcome = structured(&[status], &chunk(1, true, 5, &extents(42, &list)));
    assert_eq!(outcome.lines[0], "1: base:allocation [(512, 1)] error 0");
    assert_eq!(outcome.lines[1], "1: done, error 0");
}

#[test]
fn extents_are_cut_at_the_export_end() {
    let status = command(RequestType::BlockStatus, server::SIZE - 512, 512);
    let reply = chunk(1, true, 5, &extents(42, &[(4096, 1)]));
    let outcome = structured(&[status], &reply);
    let expected = format!("1: base:allocation [(512, 1)] error {}", libc::EPROTO);
    assert_eq!(outcome.lines[0], expected);
}

#[test]
fn block_status_of_an_unknown_context_is_ignored() {
    let status = command(RequestType::BlockStatus, 0, 512);
    let outcome = structured(&[status], &chunk(1, true, 5, &extents(7, &[(512, 0)])));
    assert_eq!(outcome.lines, ["1: done, error 0"]);
}

#[test]
fn error_chunks_fail_their_command() {
    let with_text = chunk(1, true, 0x8001, &server::error(28, "no room"));
    let mut lying = server::error(5, "");
    lying[5] = 200;
    let replies = [with_text, chunk(2, true, 0x8001, &lying)].concat();
    let outcome = structured(&[FLUSH, FLUSH], &replies);
    let (enospc, eio) = (libc::ENOSPC, libc::EIO);
    let first = format!("1: done, error {enospc}");
    assert_eq!(outcome.lines, [first, format!("2: done, error {eio}")]);
}

#[test]
fn an_error_chunk_with_error_zero_fails() {
    let outcome = structured(&[FLUSH], &chunk(1, true, 0x8001, &server::error(0, "")));
    assert_eq!(outcome.lines, [format!("1: done, error {}", libc::EPROTO)]);
}

#[test]
fn unknown_chunk_types_fail_the_command() {
    let replies = [chunk(1, true, 77, b"what is this"), chunk(2, true, 0, &[])].concat();
    let outcome = structured(&[FLUSH, FLUSH], &replies);
    let failed = format!("1: done, error {}", libc::EPROTO);
    assert_eq!(outcome.lines, [failed.as_str(), "2: done, error 0"]);
    assert_eq!(outcome.group, State::Ready);
}

#[test]
fn a_chunk_for_an_unknown_cookie_is_skipped() {
    let replies = [chunk(99, true, 1, b"12345678data"), chunk(1, true, 0, &[])].concat();
    let outcome = structured(&[FLUSH], &replies);
    assert_eq!(outcome.lines, ["1: done, error 0"]);
}

#[test]
fn a_simple_reply_for_an_unknown_cookie_ends_the_connection() {
    let outcome = simple_only(&[FLUSH], &simple(99, 0, &[]));
    assert!(outcome.lines[0].starts_with("dead: no matching cookie 99"));
    assert_eq!(outcome.group, State::Dead);
}

#[test]
fn a_reply_that_was_not_negotiated_ends_the_connection() {
    let outcome = simple_only(&[FLUSH], &chunk(1, true, 0, &[]));
    assert_eq!(
        outcome.lines,
        ["dead: invalid or unexpected reply magic 0x668e33ef"]
    );
    let outcome = with_extended_headers(&[FLUSH], &simple(1, 0, &[]));
    assert_eq!(outcome.group, State::Dead);
}

#[test]
fn a_chunk_longer_than_any_read_ends_the_connection() {
    let mut reply = chunk(1, true, 1, &[]);
    reply[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
    let outcome = structured(&[read(0, 512)], &reply);
    assert_eq!(
        outcome.lines,
        ["dead: invalid server reply length 4294967295"]
    );
}
