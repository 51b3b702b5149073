// SPDX-License-Identifier: LGPL-2.1-or-later

//! Comparison of two transcripts.

use std::collections::BTreeMap;
use std::fmt;

use super::differences::{self, Then};
use super::program::{Call, Kind, Program, Steps, Transcript, Which};
use support::transcript::edits;
use support::Result;

/// Number of repeated runs with each library after a difference. On a busy
/// machine, the same order of events can occur several times in a row.
const AGAIN: usize = 10;

/// Result of one sequence.
#[derive(Debug)]
pub enum Outcome {
    Same(Seen),
    /// The first runs differ, but one of the libraries does not always behave
    /// the same.
    Chance,
    /// The libraries differ in every run.
    Different,
}

/// Statistics of a comparison, and the known differences that occurred.
#[derive(Debug, Default)]
pub struct Seen {
    calls: usize,
    differences: Vec<&'static str>,
    /// True if a known difference ended the comparison early.
    ended: bool,
}

/// Runs a sequence with both libraries.
///
/// The server runs concurrently, so an event can precede or follow the next
/// call. A difference therefore counts only if no run with one library matches
/// any run with the other.
pub fn sequence(program: &Program, kind: Kind, seed: u64) -> Result<Outcome> {
    let run = |which| program.run(which, kind, seed, &Steps::default());
    let mut expected = vec![run(Which::Reference)?];
    let mut seen = vec![run(Which::UnderTest)?];
    let minor = program.minor();
    if let Ok(same) = compare(minor, &expected[0], &seen[0]) {
        return Ok(Outcome::Same(same));
    }
    for _ in 0..AGAIN {
        expected.push(run(Which::Reference)?);
        seen.push(run(Which::UnderTest)?);
        let alike = |one: &Transcript| seen.iter().any(|other| compare(minor, one, other).is_ok());
        if expected.iter().any(alike) {
            return Ok(Outcome::Chance);
        }
    }
    Ok(Outcome::Different)
}

/// Compares two transcripts; returns the number of the first call that differs
/// if they are not the same.
pub fn compare(
    minor: u32,
    expected: &Transcript,
    seen: &Transcript,
) -> std::result::Result<Seen, usize> {
    let mut result = Seen::default();
    let nothing = Call {
        head: "nothing".to_owned(),
        lines: Vec::new(),
    };
    let most = expected.calls.len().max(seen.calls.len());
    for at in 0..most {
        let one = expected.calls.get(at).unwrap_or(&nothing);
        let other = seen.calls.get(at).unwrap_or(&nothing);
        result.calls += 1;
        if one == other {
            continue;
        }
        let lines = difference(one, other);
        let known = differences::find(minor, &expected.server, one, other, &lines).ok_or(at)?;
        result.differences.push(known.heading);
        if known.then == Then::Ends {
            result.ended = true;
            break;
        }
    }
    Ok(result)
}

/// Returns the lines that only one of two calls has, marked with `-` and `+`.
pub fn difference(one: &Call, other: &Call) -> Vec<String> {
    let lines = |call: &Call| -> Vec<String> {
        let head = std::iter::once(&call.head);
        head.chain(&call.lines).cloned().collect()
    };
    let (one, other) = (lines(one), lines(other));
    let text = |lines: &[String]| -> Vec<String> { lines.to_vec() };
    let (one, other) = (text(&one), text(&other));
    let one: Vec<_> = one.iter().map(String::as_str).collect();
    let other: Vec<_> = other.iter().map(String::as_str).collect();
    edits(&one, &other)
}

/// Results of many sequences.
#[derive(Default)]
pub struct Tally {
    sequences: usize,
    calls: usize,
    ended: usize,
    /// Seeds of the sequences whose outcome varies from run to run.
    chance: Vec<u64>,
    different: usize,
    differences: BTreeMap<&'static str, usize>,
}

impl Tally {
    pub fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.sequences += 1;
        match outcome {
            Outcome::Same(seen) => {
                self.calls += seen.calls;
                self.ended += usize::from(seen.ended);
                for heading in &seen.differences {
                    *self.differences.entry(heading).or_default() += 1;
                }
            }
            Outcome::Chance => self.chance.push(seed),
            Outcome::Different => self.different += 1,
        }
    }

    /// Returns the reason why the results count as a failure, if they do.
    pub fn failure(&self) -> Option<String> {
        if self.different > 0 {
            return Some(format!(
                "{} of {} sequences differ",
                self.different, self.sequences
            ));
        }
        // A comparison that mostly stops early or varies from run to run proves
        // little.
        let lost = self.chance.len() + self.ended;
        if lost * 3 > self.sequences {
            return Some(format!("too little was compared: {self}"));
        }
        None
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{} sequences, {} calls the same, {} sequences up to a known difference, \
             {} left to chance, {} different",
            self.sequences,
            self.calls,
            self.ended,
            self.chance.len(),
            self.different
        )?;
        for seed in &self.chance {
            write!(f, "\n  left to chance: seed {seed}")?;
        }
        for (heading, count) in &self.differences {
            write!(f, "\n  {count} times: {heading}")?;
        }
        Ok(())
    }
}
