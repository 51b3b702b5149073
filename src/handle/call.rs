// SPDX-License-Identifier: LGPL-2.1-or-later

//! Calls on a connection, with its lock held.

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
use super::interruption::{Limit, Limits};
use super::lock::LockGuard;
use super::shared::Shared;
use super::suspension::Suspension;
use super::turns::PendingWakes;
use crate::error::Error;
use crate::transport::blocking::Blocking;

/// A call that holds the lock. When the lock is released, [`super::Shared`] is up to date, and a
/// sleeping thread has been chosen to wait for the server.
pub struct Call<'a> {
    /// Dropped explicitly, since more work follows.
    connection: ManuallyDrop<LockGuard<'a, Connection>>,
    owner: &'a LockOwner,
    function: &'static dyn Function,
    /// Makes the blocking system calls, if the call does not make them itself.
    suspension: Option<&'a Suspension>,
    limit: Limit,
    /// True if the thread was already panicking when the call started.
    was_panicking: bool,
}

/// The API function of a call.
pub trait Function: Sync {
    /// Returns the name in C.
    fn name(&self) -> &'static CStr;

    /// Checks that the state of the handle allows the call.
    fn check_state(&self, shared: &Shared) -> Result<(), Error>;
}

/// The thread that holds the lock. A thread compares it only with itself.
#[derive(Debug, Default)]
pub(super) struct LockOwner(AtomicUsize);

impl LockOwner {
    /// Returns true if the calling thread is in a call on the handle, for example in a callback.
    pub fn is_this_thread(&self) -> bool {
        self.0.load(Ordering::Relaxed) == this_thread()
    }
}

/// Returns a number that is unique to the calling thread, and not 0.
fn this_thread() -> usize {
    // SAFETY: always allowed.
    unsafe { libc::pthread_self() as usize }
}

impl<'a> Call<'a> {
    pub(super) fn new(
        mut connection: LockGuard<'a, Connection>,
        owner: &'a LockOwner,
        function: &'static dyn Function,
    ) -> Self {
        begin(&mut connection, owner, function);
        Call {
            connection: ManuallyDrop::new(connection),
            owner,
            function,
            suspension: None,
            limit: Limit::default(),
            was_panicking: thread::panicking(),
        }
    }

    pub(super) fn waiting(mut self, suspension: &'a Suspension, limit: Limit) -> Self {
        self.suspension = Some(suspension);
        self.limit = limit;
        self
    }

    /// Checks the state again, after other calls have held the lock.
    pub(super) fn check_state(&self) -> Result<(), Error> {
        self.function.check_state(&self.connection.report.shared)
    }

    /// Makes a blocking system call with the lock held. Returns its result, or the errno. If the
    /// call is interrupted, poll(2) returns early.
    pub(super) async fn wait(&mut self, blocking: &mut Blocking) -> Result<usize, c_int> {
        let Some(watch) = Watch::begin(self, blocking) else {
            return Ok(0);
        };
        let result = make(watch.call.suspension, blocking).await;
        watch.end(blocking, result)
    }

    /// Makes a blocking system call with the lock released.
    pub(super) async fn wait_unlocked(&mut self, blocking: &mut Blocking) -> Result<usize, c_int> {
        let Some(watch) = Watch::begin(self, blocking) else {
            return Ok(0);
        };
        let result = Unlocked::new(watch.call).make(blocking).await;
        watch.end(blocking, result)
    }

    /// Returns the limit of the call.
    pub(super) fn limits(&self) -> Limits<'_> {
        Limits {
            limit: self.limit,
            interruptions: self.report.shared.interruptions(),
        }
    }

    /// Runs `act` and makes the blocking system calls directly, so the call can neither be
    /// cancelled nor interrupted meanwhile.
    pub(super) fn without_cancellation<R>(&mut self, act: impl AsyncFnOnce(&mut Self) -> R) -> R {
        let suspension = self.suspension.take();
        let limit = std::mem::take(&mut self.limit);
        let result = match pin!(act(self)).poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(result) => result,
            Poll::Pending => unreachable!("the call makes its system calls itself"),
        };
        (self.suspension, self.limit) = (suspension, limit);
        result
    }

    /// Prepares for cleaning up after the thread was cancelled: no further cancellation is
    /// possible. Returns the interrupted system call.
    pub(super) fn cancelled(&mut self) -> Option<Blocking> {
        self.suspension.take().and_then(Suspension::cancelled)
    }

    /// Prepares for cleaning up after an interruption: no further one is possible.
    pub(super) fn interrupted(&mut self) {
        self.limit = Limit::default();
    }

    fn before_unlock(&mut self) -> PendingWakes {
        let connection = &mut **self.connection;
        connection.publish_state();
        self.owner.0.store(0, Ordering::Relaxed);
        connection
            .turns
            .pending_wakes(&connection.completions, &connection.link)
    }
}

async fn make(suspension: Option<&Suspension>, blocking: &mut Blocking) -> Result<usize, c_int> {
    match suspension {
        Some(suspension) => suspension.wait(blocking).await,
        None => blocking.make(),
    }
}

/// Records that this thread holds the lock, for a call of `function`.
fn begin(connection: &mut Connection, owner: &LockOwner, function: &'static dyn Function) {
    owner.0.store(this_thread(), Ordering::Relaxed);
    connection.report.context = function.name();
}

/// Polls the descriptor of nbd_ext_cancel(3), too, until it is dropped.
struct Watch<'c, 'a> {
    call: &'c mut Call<'a>,
    watches: bool,
    woken: bool,
}

impl<'c, 'a> Watch<'c, 'a> {
    /// Starts to wait, unless the call was cancelled.
    fn begin(call: &'c mut Call<'a>, blocking: &mut Blocking) -> Option<Self> {
        let mut watch = Watch {
            call,
            watches: false,
            woken: false,
        };
        if let (false, Blocking::Poll(poll)) = (watch.call.limit.is_none(), blocking) {
            let limit = watch.call.limit;
            let connection = &mut **watch.call;
            let interruptions = connection.report.shared.interruptions();
            let limits = Limits {
                limit,
                interruptions,
            };
            watch.watches = limits.watch(&mut connection.watchers, poll);
            limits.check_cancelled().ok()?;
        }
        Some(watch)
    }

    /// Returns the result without the watched descriptor.
    fn end(
        mut self,
        blocking: &mut Blocking,
        result: Result<usize, c_int>,
    ) -> Result<usize, c_int> {
        if let (true, Blocking::Poll(poll)) = (self.watches, blocking) {
            self.woken = poll.pop();
        }
        result.map(|count| count - usize::from(self.woken))
    }
}

impl Drop for Watch<'_, '_> {
    fn drop(&mut self) {
        if self.watches {
            self.call.watchers.leave(self.woken);
        }
    }
}

/// Releases the lock until it is dropped.
struct Unlocked<'c, 'a>(&'c mut Call<'a>);

impl<'c, 'a> Unlocked<'c, 'a> {
    fn new(call: &'c mut Call<'a>) -> Self {
        let wakes = call.before_unlock();
        // SAFETY: the call holds the lock. Until it holds it again, the guard is not used: it is
        // borrowed, and only for waiting.
        unsafe { LockGuard::mutex(&call.connection).force_unlock() };
        drop(wakes);
        Unlocked(call)
    }
}

impl Unlocked<'_, '_> {
    async fn make(&mut self, blocking: &mut Blocking) -> Result<usize, c_int> {
        make(self.0.suspension, blocking).await
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
        let wakes = self.before_unlock();
        // SAFETY: the guard is not used again.
        unsafe { ManuallyDrop::drop(&mut self.connection) };
        // After the lock is released, since the woken threads need it first.
        drop(wakes);
    }
}
