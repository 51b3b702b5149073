// SPDX-License-Identifier: LGPL-2.1-or-later

//! Faults of a server that end the connection, with their texts.

use std::borrow::Cow;

use libc::c_int;

use crate::error::Error;
use crate::memory::NoMemory;

/// A reason to end the connection: nothing that the server says can be trusted any
/// more, or it says more than can be kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// The connection does not begin with `NBDMAGIC`.
    NotNbd,
    /// The magic of no handshake that the protocol document knows.
    UnknownStyle,
    /// An oldstyle server sets flags that only newstyle servers have.
    OldstyleFlags,
    /// The export has no transmission flag at all.
    NoTransmissionFlags,
    /// Data where none was asked for.
    OutOfTurn,
    /// Unencrypted bytes after the agreement to encrypt.
    PlaintextAfterTls,
    /// `NBD_OPT_STARTTLS` was agreed to on an encrypted connection.
    TlsTwice,

    /// A reply to another option, or no reply.
    NotTheOption,
    /// The data of an option reply is longer than any can be.
    OptionReplyLength,
    /// More replies to one option than any server has to give.
    TooManyOptionReplies,
    /// A reply of this type does not answer the option.
    UnexpectedOptionReply(u32),
    /// `NBD_REP_ACK` with data.
    AckLength,
    /// The words of a refusal are longer than a string of the protocol.
    RefusalLength,
    /// `NBD_REP_SERVER` whose strings are too long, or do not fit into it.
    ExportLength,
    /// `NBD_REP_INFO` without the number that says what it is about.
    InfoTooShort,
    /// `NBD_INFO_EXPORT` of a wrong length.
    InfoExportLength,
    /// `NBD_INFO_BLOCK_SIZE` of a wrong length.
    InfoBlockSizeLength,
    /// `NBD_INFO_NAME` that is too long.
    InfoNameLength,
    /// `NBD_INFO_DESCRIPTION` that is too long.
    InfoDescriptionLength,
    /// `NBD_REP_META_CONTEXT` that is too short or too long.
    MetaContextLength,
    /// More meta contexts were selected than are remembered.
    TooManyMetaContexts,
    /// There is no memory for an option reply.
    OptionReplyMemory,

    /// The magic of no reply that was agreed on.
    UnexpectedMagic(u32),
    /// A reply to a request that has not been sent completely.
    UnsentRequest(u64),
    /// A simple success reply to no command in flight: how much data follows it is not
    /// known.
    UnknownCookie(u64),
    /// A simple success reply to a read, although structured replies were agreed on.
    SimpleReplyToRead,
    /// A chunk longer than any that a command can have.
    ChunkLength(u64),
    /// Data or a hole at a place that the read did not ask for.
    OutOfRange {
        /// Where in the export it is said to be, in bytes.
        offset: u64,
        /// How many bytes it has.
        length: u64,
        /// Where in the export the read begins.
        start: u64,
        /// How many bytes it asked for.
        count: u64,
    },
    /// The connection ends inside a message, or where there has to be one.
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
            Fault::OutOfTurn => "handshake: server sent data out of turn",
            Fault::PlaintextAfterTls => "handshake: server sent plaintext after it agreed to TLS",
            Fault::TlsTwice => "handshake: server agreed to TLS twice",
            Fault::NotTheOption => "handshake: invalid option reply magic or option",
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

/// Lack of memory is the fault of an option reply that is too long to be kept.
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
