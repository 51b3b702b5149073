// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_INFO` queries the export; `NBD_OPT_GO` opens it. Each reply has one piece of
//! information.

use std::borrow::Cow;
use std::ffi::CStr;
use std::fmt::{self, Write};

use super::starttls::UNENCRYPTED;
use super::{OPT_GO, OPT_INFO};
use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::export::Export;
use crate::machine::fault::Fault;
use crate::machine::option_reply::{After, Outcome, Reply};
use crate::machine::pending::{Pending, Profile};
use crate::machine::position::Position;
use crate::memory::{self, NoMemory};
use crate::protocol::option::{self, info, BlockSize, Info, OptionType, ReplyError, ReplyType};
use crate::text::{shown, text};

const AWAITING: &CStr =
    c"NEWSTYLE.OPT_GO.RECV_REPLY: Waiting for a reply to NBD_OPT_GO or NBD_OPT_INFO";
const RECEIVING: &CStr =
    c"NEWSTYLE.OPT_GO.RECV_REPLY_PAYLOAD: Receiving a reply to NBD_OPT_GO or NBD_OPT_INFO";

const GO: &Profile = &Profile {
    option: OptionType::Go,
    awaiting: AWAITING,
    receiving: RECEIVING,
    check,
};

const INFO: &Profile = &Profile {
    option: OptionType::Info,
    awaiting: AWAITING,
    receiving: RECEIVING,
    check,
};

/// Checks that `NBD_REP_INFO` has room for the type of the information.
fn check(kind: ReplyType, length: usize) -> Result<(), Fault> {
    if kind == ReplyType::Info && length < 2 {
        return Err(Fault::InfoTooShort);
    }
    Ok(())
}

impl<T> Machine<T> {
    /// Opens the export and enters transmission (nbd_opt_go(3)).
    pub fn opt_go(&mut self) -> Result<(), Error> {
        self.take_step(Position::program(OPT_GO))
    }

    /// Queries the export (nbd_opt_info(3)).
    pub fn opt_info(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.take_step(Position::program(OPT_INFO))
    }

    /// Sends `NBD_OPT_GO`, or `NBD_OPT_EXPORT_NAME` to a server that supports only that.
    pub(super) fn open_export(&mut self, position: Position) -> Result<(), Error> {
        match self.is_fixed_newstyle() {
            true => self.send_info_request(GO, position)?,
            false => self.send_export_name(position)?,
        }
        self.discard_contexts_if_none_wanted();
        Ok(())
    }

    /// Sends `NBD_OPT_INFO`.
    pub(super) fn send_info(&mut self, position: Position) -> Result<(), Error> {
        self.send_info_request(INFO, position)?;
        self.discard_contexts_if_none_wanted();
        Ok(())
    }

    /// Discards the previous contexts, if contexts should be requested but none are configured or
    /// available.
    fn discard_contexts_if_none_wanted(&mut self) {
        if self.preferences.request_meta_context && !self.wants_meta_contexts() {
            self.meta_contexts.discard();
        }
    }

    fn send_info_request(
        &mut self,
        profile: &'static Profile,
        position: Position,
    ) -> Result<(), Error> {
        // In the order of the C library 1.24.4.
        let mut wanted = Vec::new();
        if self.preferences.request_block_size {
            wanted.push(info::BLOCK_SIZE);
        }
        if self.preferences.full_info {
            wanted.extend([info::NAME, info::DESCRIPTION]);
        }
        let name = self.preferences.export_name.as_bytes();
        let data = option::info_request(name, &wanted).map_err(NoMemory::from)?;
        self.send_option(profile, position, &data)?;
        self.export = Export::default();
        Ok(())
    }

    /// Handles a reply.
    pub(super) fn info_answered(
        &mut self,
        pending: Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        match reply {
            Reply::Ack => Ok(After::Step(pending.position, Outcome::Done(0))),
            Reply::Refusal(error, words) => Ok(self.refused_export(&pending, error, words)),
            _ => self.information(pending, reply),
        }
    }

    /// Handles a reply.
    pub(super) fn go_answered(
        &mut self,
        pending: Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        match reply {
            Reply::Ack => {
                let settled = self.settle_tls(UNENCRYPTED)?;
                self.phase.enter_transmission(settled);
                Ok(After::Step(pending.position, Outcome::Done(0)))
            }
            // A server with extended headers must support NBD_OPT_GO, so it does not get
            // NBD_OPT_EXPORT_NAME. The C library sends it nevertheless.
            // Source: proto.md, "NBD_OPT_EXTENDED_HEADERS".
            Reply::Refusal(ReplyError::UNSUP, _) if !self.negotiated.extended_headers => {
                self.note("server is confused by NBD_OPT_GO, continuing anyway");
                self.send_export_name(pending.position)?;
                Ok(After::Begun)
            }
            Reply::Refusal(error, words) => Ok(self.refused_export(&pending, error, words)),
            _ => self.information(pending, reply),
        }
    }

    fn refused_export(&mut self, pending: &Pending, error: ReplyError, words: &[u8]) -> After {
        let error = export_error(error, &self.preferences.export_name, words);
        self.export = Export::default();
        self.meta_contexts.make_stale();
        After::Step(pending.position, Outcome::Failed(error))
    }

    /// Handles a reply with information about the export.
    fn information(&mut self, pending: Pending, reply: Reply<'_>) -> Result<After, Error> {
        match reply {
            Reply::Data(ReplyType::Info, data) => self.info(data)?,
            Reply::TooLarge(ReplyType::Info) => self.note("skipping large NBD_REP_INFO"),
            _ => return Err(reply.unexpected().into()),
        }
        Ok(After::Reply(pending))
    }

    fn info(&mut self, data: &[u8]) -> Result<(), Fault> {
        match option::info_reply(data).map_err(malformed)? {
            Info::Export { size, flags } => self.set_export_details(size, flags)?,
            Info::BlockSize(sizes) => self.block_size(sizes),
            Info::Name(name) => {
                self.export.canonical_name = Some(memory::c_string(&[name])?);
            }
            Info::Description(words) => {
                self.export.description = Some(memory::c_string(&[words])?);
            }
            Info::Unknown(info) => {
                self.note(format!("skipping unknown NBD_REP_INFO type {info}"));
            }
        }
        Ok(())
    }

    /// Stores block sizes, and ignores inconsistent ones.
    fn block_size(&mut self, sizes: BlockSize) {
        let BlockSize {
            minimum,
            preferred,
            maximum,
        } = sizes;
        self.note(format!(
            "server block size constraints: min: {minimum} preferred: {preferred} max: {maximum}"
        ));
        match sizes.is_proper() {
            true => self.export.block_size = Some(sizes),
            false => self.note("ignoring improper server size constraints"),
        }
    }
}

/// Returns the fault of information with a wrong length.
fn malformed(info: Option<u16>) -> Fault {
    match info {
        None => Fault::InfoTooShort,
        Some(info::EXPORT) => Fault::InfoExportLength,
        Some(info::BLOCK_SIZE) => Fault::InfoBlockSizeLength,
        Some(info::NAME) => Fault::InfoNameLength,
        Some(_) => Fault::InfoDescriptionLength,
    }
}

/// Displays a text from a server: bytes that are not printable ASCII are shown as numbers.
struct Printable<'a>(&'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b' '..=b'~' => f.write_char(char::from(byte)),
            _ => write!(f, "\\x{byte:02x}"),
        })
    }
}

/// Makes the error of a failed `NBD_OPT_GO` or `NBD_OPT_INFO`, with the server's message if there
/// is one.
fn export_error(error: ReplyError, export: &CStr, message: &[u8]) -> Error {
    let (errno, what): (_, Cow<'static, str>) = match error {
        ReplyError::UNSUP => (
            libc::ENOTSUP,
            "the operation is not supported by the server".into(),
        ),
        ReplyError::POLICY => (0, "server policy prevents the operation".into()),
        ReplyError::INVALID => (
            libc::EINVAL,
            "the server rejected this operation as invalid".into(),
        ),
        ReplyError::PLATFORM => (
            0,
            "the operation is not supported by the server platform".into(),
        ),
        ReplyError::TLS_REQD => (
            libc::ENOTSUP,
            "the server requires TLS encryption first".into(),
        ),
        ReplyError::UNKNOWN => (
            libc::ENOENT,
            text!("the server has no export named '{}'", shown(export)),
        ),
        ReplyError::SHUTDOWN => (libc::ESHUTDOWN, "the server is shutting down".into()),
        ReplyError::BLOCK_SIZE_REQD => (
            libc::EINVAL,
            "the server requires specific block sizes".into(),
        ),
        ReplyError::TOO_BIG => (libc::EINVAL, "the operation is too large to process".into()),
        ReplyError(number) => (
            0,
            format!("handshake: unknown reply from the server: 0x{number:x}").into(),
        ),
    };
    if message.is_empty() {
        return Error::new(errno, what);
    }
    Error::new(errno, text!("{what}: {}", Printable(message)))
}
