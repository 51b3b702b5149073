// SPDX-License-Identifier: LGPL-2.1-or-later

//! A model of threads that share a handle: the real `turns.rs` and
//! `admission.rs`, with a scheduler that explores many interleavings of the
//! threads.
//!
//! `client.rs` models the calls that use them, and `world.rs` the system and
//! the server. A lost wake-up leaves all threads blocked; a failure is reported
//! with its schedule.

// The scheduler does not support every architecture.
#![cfg(target_arch = "x86_64")]

#[allow(dead_code)]
#[path = "../../src/handle/admission.rs"]
mod admission;
mod client;
mod completions;
mod link;
mod memory;
mod transport;
#[path = "../../src/handle/turns.rs"]
mod turns;
mod world;

use shuttle::sync::Arc;
use shuttle::thread;

use admission::Access;
use client::{Handle, Stop};
use world::{Server, WORLD};
use Job::*;

const READ: Access = Access::Read {
    offset: 0,
    count: 512,
};
const WRITE: Access = Access::Write {
    offset: 0,
    count: 512,
};

/// The operation of one thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    Read,
    Write,
    Flush,
    /// Like nbd_block_status(3), whose callback runs in its own thread.
    Exclusive,
    Poll,
    PollWithLimit,
    Poll2,
    ShutDown,
    /// A read by a thread that may be cancelled while it waits.
    ReadOrNot,
    WriteOrNot,
    ExclusiveOrNot,
    PollOrNot,
    ShutDownOrNot,
}

impl Job {
    fn run(self, handle: &Handle) {
        match self {
            Read => {
                expect(handle.call().synchronous(READ));
                expect(handle.call().synchronous(READ));
            }
            Write => expect(handle.call().synchronous(WRITE)),
            Flush => expect(handle.call().synchronous(Access::Flush)),
            Exclusive => expect(handle.call().synchronous(Access::Exclusive)),
            Poll => handle.issue_and_poll(false, false, false),
            PollWithLimit => handle.issue_and_poll(false, true, false),
            Poll2 => {
                WORLD.fire_extra();
                handle.issue_and_poll(true, false, false);
            }
            ShutDown => expect(handle.call().shutdown()),
            ReadOrNot => _ = handle.cancellable_call().synchronous(READ),
            WriteOrNot => _ = handle.cancellable_call().synchronous(WRITE),
            ExclusiveOrNot => _ = handle.cancellable_call().synchronous(Access::Exclusive),
            PollOrNot => handle.issue_and_poll(false, false, true),
            ShutDownOrNot => _ = handle.cancellable_call().shutdown(),
        }
    }
}

impl Job {
    fn may_end_the_connection(self) -> bool {
        !matches!(
            self,
            Read | Write | Flush | Exclusive | Poll | PollWithLimit | Poll2 | PollOrNot
        )
    }
}

/// Checks that a call fails only if the connection may end.
fn expect(result: Result<(), Stop>) {
    assert!(result.is_ok() || WORLD.may_end(), "{result:?}");
}

/// Runs each job in its own thread.
fn run(server: Server, jobs: &[Job]) {
    let may_end = jobs.iter().any(|job| job.may_end_the_connection());
    WORLD.begin(server, jobs.len(), may_end);
    let server = thread::spawn(|| WORLD.serve());
    let handle = Arc::new(Handle::new());
    let threads: Vec<_> = jobs
        .iter()
        .map(|job| {
            let (handle, job) = (Arc::clone(&handle), *job);
            thread::spawn(move || {
                job.run(&handle);
                WORLD.end_thread();
            })
        })
        .collect();
    for thread in threads {
        thread.join().unwrap();
    }
    handle.check_at_rest();
    server.join().unwrap();
    if jobs.len() == 1 {
        assert_eq!(WORLD.wakers_made(), 0, "one thread needs no waker");
    }
}

/// Tries random schedules, and schedules with few switches at the worst points.
fn check(server: Server, jobs: &'static [Job]) {
    shuttle::check_random(move || run(server, jobs), 1000);
    shuttle::check_pct(move || run(server, jobs), 500, 3);
}

const PLAIN: Server = Server {
    dies: false,
    has_descriptors: true,
    loses_wakes: false,
    holds_first: false,
};
const DIES: Server = Server {
    dies: true,
    ..PLAIN
};

#[test]
fn one_thread_needs_no_waker() {
    for job in [Read, Exclusive, Poll, PollWithLimit, ShutDown] {
        shuttle::check_random(move || run(PLAIN, &[job]), 50);
    }
}

#[test]
fn readers() {
    check(PLAIN, &[Read; 8]);
}

#[test]
fn readers_and_a_writer() {
    check(PLAIN, &[Read, Read, Read, Write]);
    check(PLAIN, &[Write, Write, Read]);
}

#[test]
fn readers_and_flushes() {
    check(PLAIN, &[Read, Write, Flush, Flush]);
}

#[test]
fn readers_and_polls() {
    check(PLAIN, &[Poll, Read, Read]);
    check(PLAIN, &[Poll, Poll, Write]);
    check(PLAIN, &[PollWithLimit, Read, Read]);
    check(PLAIN, &[Poll2, Poll, Read]);
}

#[test]
fn late_reply_after_all_other_calls() {
    let server = Server {
        holds_first: true,
        ..PLAIN
    };
    check(server, &[Read; 4]);
    check(server, &[Poll, Read, Poll2]);
    check(server, &[PollWithLimit, Read, Poll]);
}

#[test]
fn exclusive_call_among_readers() {
    check(PLAIN, &[Read, Exclusive, Read, Exclusive]);
    check(PLAIN, &[Poll, Exclusive, Read]);
    check(PLAIN, &[Poll, Poll2, Exclusive]);
}

#[test]
fn shutdown_among_readers() {
    check(PLAIN, &[Read, ShutDown, Write]);
    check(PLAIN, &[Poll, ShutDown, Read, Flush]);
}

#[test]
fn server_dies_between_any_two_steps() {
    check(DIES, &[Read; 6]);
    check(DIES, &[Read, Write, Write, Flush]);
    check(DIES, &[Poll, PollWithLimit, Read, Write]);
    check(DIES, &[Poll2, Exclusive, Read, ShutDown]);
}

#[test]
fn cancelled_threads() {
    check(PLAIN, &[ReadOrNot, ReadOrNot, Read, Read]);
    check(PLAIN, &[Read, WriteOrNot, Write, Flush]);
    check(PLAIN, &[PollOrNot, Read, Write]);
    check(PLAIN, &[PollOrNot, Poll, ReadOrNot]);
    check(PLAIN, &[Read, ExclusiveOrNot, Poll, Exclusive]);
    check(PLAIN, &[Read, ShutDownOrNot, Read]);
    check(DIES, &[ReadOrNot, WriteOrNot, Read, PollOrNot]);
}

#[test]
fn process_without_descriptors() {
    let server = Server {
        has_descriptors: false,
        ..DIES
    };
    check(server, &[Read, Read, Poll, Write]);
}

/// The other tests are meaningful only if a lost wake-up is detected.
#[test]
#[should_panic(expected = "deadlock")]
fn a_lost_wake_up_is_detected() {
    let server = Server {
        loses_wakes: true,
        ..PLAIN
    };
    check(server, &[Read; 4]);
}
