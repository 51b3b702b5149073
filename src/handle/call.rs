// SPDX-License-Identifier: LGPL-2.1-or-later

//! A call on a connection, which has its lock.

use std::ffi::CStr;
use std::future::Future;
use std::mem::ManuallyDrop;
use std::ops::{Deref, DerefMut};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};
use std::thread;

use libc::c_int;

use super::connection::Connection;
use super::lock::LockGuard;
use super::pause::Pause;
use super::shared::Shared;
use super::turns::Wakes;
use crate::error::Error;
use crate::transport::blocking::Blocking;

/// A connection while a call has its lock. What [`super::Shared`] shows is up to date
/// when it is let go, and a thread that sleeps waits in its place.
pub struct Call<'a> {
    /// Dropped by hand, as there is something to do after that.
    connection: ManuallyDrop<LockGuard<'a, Connection>>,
    owner: &'a Owner,
    function: &'static dyn Function,
    /// Who makes the system calls that wait, if not the call itself.
    pause: Option<&'a Pause>,
    /// A panic that was there before the call is none of it.
    was_panicking: bool,
}

/// The API function that is called.
pub trait Function: Sync {
    /// Its name in C.
    fn name(&self) -> &'static CStr;

    /// Whether the state of the handle allows the call.
    fn check_state(&self, shared: &Shared) -> Result<(), Error>;
}

/// The thread that has the lock. Only that thread compares it with itself.
#[derive(Debug, Default)]
pub(super) struct Owner(AtomicUsize);

impl Owner {
    /// Whether the calling thread is in a call on the handle, which is so in callbacks.
    pub fn is_this_thread(&self) -> bool {
        self.0.load(Ordering::Relaxed) == this_thread()
    }
}

/// A number of the calling thread's own, never 0.
fn this_thread() -> usize {
    // SAFETY: always allowed.
    unsafe { libc::pthread_self() as usize }
}

impl<'a> Call<'a> {
    pub(super) fn new(
        mut connection: LockGuard<'a, Connection>,
        owner: &'a Owner,
        function: &'static dyn Function,
    ) -> Self {
        begin(&mut connection, owner, function);
        Call {
            connection: ManuallyDrop::new(connection),
            owner,
            function,
            pause: None,
            was_panicking: thread::panicking(),
        }
    }

    pub(super) fn leaving_waits_to(mut self, pause: &'a Pause) -> Self {
        self.pause = Some(pause);
        self
    }

    /// Whether the state of the handle allows the call, now that others have been in it.
    pub(super) fn check_state(&self) -> Result<(), Error> {
        self.function.check_state(&self.connection.report.shared)
    }

    /// Makes a system call that waits, with the lock held. Its result, or the errno.
    pub(super) async fn wait(&mut self, blocking: &mut Blocking) -> Result<usize, c_int> {
        match self.pause {
            Some(pause) => pause.leave(blocking).await,
            None => blocking.make(),
        }
    }

    /// The same with the lock released.
    pub(super) async fn wait_unlocked(&mut self, blocking: &mut Blocking) -> Result<usize, c_int> {
        Unlocked::new(self).0.wait(blocking).await
    }

    /// Does something that may wait, and makes the system calls itself: the thread cannot
    /// be cancelled meanwhile.
    pub(super) fn at_once<R>(&mut self, act: impl AsyncFnOnce(&mut Self) -> R) -> R {
        let pause = self.pause.take();
        let result = match pin!(act(self)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => unreachable!("the call makes its system calls itself"),
        };
        self.pause = pause;
        result
    }

    /// The thread has been cancelled: what is left to be done is done without a further
    /// chance of that. The system call in which it was.
    pub(super) fn cancelled(&mut self) -> Option<Blocking> {
        self.pause.take().and_then(Pause::cancelled)
    }

    fn let_go(&mut self) -> Wakes {
        let connection = &mut **self.connection;
        connection.settle();
        self.owner.0.store(0, Ordering::Relaxed);
        connection
            .turns
            .wakes(&connection.completions, &connection.link)
    }
}

/// The thread has the lock, for a call of that function.
fn begin(connection: &mut Connection, owner: &Owner, function: &'static dyn Function) {
    owner.0.store(this_thread(), Ordering::Relaxed);
    connection.report.context = function.name();
}

/// A call that does not have the lock, until this is dropped.
struct Unlocked<'c, 'a>(&'c mut Call<'a>);

impl<'c, 'a> Unlocked<'c, 'a> {
    fn new(call: &'c mut Call<'a>) -> Self {
        let wakes = call.let_go();
        // SAFETY: the call has the lock; and until it has it again, its guard is not used:
        // it is borrowed, and only for waiting.
        unsafe { LockGuard::mutex(&call.connection).force_unlock() };
        drop(wakes);
        Unlocked(call)
    }
}

impl Drop for Unlocked<'_, '_> {
    fn drop(&mut self) {
        let call = &mut *self.0;
        std::mem::forget(LockGuard::mutex(&call.connection).lock());
        begin(&mut call.connection, call.owner, call.function);
    }
}

impl Deref for Call<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        &self.connection
    }
}

impl DerefMut for Call<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if !self.was_panicking && thread::panicking() {
            self.poison();
        }
        let wakes = self.let_go();
        // SAFETY: nothing uses the guard any more.
        unsafe { ManuallyDrop::drop(&mut self.connection) };
        // The threads need the lock.
        drop(wakes);
    }
}
