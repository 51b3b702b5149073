// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debian's own nbdinfo and nbdcopy over TLS behave the same with the system's
//! library and with this one.

use std::cell::Cell;
use std::sync::Arc;

use libtest_mimic::Trial;

use crate::servers::{self, Authentication, Kind, Transport, KINDS, TRANSPORTS};
use support::certificates::Certificates;
use support::compare::same;
use support::scenario::Scenario;
use support::servers::{Address, Server};
use support::Result;

const MEBIBYTES: u64 = 8;

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for kind in KINDS {
        for transport in TRANSPORTS {
            let certificates = Arc::clone(certificates);
            let name = format!("nbdinfo and nbdcopy: {}: {transport:?}", kind.name);
            trials.push(same(name, move |s| {
                certificates.directory()?;
                s.replace(&certificates.path("")?, "CERTIFICATES/");
                let place = Place {
                    certificates: &certificates,
                    scenario: s,
                    started: Cell::new(0),
                };
                look_and_copy(&place, kind, transport)
            }));
        }
    }
    trials
}

struct Place<'a> {
    certificates: &'a Certificates,
    scenario: &'a Scenario,
    started: Cell<u32>,
}

impl Place<'_> {
    fn serve(&self, kind: &Kind, transport: Transport) -> Result<Server> {
        let number = self.started.get();
        self.started.set(number + 1);
        let server = servers::serve(
            self.certificates,
            self.scenario.directory(),
            &format!("server{number}"),
            kind.line,
            transport,
            MEBIBYTES,
        )?;
        if let Address::Port(port) = server.address() {
            self.scenario.replace(&port.to_string(), "PORT");
        }
        Ok(server)
    }
}

/// Returns the URI that a user types for the export.
fn uri(certificates: &Certificates, kind: &Kind, server: &Server) -> Result<String> {
    let (user, proof) = match kind.authentication {
        Authentication::Certificate => ("", ("tls-certificates", "client")),
        Authentication::BothCertificates => ("", ("tls-certificates", "client-rsa")),
        Authentication::PreSharedKey => ("alice@", ("tls-psk-file", "psk/keys.psk")),
    };
    let proof = format!("{}={}", proof.0, certificates.path(proof.1)?);
    let export = kind.export;
    Ok(match server.address() {
        Address::Port(port) => format!("nbds://{user}localhost:{port}/{export}?{proof}"),
        Address::Unix(socket) => {
            let socket = socket.display();
            format!("nbds+unix://{user}/{export}?socket={socket}&{proof}")
        }
    })
}

fn look_and_copy(place: &Place<'_>, kind: &Kind, transport: Transport) -> Result<()> {
    let s = place.scenario;
    let data = contents();
    s.write("data", &data)?;
    let steps: &[(&str, &[&'static str])] = &[
        ("nbdcopy", &["CONNECTIONS", "data", "URI"]),
        ("nbdcopy", &["CONNECTIONS", "URI", "copy"]),
        ("nbdinfo", &["URI"]),
        ("nbdinfo", &["--json", "URI"]),
    ];
    let mut server = place.serve(kind, transport)?;
    for (number, (program, arguments)) in steps.iter().enumerate() {
        if kind.once && number > 0 {
            server.stop()?;
            server = place.serve(kind, transport)?;
        }
        let uri = uri(place.certificates, kind, &server)?;
        let fill = |argument: &&'static str| match *argument {
            "URI" => uri.clone(),
            "CONNECTIONS" if kind.once => "--connections=1".to_owned(),
            "CONNECTIONS" => "--connections=2".to_owned(),
            other => other.to_owned(),
        };
        let arguments: Vec<_> = arguments.iter().map(fill).collect();
        let arguments: Vec<_> = arguments.iter().map(String::as_str).collect();
        s.client(program, &arguments)?;
    }
    if !kind.once {
        let uri = uri(place.certificates, kind, &server)?;
        s.client("nbdinfo", &["--map", &uri])?;
        s.client("nbdinfo", &["--list", &uri])?;
        s.client("nbdcopy", &["--synchronous", &uri, "copy2"])?;
        s.record_file("copy2")?;
    }
    if s.read("copy")? != data {
        return Err("what was written did not come back".to_owned());
    }
    server.stop()
}

/// Returns content for the whole disk: distinct data at each offset, and holes.
fn contents() -> Vec<u8> {
    let words = (0..MEBIBYTES << 17).map(|word: u64| match (word >> 14) % 5 {
        3 => 0,
        _ => word.wrapping_mul(0x9e37_79b9_7f4a_7c15),
    });
    words.flat_map(u64::to_le_bytes).collect()
}
