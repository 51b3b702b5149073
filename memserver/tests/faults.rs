// SPDX-License-Identifier: LGPL-2.1-or-later

//! Each fault has an effect, and only within its scope.

mod common;

use common::*;
use memserver::faults::{Fault, Scope, ALL};

/// Returns a conversation with everything that a client can ask.
fn conversation(headers: Headers) -> Vec<Vec<u8>> {
    let queries = queries_data(b"", &[b"base:allocation", b"x:y"]);
    let mut all = vec![
        3u32.to_be_bytes().to_vec(),
        option(3, b""),
        option(5, b""),
        option(if headers == Headers::Extended { 11 } else { 8 }, b""),
        option(10, &queries),
        option(6, &info_data(b"", &[1, 2, 3])),
        option(7, &info_data(b"", &[1, 2])),
    ];
    let requests = [
        Request::new(0, 8192, 4096),
        Request::new(0, 0, 4096),
        Request::new(7, 0, 65536),
        Request::new(3, 0, 0),
        Request::new(0, 65536, 1),
    ];
    all.push(write(headers, 0, &[1; 10_000]));
    all.extend(requests.iter().map(|request| request.encode(headers)));
    all
}

fn options(rest: &str) -> String {
    format!("--size 64k --description d --context x:y=1k:1,1k:2 --block-size 1,4096,1M {rest}")
}

/// Returns the server's messages in that conversation.
fn answers(rest: &str, headers: Headers) -> Vec<Vec<u8>> {
    let mut peer = Peer::new(&options(rest));
    let mut answers = vec![peer.output()];
    for message in conversation(headers) {
        answers.push(peer.send(&message));
    }
    answers
}

/// Returns the indexes of the answers that belong to a scope.
fn expected(scope: Scope) -> Vec<usize> {
    match scope {
        Scope::Greeting => vec![0],
        Scope::Option => vec![2, 3, 4, 5, 6, 7],
        Scope::List => vec![2],
        Scope::StartTls => vec![3],
        Scope::Context => vec![5],
        Scope::Info => vec![6, 7],
        Scope::Reply => (8..14).collect(),
        // The read beyond the end fails and has no data to corrupt.
        Scope::Read => vec![9, 10],
        Scope::Status => vec![11],
    }
}

#[test]
fn every_fault_takes_effect() {
    for headers in [Headers::Structured, Headers::Extended] {
        let good = answers("", headers);
        for &(fault, name, scope, _) in ALL {
            if headers == Headers::Structured
                && matches!(
                    fault,
                    Fault::ReplyOffset | Fault::ReplyCompact | Fault::StatusBadCount
                )
            {
                // These need extended headers to be visible.
                assert_eq!(answers(&format!("--fault {name}"), headers), good);
                continue;
            }
            let bad = answers(&format!("--fault {name}"), headers);
            let first = good.iter().zip(&bad).position(|(good, bad)| good != bad);
            let mut possible = expected(scope);
            // A fault that only affects one option or command takes effect
            // there.
            possible.retain(|n| Some(*n) == first || good[*n] != bad[*n]);
            assert!(
                !possible.is_empty(),
                "{name} changed nothing with {headers:?}"
            );
            assert_eq!(first, possible.first().copied(), "{name} struck elsewhere");
        }
    }
}

#[test]
fn a_count_selects_the_opportunity() {
    let headers = Headers::Extended;
    let good = answers("", headers);
    for n in 1..=6 {
        let bad = answers(&format!("--fault reply-cookie:{n}"), headers);
        for (at, (good, bad)) in good.iter().zip(&bad).enumerate() {
            assert_eq!(good != bad, at == 7 + n, "answer {at} with the count {n}");
        }
    }
}

#[test]
fn faults_of_chunks_leave_simple_replies_alone() {
    let read = Request::new(0, 0, 4096).encode(Headers::Simple);
    let good = Peer::transmitting(&options(""), Headers::Simple).send(&read);
    for &(_, name, scope, _) in ALL {
        if matches!(scope, Scope::Read | Scope::Status) {
            let options = options(&format!("--fault {name}"));
            assert_eq!(
                Peer::transmitting(&options, Headers::Simple).send(&read),
                good
            );
        }
    }
}

#[test]
fn short_names_are_faults() {
    let headers = Headers::Extended;
    for (old, new) in [
        ("--bad-magic greeting", "greeting-magic"),
        ("--bad-magic option", "option-magic"),
        ("--bad-magic reply", "reply-magic"),
        ("--unknown-cookie", "reply-cookie"),
        ("--oversize-chunk", "data-oversize"),
        ("--wrong-chunk", "reply-wrong-chunk"),
    ] {
        let new = answers(&format!("--fault {new}"), headers);
        assert!(answers(old, headers) == new, "{old}");
    }
}

#[test]
fn a_chunk_beyond_the_request_is_as_large_as_it_says() {
    let headers = Headers::Structured;
    let mut peer = Peer::transmitting("--pattern --fault data-oversize", headers);
    let reply = peer.send(&Request::new(0, 512, 512).encode(headers));
    let parts = chunks(&reply, headers);
    assert_eq!(parts.len(), 1);
    assert_eq!(u64_at(&parts[0].payload, 0), 512);
    assert_eq!(parts[0].payload.len(), 8 + 1024);
}

#[test]
fn an_unmarked_last_chunk_ends_the_connection() {
    let headers = Headers::Structured;
    let mut peer = Peer::transmitting("--fault reply-no-done", headers);
    let reply = peer.send(&Request::new(3, 0, 0).encode(headers));
    assert!(!chunks(&reply, headers)[0].done);
    assert!(peer.session.is_closing());
}
