// SPDX-License-Identifier: LGPL-2.1-or-later

//! Reduces a sequence that differs to a minimal example.

use super::compare;
use super::program::{Kind, Program, Steps, Transcript, Which};
use support::Result;

/// Number of context lines before the first call that differs.
const CONTEXT: usize = 4;

/// Returns the shortest differing subsequence found, the call that differs, and
/// the command that reproduces it.
pub fn explain(program: &Program, kind: Kind, seed: u64) -> Result<String> {
    let steps = shortest(program, kind, seed)?;
    let expected = program.run(Which::Reference, kind, seed, &steps)?;
    let seen = program.run(Which::UnderTest, kind, seed, &steps)?;
    let arguments = program.arguments(kind, seed, &steps);
    let place = match compare::compare(program.minor(), &expected, &seen) {
        Ok(_) => "it does not differ each time".to_owned(),
        Err(at) => place(&expected, &seen, at),
    };
    Ok(format!(
        "seed {seed}, {kind}: - with the C library, + with the one under test\n\
         {}\n{place}\nrun it: {}",
        expected.server,
        program.command_line(&arguments)
    ))
}

fn place(expected: &Transcript, seen: &Transcript, at: usize) -> String {
    let mut shown = Vec::new();
    for call in &expected.calls[at.saturating_sub(CONTEXT).min(expected.calls.len())..] {
        if shown.len() == CONTEXT.min(at) {
            break;
        }
        shown.push(format!("    {}: {}", call.head, call.lines.join("; ")));
    }
    let (one, other) = (expected.calls.get(at), seen.calls.get(at));
    if let Some(call) = one.or(other) {
        shown.push(format!("    {}", call.head));
    }
    match (one, other) {
        (Some(one), Some(other)) => {
            let lines = compare::difference(one, other);
            shown.extend(lines.iter().map(|line| format!("  {line}")));
        }
        (Some(_), None) => shown.push("  - goes on".to_owned()),
        _ => shown.push("  + goes on".to_owned()),
    }
    shown.join("\n")
}

/// Cuts the sequence after the first difference and removes every unneeded step
/// before it.
fn shortest(program: &Program, kind: Kind, seed: u64) -> Result<Steps> {
    let mut steps = Steps::default();
    let Some(last) = differing_step(program, kind, seed, &steps)? else {
        return Ok(steps);
    };
    let cut = Steps {
        last: Some(last),
        without: Vec::new(),
    };
    if differing_step(program, kind, seed, &cut)?.is_none() {
        return Ok(steps);
    }
    steps = cut;
    for step in (1..last).rev() {
        let mut shorter = steps.clone();
        shorter.without.push(step);
        if differing_step(program, kind, seed, &shorter)? == Some(last) {
            steps = shorter;
        }
    }
    Ok(steps)
}

/// Returns the number of the step at which the libraries differ. The caller
/// knows that the whole sequence differs reproducibly.
fn differing_step(program: &Program, kind: Kind, seed: u64, steps: &Steps) -> Result<Option<u32>> {
    let expected = program.run(Which::Reference, kind, seed, steps)?;
    let seen = program.run(Which::UnderTest, kind, seed, steps)?;
    let at = compare::compare(program.minor(), &expected, &seen).err();
    let call = at.and_then(|at| expected.calls.get(at));
    Ok(call.and_then(|call| call.step()))
}
