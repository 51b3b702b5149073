// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_EXPORT_NAME`: opens the export of a server without `NBD_OPT_GO`. The reply has no
//! header, and the server cannot refuse.

use super::starttls::UNENCRYPTED;
use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::export::Export;
use crate::machine::option_reply::Outcome;
use crate::machine::position::Position;
use crate::memory;
use crate::protocol::flags;
use crate::protocol::handshake::{self, RESERVED_ZEROES};
use crate::protocol::option::OptionType;

impl<T> Machine<T> {
    /// Sends the option that every newstyle server supports.
    pub(super) fn send_export_name(&mut self, position: Position) -> Result<(), Error> {
        let name = memory::copy(&self.preferences.export_name)?;
        self.queue_option(OptionType::ExportName, name.as_bytes())?;
        self.phase.await_export_name_reply(position);
        self.export = Export::default();
        Ok(())
    }

    /// Returns the length of the reply in bytes.
    pub(in crate::machine) fn export_name_reply_length(&self) -> usize {
        let zeroes = match self.negotiated.handshake_flags & flags::NO_ZEROES {
            0 => RESERVED_ZEROES,
            _ => 0,
        };
        8 + 2 + zeroes
    }

    /// Handles the reply.
    pub(in crate::machine) fn export_name_reply(
        &mut self,
        position: Position,
        reply: &[u8],
    ) -> Result<(), Error> {
        let (size, flags) = handshake::export_name_reply(reply).expect("exact length");
        self.set_export_details(size, flags)?;
        let settled = self.settle_tls(UNENCRYPTED)?;
        self.phase.enter_transmission(settled);
        self.option_done(position, Outcome::Done(0))
    }
}
