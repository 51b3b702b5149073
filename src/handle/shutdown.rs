// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ending a connection in good order.

use super::checks::invalid_flag;
use super::connection::Connection;
use super::shared::State;
use crate::error::Error;

/// `LIBNBD_SHUTDOWN_ABANDON_PENDING`
const ABANDON_PENDING: u32 = 0x1_0000;

impl Connection {
    /// nbd_shutdown(3)
    pub fn shutdown(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !ABANDON_PENDING != 0 {
            return Err(invalid_flag("flags", flags));
        }
        if flags & ABANDON_PENDING != 0 {
            for cookie in self.machine.abandon_unsent() {
                self.complete_with(cookie, libc::ENOTCONN);
            }
        }
        if self.state() == State::Negotiating {
            return self.opt_abort();
        }
        // A server that is gone already is what was wanted.
        self.queue(|this| this.machine.disconnect());
        while !matches!(self.state(), State::Closed | State::Dead) {
            self.wait(-1, -1)?;
        }
        Ok(())
    }

    /// nbd_aio_disconnect(3)
    pub fn aio_disconnect(&mut self, flags: u32) -> Result<(), Error> {
        self.check_flags(flags, 0)?;
        self.check_not_disconnecting()?;
        self.queue(|this| this.machine.disconnect());
        Ok(())
    }

    /// Nothing may follow `NBD_CMD_DISC`.
    pub(super) fn check_not_disconnecting(&self) -> Result<(), Error> {
        if !self.machine.is_disconnecting() {
            return Ok(());
        }
        let what = "cannot request more commands after NBD_CMD_DISC";
        Err(Error::new(libc::EINVAL, what))
    }
}
