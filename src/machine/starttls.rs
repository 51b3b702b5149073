// SPDX-License-Identifier: LGPL-2.1-or-later

//! Agreeing on TLS, and starting over once it is there ("NBD_OPT_STARTTLS").
//!
//! The handshake itself is made by the owner of the machine, while
//! [`Machine::awaits_tls_handshake`] says so.

use super::core::Machine;
use super::export::{Export, Negotiated};
use super::fault::Fault;
use super::meta_contexts::MetaContexts;
use super::option_reply::tls_refusal;
use super::pending::{Pending, Purpose};
use super::phase::Phase;
use super::preferences::Tls;
use crate::error::Error;
use crate::protocol::option::{OptionType, ReplyError};

impl<T> Machine<T> {
    /// Asks for TLS (nbd_opt_starttls(3)).
    pub fn opt_starttls(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(Purpose::Program, OptionType::StartTls, &[])
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
        let Phase::TlsHandshake(purpose) = self.phase else {
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
        self.option_done(&Pending::new(OptionType::StartTls, purpose), Ok(1));
    }

    /// Bytes that came with the agreement to TLS, or before the handshake was
    /// begun, cannot come from an honest server: this is plaintext injection,
    /// to have them taken for encrypted ones.
    pub(super) fn plaintext_after_agreement(&mut self, input: &mut &[u8]) -> bool {
        *input = &[];
        self.die(Fault::PlaintextAfterTls);
        true
    }

    /// The server does not agree to the TLS that the connection asked for.
    pub(super) fn refused_tls(&mut self, pending: &Pending, error: ReplyError) {
        if self.preferences.tls != Tls::Require {
            self.note(tls_refusal(error));
            self.note("continuing with unencrypted connection");
            return self.option_done(pending, Ok(0));
        }
        // A program that steers the negotiation sees that it has ended, no more.
        // Source: seen with libnbd 1.24.4.
        let reason = tls_required("handshake: server refused TLS");
        self.abort((!self.preferences.opt_mode).then_some(reason));
    }

    /// Ends the connection if TLS is required, since `what` keeps it from being
    /// encrypted.
    pub(super) fn lacks_required_tls(&mut self, what: &str) -> bool {
        if self.preferences.tls != Tls::Require {
            return false;
        }
        self.die(tls_required(what));
        true
    }
}

fn tls_required(what: &str) -> Error {
    let what = format!("{what}, but handle TLS setting is 'require' (2)");
    Error::new(libc::ENOTSUP, what)
}
