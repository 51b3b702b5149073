// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the fuzzers do with an input, and what has to hold whatever is in it.
//!
//! Each target is a function of bytes that panics where something does not hold,
//! so the same code runs under libFuzzer (`make fuzz`, with a nightly toolchain) and
//! in the tests (`tests/replay.rs`, with any).
//!
//! - [`owner`] owns a machine and watches it: each command completes once, no
//!   byte goes outside of a buffer, statistics add up, memory is bounded, and
//!   every input ends in a state that is known.
//! - [`machine_bytes`]: a server that says anything at all.
//! - [`conversation`]: a server that speaks correct NBD, and lies once or never.
//! - [`option_replies`]: option mode, and any reply to any option.
//! - [`uris`]: what is parsed and written again is the same.
//! - [`c_calls`]: the C functions in any order.

pub mod c_calls;
mod c_interface;
mod choices;
pub mod conversation;
pub mod corpus;
pub mod machine_bytes;
mod memory;
pub mod option_replies;
pub mod owner;
pub mod uris;

use server_messages as server;

/// A fuzzer: the name of its corpus, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All of them.
pub const TARGETS: [Target; 5] = [
    ("machine_bytes", machine_bytes::run),
    ("conversation", conversation::run),
    ("option_replies", option_replies::run),
    ("uris", uris::run),
    ("c_calls", c_calls::run),
];
