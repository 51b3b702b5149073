// SPDX-License-Identifier: LGPL-2.1-or-later

//! Model of `handle/call.rs`, `waiting.rs` and the parts of `connection.rs` and
//! `drive.rs` that they use: the same steps, with messages in place of bytes.

use std::collections::VecDeque;
use std::ops::{Deref, DerefMut};

use shuttle::sync::{Mutex, MutexGuard};
use shuttle::thread;

use crate::admission::{Access, Ticket};
use crate::completions::Completions;
use crate::link::{Kind, Link};
use crate::turns::{Goal, Holder, PendingWakes, Turns};
use crate::world::{Event, Received, Sent, Wait, DISCONNECT, EXTRA, WORLD};

/// The connection has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Lost;

/// The reason why a call stops.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    Lost,
    Cancelled,
}

impl From<Lost> for Stop {
    fn from(_: Lost) -> Self {
        Stop::Lost
    }
}

pub struct Handle(Mutex<Connection>);

impl Handle {
    pub fn new() -> Self {
        Handle(Mutex::new(Connection {
            turns: Turns::new(),
            completions: Completions::default(),
            link: Link::default(),
            unsent: VecDeque::new(),
            arrivals: VecDeque::new(),
            direct: None,
            ended: false,
            failed: false,
            last_cookie: DISCONNECT,
        }))
    }

    pub fn call(&self) -> Call<'_> {
        Call {
            connection: Some(self.0.lock().unwrap()),
            wakes: PendingWakes::default(),
            handle: self,
            cancellable: false,
        }
    }

    /// Begins a call whose thread may be cancelled while it waits.
    pub fn cancellable_call(&self) -> Call<'_> {
        let mut call = self.call();
        call.cancellable = true;
        call
    }

    /// Models nbd_aio_pread(3), followed by nbd_poll(3) until it completes;
    /// with a second descriptor, nbd_poll2(3).
    ///
    /// Checking and polling are one call here. In a program they are two, and
    /// if another thread completes the command in between, nbd_poll waits for
    /// something else.
    pub fn issue_and_poll(&self, extra: bool, limit: bool, cancellable: bool) {
        let Ok(cookie) = self.call().asynchronous() else {
            return;
        };
        let mut extra = extra;
        loop {
            let mut call = self.call();
            if call.completions.retire(cookie).is_some() {
                return;
            }
            call.cancellable = cancellable;
            match call.poll(extra, limit) {
                Ok(1) => {}
                Ok(0) => assert!(limit),
                Err(Stop::Cancelled) => return,
                _ => assert!(WORLD.may_end()),
            }
            // The descriptor stays readable, which would keep poll(2) from
            // waiting.
            extra = false;
        }
    }

    /// Checks that no thread is in a call.
    pub fn check_at_rest(&self) {
        let call = self.call();
        assert_eq!(call.turns.holder, Holder::None);
        call.link.machine.check_at_rest();
        assert!(!call.turns.admissions.exclusive_is_first());
    }
}

pub struct Connection {
    turns: Turns,
    completions: Completions,
    link: Link,
    unsent: VecDeque<u64>,
    /// Replies received and not yet handled.
    arrivals: VecDeque<u64>,
    /// The command whose buffer receives data directly.
    direct: Option<u64>,
    ended: bool,
    /// True after a failure: the connection ends once no thread receives.
    failed: bool,
    last_cookie: u64,
}

impl Connection {
    fn queue(&mut self, request: u64) {
        let waits = !self.unsent.is_empty();
        self.unsent.push_back(request);
        if !waits {
            _ = self.send();
        }
    }

    fn issue(&mut self, kind: Kind) -> Result<u64, Lost> {
        if self.ended {
            return Err(Lost);
        }
        self.last_cookie += 1;
        let cookie = self.last_cookie;
        self.link.machine.start(cookie, kind);
        self.queue(cookie);
        Ok(cookie)
    }

    fn send(&mut self) -> Result<(), Lost> {
        while let Some(request) = self.unsent.front() {
            match WORLD.send(*request) {
                Sent::All => _ = self.unsent.pop_front(),
                Sent::NoRoom => break,
                Sent::Broken => return Err(self.end()),
            }
        }
        Ok(())
    }

    fn is_in_flight(&self, cookie: u64) -> bool {
        self.link.machine.command(cookie).is_some()
    }

    fn end(&mut self) -> Lost {
        WORLD.shut_down();
        if self.turns.holder == Holder::Receiving {
            self.failed = true;
            return Lost;
        }
        self.ended = true;
        self.unsent.clear();
        self.arrivals.clear();
        self.completions.abandon_all(&mut self.link);
        Lost
    }

    fn resume(&mut self) -> Result<(), Lost> {
        self.turns.holder = Holder::None;
        match std::mem::take(&mut self.failed) {
            true => Err(self.end()),
            false => Ok(()),
        }
    }

    /// Handles one message.
    fn handle(&mut self, received: Option<Received>) -> Result<(), Lost> {
        match received {
            Some(Received::Replies(replies)) => self.arrivals.extend(replies),
            Some(Received::End) if self.arrivals.is_empty() => return Err(self.end()),
            Some(Received::End) | None => {}
        }
        if let Some(cookie) = self.arrivals.pop_front() {
            self.completions.complete(&mut self.link, cookie, Ok(()));
        }
        Ok(())
    }

    /// Returns `None` if it handled a waiting message instead.
    fn before_polling(&mut self) -> Result<Option<[Option<Event>; 2]>, Lost> {
        if self.ended {
            return Err(Lost);
        }
        if !self.arrivals.is_empty() {
            self.send()?;
            self.handle(None)?;
            return Ok(None);
        }
        let room = (!self.unsent.is_empty()).then_some(Event::Room);
        Ok(Some([Some(Event::Readable), room]))
    }

    fn after_polling(&mut self, readable: bool, room: bool) -> Result<(), Lost> {
        if self.ended {
            return Ok(());
        }
        if readable {
            let received = WORLD.try_receive();
            return self.handle(received);
        }
        if room {
            return self.send();
        }
        Ok(())
    }

    /// After a failure, free space does not matter.
    fn waits_until_writable(&self) -> bool {
        !self.unsent.is_empty() && !self.failed
    }

    fn may_receive(&self) -> bool {
        !self.ended && self.unsent.is_empty() && self.arrivals.is_empty()
    }
}

enum WakeReason {
    Woken,
    Extra,
    Timeout,
}

pub struct Call<'a> {
    connection: Option<MutexGuard<'a, Connection>>,
    wakes: PendingWakes,
    handle: &'a Handle,
    cancellable: bool,
}

impl Call<'_> {
    fn unlocked<R>(&mut self, wait: impl FnOnce() -> R) -> R {
        let wakes = self.before_unlock();
        self.connection = None;
        drop(wakes);
        let result = wait();
        self.connection = Some(self.handle.0.lock().unwrap());
        result
    }

    fn before_unlock(&mut self) -> PendingWakes {
        let connection = &mut **self;
        connection
            .turns
            .pending_wakes(&connection.completions, &connection.link)
    }

    fn wait(&self, limit: bool) -> Wait {
        Wait {
            limit,
            cancellable: self.cancellable,
        }
    }

    fn wait_locked(&mut self) -> Result<(), Stop> {
        let Some(events) = self.before_polling()? else {
            return Ok(());
        };
        let ready = WORLD.poll(events, self.wait(false));
        let [readable, room] = ready.map_err(|_| Stop::Cancelled)?;
        Ok(self.after_polling(readable, room)?)
    }

    fn poll_with_turn(&mut self, extra: bool, limit: bool) -> Result<Option<bool>, Stop> {
        let Some([readable, room]) = self.before_polling()? else {
            return Ok(Some(true));
        };
        self.turns.holder = Holder::Polling {
            until_writable: room.is_some(),
        };
        let extra = extra.then_some(Event::Readability(EXTRA));
        let wait = self.wait(limit);
        let ready = self.unlocked(|| WORLD.poll([readable, room, extra], wait));
        let Ok(ready) = ready else {
            self.cancellable = false;
            let _ = self.resume();
            return Err(Stop::Cancelled);
        };
        self.resume()?;
        let any = ready.contains(&true);
        if !self.turns.turn_is_free() {
            return Ok((!any || ready[2]).then_some(any));
        }
        self.after_polling(ready[0], ready[1])?;
        Ok(Some(any))
    }

    fn receive_with_turn(&mut self) -> Result<(), Stop> {
        if !self.may_receive() {
            return self.poll_with_turn(false, false).map(drop);
        }
        self.turns.holder = Holder::Receiving;
        let direct = self.link.machine.direct().map(|it| it.0);
        let cancellable = self.cancellable;
        self.direct = direct;
        let received = self.unlocked(|| WORLD.receive(direct, cancellable));
        match received {
            Ok(received) => {
                self.resume()?;
                Ok(self.handle(Some(received))?)
            }
            Err(cancelled) => self.cancelled_in_receive(cancelled.has_received),
        }
    }

    fn receive_locked(&mut self) -> Result<(), Stop> {
        if !self.may_receive() {
            return self.wait_locked();
        }
        let direct = self.link.machine.direct().map(|it| it.0);
        match WORLD.receive(direct, self.cancellable) {
            Ok(received) => Ok(self.handle(Some(received))?),
            Err(cancelled) => self.cancelled_in_receive(cancelled.has_received),
        }
    }

    fn cancelled_in_receive(&mut self, has_received: bool) -> Result<(), Stop> {
        self.cancellable = false;
        if self.resume().is_ok() && has_received {
            self.end();
        }
        Err(Stop::Cancelled)
    }

    fn sleep(&mut self, goal: Goal, extra: bool, limit: bool) -> Result<WakeReason, Stop> {
        let (id, waker) = self.turns.add_sleeper(goal);
        let events = [
            waker.map(Event::Readability),
            self.waits_until_writable().then_some(Event::Room),
            extra.then_some(Event::Readability(EXTRA)),
        ];
        let naps = waker.is_none();
        let wait = self.wait(limit || naps);
        let ready = self.unlocked(|| WORLD.poll(events, wait));
        self.turns.remove_sleeper(id);
        let ready = ready.map_err(|_| Stop::Cancelled)?;
        if ready[1] && self.waits_until_writable() {
            self.send()?;
        }
        Ok(match ready {
            [_, _, true] => WakeReason::Extra,
            [false, false, false] if !naps => WakeReason::Timeout,
            _ => WakeReason::Woken,
        })
    }

    fn sleep_without_cancellation(&mut self, goal: Goal) -> Result<WakeReason, Stop> {
        let cancellable = std::mem::replace(&mut self.cancellable, false);
        let awake = self.sleep(goal, false, false);
        self.cancellable = cancellable;
        awake
    }

    fn send_for_poll(&mut self) {
        let for_reading = Holder::Polling {
            until_writable: false,
        };
        while self.turns.holder == for_reading && !self.unsent.is_empty() {
            if self.sleep_without_cancellation(Goal::EndOfTurn).is_err() {
                break;
            }
        }
    }

    fn poll(&mut self, extra: bool, limit: bool) -> Result<i32, Stop> {
        let before = self.completions.total();
        loop {
            if self.turns.turn_is_free() {
                self.completions.forget_unpolled();
                if let Some(ready) = self.poll_with_turn(extra, limit)? {
                    self.completions.forget_unpolled();
                    return Ok(i32::from(ready));
                }
            } else if self.completions.take_unpolled() {
                return Ok(1);
            } else {
                match self.sleep(Goal::Completion(before), extra, limit)? {
                    WakeReason::Extra => return Ok(1),
                    WakeReason::Timeout => return Ok(0),
                    WakeReason::Woken => {}
                }
            }
            if self.completions.total() != before {
                self.completions.take_unpolled();
                return Ok(1);
            }
        }
    }

    fn asynchronous(&mut self) -> Result<u64, Lost> {
        let cookie = self.issue(Kind::Asynchronous)?;
        self.send_for_poll();
        Ok(cookie)
    }

    fn admit(&mut self, access: Access) -> Result<Ticket, Stop> {
        let ticket = self.turns.admissions.join(access).expect("memory");
        while !self.turns.admissions.admits(ticket) {
            let slept = self.sleep(Goal::Admission(ticket), false, false);
            if slept.is_err() || self.ended {
                self.turns.admissions.leave(ticket);
                return slept.and(Err(Stop::Lost));
            }
        }
        Ok(ticket)
    }

    /// Models a synchronous command.
    pub fn synchronous(&mut self, access: Access) -> Result<(), Stop> {
        let ticket = self.admit(access)?;
        let kind = match access {
            Access::Exclusive => Kind::Exclusive(thread::current().id()),
            _ => Kind::Synchronous,
        };
        let result = match self.issue(kind) {
            Ok(cookie) => self.finish_or_abandon(cookie, access),
            Err(Lost) => Err(Stop::Lost),
        };
        self.turns.admissions.leave(ticket);
        result
    }

    fn wait_for_command(&mut self, cookie: u64, access: Access) -> Result<(), Stop> {
        if access == Access::Exclusive {
            if !self.turns.turn_is_held() {
                return self.receive_locked();
            }
            return self.sleep(Goal::EndOfTurn, false, false).map(drop);
        }
        if self.turns.turn_is_held() {
            return self.sleep(Goal::Command(cookie), false, false).map(drop);
        }
        self.receive_with_turn()
    }

    fn finish_or_abandon(&mut self, cookie: u64, access: Access) -> Result<(), Stop> {
        let result = self.finish(cookie, access);
        if result == Err(Stop::Cancelled) {
            self.abandon(cookie, access);
        }
        result
    }

    fn finish(&mut self, cookie: u64, access: Access) -> Result<(), Stop> {
        loop {
            if let Some(outcome) = self.completions.retire(cookie) {
                return Ok(outcome?);
            }
            match self.wait_for_command(cookie, access) {
                Ok(()) => {}
                Err(Stop::Cancelled) => return Err(Stop::Cancelled),
                Err(Stop::Lost) => {
                    if self.is_in_flight(cookie) {
                        self.end();
                    }
                    self.wait_for_completion(cookie)?;
                    return Ok(self.completions.retire(cookie).expect("its end")?);
                }
            }
        }
    }

    fn wait_for_completion(&mut self, cookie: u64) -> Result<(), Stop> {
        while self.is_in_flight(cookie) {
            if let Err(Stop::Cancelled) = self.sleep(Goal::Command(cookie), false, false) {
                return Err(Stop::Cancelled);
            }
        }
        Ok(())
    }

    /// Cancels the thread that waits for a command.
    fn abandon(&mut self, cookie: u64, access: Access) {
        self.cancellable = false;
        // A write that may have been sent in part.
        if matches!(access, Access::Write { .. }) && self.unsent.contains(&cookie) {
            self.end();
            _ = self.wait_for_completion(cookie);
        }
        while self.turns.holder == Holder::Receiving && self.direct == Some(cookie) {
            let _ = self.sleep_without_cancellation(Goal::UnusedBuffer(cookie));
        }
        self.link.machine.forget(cookie);
        self.completions.retire(cookie);
    }

    /// Models nbd_shutdown(3).
    pub fn shutdown(&mut self) -> Result<(), Stop> {
        let ticket = self.admit(Access::Exclusive)?;
        if !self.ended {
            self.queue(DISCONNECT);
        }
        let mut result = Ok(());
        while !self.ended && result != Err(Stop::Cancelled) {
            result = self.wait_locked();
        }
        self.turns.admissions.leave(ticket);
        result
    }
}

impl Deref for Call<'_> {
    type Target = Connection;
    fn deref(&self) -> &Connection {
        self.connection.as_ref().expect("the lock")
    }
}

impl DerefMut for Call<'_> {
    fn deref_mut(&mut self) -> &mut Connection {
        self.connection.as_mut().expect("the lock")
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.wakes = self.before_unlock();
    }
}
