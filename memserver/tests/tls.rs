// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program with TLS, with certificates made for each test.

mod common;

use std::fs;
use std::io::{self, IoSlice, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Duration;

use common::program::*;
use common::*;
use rcgen::{BasicConstraints, CertificateParams, IsCa, Issuer, KeyPair};
use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::version::{TLS12, TLS13};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};

/// A directory with certificates, removed at the end of the test.
struct Pki(PathBuf);

impl Drop for Pki {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

impl Pki {
    /// Creates an authority and its certificates for a server and a client.
    fn new(name: &str) -> Pki {
        let pki = Pki(path(name));
        fs::create_dir(&pki.0).unwrap();
        let mut params = CertificateParams::new([]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        pki.write("ca-cert.pem", &params.self_signed(&key).unwrap().pem());
        let issuer = Issuer::new(params, key);
        for who in ["server", "client"] {
            let key = KeyPair::generate().unwrap();
            let params = CertificateParams::new(["localhost".to_owned()]).unwrap();
            let certificate = params.signed_by(&key, &issuer).unwrap();
            pki.write(&format!("{who}-cert.pem"), &certificate.pem());
            pki.write(&format!("{who}-key.pem"), &key.serialize_pem());
        }
        pki
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn read(&self, name: &str) -> Vec<CertificateDer<'static>> {
        let all = CertificateDer::pem_file_iter(self.0.join(name)).unwrap();
        all.map(Result::unwrap).collect()
    }

    /// Returns options of a server with these certificates.
    fn options(&self, mode: &str, rest: &str) -> String {
        format!(
            "--tls {mode} --tls-certificates {} {rest}",
            self.0.display()
        )
    }

    /// Creates a client that trusts only this authority.
    fn client(
        &self,
        version: &'static SupportedProtocolVersion,
        identity: Option<&Pki>,
    ) -> ClientConnection {
        let mut roots = RootCertStore::empty();
        roots.add(self.read("ca-cert.pem").remove(0)).unwrap();
        let builder = ClientConfig::builder_with_provider(Arc::new(ring::default_provider()))
            .with_protocol_versions(&[version])
            .unwrap()
            .with_root_certificates(roots);
        let config = match identity {
            None => builder.with_no_client_auth(),
            Some(pki) => {
                let key = PrivateKeyDer::from_pem_file(pki.0.join("client-key.pem")).unwrap();
                let certificate = pki.read("client-cert.pem");
                builder.with_client_auth_cert(certificate, key).unwrap()
            }
        };
        let name = ServerName::try_from("localhost").unwrap();
        ClientConnection::new(Arc::new(config), name).unwrap()
    }
}

/// A socket that records the bytes received.
struct Recorded {
    socket: UnixStream,
    received: Vec<u8>,
}

impl Read for Recorded {
    fn read(&mut self, space: &mut [u8]) -> io::Result<usize> {
        let n = self.socket.read(space)?;
        self.received.extend_from_slice(&space[..n]);
        Ok(n)
    }
}

impl Write for Recorded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.write(bytes)
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        self.socket.write_vectored(slices)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}

type Encrypted = StreamOwned<ClientConnection, Recorded>;

/// Connects and sends the messages before TLS: client flags and STARTTLS, and
/// `more` in the same write.
fn ask(socket: &Path, more: &[u8]) -> UnixStream {
    let mut stream = UnixStream::connect(socket).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(10)))
        .unwrap();
    let mut greeting = [0; 18];
    stream.read_exact(&mut greeting).unwrap();
    let words = [&[0, 0, 0, 3][..], &option(5, b""), more].concat();
    stream.write_all(&words).unwrap();
    stream
}

fn expect_ack(stream: &mut UnixStream) {
    let mut reply = [0; 20];
    stream.read_exact(&mut reply).unwrap();
    let replies = option_replies(&reply);
    assert_eq!((replies[0].option, replies[0].kind), (5, 1));
}

fn encrypt(socket: UnixStream, client: ClientConnection) -> Encrypted {
    let received = Vec::new();
    StreamOwned::new(client, Recorded { socket, received })
}

/// Connects a client and begins TLS.
fn connect(socket: &Path, client: ClientConnection) -> Encrypted {
    let mut stream = ask(socket, b"");
    expect_ack(&mut stream);
    encrypt(stream, client)
}

/// Enters the transmission phase with structured replies.
fn transmit(stream: &mut Encrypted) {
    for (number, data, length) in [(8, vec![], 20), (7, info_data(b"", &[]), 20 + 12 + 20)] {
        stream.write_all(&option(number, &data)).unwrap();
        let mut reply = vec![0; length];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(option_replies(&reply).last().unwrap().kind, 1);
    }
}

/// Sends `count` reads of `size` bytes in one write, and checks the pattern in
/// the content.
fn read_pattern(stream: &mut Encrypted, count: u64, size: u64) {
    let requests: Vec<u8> = (0..count)
        .flat_map(|n| Request::new(0, n * size, size).encode(Headers::Structured))
        .collect();
    stream.write_all(&requests).unwrap();
    let mut reply = vec![0; (28 + size as usize) * count as usize];
    stream.read_exact(&mut reply).unwrap();
    let chunks = chunks(&reply, Headers::Structured);
    assert_eq!(chunks.len() as u64, count);
    for (n, chunk) in (0..).zip(chunks) {
        let (at, data) = chunk.payload.split_at(8);
        assert_eq!(u64_at(at, 0), n * size);
        for (word, offset) in data.chunks(8).zip((n * size..).step_by(8)) {
            assert_eq!(u64_at(word, 0), offset);
        }
    }
}

/// Splits bytes into TLS records: type and length.
fn records(mut bytes: &[u8]) -> Vec<(u8, usize)> {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        let length = usize::from(u16::from_be_bytes([bytes[3], bytes[4]]));
        records.push((bytes[0], length));
        bytes = &bytes[5 + length..];
    }
    records
}

#[test]
fn both_tls_versions_carry_everything() {
    let pki = Pki::new("versions");
    let (_running, socket) = start(
        "tls-versions",
        &pki.options("require", "--pattern --size 16M"),
    );
    for version in [&TLS12, &TLS13] {
        let mut stream = connect(&socket, pki.client(version, None));
        transmit(&mut stream);
        assert_eq!(stream.conn.protocol_version(), Some(version.version));
        read_pattern(&mut stream, 64, 65536);
        let written: Vec<u8> = (0..3_000_000u32).flat_map(u32::to_be_bytes).collect();
        let request = write(Headers::Structured, 4 << 20, &written);
        stream.write_all(&request).unwrap();
        let mut reply = [0; 20];
        stream.read_exact(&mut reply).unwrap();
        assert_eq!(error_of(&reply, Headers::Structured), 0);
        let request = Request::new(0, 4 << 20, written.len() as u64);
        let request = request.encode(Headers::Structured);
        stream.write_all(&request).unwrap();
        let mut reply = vec![0; 28 + written.len()];
        stream.read_exact(&mut reply).unwrap();
        assert!(reply[28..] == written, "{:?}", version.version);
    }
}

#[test]
fn small_replies_share_full_records() {
    let pki = Pki::new("records");
    let (_running, socket) = start("tls-records", &pki.options("on", "--pattern"));
    let mut stream = connect(&socket, pki.client(&TLS13, None));
    transmit(&mut stream);
    stream.sock.received.clear();
    read_pattern(&mut stream, 120, 4096);
    let records = records(&stream.sock.received);
    // The total size of the full 16 KiB records needed, plus the last one.
    let bytes = 120 * (28 + 4096);
    assert_eq!(records.len(), bytes / 16384 + 1, "{records:?}");
}

#[test]
fn sending_in_pieces_changes_nothing() {
    let pki = Pki::new("pieces");
    let options = pki.options("require", "--pattern --byte-at-a-time");
    let (_running, socket) = start("tls-pieces", &options);
    let mut stream = connect(&socket, pki.client(&TLS13, None));
    transmit(&mut stream);
    read_pattern(&mut stream, 3, 8192);
}

/// Returns the client's last read after the server has ended the connection.
fn last_words(pki: &Pki, name: &str, rest: &str) -> io::Result<usize> {
    let (mut running, socket) = start(name, &pki.options("on", &format!("--connections 1 {rest}")));
    let mut stream = connect(&socket, pki.client(&TLS13, None));
    transmit(&mut stream);
    let bye = Request::new(2, 0, 0).encode(Headers::Structured);
    stream.write_all(&bye).unwrap();
    let heard = stream.read(&mut [0; 1]);
    assert_eq!(running.end(), 0);
    heard
}

#[test]
fn close_notify_is_sent_unless_disabled() {
    let pki = Pki::new("end");
    assert_eq!(last_words(&pki, "tls-end", "").unwrap(), 0);
    let error = last_words(&pki, "tls-cut", "--no-close-notify").unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::UnexpectedEof);
}

#[test]
fn clients_are_verified_when_asked() {
    let pki = Pki::new("verify");
    let strangers = Pki::new("strangers");
    let (_running, socket) = start("tls-verify", &pki.options("require", "--tls-verify-peer"));
    let mut stream = connect(&socket, pki.client(&TLS13, Some(&pki)));
    transmit(&mut stream);
    for version in [&TLS12, &TLS13] {
        for identity in [None, Some(&strangers)] {
            let mut stream = connect(&socket, pki.client(version, identity));
            // The client only reads: if the server has already refused and
            // closed, a write after the handshake fails with a broken pipe.
            let error = stream.read(&mut [0; 1]).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::InvalidData, "{error}");
            assert!(error.to_string().contains("fatal alert"), "{error}");
        }
    }
}

#[test]
fn plaintext_after_starttls_is_refused() {
    let pki = Pki::new("after");
    let (_running, socket) = start("tls-after", &pki.options("on", ""));
    let mut stream = ask(&socket, &option(3, b""));
    expect_ack(&mut stream);
    let rest = records(&all_of(&mut stream));
    assert_eq!(rest, [(21, 2)], "one alert, and the end");
}

#[test]
fn tls_begins_after_an_injected_reply() {
    let pki = Pki::new("inject");
    let options = pki.options("require", "--pattern --fault starttls-plaintext-after-ack");
    let (_running, socket) = start("tls-inject", &options);
    let mut stream = ask(&socket, b"");
    expect_ack(&mut stream);
    let mut injected = [0; 20 + 32 + 20];
    stream.read_exact(&mut injected).unwrap();
    assert_eq!(option_replies(&injected).len(), 3);
    let mut stream = encrypt(stream, pki.client(&TLS13, None));
    transmit(&mut stream);
    read_pattern(&mut stream, 2, 4096);
}

#[test]
fn unusable_certificates_are_named() {
    let pki = Pki::new("unusable");
    fs::remove_file(pki.0.join("ca-cert.pem")).unwrap();
    let run = |rest: &str| {
        let mut command = Command::new(PROGRAM);
        command.arg("--unix").arg(path("tls-unusable"));
        command.args(pki.options("on", rest).split_whitespace());
        let output = command.output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stderr).unwrap()
    };
    let message = run("--tls-verify-peer");
    assert!(message.contains("ca-cert.pem"), "{message}");
    pki.write("server-key.pem", "no key");
    let message = run("");
    assert!(message.contains("server-key.pem"), "{message}");
    pki.write("server-cert.pem", "no certificate");
    let message = run("");
    assert!(message.contains("server-cert.pem"), "{message}");
}
