// SPDX-License-Identifier: LGPL-2.1-or-later

//! Credentials: certificates or a key, loaded by GnuTLS.

use std::ffi::{c_int, c_void, CStr, CString};
use std::net::IpAddr;
use std::ptr::null_mut;

use super::certificates::Certificates;
use super::error::check;
use super::gnutls::{
    self, Datum, Gnutls, RawSession, CRD_CERTIFICATE, CRD_PSK, PSK_KEY_HEX, X509_FMT_PEM,
};
use super::psk;
use crate::error::Error;
use crate::memory;
use crate::text::{shown, text};

/// Appended to the priority string for a pre-shared key. The defaults of GnuTLS do not include
/// these key exchanges.
const PSK_KEY_EXCHANGES: &str = ":+ECDHE-PSK:+DHE-PSK:+PSK";

/// The program's authentication settings.
#[derive(Debug)]
pub struct Authentication<'a> {
    /// The authentication method.
    pub method: Method<'a>,
    /// The host name expected in the server's certificate, if any; never empty.
    pub hostname: Option<CString>,
    /// A GnuTLS priority string.
    pub priority: &'a CStr,
}

/// The authentication method.
#[derive(Debug)]
pub enum Method<'a> {
    /// X.509 certificates.
    Certificates {
        /// The directory named by the program (nbd_set_tls_certificates(3)).
        directory: Option<&'a CStr>,
        /// True if the server's certificate is verified (nbd_set_tls_verify_peer(3)).
        verify_peer: bool,
    },
    /// A pre-shared key.
    PreSharedKey {
        /// The file with the keys of all users (nbd_set_tls_psk_file(3)).
        file: &'a CStr,
        /// The user name that selects the key.
        username: CString,
    },
}

/// GnuTLS credentials and their settings.
#[derive(Debug)]
pub struct Credentials {
    gnutls: &'static Gnutls,
    secret: Secret,
    hostname: Option<CString>,
    priority: CString,
}

/// The certificates to accept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// All: they are not verified.
    All,
    /// Those issued by authorities that the program or the user has chosen.
    Named,
    /// Those issued by authorities that the system trusts.
    System,
}

/// Certificates or a key, owned here and referred to by sessions.
#[derive(Debug)]
enum Secret {
    Certificates {
        raw: *mut c_void,
        trust: Trust,
        gnutls: &'static Gnutls,
    },
    PreSharedKey {
        raw: *mut c_void,
        gnutls: &'static Gnutls,
    },
}

// SAFETY: credentials are not tied to a thread, and are not modified once they are loaded.
unsafe impl Send for Credentials {}

impl Credentials {
    /// Loads GnuTLS and reads the files.
    pub fn load(authentication: Authentication<'_>) -> Result<Credentials, Error> {
        let gnutls = gnutls::load().map_err(|why| {
            let what = format!("TLS is not supported, because GnuTLS cannot be loaded: {why}");
            Error::new(libc::ENOTSUP, what)
        })?;
        let mut extra: &str = "";
        let secret = match authentication.method {
            Method::Certificates {
                directory,
                verify_peer,
            } => certificates(gnutls, &Certificates::find(directory)?, verify_peer)?,
            Method::PreSharedKey { file, username } => {
                extra = PSK_KEY_EXCHANGES;
                pre_shared_key(gnutls, &username, psk::read_key(file, &username)?)?
            }
        };
        Ok(Credentials {
            gnutls,
            secret,
            hostname: authentication.hostname,
            priority: memory::c_string(&[authentication.priority.to_bytes(), extra.as_bytes()])?,
        })
    }

    pub(super) fn gnutls(&self) -> &'static Gnutls {
        self.gnutls
    }

    /// Returns the expected host name, if any.
    pub(super) fn hostname(&self) -> Option<&CString> {
        self.hostname.as_ref()
    }

    /// Returns true if the server's certificate has to be verified.
    pub(super) fn verifies_certificate(&self) -> Result<bool, Error> {
        match &self.secret {
            Secret::Certificates { trust, .. } => match (trust, &self.hostname) {
                (Trust::All, _) => Ok(false),
                // Anyone can obtain a certificate for some name, so without a name it proves
                // nothing.
                (Trust::System, None) => {
                    let what = "TLS: there is no name to check the server's certificate \
                                against: set the TLS hostname, or a directory with the \
                                certificate authority of the server";
                    Err(Error::new(libc::EINVAL, what))
                }
                _ => Ok(true),
            },
            Secret::PreSharedKey { .. } => Ok(false),
        }
    }

    /// Configures a session to use these credentials, which outlive it.
    pub(super) fn apply(&self, session: *mut RawSession) -> Result<(), Error> {
        let mut wrong = std::ptr::null();
        // SAFETY: the session is live, and the string is copied. `wrong` points
        // into the string when this fails.
        let status = unsafe {
            (self.gnutls.priority_set_direct)(session, self.priority.as_ptr(), &mut wrong)
        };
        if status < 0 {
            let priority = shown(&self.priority);
            check(
                self.gnutls,
                format_args!("TLS priority string {priority}"),
                status,
            )?;
        }
        let (kind, raw) = match self.secret {
            Secret::Certificates { raw, .. } => (CRD_CERTIFICATE, raw),
            Secret::PreSharedKey { raw, .. } => (CRD_PSK, raw),
        };
        // SAFETY: the session is live, and keeps the pointer to credentials,
        // which are freed after it.
        let status = unsafe { (self.gnutls.credentials_set)(session, kind, raw) };
        check(self.gnutls, "gnutls_credentials_set", status)?;
        Ok(())
    }

    /// Checks that the server was authenticated by the configured method. With a pre-shared key,
    /// certificates are not verified and prove nothing.
    pub(super) fn check_authentication(&self, kind: c_int) -> Result<(), Error> {
        match self.secret {
            Secret::PreSharedKey { .. } if kind != CRD_PSK => {
                let what = "TLS: the server did not use the pre-shared key";
                Err(Error::new(0, what))
            }
            _ => Ok(()),
        }
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        // SAFETY: the credentials are ours, and no session refers to them now: sessions own the
        // credentials that they refer to, and end first.
        unsafe {
            match self {
                Secret::Certificates { raw, gnutls, .. } => {
                    (gnutls.certificate_free_credentials)(*raw);
                }
                Secret::PreSharedKey { raw, gnutls } => (gnutls.psk_free_client_credentials)(*raw),
            }
        }
    }
}

fn certificates(
    gnutls: &'static Gnutls,
    files: &Certificates,
    verify_peer: bool,
) -> Result<Secret, Error> {
    let mut raw = null_mut();
    // SAFETY: the new credentials are written to `raw`.
    let status = unsafe { (gnutls.certificate_allocate_credentials)(&mut raw) };
    check(gnutls, "gnutls_certificate_allocate_credentials", status)?;
    // From here on, every path frees the credentials.
    let trust = match (verify_peer, &files.authorities) {
        (false, _) => Trust::All,
        (true, Some(_)) => Trust::Named,
        (true, None) => Trust::System,
    };
    let secret = Secret::Certificates { raw, trust, gnutls };
    if verify_peer {
        trust_authorities(gnutls, raw, files.authorities.as_deref())?;
    }
    if let Some(file) = &files.revoked {
        // SAFETY: the credentials are live, and the file's name a C string.
        let status =
            unsafe { (gnutls.certificate_set_x509_crl_file)(raw, file.as_ptr(), X509_FMT_PEM) };
        check(gnutls, shown(file), status)?;
    }
    for client in &files.client {
        // SAFETY: the credentials are live, and the names are C strings.
        let status = unsafe {
            (gnutls.certificate_set_x509_key_file)(
                raw,
                client.certificate.as_ptr(),
                client.key.as_ptr(),
                X509_FMT_PEM,
            )
        };
        let (certificate, key) = (shown(&client.certificate), shown(&client.key));
        check(gnutls, format_args!("{certificate} and {key}"), status)?;
    }
    Ok(secret)
}

fn trust_authorities(
    gnutls: &'static Gnutls,
    raw: *mut c_void,
    file: Option<&CStr>,
) -> Result<(), Error> {
    let Some(file) = file else {
        // A system without any trusts no certificate.
        // SAFETY: the credentials are live.
        unsafe { (gnutls.certificate_set_x509_system_trust)(raw) };
        return Ok(());
    };
    // SAFETY: the credentials are live, and the file's name a C string.
    let count =
        unsafe { (gnutls.certificate_set_x509_trust_file)(raw, file.as_ptr(), X509_FMT_PEM) };
    let file = shown(file);
    if check(gnutls, &file, count)? == 0 {
        let what = text!("{file}: there is no certificate authority");
        return Err(Error::new(libc::EINVAL, what));
    }
    Ok(())
}

fn pre_shared_key(
    gnutls: &'static Gnutls,
    username: &CStr,
    mut key: Vec<u8>,
) -> Result<Secret, Error> {
    let mut raw = null_mut();
    // SAFETY: the new credentials are written to `raw`.
    let status = unsafe { (gnutls.psk_allocate_client_credentials)(&mut raw) };
    check(gnutls, "gnutls_psk_allocate_client_credentials", status)?;
    let secret = Secret::PreSharedKey { raw, gnutls };
    let datum = Datum {
        data: key.as_mut_ptr(),
        size: key.len() as u32,
    };
    // SAFETY: the credentials are live; name and key are copied.
    let status =
        unsafe { (gnutls.psk_set_client_credentials)(raw, username.as_ptr(), &datum, PSK_KEY_HEX) };
    let name = shown(username);
    check(gnutls, format_args!("the pre-shared key of {name}"), status)?;
    Ok(secret)
}

/// Returns true if the name may be sent as the server name indication: IP addresses may not (RFC
/// 6066, section 3).
pub(super) fn is_server_name(name: &CStr) -> bool {
    let text = name.to_str();
    text.is_ok_and(|text| text.parse::<IpAddr>().is_err())
}
