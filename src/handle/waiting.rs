// SPDX-License-Identifier: LGPL-2.1-or-later

//! Waiting for the server, or for the thread that waits for the server.

use std::io;
use std::time::{Duration, Instant};

use libc::{c_int, POLLIN, POLLOUT};
use scopeguard::{guard, ScopeGuard};

use super::admission::Access;
use super::call::Call;
use super::drive::Ready;
use super::interruption::Stop;
use super::link::Receive;
use super::turns::{Goal, Holder};
use crate::error::Error;
use crate::machine::State;
use crate::transport::blocking::{milliseconds_until, Blocking, Poll};

/// The sleep in milliseconds of a thread that cannot be woken, because the process has no free
/// descriptor.
const SLEEP_WITHOUT_WAKER: c_int = 10;

/// The reason for a wake-up.
pub(super) enum WakeReason {
    /// Its event may have happened.
    Woken,
    /// The second descriptor of nbd_poll2(3) is readable.
    Extra,
    /// Timeout.
    Timeout,
}

/// Makes the error of a failed poll(2).
fn failed(errno: c_int) -> Error {
    Error::system("poll", &io::Error::from_raw_os_error(errno))
}

impl Ready {
    /// Converts the result of poll(2); `None` on timeout.
    fn from_result(poll: &Blocking, result: Result<usize, c_int>) -> Result<Option<Ready>, Error> {
        Ok(match poll {
            Blocking::Poll(poll) if result.map_err(failed)? > 0 => Some(Ready {
                events: poll.events(0),
                extra: poll.events(1) != 0,
            }),
            _ => None,
        })
    }
}

impl Call<'_> {
    /// Waits until the descriptor is ready and handles the event, with the lock held.
    async fn wait_locked(&mut self) -> Result<(), Stop> {
        let Some((fd, events)) = self.before_polling()? else {
            return Ok(());
        };
        let timeout = self.limits().time_left()?;
        self.publish_state();
        let mut poll = Blocking::Poll(Poll::new(timeout).and(fd, events));
        let result = self.wait(&mut poll).await;
        let ready = Ready::from_result(&poll, result);
        self.log_poll(&ready);
        let ready = ready?;
        self.after_polling(ready)?;
        Ok(())
    }

    /// Logs the result of poll(2).
    fn log_poll(&self, ready: &Result<Option<Ready>, Error>) {
        if self.report.shared.debug_enabled() {
            let (result, revents) = match ready {
                Ok(Some(ready)) => (1, ready.events),
                Ok(None) => (0, 0),
                Err(_) => (-1, 0),
            };
            self.report
                .debug(format_args!("poll end: r={result} revents={revents:x}"));
        }
    }

    /// Waits for the events of `before_polling` and handles them, with the turn and with the lock
    /// released; or until `extra` is readable, or for `timeout` milliseconds. Returns false on
    /// timeout, and `None` if a call with exclusive access has to receive.
    async fn poll_with_turn(
        &mut self,
        (fd, events): (c_int, i16),
        extra: c_int,
        timeout: c_int,
    ) -> Result<Option<bool>, Error> {
        let poll = Poll::new(timeout).and(fd, events);
        let mut poll = Blocking::Poll(match extra {
            0.. => poll.and(extra, POLLIN),
            _ => poll,
        });
        let mut turn = guard(&mut *self, |call| {
            call.cancelled();
            // The threads concerned see the error themselves.
            let _ = call.resume();
        });
        turn.turns.holder = Holder::Polling {
            until_writable: events & POLLOUT != 0,
        };
        let result = turn.wait_unlocked(&mut poll).await;
        ScopeGuard::into_inner(turn);
        let ready = Ready::from_result(&poll, result);
        self.log_poll(&ready);
        self.resume()?;
        let ready = ready?;
        if !self.turns.turn_is_free() {
            return Ok(match ready {
                Some(ready) if !ready.extra => None,
                ready => Some(ready.is_some()),
            });
        }
        self.after_polling(ready).map(Some)
    }

    /// Waits for the next reply message, with the turn, and with the lock released.
    async fn receive_with_turn(&mut self) -> Result<(), Stop> {
        let interruptible = !self.limits().limit.is_none();
        if let Some(receive) = self.before_receiving(interruptible)? {
            let mut blocking = receive.blocking();
            let mut turn = guard((&mut *self, receive), |(call, receive)| {
                call.cancelled_in_receive(receive);
            });
            turn.0.turns.holder = Holder::Receiving;
            let result = turn.0.wait_unlocked(&mut blocking).await;
            let (_, receive) = ScopeGuard::into_inner(turn);
            self.resume()?;
            if self.after_receiving(receive, result)? {
                return Ok(());
            }
        }
        match self.before_polling()? {
            Some(descriptor) => {
                let timeout = self.limits().time_left()?;
                self.poll_with_turn(descriptor, -1, timeout).await?;
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Waits for the next reply message with the lock held.
    async fn receive_locked(&mut self) -> Result<(), Stop> {
        let interruptible = !self.limits().limit.is_none();
        if let Some(receive) = self.before_receiving(interruptible)? {
            let mut blocking = receive.blocking();
            let mut alone = guard((&mut *self, receive), |(call, receive)| {
                call.cancelled_in_receive(receive);
            });
            let result = alone.0.wait(&mut blocking).await;
            let (_, receive) = ScopeGuard::into_inner(alone);
            if self.after_receiving(receive, result)? {
                return Ok(());
            }
        }
        self.wait_locked().await
    }

    /// Cleans up after the thread was cancelled while receiving. If it may have received data,
    /// the position in the stream is lost, and the connection ends.
    fn cancelled_in_receive(&mut self, receive: Receive) {
        let lost = match self.cancelled() {
            Some(Blocking::Receive(made)) => made.has_received(),
            _ => false,
        };
        if self.resume().is_err() {
            return;
        }
        if lost {
            let what = "the thread that received from the server was cancelled";
            self.end(Error::new(libc::ECANCELED, what).into());
        } else {
            // If this fails, it has already ended the connection.
            let _ = self.after_receiving(receive, Err(libc::EAGAIN));
        }
    }

    /// Sleeps until `goal` may be reached.
    pub(super) async fn sleep(
        &mut self,
        goal: Goal,
        extra: c_int,
        timeout: c_int,
    ) -> Result<WakeReason, Error> {
        let (id, waker) = self.turns.add_sleeper(goal);
        // The thread that has the turn may not be waiting until the socket is writable.
        let room = self.link.fd().filter(|_| self.waits_until_writable());
        let limit = match waker {
            Some(_) => timeout,
            None if (0..SLEEP_WITHOUT_WAKER).contains(&timeout) => timeout,
            None => SLEEP_WITHOUT_WAKER,
        };
        let poll = Poll::new(limit).and(waker.unwrap_or(-1), POLLIN);
        let poll = poll.and(room.unwrap_or(-1), POLLOUT).and(extra, POLLIN);
        let mut blocking = Blocking::Poll(poll);
        let mut sleeper = guard(&mut *self, |call| call.turns.remove_sleeper(id));
        let result = sleeper.wait_unlocked(&mut blocking).await;
        drop(sleeper);
        let ready = result.map_err(failed)? > 0;
        let happened = |number| matches!(&blocking, Blocking::Poll(it) if it.events(number) != 0);
        if happened(1) && self.waits_until_writable() {
            self.send_pending()?;
        }
        Ok(match ready {
            _ if happened(2) => WakeReason::Extra,
            false if limit == timeout => WakeReason::Timeout,
            _ => WakeReason::Woken,
        })
    }

    /// Sleeps without the possibility of cancellation.
    pub(super) fn sleep_without_cancellation(&mut self, goal: Goal) -> Result<WakeReason, Error> {
        self.without_cancellation(async |call| call.sleep(goal, -1, -1).await)
    }

    /// Sends the rest of the call's queued data, if the thread in nbd_poll(3) began to wait when
    /// nothing was queued, and so does not wait until the socket is writable.
    pub(super) fn send_for_poll(&mut self) {
        let for_reading = Holder::Polling {
            until_writable: false,
        };
        while self.turns.holder == for_reading
            && self.link.waits_until_writable()
            && !self.link.holds
        {
            if self.sleep_without_cancellation(Goal::EndOfTurn).is_err() {
                break;
            }
        }
    }

    /// nbd_poll(3), or nbd_poll2(3) if `fd` is not -1
    pub async fn poll(&mut self, fd: c_int, timeout: c_int) -> Result<c_int, Error> {
        let limit = u64::try_from(timeout).ok().filter(|limit| *limit > 0);
        let deadline = limit.map(|limit| Instant::now() + Duration::from_millis(limit));
        let timed_out = || deadline.map_or(timeout == 0, |deadline| deadline <= Instant::now());
        if self.completions.take_cancelled() {
            // The program may have checked that command just before another thread cancelled it.
            return Ok(1);
        }
        let before = self.completions.total();
        let mut left = timeout;
        loop {
            if self.turns.turn_is_free() {
                self.completions.forget_unpolled();
                let Some(descriptor) = self.before_polling()? else {
                    self.completions.forget_unpolled();
                    return Ok(1);
                };
                let ready = self.poll_with_turn(descriptor, fd, left).await?;
                self.limits().check_cancelled()?;
                if let Some(ready) = ready.filter(|ready| *ready || timed_out()) {
                    self.completions.forget_unpolled();
                    return Ok(c_int::from(ready));
                }
            } else if self.completions.take_unpolled() {
                // A command may have completed since the program last checked.
                return Ok(1);
            } else {
                let reason = self.sleep(Goal::Completion(before), fd, left).await?;
                self.limits().check_cancelled()?;
                match reason {
                    WakeReason::Extra => return Ok(1),
                    WakeReason::Timeout if timed_out() => return Ok(0),
                    WakeReason::Timeout | WakeReason::Woken => {}
                }
            }
            if self.completions.total() != before {
                self.completions.take_unpolled();
                return Ok(1);
            }
            if let Some(deadline) = deadline {
                left = milliseconds_until(deadline);
            }
        }
    }

    /// Calls `act` as soon as a synchronous call may run: when all earlier calls that exclude it
    /// are finished.
    pub(super) async fn admitted<R>(
        &mut self,
        access: Access,
        act: impl AsyncFnOnce(&mut Self) -> Result<R, Error>,
    ) -> Result<R, Error> {
        let ticket = self.turns.admissions.join(access)?;
        let mut visit = guard(self, |call| call.turns.admissions.leave(ticket));
        while !visit.turns.admissions.admits(ticket) {
            let timeout = visit.limits().time_left()?;
            visit.sleep(Goal::Admission(ticket), -1, timeout).await?;
            // After the end of a connection, no more calls may run.
            visit.check_state()?;
        }
        act(&mut visit).await
    }

    /// Waits until a synchronous command is complete, or until it should be checked again.
    pub(super) async fn wait_for_command(
        &mut self,
        cookie: u64,
        access: Access,
    ) -> Result<(), Stop> {
        let goal = match (self.turns.turn_is_held(), access) {
            (false, Access::Exclusive) => return self.receive_locked().await,
            (false, _) => return self.receive_with_turn().await,
            // If this call received, it would not wake the thread in nbd_poll(3). So that thread
            // leaves first: it wakes when data arrives.
            (true, Access::Exclusive) => Goal::EndOfTurn,
            (true, _) => Goal::Command(cookie),
        };
        let timeout = self.limits().time_left()?;
        self.sleep(goal, -1, timeout).await?;
        Ok(())
    }

    /// Waits until the connection is established, or the option is complete.
    pub(super) async fn wait_while_connecting(&mut self) -> Result<(), Stop> {
        while self.state() == State::Connecting {
            self.wait_locked().await?;
        }
        Ok(())
    }

    /// Waits until the connection has ended.
    pub(super) async fn wait_until_ended(&mut self) -> Result<(), Stop> {
        while !matches!(self.state(), State::Closed | State::Dead) {
            self.wait_locked().await?;
        }
        Ok(())
    }
}
