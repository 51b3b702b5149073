// SPDX-License-Identifier: LGPL-2.1-or-later

//! Certificates and keys, made with the tools of GnuTLS once for a whole run:
//! valid ones, and one for each reason to refuse a server.
//!
//! Everything is in one directory, removed at the end:
//!
//! | directory or file | content |
//! | --- | --- |
//! | `server` | for localhost, 127.0.0.1 and ::1, with an RSA key |
//! | `server-ecdsa` | the same with an ECDSA key |
//! | `server-REASON` | a server to be refused; see `BAD_SERVERS` |
//! | `client` | only the authority to trust |
//! | `client-rsa`, `client-ecdsa` | with a certificate of the client as well |
//! | `client-several` | with one of each kind of key, RSA first |
//! | `client-of-unknown-ca` | with one that no server accepts |
//! | `client-crl` | with the revocation list |
//! | `empty` | nothing |
//! | `psk/keys.psk` | the keys of alice and bob |
//! | `other.psk` | other keys, of alice and of mallory |
//!
//! Directories of servers contain `ca-cert.pem`, `server-cert.pem` and
//! `server-key.pem`, as nbdkit and qemu-nbd expect.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use tempfile::TempDir;

use super::{process, programs, Result};

/// Certificates that no client may accept from a server called localhost.
pub const BAD_SERVERS: &[BadServer] = &[
    BadServer {
        reason: "other-name",
        template: "dns_name = disk.example.com\ntls_www_server\n",
        authority: Authority::Trusted,
    },
    BadServer {
        reason: "expired",
        template: "activation_date = \"2001-01-01 00:00:00 UTC\"\n\
                   expiration_date = \"2002-01-01 00:00:00 UTC\"\n\
                   dns_name = localhost\ntls_www_server\n",
        authority: Authority::Trusted,
    },
    BadServer {
        reason: "not-yet-valid",
        template: "activation_date = \"2048-01-01 00:00:00 UTC\"\n\
                   expiration_date = \"2049-01-01 00:00:00 UTC\"\n\
                   dns_name = localhost\ntls_www_server\n",
        authority: Authority::Trusted,
    },
    BadServer {
        reason: "self-signed",
        template: "dns_name = localhost\ntls_www_server\n",
        authority: Authority::Itself,
    },
    BadServer {
        reason: "unknown-ca",
        template: "dns_name = localhost\ntls_www_server\n",
        authority: Authority::Unknown,
    },
    BadServer {
        reason: "client-only",
        template: "dns_name = localhost\ntls_www_client\n",
        authority: Authority::Trusted,
    },
    BadServer {
        reason: "revoked",
        template: "dns_name = localhost\ntls_www_server\n",
        authority: Authority::Trusted,
    },
];

/// A faulty certificate.
pub struct BadServer {
    pub reason: &'static str,
    template: &'static str,
    authority: Authority,
}

/// The issuer of a certificate.
#[derive(Clone, Copy)]
enum Authority {
    /// The authority that clients trust.
    Trusted,
    /// Another authority with the same name.
    Unknown,
    /// None: the certificate is self-signed.
    Itself,
}

const LIMIT: Duration = Duration::from_secs(60);

/// Common lines of every certificate that does not override them.
const COMMON: &str = "cn = test\nsigning_key\nencryption_key\n";
const VALIDITY: &str = "expiration_days = 3650\n";

/// All certificates of a test run.
#[derive(Default)]
pub struct Certificates {
    directory: OnceLock<Result<TempDir>>,
}

impl Certificates {
    /// Returns the directory; the first call creates its content.
    pub fn directory(&self) -> Result<&Path> {
        match self.directory.get_or_init(make) {
            Ok(directory) => Ok(directory.path()),
            Err(why) => Err(why.clone()),
        }
    }

    /// Returns the path of an item, for an argument.
    pub fn path(&self, name: &str) -> Result<String> {
        Ok(self.directory()?.join(name).display().to_string())
    }
}

/// Returns certtool's name of the ML-DSA key type, if the installed version
/// supports it.
pub fn ml_dsa_key_type() -> Option<&'static str> {
    let known = |name: &&str| {
        let mut certtool = Command::new(programs::find("certtool").ok()?);
        certtool.args(["--generate-privkey", "--no-text", "--key-type", name]);
        let outcome = process::run(&mut certtool, &[], LIMIT).ok()?;
        outcome.status.success().then_some(())
    };
    let names = ["mldsa65", "ml-dsa-65"];
    names.into_iter().find(|name| known(name).is_some())
}

fn make() -> Result<TempDir> {
    let directory = tempfile::Builder::new()
        .prefix("nbd-certificates-")
        .tempdir()
        .map_err(|e| format!("a temporary directory: {e}"))?;
    let maker = Maker {
        directory: directory.path().to_owned(),
    };
    maker.make_authorities()?;
    maker.make_servers()?;
    maker.make_clients()?;
    maker.make_keys()?;
    Ok(directory)
}

struct Maker {
    directory: PathBuf,
}

impl Maker {
    fn make_authorities(&self) -> Result<()> {
        for name in ["trusted", "unknown"] {
            self.private_key(&format!("{name}-key.pem"), "ecdsa")?;
            let template = "cn = Test authority\nca\ncert_signing_key\ncrl_signing_key\n";
            self.certificate(
                &format!("{name}-cert.pem"),
                &format!("{name}-key.pem"),
                &format!("{template}{VALIDITY}"),
                Authority::Itself,
            )?;
        }
        Ok(())
    }

    fn make_servers(&self) -> Result<()> {
        let here = "dns_name = localhost\nip_address = 127.0.0.1\nip_address = ::1\n\
                    tls_www_server\n";
        for (name, key) in [("server", "rsa"), ("server-ecdsa", "ecdsa")] {
            self.end_entity(name, "server", key, here, Authority::Trusted)?;
        }
        for bad in BAD_SERVERS {
            let name = format!("server-{}", bad.reason);
            self.end_entity(&name, "server", "ecdsa", bad.template, bad.authority)?;
        }
        Ok(())
    }

    fn make_clients(&self) -> Result<()> {
        self.trusting_directory("client")?;
        self.trusting_directory("empty")?;
        self.remove("empty/ca-cert.pem")?;
        for key in ["rsa", "ecdsa"] {
            let name = format!("client-{key}");
            self.end_entity(&name, "client", key, "tls_www_client\n", Authority::Trusted)?;
        }
        let stranger = "client-of-unknown-ca";
        self.end_entity(
            stranger,
            "client",
            "ecdsa",
            "tls_www_client\n",
            Authority::Unknown,
        )?;

        self.trusting_directory("client-several")?;
        for (key, suffix) in [("rsa", ""), ("ecdsa", "-0")] {
            self.give_client("client-several", key, suffix)?;
        }
        if let Some(key_type) = ml_dsa_key_type() {
            let name = "client-ml-dsa";
            self.end_entity(
                name,
                "client",
                key_type,
                "tls_www_client\n",
                Authority::Trusted,
            )?;
            self.give_client("client-several", "ml-dsa", "-1")?;
        }

        self.trusting_directory("client-crl")?;
        let template = self.template("expiration_days = 3650\ncrl_next_update = 3650\n")?;
        let mut arguments = self.signing(Authority::Trusted);
        arguments.extend(["--generate-crl", "--outfile", "client-crl/ca-crl.pem"]);
        arguments.extend(["--load-certificate", "server-revoked/server-cert.pem"]);
        arguments.extend(["--template", &template]);
        self.run("certtool", &arguments)
    }

    fn make_keys(&self) -> Result<()> {
        self.make_directory("psk")?;
        for (file, user) in [
            ("psk/keys.psk", "alice"),
            ("psk/keys.psk", "bob"),
            ("other.psk", "alice"),
            ("other.psk", "mallory"),
        ] {
            self.run("psktool", &["--username", user, "--pskfile", file])?;
        }
        Ok(())
    }

    /// Creates a directory with a certificate that is not an authority.
    fn end_entity(
        &self,
        name: &str,
        role: &str,
        key_type: &str,
        template: &str,
        authority: Authority,
    ) -> Result<()> {
        self.trusting_directory(name)?;
        let key = format!("{name}/{role}-key.pem");
        let certificate = format!("{name}/{role}-cert.pem");
        self.private_key(&key, key_type)?;
        let validity = if template.contains("expiration_date ") {
            ""
        } else {
            VALIDITY
        };
        let template = format!("{COMMON}{validity}{template}");
        self.certificate(&certificate, &key, &template, authority)
    }

    fn private_key(&self, file: &str, key_type: &str) -> Result<()> {
        let mut arguments = vec!["--generate-privkey", "--no-text", "--outfile", file];
        arguments.extend(["--key-type", key_type]);
        if key_type == "rsa" {
            arguments.extend(["--bits", "2048"]);
        }
        self.run("certtool", &arguments)
    }

    fn certificate(
        &self,
        file: &str,
        key: &str,
        template: &str,
        authority: Authority,
    ) -> Result<()> {
        let template = self.template(template)?;
        let mut arguments = self.signing(authority);
        arguments.extend(["--load-privkey", key, "--outfile", file, "--no-text"]);
        arguments.extend(["--template", &template]);
        arguments.push(match authority {
            Authority::Itself => "--generate-self-signed",
            Authority::Trusted | Authority::Unknown => "--generate-certificate",
        });
        self.run("certtool", &arguments)
    }

    fn signing(&self, authority: Authority) -> Vec<&'static str> {
        const CERTIFICATE: &str = "--load-ca-certificate";
        const KEY: &str = "--load-ca-privkey";
        match authority {
            Authority::Trusted => vec![CERTIFICATE, "trusted-cert.pem", KEY, "trusted-key.pem"],
            Authority::Unknown => vec![CERTIFICATE, "unknown-cert.pem", KEY, "unknown-key.pem"],
            Authority::Itself => Vec::new(),
        }
    }

    /// Writes the answers to certtool's questions to a file.
    fn template(&self, text: &str) -> Result<String> {
        let path = self.directory.join("template");
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))?;
        Ok(path.display().to_string())
    }

    /// Creates a directory with the authority to trust.
    fn trusting_directory(&self, name: &str) -> Result<()> {
        self.make_directory(name)?;
        self.copy("trusted-cert.pem", &format!("{name}/ca-cert.pem"))
    }

    fn give_client(&self, name: &str, key: &str, suffix: &str) -> Result<()> {
        for what in ["cert", "key"] {
            let from = format!("client-{key}/client-{what}.pem");
            self.copy(&from, &format!("{name}/client-{what}{suffix}.pem"))?;
        }
        Ok(())
    }

    fn make_directory(&self, name: &str) -> Result<()> {
        fs::create_dir(self.directory.join(name)).map_err(|e| format!("{name}: {e}"))
    }

    fn copy(&self, from: &str, to: &str) -> Result<()> {
        let copied = fs::copy(self.directory.join(from), self.directory.join(to));
        copied.map(|_| ()).map_err(|e| format!("{from}: {e}"))
    }

    fn remove(&self, name: &str) -> Result<()> {
        fs::remove_file(self.directory.join(name)).map_err(|e| format!("{name}: {e}"))
    }

    fn run(&self, program: &str, arguments: &[&str]) -> Result<()> {
        let mut command = Command::new(programs::find(program)?);
        command.current_dir(&self.directory).args(arguments);
        let outcome = process::run(&mut command, &[], LIMIT)?;
        match outcome.status.success() {
            true => Ok(()),
            false => Err(format!(
                "{program} {}: {}",
                arguments.join(" "),
                outcome.describe()
            )),
        }
    }
}
