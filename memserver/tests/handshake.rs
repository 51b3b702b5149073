// SPDX-License-Identifier: LGPL-2.1-or-later

//! The three handshakes and every option, byte by byte.

mod common;

use common::*;

const ERROR: u32 = 1 << 31;

fn one(peer: &mut Peer, number: u32, data: &[u8]) -> OptionReply {
    let mut replies = option_replies(&peer.send(&option(number, data)));
    assert_eq!(replies.len(), 1, "{replies:?}");
    assert_eq!(replies[0].option, number);
    replies.remove(0)
}

fn kinds(peer: &mut Peer, number: u32, data: &[u8]) -> Vec<u32> {
    let replies = option_replies(&peer.send(&option(number, data)));
    replies.iter().map(|reply| reply.kind).collect()
}

#[test]
fn oldstyle_sends_size_and_flags_then_transmits() {
    let mut peer = Peer::new("--oldstyle --size 1M --read-only");
    let greeting = peer.output();
    assert_eq!(&greeting[..8], b"NBDMAGIC");
    assert_eq!(u64_at(&greeting, 8), 0x0000_4202_8186_1253);
    assert_eq!(u64_at(&greeting, 16), 1 << 20);
    // HAS_FLAGS, READ_ONLY, FLUSH, FUA, CAN_MULTI_CONN, CACHE.
    assert_eq!(greeting[24..28], 0x050f_u32.to_be_bytes());
    assert_eq!(greeting[28..], [0; 124]);
    let reply = peer.send(&Request::new(0, 0, 16).encode(Headers::Simple));
    assert_eq!(error_of(&reply, Headers::Simple), 0);
    assert_eq!(reply[16..], [0; 16]);
}

#[test]
fn plain_newstyle_only_supports_export_name() {
    let mut peer = Peer::new("--newstyle");
    assert_eq!(peer.output(), b"NBDMAGICIHAVEOPT\x00\x02");
    assert_eq!(peer.send(&[0, 0, 0, 0]), b"");
    let reply = peer.send(&option(1, b""));
    assert_eq!(reply.len(), 8 + 2 + 124);
    assert_eq!(u64_at(&reply, 0), 64 << 20);

    let mut peer = Peer::greeted("--newstyle", 0);
    assert_eq!(peer.send(&option(3, b"")), b"");
    assert!(peer.session.is_closing());
}

#[test]
fn client_flags_that_were_not_offered_end_the_session() {
    for (options, flags) in [("--newstyle", 1), ("--no-zeroes-flag-off", 2), ("", 4)] {
        let peer = Peer::greeted(options, flags);
        assert!(peer.session.is_closing(), "{options} {flags}");
    }
}

#[test]
fn export_name_pads_unless_agreed() {
    for (flags, length) in [(1, 134), (3, 10)] {
        let mut peer = Peer::greeted("--export disk --size 4k", flags);
        let reply = peer.send(&option(1, b"disk"));
        assert_eq!(reply.len(), length);
        assert_eq!(u64_at(&reply, 0), 4096);
    }
    let mut peer = Peer::greeted("--export disk", 3);
    assert_eq!(peer.send(&option(1, b"disc")), b"");
    assert!(peer.session.is_closing());
}

#[test]
fn go_sends_the_requested_information() {
    let options = "--export a --size 1M --export b --size 2M --description text \
                   --canonical-name bb --block-size 512,4096,1M";
    let mut peer = Peer::greeted(options, 3);
    let replies = option_replies(&peer.send(&option(6, &info_data(b"b", &[1, 2, 3, 99]))));
    let data: Vec<&[u8]> = replies.iter().map(|reply| &reply.data[..]).collect();
    let export = [&[0, 0][..], &(2u64 << 20).to_be_bytes(), &[0x0d, 0x6d]].concat();
    let sizes = [0, 3, 0, 0, 2, 0, 0, 0, 16, 0, 0, 16, 0, 0];
    assert_eq!(
        data,
        [&export[..], b"\x00\x01bb", b"\x00\x02text", &sizes, b""]
    );
    // The default export is the first one.
    let replies = option_replies(&peer.send(&option(7, &info_data(b"", &[]))));
    assert_eq!(u64_at(&replies[0].data, 2), 1 << 20);
    assert_eq!(replies.len(), 2);
    let reply = peer.send(&Request::new(0, 0, 1).encode(Headers::Simple));
    assert_eq!(reply.len(), 17);
}

#[test]
fn go_refuses_invalid_requests() {
    let mut peer = Peer::greeted("--export a --require-block-size", 3);
    assert_eq!(one(&mut peer, 7, &info_data(b"x", &[])).kind, ERROR + 6);
    assert_eq!(one(&mut peer, 7, b"\0\0\0\x09abc\0\0").kind, ERROR + 3);
    assert_eq!(
        one(&mut peer, 7, b"\0\0\0\x01a\0\x02\0\x03").kind,
        ERROR + 3
    );
    assert_eq!(
        kinds(&mut peer, 7, &info_data(b"a", &[])),
        [3, 3, ERROR + 8]
    );
    assert_eq!(kinds(&mut peer, 7, &info_data(b"a", &[3])), [3, 1]);
}

#[test]
fn list_names_all_exports() {
    let options = "--export a --description first --export b";
    let mut peer = Peer::greeted(options, 3);
    let replies = option_replies(&peer.send(&option(3, b"")));
    assert_eq!(replies[0].data, b"\0\0\0\x01afirst");
    assert_eq!(replies[1].data, b"\0\0\0\x01b");
    assert_eq!(replies[2].kind, 1);
    assert_eq!(one(&mut peer, 3, b"x").kind, ERROR + 3);
    let mut peer = Peer::greeted("--no-list", 3);
    assert_eq!(one(&mut peer, 3, b"").kind, ERROR + 2);
}

#[test]
fn abort_is_acknowledged_unknown_options_are_refused() {
    let mut peer = Peer::greeted("", 3);
    assert_eq!(one(&mut peer, 5, b"").kind, ERROR + 1);
    assert_eq!(one(&mut peer, 0x7777, b"data").kind, ERROR + 1);
    assert_eq!(one(&mut peer, 2, b"ignored").kind, 1);
    assert!(peer.session.is_closing());
}

#[test]
fn headers_are_agreed_once_and_extended_ones_win() {
    let mut peer = Peer::greeted("", 3);
    assert_eq!(one(&mut peer, 8, b"x").kind, ERROR + 3);
    assert_eq!(one(&mut peer, 8, b"").kind, 1);
    assert_eq!(one(&mut peer, 8, b"").kind, ERROR + 3);
    assert_eq!(one(&mut peer, 11, b"").kind, 1);
    assert_eq!(one(&mut peer, 8, b"").kind, ERROR + 10);
    // EXPORT_NAME is not for clients with extended headers.
    assert_eq!(peer.send(&option(1, b"")), b"");
    assert!(peer.session.is_closing());

    let mut peer = Peer::greeted("--no-structured-replies", 3);
    assert_eq!(one(&mut peer, 8, b"").kind, ERROR + 1);
    assert_eq!(one(&mut peer, 11, b"").kind, ERROR + 1);
    let mut peer = Peer::greeted("--no-go", 3);
    assert_eq!(one(&mut peer, 11, b"").kind, ERROR + 1);
    assert_eq!(one(&mut peer, 7, &info_data(b"", &[])).kind, ERROR + 1);
}

#[test]
fn meta_contexts_are_listed_and_set() {
    let options = "--context x:narrow=1k:1 --context x:wide=1k:0x100000000";
    let mut peer = Peer::greeted(options, 3);
    let all = queries_data(b"", &[]);
    let wanted = queries_data(b"", &[b"base:allocation", b"x:narrow", b"x:", b"y:none"]);
    assert_eq!(one(&mut peer, 10, &wanted).kind, ERROR + 3, "headers first");
    assert_eq!(one(&mut peer, 8, b"").kind, 1);
    assert_eq!(kinds(&mut peer, 9, &all), [4, 4, 1]);
    assert_eq!(kinds(&mut peer, 9, &queries_data(b"", &[b"x:"])), [4, 1]);
    assert_eq!(kinds(&mut peer, 9, &queries_data(b"", &[b"z:"])), [1]);
    let replies = option_replies(&peer.send(&option(10, &wanted)));
    let names: Vec<&[u8]> = replies[..2].iter().map(|reply| &reply.data[4..]).collect();
    assert_eq!(names, [&b"base:allocation"[..], b"x:narrow"]);
    assert_ne!(replies[0].data[..4], replies[1].data[..4], "ids");
    assert_eq!(replies[2].kind, 1);
    assert_eq!(one(&mut peer, 10, &queries_data(b"", &[])).kind, 1);
    assert_eq!(
        one(&mut peer, 10, &queries_data(b"no", &[])).kind,
        ERROR + 6
    );
    assert_eq!(
        one(&mut peer, 9, &queries_data(b"", &[b"colonless"])).kind,
        ERROR + 3
    );
    assert_eq!(one(&mut peer, 9, &all[..7]).kind, ERROR + 3);
    // 64-bit flags are for extended headers.
    assert_eq!(one(&mut peer, 11, b"").kind, 1);
    assert_eq!(kinds(&mut peer, 9, &all), [4, 4, 4, 1]);
}

#[test]
fn a_selection_is_for_the_export_it_named() {
    for (name, error) in [(&b"a"[..], 0), (b"", 22)] {
        let mut peer = Peer::greeted("--export a --export b", 3);
        assert_eq!(one(&mut peer, 8, b"").kind, 1);
        let queries = queries_data(b"a", &[b"base:allocation"]);
        assert_eq!(kinds(&mut peer, 10, &queries), [4, 1]);
        assert_eq!(kinds(&mut peer, 7, &info_data(name, &[])), [3, 1]);
        let reply = peer.send(&Request::new(7, 0, 512).encode(Headers::Structured));
        assert_eq!(error_of(&reply, Headers::Structured), error);
    }
}

#[test]
fn requested_option_errors_are_sent() {
    let errors = [
        "UNSUP",
        "POLICY",
        "INVALID",
        "PLATFORM",
        "TLS_REQD",
        "UNKNOWN",
        "SHUTDOWN",
        "BLOCK_SIZE_REQD",
        "TOO_BIG",
        "EXT_HEADER_REQD",
    ];
    for (n, name) in errors.iter().enumerate() {
        let mut peer = Peer::greeted(&format!("--option-error LIST={name}"), 3);
        let reply = one(&mut peer, 3, b"");
        assert_eq!(reply.kind, ERROR + 1 + n as u32);
        assert!(!reply.data.is_empty(), "a human-readable text");
    }
    let mut peer = Peer::greeted("--option-error EXPORT_NAME=UNKNOWN", 3);
    assert_eq!(peer.send(&option(1, b"")), b"");
    assert!(peer.session.is_closing());
}

#[test]
fn long_options_are_skipped_and_huge_ones_end_the_session() {
    let mut peer = Peer::greeted("", 3);
    assert_eq!(one(&mut peer, 7, &vec![0; 100_000]).kind, ERROR + 9);
    assert_eq!(kinds(&mut peer, 3, b""), [2, 1], "still in step");
    let huge = [&IHAVEOPT[..], &[0, 0, 0, 7, 0x7f, 0, 0, 0]].concat();
    assert_eq!(peer.send(&huge), b"");
    assert!(peer.session.is_closing());
}
