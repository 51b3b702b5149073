// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a program says of TLS: whether to use it, and whom to trust.

use std::ffi::{CStr, CString};
use std::os::unix::ffi::OsStringExt;

use libc::{c_char, c_int};

use super::connection::Connection;
use crate::error::Error;

/// `LIBNBD_TLS_DISABLE`
pub(super) const DISABLE: c_int = 0;
/// `LIBNBD_TLS_REQUIRE`
pub(super) const REQUIRE: c_int = 2;

/// The priority string where the program gives none.
pub(super) const DEFAULT_PRIORITY: &CStr = c"NORMAL";

/// What a program can set about TLS.
#[derive(Debug)]
pub(super) struct TlsSettings {
    /// `LIBNBD_TLS_*`
    pub mode: c_int,
    pub certificates: Option<CString>,
    pub verify_peer: bool,
    pub username: Option<CString>,
    pub hostname: Option<CString>,
    pub psk_file: Option<CString>,
    pub priority: CString,
}

impl Default for TlsSettings {
    fn default() -> Self {
        TlsSettings {
            mode: DISABLE,
            certificates: None,
            verify_peer: true,
            username: None,
            hostname: None,
            psk_file: None,
            priority: DEFAULT_PRIORITY.to_owned(),
        }
    }
}

impl TlsSettings {
    /// A connection that must be encrypted cannot be made by a build that
    /// cannot encrypt.
    pub fn check_supported(&self) -> Result<(), Error> {
        if self.mode < REQUIRE {
            return Ok(());
        }
        let what = "TLS is required, but this build of the library does not support TLS";
        Err(Error::new(libc::ENOTSUP, what))
    }
}

/// Refuses what is not one of `LIBNBD_TLS_*`.
pub(super) fn check_mode(tls: c_int) -> Result<(), Error> {
    if (DISABLE..=REQUIRE).contains(&tls) {
        return Ok(());
    }
    let what = format!("tls: invalid value for parameter: {tls}");
    Err(Error::new(libc::EINVAL, what))
}

impl Connection {
    /// nbd_set_tls(3)
    pub fn set_tls(&mut self, tls: c_int) -> Result<(), Error> {
        check_mode(tls)?;
        self.settings.tls.mode = tls;
        Ok(())
    }

    /// nbd_get_tls(3)
    pub fn get_tls(&mut self) -> Result<c_int, Error> {
        Ok(self.settings.tls.mode)
    }

    /// nbd_get_tls_negotiated(3)
    pub fn get_tls_negotiated(&mut self) -> Result<bool, Error> {
        Ok(false)
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
        if let Some(username) = &self.settings.tls.username {
            return Ok(username.clone());
        }
        if let Some(logname) = std::env::var_os("LOGNAME") {
            let logname = CString::new(logname.into_vec());
            return logname.map_err(|_| Error::new(libc::EINVAL, "LOGNAME"));
        }
        login_name()
    }

    /// nbd_set_tls_hostname(3)
    pub fn set_tls_hostname(&mut self, hostname: &CStr) -> Result<(), Error> {
        self.settings.tls.hostname = Some(hostname.to_owned());
        Ok(())
    }

    /// nbd_get_tls_hostname(3)
    pub fn get_tls_hostname(&mut self) -> Result<CString, Error> {
        Ok(self.settings.tls.hostname.clone().unwrap_or_default())
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
