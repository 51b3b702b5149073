// SPDX-License-Identifier: LGPL-2.1-or-later

//! Functions for the program's main loop.

use libc::c_int;

use crate::error::Error;
use crate::handle::call::Call;
use crate::handle::connection::Connection;
use crate::handle::shared::DIRECTION_WRITE;
use crate::handle::turns::{Goal, Holder};

impl Connection {
    /// nbd_aio_get_fd(3)
    pub fn aio_get_fd(&mut self) -> Result<c_int, Error> {
        self.report.shared.set_program_polls();
        let what = "connection is not in a connected state";
        let fd = self.link.fd_for_program();
        fd.ok_or_else(|| Error::new(libc::EINVAL, what))
    }

    /// nbd_aio_notify_read(3)
    pub fn aio_notify_read(&mut self) -> Result<(), Error> {
        self.report.program_polls(self.state());
        if !self.turns.turn_is_free() {
            // Another thread is about to receive the data, if any.
            return Ok(());
        }
        self.notify_read()
    }
}

impl Call<'_> {
    /// nbd_aio_notify_write(3)
    pub fn aio_notify_write(&mut self) -> Result<(), Error> {
        self.report.program_polls(self.state());
        let asked_to_write = self.report.shared.take_asked_to_write();
        if asked_to_write
            && self.turns.holder == Holder::Receiving
            && !self.link.waits_until_writable()
        {
            // Another thread may be receiving a reply that the program waits for. Until the reply
            // has arrived, the program would call this again and again.
            let completed = self.completions.total();
            self.sleep_without_cancellation(Goal::Completion(completed))?;
        }
        if self.link.has_arrivals() {
            // The program was asked to wait until the socket is writable, to get here.
            return self.handle_before_waiting();
        }
        // When batching, any call may meanwhile have sent the requests.
        let may_be_done = asked_to_write || self.report.shared.batching();
        if may_be_done && self.link.direction() & DIRECTION_WRITE == 0 {
            return Ok(());
        }
        self.notify_write()
    }
}
