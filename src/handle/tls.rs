// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a program says of TLS: whether to use it, and whom to trust.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStringExt;

use libc::{c_char, c_int};

use super::connect::Endpoint;
use super::connection::{Connection, Transport};
use crate::error::Error;
use crate::machine::Tls;
use crate::transport::tls::{self, Credentials, Handshake, Identity, Progress, Proof};
use crate::transport::Channel;

/// The priority string where the program gives none.
pub(super) const DEFAULT_PRIORITY: &CStr = c"NORMAL";

/// What a program can set about TLS.
#[derive(Debug)]
pub(super) struct TlsSettings {
    pub certificates: Option<CString>,
    pub verify_peer: bool,
    pub username: Option<CString>,
    /// Empty for the host that is connected to.
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
    /// Reads the files that say whom to trust and who we are.
    fn credentials(&self, hostname: Option<&CStr>) -> Result<Credentials, Error> {
        let proof = match &self.psk_file {
            Some(file) => Proof::PreSharedKey {
                file,
                username: self.username()?,
            },
            None => Proof::Certificates {
                directory: self.certificates.as_deref(),
                verify_peer: self.verify_peer,
            },
        };
        Credentials::load(Identity {
            proof,
            hostname: hostname.map(CStr::to_owned),
            priority: &self.priority,
        })
    }

    /// The user's name: what the program said, or else who the user is.
    fn username(&self) -> Result<CString, Error> {
        if let Some(username) = &self.username {
            return Ok(username.clone());
        }
        if let Some(logname) = std::env::var_os("LOGNAME") {
            let logname = CString::new(logname.into_vec());
            return logname.map_err(|_| Error::new(libc::EINVAL, "LOGNAME"));
        }
        login_name()
    }
}

/// The meaning of `LIBNBD_TLS_*`.
pub(super) fn mode(tls: c_int) -> Result<Tls, Error> {
    const MODES: [Tls; 3] = [Tls::Disable, Tls::Allow, Tls::Require];
    let mode = MODES.into_iter().find(|&mode| mode as c_int == tls);
    mode.ok_or_else(|| {
        let what = format!("tls: invalid value for parameter: {tls}");
        Error::new(libc::EINVAL, what)
    })
}

/// Fails where connections cannot be encrypted.
pub(super) fn check_available() -> Result<(), Error> {
    tls::check_available().map_err(|why| {
        let what = format!("TLS is not supported, because GnuTLS cannot be loaded: {why}");
        Error::new(libc::ENOTSUP, what)
    })
}

/// Makes what was agreed on: an encrypted connection.
impl Connection {
    /// The name that the server's certificate has to bear, if there is one: a
    /// name that was asked for goes before that of the host.
    fn tls_hostname(&self) -> Option<&CStr> {
        let given = self.settings.tls.hostname.as_c_str();
        let host = match &self.endpoint {
            Endpoint::Tcp { host, .. } => host.as_c_str(),
            _ => c"",
        };
        [given, host].into_iter().find(|name| !name.is_empty())
    }

    /// The server has agreed to TLS. There is no way back to plaintext.
    pub(super) fn start_tls_handshake(&mut self) -> Result<(), Error> {
        let credentials = self.settings.tls.credentials(self.tls_hostname());
        let transport = std::mem::replace(&mut self.transport, Transport::None);
        let handshake = credentials.and_then(|credentials| match transport {
            Transport::Connected(Channel::Plain(socket)) => Handshake::new(socket, credentials),
            _ => Err(Error::new(libc::EINVAL, "this connection uses TLS already")),
        });
        match handshake {
            Ok(handshake) => self.advance_tls_handshake(handshake),
            Err(error) => Err(self.handshake_failed(error)),
        }
    }

    /// The socket is ready for the next step of the handshake.
    pub(super) fn continue_tls_handshake(&mut self) -> Result<(), Error> {
        match std::mem::replace(&mut self.transport, Transport::None) {
            Transport::TlsHandshake(handshake) => self.advance_tls_handshake(handshake),
            other => {
                self.transport = other;
                Ok(())
            }
        }
    }

    fn advance_tls_handshake(&mut self, handshake: Handshake) -> Result<(), Error> {
        match handshake.advance() {
            Ok(Progress::Pending(handshake)) => {
                self.transport = Transport::TlsHandshake(handshake);
                Ok(())
            }
            Ok(Progress::Established(session)) => {
                self.transport = Transport::Connected(Channel::Tls(Box::new(session)));
                self.machine.tls_established();
                // What the machine has to say of it, and what it sends next.
                self.use_arrivals()?;
                self.send()
            }
            Err(error) => Err(self.handshake_failed(error)),
        }
    }

    /// An option that asked for TLS ends as it does when the connection is lost.
    /// Source: seen with libnbd 1.24.4.
    fn handshake_failed(&mut self, error: Error) -> Error {
        self.machine.fail();
        self.fail_option(&Error::new(libc::ENOTCONN, "the TLS handshake failed"));
        self.die(error)
    }
}

impl Connection {
    /// nbd_set_tls(3)
    pub fn set_tls(&mut self, tls: c_int) -> Result<(), Error> {
        let mode = mode(tls)?;
        if mode != Tls::Disable {
            check_available()?;
        }
        self.machine.settings_mut().tls = mode;
        Ok(())
    }

    /// nbd_get_tls(3)
    pub fn get_tls(&mut self) -> Result<c_int, Error> {
        Ok(self.machine.settings().tls as c_int)
    }

    /// nbd_get_tls_negotiated(3)
    pub fn get_tls_negotiated(&mut self) -> Result<bool, Error> {
        Ok(self.machine.negotiated().tls)
    }

    /// nbd_set_tls_certificates(3)
    pub fn set_tls_certificates(&mut self, dir: &CStr) -> Result<(), Error> {
        self.settings.tls.certificates = Some(dir.to_owned());
        Ok(())
    }

    /// nbd_set_tls_verify_peer(3)
    pub fn set_tls_verify_peer(&mut self, verify: bool) -> Result<(), Error> {
        self.settings.tls.verify_peer = verify;
        Ok(())
    }

    /// nbd_get_tls_verify_peer(3)
    pub fn get_tls_verify_peer(&mut self) -> Result<bool, Error> {
        Ok(self.settings.tls.verify_peer)
    }

    /// nbd_set_tls_username(3)
    pub fn set_tls_username(&mut self, username: &CStr) -> Result<(), Error> {
        self.settings.tls.username = Some(username.to_owned());
        Ok(())
    }

    /// nbd_get_tls_username(3)
    pub fn get_tls_username(&mut self) -> Result<CString, Error> {
        self.settings.tls.username()
    }

    /// nbd_set_tls_hostname(3)
    pub fn set_tls_hostname(&mut self, hostname: &CStr) -> Result<(), Error> {
        self.settings.tls.hostname = hostname.to_owned();
        Ok(())
    }

    /// nbd_get_tls_hostname(3)
    pub fn get_tls_hostname(&mut self) -> Result<CString, Error> {
        Ok(self.tls_hostname().unwrap_or_default().to_owned())
    }

    /// nbd_set_tls_psk_file(3)
    pub fn set_tls_psk_file(&mut self, filename: &CStr) -> Result<(), Error> {
        self.settings.tls.psk_file = Some(filename.to_owned());
        Ok(())
    }

    /// nbd_set_tls_priority(3)
    pub fn set_tls_priority(&mut self, priority: &CStr) -> Result<(), Error> {
        self.settings.tls.priority = priority.to_owned();
        Ok(())
    }

    /// nbd_get_tls_priority(3)
    pub fn get_tls_priority(&mut self) -> Result<CString, Error> {
        Ok(self.settings.tls.priority.clone())
    }
}

/// The name that the user of this process's terminal logged in with.
fn login_name() -> Result<CString, Error> {
    let mut name = [0u8; 256];
    extern "C" {
        // POSIX; the libc crate declares it for some systems only.
        fn getlogin_r(name: *mut c_char, length: libc::size_t) -> c_int;
    }
    // SAFETY: getlogin_r writes a NUL-terminated name of at most the length
    // given into the buffer, and keeps no reference to it.
    let errno = unsafe { getlogin_r(name.as_mut_ptr().cast(), name.len()) };
    if errno != 0 {
        return Err(Error::new(errno, "getlogin_r"));
    }
    let name = CStr::from_bytes_until_nul(&name);
    name.map(CStr::to_owned)
        .map_err(|_| Error::new(libc::ERANGE, "getlogin_r"))
}
