// SPDX-License-Identifier: LGPL-2.1-or-later

//! Identity of server and client: certificates to be refused, mismatched keys,
//! and missing files.

use std::fs;
use std::sync::Arc;

use libtest_mimic::Trial;

use crate::client::Client;
use crate::fail_closed::{trial, BROKEN};
use crate::servers::{Authentication, Bench, Steps, Transport, KINDS, TRANSPORTS};
use support::certificates::{Certificates, BAD_SERVERS};
use support::servers::Server;
use support::Result;

const ENOENT: &str = "2";
const EINVAL: &str = "22";
/// GnuTLS has no errno for certificate errors, so the C library sets none.
const NONE: &str = "0";

const PSK_SERVER: &str = "nbdkit --tls=on --tls-psk=CERTIFICATES/psk/keys.psk memory SIZE";
const DEMANDING_SERVER: &str = "nbdkit --tls=require --tls-verify-peer \
     --tls-certificates=CERTIFICATES/server memory SIZE";

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let mut trials = Vec::new();
    for bad in BAD_SERVERS {
        let reason = bad.reason;
        for transport in TRANSPORTS {
            let test = move |bench: &Bench| bad_server(bench, reason, transport);
            let name = format!("certificate: {reason}: {transport:?}");
            trials.push(trial(certificates, &name, test));
        }
    }
    let tests: &[(&str, Steps)] = &[
        (
            "certificate: a host name set by the program",
            name_asked_for,
        ),
        ("certificate: no name to check, but an authority", no_name),
        ("certificate: no authority to trust", no_authority_to_trust),
        ("certificate: files that are wrong", wrong_files),
        (
            "certificate: the server has a key instead",
            certificate_for_key,
        ),
        ("client certificate: not given", no_client_certificate),
        ("client certificate: of an unknown CA", client_of_unknown_ca),
        ("pre-shared key: a different key", other_key),
        ("pre-shared key: an unknown user", unknown_user),
        ("pre-shared key: files that are wrong", wrong_key_files),
        (
            "pre-shared key: the server has a certificate instead",
            key_for_certificate,
        ),
        ("priority: not valid", invalid_priority),
        ("priority: nothing in common", disjoint_priority),
    ];
    trials.extend(
        tests
            .iter()
            .map(|(name, test)| trial(certificates, name, test)),
    );
    trials
}

/// Expects the connection to fail, whether TLS is required or merely allowed.
fn refused(server: &Server, client: impl Fn() -> Client, errnos: &str, words: &str) -> Result<()> {
    for mode in ["require", "allow"] {
        client()
            .with("TLS", mode)
            .with("ERRNOS", errnos)
            .with("WORDS", words)
            .on(server.address())
            .run()
            .map_err(|why| format!("{mode}: {why}"))?;
    }
    Ok(())
}

fn refusal() -> Client {
    Client::new("connection-is-refused")
}

fn success() -> Client {
    Client::new("connection-is-made").with("ENCRYPTED", "1")
}

/// A faulty certificate is refused unless the program turns verification off.
fn bad_server(bench: &Bench, reason: &str, transport: Transport) -> Result<()> {
    let server = bench.serve(
        "server",
        &format!("nbdkit --tls=on --tls-certificates=CERTIFICATES/server-{reason} memory SIZE"),
        transport,
        1,
    )?;
    let trust = match reason {
        "revoked" => "client-crl",
        _ => "client",
    };
    let trust = bench.certificates.path(trust)?;
    let with = |client: Client| match transport {
        Transport::Tcp => client.with("CERTIFICATES", &trust),
        Transport::Unix => client
            .with("CERTIFICATES", &trust)
            .with("HOSTNAME", "localhost"),
    };
    // Verified by default, and on request.
    refused(
        &server,
        || with(refusal()).with("DEAD", "1"),
        NONE,
        "certificate",
    )?;
    let asked = || with(refusal()).with("DEAD", "1").with("VERIFY_PEER", "1");
    refused(&server, asked, NONE, "certificate")?;
    with(success())
        .with("VERIFY_PEER", "0")
        .on(server.address())
        .run()
        .map(|_| ())
}

/// The name set by the program takes precedence over the one it connects to.
fn name_asked_for(bench: &Bench) -> Result<()> {
    let trust = bench.certificates.path("client")?;
    for transport in TRANSPORTS {
        let server = bench.serve_certificate("server", transport)?;
        for name in [
            "disk.example.com",
            "localhost.example.com",
            "host",
            "127.0.0.2",
        ] {
            let client = || {
                refusal()
                    .with("CERTIFICATES", &trust)
                    .with("HOSTNAME", name)
                    .with("DEAD", "1")
            };
            refused(&server, client, NONE, "certificate")
                .map_err(|why| format!("{name}: {why}"))?;
        }
        for name in ["localhost", "LOCALHOST", "127.0.0.1", "::1"] {
            let client = success()
                .with("CERTIFICATES", &trust)
                .with("HOSTNAME", name);
            client.on(server.address()).run()?;
        }
        server.stop()?;
        // A server with another name, which the program sets.
        let server = bench.serve_certificate("server-other-name", transport)?;
        let client = success()
            .with("CERTIFICATES", &trust)
            .with("HOSTNAME", "disk.example.com");
        client.on(server.address()).run()?;
        server.stop()?;
    }
    Ok(())
}

/// On a Unix socket there is no name unless the program sets one. Everything
/// else is verified there too.
fn no_name(bench: &Bench) -> Result<()> {
    let trust = bench.certificates.path("client")?;
    for reason in ["unknown-ca", "self-signed", "expired", "not-yet-valid"] {
        let name = format!("server-{reason}");
        let server = bench.serve_certificate(&name, Transport::Unix)?;
        let client = || refusal().with("CERTIFICATES", &trust).with("DEAD", "1");
        refused(&server, client, NONE, "certificate").map_err(|why| format!("{reason}: {why}"))?;
        server.stop()?;
    }
    let server = bench.serve_certificate("server", Transport::Unix)?;
    let client = success().with("CERTIFICATES", &trust);
    client.on(server.address()).run()?;
    // An authority of the system would vouch for any server.
    refused(&server, refusal, "0,22", "certificate")?;
    server.stop()
}

/// Without an authority, no certificate is trusted.
fn no_authority_to_trust(bench: &Bench) -> Result<()> {
    let server = bench.serve_certificate("server", Transport::Tcp)?;
    let words = "certificate|ca-cert.pem|authorit";
    let errnos = NONE;
    for directory in ["missing", "empty"] {
        let path = bench.certificates.path(directory)?;
        let client = || refusal().with("CERTIFICATES", &path);
        refused(&server, client, errnos, words)?;
    }
    refused(&server, refusal, errnos, words)?;
    server.stop()
}

fn wrong_files(bench: &Bench) -> Result<()> {
    let server = bench.serve_certificate("server", Transport::Tcp)?;
    let files = &[
        "ca-cert.pem",
        "ca-crl.pem",
        "client-cert.pem",
        "client-key.pem",
    ];
    let sources: [(&str, [Option<&str>; 4], &str); 4] = [
        (
            "no-authority",
            [Some("psk/keys.psk"), None, None, None],
            "certificate",
        ),
        (
            "no-list",
            [Some("client/ca-cert.pem"), Some("psk/keys.psk"), None, None],
            "ca-crl.pem",
        ),
        (
            "no-certificate",
            [
                Some("client/ca-cert.pem"),
                None,
                Some("psk/keys.psk"),
                Some("client-rsa/client-key.pem"),
            ],
            "client-cert.pem",
        ),
        (
            "other-key",
            [
                Some("client/ca-cert.pem"),
                None,
                Some("client-rsa/client-cert.pem"),
                Some("client-ecdsa/client-key.pem"),
            ],
            "client-key.pem",
        ),
    ];
    for (name, from, word) in sources {
        let directory = bench.directory.path().join(name);
        fs::create_dir(&directory).map_err(|e| format!("{name}: {e}"))?;
        for (file, from) in files.iter().zip(from) {
            if let Some(from) = from {
                let copied = fs::copy(bench.certificates.path(from)?, directory.join(file));
                copied.map_err(|e| format!("{from}: {e}"))?;
            }
        }
        let path = directory.display().to_string();
        let client = || refusal().with("CERTIFICATES", &path);
        refused(&server, client, "0,22", word).map_err(|why| format!("{name}: {why}"))?;
    }
    server.stop()
}

fn certificate_for_key(bench: &Bench) -> Result<()> {
    let trust = bench.certificates.path("client")?;
    for transport in TRANSPORTS {
        let server = bench.serve("server", PSK_SERVER, transport, 1)?;
        let client = || refusal().with("CERTIFICATES", &trust).with("DEAD", "1");
        refused(&server, client, BROKEN, "TLS|handshake|recv|send")?;
        server.stop()?;
    }
    Ok(())
}

/// Checks that all servers that require a client certificate refuse this one.
fn refused_by_all(bench: &Bench, directory: &str) -> Result<()> {
    let path = bench.certificates.path(directory)?;
    for kind in KINDS {
        if kind.authentication != Authentication::BothCertificates {
            continue;
        }
        for transport in TRANSPORTS {
            // With TLS 1.3 the client learns of the refusal at its first read
            // or write.
            for priority in ["NORMAL", "NORMAL:-VERS-ALL:+VERS-TLS1.2"] {
                let server = bench.serve("server", kind.line, transport, 1)?;
                refusal()
                    .with("CERTIFICATES", &path)
                    .with("PRIORITY", priority)
                    .with("DEAD", "1")
                    .with("ERRNOS", BROKEN)
                    .with("WORDS", "TLS|handshake|recv|send|certificate")
                    .on(server.address())
                    .run()
                    .map_err(|why| format!("{}: {why}", kind.name))?;
                server.stop()?;
            }
        }
    }
    Ok(())
}

fn no_client_certificate(bench: &Bench) -> Result<()> {
    refused_by_all(bench, "client")
}

fn client_of_unknown_ca(bench: &Bench) -> Result<()> {
    refused_by_all(bench, "client-of-unknown-ca")?;
    // The refusal is not caused by the certificates.
    let server = bench.serve("server", DEMANDING_SERVER, Transport::Unix, 1)?;
    let path = bench.certificates.path("client-ecdsa")?;
    let client = success().with("CERTIFICATES", path).on(server.address());
    client.run()?;
    server.stop()
}

fn with_key(bench: &Bench, file: &str, user: &'static str) -> Result<impl Fn() -> Client> {
    let path = bench.certificates.path(file)?;
    Ok(move || {
        refusal()
            .with("PSK_FILE", &path)
            .with("USERNAME", user)
            .with("DEAD", "1")
    })
}

const PSK_SERVERS: [&str; 2] = [
    PSK_SERVER,
    "qemu-nbd --object tls-creds-psk,id=tls,endpoint=server,dir=CERTIFICATES/psk \
     --tls-creds=tls --format=raw DISK",
];

fn refused_with_key(bench: &Bench, file: &str, user: &'static str) -> Result<()> {
    for (number, line) in PSK_SERVERS.iter().enumerate() {
        for transport in TRANSPORTS {
            let server = bench.serve(&format!("server{number}"), line, transport, 1)?;
            let client = with_key(bench, file, user)?;
            refused(&server, client, BROKEN, "TLS|handshake")?;
            server.stop()?;
        }
    }
    Ok(())
}

fn other_key(bench: &Bench) -> Result<()> {
    refused_with_key(bench, "other.psk", "alice")
}

fn unknown_user(bench: &Bench) -> Result<()> {
    refused_with_key(bench, "other.psk", "mallory")
}

fn wrong_key_files(bench: &Bench) -> Result<()> {
    let server = bench.serve("server", PSK_SERVER, Transport::Unix, 1)?;
    let file = |name: &str, text: &str| -> Result<String> {
        let path = bench.directory.path().join(name);
        fs::write(&path, text).map_err(|e| format!("{name}: {e}"))?;
        Ok(path.display().to_string())
    };
    let files = [
        ("missing.psk".to_owned(), ENOENT, "missing.psk"),
        (file("empty.psk", "")?, EINVAL, "empty.psk"),
        (file("bob.psk", "bob:0123456789abcdef\n")?, EINVAL, "alice"),
        (
            file("prefix.psk", "alice2:0123456789abcdef\n")?,
            EINVAL,
            "alice",
        ),
        (
            file("word.psk", "alice:password\n")?,
            NONE,
            "PSK|pre-shared",
        ),
    ];
    for (path, errnos, word) in files {
        let client = || refusal().with("PSK_FILE", &path).with("USERNAME", "alice");
        refused(&server, client, errnos, word).map_err(|why| format!("{path}: {why}"))?;
    }
    server.stop()
}

/// An unverified certificate is no proof of identity, even one that the client
/// would trust.
fn key_for_certificate(bench: &Bench) -> Result<()> {
    let server = bench.serve_certificate("server", Transport::Tcp)?;
    let trust = bench.certificates.path("client")?;
    let client = with_key(bench, "psk/keys.psk", "alice")?;
    let client = || client().with("CERTIFICATES", &trust);
    refused(&server, client, BROKEN, "TLS|handshake")?;
    server.stop()
}

fn invalid_priority(bench: &Bench) -> Result<()> {
    let server = bench.serve_certificate("server", Transport::Tcp)?;
    let trust = bench.certificates.path("client")?;
    for priority in ["NORMAL:+NO-SUCH-THING", "NO-SUCH-THING", "@NO-SUCH-THING"] {
        let client = || {
            refusal()
                .with("CERTIFICATES", &trust)
                .with("PRIORITY", priority)
        };
        refused(&server, client, NONE, "NO-SUCH-THING")?;
    }
    server.stop()
}

fn disjoint_priority(bench: &Bench) -> Result<()> {
    let server = bench.serve_certificate("server", Transport::Tcp)?;
    let trust = bench.certificates.path("client")?;
    // The server has an RSA key.
    let client = || {
        refusal()
            .with("CERTIFICATES", &trust)
            .with("PRIORITY", "NORMAL:-SIGN-ALL:+SIGN-ECDSA-SECP256R1-SHA256")
            .with("DEAD", "1")
    };
    refused(&server, client, BROKEN, "TLS|handshake")?;
    server.stop()
}
