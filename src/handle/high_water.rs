// SPDX-License-Identifier: LGPL-2.1-or-later

//! Decides when memory that has grown with the commands in flight is freed.
//!
//! A program that issues the same number of commands in each round, and completes all of them,
//! must not cause allocations in each round. So memory is kept until less than a quarter of it
//! was enough for as many commands as it has room for, and for at least [`MIN_COMMANDS`].

/// The minimum number of commands after which memory is freed.
const MIN_COMMANDS: usize = 1024;

/// The maximum number of commands that a handle had at the same time, in flight or not retired.
#[derive(Debug, Default)]
pub(super) struct HighWater {
    /// The maximum since memory was freed.
    most: usize,
    /// The maximum since a quarter of `most` was last reached.
    recent: usize,
    /// The number of commands issued since then.
    issued: usize,
}

impl HighWater {
    /// Counts a new command; `count` includes it. If memory should be freed, returns the number
    /// of commands to keep memory for.
    pub fn count_command(&mut self, count: usize) -> Option<usize> {
        if count >= self.most.div_ceil(4) {
            *self = HighWater {
                most: self.most.max(count),
                recent: 0,
                issued: 0,
            };
            return None;
        }
        self.recent = self.recent.max(count);
        self.issued += 1;
        if self.issued < self.most.max(MIN_COMMANDS) {
            return None;
        }
        *self = HighWater {
            most: self.recent,
            recent: 0,
            issued: 0,
        };
        Some(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the results of `count` rounds, in each of which the number of commands rises from
    /// 1 to `depth`.
    fn rounds(high_water: &mut HighWater, count: usize, depth: usize) -> Vec<usize> {
        let counts = (0..count).flat_map(|_| 1..=depth);
        counts
            .filter_map(|it| high_water.count_command(it))
            .collect()
    }

    #[test]
    fn constant_depth_frees_nothing() {
        for depth in [1, 2, 3, 4, 5, 64, 1024, 1025, 5000] {
            let mut high_water = HighWater::default();
            let same = rounds(&mut high_water, 30_000 / depth, depth);
            assert_eq!(same, [], "{depth}");
            let quarter = depth.div_ceil(4);
            let less = rounds(&mut high_water, 30_000 / quarter, quarter);
            assert_eq!(less, [], "{depth}");
        }
    }

    #[test]
    fn memory_is_freed_after_1024_commands_below_a_quarter() {
        let mut high_water = HighWater::default();
        rounds(&mut high_water, 1, 1024);
        assert_eq!(rounds(&mut high_water, 1023, 1), []);
        assert_eq!(rounds(&mut high_water, 1, 1), [1]);
        // The minimum is 1.
        assert_eq!(rounds(&mut high_water, 10_000, 1), []);
        rounds(&mut high_water, 1, 1024);
        assert_eq!(rounds(&mut high_water, 4, 255), []);
        assert_eq!(rounds(&mut high_water, 1, 255), [255]);
    }

    #[test]
    fn larger_maximum_keeps_memory_longer() {
        let mut high_water = HighWater::default();
        rounds(&mut high_water, 1, 8192);
        assert_eq!(rounds(&mut high_water, 8191, 1), []);
        assert_eq!(rounds(&mut high_water, 1, 1), [1]);
    }
}
