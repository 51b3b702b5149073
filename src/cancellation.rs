// SPDX-License-Identifier: LGPL-2.1-or-later

//! pthread_cancel(3): a thread can be cancelled where it waits, and nowhere else in the library.
//!
//! Cancellation unwinds the stack. It must not reach a value with a destructor, or a function
//! that catches panics.

use std::mem::MaybeUninit;

use libc::{c_int, c_void};

// <pthread.h>
const PTHREAD_CANCEL_DISABLE: c_int = 1;

/// `struct _pthread_cleanup_buffer`, and `struct __ptcb` of musl. Four words at most.
type CleanupBuffer = MaybeUninit<[usize; 8]>;

/// A cleanup handler for a cancelled thread.
pub type Cleanup = unsafe extern "C" fn(*mut c_void);

extern "C-unwind" {
    fn pthread_setcancelstate(state: c_int, old: *mut c_int) -> c_int;
}

// The C macro pthread_cleanup_push(3) consists of these.
extern "C" {
    fn _pthread_cleanup_push(buffer: *mut CleanupBuffer, cleanup: Cleanup, argument: *mut c_void);
    fn _pthread_cleanup_pop(buffer: *mut CleanupBuffer, execute: c_int);
}

/// The thread's previous cancellation state, as the program has set it.
#[derive(Debug, Clone, Copy)]
pub struct PreviousState(c_int);

/// Disables cancellation of this thread. Pass the result to [`restore`].
pub fn disable() -> PreviousState {
    let mut old = 0;
    // SAFETY: the pointer refers to `old`. It does not fail for a valid state.
    unsafe { pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &raw mut old) };
    PreviousState(old)
}

/// Restores the program's cancellation state.
pub fn restore(previous: PreviousState) {
    // SAFETY: the thread had this state before.
    unsafe { pthread_setcancelstate(previous.0, std::ptr::null_mut()) };
}

/// Calls `wait`, during which the thread can be cancelled if the program's state allows it. On
/// cancellation, `cleanup` is called with `argument`, on this thread, before it ends.
///
/// # Safety
///
/// No frame between the program and the system call may need anything done when it is unwound. It
/// must be sound to call `cleanup` with `argument` until this returns.
pub unsafe fn wait(
    previous: PreviousState,
    cleanup: Cleanup,
    argument: *mut c_void,
    wait: impl FnOnce(),
) {
    let mut buffer = CleanupBuffer::uninit();
    // SAFETY: the buffer is on this stack until it is popped.
    unsafe { _pthread_cleanup_push(&raw mut buffer, cleanup, argument) };
    restore(previous);
    wait();
    disable();
    // SAFETY: this pops the buffer pushed last.
    unsafe { _pthread_cleanup_pop(&raw mut buffer, 0) };
}

/// Disables cancellation of this thread while it exists.
#[derive(Debug)]
pub struct CancellationDisabled(PreviousState);

impl CancellationDisabled {
    /// Disables cancellation.
    #[must_use]
    pub fn new() -> Self {
        CancellationDisabled(disable())
    }
}

impl Default for CancellationDisabled {
    fn default() -> Self {
        CancellationDisabled::new()
    }
}

impl Drop for CancellationDisabled {
    fn drop(&mut self) {
        restore(self.0);
    }
}
