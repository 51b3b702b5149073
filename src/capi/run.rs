// SPDX-License-Identifier: LGPL-2.1-or-later

//! Runs a call that waits, and waits for it.

use std::any::Any;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use libc::c_void;

use crate::cancellation;
use crate::handle::Pause;

type Ended<T> = Result<T, Box<dyn Any + Send>>;

/// The result of a call that leaves its waiting to `pause`, or its panic.
///
/// The thread may end here, while it waits. So there must be nothing to be done when this
/// frame is unwound, nor those above it.
pub(super) fn run<F: Future>(pause: &Pause, call: F) -> Ended<F::Output> {
    let mut call = ManuallyDrop::new(call);
    let place: *mut F = &raw mut *call;
    let mut ended = ManuallyDrop::new(None);
    let choice = cancellation::forbid();
    // SAFETY: the call stays where it is until it has ended, and nothing else uses it.
    while !unsafe { goes_on(place, &mut ended) } {
        // SAFETY: no value from the C function down to the system call has a destructor,
        // this function's not because of `ManuallyDrop`. If the thread is cancelled, the
        // call has not ended, and is not used any more.
        unsafe { cancellation::wait(choice, give_up::<F>, place.cast(), || pause.make()) };
    }
    cancellation::restore(choice);
    match ManuallyDrop::into_inner(ended) {
        Some(ended) => ended,
        None => unreachable!("the call has ended"),
    }
}

/// Lets the call go on until it waits or has ended. Whether it has, and is gone.
///
/// # Safety
///
/// It is a call that has not ended, which nobody moves.
unsafe fn goes_on<F: Future>(call: *mut F, ended: &mut Option<Ended<F::Output>>) -> bool {
    let step = catch_unwind(AssertUnwindSafe(|| {
        // SAFETY: by the promise of the caller.
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

/// The thread is cancelled, and the call with it.
unsafe extern "C" fn give_up<F: Future>(call: *mut c_void) {
    // A panic has ended the connection.
    // SAFETY: `run` has passed its call.
    let _ = catch_unwind(AssertUnwindSafe(|| unsafe {
        call.cast::<F>().drop_in_place()
    }));
}
