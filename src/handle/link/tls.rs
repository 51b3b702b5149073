// SPDX-License-Identifier: LGPL-2.1-or-later

//! The TLS handshake.

use super::{Link, Lost, Stage};
use crate::error::Error;
use crate::transport::tls::{Credentials, Handshake, HandshakeStep};
use crate::transport::Channel;

impl Link {
    /// Starts the TLS handshake, after the server has agreed. There is no way back to plaintext.
    pub fn start_tls_handshake(
        &mut self,
        credentials: Result<Credentials, Error>,
    ) -> Result<(), Lost> {
        let stage = std::mem::replace(&mut self.stage, Stage::None);
        let handshake = credentials.and_then(|credentials| match stage {
            Stage::Connected(Channel::Plain(socket)) => Handshake::new(socket, credentials),
            _ => Err(Error::new(libc::EINVAL, "this connection uses TLS already")),
        });
        self.advance_tls_handshake(handshake.map_err(Lost::Handshake)?)
    }

    /// Continues the TLS handshake, when the socket is ready.
    pub fn continue_tls_handshake(&mut self) -> Result<(), Lost> {
        match std::mem::replace(&mut self.stage, Stage::None) {
            Stage::TlsHandshake(handshake) => self.advance_tls_handshake(handshake),
            other => {
                self.stage = other;
                Ok(())
            }
        }
    }

    fn advance_tls_handshake(&mut self, handshake: Handshake) -> Result<(), Lost> {
        self.stage = match handshake.advance().map_err(Lost::Handshake)? {
            HandshakeStep::Pending(handshake) => Stage::TlsHandshake(handshake),
            HandshakeStep::Established(session) => {
                self.machine.tls_established();
                Stage::Connected(Channel::Tls(session))
            }
        };
        Ok(())
    }
}
