// SPDX-License-Identifier: LGPL-2.1-or-later

//! The part of a handle that can be read without its lock, while another thread is blocked in a
//! command.

use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU8, AtomicUsize, Ordering};

use super::counter::Counter;
use super::debug::Debug;
use super::interruption::Interruptions;
use crate::constants::{LIBNBD_AIO_DIRECTION_READ, LIBNBD_AIO_DIRECTION_WRITE};
use crate::machine::{self, State};

/// `LIBNBD_AIO_DIRECTION_READ`, as a bit mask.
pub(super) const DIRECTION_READ: u32 = LIBNBD_AIO_DIRECTION_READ as u32;
/// `LIBNBD_AIO_DIRECTION_WRITE`, as a bit mask.
pub(super) const DIRECTION_WRITE: u32 = LIBNBD_AIO_DIRECTION_WRITE as u32;

/// Statistics, as last published.
#[derive(Debug, Default)]
pub struct Statistics {
    bytes_sent: Counter,
    chunks_sent: Counter,
    bytes_received: Counter,
    chunks_received: Counter,
}

impl Statistics {
    /// Returns the number of bytes sent, before encryption.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load()
    }

    /// Returns the number of messages sent, counted by their magic numbers.
    pub fn chunks_sent(&self) -> u64 {
        self.chunks_sent.load()
    }

    /// Returns the number of bytes received, after decryption.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received.load()
    }

    /// Returns the number of messages received, counted by their magic numbers.
    pub fn chunks_received(&self) -> u64 {
        self.chunks_received.load()
    }
}

/// The part of a handle outside its lock. It is written by the thread that holds the lock, and
/// read by any thread.
#[derive(Debug)]
pub struct Shared {
    state: AtomicU8,
    direction: AtomicU32,
    in_flight: AtomicU32,
    /// A `&'static CStr`, stored as a thin pointer to its first byte.
    description: AtomicPtr<libc::c_char>,
    statistics: Statistics,
    /// True if the program polls the descriptor itself, so that all replies must be visible
    /// there.
    program_polls: AtomicBool,
    /// True if a thread may be reading ahead now.
    receiving_ahead: AtomicBool,
    /// True if received bytes are not used yet.
    has_arrivals: AtomicBool,
    /// True if the program was asked to wait until the socket is writable, although nothing is
    /// pending.
    asked_to_write: AtomicBool,
    /// True if requests stay queued until the program waits or asks (nbd_ext_set_batching(3)).
    batching: AtomicBool,
    private_data: AtomicUsize,
    /// True if reads clear their buffer first, even before waiting for the lock.
    pread_initialize: AtomicBool,
    interruptions: Interruptions,
    debug: Debug,
}

impl Shared {
    pub(super) fn new(debug: Debug) -> Self {
        let description = machine::Machine::<()>::default().description(State::Created);
        Shared {
            state: AtomicU8::new(State::Created as u8),
            direction: AtomicU32::new(0),
            in_flight: AtomicU32::new(0),
            description: AtomicPtr::new(description.as_ptr().cast_mut()),
            statistics: Statistics::default(),
            program_polls: AtomicBool::new(false),
            receiving_ahead: AtomicBool::new(false),
            has_arrivals: AtomicBool::new(false),
            asked_to_write: AtomicBool::new(false),
            batching: AtomicBool::new(false),
            private_data: AtomicUsize::new(0),
            pread_initialize: AtomicBool::new(true),
            interruptions: Interruptions::default(),
            debug,
        }
    }

    /// Returns the state.
    pub fn state(&self) -> State {
        const STATES: [State; 7] = [
            State::Created,
            State::Connecting,
            State::Negotiating,
            State::Ready,
            State::Processing,
            State::Closed,
            State::Dead,
        ];
        let state = usize::from(self.state.load(Ordering::Acquire));
        STATES.get(state).copied().unwrap_or(State::Dead)
    }

    /// Returns the state text, after a short name and a colon.
    pub fn description(&self) -> &'static CStr {
        let description = self.description.load(Ordering::Acquire);
        // SAFETY: only `publish` and `new` store here, and they store the start of a `&'static
        // CStr`.
        unsafe { CStr::from_ptr(description) }
    }

    /// Returns the `LIBNBD_AIO_DIRECTION_*` bits to wait for, or 0. A program that calls this in
    /// transmission is about to poll the descriptor itself.
    pub fn direction(&self) -> u32 {
        if matches!(self.state(), State::Ready | State::Processing) {
            self.set_program_polls();
        }
        let direction = self.direction.load(Ordering::Acquire);
        // `has_arrivals` is stored before `receiving_ahead` is cleared, so it is loaded after
        // that.
        if self.receiving_ahead.load(Ordering::SeqCst) || self.has_arrivals.load(Ordering::SeqCst) {
            // Polling the descriptor for reading does not show bytes that are already in the
            // handle. The socket is nearly always writable, so a wait for that ends at once.
            self.asked_to_write.store(true, Ordering::Relaxed);
            return direction | DIRECTION_READ | DIRECTION_WRITE;
        }
        self.asked_to_write.store(false, Ordering::Relaxed);
        direction
    }

    /// Records that the program polls the descriptor itself from now on.
    pub(super) fn set_program_polls(&self) {
        // This is permanent, and a load is cheaper than a store.
        if !self.program_polls() {
            self.program_polls.store(true, Ordering::SeqCst);
        }
    }

    /// Returns true if the program polls the descriptor itself.
    pub(super) fn program_polls(&self) -> bool {
        self.program_polls.load(Ordering::SeqCst)
    }

    /// Returns true if reading ahead is allowed. It then counts as active until
    /// [`set_arrivals`](Self::set_arrivals).
    pub(super) fn begin_receiving_ahead(&self) -> bool {
        // Either this thread sees that the program polls, or the program, which asks for the
        // direction later, sees that replies are being received.
        self.receiving_ahead.store(true, Ordering::SeqCst);
        let allowed = !self.program_polls();
        if !allowed {
            self.receiving_ahead.store(false, Ordering::SeqCst);
        }
        allowed
    }

    /// Ends a receive; `left` is true if received bytes are not used yet.
    pub(super) fn set_arrivals(&self, left: bool) {
        // Only the thread that holds the lock stores these, and a load is cheaper.
        if self.has_arrivals.load(Ordering::Relaxed) != left {
            self.has_arrivals.store(left, Ordering::SeqCst);
        }
        if self.receiving_ahead.load(Ordering::Relaxed) {
            self.receiving_ahead.store(false, Ordering::SeqCst);
        }
    }

    /// Returns true, once, if the program was asked to wait until the socket is writable although
    /// nothing was pending.
    pub(super) fn take_asked_to_write(&self) -> bool {
        self.asked_to_write.swap(false, Ordering::Relaxed)
    }

    /// Returns true if requests stay queued until the program waits or asks.
    pub fn batching(&self) -> bool {
        self.batching.load(Ordering::Relaxed)
    }

    pub(super) fn set_batching(&self, enable: bool) {
        self.batching.store(enable, Ordering::Relaxed);
    }

    /// Returns true if requests are queued, as last published.
    pub(super) fn has_queued(&self) -> bool {
        self.direction.load(Ordering::Acquire) & DIRECTION_WRITE != 0
    }

    /// Returns the number of outstanding commands of the program, without those of synchronous
    /// calls.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Returns the statistics.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// Returns the program's private data.
    pub fn private_data(&self) -> usize {
        self.private_data.load(Ordering::SeqCst)
    }

    /// Stores the program's private data and returns the previous value.
    pub fn swap_private_data(&self, value: usize) -> usize {
        self.private_data.swap(value, Ordering::SeqCst)
    }

    /// Returns true if reads clear their buffer first.
    pub fn pread_initialize(&self) -> bool {
        self.pread_initialize.load(Ordering::Relaxed)
    }

    pub fn set_pread_initialize(&self, request: bool) {
        self.pread_initialize.store(request, Ordering::Relaxed);
    }

    /// Returns the limits of calls that wait.
    pub fn interruptions(&self) -> &Interruptions {
        &self.interruptions
    }

    /// Returns true if debug messages are enabled.
    pub fn debug_enabled(&self) -> bool {
        self.debug.enabled()
    }

    /// Emits a debug message of the API function `context`.
    pub fn debug(&self, context: &CStr, message: fmt::Arguments<'_>) {
        self.debug.emit(context, message);
    }

    pub(super) fn debug_settings(&self) -> &Debug {
        &self.debug
    }

    /// Publishes the number of commands in flight, before the reply to a new one can arrive.
    pub(super) fn publish_in_flight(&self, in_flight: usize) {
        self.in_flight.store(in_flight as u32, Ordering::Release);
    }

    pub(super) fn publish<T>(&self, machine: &machine::Machine<T>, state: State, direction: u32) {
        self.direction.store(direction, Ordering::Release);
        // In the ready state, the description is always the same.
        if state != State::Ready || self.state.load(Ordering::Relaxed) != State::Ready as u8 {
            let description = machine.description(state).as_ptr().cast_mut();
            self.description.store(description, Ordering::Release);
        }
        let now = machine.traffic();
        let seen = &self.statistics;
        seen.bytes_sent.store(now.bytes_sent);
        seen.chunks_sent.store(now.chunks_sent);
        seen.bytes_received.store(now.bytes_received);
        seen.chunks_received.store(now.chunks_received);
        self.state.store(state as u8, Ordering::Release);
    }
}
