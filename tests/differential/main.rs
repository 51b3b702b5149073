// SPDX-License-Identifier: LGPL-2.1-or-later

//! Random sequences of calls, with the system's C library and with this one.
//!
//! `capi-tests/differential/` is a C program that derives a server and a sequence
//! of calls from a seed and records the results. It runs once with each library.
//! The transcripts must be equal, apart from the differences in `differences.rs`,
//! each of which is explained in `docs/differences.md`.
//!
//! - `cargo test --test differential -- NAME` runs the trials of that name;
//! - `DIFFERENTIAL_SEEDS=1000-1999` replaces the few default seeds;
//! - `DIFFERENTIAL_SHOWN=20` shows more than three differing sequences.
//!
//! The C library is that of the system in which the test runs: this machine's, and a
//! root of Debian sid (see `support/systems.rs`). With 1.24 or newer the program calls
//! every function of the header, with an older version only those of 1.14.

mod compare;
mod differences;
mod documented;
mod program;
mod shrink;

use std::env;
use std::ops::RangeInclusive;
use std::process::ExitCode;

use compare::{Outcome, Tally};
use libtest_mimic::{Arguments, Trial};
use program::{Kind, Program};
use support::{systems, Result};

/// Seeds of each trial in a normal run.
const SEEDS: RangeInclusive<u64> = 1..=80;

/// Seeds in sid, which has the reference version: several thousand sequences.
const SEEDS_IN_SID: RangeInclusive<u64> = 1..=350;

fn main() -> ExitCode {
    let compile = || Program::compiled().map(|_| ());
    systems::in_each(&["sid"], compile, run_trials)
}

fn run_trials() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    match trials() {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(failure) => {
            eprintln!("differential: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn trials() -> Result<Vec<Trial>> {
    let seeds = seeds()?;
    let program = Program::compiled()?;
    let mut trials: Vec<_> = Kind::all(program.minor())
        .into_iter()
        .map(|kind| {
            let (program, seeds) = (program.clone(), seeds.clone());
            Trial::test(kind.to_string(), move || Ok(run(&program, kind, seeds)?))
        })
        .collect();
    trials.push(Trial::test("differences are documented", || {
        Ok(documented::check()?)
    }));
    Ok(trials)
}

fn seeds() -> Result<RangeInclusive<u64>> {
    let Ok(text) = env::var("DIFFERENTIAL_SEEDS") else {
        return Ok(match systems::inside() {
            None => SEEDS,
            Some(_) => SEEDS_IN_SID,
        });
    };
    let range = text.split_once('-').and_then(|(first, last)| {
        let (first, last) = (first.parse().ok()?, last.parse().ok()?);
        (first <= last).then_some(first..=last)
    });
    range.ok_or_else(|| format!("DIFFERENTIAL_SEEDS is FIRST-LAST, not '{text}'"))
}

/// Returns the number of differing sequences to shrink and show.
fn shown() -> Result<usize> {
    match env::var("DIFFERENTIAL_SHOWN") {
        Err(_) => Ok(3),
        Ok(text) => text
            .parse()
            .map_err(|_| format!("DIFFERENTIAL_SHOWN is a number, not '{text}'")),
    }
}

/// Runs all seeds of one kind, and shows the first sequences that differ.
fn run(program: &Program, kind: Kind, seeds: RangeInclusive<u64>) -> Result<()> {
    let shown = shown()?;
    let mut tally = Tally::default();
    let mut failures = Vec::new();
    let mut different = Vec::new();
    for seed in seeds {
        let outcome = compare::sequence(program, kind, seed)?;
        tally.add(seed, &outcome);
        if let Outcome::Different = outcome {
            different.push(seed.to_string());
            if failures.len() < shown {
                failures.push(shrink::explain(program, kind, seed)?);
            }
        }
    }
    println!("{kind}: {tally}");
    match tally.failure() {
        None => Ok(()),
        Some(failure) => Err(format!(
            "{failure}; seeds {}\n\n{}",
            different.join(" "),
            failures.join("\n\n")
        )),
    }
}
