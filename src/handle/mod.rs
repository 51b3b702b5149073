// SPDX-License-Identifier: LGPL-2.1-or-later

//! One connection to a server as a Rust type: settings, connecting, commands, waiting.
//!
//! A program holds a [`Handle`]. Its [`Shared`] part can be read at any time; one lock protects
//! the rest, a [`Connection`]. The connection owns a [`crate::machine`], which implements the
//! protocol, and a [`crate::transport`], which owns the sockets, and moves bytes between the two.
//! Only this module and those above it handle user memory and callbacks.

mod admission;
mod attachment;
#[allow(unsafe_code)]
pub mod buffer;
#[allow(unsafe_code)]
mod call;
#[allow(unsafe_code)]
pub mod callback;
mod calls;
mod completed;
mod completions;
mod connection;
mod counter;
#[allow(unsafe_code)]
mod debug;
mod drive;
mod endpoint;
mod extents;
mod high_water;
mod interruption;
#[allow(unsafe_code)]
mod link;
#[allow(unsafe_code)]
mod lock;
mod option;
pub mod pieces;
#[allow(unsafe_code)]
mod process;
#[allow(unsafe_code)]
mod replaceable;
mod report;
mod settings;
#[allow(unsafe_code)]
mod shared;
mod steps;
mod suspension;
#[allow(unsafe_code)]
mod tls_settings;
mod turns;
mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use parking_lot::lock_api::RawMutex as _;

pub use admission::Access;
use call::LockOwner;
pub use call::{Call, Function};
pub use calls::{Batch, Connecting, Information, Issue, Options, Setup};
pub use connection::Connection;
use interruption::Limits;
use lock::{Lock, RawLock};
pub use settings::Settings;
pub use shared::{Shared, Statistics};
pub use suspension::Suspension;

use crate::error::Error;

/// A handle, made by nbd_create(3) and dropped by nbd_close(3).
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    owner: LockOwner,
    /// The process that created it.
    creator: u32,
    /// The process of the last call.
    process: AtomicU32,
    connection: Lock<Connection>,
}

impl Default for Handle {
    fn default() -> Self {
        Handle::new()
    }
}

impl Handle {
    /// Makes a handle that is not connected.
    pub fn new() -> Self {
        process::count_forks();
        let shared = Arc::new(Shared::new(debug::Debug::new()));
        Handle {
            connection: Lock::new(Connection::new(Arc::clone(&shared))),
            owner: LockOwner::default(),
            creator: process::generation(),
            process: AtomicU32::new(process::generation()),
            shared,
        }
    }

    /// Returns the part that can be read without waiting.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Ends the connection and everything in flight. Callbacks may read the shared part
    /// meanwhile.
    ///
    /// In a callback of the same handle, this only frees the closures: exit(3) was called, and
    /// the program is about to end. The handle must not be dropped then. Returns true if it may
    /// be dropped.
    ///
    /// In a child of fork(2), this also only frees the closures, since the commands are the
    /// parent's; the handle may be dropped.
    #[allow(unsafe_code)]
    pub fn close(&self, function: &'static dyn Function) -> bool {
        self.shared.debug_settings().end();
        if self.owner.is_this_thread() {
            // SAFETY: this thread holds the lock, in a call that is running this one in a
            // callback. That call does not continue: exit(3) does not return.
            let connection = unsafe { &mut *self.connection.data_ptr() };
            connection.free();
            return false;
        }
        if self.creator != process::generation() {
            self.call(function).free();
            return true;
        }
        let nothing = Connection::new(Arc::clone(&self.shared));
        let connection = std::mem::replace(&mut *self.call(function), nothing);
        // Without the lock.
        drop(connection);
        true
    }

    /// Waits for the lock, for a call of `function`. Not inline, to keep its code out of each
    /// function of the API.
    #[inline(never)]
    pub fn call(&self, function: &'static dyn Function) -> Call<'_> {
        self.notice_fork();
        Call::new(self.connection.lock(), &self.owner, function)
    }

    /// Returns the `LIBNBD_AIO_DIRECTION_*` bits to wait for, or 0. Requests that wait for the
    /// program are sent first, unless another thread is in a call.
    pub fn direction(&self, function: &'static dyn Function) -> u32 {
        if self.shared.batching() && self.shared.has_queued() {
            self.send_for_direction(function);
        }
        self.shared.direction()
    }

    #[inline(never)]
    fn send_for_direction(&self, function: &'static dyn Function) {
        let same_process = self.process.load(Ordering::Relaxed) == process::generation();
        if let Some(connection) = self.connection.try_lock().filter(|_| same_process) {
            let mut call = Call::new(connection, &self.owner, function);
            Batch::of(&mut call).send_for_direction();
        }
    }

    /// Waits for the lock, for a call that leaves its blocking system calls to its caller. Fails
    /// if the call is interrupted meanwhile.
    pub fn waiting_call<'a>(
        &'a self,
        function: &'static dyn Function,
        suspension: &'a Suspension,
    ) -> Result<Call<'a>, Error> {
        let interruptions = self.shared.interruptions();
        let limit = interruptions.begin();
        let call = match limit.is_none() {
            true => self.call(function),
            false => {
                self.notice_fork();
                let limits = Limits {
                    limit,
                    interruptions,
                };
                let connection = limits.until_some(|time| self.connection.try_lock_for(time))?;
                Call::new(connection, &self.owner, function)
            }
        };
        Ok(call.waiting(suspension, limit))
    }

    fn notice_fork(&self) {
        let now = process::generation();
        if self.process.load(Ordering::Relaxed) != now {
            self.reset_after_fork(now);
        }
    }

    /// Resets a handle after fork(2): threads that held the lock, waited for it or slept do not
    /// exist in this process. This includes callbacks: a program that forks in a callback may use
    /// the handle in the child only after the callback.
    #[cold]
    #[allow(unsafe_code)]
    fn reset_after_fork(&self, now: u32) {
        if self.process.swap(now, Ordering::Relaxed) == now {
            return;
        }
        // SAFETY: a child of fork(2) starts with one thread, and the first call that it makes on
        // the handle comes here. So nothing else uses the lock, which may be written to through a
        // shared reference.
        unsafe {
            let lock = std::ptr::from_ref(self.connection.raw()).cast_mut();
            lock.write(RawLock::INIT);
        }
        self.connection.lock().reset_after_fork();
    }
}
