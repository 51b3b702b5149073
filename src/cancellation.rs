// SPDX-License-Identifier: LGPL-2.1-or-later

//! pthread_cancel(3): a thread may end where it waits, and nowhere else in the library.
//!
//! The system ends it by unwinding its stack. That must not meet a value with a
//! destructor, nor a function that catches panics.

use std::mem::MaybeUninit;

use libc::{c_int, c_void};

// <pthread.h>
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// `struct _pthread_cleanup_buffer`, and `struct __ptcb` of musl. Four words at most.
type CleanupBuffer = MaybeUninit<[usize; 8]>;

/// What to do for a call whose thread is cancelled.
pub type Cleanup = unsafe extern "C" fn(*mut c_void);

extern "C-unwind" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

// What pthread_cleanup_push(3) is made of in C.
extern "C" {
    fn _pthread_cleanup_push(buffer: *mut CleanupBuffer, cleanup: Cleanup, argument: *mut c_void);
    fn _pthread_cleanup_pop(buffer: *mut CleanupBuffer, execute: c_int);
}

/// Whether the thread may be cancelled, as the program has it.
#[derive(Debug, Clone, Copy)]
pub struct Choice(c_int);

/// The thread cannot be cancelled from now on. What the program chose is to be restored.
pub fn forbid() -> Choice {
    let mut old = 0;
    // SAFETY: the pointer refers to `old`. It does not fail for a state that there is.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut old) };
    Choice(old)
}

/// Leaves it to the program's choice again.
pub fn restore(choice: Choice) {
    // SAFETY: a state that the thread had.
    unsafe { pthread_setcancelstate(choice.0, std::ptr::null_mut()) };
}

/// Calls `wait`, in which the thread can be cancelled if that is the program's choice.
/// If it is, `cleanup` is called with `argument`, on this thread, before it ends.
///
/// # Safety
///
/// No frame from the program's down to the system call has anything to be done when it is
/// unwound. `cleanup` may be called with `argument` as long as this has not returned.
pub unsafe fn wait(choice: Choice, cleanup: Cleanup, argument: *mut c_void, wait: impl FnOnce()) {
    let mut buffer = CleanupBuffer::uninit();
    // SAFETY: the buffer is on this stack until it is popped.
    unsafe { _pthread_cleanup_push(&raw mut buffer, cleanup, argument) };
    restore(choice);
    wait();
    forbid();
    // SAFETY: it is the one that was pushed last.
    unsafe { _pthread_cleanup_pop(&raw mut buffer, 0) };
}

/// The thread cannot be cancelled while this exists.
#[derive(Debug)]
pub struct NotHere(Choice);

impl NotHere {
    /// From now on.
    #[must_use]
    pub fn new() -> Self {
        NotHere(forbid())
    }
}

impl Default for NotHere {
    fn default() -> Self {
        NotHere::new()
    }
}

impl Drop for NotHere {
    fn drop(&mut self) {
        restore(self.0);
    }
}
