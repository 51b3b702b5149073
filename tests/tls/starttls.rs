// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS started by the program itself, with servers that also work without.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::client::Client;
use crate::fail_closed::BROKEN;
use crate::servers::{Bench, Kind, Steps, Transport, KINDS, TRANSPORTS};
use support::certificates::Certificates;
use support::Result;

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let tests: &[(&str, Steps)] = &[
        ("every server", every_server),
        ("the completion says how it ended", completion),
        ("after TLS was started by the library", again),
        ("a refused certificate ends the connection", bad_certificate),
        ("files that are wrong", wrong_files),
    ];
    let trial = |(name, test): &(&str, Steps)| {
        let (certificates, test) = (Arc::clone(certificates), *test);
        Trial::test(format!("starttls: {name}"), move || {
            Ok(test(&Bench::new(&certificates)?)?)
        })
    };
    tests.iter().map(trial).collect()
}

fn by_hand(bench: &Bench, program: &'static str, kind: &Kind) -> Result<Client> {
    let client = bench.client(program, kind.authentication)?;
    Ok(client.with("TLS", "disable").with("EXPORT", kind.export))
}

fn every_server(bench: &Bench) -> Result<()> {
    for (number, kind) in KINDS.iter().enumerate() {
        for transport in TRANSPORTS {
            let name = format!("server{number}");
            let server = bench.serve(&name, kind.line, transport, 1)?;
            let mut client = by_hand(bench, "starttls-can-be-requested-manually", kind)?;
            if !["nbdkit --tls=on", "nbd-server SELECTIVETLS"].contains(&kind.name) {
                client = client.with("FORCED", "1");
            }
            if kind.name.starts_with("nbd-server") {
                client = client.with("MAY_BE_SIMPLE", "1");
            }
            // Other servers end the connection then.
            if kind.name.starts_with("nbdkit") {
                client = client.with("TWICE", "1");
            }
            let ran = client.on(server.address()).run();
            ran.map_err(|why| format!("{}: {transport:?}: {why}", kind.name))?;
            server.stop()?;
        }
    }
    Ok(())
}

const SELECTIVE: &str = "nbdkit --tls=on --tls-certificates=CERTIFICATES/server memory SIZE";

fn completion(bench: &Bench) -> Result<()> {
    for transport in TRANSPORTS {
        let server = bench.serve("server", SELECTIVE, transport, 1)?;
        let program = "starttls-reports-through-the-completion";
        let client = Client::new(program)
            .with("TLS", "disable")
            .with("CERTIFICATES", bench.certificates.path("client")?);
        client.on(server.address()).run()?;
        server.stop()?;
    }
    Ok(())
}

fn again(bench: &Bench) -> Result<()> {
    for mode in ["require", "allow"] {
        let server = bench.serve("server", SELECTIVE, Transport::Tcp, 1)?;
        let client = Client::new("second-starttls-keeps-the-connection-encrypted")
            .with("TLS", mode)
            .with("EXPORT", "")
            .with("CERTIFICATES", bench.certificates.path("client")?);
        client.on(server.address()).run()?;
        server.stop()?;
    }
    Ok(())
}

fn failing() -> Client {
    Client::new("failed-starttls-ends-the-connection").with("TLS", "disable")
}

fn bad_certificate(bench: &Bench) -> Result<()> {
    let line = "nbdkit --tls=on --tls-certificates=CERTIFICATES/server-unknown-ca memory SIZE";
    let server = bench.serve("server", line, Transport::Tcp, 1)?;
    let client = || -> Result<Client> {
        let path = bench.certificates.path("client")?;
        let client = failing().with("CERTIFICATES", path).on(server.address());
        Ok(client.with("ERRNOS", BROKEN).with("WORDS", "certificate"))
    };
    client()?.run()?;
    client()?.with("AIO", "1").run()?;
    server.stop()
}

/// The connection fails, whether the error is detected before or after asking
/// the server.
fn wrong_files(bench: &Bench) -> Result<()> {
    let server = bench.serve("server", SELECTIVE, Transport::Tcp, 1)?;
    let client = || -> Result<Client> {
        let path = bench.certificates.path("missing.psk")?;
        let client = failing().with("PSK_FILE", path).on(server.address());
        Ok(client.with("ERRNOS", "2").with("WORDS", "missing.psk"))
    };
    client()?.run()?;
    client()?.with("AIO", "1").run()?;
    server.stop()
}
