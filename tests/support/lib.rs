// SPDX-License-Identifier: LGPL-2.1-or-later

//! Shared test support: the location of the library under test, running programs with a
//! time limit, servers, and the comparison of two libraries.

pub mod c_program;
pub mod c_suite;
pub mod certificates;
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

/// A failure message, as printed in the test output.
pub type Failure = String;
pub type Result<T> = std::result::Result<T, Failure>;
