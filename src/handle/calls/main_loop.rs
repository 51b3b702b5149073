// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's main loop.

use libc::c_int;

use crate::error::Error;
use crate::handle::connection::Connection;
use crate::handle::shared::DIRECTION_WRITE;
use crate::machine::State;

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
        self.program_polls();
        self.notify_read()
    }

    /// nbd_aio_notify_write(3)
    pub fn aio_notify_write(&mut self) -> Result<(), Error> {
        self.program_polls();
        let said_to_write = self.report.shared.take_said_to_write();
        if self.link.has_arrivals() {
            // The program was told to wait for room so as to come here.
            return self.use_before_waiting();
        }
        if said_to_write && self.link.direction() & DIRECTION_WRITE == 0 {
            return Ok(());
        }
        self.notify_write()
    }

    /// In transmission, the program polls the descriptor by itself from now on.
    fn program_polls(&self) {
        if matches!(self.state(), State::Ready | State::Processing) {
            self.report.shared.set_program_polls();
        }
    }

    /// nbd_poll(3); with a descriptor `fd` that is not -1, nbd_poll2(3)
    pub fn poll(&mut self, fd: c_int, timeout: c_int) -> Result<c_int, Error> {
        self.wait(fd, timeout)
    }
}
