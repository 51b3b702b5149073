// SPDX-License-Identifier: LGPL-2.1-or-later

//! Requests that are sent together: they stay queued until the program waits or asks.

use crate::error::Error;
use crate::handle::call::Call;

/// The requests that wait for the program, and the setting.
pub struct Batch<'c, 'a>(&'c mut Call<'a>);

impl<'c, 'a> Batch<'c, 'a> {
    /// Provides the functions for requests that are sent together.
    pub fn of(call: &'c mut Call<'a>) -> Self {
        Batch(call)
    }

    /// nbd_ext_get_batching(3)
    pub fn is_enabled(&self) -> bool {
        self.0.report.shared.batching()
    }

    /// nbd_ext_set_batching(3)
    pub fn enable(&mut self, enable: bool) -> Result<(), Error> {
        self.0.report.shared.set_batching(enable);
        match enable {
            true => Ok(()),
            false => self.send_for_poll(),
        }
    }

    /// nbd_ext_send(3)
    pub fn ext_send(&mut self) -> Result<(), Error> {
        // Also what the socket has not accepted before.
        self.0.link.holds |= self.0.waits_until_writable();
        self.send_for_poll()
    }

    /// Sends the requests, for a thread in nbd_poll(3) that waits for their replies.
    fn send_for_poll(&mut self) -> Result<(), Error> {
        self.send()?;
        self.0.send_for_poll();
        Ok(())
    }

    /// Sends the requests. Every call does so in which the program waits or asks.
    #[inline]
    pub fn send(&mut self) -> Result<(), Error> {
        match self.0.link.holds {
            true => self.send_now(),
            false => Ok(()),
        }
    }

    #[inline(never)]
    fn send_now(&mut self) -> Result<(), Error> {
        if !self.0.turns.turn_is_held() {
            // Sending has failed in nbd_aio_get_direction(3).
            self.0.resume()?;
        }
        let sent = self.0.link.send();
        self.0.finish_step(sent)
    }

    /// Sends the requests in nbd_aio_get_direction(3), which must not call callbacks. A failure
    /// makes the socket readable, and the next call reports it.
    pub(in crate::handle) fn send_for_direction(&mut self) {
        if self.0.link.holds {
            if let Err(lost) = self.0.link.send() {
                self.0.link.shutdown_both();
                self.0.failure.get_or_insert(lost);
                self.0.link.holds = true;
            }
        }
    }
}
