// SPDX-License-Identifier: LGPL-2.1-or-later

//! The server subprocess of a connection.

use std::ffi::CString;

use libc::c_int;

use crate::error::Error;
use crate::handle::connection::Connection;
use crate::handle::link::Link;
use crate::memory;

/// The process that the connection has started, if any.
#[derive(Debug)]
pub struct ServerProcess<'a> {
    link: &'a mut Link,
}

impl Connection {
    /// Provides access to the server process.
    pub fn server_process(&mut self) -> ServerProcess<'_> {
        ServerProcess {
            link: &mut self.link,
        }
    }
}

impl ServerProcess<'_> {
    /// nbd_kill_subprocess(3)
    pub fn kill(&mut self, signum: c_int) -> Result<(), Error> {
        self.link.running_subprocess()?.kill(signum)
    }

    /// nbd_get_subprocess_pid(3)
    pub fn pid(&mut self) -> Result<i64, Error> {
        Ok(i64::from(self.link.running_subprocess()?.pid()))
    }

    /// nbd_ext_get_error_detail(3)
    pub fn error_detail(&mut self) -> Result<CString, Error> {
        let Some(server) = &mut self.link.subprocess else {
            return Ok(CString::default());
        };
        let mut text = memory::concat(&[server.captured_stderr()], 0)?;
        for byte in text.iter_mut().filter(|byte| **byte == 0) {
            *byte = b'?';
        }
        Ok(memory::c_string(&[&text])?)
    }
}
