// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS under valgrind: GnuTLS uses borrowed memory no longer than allowed, and
//! everything that it allocates is freed, however a connection ends.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::client::Client;
use crate::servers::{Bench, Transport};
use support::certificates::Certificates;
use support::Result;

/// A test, with the version of TLS as parameter.
type Test = fn(&Bench, &str) -> Result<()>;

const MEMSERVER: &str = "memserver --tls on --tls-certificates CERTIFICATES/server --size SIZE";

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let tests: [(&str, Test); 6] = [
        ("data is read and written", data),
        ("a loop of the program's own", own_loop),
        ("the session is ended", goodbye),
        ("the connection is cut", no_goodbye),
        ("the certificate is for another host", refused),
        ("plaintext instead of a handshake", plaintext),
    ];
    let mut trials = Vec::new();
    for (name, test) in tests {
        for version in ["1.2", "1.3"] {
            let certificates = Arc::clone(certificates);
            let name = format!("memory: {name}: TLS {version}");
            trials.push(Trial::test(name, move || {
                Ok(test(&Bench::new(&certificates)?, version)?)
            }));
        }
    }
    trials
}

/// Runs a program against a server with these options.
fn run(
    bench: &Bench,
    version: &str,
    options: &str,
    program: &'static str,
    settings: &[(&'static str, &str)],
) -> Result<()> {
    let line = format!("{MEMSERVER} {options}");
    let server = bench.serve("server", line.trim_end(), Transport::Tcp, 4)?;
    let mut client = Client::new(program)
        .with("CERTIFICATES", bench.certificates.path("client")?)
        .with("PRIORITY", format!("NORMAL:-VERS-ALL:+VERS-TLS{version}"));
    for (name, value) in settings {
        client = client.with(name, *value);
    }
    client.under_valgrind().on(server.address()).run()?;
    server.stop()
}

fn data(bench: &Bench, version: &str) -> Result<()> {
    let settings = [("EXPORT", ""), ("MEBIBYTES", "4")];
    run(bench, version, "", "data-round-trips-over-tls", &settings)
}

fn own_loop(bench: &Bench, version: &str) -> Result<()> {
    run(bench, version, "", "own-poll-loop-drives-tls", &[])
}

fn goodbye(bench: &Bench, version: &str) -> Result<()> {
    let program = "end-without-close-notify-is-an-error";
    let options = "--close-after-requests 1";
    run(bench, version, options, program, &[("GOODBYE", "1")])
}

fn no_goodbye(bench: &Bench, version: &str) -> Result<()> {
    let program = "end-without-close-notify-is-an-error";
    let options = "--close-after-requests 1 --no-close-notify";
    run(bench, version, options, program, &[("GOODBYE", "0")])
}

/// Errno values and messages do not matter here: `fail_closed` and `identity`
/// check them.
fn refused(bench: &Bench, version: &str) -> Result<()> {
    let settings = [
        ("HOSTNAME", "another.example"),
        ("ERRNOS", "0,1,5,13,22,71,104,111"),
        ("WORDS", "certificate"),
        ("DEAD", "1"),
    ];
    run(bench, version, "", "connection-is-refused", &settings)
}

fn plaintext(bench: &Bench, version: &str) -> Result<()> {
    let settings = [
        ("ERRNOS", "0,1,5,13,22,71,95,104,107"),
        ("WORDS", "TLS|handshake"),
        ("DEAD", "1"),
    ];
    let options = "--fault starttls-plaintext-after-ack";
    run(bench, version, options, "connection-is-refused", &settings)
}
