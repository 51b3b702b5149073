// SPDX-License-Identifier: LGPL-2.1-or-later

//! Requests of the transmission phase.

use crate::agreed::Headers;
use crate::wire::{cmd, cmd_flag, name_of, Cursor, NBD_EXTENDED_REQUEST_MAGIC, NBD_REQUEST_MAGIC};

/// One request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    pub flags: u16,
    pub command: u16,
    pub cookie: u64,
    pub offset: u64,
    pub length: u64,
}

impl Request {
    /// Returns the size of a request header.
    pub fn size(headers: Headers) -> usize {
        match headers {
            Headers::Extended => 32,
            _ => 28,
        }
    }

    /// Parses a header; `Err` if it does not start with the right magic.
    pub fn parse(input: &[u8], headers: Headers) -> Option<Result<Request, u32>> {
        let mut cursor = Cursor(input.get(..Request::size(headers))?);
        let magic = cursor.u32()?;
        let mut request = Request {
            flags: cursor.u16()?,
            command: cursor.u16()?,
            cookie: cursor.u64()?,
            offset: cursor.u64()?,
            length: 0,
        };
        let expected = if headers == Headers::Extended {
            request.length = cursor.u64()?;
            NBD_EXTENDED_REQUEST_MAGIC
        } else {
            request.length = u64::from(cursor.u32()?);
            NBD_REQUEST_MAGIC
        };
        Some(if magic == expected {
            Ok(request)
        } else {
            Err(magic)
        })
    }

    /// Returns the length of the payload after the header.
    pub fn payload(&self, headers: Headers) -> u64 {
        // A WRITE without the flag that extended headers require has a payload
        // too: no other interpretation makes sense, and qemu's client sends it.
        let flagged = headers == Headers::Extended && self.flags & cmd_flag::PAYLOAD_LEN != 0;
        if flagged || self.command == cmd::WRITE {
            self.length
        } else {
            0
        }
    }

    /// Returns the command's name, for messages.
    pub fn name(&self) -> &'static str {
        name_of(cmd::NAMES, self.command).unwrap_or("unknown command")
    }
}
