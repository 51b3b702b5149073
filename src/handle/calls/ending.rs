// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ending a connection in good order.

use crate::error::Error;
use crate::handle::connection::Connection;
use crate::handle::settings::invalid_flag;
use crate::machine::State;

/// `LIBNBD_SHUTDOWN_ABANDON_PENDING`
const ABANDON_PENDING: u32 = 0x1_0000;

impl Connection {
    /// nbd_shutdown(3)
    pub fn shutdown(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !ABANDON_PENDING != 0 {
            return Err(invalid_flag("flags", flags));
        }
        if flags & ABANDON_PENDING != 0 {
            for cookie in self.link.machine.abandon_unsent() {
                self.completions
                    .abandon(&mut self.link, &self.report, cookie);
            }
        }
        if self.state() == State::Negotiating {
            return self.options().abort_and_wait();
        }
        // A server that is gone already is what was wanted.
        self.queue(|link| link.machine.disconnect());
        while !matches!(self.state(), State::Closed | State::Dead) {
            self.wait(-1, -1)?;
        }
        Ok(())
    }

    /// nbd_aio_disconnect(3)
    pub fn aio_disconnect(&mut self, flags: u32) -> Result<(), Error> {
        self.checks().flags(flags, 0)?;
        self.checks().not_disconnecting()?;
        self.queue(|link| link.machine.disconnect());
        Ok(())
    }
}
