// SPDX-License-Identifier: LGPL-2.1-or-later

//! Interruption of calls that wait: after a time limit (nbd_ext_set_timeout(3)), or by another
//! thread or a signal handler (nbd_ext_cancel(3)).
//!
//! A call that can be interrupted waits in poll(2) only. If it can be cancelled, it also polls an
//! eventfd, which nbd_ext_cancel writes after it has counted. A call is cancelled if the count has
//! changed since the call began, so that the eventfd may wake calls that began later.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering::SeqCst};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libc::c_int;

use crate::error::Error;
use crate::transport::blocking::{milliseconds_until, Poll};
use crate::transport::Waker;

/// The settings of a handle, and its cancellations. No lock is needed, so that nbd_ext_cancel may
/// be called in signal handlers.
#[derive(Debug, Default)]
pub struct Interruptions {
    /// In milliseconds; 0 is none.
    timeout: AtomicU32,
    cancellable: AtomicBool,
    waker: OnceLock<Waker>,
    /// Counts the calls of nbd_ext_cancel.
    cancelled: AtomicU32,
}

impl Interruptions {
    /// Returns the time limit in milliseconds, or 0 for none.
    pub fn timeout(&self) -> c_int {
        self.timeout.load(SeqCst) as c_int
    }

    /// nbd_ext_set_timeout(3)
    pub fn set_timeout(&self, milliseconds: c_int) -> Result<(), Error> {
        let timeout = u32::try_from(milliseconds).map_err(|_| {
            let what = format!("a timeout of {milliseconds} milliseconds is out of range");
            Error::new(libc::EINVAL, what)
        })?;
        self.timeout.store(timeout, SeqCst);
        Ok(())
    }

    /// Returns true if calls that begin now can be cancelled.
    pub fn is_cancellable(&self) -> bool {
        self.cancellable.load(SeqCst)
    }

    /// nbd_ext_set_cancellable(3)
    pub fn set_cancellable(&self, cancellable: bool) -> Result<(), Error> {
        if cancellable && self.waker.get().is_none() {
            let waker = Waker::new().map_err(|error| Error::system("eventfd", &error))?;
            // If another thread was faster, its waker is used.
            let _ = self.waker.set(waker);
        }
        self.cancellable.store(cancellable, SeqCst);
        Ok(())
    }

    /// nbd_ext_cancel(3): async-signal-safe. Returns false if calls cannot be cancelled.
    pub fn cancel(&self) -> bool {
        let waker = self.waker.get().filter(|_| self.is_cancellable());
        let Some(waker) = waker else {
            return false;
        };
        // In this order: see `Limits::watch`.
        self.cancelled.fetch_add(1, SeqCst);
        waker.wake();
        true
    }

    /// Wakes the threads whose calls can be cancelled, without cancelling them.
    pub(super) fn wake(&self) {
        if let Some(waker) = self.waker.get() {
            waker.wake();
        }
    }

    /// Returns the limit of a call that begins now.
    pub(super) fn begin(&self) -> Limit {
        let timeout = self.timeout.load(SeqCst);
        let time = (timeout > 0).then(|| {
            let deadline = Instant::now() + Duration::from_millis(timeout.into());
            (deadline, timeout)
        });
        let cancelled = self.is_cancellable().then(|| self.cancelled.load(SeqCst));
        Limit { time, cancelled }
    }

    /// Separates the child of fork(2) from its parent, which has the same eventfd.
    pub(super) fn reset_after_fork(&self) {
        if self.waker.get().is_some_and(|waker| !waker.renew()) {
            self.cancellable.store(false, SeqCst);
        }
    }
}

/// The limit of a call, and how it is reached.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits<'a> {
    pub limit: Limit,
    pub interruptions: &'a Interruptions,
}

/// The limit of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Limit {
    /// When it ends, and its length in milliseconds.
    time: Option<(Instant, u32)>,
    /// The number of cancellations before the call, if it can be cancelled.
    cancelled: Option<u32>,
}

impl Limit {
    /// Returns true if the call cannot be interrupted.
    pub fn is_none(&self) -> bool {
        self.time.is_none() && self.cancelled.is_none()
    }
}

impl Limits<'_> {
    /// Returns the time left in milliseconds for poll(2), or -1 without a limit. Fails if the
    /// call is to be interrupted now.
    pub fn time_left(&self) -> Result<c_int, Interrupt> {
        self.check_cancelled()?;
        let Some((deadline, timeout)) = self.limit.time else {
            return Ok(-1);
        };
        match milliseconds_until(deadline) {
            0 => Err(Interrupt::TimedOut(timeout)),
            left => Ok(left),
        }
    }

    /// Calls `attempt` with the time that it may take, again and again until it returns a value.
    pub fn until_some<T>(&self, attempt: impl Fn(Duration) -> Option<T>) -> Result<T, Interrupt> {
        loop {
            let time = match self.time_left()? {
                left @ 0..ATTEMPT => left,
                _ => ATTEMPT,
            };
            if let Some(value) = attempt(Duration::from_millis(time as u64)) {
                return Ok(value);
            }
        }
    }

    /// Fails if the call was cancelled.
    pub fn check_cancelled(&self) -> Result<(), Interrupt> {
        let now = || self.interruptions.cancelled.load(SeqCst);
        match self.limit.cancelled {
            Some(before) if before != now() => Err(Interrupt::Cancelled),
            _ => Ok(()),
        }
    }

    /// Adds the eventfd to the arguments of a call that is about to wait. Returns true if it was
    /// added; then the caller must call [`Watchers::leave`].
    ///
    /// After this, the caller must check again whether its call was cancelled: the eventfd wakes
    /// only for later cancellations, as it may have been reset.
    pub fn watch(&self, watchers: &mut Watchers, poll: &mut Poll) -> bool {
        match (self.limit.cancelled, self.interruptions.waker.get()) {
            (Some(cancelled), Some(waker)) => watchers.enter(waker, cancelled, poll),
            _ => false,
        }
    }
}

/// The reason for an interruption.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Interrupt {
    /// After this number of milliseconds.
    TimedOut(u32),
    /// By nbd_ext_cancel(3).
    Cancelled,
}

impl Interrupt {
    pub fn errno(self) -> c_int {
        match self {
            Interrupt::TimedOut(_) => libc::ETIMEDOUT,
            Interrupt::Cancelled => libc::ECANCELED,
        }
    }
}

impl From<Interrupt> for Error {
    fn from(interrupt: Interrupt) -> Error {
        match interrupt {
            Interrupt::TimedOut(timeout) => {
                let what = format!("not finished within {timeout} milliseconds");
                Error::new(libc::ETIMEDOUT, what)
            }
            Interrupt::Cancelled => Error::new(libc::ECANCELED, "nbd_ext_cancel was called"),
        }
    }
}

/// The reason why a call stops waiting.
#[derive(Debug)]
pub(super) enum Stop {
    /// It was interrupted. The connection is as before.
    Interrupted(Interrupt),
    /// The wait has failed, or the connection was lost.
    Failed(Error),
}

impl From<Interrupt> for Stop {
    fn from(interrupt: Interrupt) -> Stop {
        Stop::Interrupted(interrupt)
    }
}

impl From<Error> for Stop {
    fn from(error: Error) -> Stop {
        Stop::Failed(error)
    }
}

impl From<Stop> for Error {
    fn from(stop: Stop) -> Error {
        match stop {
            Stop::Interrupted(interrupt) => interrupt.into(),
            Stop::Failed(error) => error,
        }
    }
}

/// The maximum time in milliseconds without a look at the limit while a call waits for the lock.
const ATTEMPT: c_int = 10;

/// The time in milliseconds until a call tries again to poll the eventfd.
const RETRY: c_int = 1;

/// The threads that poll the eventfd. It is reset when none of them needs it any more, as all of
/// them are to wake.
#[derive(Debug, Default)]
pub(super) struct Watchers {
    count: usize,
    /// True if the eventfd was readable.
    woken: bool,
    /// The number of cancellations before the last reset.
    cancelled: u32,
}

impl Watchers {
    fn enter(&mut self, waker: &Waker, cancelled: u32, poll: &mut Poll) -> bool {
        if self.woken || self.cancelled != cancelled {
            if self.count > 0 {
                // The other threads are about to wake.
                poll.shorten(RETRY);
                return false;
            }
            waker.reset();
            (self.woken, self.cancelled) = (false, cancelled);
        }
        self.count += 1;
        poll.push(waker.fd());
        true
    }

    /// Records that a thread does not wait any more.
    pub fn leave(&mut self, woken: bool) {
        self.count -= 1;
        self.woken |= woken;
    }
}
