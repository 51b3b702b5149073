// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdkit's nbd plugin, which connects over TLS and exports the disk without:
//! its clients see the same with both libraries.

use std::sync::Arc;

use libtest_mimic::Trial;

use support::certificates::Certificates;
use support::compare::same;
use support::scenario::Scenario;
use support::servers::{Address, Server};
use support::Result;

const MEBIBYTES: usize = 4;

/// Settings of the plugin, and its server. CERTIFICATES stands for the
/// directory of certificates.
struct Mode {
    name: &'static str,
    server: &'static str,
    plugin: &'static str,
    /// True if the connection is encrypted; `None` if it is refused.
    encrypted: Option<bool>,
}

const X509: &str = "nbdkit --tls=require --tls-certificates=CERTIFICATES/server memory 4M";
const PSK: &str = "nbdkit --tls=require --tls-psk=CERTIFICATES/psk/keys.psk memory 4M";
const PLAIN: &str = "nbdkit memory 4M";

const MODES: &[Mode] = &[
    Mode {
        name: "tls=require, certificates",
        server: X509,
        plugin: "tls=require tls-certificates=CERTIFICATES/client",
        encrypted: Some(true),
    },
    Mode {
        name: "tls=require, certificates on both sides",
        server: "nbdkit --tls=require --tls-verify-peer --tls-certificates=CERTIFICATES/server \
                 memory 4M",
        plugin: "tls=require tls-certificates=CERTIFICATES/client-rsa",
        encrypted: Some(true),
    },
    Mode {
        name: "tls=require, pre-shared key",
        server: PSK,
        plugin: "tls=require tls-psk=CERTIFICATES/psk/keys.psk tls-username=alice",
        encrypted: Some(true),
    },
    Mode {
        name: "tls=require, shared connection of many threads",
        server: PSK,
        plugin: "tls=require tls-psk=CERTIFICATES/psk/keys.psk tls-username=alice shared=true",
        encrypted: Some(true),
    },
    Mode {
        name: "tls=on, a server that has it",
        server: X509,
        plugin: "tls=on tls-certificates=CERTIFICATES/client",
        encrypted: Some(true),
    },
    Mode {
        name: "tls=on, a server that does not",
        server: PLAIN,
        plugin: "tls=on tls-certificates=CERTIFICATES/client",
        encrypted: Some(false),
    },
    Mode {
        name: "tls=off, a server without",
        server: PLAIN,
        plugin: "tls=off",
        encrypted: Some(false),
    },
    Mode {
        name: "tls=off, a server that insists",
        server: X509,
        plugin: "tls=off",
        encrypted: None,
    },
    Mode {
        name: "tls=require, a server without",
        server: PLAIN,
        plugin: "tls=require tls-certificates=CERTIFICATES/client",
        encrypted: None,
    },
    Mode {
        name: "tls=require, an unknown authority",
        server: "nbdkit --tls=require --tls-certificates=CERTIFICATES/server-unknown-ca memory 4M",
        plugin: "tls=require tls-certificates=CERTIFICATES/client",
        encrypted: None,
    },
    Mode {
        name: "tls=require, another key",
        server: PSK,
        plugin: "tls=require tls-psk=CERTIFICATES/other.psk tls-username=alice",
        encrypted: None,
    },
];

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let trial = |mode: &'static Mode| {
        let certificates = Arc::clone(certificates);
        same(format!("nbdkit nbd: {}", mode.name), move |s| {
            pass_on(s, mode, &certificates)
        })
    };
    MODES.iter().map(trial).collect()
}

fn pass_on(s: &Scenario, mode: &Mode, certificates: &Certificates) -> Result<()> {
    let made = certificates.path("")?;
    let filled = |line: &str| line.replace("CERTIFICATES/", &made);
    let line = filled(mode.server).replace("nbdkit ", "nbdkit --verbose ");
    let server = Server::start_on_a_port(s.directory(), "server", &line)?;
    let Address::Port(port) = server.address() else {
        return Err(format!("{} is no port", server.address()));
    };
    // Without retries: errors appear at once.
    let plugin = filled(mode.plugin);
    let line = format!("nbdkit nbd hostname=localhost port={port} retry=0 {plugin}");
    let proxy = s.serve_with_library(&line);
    let Some(encrypted) = mode.encrypted else {
        // The plugin makes a shared connection at start-up, and others when a
        // client connects.
        let refused = proxy.and_then(|proxy| s.tool("nbdinfo", &["--size", &proxy.uri("")]));
        s.record("refused", refused.is_err().to_string().as_bytes());
        return match refused {
            Ok(_) => Err("the proxy gives access".to_owned()),
            Err(_) => Ok(()),
        };
    };
    let proxy = proxy?;
    let uri = proxy.uri("");
    s.record("information", &s.tool("nbdinfo", &["--json", &uri])?);
    let data = content();
    s.write("data", &data)?;
    let parallel = ["--connections=4", "--requests=16", "--request-size=65536"];
    for (from, to) in [("data", uri.as_str()), (&uri, "copy")] {
        s.tool("nbdcopy", &[&parallel[..], &[from, to]].concat())?;
    }
    s.record_file("copy")?;
    if s.read("copy")? != data {
        return Err("what was written did not come back".to_owned());
    }
    let map = s.tool("nbdinfo", &["--map", &uri])?;
    s.record("map", &map);
    proxy.stop()?;
    if is_encrypted(s)? != encrypted {
        return Err(format!("encrypted: {}", !encrypted));
    }
    server.stop()
}

/// Returns true if the server reports that its client uses TLS.
fn is_encrypted(s: &Scenario) -> Result<bool> {
    let log = String::from_utf8_lossy(&s.read("server.log")?).into_owned();
    Ok(log.contains("using TLS on this connection"))
}

/// Returns distinct data for every block of the disk.
fn content() -> Vec<u8> {
    let words = (0..(MEBIBYTES as u64) << 17).map(|word| word.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    words.flat_map(u64::to_le_bytes).collect()
}
