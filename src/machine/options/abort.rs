// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_ABORT`: ends the negotiation, and with it the connection, without waiting for the
//! reply.

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

    /// Queues `NBD_OPT_ABORT`. The connection then ends with `error`, if any. Memory for the
    /// request was reserved by the previous option.
    pub(in crate::machine) fn abort(&mut self, error: Option<Error>) {
        option::encode(self.outgoing.handshake(), OptionType::Abort, &[]);
        self.traffic.chunks_sent += 1;
        self.phase.abort(error);
    }

    /// Ends the connection if `NBD_OPT_ABORT` has been sent. Returns the error that was the
    /// reason for it.
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
