// SPDX-License-Identifier: LGPL-2.1-or-later

//! A blocking system call that is left to the caller.
//!
//! A call that waits is a future. When its caller makes the system call, no code of the library
//! is active on the stack of the thread, so pthread_cancel(3) can end the thread there. The call
//! then ends like any future: it is dropped.

use std::cell::Cell;
use std::future::poll_fn;
use std::task::Poll;

use libc::c_int;

use crate::transport::blocking::Blocking;

/// A place for the blocking system call that a future leaves to its caller.
#[derive(Default)]
pub struct Suspension {
    blocking: Cell<Option<Blocking>>,
    result: Cell<Option<Result<usize, c_int>>>,
}

impl Suspension {
    /// Makes the system call.
    #[allow(unsafe_code)]
    pub fn make(&self) {
        // SAFETY: only this thread uses it, and not before the system call has ended.
        let blocking = unsafe { &mut *self.blocking.as_ptr() };
        self.result.set(blocking.as_mut().map(Blocking::make));
    }

    /// Leaves the system call to the caller. Returns its result, or the errno.
    pub(super) async fn wait(&self, blocking: &mut Blocking) -> Result<usize, c_int> {
        self.result.set(None);
        self.blocking.set(Some(*blocking));
        let result = poll_fn(|_| match self.result.get() {
            Some(result) => Poll::Ready(result),
            None => Poll::Pending,
        });
        let result = result.await;
        if let Some(made) = self.blocking.take() {
            *blocking = made;
        }
        result
    }

    /// Returns the system call in which the thread was cancelled.
    pub(super) fn cancelled(&self) -> Option<Blocking> {
        self.blocking.take()
    }
}
