// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS on one connection, as bytes in and bytes out, and the server's
//! certificate files.
//!
//! It uses rustls rather than GnuTLS, which the client library uses: agreement
//! between two implementations shows the standard, not a shared mistake.

use std::fs::File;
use std::io::{self, BufRead, IoSlice, Write};
use std::path::Path;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::WebPkiClientVerifier;
pub use rustls::ServerConfig;
use rustls::{RootCertStore, ServerConnection};

use crate::output::Output;

/// Plaintext encrypted at once: 32 full records, sent in one system call.
const BATCH: usize = 32 * 16384;

/// Reads server-cert.pem and server-key.pem in `directory`; to verify clients,
/// also ca-cert.pem.
pub fn configure(directory: &Path, verify_peer: bool) -> io::Result<Arc<ServerConfig>> {
    let certificates = certificates(&directory.join("server-cert.pem"))?;
    let path = directory.join("server-key.pem");
    let key = PrivateKeyDer::from_pem_file(&path).map_err(|error| unusable(&path, error))?;
    let provider = Arc::new(ring::default_provider());
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
        .with_protocol_versions(rustls::ALL_VERSIONS)
        .map_err(io::Error::other)?;
    let builder = if verify_peer {
        let path = directory.join("ca-cert.pem");
        let mut roots = RootCertStore::empty();
        for certificate in self::certificates(&path)? {
            roots
                .add(certificate)
                .map_err(|error| unusable(&path, error))?;
        }
        let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
            .build()
            .map_err(|error| unusable(&path, error))?;
        builder.with_client_cert_verifier(verifier)
    } else {
        builder.with_no_client_auth()
    };
    let config = builder
        .with_single_cert(certificates, key)
        .map_err(|error| unusable(directory, error))?;
    Ok(Arc::new(config))
}

fn certificates(path: &Path) -> io::Result<Vec<CertificateDer<'static>>> {
    let all = CertificateDer::pem_file_iter(path)
        .and_then(Iterator::collect::<Result<Vec<_>, _>>)
        .map_err(|error| unusable(path, error))?;
    if all.is_empty() {
        return Err(unusable(path, "there is no certificate in it"));
    }
    Ok(all)
}

fn unusable(path: &Path, error: impl std::fmt::Display) -> io::Error {
    io::Error::other(format!("{}: {error}", path.display()))
}

/// The state of the stream after decrypting records.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    /// More data may follow.
    Open,
    /// The client announced the end of its data.
    Closed,
}

/// The TLS side of one connection.
#[derive(Debug)]
pub struct Tls {
    connection: ServerConnection,
    /// True if the last alert is queued: nothing may follow it.
    finished: bool,
}

impl Tls {
    /// Creates the server side, which waits for the client's handshake.
    pub fn new(config: &Arc<ServerConfig>) -> io::Result<Tls> {
        let mut connection = ServerConnection::new(Arc::clone(config)).map_err(io::Error::other)?;
        // `encrypt` bounds the queue itself.
        connection.set_buffer_limit(None);
        Ok(Tls {
            connection,
            finished: false,
        })
    }

    /// Decrypts bytes from the socket and appends the plaintext to `plain`.
    /// After an error, the alert that explains it is queued.
    pub fn decrypt(
        &mut self,
        mut records: &[u8],
        plain: &mut Vec<u8>,
    ) -> Result<Received, rustls::Error> {
        while !records.is_empty() {
            // Reading from memory fails only if the plaintext queue is full,
            // and each iteration empties it.
            let read = self.connection.read_tls(&mut records);
            if !read.is_ok_and(|n| n > 0) {
                break;
            }
            let state = match self.connection.process_new_packets() {
                Ok(state) => state,
                Err(error) => {
                    self.finished = true;
                    return Err(error);
                }
            };
            let mut left = state.plaintext_bytes_to_read();
            let mut reader = self.connection.reader();
            while left > 0 {
                let Ok(bytes) = reader.fill_buf() else { break };
                let n = bytes.len();
                plain.extend_from_slice(bytes);
                reader.consume(n);
                left -= n;
            }
            if state.peer_has_closed() {
                return Ok(Received::Closed);
            }
        }
        Ok(Received::Open)
    }

    /// Encrypts queued output once the previous records have been sent: so all
    /// but the last record are full, however small the replies are.
    pub fn encrypt(&mut self, out: &mut Output) -> io::Result<()> {
        if self.finished || self.connection.is_handshaking() || self.connection.wants_write() {
            return Ok(());
        }
        let mut left = BATCH;
        while left > 0 && !out.is_empty() {
            let (taken, _) = out.write_to(&mut self.connection.writer(), left)?;
            left -= taken;
        }
        Ok(())
    }

    /// Returns true if records are waiting to be sent.
    pub fn has_records(&self) -> bool {
        self.connection.wants_write()
    }

    /// Sends records in the way [`Output::write_to`] sends bytes.
    pub fn write_to(&mut self, socket: &mut File, limit: usize) -> io::Result<(usize, usize)> {
        let mut writer = Limited {
            socket,
            limit,
            offered: 0,
        };
        let sent = self.connection.write_tls(&mut writer)?;
        Ok((sent, writer.offered))
    }

    /// Queues the close_notify alert.
    pub fn finish(&mut self) {
        if !self.finished {
            self.finished = true;
            self.connection.send_close_notify();
        }
    }

    /// Returns true until the handshake is complete.
    pub fn is_handshaking(&self) -> bool {
        self.connection.is_handshaking()
    }

    /// Describes the outcome of the handshake, for the log.
    pub fn summary(&self) -> String {
        let tls = &self.connection;
        let version = tls.protocol_version().and_then(|version| version.as_str());
        let suite = tls.negotiated_cipher_suite();
        let suite = suite.and_then(|suite| suite.suite().as_str());
        format!(
            "{} {}, server name {}, {} client certificates",
            version.unwrap_or("unknown version"),
            suite.unwrap_or("unknown suite"),
            tls.server_name().unwrap_or("not given"),
            tls.peer_certificates().map_or(0, <[_]>::len)
        )
    }
}

/// A socket that accepts at most this many bytes in one call.
struct Limited<'a> {
    socket: &'a mut File,
    limit: usize,
    offered: usize,
}

impl Write for Limited<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_vectored(&[IoSlice::new(bytes)])
    }

    fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
        let total: usize = slices.iter().map(|slice| slice.len()).sum();
        self.offered = total.min(self.limit);
        if total <= self.limit {
            return self.socket.write_vectored(slices);
        }
        let mut left = self.limit;
        let mut within = Vec::new();
        for slice in slices {
            let take = slice.len().min(left);
            within.push(IoSlice::new(&slice[..take]));
            left -= take;
            if left == 0 {
                break;
            }
        }
        self.socket.write_vectored(&within)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
