// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting to real servers, listing their exports, and reading back written
//! data.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::servers::{Bench, Kind, Transport, KINDS, TRANSPORTS};
use support::certificates::Certificates;
use support::library::Library;
use support::Result;

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for kind in KINDS {
        for transport in TRANSPORTS {
            let certificates = Arc::clone(certificates);
            let name = format!("transfers: {}: {transport:?}", kind.name);
            trials.push(Trial::test(name, move || {
                Ok(transfer(&Bench::new(&certificates)?, kind, transport)?)
            }));
        }
    }
    trials
}

fn transfer(bench: &Bench, kind: &Kind, transport: Transport) -> Result<()> {
    let mebibytes = match Library::under_test()?.is_emulated() {
        true => 16,
        false => 256,
    };
    let server = bench.serve("server", kind.line, transport, mebibytes)?;
    let client = bench
        .client("data-round-trips-over-tls", kind.authentication)?
        .on(server.address())
        .with("EXPORT", kind.export)
        .with("MEBIBYTES", mebibytes.to_string());
    client.run()?;
    if kind.export.is_empty() {
        for program in [
            "disconnect-shuts-down-the-socket",
            "interrupted-commands-leave-the-session-intact",
            "batched-requests-share-records",
            "calls-over-tls-are-bounded",
            "commands-over-tls-run-on-a-small-stack",
            "signals-do-not-interrupt-calls-over-tls",
            "vectors-round-trip-over-tls",
        ] {
            let client = bench.client(program, kind.authentication)?;
            client.on(server.address()).run()?;
        }
    }
    server.stop()
}
