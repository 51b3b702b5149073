// SPDX-License-Identifier: LGPL-2.1-or-later

//! Agreeing on TLS, and starting over once it is there ("NBD_OPT_STARTTLS").
//!
//! The handshake itself is made by the owner of the machine, while
//! [`Machine::awaits_tls_handshake`] says so.

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
use crate::protocol::option::{OptionType, ReplyError};

const PROFILE: &Profile = &Profile {
    option: OptionType::StartTls,
    awaiting: c"NEWSTYLE.OPT_STARTTLS.RECV_REPLY: Waiting for a reply to NBD_OPT_STARTTLS",
    receiving: c"NEWSTYLE.OPT_STARTTLS.RECV_REPLY_PAYLOAD: Receiving a reply to NBD_OPT_STARTTLS",
    check: any_length,
};

impl<T> Machine<T> {
    /// Asks for TLS (nbd_opt_starttls(3)).
    pub fn opt_starttls(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(PROFILE, Position::single(), &[])
    }

    /// As the first step of connecting.
    pub(super) fn starttls_if_wanted(&mut self, after: Position) -> Result<bool, Error> {
        let wanted = self.is_fixed_newstyle() && self.preferences.tls != Tls::Disable;
        if wanted {
            self.send_option(PROFILE, after, &[])?;
        }
        Ok(wanted)
    }

    /// What follows from a reply.
    pub(super) fn starttls_answered(
        &mut self,
        pending: &Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        let position = pending.position;
        match reply {
            Reply::Ack if self.negotiated.tls => Err(Fault::TlsTwice.into()),
            Reply::Ack => {
                self.phase = Phase::TlsHandshake(position);
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

    /// The server does not agree to the TLS that the connection asked for.
    fn refused_tls(&mut self, position: Position, error: ReplyError) -> After {
        if self.preferences.tls != Tls::Require {
            self.note(tls_refusal(error));
            self.note("continuing with unencrypted connection");
            return After::Step(position, Outcome::Done(0));
        }
        // A program that steers the negotiation sees that it has ended, no more.
        // Source: seen with libnbd 1.24.4.
        let reason = tls_required("handshake: server refused TLS");
        self.abort((!self.preferences.opt_mode).then_some(reason));
        After::Begun
    }

    /// Whether the server has agreed to TLS: what it sends next, and what is
    /// sent to it, belongs to the TLS handshake.
    pub fn awaits_tls_handshake(&self) -> bool {
        matches!(self.phase, Phase::TlsHandshake(_))
    }

    /// The handshake is done: what is received and sent from now on is
    /// encrypted. Whatever was said before may have been said by anybody, so
    /// it is forgotten, as it is by the server.
    pub fn tls_established(&mut self) {
        let Phase::TlsHandshake(position) = self.phase else {
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
        self.phase = Phase::Negotiating;
        self.note("negotiated TLS on this connection");
        if let Err(error) = self.option_done(position, Outcome::Done(1)) {
            self.die(error);
        }
    }

    /// Bytes that came with the agreement to TLS, or before the handshake was
    /// begun, cannot come from an honest server: this is plaintext injection,
    /// to have them taken for encrypted ones.
    pub(in crate::machine) fn plaintext_after_agreement(&self, input: &mut &[u8]) -> Fault {
        *input = &[];
        Fault::PlaintextAfterTls
    }

    /// Fails if TLS is required, since `what` keeps the connection from being encrypted.
    pub(in crate::machine) fn lacks_tls(&self, what: &str) -> Result<(), Error> {
        match self.preferences.tls {
            Tls::Require => Err(tls_required(what)),
            Tls::Disable | Tls::Allow => Ok(()),
        }
    }
}

fn tls_required(what: &str) -> Error {
    let what = format!("{what}, but handle TLS setting is 'require' (2)");
    Error::new(libc::ENOTSUP, what)
}

/// Why TLS was refused, for a debug message.
fn tls_refusal(error: ReplyError) -> &'static str {
    match error {
        ReplyError::POLICY => "server refused TLS (policy)",
        ReplyError::INVALID => "server refused TLS (invalid request)",
        _ => "server refused TLS (not supported)",
    }
}
