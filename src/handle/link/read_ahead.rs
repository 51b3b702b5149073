// SPDX-License-Identifier: LGPL-2.1-or-later

//! How much is received after what is known to be next.
//!
//! What comes after it goes through a buffer, and data in there is copied once more.
//! With small replies that is cheap, and saves a system call for each. With large
//! ones a system call is cheaper than to copy half of a reply.

/// Data that is received for itself, in bytes: it takes longer to copy as much than
/// to ask the system again.
pub(super) const LARGE: usize = 32 * 1024;

/// What is received after large data, in bytes: the header of the next reply, and
/// some of the small ones that may follow.
const AFTER_LARGE: usize = 1024;

/// What to expect, by what came last.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    large: bool,
    /// Bytes expected for the user's buffer before the last receive.
    before: usize,
}

impl ReadAhead {
    /// How many bytes to receive after the `direct` ones, `most` of them at most.
    pub fn limit(&self, direct: usize, most: usize) -> usize {
        match self.large || direct >= LARGE {
            true => most.min(AFTER_LARGE),
            false => most,
        }
    }

    /// Something is received now: `direct` bytes are expected for the user's buffer.
    pub fn receiving(&mut self, direct: usize) {
        self.before = direct;
    }

    /// What arrived has been used: now `direct` bytes are expected.
    pub fn used(&mut self, direct: usize) {
        let before = std::mem::take(&mut self.before);
        // The last piece of a large reply does not predict the next one.
        self.large = direct >= LARGE || before >= LARGE || (self.large && before > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The limits that a connection has, one after the other, whose socket gives
    /// so many bytes each time: replies are all of one length.
    fn limits(reply: usize, comes: &[usize]) -> Vec<usize> {
        let mut read_ahead = ReadAhead::default();
        let mut limits = Vec::new();
        let mut left = 0;
        for comes in comes {
            let limit = read_ahead.limit(left, 4096);
            limits.push(limit);
            let after = (*comes).saturating_sub(left).min(limit);
            read_ahead.receiving(left);
            left = left.saturating_sub(*comes);
            if after > 0 {
                left = reply - after % reply;
            }
            read_ahead.used(left);
        }
        limits
    }

    #[test]
    fn after_small_replies_everything_is_received() {
        let whole = limits(512, &[600, 5000, 100, 5000]);
        assert_eq!(whole, [4096, 4096, 4096, 4096]);
    }

    #[test]
    fn after_large_replies_little_is_received() {
        let whole = limits(262_144, &[5000, 100_000, 200_000, 262_144, 70_000]);
        assert_eq!(whole, [4096, 1024, 1024, 1024, 1024]);
    }

    #[test]
    fn the_first_small_reply_after_large_ones_is_noticed() {
        let mut read_ahead = ReadAhead::default();
        read_ahead.receiving(262_144);
        read_ahead.used(0);
        assert_eq!(read_ahead.limit(0, 4096), AFTER_LARGE);
        read_ahead.receiving(0);
        read_ahead.used(300);
        assert_eq!(read_ahead.limit(300, 4096), 4096);
    }
}
