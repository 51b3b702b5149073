// SPDX-License-Identifier: LGPL-2.1-or-later

//! Options of TCP sockets that detect dead servers. A socket has none of them unless the program
//! asks for it.

use std::io;
use std::ops::RangeInclusive;

use libc::c_int;

use super::socket::Socket;
use crate::error::Error;
use crate::text::text;

/// The times and the number of probes that Linux accepts (`MAX_TCP_KEEPIDLE` and others).
const SECONDS: RangeInclusive<c_int> = 1..=32767;
const PROBES: RangeInclusive<c_int> = 1..=127;

/// The options that the program has set.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct TcpOptions {
    keepalive: Keepalive,
    user_timeout: c_int,
}

/// The probes of an idle connection; all zero for none.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Time before the first probe, in seconds.
    pub idle: c_int,
    /// Time between probes, in seconds.
    pub interval: c_int,
    /// The number of unanswered probes after which the connection fails.
    pub count: c_int,
}

impl TcpOptions {
    /// nbd_ext_get_keepalive(3)
    pub fn keepalive(&self) -> Keepalive {
        self.keepalive
    }

    /// nbd_ext_set_keepalive(3)
    pub fn set_keepalive(
        &mut self,
        idle: c_int,
        interval: c_int,
        count: c_int,
    ) -> Result<(), Error> {
        let keepalive = Keepalive {
            idle,
            interval,
            count,
        };
        if keepalive != Keepalive::default() {
            in_range("idle", idle, SECONDS)?;
            in_range("interval", interval, SECONDS)?;
            in_range("count", count, PROBES)?;
        }
        self.keepalive = keepalive;
        Ok(())
    }

    /// nbd_ext_get_user_timeout(3)
    pub fn user_timeout(&self) -> c_int {
        self.user_timeout
    }

    /// nbd_ext_set_user_timeout(3)
    pub fn set_user_timeout(&mut self, milliseconds: c_int) -> Result<(), Error> {
        in_range("milliseconds", milliseconds, 0..=c_int::MAX)?;
        self.user_timeout = milliseconds;
        Ok(())
    }

    /// Sets the options of a TCP socket. Makes no system call for those that the program has not
    /// set.
    pub(super) fn apply(&self, socket: &Socket) -> io::Result<()> {
        if self.keepalive != Keepalive::default() {
            let Keepalive {
                idle,
                interval,
                count,
            } = self.keepalive;
            socket.set_int_option(libc::IPPROTO_TCP, libc::TCP_KEEPIDLE, idle)?;
            socket.set_int_option(libc::IPPROTO_TCP, libc::TCP_KEEPINTVL, interval)?;
            socket.set_int_option(libc::IPPROTO_TCP, libc::TCP_KEEPCNT, count)?;
            socket.set_int_option(libc::SOL_SOCKET, libc::SO_KEEPALIVE, 1)?;
        }
        if self.user_timeout != 0 {
            let timeout = self.user_timeout;
            socket.set_int_option(libc::IPPROTO_TCP, libc::TCP_USER_TIMEOUT, timeout)?;
        }
        Ok(())
    }
}

fn in_range(name: &str, value: c_int, allowed: RangeInclusive<c_int>) -> Result<(), Error> {
    if allowed.contains(&value) {
        return Ok(());
    }
    let (first, last) = allowed.into_inner();
    let what = text!("{name} should be from {first} to {last}, not {value}");
    Err(Error::new(libc::EINVAL, what))
}
