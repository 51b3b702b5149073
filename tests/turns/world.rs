// SPDX-License-Identifier: LGPL-2.1-or-later

//! Model of the system and the server, as far as threads that share a handle
//! depend on them: a socket with little space in both directions, wakers, and a
//! second descriptor to poll.

use std::collections::{BTreeMap, VecDeque};
use std::os::fd::RawFd;

use shuttle::rand::{thread_rng, Rng};
use shuttle::sync::{Condvar, Mutex, MutexGuard};
use shuttle::thread;

/// The request that ends a connection, in place of a cookie.
pub const DISCONNECT: u64 = 0;
/// The descriptor of nbd_poll2(3).
pub const EXTRA: RawFd = 1;
const FIRST_WAKER: RawFd = 10;
/// Capacity of the socket in one direction, in messages.
const ROOM: usize = 2;

/// Faults of the server and the system.
#[derive(Debug, Default, Clone, Copy)]
pub struct Server {
    /// The connection may end at any moment.
    pub dies: bool,
    /// True if the process can create wakers.
    pub has_descriptors: bool,
    /// True if wake-ups are lost occasionally.
    pub loses_wakes: bool,
    /// True if the first request is answered only once all other threads have
    /// ended.
    pub holds_first: bool,
}

/// An event that a thread polls for.
#[derive(Debug, Clone, Copy)]
pub enum Event {
    Readable,
    Room,
    Readability(RawFd),
}

/// Received data: cookies of answered commands, or the end of the stream.
#[derive(Debug)]
pub enum Received {
    Replies(VecDeque<u64>),
    End,
}

/// The thread was cancelled in a system call, which may have received data.
#[derive(Debug, PartialEq, Eq)]
pub struct Cancelled {
    pub has_received: bool,
}

/// Options of a waiting thread.
#[derive(Debug, Clone, Copy)]
pub struct Wait {
    /// The timeout may expire at any moment.
    pub limit: bool,
    /// The thread may be cancelled at any moment.
    pub cancellable: bool,
}

/// Result of sending.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent {
    All,
    NoRoom,
    Broken,
}

#[derive(Debug, Default)]
struct State {
    server: Server,
    may_end: bool,
    requests: VecDeque<u64>,
    replies: VecDeque<u64>,
    closed: bool,
    /// A thread is receiving, possibly directly into the buffer of a command.
    receives: Option<Option<u64>>,
    /// Open wakers; true for those that are readable.
    wakers: BTreeMap<RawFd, bool>,
    made: usize,
    extra: bool,
    /// Number of threads that have not ended.
    threads: usize,
}

impl State {
    fn is(&self, event: Event) -> bool {
        match event {
            Event::Readable => self.closed || !self.replies.is_empty(),
            Event::Room => self.closed || self.requests.len() < ROOM,
            Event::Readability(EXTRA) => self.extra,
            Event::Readability(fd) => self.wakers[&fd],
        }
    }

    fn receive(&mut self) -> Option<Received> {
        match self.replies.is_empty() {
            false => Some(Received::Replies(std::mem::take(&mut self.replies))),
            true => self.closed.then_some(Received::End),
        }
    }
}

pub struct World {
    state: Mutex<State>,
    changed: Condvar,
}

shuttle::lazy_static! {
    /// A new world for each schedule.
    pub static ref WORLD: World = World {
        state: Mutex::new(State::default()),
        changed: Condvar::new(),
    };
}

fn one_in(so_many: u32) -> bool {
    thread_rng().gen_range(0..so_many) == 0
}

impl World {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    fn change<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = change(&mut self.state());
        self.changed.notify_all();
        result
    }

    pub fn begin(&self, server: Server, threads: usize, may_end: bool) {
        let mut state = self.state();
        state.server = server;
        state.threads = threads;
        state.may_end = server.dies || may_end;
    }

    pub fn end_thread(&self) {
        self.change(|state| state.threads -= 1);
    }

    /// Returns true if the connection may end during calls.
    pub fn may_end(&self) -> bool {
        self.state().may_end
    }
}

/// The socket.
impl World {
    pub fn send(&self, cookie: u64) -> Sent {
        self.change(|state| {
            if state.closed {
                return Sent::Broken;
            }
            if state.requests.len() >= ROOM {
                return Sent::NoRoom;
            }
            state.requests.push_back(cookie);
            Sent::All
        })
    }

    /// Models a blocking recv(2), directly into the buffer of a command in
    /// flight.
    pub fn receive(&self, direct: Option<u64>, cancellable: bool) -> Result<Received, Cancelled> {
        let mut state = self.state();
        assert_eq!(state.receives, None, "two threads receive");
        state.receives = Some(direct);
        let wait = Wait {
            limit: false,
            cancellable,
        };
        let received = loop {
            if cancellable && one_in(6) {
                let received = one_in(2).then(|| state.receive()).flatten();
                let has_received = matches!(received, Some(Received::Replies(_)));
                break Err(Cancelled { has_received });
            }
            match state.receive() {
                Some(received) => break Ok(received),
                None => state = self.wait(state, wait),
            }
        };
        state.receives = None;
        drop(state);
        self.changed.notify_all();
        received
    }

    /// Waits for a change; a wait that can time out may also return without
    /// one.
    fn wait<'a>(&'a self, state: MutexGuard<'a, State>, wait: Wait) -> MutexGuard<'a, State> {
        if !wait.limit && !wait.cancellable {
            return self.changed.wait(state).unwrap();
        }
        drop(state);
        thread::yield_now();
        self.state()
    }

    /// Receives without waiting.
    pub fn try_receive(&self) -> Option<Received> {
        self.change(|state| {
            assert_eq!(state.receives, None, "two threads receive");
            state.receive()
        })
    }

    /// Shuts the socket down; data that has arrived can still be received.
    pub fn shut_down(&self) {
        self.change(|state| state.closed = true);
    }

    /// Returns the buffer of a command to the program.
    pub fn give_back(&self, cookie: u64) {
        let receives = self.state().receives;
        assert_ne!(receives, Some(Some(cookie)), "a buffer in use");
    }
}

/// Descriptors.
impl World {
    /// Models poll(2). Returns the events that have occurred; none on timeout.
    pub fn poll<const N: usize>(
        &self,
        events: [Option<Event>; N],
        wait: Wait,
    ) -> Result<[bool; N], Cancelled> {
        let mut state = self.state();
        loop {
            if wait.cancellable && one_in(6) {
                let has_received = false;
                return Err(Cancelled { has_received });
            }
            let ready = events.map(|event| event.is_some_and(|event| state.is(event)));
            if ready.contains(&true) || wait.limit && one_in(4) {
                return Ok(ready);
            }
            state = self.wait(state, wait);
        }
    }

    pub fn fire_extra(&self) {
        self.change(|state| state.extra = true);
    }

    pub fn open_waker(&self) -> Option<RawFd> {
        let mut state = self.state();
        if !state.server.has_descriptors {
            return None;
        }
        state.made += 1;
        let fd = FIRST_WAKER + state.made as RawFd;
        state.wakers.insert(fd, false);
        Some(fd)
    }

    pub fn wakers_made(&self) -> usize {
        self.state().made
    }

    pub fn ring(&self, fd: RawFd) {
        self.change(|state| {
            let lost = state.server.loses_wakes && one_in(4);
            let waker = state.wakers.get_mut(&fd).expect("the waker is open");
            assert!(!*waker, "a waker is written to once before it is read");
            *waker = !lost;
        });
    }

    pub fn reset(&self, fd: RawFd) -> bool {
        let mut state = self.state();
        let waker = state.wakers.get_mut(&fd).expect("the waker is open");
        std::mem::take(waker)
    }

    pub fn close_waker(&self, fd: RawFd) {
        let closed = self.state().wakers.remove(&fd);
        assert!(closed.is_some(), "the waker is open");
    }
}

/// The server.
impl World {
    /// Answers requests in any order until the program has ended. While it
    /// cannot send, it does not receive either.
    pub fn serve(&self) {
        let mut first = None;
        let mut held = Vec::new();
        let mut state = self.state();
        while !state.closed && state.threads > 0 {
            if state.threads == 1 {
                held.extend(first.take());
            }
            let answers = !held.is_empty() && state.replies.len() < ROOM;
            let hears = !state.requests.is_empty() && (held.is_empty() || answers);
            if (answers || hears) && state.server.dies && one_in(8) {
                state.closed = true;
            } else if hears && (!answers || one_in(2)) {
                match state.requests.pop_front() {
                    Some(DISCONNECT) => state.closed = true,
                    Some(1) if state.server.holds_first => first = Some(1),
                    request => held.extend(request),
                }
            } else if answers {
                let reply = held.swap_remove(thread_rng().gen_range(0..held.len()));
                state.replies.push_back(reply);
            } else {
                state = self.changed.wait(state).unwrap();
                continue;
            }
            drop(state);
            self.changed.notify_all();
            state = self.state();
        }
    }
}
