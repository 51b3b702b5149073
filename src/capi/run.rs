// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs a call that waits, and makes its blocking system calls.

use std::any::Any;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use libc::c_void;

use crate::cancellation;
use crate::handle::Suspension;

type Ended<T> = Result<T, Box<dyn Any + Send>>;

/// Runs a future that leaves its blocking system calls to `suspension`. Returns its result or
/// its panic.
///
/// The thread may be cancelled while it waits. So neither this frame nor those above it may need
/// anything done when they are unwound.
pub(super) fn run<F: Future>(suspension: &Suspension, call: F) -> Ended<F::Output> {
    let mut call = ManuallyDrop::new(call);
    let place: *mut F = &raw mut *call;
    let mut ended = ManuallyDrop::new(None);
    let previous = cancellation::disable();
    // SAFETY: the future stays in place until it has ended, and nothing else uses it.
    while !unsafe { poll_once(place, &mut ended) } {
        // SAFETY: no value from the C function down to the system call has a destructor; in this
        // function, because of `ManuallyDrop`. If the thread is cancelled, the call has not
        // ended, and is not used again.
        unsafe { cancellation::wait(previous, drop_call::<F>, place.cast(), || suspension.make()) };
    }
    cancellation::restore(previous);
    match ManuallyDrop::into_inner(ended) {
        Some(ended) => ended,
        None => unreachable!("the call has ended"),
    }
}

/// Polls the call until it waits or ends. Returns true if it has ended; it is then dropped.
///
/// # Safety
///
/// `call` must be valid, must not have ended, and must never be moved.
unsafe fn poll_once<F: Future>(call: *mut F, ended: &mut Option<Ended<F::Output>>) -> bool {
    let step = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by the contract of this function.
        let pinned = unsafe { Pin::new_unchecked(&mut *call) };
        let step = pinned.poll(&mut Context::from_waker(Waker::noop()));
        if step.is_ready() {
            // SAFETY: as above.
            unsafe { call.drop_in_place() };
        }
        step
    }));
    match step {
        Ok(Poll::Pending) => return false,
        Ok(Poll::Ready(result)) => *ended = Some(Ok(result)),
        Err(panic) => *ended = Some(Err(panic)),
    }
    true
}

/// Drops the call of a cancelled thread.
unsafe extern "C" fn drop_call<F: Future>(call: *mut c_void) {
    // If this panics, the connection is already dead.
    // SAFETY: `run` has passed its call.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe {
        call.cast::<F>().drop_in_place()
    }));
}
