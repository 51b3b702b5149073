// SPDX-License-Identifier: LGPL-2.1-or-later

//! What can be seen of a handle without waiting for its lock: one thread
//! watches while another is blocked in a command.

use std::ffi::CStr;
use std::fmt;
use std::sync::atomic::{AtomicBool, AtomicPtr, AtomicU32, AtomicU8, AtomicUsize, Ordering};

use super::counter::Counter;
use super::debug::Debug;
use crate::constants::{LIBNBD_AIO_DIRECTION_READ, LIBNBD_AIO_DIRECTION_WRITE};
use crate::machine::{self, State};

/// `LIBNBD_AIO_DIRECTION_READ`, as a part of a mask.
pub(super) const DIRECTION_READ: u32 = LIBNBD_AIO_DIRECTION_READ as u32;
/// `LIBNBD_AIO_DIRECTION_WRITE`, as a part of a mask.
pub(super) const DIRECTION_WRITE: u32 = LIBNBD_AIO_DIRECTION_WRITE as u32;

/// Counters of traffic, as last published.
#[derive(Debug, Default)]
pub struct Statistics {
    bytes_sent: Counter,
    chunks_sent: Counter,
    bytes_received: Counter,
    chunks_received: Counter,
}

impl Statistics {
    /// Bytes sent, before any encryption.
    pub fn bytes_sent(&self) -> u64 {
        self.bytes_sent.load()
    }

    /// Messages sent, counted by their magic numbers.
    pub fn chunks_sent(&self) -> u64 {
        self.chunks_sent.load()
    }

    /// Bytes received, after any decryption.
    pub fn bytes_received(&self) -> u64 {
        self.bytes_received.load()
    }

    /// Messages received, counted by their magic numbers.
    pub fn chunks_received(&self) -> u64 {
        self.chunks_received.load()
    }
}

/// The part of a handle that is outside its lock. Whoever holds the lock
/// writes it; anybody reads it.
#[derive(Debug)]
pub struct Shared {
    state: AtomicU8,
    direction: AtomicU32,
    in_flight: AtomicU32,
    /// A `&'static CStr`, kept as the thin pointer to its first byte.
    description: AtomicPtr<libc::c_char>,
    statistics: Statistics,
    /// The program polls the descriptor by itself, so that all replies have to be
    /// seen there.
    program_polls: AtomicBool,
    /// Replies are perhaps being received ahead of their use just now.
    receiving_ahead: AtomicBool,
    /// Bytes have been received and not used yet.
    has_arrivals: AtomicBool,
    /// The program was told to wait for room, although nothing waits to be sent.
    said_to_write: AtomicBool,
    private_data: AtomicUsize,
    /// Whether reads fill their buffer with zeroes before anything else,
    /// waiting for the lock included.
    pread_initialize: AtomicBool,
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
            said_to_write: AtomicBool::new(false),
            private_data: AtomicUsize::new(0),
            pread_initialize: AtomicBool::new(true),
            debug,
        }
    }

    /// The group of states that the connection is in.
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

    /// The state in words, after a short name and a colon.
    pub fn description(&self) -> &'static CStr {
        let description = self.description.load(Ordering::Acquire);
        // SAFETY: only `publish` and `new` store here, and what they store is
        // the start of a `&'static CStr`.
        unsafe { CStr::from_ptr(description) }
    }

    /// The `LIBNBD_AIO_DIRECTION_*` bits to wait for; 0 for none. A program that asks
    /// in transmission is going to poll the descriptor by itself.
    pub fn direction(&self) -> u32 {
        if matches!(self.state(), State::Ready | State::Processing) {
            self.set_program_polls();
        }
        let direction = self.direction.load(Ordering::Acquire);
        // `has_arrivals` is stored before `receiving_ahead` is cleared, so it is
        // loaded after that.
        if self.receiving_ahead.load(Ordering::SeqCst) || self.has_arrivals.load(Ordering::SeqCst) {
            // The descriptor does not show what is in the handle, but a socket nearly
            // always has room, so a wait for that ends at once.
            self.said_to_write.store(true, Ordering::Relaxed);
            return direction | DIRECTION_READ | DIRECTION_WRITE;
        }
        self.said_to_write.store(false, Ordering::Relaxed);
        direction
    }

    /// The program polls the descriptor by itself from now on.
    pub(super) fn set_program_polls(&self) {
        // It stays so, and a load is cheaper.
        if !self.program_polls() {
            self.program_polls.store(true, Ordering::SeqCst);
        }
    }

    /// Whether the program polls the descriptor by itself.
    pub(super) fn program_polls(&self) -> bool {
        self.program_polls.load(Ordering::SeqCst)
    }

    /// Whether replies may be received ahead of their use. If so, that is going on
    /// until [`set_arrivals`](Self::set_arrivals).
    pub(super) fn begin_receiving_ahead(&self) -> bool {
        // Either this sees that the program polls, or the program, which asks for the
        // direction later, sees that replies are being received.
        self.receiving_ahead.store(true, Ordering::SeqCst);
        let allowed = !self.program_polls();
        if !allowed {
            self.receiving_ahead.store(false, Ordering::SeqCst);
        }
        allowed
    }

    /// Nothing is being received any more; says whether something is left to be used.
    pub(super) fn set_arrivals(&self, left: bool) {
        // Only a thread that has the lock stores these, and a load is cheaper.
        if self.has_arrivals.load(Ordering::Relaxed) != left {
            self.has_arrivals.store(left, Ordering::SeqCst);
        }
        if self.receiving_ahead.load(Ordering::Relaxed) {
            self.receiving_ahead.store(false, Ordering::SeqCst);
        }
    }

    /// Whether the program was told to wait for room without a reason of its own,
    /// since this was last called.
    pub(super) fn take_said_to_write(&self) -> bool {
        self.said_to_write.swap(false, Ordering::Relaxed)
    }

    /// Commands of the program, not of synchronous calls, that await their reply.
    pub fn in_flight(&self) -> u32 {
        self.in_flight.load(Ordering::Acquire)
    }

    /// Counters of traffic.
    pub fn statistics(&self) -> &Statistics {
        &self.statistics
    }

    /// The program's own number.
    pub fn private_data(&self) -> usize {
        self.private_data.load(Ordering::SeqCst)
    }

    /// Stores the program's own number and returns the one of before.
    pub fn swap_private_data(&self, value: usize) -> usize {
        self.private_data.swap(value, Ordering::SeqCst)
    }

    /// Whether reads fill their buffer with zeroes before anything else.
    pub fn pread_initialize(&self) -> bool {
        self.pread_initialize.load(Ordering::Relaxed)
    }

    pub fn set_pread_initialize(&self, request: bool) {
        self.pread_initialize.store(request, Ordering::Relaxed);
    }

    /// Whether debug messages are wanted.
    pub fn debug_enabled(&self) -> bool {
        self.debug.enabled()
    }

    /// Emits one debug message in the name of the API function `context`.
    pub fn debug(&self, context: &CStr, message: fmt::Arguments<'_>) {
        self.debug.emit(context, message);
    }

    pub(super) fn debug_settings(&self) -> &Debug {
        &self.debug
    }

    /// Lets others see a command before its reply can come.
    pub(super) fn publish_in_flight(&self, in_flight: usize) {
        self.in_flight.store(in_flight as u32, Ordering::Release);
    }

    pub(super) fn publish<T>(&self, machine: &machine::Machine<T>, state: State, direction: u32) {
        self.direction.store(direction, Ordering::Release);
        // Ready connections have one description.
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
