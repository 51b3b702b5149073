// SPDX-License-Identifier: LGPL-2.1-or-later

//! Serializes forks by the program and by this library.
//!
//! When this library starts a server, only the server must have the server's end of the
//! connection open: a copy in another process would hide that the server has closed it. For a
//! moment this process has that end open. Close-on-exec does not help if another thread forks in
//! this moment and does not exec.
//!
//! So forks wait until the moment has passed: pthread_atfork(3) handlers lock this mutex.

use std::cell::UnsafeCell;

use libc::{pid_t, pthread_mutex_t};

/// Locked by the thread that forks. It is a pthread mutex, as the child of a fork unlocks it,
/// too.
static FORKS: Mutex = Mutex(UnsafeCell::new(libc::PTHREAD_MUTEX_INITIALIZER));

struct Mutex(UnsafeCell<pthread_mutex_t>);

// SAFETY: mutexes are made to be shared by threads.
unsafe impl Sync for Mutex {}

extern "C" fn lock() {
    // SAFETY: the mutex is initialized, and stays where it is.
    unsafe { libc::pthread_mutex_lock(FORKS.0.get()) };
}

extern "C" fn unlock() {
    // SAFETY: this thread has locked it, or in the child of a fork, the thread that this one is a
    // copy of.
    unsafe { libc::pthread_mutex_unlock(FORKS.0.get()) };
}

/// Prevents forks by other threads of this process while it exists.
///
/// Meanwhile, the thread must not wait for anything that a forking thread may hold: it takes no
/// locks and allocates no memory, since allocators hold locks during a fork. Signals must be
/// blocked, since a signal handler may fork.
#[derive(Debug)]
pub(super) struct NoOtherForks(());

impl NoOtherForks {
    pub fn new() -> NoOtherForks {
        lock();
        NoOtherForks(())
    }

    /// Forks this process, without running the handlers of pthread_atfork(3).
    ///
    /// # Safety
    /// The child makes only async-signal-safe calls.
    pub unsafe fn fork(&self) -> pid_t {
        // SAFETY: by the contract of this function.
        unsafe { _Fork() }
    }
}

impl NoOtherForks {
    /// Makes a child that the program does not notice: its end sends no SIGCHLD, and only
    /// waitpid(2) with `__WALL` or `__WCLONE` finds it.
    ///
    /// # Safety
    /// The child makes only system calls: the C library does not know of it.
    pub unsafe fn fork_unnoticed(&self) -> pid_t {
        const NO_SIGNAL: libc::c_long = 0;
        // SAFETY: by the contract of this function. Without flags, the child has copies of all
        // memory, also of the stack. The arguments are zero in any order, which depends on the
        // architecture.
        unsafe {
            libc::syscall(
                libc::SYS_clone,
                NO_SIGNAL,
                0_usize,
                0_usize,
                0_usize,
                0_usize,
            ) as pid_t
        }
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

/// Registers the fork handlers when the library is loaded, before the program can fork.
extern "C" fn register() {
    // If this fails for lack of memory, only the moment described above is not protected.
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
                    // SAFETY: made for the child of a fork.
                    unsafe { libc::_exit(0) };
                }
                // SAFETY: waitpid accepts a null pointer for an unwanted status.
                assert_eq!(unsafe { libc::waitpid(pid, null_mut(), 0) }, pid);
            });
            std::thread::sleep(Duration::from_millis(50));
            assert!(!forks.is_finished());
            drop(no_other_forks);
        });
    }
}
