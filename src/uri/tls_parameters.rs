// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS parameters of a URI: those in the query, and the user before the host.

use std::ffi::CString;

use super::query::parse_bool;
use super::write::Writer;
use super::UriPolicy;
use crate::error::Error;
use crate::memory;

/// The `tls-...` parameters of a URI.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TlsParameters {
    /// `tls-username`; by default, the user before the host.
    pub username: Option<CString>,
    /// `tls-certificates`
    pub certificates: Option<CString>,
    /// `tls-psk-file`
    pub psk_file: Option<CString>,
    /// `tls-hostname`
    pub hostname: Option<CString>,
    /// `tls-priority`
    pub priority: Option<CString>,
    /// `tls-verify-peer`
    pub verify_peer: Option<bool>,
}

impl TlsParameters {
    /// Sets a parameter, if it is a TLS parameter and the policy allows it.
    pub(super) fn set(
        &mut self,
        name: &str,
        value: &CString,
        policy: &UriPolicy,
    ) -> Result<(), Error> {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        if is("tls-certificates") {
            permit_file(name, policy)?;
            self.certificates = Some(memory::copy(value)?);
        } else if is("tls-psk-file") {
            permit_file(name, policy)?;
            self.psk_file = Some(memory::copy(value)?);
        } else if is("tls-priority") {
            permit_priority(policy)?;
            self.priority = Some(memory::copy(value)?);
        } else if is("tls-hostname") {
            self.hostname = Some(memory::copy(value)?);
        } else if is("tls-username") {
            self.username = Some(memory::copy(value)?);
        } else if is("tls-verify-peer") {
            self.verify_peer = Some(parse_bool(name, value)?);
        }
        Ok(())
    }

    /// Adds all parameters to a query, except the user, whose place depends on the transport.
    pub(super) fn write(&self, uri: &mut Writer) {
        uri.parameter("tls-certificates", self.certificates.as_deref());
        uri.parameter("tls-psk-file", self.psk_file.as_deref());
        uri.parameter("tls-hostname", self.hostname.as_deref());
        uri.parameter("tls-priority", self.priority.as_deref());
        let verify_peer = self.verify_peer;
        uri.parameter(
            "tls-verify-peer",
            verify_peer.map(|it| if it { c"true" } else { c"false" }),
        );
    }
}

fn permit_file(name: &str, policy: &UriPolicy) -> Result<(), Error> {
    if policy.local_file {
        return Ok(());
    }
    let what = format!(
        "local file access ({name}) is not allowed, \
         call nbd_set_uri_allow_local_file to enable this"
    );
    Err(Error::new(libc::EPERM, what))
}

fn permit_priority(policy: &UriPolicy) -> Result<(), Error> {
    if policy.tls_priority {
        return Ok(());
    }
    let what = "overriding TLS priority (tls-priority) is not allowed, \
                call nbd_set_uri_allow_tls_priority to enable this";
    Err(Error::new(libc::EPERM, what))
}
