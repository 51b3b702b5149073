// SPDX-License-Identifier: LGPL-2.1-or-later

//! The short form of fuzzing: replays the inputs in `fuzz/corpus` and changed
//! copies of them. The changes are the same each time, so failures are
//! reproducible.
//!
//! `FUZZING_INPUT=FILE cargo test --release -p fuzzing TARGET` runs one input,
//! and `FUZZING_INPUTS=NUMBER` sets the number of changed inputs.

use std::fs;
use std::panic::{catch_unwind, AssertUnwindSafe};
use std::path::Path;
use std::process::ExitCode;

use fuzzing::{corpus, Target, TARGETS};
use libtest_mimic::{Arguments, Trial};

/// Default number of changed inputs for each target.
const INPUTS: u64 = 60_000;

/// Maximum length of an input in bytes.
const LONGEST: usize = 8192;

fn main() -> ExitCode {
    let trial = |target: Target| {
        Trial::test(target.0, move || {
            replay(target);
            Ok(())
        })
    };
    let trials = TARGETS.map(trial).into();
    libtest_mimic::run(&Arguments::from_args(), trials).exit_code()
}

/// A deterministic pseudo-random number generator (xorshift64*).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
}

/// Returns a copy of one input with a few changes, or with the end of another
/// one.
fn changed(corpus: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = corpus[numbers.below(corpus.len())].clone();
    for _ in 0..=numbers.below(6) {
        let at = numbers.below(input.len() + 1);
        match numbers.below(6) {
            0 => input.truncate(at),
            1 => {
                let other = &corpus[numbers.below(corpus.len())];
                input.truncate(at);
                input.extend(&other[numbers.below(other.len() + 1)..]);
            }
            2 => input.insert(at, numbers.below(256) as u8),
            3 => input.extend((0..numbers.below(64)).map(|_| numbers.below(256) as u8)),
            _ if at < input.len() => input[at] ^= 1 << numbers.below(8),
            _ => {}
        }
    }
    input.truncate(LONGEST);
    input
}

/// Runs an input, and saves it if it fails.
fn run((name, target): Target, input: &[u8], origin: &str) {
    if catch_unwind(AssertUnwindSafe(|| target(input))).is_err() {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}.failed"));
        let kept = fs::write(&path, input).map(|()| path.display().to_string());
        panic!("{origin} fails: FUZZING_INPUT={kept:?} runs it again");
    }
}

fn replay(target: Target) {
    let (name, _) = target;
    if let Some(path) = std::env::var_os("FUZZING_INPUT") {
        let input = fs::read(&path).unwrap_or_else(|e| panic!("{path:?}: {e}"));
        return run(target, &input, "the input");
    }
    let inputs = std::env::var("FUZZING_INPUTS").ok();
    let inputs = inputs.map_or(INPUTS, |number| number.parse().expect("a number"));
    let corpus = corpus::read(name).expect("a corpus");
    assert!(!corpus.is_empty(), "{name}: a corpus without inputs");
    for (number, input) in corpus.iter().enumerate() {
        run(target, input, &format!("corpus/{name}.hex:{}", number + 1));
    }
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for number in 0..inputs {
        let input = changed(&corpus, &mut numbers);
        run(target, &input, &format!("changed input {number}"));
    }
    println!("{name}: {} inputs, {inputs} changed ones", corpus.len());
}
