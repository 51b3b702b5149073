// SPDX-License-Identifier: LGPL-2.1-or-later

//! Settings that do not affect the protocol; the others are in [`crate::machine::Preferences`].

use std::ffi::{CStr, CString};

use super::tls_settings::TlsSettings;
use crate::constants::{LIBNBD_ALLOW_TRANSPORT_MASK, LIBNBD_STRICT_MASK};
use crate::error::Error;
use crate::memory;
use crate::protocol::MAX_STRING;
use crate::transport::{Stderr, TcpOptions};
use crate::uri::UriPolicy;

/// The maximum length of a socket name for socket activation, in bytes.
const MAX_SOCKET_NAME: usize = 32;

/// The program's settings, except those that are negotiated.
#[derive(Debug)]
pub struct Settings {
    strict_mode: u32,
    socket_activation_name: CString,
    /// TLS parameters. [`crate::machine::Preferences`] decides whether TLS is used.
    pub tls: TlsSettings,
    /// Options of the TCP sockets that the library opens.
    pub tcp: TcpOptions,
    /// Standard error of servers that the library starts.
    pub stderr: Stderr,
    /// Restrictions on URIs.
    pub uri: UriPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            strict_mode: LIBNBD_STRICT_MASK,
            socket_activation_name: CString::default(),
            tls: TlsSettings::default(),
            tcp: TcpOptions::default(),
            stderr: Stderr::Inherited,
            uri: UriPolicy::default(),
        }
    }
}

impl Settings {
    /// Returns true if strict mode includes this check.
    pub(super) fn is_strict(&self, flag: u32) -> bool {
        self.strict_mode & flag != 0
    }

    /// nbd_get_strict_mode(3)
    pub fn strict_mode(&self) -> u32 {
        self.strict_mode
    }

    /// nbd_set_strict_mode(3)
    pub fn set_strict_mode(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !LIBNBD_STRICT_MASK != 0 {
            return Err(invalid_flag("flags", flags));
        }
        self.strict_mode = flags;
        Ok(())
    }

    /// nbd_set_uri_allow_transports(3)
    pub fn set_uri_transports(&mut self, mask: u32) -> Result<(), Error> {
        if mask & !LIBNBD_ALLOW_TRANSPORT_MASK != 0 {
            return Err(invalid_flag("mask", mask));
        }
        self.uri.transports = mask;
        Ok(())
    }

    /// nbd_ext_get_capture_stderr(3)
    pub fn captures_stderr(&self) -> bool {
        self.stderr == Stderr::Captured
    }

    /// nbd_ext_set_capture_stderr(3)
    pub fn set_capture_stderr(&mut self, enable: bool) {
        self.stderr = match enable {
            true => Stderr::Captured,
            false => Stderr::Inherited,
        };
    }

    /// nbd_get_socket_activation_name(3)
    pub fn socket_activation_name(&self) -> &CStr {
        &self.socket_activation_name
    }

    /// nbd_set_socket_activation_name(3)
    pub fn set_socket_activation_name(&mut self, socket_name: &CStr) -> Result<(), Error> {
        let name = socket_name.to_bytes();
        if name.len() > MAX_SOCKET_NAME {
            let what = format!("socket activation name should be <= {MAX_SOCKET_NAME} characters");
            return Err(Error::new(libc::ENAMETOOLONG, what));
        }
        if !name.iter().all(u8::is_ascii_alphanumeric) {
            let what = "socket activation name should contain only alphanumeric ASCII characters";
            return Err(Error::new(libc::EINVAL, what));
        }
        self.socket_activation_name = socket_name.to_owned();
        Ok(())
    }
}

/// Copies a string, after checking its length against the limit of the protocol.
pub(super) fn protocol_string(string: &CStr, too_long: &'static str) -> Result<CString, Error> {
    if string.to_bytes().len() > MAX_STRING {
        return Err(Error::new(libc::ENAMETOOLONG, too_long));
    }
    Ok(memory::copy(string)?)
}

/// Makes the error for an argument with undefined bits.
pub(super) fn invalid_flag(argument: &str, value: u32) -> Error {
    let what = format!("{argument}: invalid value for flag: 0x{value:x}");
    Error::new(libc::EINVAL, what)
}
