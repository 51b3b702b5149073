// SPDX-License-Identifier: LGPL-2.1-or-later

//! Which files say whom to trust and who we are (nbd_set_tls_certificates(3)).

use std::ffi::{CStr, CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::error::Error;

/// Where the certificates of root are, and of a user without a home.
const SYSTEM_DIRECTORY: &str = "/etc/pki/libnbd";

/// Where other users' certificates are, below their home directories.
const USER_DIRECTORIES: [&str; 2] = [".pki/libnbd", ".config/pki/libnbd"];

/// The file of certificate authorities to trust.
const AUTHORITIES: &str = "ca-cert.pem";

/// A certificate of ours, and the key that proves it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientCertificate {
    pub certificate: CString,
    pub key: CString,
}

impl ClientCertificate {
    /// The pair of files with that suffix to their names, if both are there.
    fn of(directory: &Path, suffix: &str) -> Result<Option<ClientCertificate>, Error> {
        let file = |name| existing(directory.join(format!("{name}{suffix}.pem")));
        let pair = file("client-cert")?.zip(file("client-key")?);
        Ok(pair.map(|(certificate, key)| ClientCertificate { certificate, key }))
    }
}

/// The files of one directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificates {
    /// Certificate authorities to trust; without, those that the system does.
    pub authorities: Option<CString>,
    /// Certificates that have been revoked.
    pub revoked: Option<CString>,
    /// What we show to a server that asks: one for each kind of key.
    pub client: Vec<ClientCertificate>,
}

impl Certificates {
    /// The files of the directory that the program named, or of the first that
    /// is there of those that are the default.
    pub fn find(named: Option<&CStr>) -> Result<Certificates, Error> {
        let directory = match named {
            Some(directory) => Some(Path::new(OsStr::from_bytes(directory.to_bytes())).to_owned()),
            None => default_directory(),
        };
        match directory {
            Some(directory) => Certificates::of(&directory),
            None => Ok(Certificates {
                authorities: None,
                revoked: None,
                client: Vec::new(),
            }),
        }
    }

    fn of(directory: &Path) -> Result<Certificates, Error> {
        let mut client = Vec::from_iter(ClientCertificate::of(directory, "")?);
        // More of them, numbered without a gap, for other kinds of keys.
        for number in 0.. {
            match ClientCertificate::of(directory, &format!("-{number}"))? {
                Some(certificate) => client.push(certificate),
                None => break,
            }
        }
        Ok(Certificates {
            authorities: existing(directory.join(AUTHORITIES))?,
            revoked: existing(directory.join("ca-crl.pem"))?,
            client,
        })
    }
}

/// A directory counts if it says whom to trust.
fn default_directory() -> Option<PathBuf> {
    // SAFETY: geteuid takes nothing and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let home = std::env::var_os("HOME")
        .filter(|_| !root)
        .map(PathBuf::from);
    let candidates = match home {
        Some(home) => USER_DIRECTORIES
            .iter()
            .map(|below| home.join(below))
            .collect(),
        None => vec![PathBuf::from(SYSTEM_DIRECTORY)],
    };
    let mut candidates = candidates.into_iter();
    candidates.find(|directory| directory.join(AUTHORITIES).exists())
}

fn existing(file: PathBuf) -> Result<Option<CString>, Error> {
    file.exists().then(|| c_path(file)).transpose()
}

fn c_path(path: PathBuf) -> Result<CString, Error> {
    let bytes = OsString::from(path).into_vec();
    CString::new(bytes).map_err(|_| Error::new(libc::EINVAL, "certificates directory"))
}
