// SPDX-License-Identifier: LGPL-2.1-or-later

//! How much is received behind what is known to be next.
//!
//! What comes behind it goes through a buffer, and data in there is copied once more.
//! With small replies that is cheap, and saves a system call for each. With large
//! ones a system call is cheaper than to copy half of a reply.

/// Data that is received for itself, in bytes: it takes longer to copy as much than
/// to ask the system again.
pub(super) const LARGE: usize = 32 * 1024;

/// What is received behind large data, in bytes: the header of the next reply, and
/// some of the small ones that may follow.
const BEHIND_LARGE: usize = 1024;

/// What to expect, by what came last.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    large: bool,
}

impl ReadAhead {
    /// How many bytes to receive behind the `direct` ones, `most` of them at most.
    pub fn limit(&self, direct: usize, most: usize) -> usize {
        match self.large || direct >= LARGE {
            true => most.min(BEHIND_LARGE),
            false => most,
        }
    }

    /// As many bytes were awaited for a user's buffer before something was received,
    /// and so many are now.
    pub fn note(&mut self, before: usize, now: usize) {
        // The last piece of a large reply says nothing of the next one.
        self.large = now >= LARGE || before >= LARGE || (self.large && before > 0);
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
            let behind = (*comes).saturating_sub(left).min(limit);
            let before = left;
            left = left.saturating_sub(*comes);
            if behind > 0 {
                left = reply - behind % reply;
            }
            read_ahead.note(before, left);
        }
        limits
    }

    #[test]
    fn behind_small_replies_as_much_as_there_is_is_received() {
        let whole = limits(512, &[600, 5000, 100, 5000]);
        assert_eq!(whole, [4096, 4096, 4096, 4096]);
    }

    #[test]
    fn behind_large_replies_little_is_received() {
        let whole = limits(262_144, &[5000, 100_000, 200_000, 262_144, 70_000]);
        assert_eq!(whole, [4096, 1024, 1024, 1024, 1024]);
    }

    #[test]
    fn the_first_small_reply_after_large_ones_is_noticed() {
        let mut read_ahead = ReadAhead::default();
        read_ahead.note(262_144, 0);
        assert_eq!(read_ahead.limit(0, 4096), BEHIND_LARGE);
        read_ahead.note(0, 300);
        assert_eq!(read_ahead.limit(300, 4096), 4096);
    }
}
