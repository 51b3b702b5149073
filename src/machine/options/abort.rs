// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_ABORT`: ends the negotiation, and the connection with it. Its reply is not
//! waited for.

use crate::error::Error;
use crate::machine::core::Machine;
use crate::protocol::option::{self, OptionType};

impl<T> Machine<T> {
    /// Ends the negotiation (nbd_opt_abort(3)).
    pub fn opt_abort(&mut self) -> Result<(), Error> {
        if !self.is_fixed_newstyle() {
            let what = "handshake: server is not using fixed newstyle";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        self.abort(None);
        Ok(())
    }

    /// Queues the goodbye of a negotiation, which ends by `error` if there is one. There
    /// is room for it since the option before it.
    pub(in crate::machine) fn abort(&mut self, error: Option<Error>) {
        option::encode(self.outgoing.handshake(), OptionType::Abort, &[]);
        self.traffic.chunks_sent += 1;
        self.phase.abort(error);
    }

    /// Ends the connection if its `NBD_OPT_ABORT` has been sent. The error is the
    /// one that was the reason.
    pub fn finish_abort(&mut self) -> Result<(), Error> {
        match self.phase.abort_reason() {
            Some(reason) if self.outgoing.is_empty() => {
                let Some(error) = reason.take() else {
                    self.close();
                    return Ok(());
                };
                self.fail();
                Err(error)
            }
            _ => Ok(()),
        }
    }
}
