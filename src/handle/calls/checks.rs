// SPDX-License-Identifier: LGPL-2.1-or-later

//! Checks of a command before it is sent (nbd_set_strict_mode(3)).
//!
//! [`super::commands`] has the rules of each command. They are checked in the order of this file:
//! flags, support by the server, disconnecting, an empty range, the bounds of the export,
//! alignment, and size limits. The first check that fails decides the error.

use libc::c_int;

use crate::constants::{
    LIBNBD_STRICT_ALIGN, LIBNBD_STRICT_AUTO_FLAG, LIBNBD_STRICT_BOUNDS, LIBNBD_STRICT_COMMANDS,
    LIBNBD_STRICT_FLAGS, LIBNBD_STRICT_PAYLOAD, LIBNBD_STRICT_ZERO_SIZE,
};
use crate::error::Error;
use crate::handle::attachment::Attachment;
use crate::handle::connection::Connection;
use crate::handle::settings::{invalid_flag, Settings};
use crate::machine::Machine;
use crate::protocol::flags::{command, TransmissionFlags};
use crate::protocol::request::RequestType;
use crate::protocol::{DEFAULT_PAYLOAD, MAX_PAYLOAD};

/// The minimum assumed for a server's maximum payload, in bytes (nbd_get_block_size(3),
/// `LIBNBD_SIZE_PAYLOAD`).
const MIN_PAYLOAD_LIMIT: u64 = 1024 * 1024;

/// The rules that a command is checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rules {
    /// The request type.
    pub kind: RequestType,
    /// The flags that the command accepts.
    pub flags: u16,
    /// The server feature that it requires.
    pub needs: Needs,
    /// True if the command changes the export.
    pub changes: bool,
    /// The data of the request or its reply.
    pub carries: Carries,
    /// True if the command has a range of the export.
    pub has_range: bool,
}

/// A server feature required by a command.
#[derive(Debug, Clone, Copy)]
pub(super) enum Needs {
    /// None: every server has the command.
    Nothing,
    /// A transmission flag, and the command's name in messages.
    Flag(u16, &'static str),
    /// Structured replies, and meta contexts in effect.
    Contexts,
}

/// The data of a request or its reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Carries {
    /// None.
    Nothing,
    /// The reply has the data of the range.
    Reply,
    /// The request has the data of the range.
    Payload,
    /// The request has a list of meta contexts.
    Filter,
}

/// Command flags that require a transmission flag, and their names in messages.
const OFFERED_FLAGS: [(u16, u16, &str); 3] = [
    (command::FUA, TransmissionFlags::SEND_FUA, "the FUA flag"),
    (command::DF, TransmissionFlags::SEND_DF, "the DF flag"),
    (
        command::FAST_ZERO,
        TransmissionFlags::SEND_FAST_ZERO,
        "the fast zero flag",
    ),
];

/// The state of the connection that commands are checked against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Checks<'a> {
    settings: &'a Settings,
    machine: &'a Machine<Attachment>,
}

impl Connection {
    pub(super) fn checks(&self) -> Checks<'_> {
        Checks {
            settings: &self.settings,
            machine: &self.link.machine,
        }
    }
}

impl Checks<'_> {
    fn is_strict(&self, flag: u32) -> bool {
        self.settings.is_strict(flag)
    }

    /// Checks everything except the range. Returns the flags for the wire.
    #[inline(always)]
    pub(super) fn command(&self, rules: &Rules, flags: u32) -> Result<u16, Error> {
        let wire = self.flags(flags, rules.flags)?;
        match rules.needs {
            Needs::Nothing => {}
            Needs::Flag(flag, what) => self.require(flag, what)?,
            Needs::Contexts => self.require_contexts()?,
        }
        if rules.changes {
            self.require_writable()?;
        }
        // In strict mode, flags that the command does not accept have been refused; otherwise
        // ignore them.
        let accepted = wire & rules.flags;
        if accepted != 0 {
            for (flag, offer, what) in OFFERED_FLAGS {
                if accepted & flag != 0 {
                    self.require(offer, what)?;
                }
            }
        }
        match rules.carries {
            Carries::Nothing | Carries::Reply => Ok(wire),
            Carries::Payload => self.payload_flag(wire),
            Carries::Filter => {
                self.require_filter()?;
                self.payload_flag(wire)
            }
        }
    }

    /// Converts the flags of a command for the wire. `known` are those that the command can have.
    pub(super) fn flags(&self, flags: u32, known: u16) -> Result<u16, Error> {
        let wire = u16::try_from(flags).map_err(|_| invalid_flag("flags", flags))?;
        if wire & !known != 0 && self.is_strict(LIBNBD_STRICT_FLAGS) {
            return Err(invalid_flag("flags", flags));
        }
        Ok(wire)
    }

    /// Fails unless the server supports the feature; `what` is its name.
    fn require(&self, flag: u16, what: &'static str) -> Result<(), Error> {
        let offered = self.machine.export().flags().has(flag);
        if offered || !self.is_strict(LIBNBD_STRICT_COMMANDS) {
            return Ok(());
        }
        let what = format!("server does not support {what}");
        Err(Error::new(libc::EINVAL, what))
    }

    fn require_writable(&self) -> Result<(), Error> {
        let flags = self.machine.export().flags();
        if flags.has(TransmissionFlags::READ_ONLY) && self.is_strict(LIBNBD_STRICT_COMMANDS) {
            let what = "server does not support write operations";
            return Err(Error::new(libc::EPERM, what));
        }
        Ok(())
    }

    /// Fails unless block status is possible: it needs structured replies and meta contexts.
    fn require_contexts(&self) -> Result<(), Error> {
        if !self.is_strict(LIBNBD_STRICT_COMMANDS) {
            return Ok(());
        }
        if !self.machine.negotiated().structured_replies {
            let what = "server does not support structured replies";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        if self.machine.meta_contexts().in_effect().is_empty() {
            let what = "did not negotiate any metadata contexts, \
                        either you did not call nbd_add_meta_context before connecting \
                        or the server does not support it";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        Ok(())
    }

    /// Fails unless a list of contexts is possible: it needs extended headers and support by the
    /// server.
    fn require_filter(&self) -> Result<(), Error> {
        if self.is_strict(LIBNBD_STRICT_AUTO_FLAG) && !self.machine.negotiated().extended_headers {
            let what = "server does not support extended headers";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        let flag = TransmissionFlags::BLOCK_STATUS_PAYLOAD;
        self.require(flag, "the block status payload flag")
    }

    /// Checks `NBD_CMD_FLAG_PAYLOAD_LEN`: with extended headers, every request with a payload has
    /// it, and no other request.
    fn payload_flag(&self, wire: u16) -> Result<u16, Error> {
        let extended = self.machine.negotiated().extended_headers;
        if self.is_strict(LIBNBD_STRICT_AUTO_FLAG) {
            let others = wire & !command::PAYLOAD_LEN;
            return Ok(others | if extended { command::PAYLOAD_LEN } else { 0 });
        }
        if self.is_strict(LIBNBD_STRICT_COMMANDS) && (wire & command::PAYLOAD_LEN != 0) != extended
        {
            let what = "incorrect setting for PAYLOAD_LEN flag";
            return Err(Error::new(libc::EINVAL, what));
        }
        Ok(wire)
    }

    /// Checks the range of a command, in bytes, after all other checks.
    #[inline(always)]
    pub(super) fn range(&self, rules: &Rules, offset: u64, count: u64) -> Result<(), Error> {
        self.not_disconnecting()?;
        if !rules.has_range {
            return Ok(());
        }
        if count == 0 && self.is_strict(LIBNBD_STRICT_ZERO_SIZE) {
            return Err(Error::new(libc::EINVAL, "count cannot be 0"));
        }
        let export = self.machine.export();
        let size = export.size();
        let end = offset.checked_add(count);
        if self.is_strict(LIBNBD_STRICT_BOUNDS) && end.is_none_or(|end| end > size) {
            return Err(Error::new(out_of_bounds(rules), "request out of bounds"));
        }
        if let Some(sizes) = export.block_size {
            let minimum = u64::from(sizes.minimum);
            let count_fits = count % minimum == 0 || end == Some(size);
            if self.is_strict(LIBNBD_STRICT_ALIGN) && !(offset % minimum == 0 && count_fits) {
                return Err(Error::new(libc::EINVAL, "request is unaligned"));
            }
        }
        self.size(rules.carries, count)
    }

    #[inline(always)]
    fn size(&self, carries: Carries, count: u64) -> Result<(), Error> {
        let too_large = |which: &str, limit: u64| {
            let what = format!("request too large: maximum {which} size is {limit}");
            Err(Error::new(libc::ERANGE, what))
        };
        match carries {
            Carries::Reply | Carries::Payload if count > MAX_PAYLOAD => {
                too_large("request", MAX_PAYLOAD)
            }
            Carries::Payload
                if count > self.payload_limit() && self.is_strict(LIBNBD_STRICT_PAYLOAD) =>
            {
                too_large("payload", self.payload_limit())
            }
            _ if count > u64::from(u32::MAX) && !self.machine.negotiated().extended_headers => {
                too_large("request", u64::from(u32::MAX))
            }
            _ => Ok(()),
        }
    }

    /// Fails after `NBD_CMD_DISC`, which must be the last request.
    pub(super) fn not_disconnecting(&self) -> Result<(), Error> {
        if !self.machine.is_disconnecting() {
            return Ok(());
        }
        let what = "cannot request more commands after NBD_CMD_DISC";
        Err(Error::new(libc::EINVAL, what))
    }

    /// Returns the maximum payload that is sent, in bytes.
    pub(super) fn payload_limit(&self) -> u64 {
        let advertised = self.machine.export().block_size.map(|sizes| sizes.maximum);
        match advertised {
            Some(maximum) if maximum != 0 => {
                u64::from(maximum).clamp(MIN_PAYLOAD_LIMIT, MAX_PAYLOAD)
            }
            _ => DEFAULT_PAYLOAD,
        }
    }
}

/// Returns the errno for a range outside the export: writes have run out of space; any other
/// command reads past the end.
fn out_of_bounds(rules: &Rules) -> c_int {
    match rules.changes {
        true => libc::ENOSPC,
        false => libc::EINVAL,
    }
}
