// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS settings: parameters for authentication.

use std::ffi::{CStr, CString};

use libc::{c_char, c_int};

use super::endpoint::Endpoint;
use crate::environment;
use crate::error::Error;
use crate::machine::Tls;
use crate::memory::{self, NoMemory};
use crate::transport::tls::{self, Authentication, Credentials, Method};
use crate::uri::TlsParameters;

/// The default priority string.
const DEFAULT_PRIORITY: &CStr = c"NORMAL";

/// The TLS settings of a program.
#[derive(Debug)]
pub struct TlsSettings {
    pub certificates: Option<CString>,
    pub verify_peer: bool,
    pub username: Option<CString>,
    /// The host name to verify; empty for the host of the endpoint.
    pub hostname: CString,
    pub psk_file: Option<CString>,
    pub priority: CString,
}

impl Default for TlsSettings {
    fn default() -> Self {
        TlsSettings {
            certificates: None,
            verify_peer: true,
            username: None,
            hostname: CString::default(),
            psk_file: None,
            priority: DEFAULT_PRIORITY.to_owned(),
        }
    }
}

impl TlsSettings {
    /// Returns the name expected in the server's certificate, if any. A name set by the program
    /// has priority over the host of the endpoint.
    pub(super) fn hostname<'a>(&'a self, endpoint: &'a Endpoint) -> Option<&'a CStr> {
        let given = Some(self.hostname.as_c_str());
        let mut names = [given, endpoint.host()].into_iter().flatten();
        names.find(|name| !name.is_empty())
    }

    /// Applies the parameters of a URI.
    pub(super) fn apply(&mut self, said: TlsParameters) {
        let replace = |setting: &mut Option<CString>, value: Option<CString>| {
            if value.is_some() {
                *setting = value;
            }
        };
        replace(&mut self.username, said.username);
        replace(&mut self.certificates, said.certificates);
        replace(&mut self.psk_file, said.psk_file);
        if let Some(hostname) = said.hostname {
            self.hostname = hostname;
        }
        if let Some(priority) = said.priority {
            self.priority = priority;
        }
        if let Some(verify) = said.verify_peer {
            self.verify_peer = verify;
        }
    }

    /// Returns the parameters of a URI for this endpoint with the same settings.
    pub(super) fn for_uri(&self, endpoint: &Endpoint) -> Result<TlsParameters, NoMemory> {
        let hostname = Some(self.hostname.as_c_str());
        let hostname = hostname.filter(|name| !name.is_empty() && endpoint.host() != Some(*name));
        let priority = Some(self.priority.as_c_str());
        let priority = priority.filter(|priority| *priority != DEFAULT_PRIORITY);
        Ok(TlsParameters {
            username: memory::copy_option(self.username.as_deref())?,
            certificates: memory::copy_option(self.certificates.as_deref())?,
            psk_file: memory::copy_option(self.psk_file.as_deref())?,
            hostname: memory::copy_option(hostname)?,
            priority: memory::copy_option(priority)?,
            verify_peer: Some(false).filter(|_| !self.verify_peer),
        })
    }

    /// Loads the credentials from their files.
    pub(super) fn credentials(&self, hostname: Option<&CStr>) -> Result<Credentials, Error> {
        let method = match &self.psk_file {
            Some(file) => Method::PreSharedKey {
                file,
                username: self.username()?,
            },
            None => Method::Certificates {
                directory: self.certificates.as_deref(),
                verify_peer: self.verify_peer,
            },
        };
        Credentials::load(Authentication {
            method,
            hostname: memory::copy_option(hostname)?,
            priority: &self.priority,
        })
    }

    /// Returns the user name: that set by the program, or the user's login name.
    pub fn username(&self) -> Result<CString, Error> {
        if let Some(username) = &self.username {
            return Ok(memory::copy(username)?);
        }
        if let Some(logname) = environment::variable(c"LOGNAME")? {
            return Ok(logname);
        }
        login_name()
    }
}

/// Decodes `LIBNBD_TLS_*`.
pub fn mode(tls: c_int) -> Result<Tls, Error> {
    const MODES: [Tls; 3] = [Tls::Disable, Tls::Allow, Tls::Require];
    let mode = MODES.into_iter().find(|&mode| mode as c_int == tls);
    mode.ok_or_else(|| {
        let what = format!("tls: invalid value for parameter: {tls}");
        Error::new(libc::EINVAL, what)
    })
}

/// Fails if TLS is not available.
pub fn check_available() -> Result<(), Error> {
    tls::check_available().map_err(|why| {
        let what = format!("TLS is not supported, because GnuTLS cannot be loaded: {why}");
        Error::new(libc::ENOTSUP, what)
    })
}

/// Returns the login name on the terminal of this process.
fn login_name() -> Result<CString, Error> {
    let mut name = [0u8; 256];
    extern "C" {
        // POSIX; the libc crate declares it for some systems only.
        fn getlogin_r(name: *mut c_char, length: libc::size_t) -> c_int;
    }
    // SAFETY: getlogin_r writes a NUL-terminated name of at most the given length into the
    // buffer, and keeps no reference to it.
    let errno = unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) };
    if errno != 0 {
        return Err(Error::new(errno, "getlogin_r"));
    }
    let name = CStr::from_bytes_until_nul(&name);
    name.map(CStr::to_owned)
        .map_err(|_| Error::new(libc::ERANGE, "getlogin_r"))
}
