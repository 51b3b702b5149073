// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_STARTTLS`: negotiates TLS, and restarts the negotiation after the TLS handshake.
//!
//! The owner of the machine performs the TLS handshake, while [`Machine::awaits_tls_handshake`]
//! returns true.

use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::export::{Export, Negotiated};
use crate::machine::fault::Fault;
use crate::machine::meta_contexts::MetaContexts;
use crate::machine::option_reply::{After, Outcome, Reply};
use crate::machine::pending::{any_length, Pending, Profile};
use crate::machine::phase::Phase;
use crate::machine::position::Position;
use crate::machine::preferences::Tls;
use crate::machine::tls_settled::TlsSettled;
use crate::protocol::option::{OptionType, ReplyError};

const PROFILE: &Profile = &Profile {
    option: OptionType::StartTls,
    awaiting: c"NEWSTYLE.OPT_STARTTLS.RECV_REPLY: Waiting for a reply to NBD_OPT_STARTTLS",
    receiving: c"NEWSTYLE.OPT_STARTTLS.RECV_REPLY_PAYLOAD: Receiving a reply to NBD_OPT_STARTTLS",
    check: any_length,
};

/// The error of a connection that reaches transmission without the required TLS. The order of the
/// steps prevents this.
pub(super) const UNENCRYPTED: &str = "handshake: connection is not encrypted";

impl<T> Machine<T> {
    /// Requests TLS (nbd_opt_starttls(3)).
    pub fn opt_starttls(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(PROFILE, Position::single(), &[])
    }

    /// Requests TLS as the first step of connecting. Returns false if it is not wanted.
    pub(super) fn starttls_if_wanted(&mut self, after: Position) -> Result<bool, Error> {
        let wanted = self.is_fixed_newstyle() && self.preferences.tls != Tls::Disable;
        if wanted {
            self.send_option(PROFILE, after, &[])?;
        }
        Ok(wanted)
    }

    /// Handles a reply.
    pub(super) fn starttls_answered(
        &mut self,
        pending: &Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        let position = pending.position;
        match reply {
            Reply::Ack if self.negotiated.tls => Err(Fault::TlsTwice.into()),
            Reply::Ack => {
                self.phase.await_tls(position);
                Ok(After::Begun)
            }
            Reply::Refusal(error, _) if !position.is_last() => {
                Ok(self.refused_tls(position, error))
            }
            Reply::Refusal(error, _) => {
                self.note(tls_refusal(error));
                let outcome = Outcome::Refused(match error {
                    ReplyError::INVALID => libc::EINVAL,
                    _ => libc::ENOTSUP,
                });
                Ok(After::Step(position, outcome))
            }
            Reply::Data(..) | Reply::TooLarge(_) => Err(reply.unexpected().into()),
        }
    }

    /// Continues without TLS, or ends the negotiation if TLS is required.
    fn refused_tls(&mut self, position: Position, error: ReplyError) -> After {
        let Err(reason) = self.settle_tls("handshake: server refused TLS") else {
            self.note(tls_refusal(error));
            self.note("continuing with unencrypted connection");
            return After::Step(position, Outcome::Done(0));
        };
        // In option mode, the program only sees that the negotiation has ended.
        // Source: seen with libnbd 1.24.4.
        self.abort((!self.preferences.opt_mode).then_some(reason));
        After::Begun
    }

    /// Returns true if the server has agreed to TLS: the next bytes in both directions belong to
    /// the TLS handshake.
    pub fn awaits_tls_handshake(&self) -> bool {
        matches!(*self.phase, Phase::TlsHandshake(_))
    }

    /// Continues after the TLS handshake: from now on everything is encrypted. Earlier messages
    /// may come from an attacker, so everything negotiated is discarded, as it is by the server.
    pub fn tls_established(&mut self) {
        let Some(position) = self.phase.take_tls() else {
            return;
        };
        self.negotiated = Negotiated {
            protocol: self.negotiated.protocol,
            handshake_flags: self.negotiated.handshake_flags,
            tls: true,
            ..Negotiated::default()
        };
        self.export = Export::default();
        self.meta_contexts = MetaContexts::default();
        self.note("negotiated TLS on this connection");
        if let Err(error) = self.option_done(position, Outcome::Done(1)) {
            self.fail_with(error);
        }
    }

    /// Makes the fault for plaintext that arrives between the agreement and the TLS handshake. It
    /// cannot come from an honest server: this is plaintext injection.
    pub(in crate::machine) fn plaintext_after_agreement(&self, input: &mut &[u8]) -> Fault {
        *input = &[];
        Fault::PlaintextAfterTls
    }

    /// Checks that the connection is encrypted if necessary. Fails with `ENOTSUP` if TLS is
    /// required and not in use; `what` is the reason.
    pub(in crate::machine) fn settle_tls(&self, what: &str) -> Result<TlsSettled, Error> {
        TlsSettled::prove(&self.preferences, &self.negotiated).ok_or_else(|| {
            let what = format!("{what}, but handle TLS setting is 'require' (2)");
            Error::new(libc::ENOTSUP, what)
        })
    }
}

/// Describes in a debug message why TLS was refused.
fn tls_refusal(error: ReplyError) -> &'static str {
    match error {
        ReplyError::POLICY => "server refused TLS (policy)",
        ReplyError::INVALID => "server refused TLS (invalid request)",
        _ => "server refused TLS (not supported)",
    }
}
