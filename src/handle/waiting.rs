// SPDX-License-Identifier: LGPL-2.1-or-later

//! Calls that wait: for the server, or for the thread that waits for it.

use std::time::{Duration, Instant};

use libc::{c_int, pollfd, POLLIN, POLLOUT};

use super::admission::{Access, Ticket};
use super::call::Call;
use super::turns::{Goal, Holder};
use crate::error::Error;
use crate::machine::State;
use crate::transport;

/// How long a thread sleeps that nothing can wake, because the process has no
/// descriptor left, in milliseconds.
const NAP: c_int = 10;

/// Why a thread is awake.
pub(super) enum Awake {
    /// It may have what it sleeps for.
    Woken,
    /// The second descriptor of nbd_poll2(3) can be read.
    Extra,
    /// Its time is up.
    TimeIsUp,
}

impl Call<'_> {
    /// Waits until the descriptor is ready and handles that, with the lock held.
    fn wait_alone(&mut self) -> Result<(), Error> {
        let Some((fd, events)) = self.before_polling()? else {
            return Ok(());
        };
        self.settle();
        let ready = transport::wait::poll(fd, events, None, -1);
        let ready = ready.map_err(|error| Error::system("poll", &error))?;
        self.after_polling(ready).map(drop)
    }

    /// The same for a thread that has the turn, with the lock released; or until `extra`
    /// can be read, or for `timeout` milliseconds. False if the time was up. None if
    /// what has arrived is left to a call that has the handle to itself.
    fn poll_in_turn(&mut self, extra: c_int, timeout: c_int) -> Result<Option<bool>, Error> {
        let Some((fd, events)) = self.before_polling()? else {
            return Ok(Some(true));
        };
        let extra = (extra >= 0).then_some(extra);
        self.turns.holder = Holder::Polls {
            for_room: events & POLLOUT != 0,
        };
        let ready = self.unlocked(|| transport::wait::poll(fd, events, extra, timeout));
        self.woken()?;
        let ready = ready.map_err(|error| Error::system("poll", &error))?;
        if !self.turns.are_free() {
            return Ok(match ready {
                Some(ready) if !ready.extra => None,
                ready => Some(ready.is_some()),
            });
        }
        self.after_polling(ready).map(Some)
    }

    /// Waits for the next reply message, with the turn and the lock released.
    fn receive_in_turn(&mut self) -> Result<(), Error> {
        if let Some(mut receive) = self.before_receiving()? {
            self.turns.holder = Holder::Receives;
            let result = self.unlocked(|| receive.wait());
            self.woken()?;
            if self.after_receiving(receive, result)? {
                return Ok(());
            }
        }
        self.poll_in_turn(-1, -1).map(drop)
    }

    /// The same with the lock held.
    fn receive_alone(&mut self) -> Result<(), Error> {
        if let Some(mut receive) = self.before_receiving()? {
            let result = receive.wait();
            if self.after_receiving(receive, result)? {
                return Ok(());
            }
        }
        self.wait_alone()
    }

    /// Sleeps until there is reason to look again.
    pub(super) fn sleep(
        &mut self,
        goal: Goal,
        extra: c_int,
        timeout: c_int,
    ) -> Result<Awake, Error> {
        let (id, waker) = self.turns.lie_down(goal);
        // The thread that has the turn may be unable to notice that there is room.
        let room = self.link.fd().filter(|_| self.link.waits_for_room());
        let entry = |fd: Option<c_int>, events| pollfd {
            fd: fd.unwrap_or(-1),
            events,
            revents: 0,
        };
        let mut fds = [
            entry(waker, POLLIN),
            entry(room, POLLOUT),
            entry(Some(extra), POLLIN),
        ];
        let limit = match waker {
            Some(_) => timeout,
            None if (0..NAP).contains(&timeout) => timeout,
            None => NAP,
        };
        let ready = self.unlocked(|| transport::wait::poll_all(&mut fds, limit));
        self.turns.get_up(id);
        let ready = ready.map_err(|error| Error::system("poll", &error))?;
        if fds[1].revents != 0 && self.link.waits_for_room() {
            self.send_waiting()?;
        }
        Ok(match ready {
            _ if fds[2].revents != 0 => Awake::Extra,
            false if limit == timeout => Awake::TimeIsUp,
            _ => Awake::Woken,
        })
    }

    /// Sends the rest of what the call has queued, where a thread is in nbd_poll(3) that
    /// began to wait when there was nothing to send, and so does not wait for room.
    pub(super) fn send_for_poll(&mut self) {
        let not_for_room = Holder::Polls { for_room: false };
        while self.turns.holder == not_for_room && self.link.waits_for_room() {
            if self.sleep(Goal::EndOfTurn, -1, -1).is_err() {
                break;
            }
        }
    }

    /// nbd_poll(3); with a descriptor `fd` that is not -1, nbd_poll2(3)
    pub fn poll(&mut self, fd: c_int, timeout: c_int) -> Result<c_int, Error> {
        let limit = u64::try_from(timeout).ok().filter(|limit| *limit > 0);
        let deadline = limit.map(|limit| Instant::now() + Duration::from_millis(limit));
        let before = self.completions.total();
        let mut left = timeout;
        loop {
            if self.turns.are_free() {
                self.completions.forget_unpolled();
                if let Some(ready) = self.poll_in_turn(fd, left)? {
                    self.completions.forget_unpolled();
                    return Ok(c_int::from(ready));
                }
            } else if self.completions.take_unpolled() {
                // A command may have completed since the program looked.
                return Ok(1);
            } else {
                match self.sleep(Goal::Completion(before), fd, left)? {
                    Awake::Extra => return Ok(1),
                    Awake::TimeIsUp => return Ok(0),
                    Awake::Woken => {}
                }
            }
            if self.completions.total() != before {
                self.completions.take_unpolled();
                return Ok(1);
            }
            if let Some(deadline) = deadline {
                let time = deadline.saturating_duration_since(Instant::now());
                // Rounded up, so as not to wake just before the time is over.
                left = time.as_micros().div_ceil(1000) as c_int;
            }
        }
    }

    /// Waits until a synchronous call may run, which is until those that came before it
    /// and must not run with it are over.
    pub(super) fn admit(&mut self, access: Access) -> Result<Ticket, Error> {
        let ticket = self.turns.admissions.join(access);
        while !self.turns.admissions.admits(ticket) {
            let slept = self.sleep(Goal::Admission(ticket), -1, -1);
            // A connection that has ended lets no more calls in.
            if let Err(error) = slept.and_then(|_| self.check_state()) {
                self.turns.admissions.leave(ticket);
                return Err(error);
            }
        }
        Ok(ticket)
    }

    /// A synchronous call is over.
    pub(super) fn leave(&mut self, ticket: Ticket) {
        self.turns.admissions.leave(ticket);
    }

    /// Waits for the end of a synchronous command, or for a reason to look whether it
    /// has come.
    pub(super) fn wait_for_command(&mut self, cookie: u64, access: Access) -> Result<(), Error> {
        if access == Access::Alone {
            if !self.turns.are_held() {
                return self.receive_alone();
            }
            // What this call receives does not wake a thread in nbd_poll(3), so that
            // leaves first: what arrives wakes it.
            return self.sleep(Goal::EndOfTurn, -1, -1).map(drop);
        }
        if self.turns.are_held() {
            return self.sleep(Goal::Command(cookie), -1, -1).map(drop);
        }
        self.receive_in_turn()
    }

    /// Waits until the connection is made, or the option is done.
    pub(super) fn wait_while_connecting(&mut self) -> Result<(), Error> {
        while self.state() == State::Connecting {
            self.wait_alone()?;
        }
        Ok(())
    }

    /// Waits until the connection has ended.
    pub(super) fn wait_until_ended(&mut self) -> Result<(), Error> {
        while !matches!(self.state(), State::Closed | State::Dead) {
            self.wait_alone()?;
        }
        Ok(())
    }
}
