// SPDX-License-Identifier: LGPL-2.1-or-later

//! Model of `transport/waker.rs`.

use std::io;
use std::os::fd::RawFd;

use crate::world::WORLD;

/// A descriptor of the [`World`](crate::world::World).
#[derive(Debug)]
pub struct Waker(RawFd);

impl Waker {
    pub fn new() -> io::Result<Waker> {
        let fd = WORLD.open_waker();
        fd.map(Waker)
            .ok_or_else(|| io::Error::from_raw_os_error(libc::EMFILE))
    }

    pub fn fd(&self) -> RawFd {
        self.0
    }

    pub fn wake(&self) {
        WORLD.ring(self.0);
    }

    pub fn reset(&self) -> bool {
        WORLD.reset(self.0)
    }
}

impl Drop for Waker {
    fn drop(&mut self) {
        WORLD.close_waker(self.0);
    }
}
