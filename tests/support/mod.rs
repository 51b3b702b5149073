// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the tests that run other programs share: where the library under test
//! is, how a program is run so that it cannot hang, which servers there are, and
//! how the outcome with one library is compared with the outcome with another.

// Each test program uses its own part of this.
#![allow(dead_code)]

pub mod c_program;
pub mod c_suite;
pub mod compare;
pub mod directory;
pub mod library;
pub mod memcheck;
pub mod process;
pub mod programs;
pub mod scenario;
pub mod servers;
pub mod systems;
pub mod target;
pub mod transcript;

/// What went wrong, as the person who reads the test output should see it.
pub type Failure = String;
pub type Result<T> = std::result::Result<T, Failure>;
