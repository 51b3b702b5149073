// SPDX-License-Identifier: LGPL-2.1-or-later

//! Data arrives in small pieces, one byte at a time at first: no handshake
//! message and no record is complete at once.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::attacker::{Attacker, Tampering};
use crate::servers::{Authentication, Bench, Transport, KINDS};
use support::certificates::Certificates;
use support::Result;

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for kind in KINDS.iter().filter(|kind| kind.export.is_empty()) {
        for version in ["1.2", "1.3"] {
            let certificates = Arc::clone(certificates);
            let name = format!("slow network: {}: TLS {version}", kind.name);
            trials.push(Trial::test(name, move || {
                let bench = Bench::new(&certificates)?;
                Ok(slowly(&bench, kind.line, kind.authentication, version)?)
            }));
        }
    }
    trials
}

fn slowly(bench: &Bench, line: &str, how: Authentication, version: &str) -> Result<()> {
    let server = bench.serve("server", line, Transport::Unix, 4)?;
    for program in ["own-poll-loop-drives-tls", "connection-is-made"] {
        let attacker = Attacker::between(
            bench.directory.path(),
            program,
            server.address(),
            Tampering::Pieces,
            Tampering::Pieces,
        )?;
        let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}");
        let client = bench.client(program, how)?.with("PRIORITY", priority);
        client.with("ENCRYPTED", "1").on(attacker.address()).run()?;
        let sent = attacker.seen()?.is_nothing_but_starttls()?;
        if sent.records == 0 {
            return Err("the client sent nothing that is encrypted".to_owned());
        }
    }
    server.stop()
}
