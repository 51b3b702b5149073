// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a program can set and get.

use std::ffi::{CStr, CString};

use super::callback::nbd_debug_callback;
use super::checks::invalid_flag;
use super::connection::Connection;
use super::tls::TlsSettings;
use crate::error::Error;
use crate::protocol::MAX_STRING;
use crate::uri::UriPolicy;

/// `LIBNBD_STRICT_*`
pub(super) mod strict {
    pub const COMMANDS: u32 = 0x01;
    pub const FLAGS: u32 = 0x02;
    pub const BOUNDS: u32 = 0x04;
    pub const ZERO_SIZE: u32 = 0x08;
    pub const ALIGN: u32 = 0x10;
    pub const PAYLOAD: u32 = 0x20;
    pub const AUTO_FLAG: u32 = 0x40;
    pub const MASK: u32 = 0x7f;
}

/// `LIBNBD_HANDSHAKE_FLAG_MASK`
const HANDSHAKE_FLAG_MASK: u32 = 0x03;

/// The longest name of a socket for socket activation, in bytes.
const MAX_SOCKET_NAME: usize = 32;

/// Settings that are no business of the protocol's; the others are in
/// [`crate::machine::Settings`].
#[derive(Debug)]
pub(super) struct Settings {
    pub strict_mode: u32,
    pub socket_activation_name: CString,
    pub tls: TlsSettings,
    pub uri: UriPolicy,
}

impl Default for Settings {
    fn default() -> Self {
        Settings {
            strict_mode: strict::MASK,
            socket_activation_name: CString::default(),
            tls: TlsSettings::default(),
            uri: UriPolicy::default(),
        }
    }
}

/// A string that has to fit in one of the protocol's.
fn protocol_string(string: &CStr, too_long: &'static str) -> Result<CString, Error> {
    if string.to_bytes().len() > MAX_STRING {
        return Err(Error::new(libc::ENAMETOOLONG, too_long));
    }
    Ok(string.to_owned())
}

impl Connection {
    /// nbd_set_debug(3)
    pub fn set_debug(&mut self, debug: bool) -> Result<(), Error> {
        self.shared.debug_settings().enable(debug);
        Ok(())
    }

    /// nbd_get_debug(3)
    pub fn get_debug(&mut self) -> Result<bool, Error> {
        Ok(self.shared.debug_enabled())
    }

    /// nbd_set_debug_callback(3)
    pub fn set_debug_callback(&mut self, debug: nbd_debug_callback) -> Result<(), Error> {
        self.shared.debug_settings().set_callback(Some(debug));
        Ok(())
    }

    /// nbd_clear_debug_callback(3)
    pub fn clear_debug_callback(&mut self) -> Result<(), Error> {
        self.shared.debug_settings().set_callback(None);
        Ok(())
    }

    /// nbd_set_handle_name(3)
    pub fn set_handle_name(&mut self, handle_name: &CStr) -> Result<(), Error> {
        self.shared.debug_settings().set_handle_name(handle_name);
        Ok(())
    }

    /// nbd_get_handle_name(3)
    pub fn get_handle_name(&mut self) -> Result<CString, Error> {
        Ok(self.shared.debug_settings().handle_name())
    }

    /// nbd_get_handle_size(3)
    pub fn get_handle_size(&mut self) -> Result<usize, Error> {
        let settings = self.machine.settings();
        let contexts = settings.meta_contexts.iter();
        let names = contexts.map(|name| name.as_bytes_with_nul().len());
        Ok(size_of::<super::Handle>()
            + size_of::<super::Shared>()
            + self.shared.debug_settings().handle_name().count_bytes()
            + settings.export_name.count_bytes()
            + names.sum::<usize>()
            + self.machine.allocated()
            + self.completed.allocated())
    }

    /// nbd_set_export_name(3)
    pub fn set_export_name(&mut self, export_name: &CStr) -> Result<(), Error> {
        let name = protocol_string(export_name, "export name too long for NBD protocol")?;
        self.machine.set_export_name(name);
        Ok(())
    }

    /// nbd_get_export_name(3)
    pub fn get_export_name(&mut self) -> Result<CString, Error> {
        Ok(self.machine.settings().export_name.clone())
    }

    /// nbd_set_request_block_size(3)
    pub fn set_request_block_size(&mut self, request: bool) -> Result<(), Error> {
        self.machine.settings_mut().request_block_size = request;
        Ok(())
    }

    /// nbd_get_request_block_size(3)
    pub fn get_request_block_size(&mut self) -> Result<bool, Error> {
        Ok(self.machine.settings().request_block_size)
    }

    /// nbd_set_full_info(3)
    pub fn set_full_info(&mut self, request: bool) -> Result<(), Error> {
        self.machine.settings_mut().full_info = request;
        Ok(())
    }

    /// nbd_get_full_info(3)
    pub fn get_full_info(&mut self) -> Result<bool, Error> {
        Ok(self.machine.settings().full_info)
    }

    /// nbd_set_request_extended_headers(3)
    pub fn set_request_extended_headers(&mut self, request: bool) -> Result<(), Error> {
        self.machine.settings_mut().request_extended_headers = request;
        Ok(())
    }

    /// nbd_get_request_extended_headers(3)
    pub fn get_request_extended_headers(&mut self) -> Result<bool, Error> {
        Ok(self.machine.settings().request_extended_headers)
    }

    /// nbd_set_request_structured_replies(3)
    pub fn set_request_structured_replies(&mut self, request: bool) -> Result<(), Error> {
        self.machine.settings_mut().request_structured_replies = request;
        Ok(())
    }

    /// nbd_get_request_structured_replies(3)
    pub fn get_request_structured_replies(&mut self) -> Result<bool, Error> {
        Ok(self.machine.settings().request_structured_replies)
    }

    /// nbd_set_request_meta_context(3)
    pub fn set_request_meta_context(&mut self, request: bool) -> Result<(), Error> {
        self.machine.settings_mut().request_meta_context = request;
        Ok(())
    }

    /// nbd_get_request_meta_context(3)
    pub fn get_request_meta_context(&mut self) -> Result<bool, Error> {
        Ok(self.machine.settings().request_meta_context)
    }

    /// nbd_set_handshake_flags(3)
    pub fn set_handshake_flags(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !HANDSHAKE_FLAG_MASK != 0 {
            return Err(invalid_flag("flags", flags));
        }
        self.machine.settings_mut().handshake_flags = flags as u16;
        Ok(())
    }

    /// nbd_get_handshake_flags(3)
    pub fn get_handshake_flags(&mut self) -> Result<u32, Error> {
        let negotiated = self.machine.negotiated();
        let flags = match negotiated.protocol {
            Some(_) => negotiated.handshake_flags,
            None => self.machine.settings().handshake_flags,
        };
        Ok(u32::from(flags))
    }

    /// nbd_set_pread_initialize(3)
    pub fn set_pread_initialize(&mut self, request: bool) -> Result<(), Error> {
        self.shared.set_pread_initialize(request);
        Ok(())
    }

    /// nbd_get_pread_initialize(3)
    pub fn get_pread_initialize(&mut self) -> Result<bool, Error> {
        Ok(self.shared.pread_initialize())
    }

    /// nbd_set_strict_mode(3)
    pub fn set_strict_mode(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !strict::MASK != 0 {
            return Err(invalid_flag("flags", flags));
        }
        self.settings.strict_mode = flags;
        Ok(())
    }

    /// nbd_get_strict_mode(3)
    pub fn get_strict_mode(&mut self) -> Result<u32, Error> {
        Ok(self.settings.strict_mode)
    }

    /// nbd_set_opt_mode(3)
    pub fn set_opt_mode(&mut self, enable: bool) -> Result<(), Error> {
        self.machine.settings_mut().opt_mode = enable;
        Ok(())
    }

    /// nbd_get_opt_mode(3)
    pub fn get_opt_mode(&mut self) -> Result<bool, Error> {
        Ok(self.machine.settings().opt_mode)
    }

    /// nbd_add_meta_context(3)
    pub fn add_meta_context(&mut self, name: &CStr) -> Result<(), Error> {
        let name = protocol_string(name, "meta context name too long for NBD protocol")?;
        self.machine.settings_mut().meta_contexts.push(name);
        Ok(())
    }

    /// nbd_get_nr_meta_contexts(3)
    pub fn get_nr_meta_contexts(&mut self) -> Result<usize, Error> {
        Ok(self.machine.settings().meta_contexts.len())
    }

    /// nbd_get_meta_context(3)
    pub fn get_meta_context(&mut self, i: usize) -> Result<CString, Error> {
        let requested = &self.machine.settings().meta_contexts;
        requested
            .get(i)
            .cloned()
            .ok_or_else(|| Error::new(libc::EINVAL, "meta context request out of range"))
    }

    /// nbd_clear_meta_contexts(3)
    pub fn clear_meta_contexts(&mut self) -> Result<(), Error> {
        self.machine.settings_mut().meta_contexts.clear();
        Ok(())
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
        self.settings.socket_activation_name = socket_name.to_owned();
        Ok(())
    }

    /// nbd_get_socket_activation_name(3)
    pub fn get_socket_activation_name(&mut self) -> Result<CString, Error> {
        Ok(self.settings.socket_activation_name.clone())
    }
}
