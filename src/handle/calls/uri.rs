// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting to a URI, and the URI of a connection.

use std::ffi::{CStr, CString};

use super::connect::Connecting;
use crate::error::Error;
use crate::handle::connection::Connection;
use crate::handle::tls_settings::check_available;
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

    /// Sets TLS to required if `asked_for`; it stays so even if this attempt to connect fails.
    fn require_tls_if(&mut self, asked_for: bool) {
        if asked_for {
            self.connection.link.machine.preferences_mut().tls = Tls::Require;
        }
    }

    /// Applies the settings of a URI. It can increase the security chosen by the program, but not
    /// turn off TLS.
    fn apply(&mut self, uri: &mut NbdUri) -> Result<(), Error> {
        self.require_tls_if(uri.tls);
        if uri.tls {
            check_available()?;
        }
        self.connection.setup().set_export_name(&uri.export_name)?;
        let said = std::mem::take(&mut uri.tls_parameters);
        self.connection.settings.tls.apply(said);
        Ok(())
    }
}

impl Connection {
    /// nbd_get_uri(3)
    pub fn get_uri(&mut self) -> Result<CString, Error> {
        let endpoint = &self.link.endpoint;
        let transport = endpoint.for_uri()?;
        let machine = &self.link.machine;
        let uri = NbdUri {
            tls: machine.preferences().tls == Tls::Require || machine.negotiated().tls,
            export_name: memory::copy(&machine.preferences().export_name)?,
            tls_parameters: self.settings.tls.for_uri(endpoint)?,
            ..NbdUri::new(transport)
        };
        uri.write()
    }
}
