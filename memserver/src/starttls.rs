// SPDX-License-Identifier: LGPL-2.1-or-later

//! The STARTTLS option and its faults.

use crate::agreed::Agreed;
use crate::env::Env;
use crate::faults::{Fault, Scope};
use crate::option_replies::OptionReplies;
use crate::settings::{Settings, TlsMode};
use crate::transition::Transition;
use crate::wire::{flag, info, opt, rep};

/// Export size in an injected reply to GO.
const INJECTED_SIZE: u64 = 4096;

/// Bytes that cannot begin a TLS record, longer than a record header.
const GARBAGE: &[u8] = b"These bytes are not TLS, however one looks at them.\n";

/// Returns true if an option is refused until TLS is active. ABORT never is.
pub fn is_required(settings: &Settings, agreed: &Agreed, option: u32) -> bool {
    settings.tls == TlsMode::Require
        && !agreed.encrypted
        && !matches!(option, opt::STARTTLS | opt::ABORT)
}

/// Answers STARTTLS.
pub fn answer(agreed: &mut Agreed, data: &[u8], replies: &mut OptionReplies<'_, '_>) -> Transition {
    let fault = replies.env.faults.in_scope(Scope::StartTls);
    let without_tls = replies.env.settings.tls == TlsMode::Off;
    match fault {
        Some(Fault::StartTlsUnknownReply) => {
            replies.send(99, &[]);
            return Transition::Stay;
        }
        Some(Fault::StartTlsInfoReply) => {
            replies.send(rep::INFO, &export_information());
            return Transition::Stay;
        }
        Some(Fault::StartTlsEof) => return Transition::Close,
        None if without_tls => return replies.error(rep::ERR_UNSUP, "there is no TLS here"),
        _ => {}
    }
    if agreed.encrypted {
        return replies.error(rep::ERR_INVALID, "TLS is there already");
    }
    if !data.is_empty() {
        return replies.error(rep::ERR_INVALID, "this option has no data");
    }
    match fault {
        Some(Fault::StartTlsAckWithData) => replies.send(rep::ACK, b"surprise"),
        _ => replies.send(rep::ACK, &[]),
    }
    match fault {
        Some(Fault::StartTlsGarbage) => {
            replies.env.out.put(GARBAGE);
            return Transition::Mute;
        }
        Some(Fault::StartTlsStall) => return Transition::Mute,
        Some(Fault::StartTlsCloseAfterAck) => return Transition::Close,
        Some(Fault::StartTlsPlaintextAfterAck) => inject(replies.env),
        _ => {}
    }
    if without_tls || fault == Some(Fault::StartTlsPlainAfterAck) {
        *agreed = Agreed::new(agreed.no_zeroes, true);
        return Transition::Stay;
    }
    Transition::StartTls
}

/// Returns size and flags of a made-up export.
fn export_information() -> Vec<u8> {
    let flags = flag::HAS_FLAGS | flag::READ_ONLY;
    [
        &info::EXPORT.to_be_bytes()[..],
        &INJECTED_SIZE.to_be_bytes(),
        &flags.to_be_bytes(),
    ]
    .concat()
}

/// Queues the plaintext that an attacker could inject after the ACK: replies to
/// the options that a typical client sends next. A client that mistakes them
/// for TLS content believes that it is connected to a small export.
fn inject(env: &mut Env<'_>) {
    let settings = env.settings;
    let mut headers = Vec::new();
    if settings.extended_headers && settings.go {
        headers.push((opt::EXTENDED_HEADERS, rep::ACK));
    } else {
        let known = settings.structured_replies;
        headers.push((opt::EXTENDED_HEADERS, rep::ERR_UNSUP));
        headers.push((
            opt::STRUCTURED_REPLY,
            if known { rep::ACK } else { rep::ERR_UNSUP },
        ));
    }
    for (option, kind) in headers {
        OptionReplies::new(option, None, env).send(kind, &[]);
    }
    let mut go = OptionReplies::new(opt::GO, None, env);
    go.send(rep::INFO, &export_information());
    go.send(rep::ACK, &[]);
}
