// SPDX-License-Identifier: LGPL-2.1-or-later

//! Two transcripts side by side.

use std::collections::BTreeMap;
use std::fmt;

use super::differences::{self, Then};
use super::program::{Call, Kind, Program, Steps, Transcript, Which};
use support::transcript::edits;
use support::Result;

/// How often a sequence that differs is run again with each library. On a busy machine,
/// one order of events can come several times in a row.
const AGAIN: usize = 10;

/// What came of one sequence.
#[derive(Debug)]
pub enum Outcome {
    Same(Seen),
    /// At first not the same, but neither is what one library does each time.
    Chance,
    /// Each time.
    Different,
}

/// What was compared, and which differences were met on the way.
#[derive(Debug, Default)]
pub struct Seen {
    calls: usize,
    differences: Vec<&'static str>,
    /// Whether one of them ended the comparison early.
    ended: bool,
}

/// Runs a sequence with both libraries.
///
/// What a server does at the same time as the program can happen before or after
/// the next call. So a difference counts only where none of several runs with
/// one library looks like any run with the other.
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

/// What is the same, or the number of the first call that is not.
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

/// Lines of one call that only the one or only the other has, marked with `-`
/// and `+`.
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

/// What came of many sequences.
#[derive(Default)]
pub struct Tally {
    sequences: usize,
    calls: usize,
    ended: usize,
    /// The seeds of those that were left to chance.
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

    /// Why this is no success.
    pub fn failure(&self) -> Option<String> {
        if self.different > 0 {
            return Some(format!(
                "{} of {} sequences differ",
                self.different, self.sequences
            ));
        }
        // A comparison that mostly stops early, or that chance decides, would
        // prove little.
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
