// SPDX-License-Identifier: LGPL-2.1-or-later

//! The lock of a handle: the mutex of the C library.
//!
//! It needs no memory but its own however many threads wait for it, no table of them
//! that a child of fork(2) would have a copy of, and programs that watch threads know it.
//! parking_lot's own lock has such a table; its interface is used.

use std::cell::UnsafeCell;

use libc::pthread_mutex_t;
use parking_lot::lock_api::{self, GuardNoSend, RawMutex};

/// What only the thread that has the lock can use.
pub(super) type Lock<T> = lock_api::Mutex<RawLock, T>;

/// The lock, as long as a thread has it.
pub(super) type LockGuard<'a, T> = lock_api::MutexGuard<'a, RawLock, T>;

/// The lock alone. It does not move after its first use: handles are in boxes.
pub(super) struct RawLock(UnsafeCell<pthread_mutex_t>);

// SAFETY: a mutex is there for all threads.
unsafe impl Send for RawLock {}
// SAFETY: as above.
unsafe impl Sync for RawLock {}

// SAFETY: a mutex of the default kind lets one thread in at a time. Its functions fail
// only for one that is not initialized, or not locked.
unsafe impl RawMutex for RawLock {
    #[allow(clippy::declare_interior_mutable_const)]
    const INIT: RawLock = RawLock(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

    type GuardMarker = GuardNoSend;

    fn lock(&self) {
        // SAFETY: the mutex is initialized and stays where it is.
        unsafe { libc::pthread_mutex_lock(self.0.get()) };
    }

    fn try_lock(&self) -> bool {
        // SAFETY: as above.
        unsafe { libc::pthread_mutex_trylock(self.0.get()) == 0 }
    }

    unsafe fn unlock(&self) {
        // SAFETY: as above; and by the promise of the caller, this thread has locked it.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}
