// SPDX-License-Identifier: LGPL-2.1-or-later

//! Agreement of program, URI and server on encryption, without faults.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::client::Client;
use crate::servers::{Authentication, Bench, Steps, Transport, KINDS, TRANSPORTS};
use support::certificates::{ml_dsa_key_type, Certificates};
use support::servers::{Address, Server};
use support::Result;

const EPERM: &str = "1";
const EINVAL: &str = "22";
const ENOTSUP: &str = "95";

/// Servers without TLS.
const PLAIN: &[&str] = &[
    "nbdkit memory SIZE",
    "nbdkit --no-sr memory SIZE",
    "nbdkit --mask-handshake=0 memory SIZE",
    "nbdkit --oldstyle memory SIZE",
    "qemu-nbd --format=raw DISK",
    "memserver --size SIZE",
    "memserver --size SIZE --option-error STARTTLS=POLICY",
    "memserver --size SIZE --option-error STARTTLS=INVALID",
    "memserver --size SIZE --option-error STARTTLS=PLATFORM",
    "memserver --size SIZE --option-error STARTTLS=TLS_REQD",
    "memserver --size SIZE --option-error STARTTLS=SHUTDOWN",
    "memserver --newstyle --size SIZE",
];

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let tests: &[(&str, Steps)] = &[
        (
            "a server without TLS: plaintext if that is allowed",
            plain_server,
        ),
        ("a server with TLS: encrypted if that is allowed", allowed),
        (
            "a server that requires TLS: not without",
            required_by_server,
        ),
        ("certificates of RSA and ECDSA, TLS 1.2 and 1.3", versions),
        (
            "the client certificate that the server can use",
            several_certificates,
        ),
        ("URI: everything that it can say", uri),
        ("URI: what the program does not allow", forbidden_uri),
        ("a user with a key: who has none", other_users),
    ];
    let mut trials: Vec<_> = tests
        .iter()
        .map(|(name, test)| trial(certificates, name, *test))
        .collect();
    // Keys that the installed GnuTLS does not support cannot be tested.
    let post_quantum = trial(certificates, "a client certificate of ML-DSA", ml_dsa);
    trials.push(post_quantum.with_ignored_flag(ml_dsa_key_type().is_none()));
    trials
}

fn trial(certificates: &Arc<Certificates>, name: &str, test: Steps) -> Trial {
    let certificates = Arc::clone(certificates);
    Trial::test(format!("agreement: {name}"), move || {
        Ok(test(&Bench::new(&certificates)?)?)
    })
}

fn made(encrypted: bool) -> Client {
    let encrypted = if encrypted { "1" } else { "0" };
    Client::new("connection-is-made").with("ENCRYPTED", encrypted)
}

fn refused(errnos: &str, words: &str) -> Client {
    Client::new("connection-is-refused")
        .with("ERRNOS", errnos)
        .with("WORDS", words)
}

fn plain_server(bench: &Bench) -> Result<()> {
    for (number, line) in PLAIN.iter().enumerate() {
        let server = bench.serve(&format!("server{number}"), line, Transport::Unix, 1)?;
        let trust = bench.certificates.path("client")?;
        for mode in ["disable", "allow"] {
            let client = made(false).with("TLS", mode).with("CERTIFICATES", &trust);
            let ran = client.on(server.address()).run();
            ran.map_err(|why| format!("{line}: {mode}: {why}"))?;
        }
        let client = refused(ENOTSUP, "TLS").with("CERTIFICATES", &trust);
        let ran = client.with("DEAD", "1").on(server.address()).run();
        ran.map_err(|why| format!("{line}: require: {why}"))?;
        let server_uri = server.uri("").replace("nbd+unix:", "nbds+unix:");
        let client = refused(ENOTSUP, "TLS").with("SERVER", server_uri);
        client.run().map_err(|why| format!("{line}: URI: {why}"))?;
        server.stop()?;
    }
    Ok(())
}

fn allowed(bench: &Bench) -> Result<()> {
    for kind in KINDS.iter().filter(|kind| kind.export.is_empty()) {
        let server = bench.serve("server", kind.line, Transport::Unix, 1)?;
        let client = bench.client("connection-is-made", kind.authentication)?;
        let client = client.with("TLS", "allow").with("ENCRYPTED", "1");
        client.on(server.address()).run()?;
        server.stop()?;
    }
    Ok(())
}

fn required_by_server(bench: &Bench) -> Result<()> {
    for kind in KINDS {
        let optional = ["nbdkit --tls=on", "nbd-server SELECTIVETLS"];
        if optional.contains(&kind.name) {
            continue;
        }
        let server = bench.serve("server", kind.line, Transport::Unix, 1)?;
        let client = refused("0,1,22,95,107,104", "TLS|server|recv").with("TLS", "disable");
        let ran = client.on(server.address()).run();
        ran.map_err(|why| format!("{}: {why}", kind.name))?;
        server.stop()?;
    }
    Ok(())
}

fn versions(bench: &Bench) -> Result<()> {
    let trust = bench.certificates.path("client")?;
    for directory in ["server", "server-ecdsa"] {
        let server = bench.serve_certificate(directory, Transport::Tcp)?;
        for priority in [
            "NORMAL:-VERS-ALL:+VERS-TLS1.2",
            "NORMAL:-VERS-ALL:+VERS-TLS1.3",
            "PERFORMANCE",
            "NORMAL:-CIPHER-ALL:+CHACHA20-POLY1305",
        ] {
            let client = made(true)
                .with("CERTIFICATES", &trust)
                .with("PRIORITY", priority);
            let ran = client.on(server.address()).run();
            ran.map_err(|why| format!("{priority}: {why}"))?;
        }
        server.stop()?;
    }
    Ok(())
}

fn several_certificates(bench: &Bench) -> Result<()> {
    let accepts = [
        (
            "client-rsa",
            "-SIGN-ALL:+SIGN-RSA-PSS-RSAE-SHA256:+SIGN-RSA-SHA256",
        ),
        (
            "client-ecdsa",
            "-SIGN-ALL:+SIGN-ECDSA-SHA256:+SIGN-ECDSA-SECP256R1-SHA256",
        ),
    ];
    for (number, (own, signatures)) in accepts.iter().enumerate() {
        let key = own.replace("client", "server").replace("-rsa", "");
        let line = format!(
            "qemu-nbd --object tls-creds-x509,id=tls,endpoint=server,sanity-check=off,\
             dir=CERTIFICATES/{key},verify-peer=on,\
             priority=NORMAL:-VERS-ALL:+VERS-TLS1.2:{signatures} \
             --tls-creds=tls --format=raw DISK"
        );
        let server = bench.serve(&format!("server{number}"), &line, Transport::Unix, 1)?;
        for directory in [own, "client-several"] {
            let client = made(true).with("CERTIFICATES", bench.certificates.path(directory)?);
            let ran = client.on(server.address()).run();
            ran.map_err(|why| format!("{directory}: {signatures}: {why}"))?;
        }
        let other = accepts[1 - number].0;
        let client = refused("0,32,104,107", "TLS|handshake|recv|send")
            .with("CERTIFICATES", bench.certificates.path(other)?);
        client.on(server.address()).run()?;
        server.stop()?;
    }
    Ok(())
}

fn ml_dsa(bench: &Bench) -> Result<()> {
    let line = "nbdkit --tls=require --tls-verify-peer \
                --tls-certificates=CERTIFICATES/server-ecdsa memory SIZE";
    let server = bench.serve("server", line, Transport::Unix, 1)?;
    let path = bench.certificates.path("client-ml-dsa")?;
    let client = made(true).with("CERTIFICATES", path);
    client.on(server.address()).run()?;
    server.stop()
}

/// Returns scheme and authority of a URI, and the beginning of its query.
fn uri_of(server: &Server, user: &str) -> String {
    match server.address() {
        Address::Port(port) => format!("nbds://{user}localhost:{port}/?"),
        Address::Unix(socket) => format!("nbds+unix://{user}/?socket={}&", socket.display()),
    }
}

fn permitted(client: Client) -> Client {
    client
        .with("ALLOW_LOCAL_FILE", "1")
        .with("ALLOW_TLS_PRIORITY", "1")
}

fn uri(bench: &Bench) -> Result<()> {
    let trust = format!("tls-certificates={}", bench.certificates.path("client")?);
    let keys = format!("tls-psk-file={}", bench.certificates.path("psk/keys.psk")?);
    for transport in TRANSPORTS {
        let try_all = |server: &Server, user: &str, client: fn() -> Client, queries: &[String]| {
            for query in queries {
                let uri = uri_of(server, user) + query;
                let client = permitted(client()).with("SERVER", &uri);
                client.run().map_err(|why| format!("{uri}: {why}"))?;
            }
            server_is_well(server)
        };
        let encrypted = || made(true);
        // An errno is set if there is not even a name to check.
        let mistrusted = || refused("0,22", "certificate");
        let unknown = || refused(EINVAL, "carol");

        let server = bench.serve_certificate("server", transport)?;
        let good = [
            trust.clone(),
            format!("{trust}&tls-hostname=localhost"),
            format!("{trust}&tls-verify-peer=true"),
            format!("{trust}&tls-priority=NORMAL:-VERS-ALL:%2BVERS-TLS1.2"),
            "tls-verify-peer=false".to_owned(),
            "tls-verify-peer=false&tls-hostname=disk.example.com".to_owned(),
        ];
        try_all(&server, "", encrypted, &good)?;
        let bad = [
            format!("{trust}&tls-hostname=disk.example.com"),
            String::new(),
            "tls-hostname=localhost".to_owned(),
            "tls-verify-peer=true".to_owned(),
        ];
        try_all(&server, "", mistrusted, &bad)?;
        let bad = [format!("{trust}&tls-priority=NO-SUCH-THING")];
        try_all(&server, "", || refused("0", "NO-SUCH-THING"), &bad)?;
        server.stop()?;

        let server = bench.serve_certificate("server-other-name", transport)?;
        let good = [format!("{trust}&tls-hostname=disk.example.com")];
        try_all(&server, "", encrypted, &good)?;
        server.stop()?;

        let line = "nbdkit --tls=require --tls-psk=CERTIFICATES/psk/keys.psk memory SIZE";
        let server = bench.serve("psk", line, transport, 1)?;
        try_all(&server, "alice@", encrypted, std::slice::from_ref(&keys))?;
        try_all(&server, "carol@", unknown, std::slice::from_ref(&keys))?;
        let named = [format!("{keys}&tls-username=bob")];
        try_all(&server, "", encrypted, &named)?;
        try_all(&server, "carol@", encrypted, &named)?;
        let named = [format!("{keys}&tls-username=carol")];
        try_all(&server, "alice@", unknown, &named)?;
        server.stop()?;
    }
    Ok(())
}

/// Checks that the server still runs: one that has exited refuses every
/// connection.
fn server_is_well(server: &Server) -> Result<()> {
    match std::path::Path::new(&format!("/proc/{}/exe", server.pid())).exists() {
        true => Ok(()),
        false => Err("the server has ended".to_owned()),
    }
}

/// A forbidden URI opens no connection and no file.
fn forbidden_uri(bench: &Bench) -> Result<()> {
    let server = bench.serve_certificate("server", Transport::Unix)?;
    let trust = format!("tls-certificates={}", bench.certificates.path("client")?);
    let keys = format!("tls-psk-file={}", bench.certificates.path("psk/keys.psk")?);
    let base = uri_of(&server, "");
    let attempt = |query: &str, allowed: &[(&'static str, &str)]| {
        let uri = format!("{base}{query}");
        let mut client = refused(EPERM, "allow|permit").with("SERVER", &uri);
        for (name, value) in allowed {
            client = client.with(name, *value);
        }
        client
            .run()
            .map(|_| ())
            .map_err(|why| format!("{uri}: {why}"))
    };
    let priority = "tls-verify-peer=false&tls-priority=NORMAL";
    attempt(&trust, &[])?;
    attempt(&keys, &[])?;
    attempt(&trust, &[("ALLOW_TLS_PRIORITY", "1")])?;
    attempt(&trust, &[("ALLOW_LOCAL_FILE", "0")])?;
    attempt(priority, &[])?;
    attempt(priority, &[("ALLOW_LOCAL_FILE", "1")])?;
    let no_tls = [("ALLOW_TLS", "disable"), ("ALLOW_LOCAL_FILE", "1")];
    attempt(&trust, &no_tls)?;
    let uri = server.uri("");
    let client = refused(EPERM, "allow|permit|TLS").with("SERVER", uri);
    client.with("ALLOW_TLS", "require").run()?;
    server.stop()
}

/// LOGNAME provides the user name unless the program sets one.
fn other_users(bench: &Bench) -> Result<()> {
    let line = "nbdkit --tls=require --tls-psk=CERTIFICATES/psk/keys.psk memory SIZE";
    let server = bench.serve("server", line, Transport::Unix, 1)?;
    let keys = bench.certificates.path("psk/keys.psk")?;
    let client = |client: Client| client.with("PSK_FILE", &keys).on(server.address());
    client(made(true)).with("LOGNAME", "bob").run()?;
    client(made(true))
        .with("LOGNAME", "carol")
        .with("USERNAME", "alice")
        .run()?;
    client(refused(EINVAL, "carol"))
        .with("LOGNAME", "carol")
        .run()?;
    let as_asked = Authentication::PreSharedKey;
    let client = bench.client("connection-is-made", as_asked)?;
    client
        .with("ENCRYPTED", "1")
        .with("CERTIFICATES", bench.certificates.path("missing")?)
        .on(server.address())
        .run()?;
    server.stop()
}
