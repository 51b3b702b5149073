// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a server can do wrong, beyond repair.

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
}

impl Fault {
    /// The words, and the errno: 0 for most, since none fits.
    fn text(self) -> (c_int, Cow<'static, str>) {
        let (errno, text) = match self {
            Fault::NotNbd => (0, "handshake: server did not send expected NBD magic"),
            Fault::UnknownStyle => (
                0,
                "handshake: server is not either an oldstyle or fixed newstyle NBD server",
            ),
            Fault::OldstyleFlags => (0, "handshake: oldstyle server should not set gflags"),
            Fault::NoTransmissionFlags => {
                (libc::EINVAL, "handshake: invalid eflags == 0 from server")
            }
            Fault::OutOfTurn => (0, "handshake: server sent data out of turn"),
            Fault::PlaintextAfterTls => {
                (0, "handshake: server sent plaintext after it agreed to TLS")
            }
            Fault::TlsTwice => (libc::EPROTO, "handshake: server agreed to TLS twice"),
            Fault::NotTheOption => (0, "handshake: invalid option reply magic or option"),
            Fault::OptionReplyLength => (0, "handshake: invalid option reply length"),
            Fault::TooManyOptionReplies => (0, "handshake: too many replies to an option"),
            Fault::UnexpectedOptionReply(reply) => {
                let text = format!("handshake: unexpected option reply type {reply}");
                return (0, text.into());
            }
            Fault::AckLength => (0, "handshake: invalid NBD_REP_ACK option reply length"),
            Fault::RefusalLength => (0, "handshake: option error string too long"),
            Fault::ExportLength => (0, "invalid export length"),
            Fault::InfoTooShort => (0, "handshake: NBD_REP_INFO reply length too small"),
            Fault::InfoExportLength => (
                0,
                "handshake: incorrect NBD_INFO_EXPORT option reply length",
            ),
            Fault::InfoBlockSizeLength => (
                0,
                "handshake: incorrect NBD_INFO_BLOCK_SIZE option reply length",
            ),
            Fault::InfoNameLength => (0, "handshake: incorrect NBD_INFO_NAME option reply length"),
            Fault::InfoDescriptionLength => (
                0,
                "handshake: incorrect NBD_INFO_DESCRIPTION option reply length",
            ),
            Fault::MetaContextLength => (0, "handshake: invalid NBD_REP_META_CONTEXT reply length"),
            Fault::TooManyMetaContexts => (0, "handshake: too many meta contexts from the server"),
            Fault::OptionReplyMemory => (libc::ENOMEM, "handshake: not enough memory for a reply"),
        };
        (errno, text.into())
    }
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        let (errno, text) = fault.text();
        Error::new(errno, text)
    }
}

/// What an option reply says cannot be kept.
impl From<NoMemory> for Fault {
    fn from(_: NoMemory) -> Self {
        Fault::OptionReplyMemory
    }
}
