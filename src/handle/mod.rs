// SPDX-License-Identifier: LGPL-2.1-or-later

//! One connection to a server as a Rust type: settings, connecting, commands,
//! waiting.
//!
//! [`Handle`] is what a program holds. Its [`Shared`] part can be read at any
//! time; everything else is a [`Connection`] behind one lock. The connection
//! owns a [`crate::machine`], which knows the protocol, and a
//! [`crate::transport`], which knows the sockets, and moves bytes between the
//! two. User memory and callbacks are turned into bytes and calls here, and
//! nowhere below.

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
#[allow(unsafe_code)]
mod link;
#[allow(unsafe_code)]
mod lock;
mod option;
mod pause;
#[allow(unsafe_code)]
mod process;
#[allow(unsafe_code)]
mod replaceable;
mod report;
mod settings;
#[allow(unsafe_code)]
mod shared;
mod steps;
#[allow(unsafe_code)]
mod tls_settings;
mod turns;
mod waiting;

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Arc;

use parking_lot::lock_api::RawMutex as _;

pub use admission::Access;
use call::Owner;
pub use call::{Call, Function};
pub use calls::{Connecting, Information, Issue, Options, Setup};
pub use connection::Connection;
use lock::{Lock, RawLock};
pub use pause::Pause;
pub use settings::Settings;
pub use shared::{Shared, Statistics};

/// What nbd_create(3) makes and nbd_close(3) drops.
#[derive(Debug)]
pub struct Handle {
    shared: Arc<Shared>,
    owner: Owner,
    /// The process that made it.
    maker: u32,
    /// The process in which the last call was.
    process: AtomicU32,
    connection: Lock<Connection>,
}

impl Default for Handle {
    fn default() -> Self {
        Handle::new()
    }
}

impl Handle {
    /// A handle that has not begun to connect.
    pub fn new() -> Self {
        process::watch();
        let shared = Arc::new(Shared::new(debug::Debug::new()));
        Handle {
            connection: Lock::new(Connection::new(Arc::clone(&shared))),
            owner: Owner::default(),
            maker: process::generation(),
            process: AtomicU32::new(process::generation()),
            shared,
        }
    }

    /// What can be seen without waiting.
    pub fn shared(&self) -> &Shared {
        &self.shared
    }

    /// Ends the connection and everything in flight on it. The callbacks that
    /// this calls may still look at what is shared.
    ///
    /// In a callback of the same handle, this only frees the closures: the program is
    /// at its end (exit(3) has been called). The handle must not be dropped then; this
    /// says whether it may be.
    ///
    /// In a child of fork(2), the same without an exception: the commands are the
    /// parent's.
    #[allow(unsafe_code)]
    pub fn close(&self, function: &'static dyn Function) -> bool {
        self.shared.debug_settings().end();
        if self.owner.is_this_thread() {
            // SAFETY: this thread has the lock, in a call that it made this one in by
            // a callback. That call does not go on: exit(3) does not return.
            let connection = unsafe { &mut *self.connection.data_ptr() };
            connection.free();
            return false;
        }
        if self.maker != process::generation() {
            self.call(function).free();
            return true;
        }
        let nothing = Connection::new(Arc::clone(&self.shared));
        let connection = std::mem::replace(&mut *self.call(function), nothing);
        // Not under the lock.
        drop(connection);
        true
    }

    /// Waits for the lock, for a call of this function. Not inline, as each function of the
    /// API would contain it.
    #[inline(never)]
    pub fn call(&self, function: &'static dyn Function) -> Call<'_> {
        let now = process::generation();
        if self.process.load(Ordering::Relaxed) != now {
            self.renew(now);
        }
        Call::new(self.connection.lock(), &self.owner, function)
    }

    /// The same for a call that waits, and leaves that to its caller.
    pub fn waiting_call<'a>(
        &'a self,
        function: &'static dyn Function,
        pause: &'a Pause,
    ) -> Call<'a> {
        self.call(function).leaving_waits_to(pause)
    }

    /// This is another process than that of the last call: threads that had the lock or
    /// waited for it, or slept, do not exist here. Callbacks included: a program that
    /// forks in one, and uses the handle in the child, has to use it after that.
    #[cold]
    #[allow(unsafe_code)]
    fn renew(&self, now: u32) {
        if self.process.swap(now, Ordering::Relaxed) == now {
            return;
        }
        // SAFETY: a child of fork(2) begins with one thread, and the first call that a
        // thread of it makes on the handle comes here. So nothing else uses the lock,
        // which may be written to through a shared reference.
        unsafe {
            let lock = std::ptr::from_ref(self.connection.raw()).cast_mut();
            lock.write(RawLock::INIT);
        }
        self.connection.lock().renew();
    }
}
