// SPDX-License-Identifier: LGPL-2.1-or-later

//! Fuzz targets and the invariants that must hold for every input.
//!
//! Each target is a function of bytes that panics if an invariant is violated. The same code
//! runs under libFuzzer (`make fuzz`, with a nightly toolchain) and in the tests
//! (`tests/replay.rs`, with any toolchain).
//!
//! - [`owner`] owns a machine and checks it: each command completes once, no byte is
//!   written outside of a buffer, statistics add up, memory is bounded, and every input
//!   ends in a known state.
//! - [`machine_bytes`]: a server that sends arbitrary bytes.
//! - [`conversation`]: a server that follows the protocol, with at most one wrong byte.
//! - [`option_replies`]: option mode, and any reply to any option.
//! - [`uris`]: parsing and formatting a URI preserves it.
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

use scripted_server::messages as server;

/// A fuzz target: the name of its corpus, and its function.
pub type Target = (&'static str, fn(&[u8]));

/// All fuzz targets.
pub const TARGETS: [Target; 5] = [
    ("machine_bytes", machine_bytes::run),
    ("conversation", conversation::run),
    ("option_replies", option_replies::run),
    ("uris", uris::run),
    ("c_calls", c_calls::run),
];
