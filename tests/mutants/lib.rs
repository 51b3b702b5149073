// SPDX-License-Identifier: LGPL-2.1-or-later

//! The protocol core without the rest of the library, and its tests: `make
//! mutants` rebuilds it for each mutation. See docs/testing.md.

extern crate self as nbd;

#[path = "../../src/error.rs"]
pub mod error;
#[path = "../../src/machine/mod.rs"]
pub mod machine;
#[allow(dead_code)]
#[path = "../../src/memory.rs"]
mod memory;
#[path = "../../src/protocol/mod.rs"]
pub mod protocol;
#[allow(dead_code)]
#[path = "../../src/text.rs"]
mod text;

#[cfg(test)]
#[path = "../machine/main.rs"]
mod conversations;

#[cfg(test)]
#[path = "../oracle/main.rs"]
mod random_conversations;
