// SPDX-License-Identifier: LGPL-2.1-or-later

//! The number of bytes to receive beyond those that are known to be next.
//!
//! These bytes go through a buffer, so data in them is copied once more. For small replies this
//! is cheap, and saves a system call for each. For large replies, a system call is cheaper than
//! copying half of a reply.

/// The size in bytes of data that is received separately: copying it takes longer than another
/// system call.
pub(super) const LARGE: usize = 32 * 1024;

/// The number of bytes to receive after large data: the header of the next reply, and some small
/// replies.
const AFTER_LARGE: usize = 1024;

/// A prediction of the next replies, from the previous ones.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    large: bool,
    /// Bytes still expected for the user's buffer before the last receive.
    before: usize,
}

impl ReadAhead {
    /// Returns the number of bytes to receive after the `direct` ones, at most `most`.
    pub fn limit(&self, direct: usize, most: usize) -> usize {
        match self.large || direct >= LARGE {
            true => most.min(AFTER_LARGE),
            false => most,
        }
    }

    /// Records the start of a receive, with `direct` bytes expected for the user's buffer.
    pub fn receiving(&mut self, direct: usize) {
        self.before = direct;
    }

    /// Records that all received bytes were used; now `direct` bytes are expected.
    pub fn used(&mut self, direct: usize) {
        let before = std::mem::take(&mut self.before);
        // The last piece of a large reply does not predict the next one.
        self.large = direct >= LARGE || before >= LARGE || (self.large && before > 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the successive limits of a connection. All replies have the same length, and each
    /// element of `comes` is the number of bytes that the socket has.
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
