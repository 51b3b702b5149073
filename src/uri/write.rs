// SPDX-License-Identifier: LGPL-2.1-or-later

//! Writing: from [`NbdUri`] to text.

use std::ffi::{CStr, CString};

use super::text::decimal;
use super::{NbdUri, SshTarget, Transport, Word};
use crate::error::Error;
use crate::memory::{self, NoMemory};

/// Punctuation that needs no encoding in any part: the unreserved characters, and those without a
/// meaning in NBD URIs (RFC 3986, 2.2 and 2.3).
const EVERYWHERE: &[u8] = b"-._~!$'()*,";

/// More punctuation that needs no encoding in a user name. The other parts have their own lists.
const IN_USER: &[u8] = b"&+;=:";
const IN_HOST: &[u8] = b"&+;=";
const IN_ADDRESS: &[u8] = b":";
const IN_PATH: &[u8] = b"&+;=@/";
const IN_VALUE: &[u8] = b"+=:@/?";

impl NbdUri {
    /// Writes the URI in a form that [`parse`](Self::parse) accepts.
    ///
    /// Ports are always written. An empty user name is written too, since it differs from none.
    pub fn write(&self) -> Result<CString, Error> {
        let mut uri = Writer {
            text: String::new(),
            lacks_memory: false,
            separator: "?",
        };
        uri.add(self.scheme().name());
        uri.add("://");
        let username = self.tls_parameters.username.as_deref();
        match &self.transport {
            Transport::Tcp { host, port } => {
                uri.user(username);
                uri.host(host);
                uri.port(port);
                uri.path(&self.export_name);
                if !fits_authority(port) {
                    uri.parameter("nbd-port", Some(port));
                }
            }
            Transport::Unix { path } => {
                uri.user(username);
                uri.path(&self.export_name);
                uri.parameter("socket", Some(path));
            }
            Transport::Vsock { cid, port } => {
                let port = decimal(*port);
                uri.user(username);
                uri.host(&decimal(*cid));
                uri.port(&port);
                uri.path(&self.export_name);
                if !fits_authority(&port) {
                    uri.parameter("nbd-port", Some(&port));
                }
            }
            Transport::Ssh(tunnel) => {
                let user = tunnel.user.as_ref().map(Word::as_c_str);
                uri.user(user);
                uri.host(tunnel.host.as_c_str());
                uri.port(&decimal(tunnel.port));
                uri.path(&self.export_name);
                match &tunnel.target {
                    SshTarget::Unix(path) => uri.parameter("socket", Some(path.as_c_str())),
                    SshTarget::Port(port) => uri.parameter("nbd-port", Some(port.as_c_str())),
                }
                if tunnel.compress {
                    uri.parameter("compress", Some(c"true"));
                }
                if username != user {
                    uri.parameter("tls-username", username);
                }
            }
        }
        self.tls_parameters.write(&mut uri);
        uri.finish()
    }
}

/// Returns true if the port can be written after the host without changing its meaning.
fn fits_authority(port: &CStr) -> bool {
    let number = port.to_str().ok().and_then(|text| text.parse::<i32>().ok());
    number.is_some_and(|number| number > 0 && decimal(number as u32).as_c_str() == port)
}

/// A partly written URI.
pub(super) struct Writer {
    text: String,
    /// True after an allocation has failed.
    lacks_memory: bool,
    /// The separator before the next parameter.
    separator: &'static str,
}

impl Writer {
    fn add(&mut self, text: &str) {
        match self.text.try_reserve(text.len()) {
            Ok(()) => self.text.push_str(text),
            Err(_) => self.lacks_memory = true,
        }
    }

    fn finish(self) -> Result<CString, Error> {
        if self.lacks_memory {
            return Err(NoMemory.into());
        }
        Ok(memory::c_string(&[self.text.as_bytes()])?)
    }

    fn user(&mut self, user: Option<&CStr>) {
        if let Some(user) = user {
            self.encode(user.to_bytes(), IN_USER);
            self.add("@");
        }
    }

    /// Writes a host. Only IPv6 addresses contain colons. The percent sign before their zone is
    /// encoded (RFC 6874).
    fn host(&mut self, host: &CStr) {
        let host = host.to_bytes();
        if !host.contains(&b':') {
            return self.encode(host, IN_HOST);
        }
        self.add("[");
        self.encode(host, IN_ADDRESS);
        self.add("]");
    }

    fn port(&mut self, port: &CStr) {
        if fits_authority(port) {
            self.add(":");
            self.encode(port.to_bytes(), b"");
        }
    }

    fn path(&mut self, export_name: &CStr) {
        self.add("/");
        self.encode(export_name.to_bytes(), IN_PATH);
    }

    /// Appends a parameter to the query, if it has a value.
    pub fn parameter(&mut self, name: &str, value: Option<&CStr>) {
        if let Some(value) = value {
            self.add(self.separator);
            self.separator = "&";
            self.add(name);
            self.add("=");
            self.encode(value.to_bytes(), IN_VALUE);
        }
    }

    fn encode(&mut self, text: &[u8], also: &[u8]) {
        for byte in text {
            if byte.is_ascii_alphanumeric() || EVERYWHERE.contains(byte) || also.contains(byte) {
                self.add(char::from(*byte).encode_utf8(&mut [0; 4]));
            } else {
                self.add(&format!("%{byte:02X}"));
            }
        }
    }
}
