// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting to a URI, and the URI of a connection.

use std::ffi::{CStr, CString};
use std::net::SocketAddr;

use super::connect::Connecting;
use crate::error::Error;
use crate::handle::connection::Connection;
use crate::handle::endpoint::Endpoint;
use crate::handle::tls_settings::{check_available, DEFAULT_PRIORITY};
use crate::machine::Tls;
use crate::memory;
use crate::uri::{NbdUri, Transport};

impl Connecting<'_> {
    /// nbd_aio_connect_uri(3)
    pub fn uri(&mut self, uri: &CStr) -> Result<(), Error> {
        let mut uri = match NbdUri::parse(uri, &self.connection.settings.uri) {
            Ok(uri) => uri,
            Err(refused) => {
                self.require_tls_if(refused.tls);
                return Err(refused.error);
            }
        };
        self.apply(&mut uri)?;
        match &uri.transport {
            Transport::Tcp { host, port } => self.tcp(host, port),
            Transport::Unix { path } => self.unix(path),
            Transport::Vsock { cid, port } => self.vsock(*cid, *port),
            Transport::Ssh(tunnel) => self.tunnel(&tunnel.command()?),
        }
    }

    /// What has once been asked for stays, whatever becomes of this attempt to connect.
    fn require_tls_if(&mut self, asked_for: bool) {
        if asked_for {
            self.connection.link.machine.preferences_mut().tls = Tls::Require;
        }
    }

    /// Sets what a URI sets besides the server's address. It can ask for more
    /// security than the program did, never for less TLS.
    fn apply(&mut self, uri: &mut NbdUri) -> Result<(), Error> {
        self.require_tls_if(uri.tls);
        if uri.tls {
            check_available()?;
        }
        self.connection.setup().set_export_name(&uri.export_name)?;
        let settings = &mut self.connection.settings.tls;
        let replace = |setting: &mut Option<CString>, value: Option<CString>| {
            if value.is_some() {
                *setting = value;
            }
        };
        replace(&mut settings.username, uri.tls_username.take());
        replace(&mut settings.certificates, uri.tls_certificates.take());
        replace(&mut settings.psk_file, uri.tls_psk_file.take());
        if let Some(hostname) = uri.tls_hostname.take() {
            settings.hostname = hostname;
        }
        if let Some(priority) = uri.tls_priority.take() {
            settings.priority = priority;
        }
        if let Some(verify) = uri.tls_verify_peer {
            settings.verify_peer = verify;
        }
        Ok(())
    }
}

impl Connection {
    /// nbd_get_uri(3)
    pub fn get_uri(&mut self) -> Result<CString, Error> {
        let transport = match &self.link.endpoint {
            Endpoint::Tcp { host, port } => Transport::Tcp {
                host: memory::copy(host)?,
                port: memory::copy(port)?,
            },
            Endpoint::Address(address) => numeric(address),
            Endpoint::Unix { path } if path.is_empty() => {
                let what = "Unix domain sockets in the abstract namespace are not yet supported";
                return Err(Error::new(libc::EPROTONOSUPPORT, what));
            }
            Endpoint::Unix { path } => Transport::Unix {
                path: memory::copy(path)?,
            },
            Endpoint::Vsock { cid, port } => Transport::Vsock {
                cid: *cid,
                port: *port,
            },
            Endpoint::None | Endpoint::Other => {
                let what = "cannot construct a URI for this connection type";
                return Err(Error::new(libc::EINVAL, what));
            }
        };
        let tls = &self.settings.tls;
        let hostname_is_host =
            matches!(&self.link.endpoint, Endpoint::Tcp { host, .. } if *host == tls.hostname);
        let uri = NbdUri {
            tls: self.link.machine.preferences().tls == Tls::Require
                || self.link.machine.negotiated().tls,
            export_name: memory::copy(&self.link.machine.preferences().export_name)?,
            tls_username: memory::copy_option(tls.username.as_deref())?,
            tls_certificates: memory::copy_option(tls.certificates.as_deref())?,
            tls_psk_file: memory::copy_option(tls.psk_file.as_deref())?,
            tls_hostname: memory::copy_option(
                Some(tls.hostname.as_c_str()).filter(|name| !name.is_empty() && !hostname_is_host),
            )?,
            tls_priority: memory::copy_option(
                Some(tls.priority.as_c_str()).filter(|priority| *priority != DEFAULT_PRIORITY),
            )?,
            tls_verify_peer: Some(false).filter(|_| !tls.verify_peer),
            ..NbdUri::new(transport)
        };
        uri.write()
    }
}

/// The URI transport of a numeric address.
fn numeric(address: &SocketAddr) -> Transport {
    let text = |text: String| CString::new(text).unwrap_or_default();
    Transport::Tcp {
        host: text(address.ip().to_string()),
        port: text(address.port().to_string()),
    }
}
