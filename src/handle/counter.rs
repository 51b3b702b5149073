// SPDX-License-Identifier: LGPL-2.1-or-later

//! A 64-bit counter with one writer and many readers. Some processors can load and store only 32
//! bits at once: 32-bit ARM before version 6, MIPS and PowerPC.

#![forbid(unsafe_code)]

#[cfg(target_has_atomic = "64")]
pub type Counter = whole::Counter;
#[cfg(not(target_has_atomic = "64"))]
pub type Counter = halves::Counter;

#[cfg(target_has_atomic = "64")]
mod whole {
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    pub struct Counter(AtomicU64);

    impl Counter {
        /// Stores a count that is not lower. Only for the thread that holds the lock of the
        /// handle.
        pub fn store(&self, count: u64) {
            self.0.store(count, Ordering::Relaxed);
        }

        pub fn load(&self) -> u64 {
            self.0.load(Ordering::Relaxed)
        }
    }
}

#[cfg(any(test, not(target_has_atomic = "64")))]
mod halves {
    use std::sync::atomic::{AtomicU32, Ordering};

    /// The high half is stored twice: before the low half, and after it. A reader loads in the
    /// opposite order, so if the high halves are equal, the low half belongs to them.
    #[derive(Debug, Default)]
    pub struct Counter {
        stored_first: AtomicU32,
        low: AtomicU32,
        stored_last: AtomicU32,
    }

    impl Counter {
        /// Stores a count that is not lower. Only for the thread that holds the lock of the
        /// handle.
        pub fn store(&self, count: u64) {
            let high = (count >> 32) as u32;
            self.stored_first.store(high, Ordering::Relaxed);
            self.low.store(count as u32, Ordering::Release);
            self.stored_last.store(high, Ordering::Release);
        }

        pub fn load(&self) -> u64 {
            loop {
                let high = self.stored_last.load(Ordering::Acquire);
                let low = self.low.load(Ordering::Acquire);
                // They differ only while the writer is between its stores, once in 4 GiB.
                if self.stored_first.load(Ordering::Relaxed) == high {
                    return u64::from(high) << 32 | u64::from(low);
                }
                std::thread::yield_now();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::halves::Counter;

    #[test]
    fn halves_are_combined() {
        let counter = Counter::default();
        assert_eq!(counter.load(), 0);
        for count in [
            1,
            0xffff_ffff,
            0x1_0000_0000,
            0x1234_5678_9abc_def0,
            u64::MAX,
        ] {
            counter.store(count);
            assert_eq!(counter.load(), count);
        }
    }

    #[test]
    fn no_reader_sees_a_count_go_back() {
        let counter = Counter::default();
        std::thread::scope(|scope| {
            scope.spawn(|| (0..1 << 20).for_each(|n: u64| counter.store(n * 0xffff_fff1)));
            for _ in 0..2 {
                scope.spawn(|| {
                    let mut last = 0;
                    while last < ((1 << 20) - 1) * 0xffff_fff1 {
                        let now = counter.load();
                        assert!(last <= now, "{now:#x} after {last:#x}");
                        assert_eq!(now % 0xffff_fff1, 0, "{now:#x} was never stored");
                        last = now;
                    }
                });
            }
        });
    }
}
