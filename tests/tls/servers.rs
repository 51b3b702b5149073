// SPDX-License-Identifier: LGPL-2.1-or-later

//! Popular servers, each with every method of authentication that it supports,
//! on a Unix socket and on a port.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use tempfile::TempDir;

use crate::client::Client;
use support::certificates::Certificates;
use support::servers::Server;
use support::Result;

/// Method of authentication of both sides.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Authentication {
    /// The server has a certificate.
    Certificate,
    /// The client has one as well, and the server requires it.
    BothCertificates,
    /// Both have a key.
    PreSharedKey,
}

/// A server that must be accepted.
#[derive(Clone, Copy)]
pub struct Kind {
    pub name: &'static str,
    /// Its command line: CERTIFICATES stands for the directory of certificates,
    /// SIZE for the size of the disk in bytes, DISK for a file of that size.
    pub line: &'static str,
    pub authentication: Authentication,
    pub export: &'static str,
    /// True if it serves a single client and no block status.
    pub once: bool,
}

pub const KINDS: &[Kind] = &[
    nbdkit(
        "nbdkit --tls=require",
        "nbdkit --tls=require --tls-certificates=CERTIFICATES/server memory SIZE",
        Authentication::Certificate,
    ),
    nbdkit(
        "nbdkit --tls=on",
        "nbdkit --tls=on --tls-certificates=CERTIFICATES/server-ecdsa memory SIZE",
        Authentication::Certificate,
    ),
    nbdkit(
        "nbdkit --tls-verify-peer",
        "nbdkit --tls=require --tls-verify-peer --tls-certificates=CERTIFICATES/server memory SIZE",
        Authentication::BothCertificates,
    ),
    nbdkit(
        "nbdkit --tls-psk",
        "nbdkit --tls=require --tls-psk=CERTIFICATES/psk/keys.psk memory SIZE",
        Authentication::PreSharedKey,
    ),
    qemu_nbd(
        "qemu-nbd tls-creds-x509",
        "qemu-nbd --object tls-creds-x509,id=tls,endpoint=server,dir=CERTIFICATES/server,verify-peer=off --tls-creds=tls --format=raw DISK",
        Authentication::Certificate,
    ),
    qemu_nbd(
        "qemu-nbd tls-creds-x509 verify-peer",
        "qemu-nbd --object tls-creds-x509,id=tls,endpoint=server,dir=CERTIFICATES/server,verify-peer=on --tls-creds=tls --format=raw DISK",
        Authentication::BothCertificates,
    ),
    qemu_nbd(
        "qemu-nbd tls-creds-psk",
        "qemu-nbd --object tls-creds-psk,id=tls,endpoint=server,dir=CERTIFICATES/psk --tls-creds=tls --format=raw DISK",
        Authentication::PreSharedKey,
    ),
    // It only accepts clients with a certificate; no setting changes that.
    nbd_server(
        "nbd-server SELECTIVETLS",
        "nbd-server --certfile=CERTIFICATES/server-ecdsa/server-cert.pem --keyfile=CERTIFICATES/server-ecdsa/server-key.pem --cacertfile=CERTIFICATES/server-ecdsa/ca-cert.pem disk=DISK",
        Authentication::BothCertificates,
    ),
    nbd_server(
        "nbd-server FORCEDTLS",
        "nbd-server --certfile=CERTIFICATES/server/server-cert.pem --keyfile=CERTIFICATES/server/server-key.pem --cacertfile=CERTIFICATES/server/ca-cert.pem --force_tls=true disk=DISK",
        Authentication::BothCertificates,
    ),
];

const fn nbdkit(name: &'static str, line: &'static str, authentication: Authentication) -> Kind {
    Kind {
        name,
        line,
        authentication,
        export: "",
        once: false,
    }
}

const fn qemu_nbd(name: &'static str, line: &'static str, authentication: Authentication) -> Kind {
    nbdkit(name, line, authentication)
}

const fn nbd_server(
    name: &'static str,
    line: &'static str,
    authentication: Authentication,
) -> Kind {
    Kind {
        name,
        line,
        authentication,
        export: "disk",
        once: true,
    }
}

/// Transport to a server.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Transport {
    Tcp,
    Unix,
}

pub const TRANSPORTS: [Transport; 2] = [Transport::Tcp, Transport::Unix];

/// Starts a server in this directory with a disk of this many MiB: see
/// `Kind::line` and `Server::start` for the line.
pub fn serve(
    certificates: &Certificates,
    directory: &Path,
    name: &str,
    line: &str,
    transport: Transport,
    mebibytes: u64,
) -> Result<Server> {
    let size = mebibytes << 20;
    let disk = directory.join("disk");
    if line.contains("DISK") {
        let mut options = File::options();
        options.create(true).truncate(false).write(true);
        let made = options.open(&disk).and_then(|file| file.set_len(size));
        made.map_err(|e| format!("{}: {e}", disk.display()))?;
    }
    let line = line
        .replace("CERTIFICATES/", &certificates.path("")?)
        .replace("SIZE", &size.to_string())
        .replace("DISK", &disk.display().to_string());
    match transport {
        Transport::Unix => Server::start(directory, name, &line),
        Transport::Tcp => Server::start_on_a_port(directory, name, &line),
    }
}

/// The directory of one test, and the certificates shared by all.
pub struct Bench {
    pub certificates: Arc<Certificates>,
    pub directory: TempDir,
}

/// The body of a test.
pub type Steps = fn(&Bench) -> Result<()>;

impl Bench {
    pub fn new(certificates: &Arc<Certificates>) -> Result<Bench> {
        let directory = tempfile::Builder::new()
            .prefix("nbd-tls-")
            .tempdir()
            .map_err(|e| format!("a temporary directory: {e}"))?;
        Ok(Bench {
            certificates: Arc::clone(certificates),
            directory,
        })
    }

    /// Starts a server with a disk of this many MiB.
    pub fn serve(
        &self,
        name: &str,
        line: &str,
        transport: Transport,
        mebibytes: u64,
    ) -> Result<Server> {
        let directory = self.directory.path();
        serve(
            &self.certificates,
            directory,
            name,
            line,
            transport,
            mebibytes,
        )
    }

    /// Starts nbdkit with a certificate and a small disk.
    pub fn serve_certificate(&self, directory: &str, transport: Transport) -> Result<Server> {
        let line =
            format!("nbdkit --tls=require --tls-certificates=CERTIFICATES/{directory} memory SIZE");
        self.serve(directory, &line, transport, 1)
    }

    /// Returns a client with the credentials for this authentication.
    pub fn client(&self, program: &'static str, as_asked: Authentication) -> Result<Client> {
        let client = Client::new(program);
        let path = |name| self.certificates.path(name);
        Ok(match as_asked {
            Authentication::Certificate => client.with("CERTIFICATES", path("client")?),
            Authentication::BothCertificates => client.with("CERTIFICATES", path("client-rsa")?),
            Authentication::PreSharedKey => client
                .with("PSK_FILE", path("psk/keys.psk")?)
                .with("USERNAME", "alice"),
        })
    }
}
