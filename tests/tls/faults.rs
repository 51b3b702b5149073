// SPDX-License-Identifier: LGPL-2.1-or-later

//! Faults of a server with another TLS implementation: memserver uses rustls.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::client::Client;
use crate::fail_closed::BROKEN;
use crate::servers::{Bench, Transport, TRANSPORTS};
use support::certificates::Certificates;
use support::Result;

/// With an RSA key: every other ECDSA key of certtool's has a leading zero that
/// rustls rejects.
const MEMSERVER: &str = "memserver --tls on --tls-certificates CERTIFICATES/server";

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let trial = |name: String, test: fn(&Bench, &str) -> Result<()>, how: &'static str| {
        let certificates = Arc::clone(certificates);
        Trial::test(format!("faults: {name}"), move || {
            Ok(test(&Bench::new(&certificates)?, how)?)
        })
    };
    let mut trials = Vec::new();
    for mode in ["require", "allow", BY_HAND] {
        let name = format!("replies in front of a real handshake: {mode}");
        trials.push(trial(name, injected_replies, mode));
    }
    for (version, name) in [("1.2", "TLS 1.2"), ("1.3", "TLS 1.3")] {
        let name = |what| format!("the end of the session is {what}: {name}");
        trials.push(trial(name("announced"), goodbye, version));
        trials.push(trial(name("not announced"), no_goodbye, version));
        let name = format!("a child process says no goodbye: {version}");
        trials.push(trial(name, forked, version));
        let name = format!("cut at any byte: {version}");
        trials.push(trial(name, cut, version));
        let name = format!("system calls do less than asked: {version}");
        trials.push(trial(name, less, version));
        let name = format!("no descriptors left: {version}");
        trials.push(trial(name, no_descriptors, version));
        let name = format!("no memory left: {version}");
        trials.push(trial(name, no_memory, version));
    }
    trials
}

const BY_HAND: &str = "by hand";

/// A client that mistakes these replies for TLS content connects to an export
/// of the attacker.
fn injected_replies(bench: &Bench, mode: &str) -> Result<()> {
    let line = format!("{MEMSERVER} --size SIZE --fault starttls-plaintext-after-ack");
    for transport in TRANSPORTS {
        let server = bench.serve("server", &line, transport, 1)?;
        let client = match mode {
            BY_HAND => Client::new("failed-starttls-ends-the-connection").with("TLS", "disable"),
            mode => Client::new("connection-is-refused").with("TLS", mode),
        };
        let client = client
            .with("CERTIFICATES", bench.certificates.path("client")?)
            .with("HOSTNAME", "localhost")
            .with("DEAD", "1")
            .with("ERRNOS", BROKEN)
            .with("WORDS", "TLS|handshake");
        let ran = client.on(server.address()).run();
        ran.map_err(|why| format!("{transport:?}: {why}"))?;
        server.stop()?;
    }
    Ok(())
}

fn goodbye(bench: &Bench, version: &str) -> Result<()> {
    end_of_session(bench, version, "", "1")
}

fn no_goodbye(bench: &Bench, version: &str) -> Result<()> {
    end_of_session(bench, version, "--no-close-notify", "0")
}

fn forked(bench: &Bench, version: &str) -> Result<()> {
    with_memserver(
        bench,
        version,
        Transport::Tcp,
        "child-process-sends-no-close-notify",
    )
}

fn cut(bench: &Bench, version: &str) -> Result<()> {
    let program = "connection-may-be-cut-at-any-byte";
    with_memserver(bench, version, Transport::Unix, program)
}

fn less(bench: &Bench, version: &str) -> Result<()> {
    let program = "short-and-interrupted-system-calls-are-handled";
    with_memserver(bench, version, Transport::Tcp, program)
}

fn no_descriptors(bench: &Bench, version: &str) -> Result<()> {
    let program = "running-out-of-descriptors-is-an-error";
    with_memserver(bench, version, Transport::Tcp, program)
}

fn no_memory(bench: &Bench, version: &str) -> Result<()> {
    let program = "running-out-of-memory-is-an-error";
    with_memserver(bench, version, Transport::Unix, program)
}

fn with_memserver(
    bench: &Bench,
    version: &str,
    transport: Transport,
    program: &'static str,
) -> Result<()> {
    let line = format!("{MEMSERVER} --size SIZE");
    let server = bench.serve("server", &line, transport, 1)?;
    let client = Client::new(program)
        .with("CERTIFICATES", bench.certificates.path("client")?)
        .with("HOSTNAME", "localhost")
        .with("PRIORITY", format!("NORMAL:-VERS-ALL:+VERS-TLS{version}"));
    client.on(server.address()).run()?;
    server.stop()
}

fn end_of_session(bench: &Bench, version: &str, option: &str, goodbye: &str) -> Result<()> {
    let line = format!("{MEMSERVER} --size SIZE --close-after-requests 1 {option}");
    let server = bench.serve("server", line.trim_end(), Transport::Tcp, 1)?;
    let client = Client::new("end-without-close-notify-is-an-error")
        .with("CERTIFICATES", bench.certificates.path("client")?)
        .with("PRIORITY", format!("NORMAL:-VERS-ALL:+VERS-TLS{version}"))
        .with("GOODBYE", goodbye);
    client.on(server.address()).run()?;
    server.stop()
}
