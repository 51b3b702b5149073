// SPDX-License-Identifier: LGPL-2.1-or-later

//! Forks of the program and forks of this library, one at a time.
//!
//! The end of a connection that is meant for a new server must be open in the
//! server only: while another process has it open too, the end of the server does
//! not show. The end is open in this process for a moment, and close-on-exec does
//! not help against another thread that forks in this moment without exec.
//!
//! So forks wait for that moment to pass: handlers of pthread_atfork(3) lock the
//! mutex that is here.

use std::cell::UnsafeCell;

use libc::{pid_t, pthread_mutex_t};

/// Locked by the thread that forks. It is one of the system's, as the child of a
/// fork unlocks it, too.
static FORKS: Mutex = Mutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

struct Mutex(UnsafeCell<pthread_mutex_t>);

// SAFETY: a mutex is there for several threads.
unsafe impl Sync for Mutex {}

extern "C" fn lock() {
    // SAFETY: the mutex is initialized, and stays where it is.
    unsafe { libc::pthread_mutex_lock(FORKS.0.get()) };
}

extern "C" fn unlock() {
    // SAFETY: this thread has locked it, or in the child of a fork, the thread of
    // which this is the copy.
    unsafe { libc::pthread_mutex_unlock(FORKS.0.get()) };
}

/// While this lives, no other thread of this process forks.
///
/// Meanwhile its thread must not wait for anything that a forking thread may hold:
/// no lock, no memory, since allocators hold locks during a fork. Signals must be
/// blocked, since a signal handler may fork.
#[derive(Debug)]
pub(super) struct NoOtherForks(());

impl NoOtherForks {
    pub fn new() -> NoOtherForks {
        lock();
        NoOtherForks(())
    }

    /// Forks this process, without the handlers of pthread_atfork(3).
    ///
    /// # Safety
    /// The child does nothing but what is async-signal-safe.
    pub unsafe fn fork(&self) -> pid_t {
        // SAFETY: by the promise of the caller.
        unsafe { _Fork() }
    }
}

impl Drop for NoOtherForks {
    fn drop(&mut self) {
        unlock();
    }
}

extern "C" {
    fn _Fork() -> pid_t;
}

/// Makes the forks of the program take part, before there can be any.
extern "C" fn register() {
    // Without memory for it, only the moment above is not protected.
    // SAFETY: the system forgets the handlers if it unloads this library.
    unsafe { libc::pthread_atfork(Some(lock), Some(unlock), Some(unlock)) };
}

#[used]
#[link_section = ".init_array"]
static REGISTER: extern "C" fn() = register;

#[cfg(test)]
mod tests {
    use super::*;
    use std::ptr::null_mut;
    use std::time::Duration;

    #[test]
    fn a_fork_waits_until_it_is_allowed() {
        let no_other_forks = NoOtherForks::new();
        std::thread::scope(|scope| {
            let forks = scope.spawn(|| {
                // SAFETY: the child only exits.
                let pid = unsafe { libc::fork() };
                if pid == 0 {
                    // SAFETY: made for a child of fork.
                    unsafe { libc::_exit(0) };
                }
                // SAFETY: waitpid takes null for a status that is not needed.
                assert_eq!(unsafe { libc::waitpid(pid, null_mut(), 0) }, pid);
            });
            std::thread::sleep(Duration::from_millis(50));
            assert!(!forks.is_finished());
            drop(no_other_forks);
        });
    }
}
