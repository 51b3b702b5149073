// SPDX-License-Identifier: LGPL-2.1-or-later

//! STARTTLS, byte by byte, and its faults.

mod common;

use common::*;

const ERROR: u32 = 1 << 31;
const ACK: (u32, u32) = (5, 1);

fn options(mode: &str, rest: &str) -> String {
    // Only the program reads the directory.
    format!("--tls {mode} --tls-certificates /nowhere {rest}")
}

/// Returns options and types of the replies.
fn kinds(bytes: &[u8]) -> Vec<(u32, u32)> {
    let replies = option_replies(bytes);
    replies.iter().map(|r| (r.option, r.kind)).collect()
}

fn ask(peer: &mut Peer, number: u32, data: &[u8]) -> Vec<(u32, u32)> {
    kinds(&peer.send(&option(number, data)))
}

#[test]
fn without_tls_there_is_no_starttls() {
    let mut peer = Peer::greeted("", 3);
    assert_eq!(ask(&mut peer, 5, b""), [(5, ERROR + 1)]);
    assert!(!peer.session.awaits_tls());
    assert_eq!(ask(&mut peer, 8, b""), [(8, 1)]);
}

#[test]
fn required_tls_refuses_all_options_but_abort() {
    let required = options("require", "");
    let mut peer = Peer::greeted(&required, 3);
    for number in [3, 6, 7, 8, 9, 10, 11, 0x7777] {
        let reply = ask(&mut peer, number, &info_data(b"", &[]));
        assert_eq!(reply, [(number, ERROR + 5)]);
    }
    let reply = ask(&mut peer, 3, &vec![0; 100_000]);
    assert_eq!(reply, [(3, ERROR + 5)]);
    assert_eq!(ask(&mut peer, 5, b""), [ACK]);
    assert!(peer.session.awaits_tls());

    let mut peer = Peer::greeted(&required, 3);
    assert_eq!(ask(&mut peer, 2, b""), [(2, 1)]);
    assert!(peer.session.is_closing());
    let mut peer = Peer::greeted(&required, 3);
    assert_eq!(peer.send(&option(1, b"")), b"");
    assert!(peer.session.is_closing());
}

#[test]
fn optional_tls_leaves_plaintext_alone() {
    let mut peer = Peer::transmitting(&options("on", ""), Headers::Extended);
    let reply = peer.send(&Request::new(3, 0, 0).encode(Headers::Extended));
    assert_eq!(error_of(&reply, Headers::Extended), 0);
}

#[test]
fn starttls_discards_plaintext_negotiation() {
    let queries = queries_data(b"", &[b"base:allocation"]);
    let mut peer = Peer::greeted(&options("on", ""), 3);
    assert_eq!(ask(&mut peer, 11, b""), [(11, 1)]);
    assert_eq!(ask(&mut peer, 10, &queries), [(10, 4), (10, 1)]);
    assert_eq!(ask(&mut peer, 5, b""), [ACK]);
    peer.session.start_tls();
    // Contexts need structured replies, which must be negotiated again.
    assert_eq!(ask(&mut peer, 10, &queries), [(10, ERROR + 3)]);
    assert_eq!(ask(&mut peer, 8, b""), [(8, 1)]);
    assert_eq!(
        ask(&mut peer, 7, &info_data(b"", &[])),
        [(7, 3), (7, 1)],
        "GO"
    );
    let reply = peer.send(&Request::new(7, 0, 512).encode(Headers::Structured));
    assert_eq!(error_of(&reply, Headers::Structured), 22, "no context");
}

#[test]
fn client_flags_outlive_starttls() {
    for (flags, length) in [(1, 134), (3, 10)] {
        let mut peer = Peer::greeted(&options("require", ""), flags);
        assert_eq!(ask(&mut peer, 5, b""), [ACK]);
        peer.session.start_tls();
        assert_eq!(peer.send(&option(1, b"")).len(), length);
    }
}

#[test]
fn starttls_is_accepted_once_and_without_data() {
    let mut peer = Peer::greeted(&options("require", ""), 3);
    assert_eq!(ask(&mut peer, 5, b"data"), [(5, ERROR + 3)]);
    assert_eq!(ask(&mut peer, 5, b""), [ACK]);
    peer.session.start_tls();
    assert_eq!(ask(&mut peer, 5, b""), [(5, ERROR + 3)]);
    assert!(!peer.session.awaits_tls());
    assert_eq!(ask(&mut peer, 3, b""), [(3, 2), (3, 1)], "still in step");
}

#[test]
fn input_after_starttls_is_not_an_option() {
    let mut peer = Peer::greeted(&options("on", ""), 3);
    let both = [option(5, b""), option(3, b"")].concat();
    assert_eq!(kinds(&peer.send(&both)), [ACK]);
    assert_eq!(peer.send(&option(3, b"")), b"");
    assert!(peer.session.awaits_tls());
}

#[test]
fn starttls_fails_on_request() {
    for mode in ["off", "on", "require"] {
        let options = options(mode, "--option-error STARTTLS=POLICY");
        let mut peer = Peer::greeted(&options, 3);
        assert_eq!(ask(&mut peer, 5, b""), [(5, ERROR + 2)]);
        assert!(!peer.session.awaits_tls());
    }
}

/// Returns the answer to STARTTLS with this fault.
fn faulty(mode: &str, fault: &str) -> (Peer, Vec<u8>) {
    let options = options(mode, &format!("--fault {fault}"));
    let mut peer = Peer::greeted(&options, 3);
    let answer = peer.send(&option(5, b""));
    (peer, answer)
}

#[test]
fn invalid_starttls_replies_keep_plaintext() {
    for mode in ["off", "on"] {
        for (fault, kind, length) in [
            ("starttls-unknown-reply", 99, 0),
            ("starttls-info-reply", 3, 12),
        ] {
            let (mut peer, answer) = faulty(mode, fault);
            assert_eq!(kinds(&answer), [(5, kind)], "{fault}");
            assert_eq!(answer.len(), 20 + length);
            assert_eq!(ask(&mut peer, 3, b""), [(3, 2), (3, 1)]);
        }
    }
}

#[test]
fn faults_close_before_or_after_the_ack() {
    for mode in ["off", "require"] {
        let (peer, answer) = faulty(mode, "starttls-eof");
        assert_eq!(answer, b"");
        assert!(peer.session.is_closing());
        let (peer, answer) = faulty(mode, "starttls-close-after-ack");
        assert_eq!(kinds(&answer), [ACK]);
        assert!(peer.session.is_closing());
    }
}

#[test]
fn an_ack_with_data_still_starts_tls() {
    for (mode, tls) in [("off", false), ("on", true), ("require", true)] {
        let (peer, answer) = faulty(mode, "starttls-ack-with-data");
        assert_eq!(kinds(&answer), [ACK]);
        assert_eq!(&answer[20..], b"surprise");
        assert_eq!(peer.session.awaits_tls(), tls);
    }
}

#[test]
fn garbage_follows_the_ack() {
    for mode in ["off", "require"] {
        let (mut peer, answer) = faulty(mode, "starttls-garbage");
        assert_eq!(kinds(&answer[..20]), [ACK]);
        // TLS record types do not exceed 63.
        assert!(answer[20] > 63);
        assert!(answer.len() > 20 + 5, "more than the head of a record");
        assert_eq!(peer.send(&option(3, b"")), b"");
        assert!(!peer.session.is_closing(), "silence");
    }
}

#[test]
fn silence_follows_the_ack() {
    for mode in ["off", "on", "require"] {
        let (mut peer, answer) = faulty(mode, "starttls-stall");
        assert_eq!(kinds(&answer), [ACK]);
        assert_eq!(answer.len(), 20);
        assert!(!peer.session.awaits_tls());
        assert_eq!(peer.send(b"\x16\x03\x01\0\x04half"), b"");
        assert_eq!(peer.send(&option(3, b"")), b"");
        assert!(!peer.session.is_closing());
    }
}

#[test]
fn replies_are_injected_after_the_ack() {
    let go = [(7, 3), (7, 1)];
    for (mode, rest, headers) in [
        ("off", "", &[(11, 1)][..]),
        ("require", "", &[(11, 1)]),
        ("on", "--no-extended-headers", &[(11, ERROR + 1), (8, 1)]),
        (
            "on",
            "--no-structured-replies",
            &[(11, ERROR + 1), (8, ERROR + 1)],
        ),
    ] {
        let fault = format!("starttls-plaintext-after-ack {rest}");
        let (peer, answer) = faulty(mode, &fault);
        assert_eq!(kinds(&answer), [&[ACK][..], headers, &go].concat());
        let replies = option_replies(&answer);
        let export = &replies[replies.len() - 2].data;
        assert_eq!(u64_at(export, 2), 4096);
        assert_eq!(peer.session.awaits_tls(), mode != "off");
    }
}

#[test]
fn plaintext_continues_after_a_false_ack() {
    for mode in ["off", "on", "require"] {
        let (mut peer, answer) = faulty(mode, "starttls-plain-after-ack");
        assert_eq!(kinds(&answer), [ACK]);
        assert!(!peer.session.awaits_tls());
        let go = ask(&mut peer, 7, &info_data(b"", &[]));
        assert_eq!(go, [(7, 3), (7, 1)], "{mode}");
    }
}
