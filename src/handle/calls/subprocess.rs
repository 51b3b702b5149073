// SPDX-License-Identifier: LGPL-2.1-or-later

//! The server that a connection has started.

use libc::c_int;

use crate::error::Error;
use crate::handle::connection::Connection;
use crate::transport::Subprocess;

impl Connection {
    /// nbd_kill_subprocess(3)
    pub fn kill_subprocess(&mut self, signum: c_int) -> Result<(), Error> {
        self.running_subprocess()?.kill(signum)
    }

    /// nbd_subprocess_pid(3)
    pub fn subprocess_pid(&mut self) -> Result<i64, Error> {
        Ok(i64::from(self.running_subprocess()?.pid()))
    }

    fn running_subprocess(&self) -> Result<&Subprocess, Error> {
        let subprocess = self.link.subprocess.as_ref();
        subprocess.ok_or_else(|| Error::new(libc::ESRCH, "no subprocess exists"))
    }
}
