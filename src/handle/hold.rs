// SPDX-License-Identifier: LGPL-2.1-or-later

//! Holding requests back, so that several leave with one system call.
//!
//! A program that keeps many commands in flight issues several of them, waits,
//! and issues more. Sent one by one, each costs a system call. So a request may
//! wait for those that follow it, as long as nobody can tell:
//!
//! - Another one is on its way already, whose reply will wake whoever waits.
//! - Not many wait, and not many bytes.
//! - One thread does it all, and it has shown several times that, after issuing,
//!   it comes back to the library before it waits: with nbd_poll(3), or by asking
//!   for the direction. There, in synchronous calls, and wherever else it could
//!   notice, everything held is sent, on whichever handle it is held.
//!
//! A thread that was seen to wait without asking has to show it anew. A
//! connection on which a second thread is active while commands are in flight
//! holds nothing back ever after: that thread may be waiting for the descriptor
//! right now.

use std::cell::RefCell;
use std::sync::Weak;

use parking_lot::Mutex;

use super::connection::Connection;
use super::LockedConnection;

/// Requests that are held back at most.
const REQUESTS: usize = 16;

/// Bytes of requests, headers not counted, that are held back at most.
const BYTES: u64 = 64 * 1024;

/// How many times in a row a thread has to come back before it waits.
const TRUSTED: u8 = 3;

/// What is held back, and what is known of the thread that issues.
#[derive(Debug, Default)]
pub(super) struct Hold {
    /// The thread that issues commands.
    issuer: Option<Thread>,
    /// It has issued a command and not come back to wait yet.
    issued: bool,
    /// How many times in a row it came back to the library before it waited.
    came_back: u8,
    /// Another thread is active too.
    elsewhere: bool,
    /// How many requests are held.
    requests: usize,
    /// How many bytes of payload they have.
    bytes: u64,
    /// The process in which requests were held. Its children have copies of
    /// them that are not theirs to send.
    process: u32,
}

/// A thread, as long as it lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Thread(usize);

impl Thread {
    /// The one that is running, unless it is about to end.
    pub fn current() -> Option<Thread> {
        let address = |held: &Held| std::ptr::from_ref(held).addr();
        HELD.try_with(address).ok().map(Thread)
    }

    /// The number that stands for it; never 0.
    pub fn number(self) -> usize {
        self.0
    }

    /// The thread that a number stands for.
    pub fn from_number(number: usize) -> Option<Thread> {
        (number != 0).then_some(Thread(number))
    }
}

/// The connections on which a thread holds requests back.
struct Held(RefCell<Vec<Weak<Mutex<Connection>>>>);

thread_local! {
    static HELD: Held = const { Held(RefCell::new(Vec::new())) };
}

impl Held {
    fn send(&self, within: impl Fn(&Connection) -> bool) {
        if self.0.borrow().is_empty() {
            return;
        }
        let mut connections = self.0.take();
        for connection in connections.drain(..).filter_map(|it| it.upgrade()) {
            // One that is locked is in a call, which sees to it itself: either
            // this very call, or one of another thread.
            if let Some(guard) = connection.try_lock().filter(|it| within(it)) {
                LockedConnection(guard).send_held();
            }
        }
        // Its memory is used again, unless a callback has begun another list.
        let mut now = self.0.borrow_mut();
        if now.is_empty() {
            *now = connections;
        }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // The thread ends, or exit(3) was called, perhaps in a child process.
        self.send(Connection::holds_in_this_process);
    }
}

/// Sends what this thread holds back, on whichever handle, before it waits.
pub fn send_all() {
    // A thread that is about to end has sent it already.
    let _ = HELD.try_with(|held| held.send(|_| true));
}

impl Hold {
    pub fn is_holding(&self) -> bool {
        self.requests > 0
    }

    /// Whether commands are in flight that another thread than this one may have
    /// issued.
    pub fn others_issue(&self) -> bool {
        self.elsewhere || self.issuer.is_some() && self.issuer != Thread::current()
    }

    /// `thread` issues a command while `in_flight` others await their replies.
    fn issues(&mut self, thread: Option<Thread>, in_flight: usize) {
        if self.issuer != thread {
            self.elsewhere |= in_flight > 0;
            self.issuer = thread;
            self.came_back = 0;
        }
        self.issued = true;
    }

    /// `thread` has come to wait, or has waited. `asked` tells whether it came
    /// to the library before.
    fn waits(&mut self, thread: Option<Thread>, asked: bool, in_flight: usize) {
        if self.issuer != thread {
            self.elsewhere |= self.issuer.is_some() && in_flight > 0;
            return;
        }
        if self.issued {
            self.issued = false;
            self.came_back = match asked {
                true => self.came_back.saturating_add(1),
                false => 0,
            };
        }
    }
}

impl Connection {
    /// A request of `bytes` payload was queued: holds it back, if that cannot be
    /// noticed. `behind_others` are requests that the socket had no room for.
    pub(super) fn hold_back(&mut self, bytes: u64, behind_others: bool) -> bool {
        let thread = Thread::current();
        let before = self.machine.in_flight() - 1;
        let asker = self.shared.take_asker();
        let hold = &mut self.hold;
        hold.issues(thread, before);
        hold.elsewhere |= asker.is_some() && asker != thread;
        if hold.came_back < TRUSTED
            || hold.elsewhere
            || behind_others
            || before <= hold.requests
            || hold.requests + 1 >= REQUESTS
            || hold.bytes + bytes >= BYTES
        {
            return false;
        }
        if hold.requests == 0 {
            if hold.process == 0 {
                hold.process = std::process::id();
            }
            let this = self.this.clone();
            if HELD
                .try_with(|held| held.0.borrow_mut().push(this))
                .is_err()
            {
                return false;
            }
            self.shared.set_holding(true);
        }
        self.hold.requests += 1;
        self.hold.bytes += bytes;
        true
    }

    /// The thread comes to wait through the library.
    pub(super) fn about_to_wait(&mut self) {
        let in_flight = self.machine.in_flight();
        self.hold.waits(Thread::current(), true, in_flight);
    }

    /// The library waits, which says nothing of what the thread does by itself.
    pub(super) fn waits_inside(&mut self) {
        self.hold.issued = false;
        send_all();
        self.send_held();
    }

    /// Nothing is held any more.
    pub(super) fn nothing_held(&mut self) {
        if self.hold.is_holding() {
            self.hold.requests = 0;
            self.hold.bytes = 0;
            self.shared.set_holding(false);
        }
    }

    /// The thread has waited by itself.
    pub(super) fn has_waited(&mut self) {
        let thread = Thread::current();
        let asked = self.shared.take_asker() == thread;
        let in_flight = self.machine.in_flight();
        self.hold.waits(thread, asked, in_flight);
        self.send_held();
    }

    /// Sends what is held back.
    pub(super) fn send_held(&mut self) {
        if self.hold.is_holding() {
            self.send_accepted();
        }
    }

    /// As [`send_held`](Self::send_held), for whoever ends a call: another
    /// thread than the one that holds may be going to wait.
    pub(super) fn send_held_by_others(&mut self) {
        if self.hold.is_holding() && self.hold.issuer != Thread::current() {
            self.send_held();
        }
    }

    /// Whether what is held is not just a copy that fork(2) made.
    pub(super) fn holds_in_this_process(&self) -> bool {
        self.hold.is_holding() && self.hold.process == std::process::id()
    }
}
