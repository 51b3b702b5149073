// SPDX-License-Identifier: LGPL-2.1-or-later

//! Setters and getters.

use std::ffi::{CStr, CString};

use libc::c_int;

use crate::constants::LIBNBD_HANDSHAKE_FLAG_MASK;
use crate::error::Error;
use crate::handle::connection::Connection;
use crate::handle::debug::Debug;
use crate::handle::settings::{invalid_flag, protocol_string, Settings};
use crate::handle::shared::Shared;
use crate::handle::tls_settings;
use crate::machine::{self, Tls};
use crate::memory;

/// A connection whose settings can be changed.
#[derive(Debug)]
pub struct Setup<'a> {
    connection: &'a mut Connection,
}

impl Connection {
    /// Provides the setters and getters.
    pub fn setup(&mut self) -> Setup<'_> {
        Setup { connection: self }
    }
}

impl Setup<'_> {
    /// Returns settings that do not affect the protocol.
    pub fn settings(&mut self) -> &mut Settings {
        &mut self.connection.settings
    }

    /// Returns the preferences for the negotiation.
    pub fn requests(&mut self) -> &mut machine::Preferences {
        self.connection.link.machine.preferences_mut()
    }

    /// Returns the settings of debug messages.
    pub fn debug(&self) -> &Debug {
        self.connection.report.shared.debug_settings()
    }

    /// Returns the part that can be read without the lock.
    pub fn shared(&self) -> &Shared {
        &self.connection.report.shared
    }

    /// nbd_get_handle_size(3)
    pub fn handle_size(&mut self) -> usize {
        let settings = self.connection.link.machine.preferences();
        let contexts = settings.meta_contexts.iter();
        let names = contexts.map(|name| name.as_bytes_with_nul().len());
        size_of::<Connection>()
            + size_of::<Shared>()
            + self.debug().handle_name_length()
            + settings.export_name.count_bytes()
            + names.sum::<usize>()
            + self.connection.link.machine.allocated()
            + self.connection.completions.completed.allocated()
    }

    /// nbd_set_export_name(3)
    pub fn set_export_name(&mut self, export_name: &CStr) -> Result<(), Error> {
        let name = protocol_string(export_name, "export name too long for NBD protocol")?;
        self.connection.link.machine.set_export_name(name);
        Ok(())
    }

    /// nbd_set_handshake_flags(3)
    pub fn set_handshake_flags(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !LIBNBD_HANDSHAKE_FLAG_MASK != 0 {
            return Err(invalid_flag("flags", flags));
        }
        self.requests().handshake_flags = flags as u16;
        Ok(())
    }

    /// nbd_get_handshake_flags(3)
    pub fn handshake_flags(&self) -> u32 {
        let negotiated = self.connection.link.machine.negotiated();
        u32::from(match negotiated.protocol {
            Some(_) => negotiated.handshake_flags,
            None => self.connection.link.machine.preferences().handshake_flags,
        })
    }

    /// nbd_add_meta_context(3)
    pub fn add_meta_context(&mut self, name: &CStr) -> Result<(), Error> {
        let name = protocol_string(name, "meta context name too long for NBD protocol")?;
        Ok(memory::push(&mut self.requests().meta_contexts, name)?)
    }

    /// nbd_get_meta_context(3)
    pub fn meta_context(&mut self, i: usize) -> Result<CString, Error> {
        let Some(requested) = self.requests().meta_contexts.get(i) else {
            let what = "meta context request out of range";
            return Err(Error::new(libc::EINVAL, what));
        };
        Ok(memory::copy(requested)?)
    }

    /// nbd_set_tls(3)
    pub fn set_tls(&mut self, tls: c_int) -> Result<(), Error> {
        let mode = tls_settings::mode(tls)?;
        if mode != Tls::Disable {
            tls_settings::check_available()?;
        }
        self.requests().tls = mode;
        Ok(())
    }

    /// nbd_set_uri_allow_tls(3)
    pub fn set_uri_tls(&mut self, tls: c_int) -> Result<(), Error> {
        tls_settings::mode(tls)?;
        self.connection.settings.uri.tls = tls;
        Ok(())
    }

    /// nbd_get_tls_hostname(3)
    pub fn tls_hostname(&self) -> Result<CString, Error> {
        let hostname = self
            .connection
            .settings
            .tls
            .hostname(&self.connection.link.endpoint);
        Ok(memory::copy(hostname.unwrap_or_default())?)
    }
}
