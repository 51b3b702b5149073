// SPDX-License-Identifier: LGPL-2.1-or-later

//! Properties of the connection and of the export.

use std::ffi::{CStr, CString};

use libc::c_int;

use super::checks::Checks;
use crate::constants::{
    LIBNBD_SIZE_MAXIMUM, LIBNBD_SIZE_MINIMUM, LIBNBD_SIZE_PAYLOAD, LIBNBD_SIZE_PREFERRED,
};
use crate::error::Error;
use crate::handle::attachment::Attachment;
use crate::handle::connection::Connection;
use crate::machine::{Machine, MetaContexts, Negotiated};
use crate::memory;
use crate::protocol::flags::TransmissionFlags;

fn not_connected(what: &'static str) -> Error {
    let what =
        format!("server has not returned export {what}, you need to connect to the server first");
    Error::new(libc::EINVAL, what)
}

/// Access to properties of the export. They are errors until the server has sent them.
#[derive(Debug)]
pub struct Information<'a> {
    machine: &'a Machine<Attachment>,
    checks: Checks<'a>,
}

impl Connection {
    /// Provides the properties known so far.
    pub fn information(&self) -> Information<'_> {
        Information {
            machine: &self.link.machine,
            checks: self.checks(),
        }
    }
}

impl Information<'_> {
    fn details(&self, what: &'static str) -> Result<(u64, TransmissionFlags), Error> {
        let details = self.machine.export().details;
        details.ok_or_else(|| not_connected(what))
    }

    /// Returns the negotiated features so far.
    pub fn negotiated(&self) -> &Negotiated {
        self.machine.negotiated()
    }

    /// Returns true if the server has set this transmission flag.
    pub fn has(&self, flag: u16) -> Result<bool, Error> {
        Ok(self.details("flags")?.1.has(flag))
    }

    /// nbd_get_canonical_export_name(3)
    pub fn canonical_export_name(&self) -> Result<CString, Error> {
        self.details("flags")?;
        let name = memory::copy_option(self.machine.export().canonical_name.as_deref())?;
        name.ok_or_else(|| Error::new(libc::ENOTSUP, "server did not advertise a canonical name"))
    }

    /// nbd_get_export_description(3)
    pub fn export_description(&self) -> Result<CString, Error> {
        self.details("flags")?;
        let description = memory::copy_option(self.machine.export().description.as_deref())?;
        description
            .ok_or_else(|| Error::new(libc::ENOTSUP, "server did not advertise a description"))
    }

    /// nbd_can_block_status_payload(3)
    pub fn can_block_status_payload(&self) -> Result<bool, Error> {
        let flag = self.has(TransmissionFlags::BLOCK_STATUS_PAYLOAD)?;
        Ok(flag && self.machine.negotiated().extended_headers)
    }

    /// nbd_can_meta_context(3)
    pub fn can_meta_context(&self, metacontext: &CStr) -> Result<bool, Error> {
        // If the program has not requested any contexts, it also sees those no longer in effect.
        // Source: seen with libnbd 1.24.4.
        let contexts = match self.machine.meta_contexts() {
            MetaContexts::Stale(_) if !self.machine.preferences().meta_contexts.is_empty() => {
                let what = "need a successful server meta context request first";
                return Err(Error::new(libc::EINVAL, what));
            }
            MetaContexts::Stale(contexts) | MetaContexts::Selected(contexts) => contexts,
        };
        let mut names = contexts.iter().map(|context| context.name.as_c_str());
        Ok(names.any(|name| name == metacontext))
    }

    /// nbd_get_protocol(3)
    pub fn protocol(&self) -> Result<&'static CStr, Error> {
        let protocol = self.machine.negotiated().protocol;
        let protocol = protocol.ok_or_else(|| not_connected("flags"))?;
        Ok(protocol.name())
    }

    /// nbd_get_size(3)
    pub fn size(&self) -> Result<i64, Error> {
        let (size, _) = self.details("size")?;
        i64::try_from(size).map_err(|_| {
            let what = format!("server claims size {size} which does not fit in signed result");
            Error::new(libc::EOVERFLOW, what)
        })
    }

    /// nbd_get_block_size(3)
    pub fn block_size(&self, size_type: c_int) -> Result<i64, Error> {
        if !(LIBNBD_SIZE_MINIMUM..=LIBNBD_SIZE_PAYLOAD).contains(&size_type) {
            let what = format!("size_type: invalid value for parameter: {size_type}");
            return Err(Error::new(libc::EINVAL, what));
        }
        self.details("flags")?;
        let advertised = self.machine.export().block_size;
        let size = match size_type {
            LIBNBD_SIZE_MINIMUM => advertised.map(|sizes| sizes.minimum),
            LIBNBD_SIZE_PREFERRED => advertised.map(|sizes| sizes.preferred),
            LIBNBD_SIZE_MAXIMUM => advertised.map(|sizes| sizes.maximum),
            _ => return Ok(self.checks.payload_limit() as i64),
        };
        Ok(i64::from(size.unwrap_or(0)))
    }
}
