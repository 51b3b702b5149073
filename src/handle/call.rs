// SPDX-License-Identifier: LGPL-2.1-or-later

//! A call on a connection, which has its lock.

use std::ffi::CStr;
use std::ops::{Deref, DerefMut};

use parking_lot::MutexGuard;

use super::connection::Connection;

/// A connection while a call has its lock. What [`super::Shared`] shows is up to date
/// when it is let go, and a thread that sleeps waits in its place.
pub struct Call<'a> {
    connection: MutexGuard<'a, Connection>,
    /// The API function.
    name: &'static CStr,
}

impl<'a> Call<'a> {
    pub(super) fn new(mut connection: MutexGuard<'a, Connection>, name: &'static CStr) -> Self {
        connection.report.context = name;
        Call { connection, name }
    }

    /// Does something that waits, with the lock released.
    pub(super) fn unlocked<R>(&mut self, wait: impl FnOnce() -> R) -> R {
        self.let_go();
        let result = MutexGuard::unlocked(&mut self.connection, wait);
        self.connection.report.context = self.name;
        result
    }

    fn let_go(&mut self) {
        self.connection.settle();
        self.connection.wake_others();
    }
}

impl Deref for Call<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Call<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.let_go();
    }
}
