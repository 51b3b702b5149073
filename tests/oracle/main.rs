// SPDX-License-Identifier: LGPL-2.1-or-later

//! Random conversations in the transmission phase, with correct and faulty replies in
//! any order and in any pieces. The outcome of each command is compared with a model
//! written from the protocol document, independently of the library.
//!
//! - `ORACLE_CASES=1000000` plays more of them than usual: `make oracle`;
//! - `ORACLE_SEED=17` plays one and prints it.

mod alone;
mod client;
mod conversation;
mod faults;
mod message;
mod model;
mod outcome;
mod random;
mod replies;

use std::collections::HashMap;
use std::panic::{catch_unwind, AssertUnwindSafe};

use scripted_server::messages as server;

use conversation::Conversation;

/// Conversations of every day.
const CASES: u64 = 10_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().expect("a number"))
}

#[test]
fn every_conversation_matches_the_model() {
    if let Some(seed) = number("ORACLE_SEED") {
        let conversation = Conversation::random(seed);
        println!(
            "{conversation:#?}\n{:#?}",
            model::expect(&conversation).outcome
        );
        return check(&conversation, seed);
    }
    let cases = number("ORACLE_CASES").unwrap_or(CASES);
    let mut struck = HashMap::new();
    let mut honest = 0;
    for seed in 0..cases {
        let conversation = Conversation::random(seed);
        honest += u64::from(conversation.honest);
        for fault in &conversation.faults {
            *struck.entry(*fault).or_insert(0) += 1;
        }
        let checked = catch_unwind(AssertUnwindSafe(|| check(&conversation, seed)));
        assert!(checked.is_ok(), "ORACLE_SEED={seed} shows what went wrong");
    }
    // Otherwise little would be proved. `make mutants` plays few, and often.
    if cases < CASES {
        return;
    }
    assert!(
        honest > cases / 10,
        "{honest} conversations without a fault"
    );
    for fault in faults::ALL {
        let times = struck.get(fault).copied().unwrap_or(0);
        assert!(times > cases / 2000, "{fault:?} strikes {times} times");
    }
}

fn check(conversation: &Conversation, seed: u64) {
    let expected = model::expect(conversation);
    let seen = client::play(conversation, &expected, seed);
    assert_eq!(
        seen, expected.outcome,
        "left: the machine, right: the model"
    );
}
