// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replies held back in order to delay, reorder or interleave them.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use crate::output::Output;
use crate::settings::Settings;

/// Held replies are released after this long without a new one, so that a
/// client that waits for all of them makes progress.
const PATIENCE: Duration = Duration::from_millis(5);

/// A small pseudo-random number generator (splitmix64).
#[derive(Debug, Clone)]
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % n as u64) as usize
    }
}

/// Replies of one connection that have not been released.
#[derive(Debug)]
pub struct Delivery {
    hold: usize,
    interleave: bool,
    delay: Duration,
    random: Random,
    /// Replies waiting to be shuffled.
    held: Vec<Output>,
    /// Arrival time of the newest one.
    newest: Option<Instant>,
    /// Shuffled replies with the time at which each may be sent.
    timed: VecDeque<(Instant, Output)>,
    bytes: usize,
}

impl Delivery {
    /// Returns `None` unless the settings ask for replies to be held.
    pub fn new(settings: &Settings) -> Option<Delivery> {
        let wanted = settings.shuffle > 1 || settings.interleave || !settings.delay.is_zero();
        wanted.then(|| Delivery {
            hold: match settings.shuffle {
                0 if settings.interleave => 8,
                0 => 1,
                n => n,
            },
            interleave: settings.interleave,
            delay: settings.delay,
            random: Random(settings.seed),
            held: Vec::new(),
            newest: None,
            timed: VecDeque::new(),
            bytes: 0,
        })
    }

    /// Returns the number of bytes held.
    pub fn held_bytes(&self) -> usize {
        self.bytes
    }

    /// Adds a reply.
    pub fn push(&mut self, reply: Output, now: Instant) {
        self.bytes += reply.len();
        self.held.push(reply);
        self.newest = Some(now);
        if self.held.len() >= self.hold {
            self.shuffle(now);
        }
    }

    fn shuffle(&mut self, now: Instant) {
        let mut replies = std::mem::take(&mut self.held);
        self.newest = None;
        let due = now + self.delay;
        if self.hold > 1 {
            for n in (1..replies.len()).rev() {
                replies.swap(n, self.random.below(n + 1));
            }
        }
        if self.interleave {
            replies = self.mix(replies);
        }
        self.timed
            .extend(replies.into_iter().map(|reply| (due, reply)));
    }

    /// Interleaves the chunks of all replies; each reply keeps its own order.
    fn mix(&mut self, replies: Vec<Output>) -> Vec<Output> {
        let mut queues: Vec<VecDeque<Output>> = replies
            .into_iter()
            .map(|reply| reply.into_chunks().into())
            .collect();
        let mut mixed = Vec::new();
        while !queues.is_empty() {
            let n = self.random.below(queues.len());
            match queues[n].pop_front() {
                Some(chunk) => mixed.push(chunk),
                None => drop(queues.swap_remove(n)),
            }
        }
        mixed
    }

    /// Moves replies that are due to `out`.
    pub fn release(&mut self, now: Instant, out: &mut Output) {
        if self.newest.is_some_and(|newest| newest + PATIENCE <= now) {
            self.shuffle(now);
        }
        while self.timed.front().is_some_and(|&(due, _)| due <= now) {
            if let Some((_, reply)) = self.timed.pop_front() {
                self.bytes -= reply.len();
                out.append(reply);
            }
        }
    }

    /// Moves all replies to `out`, because the client disconnects.
    pub fn release_all(&mut self, now: Instant, out: &mut Output) {
        self.shuffle(now);
        for (_, reply) in self.timed.drain(..) {
            out.append(reply);
        }
        self.bytes = 0;
    }

    /// Returns the time of the next reply to release.
    pub fn next_due(&self) -> Option<Instant> {
        let patience = self.newest.map(|newest| newest + PATIENCE);
        let timed = self.timed.front().map(|&(due, _)| due);
        patience.into_iter().chain(timed).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reply(n: u8) -> Output {
        let mut out = Output::with_marks();
        for chunk in 0..3 {
            out.mark();
            out.put(&[n, chunk]);
        }
        out
    }

    fn settings() -> Settings {
        Settings {
            shuffle: 8,
            ..Settings::default()
        }
    }

    #[test]
    fn the_seed_determines_the_order() {
        let order = |seed| {
            let settings = Settings { seed, ..settings() };
            let mut delivery = Delivery::new(&settings).unwrap();
            let now = Instant::now();
            let mut out = Output::default();
            (0..8).for_each(|n| delivery.push(reply(n), now));
            delivery.release(now, &mut out);
            assert_eq!((out.len(), delivery.held_bytes()), (48, 0));
            out.to_vec()
        };
        assert_eq!(order(1), order(1));
        assert_ne!(order(1), order(2));
    }

    #[test]
    fn an_incomplete_shuffle_is_released_after_a_while() {
        let mut delivery = Delivery::new(&settings()).unwrap();
        let now = Instant::now();
        let mut out = Output::default();
        delivery.push(reply(1), now);
        delivery.release(now, &mut out);
        assert!(out.is_empty());
        let due = delivery.next_due().unwrap();
        delivery.release(due, &mut out);
        assert_eq!(out.len(), 6);
        assert_eq!(delivery.next_due(), None);
    }

    #[test]
    fn delayed_replies_wait() {
        let settings = Settings {
            delay: Duration::from_millis(100),
            ..Settings::default()
        };
        let mut delivery = Delivery::new(&settings).unwrap();
        let now = Instant::now();
        let mut out = Output::default();
        delivery.push(reply(1), now);
        delivery.release(now + Duration::from_millis(99), &mut out);
        assert!(out.is_empty());
        delivery.release(now + Duration::from_millis(100), &mut out);
        assert_eq!(out.len(), 6);
    }

    #[test]
    fn interleaved_chunks_keep_the_order_of_their_reply() {
        let settings = Settings {
            interleave: true,
            ..settings()
        };
        let mut delivery = Delivery::new(&settings).unwrap();
        let now = Instant::now();
        let mut out = Output::default();
        (0..8).for_each(|n| delivery.push(reply(n), now));
        delivery.release(now, &mut out);
        let bytes = out.to_vec();
        let mut next = [0; 8];
        for pair in bytes.chunks(2) {
            assert_eq!(pair[1], next[usize::from(pair[0])]);
            next[usize::from(pair[0])] += 1;
        }
        assert_eq!(next, [3; 8]);
        let first: Vec<u8> = bytes.iter().step_by(2).take(3).copied().collect();
        assert!(first.iter().any(|&n| n != first[0]), "nothing was mixed");
    }
}
