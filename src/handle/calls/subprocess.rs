// SPDX-License-Identifier: LGPL-2.1-or-later

//! The server subprocess of a connection.

use libc::c_int;

use crate::error::Error;
use crate::handle::connection::Connection;

impl Connection {
    /// nbd_kill_subprocess(3)
    pub fn kill_subprocess(&mut self, signum: c_int) -> Result<(), Error> {
        self.link.running_subprocess()?.kill(signum)
    }

    /// nbd_get_subprocess_pid(3)
    pub fn subprocess_pid(&mut self) -> Result<i64, Error> {
        Ok(i64::from(self.link.running_subprocess()?.pid()))
    }
}
