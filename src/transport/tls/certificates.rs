// SPDX-License-Identifier: LGPL-2.1-or-later

//! Certificate files (nbd_set_tls_certificates(3)).

use std::ffi::{CStr, CString};

use crate::environment;
use crate::memory::{self, NoMemory};

/// The certificate directory of root, and of users without a home directory.
const SYSTEM_DIRECTORY: &CStr = c"/etc/pki/libnbd";

/// Certificate directories of other users, relative to the home directory.
const USER_DIRECTORIES: [&str; 2] = [".pki/libnbd", ".config/pki/libnbd"];

/// The file of trusted certificate authorities.
const AUTHORITIES: &str = "ca-cert.pem";

/// A client certificate and its private key.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct ClientCertificate {
    pub certificate: CString,
    pub key: CString,
}

impl ClientCertificate {
    /// Returns the pair of files whose names have this suffix, if both exist.
    fn with_suffix(directory: &CStr, suffix: &str) -> Result<Option<ClientCertificate>, NoMemory> {
        let file = |name| existing(directory, &format!("{name}{suffix}.pem"));
        let pair = file("client-cert")?.zip(file("client-key")?);
        Ok(pair.map(|(certificate, key)| ClientCertificate { certificate, key }))
    }
}

/// The certificate files of one directory.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Certificates {
    /// Trusted certificate authorities. If missing, those of the system.
    pub authorities: Option<CString>,
    /// The certificate revocation list.
    pub revoked: Option<CString>,
    /// Client certificates: one for each type of key.
    pub client: Vec<ClientCertificate>,
}

impl Certificates {
    /// Finds the files, in the directory that the program named, or else in the first default
    /// directory that exists.
    pub fn find(named: Option<&CStr>) -> Result<Certificates, NoMemory> {
        let found = match named {
            Some(_) => None,
            None => default_directory()?,
        };
        match named.or(found.as_deref()) {
            Some(directory) => Certificates::in_directory(directory),
            None => Ok(Certificates {
                authorities: None,
                revoked: None,
                client: Vec::new(),
            }),
        }
    }

    fn in_directory(directory: &CStr) -> Result<Certificates, NoMemory> {
        let mut client = Vec::from_iter(ClientCertificate::with_suffix(directory, "")?);
        // Certificates for other types of keys, numbered without a gap.
        for number in 0.. {
            match ClientCertificate::with_suffix(directory, &format!("-{number}"))? {
                Some(certificate) => memory::push(&mut client, certificate)?,
                None => break,
            }
        }
        Ok(Certificates {
            authorities: existing(directory, AUTHORITIES)?,
            revoked: existing(directory, "ca-crl.pem")?,
            client,
        })
    }
}

fn default_directory() -> Result<Option<CString>, NoMemory> {
    // SAFETY: geteuid takes nothing and cannot fail.
    let root = unsafe { libc::geteuid() } == 0;
    let home = match root {
        true => None,
        false => environment::variable(c"HOME")?,
    };
    first_with_authorities(default_directories(home.as_deref())?)
}

/// Returns the default directories, for a user with this home directory.
fn default_directories(home: Option<&CStr>) -> Result<Vec<CString>, NoMemory> {
    let Some(home) = home else {
        return Ok(vec![SYSTEM_DIRECTORY.to_owned()]);
    };
    // If home is empty, the slash keeps the path absolute: the working directory must not decide
    // which certificates are trusted.
    let below = |directory: &str| memory::c_string(&[home.to_bytes(), b"/", directory.as_bytes()]);
    memory::collect(USER_DIRECTORIES.map(below))
}

/// Returns the first directory that has a file of certificate authorities.
fn first_with_authorities(directories: Vec<CString>) -> Result<Option<CString>, NoMemory> {
    for directory in directories {
        if existing(&directory, AUTHORITIES)?.is_some() {
            return Ok(Some(directory));
        }
    }
    Ok(None)
}

/// Returns the path of a file in the directory, if it exists.
fn existing(directory: &CStr, name: &str) -> Result<Option<CString>, NoMemory> {
    let directory = directory.to_bytes();
    let separator: &[u8] = match directory.last() {
        None | Some(b'/') => b"",
        Some(_) => b"/",
    };
    let path = memory::c_string(&[directory, separator, name.as_bytes()])?;
    // SAFETY: the path is a C string.
    let result =
        unsafe { libc::faccessat(libc::AT_FDCWD, path.as_ptr(), libc::F_OK, libc::AT_EACCESS) };
    Ok((result == 0).then_some(path))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::ffi::OsStrExt;
    use std::path::Path;

    use super::super::scratch::Scratch;
    use super::*;

    /// Makes a directory with these files, all empty.
    fn directory(files: &[&str]) -> Scratch {
        let directory = Scratch::new();
        for file in files {
            let path = directory.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "").unwrap();
        }
        directory
    }

    fn found_in(files: &[&str]) -> (Scratch, Certificates) {
        let directory = directory(files);
        let path = c_path(directory.path());
        let found = Certificates::find(Some(&path)).unwrap();
        (directory, found)
    }

    fn c_path(path: &Path) -> CString {
        CString::new(path.as_os_str().as_bytes()).unwrap()
    }

    /// Returns the file's name, relative to the directory.
    fn name<'a>(directory: &Scratch, file: &'a CStr) -> &'a str {
        let path = Path::new(OsStr::from_bytes(file.to_bytes()));
        let name = path.strip_prefix(directory.path()).unwrap();
        name.to_str().unwrap()
    }

    /// Returns the client certificates found among these files.
    fn client_certificates(files: &[&str]) -> Vec<(String, String)> {
        let (directory, found) = found_in(files);
        let name = |file: &CString| name(&directory, file).to_owned();
        let pairs = found.client.iter();
        pairs
            .map(|c| (name(&c.certificate), name(&c.key)))
            .collect()
    }

    fn pair(suffix: &str) -> (String, String) {
        (
            format!("client-cert{suffix}.pem"),
            format!("client-key{suffix}.pem"),
        )
    }

    #[test]
    fn a_directory_that_has_everything_is_used_in_full() {
        let files = [
            "ca-cert.pem",
            "ca-crl.pem",
            "client-cert.pem",
            "client-key.pem",
        ];
        let (directory, found) = found_in(&files);
        let name = |file: &Option<CString>| name(&directory, file.as_ref().unwrap()).to_owned();
        assert_eq!(name(&found.authorities), "ca-cert.pem");
        assert_eq!(name(&found.revoked), "ca-crl.pem");
        assert_eq!(client_certificates(&files), [pair("")]);
    }

    #[test]
    fn files_that_are_missing_are_not_named() {
        let (_directory, found) = found_in(&["ca-cert.pem"]);
        assert!(found.authorities.is_some());
        assert_eq!(found.revoked, None);
        assert_eq!(found.client, []);

        let none = Certificates {
            authorities: None,
            revoked: None,
            client: Vec::new(),
        };
        let (_directory, found) = found_in(&["server-cert.pem", "server-key.pem"]);
        assert_eq!(found, none);
        let found = Certificates::find(Some(c"/nonexistent/pki")).unwrap();
        assert_eq!(found, none);
    }

    #[test]
    fn a_certificate_needs_its_key() {
        assert_eq!(client_certificates(&["client-cert.pem"]), []);
        assert_eq!(client_certificates(&["client-key.pem"]), []);
        let crossed = ["client-cert.pem", "client-key-0.pem"];
        assert_eq!(client_certificates(&crossed), []);
    }

    #[test]
    fn numbered_certificates_begin_at_0() {
        let first = ["client-cert-0.pem", "client-key-0.pem"];
        assert_eq!(client_certificates(&first), [pair("-0")]);
        let second = ["client-cert-1.pem", "client-key-1.pem"];
        assert_eq!(client_certificates(&second), []);
        let padded = ["client-cert-00.pem", "client-key-00.pem"];
        assert_eq!(client_certificates(&padded), []);
    }

    #[test]
    fn numbered_certificates_end_at_the_first_gap() {
        let names: Vec<String> = [0, 1, 2, 4, 5]
            .iter()
            .flat_map(|n| {
                [
                    format!("client-cert-{n}.pem"),
                    format!("client-key-{n}.pem"),
                ]
            })
            .collect();
        let mut files: Vec<&str> = names.iter().map(String::as_str).collect();
        let found = ["-0", "-1", "-2"].map(pair);
        assert_eq!(client_certificates(&files), found);

        // A missing key is a gap, too.
        files.retain(|file| *file != "client-key-1.pem");
        assert_eq!(client_certificates(&files), [pair("-0")]);
    }

    #[test]
    fn numbered_certificates_follow_the_one_without_a_number() {
        let names: Vec<String> = (0..12)
            .flat_map(|n| {
                [
                    format!("client-cert-{n}.pem"),
                    format!("client-key-{n}.pem"),
                ]
            })
            .collect();
        let mut files: Vec<&str> = names.iter().map(String::as_str).collect();
        files.extend(["client-cert.pem", "client-key.pem"]);
        let numbered = (0..12).map(|n| pair(&format!("-{n}")));
        let expected: Vec<_> = [pair("")].into_iter().chain(numbered).collect();
        assert_eq!(client_certificates(&files), expected);
    }

    #[test]
    fn the_home_directory_is_searched_in_order() {
        let home = directory(&[".config/pki/libnbd/ca-cert.pem"]);
        let path = c_path(home.path());
        let search = || {
            let directories = default_directories(Some(&path)).unwrap();
            first_with_authorities(directories).unwrap()
        };
        let second = home.path().join(".config/pki/libnbd");
        assert_eq!(search(), Some(c_path(&second)));

        // A directory without certificate authorities is skipped.
        let first = home.path().join(".pki/libnbd");
        fs::create_dir_all(&first).unwrap();
        fs::write(first.join("client-cert.pem"), "").unwrap();
        assert_eq!(search(), Some(c_path(&second)));

        fs::write(first.join("ca-cert.pem"), "").unwrap();
        assert_eq!(search(), Some(c_path(&first)));
    }

    #[test]
    fn a_home_directory_without_certificates_leads_nowhere_else() {
        let home = directory(&["ca-cert.pem", ".pki/ca-cert.pem"]);
        let path = c_path(home.path());
        let directories = default_directories(Some(&path)).unwrap();
        assert!(directories
            .iter()
            .all(|directory| directory.to_bytes().starts_with(path.to_bytes())));
        assert_eq!(first_with_authorities(directories), Ok(None));
    }

    #[test]
    fn without_a_home_directory_the_system_has_the_certificates() {
        let directories = default_directories(None).unwrap();
        assert_eq!(directories, [c"/etc/pki/libnbd".to_owned()]);
    }

    #[test]
    fn an_empty_home_directory_is_not_the_working_directory() {
        let directories = default_directories(Some(c"")).unwrap();
        let absolute = [c"/.pki/libnbd", c"/.config/pki/libnbd"].map(CStr::to_owned);
        assert_eq!(directories, absolute);
    }
}
