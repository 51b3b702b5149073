// SPDX-License-Identifier: LGPL-2.1-or-later

//! A call on a connection, which has its lock.

use std::ffi::CStr;
use std::ops::{Deref, DerefMut};
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::MutexGuard;

use super::connection::Connection;
use super::shared::Shared;
use crate::error::Error;

/// A connection while a call has its lock. What [`super::Shared`] shows is up to date
/// when it is let go, and a thread that sleeps waits in its place.
pub struct Call<'a> {
    connection: MutexGuard<'a, Connection>,
    owner: &'a Owner,
    function: &'static dyn Function,
}

/// The API function that is called.
pub trait Function: Sync {
    /// Its name in C.
    fn name(&self) -> &'static CStr;

    /// Whether the state of the handle allows the call.
    fn check_state(&self, shared: &Shared) -> Result<(), Error>;
}

/// The thread that has the lock. Only that thread compares it with itself.
#[derive(Debug, Default)]
pub(super) struct Owner(AtomicUsize);

impl Owner {
    /// Whether the calling thread is in a call on the handle, which is so in callbacks.
    pub fn is_this_thread(&self) -> bool {
        self.0.load(Ordering::Relaxed) == this_thread()
    }
}

/// A number of the calling thread's own, never 0.
fn this_thread() -> usize {
    // Without a destructor, so that it is there until the thread has ended.
    thread_local!(static PLACE: u8 = const { 0 });
    PLACE.with(|place| std::ptr::from_ref(place).addr())
}

impl<'a> Call<'a> {
    pub(super) fn new(
        connection: MutexGuard<'a, Connection>,
        owner: &'a Owner,
        function: &'static dyn Function,
    ) -> Self {
        let mut call = Call {
            connection,
            owner,
            function,
        };
        call.begin();
        call
    }

    fn begin(&mut self) {
        self.owner.0.store(this_thread(), Ordering::Relaxed);
        self.connection.report.context = self.function.name();
    }

    /// Whether the state of the handle allows the call, now that others have been in it.
    pub(super) fn check_state(&self) -> Result<(), Error> {
        self.function.check_state(&self.connection.report.shared)
    }

    /// Does something that waits, with the lock released.
    pub(super) fn unlocked<R>(&mut self, wait: impl FnOnce() -> R) -> R {
        self.let_go();
        let result = MutexGuard::unlocked(&mut self.connection, wait);
        self.begin();
        result
    }

    fn let_go(&mut self) {
        let connection = &mut *self.connection;
        connection.settle();
        if connection.turns.have_sleepers() {
            connection.turns.wake_ready(&connection.completions);
            connection.turns.pass_on();
        }
        self.owner.0.store(0, Ordering::Relaxed);
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
