// SPDX-License-Identifier: LGPL-2.1-or-later

//! Protocol errors of a server that end the connection, with their error messages.

use std::borrow::Cow;

use libc::c_int;

use crate::error::Error;
use crate::memory::NoMemory;

/// A reason to end the connection: an invalid message, after which the stream cannot be trusted,
/// or more data than can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The server does not start with `NBDMAGIC`.
    NotNbd,
    /// The magic of an unknown handshake style.
    UnknownStyle,
    /// An oldstyle server sets flags that only newstyle servers have.
    OldstyleFlags,
    /// The export has no transmission flags.
    NoTransmissionFlags,
    /// Unexpected data.
    UnexpectedBytes,
    /// Plaintext after the server has agreed to TLS.
    PlaintextAfterTls,
    /// The server agreed to `NBD_OPT_STARTTLS` on an encrypted connection.
    TlsTwice,

    /// A reply to another option, or not an option reply.
    WrongOption,
    /// An option reply that exceeds the maximum length.
    OptionReplyLength,
    /// Too many replies to one option.
    TooManyOptionReplies,
    /// A type of reply that the option does not have.
    UnexpectedOptionReply(u32),
    /// `NBD_REP_ACK` with data.
    AckLength,
    /// An error message that exceeds the maximum length of a string.
    RefusalLength,
    /// `NBD_REP_SERVER` with strings that are too long, or exceed the reply.
    ExportLength,
    /// `NBD_REP_INFO` without an information type.
    InfoTooShort,
    /// `NBD_INFO_EXPORT` with a wrong length.
    InfoExportLength,
    /// `NBD_INFO_BLOCK_SIZE` with a wrong length.
    InfoBlockSizeLength,
    /// `NBD_INFO_NAME` that is too long.
    InfoNameLength,
    /// `NBD_INFO_DESCRIPTION` that is too long.
    InfoDescriptionLength,
    /// `NBD_REP_META_CONTEXT` that is too short or too long.
    MetaContextLength,
    /// The server selected more meta contexts than can be kept.
    TooManyMetaContexts,
    /// Not enough memory for an option reply.
    OptionReplyMemory,

    /// A magic that is unknown or was not negotiated.
    UnexpectedMagic(u32),
    /// A reply to a request that has not been completely sent.
    UnsentRequest(u64),
    /// A successful simple reply with an unknown cookie: the length of its data is unknown.
    UnknownCookie(u64),
    /// A simple reply with data, although structured replies were negotiated.
    SimpleReplyToRead,
    /// A chunk longer than any valid one.
    ChunkLength(u64),
    /// Data or a hole outside the range of the read.
    OutOfRange {
        /// Offset of the data in the export, in bytes.
        offset: u64,
        /// Length of the data in bytes.
        length: u64,
        /// Offset of the read in the export, in bytes.
        start: u64,
        /// Length of the read in bytes.
        count: u64,
    },
    /// The connection was closed within a message, or when a message was required.
    EndOfStream,
}

impl Fault {
    /// Returns the error message.
    fn text(self) -> Cow<'static, str> {
        let text = match self {
            Fault::NotNbd => "handshake: server did not send expected NBD magic",
            Fault::UnknownStyle => {
                "handshake: server is not either an oldstyle or fixed newstyle NBD server"
            }
            Fault::OldstyleFlags => "handshake: oldstyle server should not set gflags",
            Fault::NoTransmissionFlags => "handshake: invalid eflags == 0 from server",
            Fault::UnexpectedBytes => "handshake: server sent data out of turn",
            Fault::PlaintextAfterTls => "handshake: server sent plaintext after it agreed to TLS",
            Fault::TlsTwice => "handshake: server agreed to TLS twice",
            Fault::WrongOption => "handshake: invalid option reply magic or option",
            Fault::OptionReplyLength => "handshake: invalid option reply length",
            Fault::TooManyOptionReplies => "handshake: too many replies to an option",
            Fault::UnexpectedOptionReply(reply) => {
                return format!("handshake: unexpected option reply type {reply}").into();
            }
            Fault::AckLength => "handshake: invalid NBD_REP_ACK option reply length",
            Fault::RefusalLength => "handshake: option error string too long",
            Fault::ExportLength => "invalid export length",
            Fault::InfoTooShort => "handshake: NBD_REP_INFO reply length too small",
            Fault::InfoExportLength => "handshake: incorrect NBD_INFO_EXPORT option reply length",
            Fault::InfoBlockSizeLength => {
                "handshake: incorrect NBD_INFO_BLOCK_SIZE option reply length"
            }
            Fault::InfoNameLength => "handshake: incorrect NBD_INFO_NAME option reply length",
            Fault::InfoDescriptionLength => {
                "handshake: incorrect NBD_INFO_DESCRIPTION option reply length"
            }
            Fault::MetaContextLength => "handshake: invalid NBD_REP_META_CONTEXT reply length",
            Fault::TooManyMetaContexts => "handshake: too many meta contexts from the server",
            Fault::OptionReplyMemory => "handshake: not enough memory for a reply",
            Fault::UnexpectedMagic(magic) => {
                return format!("invalid or unexpected reply magic 0x{magic:x}").into();
            }
            Fault::UnsentRequest(cookie) => {
                return format!("server replied to request {cookie} before it was sent").into();
            }
            Fault::UnknownCookie(cookie) => {
                return format!("no matching cookie {cookie} found for server reply").into();
            }
            Fault::SimpleReplyToRead => {
                "server sent a simple reply to a read after it agreed to structured replies"
            }
            Fault::ChunkLength(length) => {
                return format!("invalid server reply length {length}").into();
            }
            Fault::OutOfRange {
                offset,
                length,
                start,
                count,
            } => {
                return format!(
                    "range of structured reply is out of bounds, offset={offset}, \
                     cmd->offset={start}, length={length}, cmd->count={count}"
                )
                .into();
            }
            Fault::EndOfStream => "recv: server disconnected unexpectedly",
        };
        text.into()
    }

    /// Returns the errno: 0 for most, since none fits.
    fn errno(self) -> c_int {
        match self {
            Fault::NoTransmissionFlags => libc::EINVAL,
            Fault::TlsTwice
            | Fault::UnsentRequest(_)
            | Fault::UnknownCookie(_)
            | Fault::SimpleReplyToRead => libc::EPROTO,
            Fault::OptionReplyMemory => libc::ENOMEM,
            _ => 0,
        }
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Error::new(fault.errno(), fault.text())
    }
}

/// Only option replies allocate memory whose size the server chooses.
impl From<NoMemory> for Fault {
    fn from(_: NoMemory) -> Self {
        Fault::OptionReplyMemory
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_that_have_an_errno_say_it() {
        for (fault, errno) in [
            (Fault::NotNbd, 0),
            (Fault::NoTransmissionFlags, libc::EINVAL),
            (Fault::TlsTwice, libc::EPROTO),
            (Fault::UnsentRequest(1), libc::EPROTO),
            (Fault::UnknownCookie(1), libc::EPROTO),
            (Fault::SimpleReplyToRead, libc::EPROTO),
            (NoMemory.into(), libc::ENOMEM),
        ] {
            assert_eq!(Error::from(fault).errno(), errno, "{fault:?}");
        }
    }
}
