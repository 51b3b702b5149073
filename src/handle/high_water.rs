// SPDX-License-Identifier: LGPL-2.1-or-later

//! When memory that grew with the commands in flight is given back.
//!
//! A program that issues the same number of commands in each round, and completes all
//! of them, must not allocate in each round. So memory stays as it is until as many
//! commands as it was needed for, and at least [`FEWEST`], did with less than a quarter
//! of it.

/// The fewest commands after which memory is given back.
const FEWEST: usize = 1024;

/// The most commands that a handle had at a time, in flight or not retired.
#[derive(Debug, Default)]
pub(super) struct HighWater {
    /// Since memory was given back.
    most: usize,
    /// Since there was last a quarter of that.
    lately: usize,
    /// How many were issued since then.
    issued: usize,
}

impl HighWater {
    /// A command is issued; with it there are `count`. Returns for how many there should
    /// be memory, when the rest is to be given back.
    pub fn rise(&mut self, count: usize) -> Option<usize> {
        if count >= self.most.div_ceil(4) {
            *self = HighWater {
                most: self.most.max(count),
                lately: 0,
                issued: 0,
            };
            return None;
        }
        self.lately = self.lately.max(count);
        self.issued += 1;
        if self.issued < self.most.max(FEWEST) {
            return None;
        }
        *self = HighWater {
            most: self.lately,
            lately: 0,
            issued: 0,
        };
        Some(self.most)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rounds in which there are so many commands in the end, and none before.
    fn rounds(high_water: &mut HighWater, count: usize, depth: usize) -> Vec<usize> {
        let counts = (0..count).flat_map(|_| 1..=depth);
        counts.filter_map(|it| high_water.rise(it)).collect()
    }

    #[test]
    fn the_same_depth_again_gives_nothing_back() {
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
    fn less_than_a_quarter_gives_memory_back_after_1024_commands() {
        let mut high_water = HighWater::default();
        rounds(&mut high_water, 1, 1024);
        assert_eq!(rounds(&mut high_water, 1023, 1), []);
        assert_eq!(rounds(&mut high_water, 1, 1), [1]);
        // There is never less than one.
        assert_eq!(rounds(&mut high_water, 10_000, 1), []);
        rounds(&mut high_water, 1, 1024);
        assert_eq!(rounds(&mut high_water, 4, 255), []);
        assert_eq!(rounds(&mut high_water, 1, 255), [255]);
    }

    #[test]
    fn more_commands_are_awaited_where_there_were_more() {
        let mut high_water = HighWater::default();
        rounds(&mut high_water, 1, 8192);
        assert_eq!(rounds(&mut high_water, 8191, 1), []);
        assert_eq!(rounds(&mut high_water, 1, 1), [1]);
    }
}
