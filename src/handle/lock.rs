// SPDX-License-Identifier: LGPL-2.1-or-later

//! The lock of a handle: a pthread mutex.
//!
//! It needs no memory except its own however many threads wait for it, and no table of waiting
//! threads, which a forked child would inherit. Tools that observe threads support it.
//! parking_lot's own lock has such a table, so only its interface is used.

use std::cell::UnsafeCell;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use libc::pthread_mutex_t;
use parking_lot::lock_api::{self, GuardNoSend, RawMutex, RawMutexTimed};

/// A value that only the thread that holds the lock can access.
pub(super) type Lock<T> = lock_api::Mutex<RawLock, T>;

/// Access to the value while the lock is held.
pub(super) type LockGuard<'a, T> = lock_api::MutexGuard<'a, RawLock, T>;

/// The mutex. It does not move after its first use: handles are in boxes.
pub(super) struct RawLock(UnsafeCell<pthread_mutex_t>);

// SAFETY: mutexes are made to be shared by threads.
unsafe impl Send for RawLock {}
// SAFETY: as above.
unsafe impl Sync for RawLock {}

// SAFETY: a default mutex lets in one thread at a time. Its functions fail only if the mutex is
// not initialized or not locked.
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
        // SAFETY: as above; and by the contract of this function, this thread has locked it.
        unsafe { libc::pthread_mutex_unlock(self.0.get()) };
    }
}

// SAFETY: as above.
unsafe impl RawMutexTimed for RawLock {
    type Duration = Duration;
    type Instant = SystemTime;

    fn try_lock_for(&self, timeout: Duration) -> bool {
        self.try_lock_until(SystemTime::now() + timeout)
    }

    fn try_lock_until(&self, timeout: SystemTime) -> bool {
        let time = timeout.duration_since(UNIX_EPOCH).unwrap_or_default();
        // SAFETY: all-zero bytes are a valid `timespec`.
        let mut until: libc::timespec = unsafe { std::mem::zeroed() };
        until.tv_sec = time.as_secs() as _;
        until.tv_nsec = time.subsec_nanos() as _;
        // SAFETY: as for `lock`, and `until` lives across the call.
        unsafe { libc::pthread_mutex_timedlock(self.0.get(), &raw const until) == 0 }
    }
}
