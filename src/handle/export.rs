// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the server has said of itself and of the export.

use std::ffi::{CStr, CString};

use libc::c_int;

use super::connection::Connection;
use crate::error::Error;
use crate::protocol::flags::TransmissionFlags;

/// `LIBNBD_SIZE_*`
mod size_type {
    use libc::c_int;
    pub const MINIMUM: c_int = 0;
    pub const PREFERRED: c_int = 1;
    pub const MAXIMUM: c_int = 2;
    pub const PAYLOAD: c_int = 3;
}

fn not_connected(what: &'static str) -> Error {
    let what =
        format!("server has not returned export {what}, you need to connect to the server first");
    Error::new(libc::EINVAL, what)
}

impl Connection {
    fn export_details(&self, what: &'static str) -> Result<(u64, TransmissionFlags), Error> {
        self.machine
            .export()
            .details
            .ok_or_else(|| not_connected(what))
    }

    fn has_flag(&self, flag: u16) -> Result<bool, Error> {
        Ok(self.export_details("flags")?.1.has(flag))
    }

    /// nbd_get_canonical_export_name(3)
    pub fn get_canonical_export_name(&mut self) -> Result<CString, Error> {
        self.export_details("flags")?;
        let name = self.machine.export().canonical_name.clone();
        name.ok_or_else(|| Error::new(libc::ENOTSUP, "server did not advertise a canonical name"))
    }

    /// nbd_get_export_description(3)
    pub fn get_export_description(&mut self) -> Result<CString, Error> {
        self.export_details("flags")?;
        let description = self.machine.export().description.clone();
        description
            .ok_or_else(|| Error::new(libc::ENOTSUP, "server did not advertise a description"))
    }

    /// nbd_get_extended_headers_negotiated(3)
    pub fn get_extended_headers_negotiated(&mut self) -> Result<bool, Error> {
        Ok(self.machine.negotiated().extended_headers)
    }

    /// nbd_get_structured_replies_negotiated(3)
    pub fn get_structured_replies_negotiated(&mut self) -> Result<bool, Error> {
        Ok(self.machine.negotiated().structured_replies)
    }

    /// nbd_is_read_only(3)
    pub fn is_read_only(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::READ_ONLY)
    }

    /// nbd_can_flush(3)
    pub fn can_flush(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_FLUSH)
    }

    /// nbd_can_fua(3)
    pub fn can_fua(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_FUA)
    }

    /// nbd_is_rotational(3)
    pub fn is_rotational(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::ROTATIONAL)
    }

    /// nbd_can_trim(3)
    pub fn can_trim(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_TRIM)
    }

    /// nbd_can_zero(3)
    pub fn can_zero(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_WRITE_ZEROES)
    }

    /// nbd_can_fast_zero(3)
    pub fn can_fast_zero(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_FAST_ZERO)
    }

    /// nbd_can_block_status_payload(3)
    pub fn can_block_status_payload(&mut self) -> Result<bool, Error> {
        let flag = self.has_flag(TransmissionFlags::BLOCK_STATUS_PAYLOAD)?;
        Ok(flag && self.machine.negotiated().extended_headers)
    }

    /// nbd_can_df(3)
    pub fn can_df(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_DF)
    }

    /// nbd_can_multi_conn(3)
    pub fn can_multi_conn(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::CAN_MULTI_CONN)
    }

    /// nbd_can_cache(3)
    pub fn can_cache(&mut self) -> Result<bool, Error> {
        self.has_flag(TransmissionFlags::SEND_CACHE)
    }

    /// nbd_can_meta_context(3)
    pub fn can_meta_context(&mut self, metacontext: &CStr) -> Result<bool, Error> {
        match &self.machine.export().meta_contexts {
            Some(contexts) => {
                let mut names = contexts.iter().map(|context| context.name.as_c_str());
                Ok(names.any(|name| name == metacontext))
            }
            None if self.machine.settings().meta_contexts.is_empty() => Ok(false),
            None => Err(Error::new(
                libc::EINVAL,
                "need a successful server meta context request first",
            )),
        }
    }

    /// nbd_get_protocol(3)
    pub fn get_protocol(&mut self) -> Result<&'static CStr, Error> {
        let protocol = self.machine.negotiated().protocol;
        let protocol = protocol.ok_or_else(|| not_connected("flags"))?;
        Ok(protocol.name())
    }

    /// nbd_get_size(3)
    pub fn get_size(&mut self) -> Result<i64, Error> {
        let (size, _) = self.export_details("size")?;
        i64::try_from(size).map_err(|_| {
            let what = format!("server claims size {size} which does not fit in signed result");
            Error::new(libc::EOVERFLOW, what)
        })
    }

    /// nbd_get_block_size(3)
    pub fn get_block_size(&mut self, size_type: c_int) -> Result<i64, Error> {
        if !(size_type::MINIMUM..=size_type::PAYLOAD).contains(&size_type) {
            let what = format!("size_type: invalid value for parameter: {size_type}");
            return Err(Error::new(libc::EINVAL, what));
        }
        self.export_details("flags")?;
        let advertised = self.machine.export().block_size;
        let size = match size_type {
            size_type::MINIMUM => advertised.map(|sizes| sizes.minimum),
            size_type::PREFERRED => advertised.map(|sizes| sizes.preferred),
            size_type::MAXIMUM => advertised.map(|sizes| sizes.maximum),
            _ => return Ok(self.payload_limit() as i64),
        };
        Ok(i64::from(size.unwrap_or(0)))
    }
}
