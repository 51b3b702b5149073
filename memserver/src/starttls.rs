// SPDX-License-Identifier: LGPL-2.1-or-later

//! The option that asks for TLS, and what comes before and after it.

use crate::options::Replies;
use crate::session::{Negotiated, Next};
use crate::settings::{Settings, TlsMode};
use crate::wire::{opt, rep};

/// Whether an option has to wait until TLS is there. ABORT never has to.
pub fn is_required(settings: &Settings, negotiated: &Negotiated, option: u32) -> bool {
    settings.tls == TlsMode::Require
        && !negotiated.encrypted
        && !matches!(option, opt::STARTTLS | opt::ABORT)
}

/// Answers STARTTLS.
pub fn answer(negotiated: &Negotiated, data: &[u8], replies: &mut Replies<'_, '_>) -> Next {
    if replies.env.settings.tls == TlsMode::Off {
        return replies.error(rep::ERR_UNSUP, "there is no TLS here");
    }
    if negotiated.encrypted {
        return replies.error(rep::ERR_INVALID, "TLS is there already");
    }
    if !data.is_empty() {
        return replies.error(rep::ERR_INVALID, "this option has no data");
    }
    replies.send(rep::ACK, &[]);
    Next::StartTls
}
