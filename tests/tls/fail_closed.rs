// SPDX-License-Identifier: LGPL-2.1-or-later

//! Answers to STARTTLS, from a server or an attacker in between, that must fail
//! the connection: the client has sent nothing of NBD unencrypted by then, and
//! sends nothing afterwards.

use std::sync::Arc;

use libtest_mimic::Trial;
use scripted_server::messages::{ack, info_export, refuse, refuse_with, reply, simple};

use crate::attacker::{Attacker, Tampering, Then};
use crate::client::Client;
use crate::seen::{STARTTLS, STRUCTURED_REPLY};
use crate::servers::{Bench, Transport};
use support::certificates::Certificates;
use support::Result;

/// A protocol violation has no errno; a lost connection may have one.
pub const BROKEN: &str = "0,32,104,107";
const NONE: &str = "0";
const ENOTSUP: &str = "95";

/// Number of the server's bytes up to its agreement to TLS: a greeting and a
/// reply.
const UP_TO_ACK: usize = 18 + 20;
/// Number of the client's bytes up to the option: its flags and STARTTLS.
const UP_TO_STARTTLS: usize = 4 + 16;

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let mut trials = vec![
        trial(certificates, "a refusal fails if TLS is required", refusal),
        trial(
            certificates,
            "a refusal fails in option mode too",
            refusal_in_option_mode,
        ),
    ];
    for mode in ["require", "allow", BY_HAND] {
        let test = move |bench: &Bench| broken_replies(bench, mode);
        trials.push(trial(
            certificates,
            &format!("broken replies: {mode}"),
            test,
        ));
        let test = move |bench: &Bench| no_handshake(bench, mode);
        trials.push(trial(certificates, &format!("no handshake: {mode}"), test));
        let test = move |bench: &Bench| plaintext(bench, mode);
        let name = format!("plaintext is put in front of the handshake: {mode}");
        trials.push(trial(certificates, &name, test));
        let test = move |bench: &Bench| tampering(bench, mode);
        let name = format!("the handshake is tampered with: {mode}");
        trials.push(trial(certificates, &name, test));
        let test = move |bench: &Bench| cut(bench, mode);
        let name = format!("the connection is cut: {mode}");
        trials.push(trial(certificates, &name, test));
    }
    trials
}

pub fn trial(
    certificates: &Arc<Certificates>,
    name: &str,
    test: impl Fn(&Bench) -> Result<()> + Send + 'static,
) -> Trial {
    let certificates = Arc::clone(certificates);
    Trial::test(format!("fail closed: {name}"), move || {
        Ok(test(&Bench::new(&certificates)?)?)
    })
}

/// Connects to a server that gives this answer; the connection must fail.
fn refused_by(
    bench: &Bench,
    name: &str,
    answer: Vec<u8>,
    then: Then,
    client: Client,
) -> Result<()> {
    let attacker = Attacker::answer(bench.directory.path(), name, answer, then)?;
    let client = client
        .with("CERTIFICATES", bench.certificates.path("client")?)
        .on(attacker.address());
    client.run().map_err(|why| format!("{name}: {why}"))?;
    let sent = attacker.seen()?.is_nothing_but_starttls();
    sent.map(|_| ()).map_err(|why| format!("{name}: {why}"))
}

/// A mode of these tests, not of the library: the program calls
/// nbd_opt_starttls itself.
const BY_HAND: &str = "by hand";

fn client(mode: &str, errnos: &str, words: &str) -> Client {
    let client = match mode {
        BY_HAND => Client::new("failed-starttls-ends-the-connection").with("TLS", "disable"),
        mode => Client::new("connection-is-refused").with("TLS", mode),
    };
    client
        .with("DEAD", "1")
        .with("ERRNOS", errnos)
        .with("WORDS", words)
}

/// Every error of the protocol, and an undefined one.
const ERRORS: [u32; 10] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 0x7fff];

fn refusal(bench: &Bench) -> Result<()> {
    for error in ERRORS {
        for text in ["", "we do not do that here"] {
            let answer = refuse_with(STARTTLS, error, text.as_bytes());
            let client = client("require", ENOTSUP, "TLS");
            let name = format!("error{error}-{}", text.len());
            refused_by(bench, &name, answer, Then::Listen, client)?;
        }
    }
    Ok(())
}

fn refusal_in_option_mode(bench: &Bench) -> Result<()> {
    for error in ERRORS {
        let answer = refuse(STARTTLS, error);
        let client = client("require", "0,95,107", "TLS|closed").with("OPT_MODE", "1");
        let name = format!("error{error}");
        refused_by(bench, &name, answer, Then::HangUp, client)?;
    }
    Ok(())
}

fn broken_replies(bench: &Bench, mode: &str) -> Result<()> {
    let magic = {
        let mut bytes = ack(STARTTLS);
        bytes[0] ^= 1;
        bytes
    };
    let huge = {
        let mut bytes = refuse(STARTTLS, 1);
        bytes[16..20].copy_from_slice(&0x7fff_ffff_u32.to_be_bytes());
        bytes
    };
    let answers = [
        ("ack-with-data", reply(STARTTLS, 1, b"data")),
        ("no-error-and-no-ack", reply(STARTTLS, 99, b"")),
        ("server", reply(STARTTLS, 2, b"\0\0\0\0")),
        ("info", reply(STARTTLS, 3, &[0; 12])),
        ("another-option", ack(STRUCTURED_REPLY)),
        ("another-error", refuse(STRUCTURED_REPLY, 1)),
        ("magic", magic),
        ("huge-error", huge),
    ];
    for (name, answer) in answers {
        let errnos = if mode == BY_HAND { BROKEN } else { NONE };
        let client = client(mode, errnos, "handshake|reply|server|response");
        refused_by(bench, name, answer, Then::Listen, client)?;
    }
    if mode == "require" {
        // A refusal with a longer text than the protocol permits.
        let answer = refuse_with(STARTTLS, 1, &[b'x'; 5000]);
        let client = client(mode, "0,95", "handshake");
        refused_by(bench, "long-error", answer, Then::Listen, client)?;
    }
    let whole = ack(STARTTLS);
    for length in [0, 1, 19] {
        let client = client(mode, BROKEN, "recv|handshake|server|response");
        let answer = whole[..length].to_vec();
        refused_by(
            bench,
            &format!("cut-{length}"),
            answer,
            Then::HangUp,
            client,
        )?;
    }
    Ok(())
}

/// The server agrees, and then sends no TLS.
fn no_handshake(bench: &Bench, mode: &str) -> Result<()> {
    let after_ack = |bytes: &[u8]| [ack(STARTTLS), bytes.to_vec()].concat();
    let answers: [(&str, &[u8]); 5] = [
        ("nothing", b""),
        ("garbage", b"This is no TLS, but it is long enough for one."),
        ("fatal-alert", b"\x15\x03\x03\0\x02\x02\x28"),
        ("goodbye", b"\x15\x03\x03\0\x02\x01\0"),
        ("half-a-record", b"\x16\x03\x03\x01\0\x02\0\0\x52\x03\x03"),
    ];
    for (name, bytes) in answers {
        for then in [Then::HangUp, Then::Close] {
            let client = client(mode, BROKEN, "TLS|handshake|recv|send|response");
            let name = format!("{name}-{then:?}");
            refused_by(bench, &name, after_ack(bytes), then, client)?;
        }
    }
    // Continue as if TLS had not been negotiated.
    let more = [ack(STRUCTURED_REPLY), info_export(7, 1 << 20, 1), ack(7)];
    let client = client(mode, BROKEN, "TLS|handshake|recv|send|response");
    refused_by(
        bench,
        "plain-nbd",
        after_ack(&more.concat()),
        Then::Listen,
        client,
    )
}

/// A real server, with plaintext injected between its agreement and its
/// handshake.
fn plaintext(bench: &Bench, mode: &str) -> Result<()> {
    let server = bench.serve_certificate("server-ecdsa", Transport::Unix)?;
    let inserted = [
        ("option-reply", ack(STRUCTURED_REPLY)),
        ("another-ack", ack(STARTTLS)),
        ("error", refuse(STARTTLS, 1)),
        ("byte", b"x".to_vec()),
        ("zero", b"\0".to_vec()),
        ("data", b"\x17\x03\x03\0\x04data".to_vec()),
        ("simple-reply", simple(1, 0, b"")),
    ];
    for (name, bytes) in inserted {
        for at in [18, UP_TO_ACK] {
            let insert = Tampering::Insert {
                at,
                bytes: bytes.clone(),
            };
            // Before the real answer, an error is a valid answer; and a program
            // that has not sent STARTTLS yet cannot get a wrong one.
            let is_answer = name == "error" || name == "another-ack";
            if at == 18 && (is_answer || mode == BY_HAND) {
                continue;
            }
            let name = format!("{name}-{at}");
            refused_through(bench, &server, &name, mode, Tampering::Nothing, insert)?;
        }
    }
    server.stop()
}

fn tampering(bench: &Bench, mode: &str) -> Result<()> {
    let server = bench.serve_certificate("server-ecdsa", Transport::Unix)?;
    // The records that a server sends in its handshake.
    for number in 0..5 {
        let start = UP_TO_ACK;
        let flip = Tampering::Flip { start, number };
        let name = format!("to-client-{number}");
        refused_through(bench, &server, &name, mode, Tampering::Nothing, flip)?;
    }
    for number in 0..2 {
        let start = UP_TO_STARTTLS;
        let flip = Tampering::Flip { start, number };
        let name = format!("to-server-{number}");
        refused_through(bench, &server, &name, mode, flip, Tampering::Nothing)?;
    }
    server.stop()
}

fn cut(bench: &Bench, mode: &str) -> Result<()> {
    let server = bench.serve_certificate("server-ecdsa", Transport::Unix)?;
    for at in [0, 1, 5, 40, 100, 300, 600, 900] {
        let cut = Tampering::Cut(UP_TO_ACK + at);
        let name = format!("to-client-{at}");
        refused_through(bench, &server, &name, mode, Tampering::Nothing, cut)?;
    }
    for at in [1, 10, 60, 200] {
        let cut = Tampering::Cut(UP_TO_STARTTLS + at);
        let name = format!("to-server-{at}");
        refused_through(bench, &server, &name, mode, cut, Tampering::Nothing)?;
    }
    server.stop()
}

fn refused_through(
    bench: &Bench,
    server: &support::servers::Server,
    name: &str,
    mode: &str,
    to_server: Tampering,
    to_client: Tampering,
) -> Result<()> {
    let directory = bench.directory.path();
    let attacker = Attacker::between(directory, name, server.address(), to_server, to_client)?;
    let client = client(mode, BROKEN, "TLS|handshake|recv|send|response")
        .with("CERTIFICATES", bench.certificates.path("client")?)
        .with("HOSTNAME", "localhost")
        .on(attacker.address());
    client.run().map_err(|why| format!("{name}: {why}"))?;
    let sent = attacker.seen()?.is_nothing_but_starttls();
    sent.map(|_| ()).map_err(|why| format!("{name}: {why}"))
}
