// SPDX-License-Identifier: LGPL-2.1-or-later

//! Closing a connection normally.

use crate::constants::{LIBNBD_SHUTDOWN_ABANDON_PENDING, LIBNBD_SHUTDOWN_MASK};
use crate::error::Error;
use crate::handle::admission::Access;
use crate::handle::call::Call;
use crate::handle::connection::Connection;
use crate::handle::interruption::Stop;
use crate::handle::settings::invalid_flag;
use crate::machine::State;

impl Call<'_> {
    /// nbd_shutdown(3)
    pub async fn shutdown(&mut self, flags: u32) -> Result<(), Error> {
        if flags & !LIBNBD_SHUTDOWN_MASK != 0 {
            return Err(invalid_flag("flags", flags));
        }
        self.admitted(Access::Exclusive, async |call| {
            call.disconnect_and_wait(flags).await
        })
        .await
    }

    async fn disconnect_and_wait(&mut self, flags: u32) -> Result<(), Error> {
        if flags & LIBNBD_SHUTDOWN_ABANDON_PENDING != 0 {
            self.abandon_unsent();
        }
        if self.state() == State::Negotiating {
            return self.abort_and_wait().await;
        }
        // If the server is already gone, the goal is reached.
        self.disconnect(0);
        match self.wait_until_ended().await {
            Err(Stop::Interrupted(interrupt)) => Err(self.end(Error::from(interrupt).into())),
            ended => Ok(ended?),
        }
    }

    /// nbd_aio_disconnect(3)
    pub fn aio_disconnect(&mut self, flags: u32) -> Result<(), Error> {
        self.without_cancellation(async |call| {
            call.admitted(Access::Exclusive, async |call| {
                let wire = call.checks().flags(flags, 0)?;
                call.checks().not_disconnecting()?;
                call.disconnect(wire);
                call.send_for_poll();
                Ok(())
            })
            .await
        })
    }
}

impl Connection {
    /// Queues `NBD_CMD_DISC`, and sends it unless earlier requests are waiting.
    fn disconnect(&mut self, flags: u16) {
        let waits = self.link.waits_until_writable();
        self.link.machine.disconnect(flags);
        self.report.publish_in_flight(&self.link);
        if !waits {
            self.send_accepted();
        }
    }

    /// Completes commands of which no byte has been sent.
    fn abandon_unsent(&mut self) {
        let Some(first) = self.link.machine.abandon_unsent() else {
            return;
        };
        loop {
            let unsent = self.link.machine.failing_from(first);
            if unsent.is_empty() {
                return;
            }
            for cookie in unsent {
                self.completions
                    .abandon(&mut self.link, &self.report, cookie);
            }
        }
    }
}
