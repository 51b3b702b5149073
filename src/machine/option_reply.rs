// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a server answers to options, and what follows from it.

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt::{self, Write};

use super::core::Machine;
use super::event::Event;
use super::export::Export;
use super::fault::Fault;
use super::meta_contexts::MetaContext;
use super::pending::{Pending, Purpose, MAX_REPLY_DATA};
use super::phase::Phase;
use crate::error::Error;
use crate::memory::{self, NoMemory};
use crate::protocol::flags;
use crate::protocol::handshake::{self, RESERVED_ZEROES};
use crate::protocol::option::{
    self, info, BlockSize, Info, OptionType, ReplyError, ReplyHeader, ReplyType,
    REPLY_HEADER_LENGTH, REPLY_MAGIC,
};
use crate::protocol::MAX_STRING;
use crate::text::{shown, text};

/// The longest data that an option reply may have, in bytes.
/// Source: seen with libnbd 1.24.4.
const MAX_REPLY_LENGTH: usize = 64 * 1024 * 1024;

/// The most replies to one option: more than any server has exports or contexts
/// to tell of, and few enough that a list without an end is noticed.
const MAX_REPLIES: u32 = 1 << 20;

/// The most memory that a server may use up with the meta contexts that it
/// selects for one connection, in bytes.
const MAX_META_CONTEXTS: usize = 16 * 1024 * 1024;

impl<T> Machine<T> {
    /// Takes in a part of an option reply. False when more bytes are needed.
    pub(super) fn option_reply(&mut self, input: &mut &[u8]) -> bool {
        let Phase::Option(pending) = &mut self.phase else {
            return false;
        };
        let Some(header) = pending.header else {
            let Some(bytes) = self.inbox.take(input, REPLY_HEADER_LENGTH) else {
                return false;
            };
            let header = ReplyHeader::decode(&bytes).expect("exact length");
            match check_header(&header, pending.option) {
                Ok(()) if pending.all_replies == MAX_REPLIES => {
                    self.die(Fault::TooManyOptionReplies);
                }
                Ok(()) => {
                    pending.all_replies += 1;
                    pending.header = Some(header);
                    pending.skip = header.length as usize;
                }
                Err(fault) => {
                    self.die(fault);
                }
            }
            return true;
        };
        if header.length > MAX_REPLY_DATA {
            let skipped = pending.skip.min(input.len());
            *input = &input[skipped..];
            pending.skip -= skipped;
            if pending.skip > 0 {
                return false;
            }
            pending.header = None;
            self.too_large(header.reply);
            return true;
        }
        if self.inbox.make_room(input, header.length as usize).is_err() {
            self.lacks_memory();
            return true;
        }
        let Some(data) = self.inbox.take(input, header.length as usize) else {
            return false;
        };
        pending.header = None;
        let option = pending.option;
        match ReplyType::from_wire(header.reply) {
            ReplyType::Ack => self.acknowledged(),
            ReplyType::Server if option == OptionType::List => self.listed(&data),
            ReplyType::Info if matches!(option, OptionType::Go | OptionType::Info) => {
                self.info(&data)
            }
            ReplyType::MetaContext
                if matches!(
                    option,
                    OptionType::ListMetaContext | OptionType::SetMetaContext
                ) =>
            {
                self.meta_context(&data)
            }
            ReplyType::Error(_) if data.len() > MAX_STRING => {
                self.die(Fault::RefusalLength);
            }
            ReplyType::Error(error) => self.refused(error, &data),
            _ => {
                self.die(Fault::UnexpectedOptionReply(header.reply));
            }
        }
        true
    }

    /// A reply whose data was skipped: one that says something about an export is
    /// left out, any other is an error.
    fn too_large(&mut self, reply: u32) {
        let Phase::Option(pending) = &self.phase else {
            return;
        };
        match (ReplyType::from_wire(reply), pending.option) {
            (ReplyType::Server, OptionType::List) => {
                self.note("skipping too large export name reply");
            }
            (ReplyType::Info, OptionType::Go | OptionType::Info) => {
                self.note("skipping large NBD_REP_INFO");
            }
            (ReplyType::Error(_), _) => {
                self.die(Fault::RefusalLength);
            }
            _ => {
                self.die(Fault::UnexpectedOptionReply(reply));
            }
        }
    }

    /// What the server said cannot be kept.
    fn lacks_memory(&mut self) {
        self.die(Fault::OptionReplyMemory);
    }

    /// An export of the server's list. Everything after the name is a
    /// description for people.
    fn listed(&mut self, data: &[u8]) {
        let proper =
            |(name, description): &(&[u8], &[u8])| name.len().max(description.len()) <= MAX_STRING;
        let Some((name, description)) = option::server_reply(data).filter(proper) else {
            self.die(Fault::ExportLength);
            return;
        };
        let (Ok(name), Ok(description)) = (text(name), text(description)) else {
            return self.lacks_memory();
        };
        self.count_reply();
        self.events.push_back(Event::Listed { name, description });
    }

    fn info(&mut self, data: &[u8]) {
        let malformed = |info: u16| match info {
            info::EXPORT => Fault::InfoExportLength,
            info::BLOCK_SIZE => Fault::InfoBlockSizeLength,
            info::NAME => Fault::InfoNameLength,
            _ => Fault::InfoDescriptionLength,
        };
        match option::info_reply(data) {
            Ok(Info::Export { size, flags }) => {
                self.set_export_details(size, flags);
            }
            Ok(Info::BlockSize(sizes)) => self.block_size(sizes),
            Ok(Info::Name(name)) => match text(name) {
                Ok(name) => self.export.canonical_name = Some(name),
                Err(NoMemory) => self.lacks_memory(),
            },
            Ok(Info::Description(words)) => match text(words) {
                Ok(words) => self.export.description = Some(words),
                Err(NoMemory) => self.lacks_memory(),
            },
            Ok(Info::Unknown(info)) => {
                self.note(format!("skipping unknown NBD_REP_INFO type {info}"));
            }
            Err(Some(info)) => {
                self.die(malformed(info));
            }
            Err(None) => {
                self.die(Fault::InfoTooShort);
            }
        }
    }

    /// A server that contradicts itself about sizes has said nothing.
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

    fn meta_context(&mut self, data: &[u8]) {
        let Phase::Option(pending) = &mut self.phase else {
            return;
        };
        let Some((id, name)) = option::meta_context_reply(data) else {
            self.die(Fault::MetaContextLength);
            return;
        };
        let Ok(name) = text(name) else {
            return self.lacks_memory();
        };
        if pending.option == OptionType::SetMetaContext {
            pending.meta_context_bytes += size_of::<MetaContext>() + name.count_bytes();
            if pending.meta_context_bytes > MAX_META_CONTEXTS {
                self.die(Fault::TooManyMetaContexts);
                return;
            }
            let copy = memory::copy(&name);
            let kept = copy.and_then(|name| {
                memory::push(&mut pending.meta_contexts, MetaContext { id, name })
            });
            if kept.is_err() {
                return self.lacks_memory();
            }
        }
        let by_program = pending.purpose == Purpose::Program;
        let note = text!("negotiated {} with context ID {id}", shown(&name));
        self.note(note);
        self.count_reply();
        if by_program {
            self.events.push_back(Event::MetaContext { name });
        }
    }

    fn count_reply(&mut self) {
        if let Phase::Option(pending) = &mut self.phase {
            pending.replies += 1;
        }
    }

    /// The last reply to an option that succeeded.
    fn acknowledged(&mut self) {
        let Some(mut pending) = self.take_pending() else {
            return;
        };
        match pending.option {
            OptionType::StartTls if self.negotiated.tls => {
                self.die(Fault::TlsTwice);
            }
            OptionType::StartTls => self.phase = Phase::TlsHandshake(pending.purpose),
            OptionType::StructuredReply => {
                self.negotiated.structured_replies = true;
                self.note("negotiated structured replies on this connection");
                self.option_done(&pending, Ok(1));
            }
            OptionType::ExtendedHeaders => {
                self.negotiated.extended_headers = true;
                self.negotiated.structured_replies = true;
                self.note("negotiated extended headers on this connection");
                self.option_done(&pending, Ok(1));
            }
            OptionType::SetMetaContext => {
                let contexts = std::mem::take(&mut pending.meta_contexts);
                self.meta_contexts.select(contexts);
                self.option_done(&pending, Ok(pending.replies));
            }
            OptionType::Go => {
                self.enter_transmission();
                if pending.purpose == Purpose::Go {
                    self.events.push_back(Event::OptionDone(Ok(0)));
                }
            }
            _ => self.option_done(&pending, Ok(pending.replies)),
        }
    }

    /// The server said no.
    fn refused(&mut self, error: ReplyError, message: &[u8]) {
        let Some(pending) = self.take_pending() else {
            return;
        };
        match pending.option {
            // A server with extended headers has to know NBD_OPT_GO, and is not to be
            // asked otherwise; the C library does so all the same.
            // Source: proto.md, "NBD_OPT_EXTENDED_HEADERS".
            OptionType::Go if error == ReplyError::UNSUP && !self.negotiated.extended_headers => {
                self.note("server is confused by NBD_OPT_GO, continuing anyway");
                let sent = self.send_export_name(pending.purpose);
                self.sent_or_dead(sent);
            }
            OptionType::Go | OptionType::Info => {
                let error = export_error(error, &self.preferences.export_name, message);
                self.export = Export::default();
                self.meta_contexts.lapse();
                self.option_done(&pending, Err(error));
            }
            OptionType::ExtendedHeaders => {
                self.note("extended headers are not supported by this server");
                self.option_refused(&pending, error);
            }
            OptionType::StructuredReply => {
                self.note("structured replies are not supported by this server");
                self.option_refused(&pending, error);
            }
            OptionType::StartTls if pending.purpose != Purpose::Program => {
                self.refused_tls(&pending, error);
            }
            OptionType::StartTls => {
                self.note(tls_refusal(error));
                self.option_refused(&pending, error);
            }
            OptionType::List => {
                self.note(
                    "unexpected response, possibly the server does not support listing exports",
                );
                let what = "server replied with error to list request";
                self.option_done(&pending, Err(Error::new(libc::ENOTSUP, what)));
            }
            _ if pending.purpose != Purpose::Program => {
                // Asked for along the way: the server has none of them.
                self.meta_contexts.select(Vec::new());
                self.note(format!(
                    "handshake: ignoring unexpected error from NBD_OPT_SET_META_CONTEXT ({})",
                    error.0
                ));
                self.option_done(&pending, Ok(0));
            }
            _ => {
                self.note(
                    "unexpected response, possibly the server does not support meta contexts",
                );
                let what = "server replied with error to meta context request";
                self.option_done(&pending, Err(Error::new(libc::ENOTSUP, what)));
            }
        }
    }

    fn take_pending(&mut self) -> Option<Pending> {
        match std::mem::replace(&mut self.phase, Phase::Negotiating) {
            Phase::Option(pending) | Phase::ExportName(pending) => Some(pending),
            other => {
                self.phase = other;
                None
            }
        }
    }

    /// Goes on after an option that the server may do without.
    fn option_refused(&mut self, pending: &Pending, error: ReplyError) {
        if pending.purpose != Purpose::Program {
            return self.go_on(pending.purpose, Some(pending.option));
        }
        let errno = match (error, pending.option) {
            (ReplyError::INVALID, _) => libc::EINVAL,
            // Too late: extended headers are in use, and more.
            (ReplyError::EXT_HEADER_REQD, OptionType::StructuredReply) => libc::EINVAL,
            _ => libc::ENOTSUP,
        };
        self.events.push_back(Event::OptionRefused(errno));
    }

    /// Goes on after an option whose last reply has come.
    pub(super) fn option_done(&mut self, pending: &Pending, outcome: Result<u32, Error>) {
        let single = pending.purpose == Purpose::Program;
        match (pending.option, outcome) {
            // Outside of option mode there is nothing to do without the
            // export.
            (OptionType::Go, Err(error)) if pending.purpose == Purpose::Connect => {
                self.abort(Some(error));
            }
            (OptionType::Go | OptionType::Info, outcome) => {
                let outcome = outcome.map(|_| 0);
                self.events.push_back(Event::OptionDone(outcome));
            }
            (_, outcome) if single => self.events.push_back(Event::OptionDone(outcome)),
            // Whether or not the server agreed, the next option is tried.
            (option, _) => self.go_on(pending.purpose, Some(option)),
        }
    }

    /// Bytes of the reply to `NBD_OPT_EXPORT_NAME`.
    pub(super) fn export_name_reply_length(&self) -> usize {
        let zeroes = match self.negotiated.handshake_flags & flags::NO_ZEROES {
            0 => RESERVED_ZEROES,
            _ => 0,
        };
        8 + 2 + zeroes
    }

    /// Takes in the reply to `NBD_OPT_EXPORT_NAME`, which has no header and
    /// cannot say no.
    pub(super) fn export_name_reply(&mut self, input: &mut &[u8]) -> bool {
        let length = self.export_name_reply_length();
        let Some(bytes) = self.inbox.take(input, length) else {
            return false;
        };
        let (size, flags) = handshake::export_name_reply(&bytes).expect("exact length");
        let Some(pending) = self.take_pending() else {
            return false;
        };
        if !self.set_export_details(size, flags) {
            return true;
        }
        self.enter_transmission();
        if pending.purpose == Purpose::Go {
            self.events.push_back(Event::OptionDone(Ok(0)));
        }
        true
    }
}

/// Text of a server as C has it: it ends at a NUL, if there is one.
fn text(bytes: &[u8]) -> Result<CString, NoMemory> {
    memory::c_string(&[bytes])
}

/// What the header alone shows to be wrong.
fn check_header(header: &ReplyHeader, option: OptionType) -> Result<(), Fault> {
    use OptionType::{Go, Info, ListMetaContext, SetMetaContext};
    let length = header.length as usize;
    if header.magic != REPLY_MAGIC || header.option != option as u32 {
        return Err(Fault::NotTheOption);
    }
    if length > MAX_REPLY_LENGTH {
        return Err(Fault::OptionReplyLength);
    }
    match (ReplyType::from_wire(header.reply), option) {
        (ReplyType::Ack, _) if length != 0 => Err(Fault::AckLength),
        (ReplyType::Info, Go | Info) if length < 2 => Err(Fault::InfoTooShort),
        (ReplyType::MetaContext, ListMetaContext | SetMetaContext)
            if !(5..=4 + MAX_STRING).contains(&length) =>
        {
            Err(Fault::MetaContextLength)
        }
        _ => Ok(()),
    }
}

/// Why TLS was refused, for a debug message.
pub(super) fn tls_refusal(error: ReplyError) -> &'static str {
    match error {
        ReplyError::POLICY => "server refused TLS (policy)",
        ReplyError::INVALID => "server refused TLS (invalid request)",
        _ => "server refused TLS (not supported)",
    }
}

/// Text of a server for people to read: bytes that are not printable ASCII are
/// shown by their numbers.
struct Printable<'a>(&'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|&byte| match byte {
            b' '..=b'~' => f.write_char(char::from(byte)),
            _ => write!(f, "\\x{byte:02x}"),
        })
    }
}

/// Why `NBD_OPT_GO` or `NBD_OPT_INFO` failed, with the server's own words
/// when it gave some.
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
