// SPDX-License-Identifier: LGPL-2.1-or-later

//! Texts of GnuTLS errors.

use std::borrow::Cow;
use std::ffi::{c_int, CStr};
use std::fmt::Display;

use super::gnutls::{
    Datum, Gnutls, RawSession, CRT_X509, E_CERTIFICATE_VERIFICATION_ERROR, E_FATAL_ALERT_RECEIVED,
};
use crate::error::Error;
use crate::text::{shown, text};

/// Turns a negative `status` into an error without errno. `what` names the function, or the
/// object that it was applied to.
pub(super) fn check(gnutls: &Gnutls, what: impl Display, status: c_int) -> Result<c_int, Error> {
    if status >= 0 {
        return Ok(status);
    }
    let why = gnutls.describe(status);
    Err(Error::new(0, text!("{what}: {why}")))
}

/// Makes the error of a failed session, with details from the session: the reasons for which a
/// certificate was refused, or the alert that the server sent.
///
/// # Safety
/// `session` is a live session.
pub(super) unsafe fn session_error(
    gnutls: &Gnutls,
    session: *mut RawSession,
    what: &str,
    status: c_int,
) -> Error {
    let why = gnutls.describe(status);
    let detail = match status {
        // SAFETY: the caller vouches for the session.
        E_CERTIFICATE_VERIFICATION_ERROR => unsafe { verification_failure(gnutls, session) },
        // SAFETY: as above.
        E_FATAL_ALERT_RECEIVED => unsafe { received_alert(gnutls, session) },
        _ => None,
    };
    let message = match detail {
        Some(detail) => text!("{what}: {why}: {detail}"),
        None => text!("{what}: {why}"),
    };
    Error::new(0, message)
}

/// Returns the reasons for which the server's certificate was refused.
///
/// # Safety
/// `session` is a live session.
unsafe fn verification_failure(
    gnutls: &Gnutls,
    session: *mut RawSession,
) -> Option<Cow<'static, str>> {
    let mut text = Datum {
        data: std::ptr::null_mut(),
        size: 0,
    };
    // SAFETY: the caller vouches for the session; the text is written to
    // `text`, which lives across the call.
    let status = unsafe {
        let reasons = (gnutls.session_get_verify_cert_status)(session);
        (gnutls.certificate_verification_status_print)(reasons, CRT_X509, &mut text, 0)
    };
    if status < 0 || text.data.is_null() {
        return None;
    }
    // SAFETY: on success the text is an allocated, NUL-terminated string, and
    // ours to free.
    unsafe {
        let words = text!("{}", shown(CStr::from_ptr(text.data.cast())));
        let words = text!("{}", words.trim_end());
        libc::free(text.data.cast());
        Some(words)
    }
}

/// Returns the name of the alert that the server sent.
///
/// # Safety
/// `session` is a live session.
unsafe fn received_alert(gnutls: &Gnutls, session: *mut RawSession) -> Option<Cow<'static, str>> {
    // SAFETY: the caller vouches for the session. The name is a constant, or
    // NULL for an alert that has none.
    unsafe {
        let name = (gnutls.alert_get_name)((gnutls.alert_get)(session));
        if name.is_null() {
            return None;
        }
        Some(text!("{}", shown(CStr::from_ptr(name))))
    }
}
