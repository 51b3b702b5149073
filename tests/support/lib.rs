// SPDX-License-Identifier: LGPL-2.1-or-later

//! Shared parts of the tests: the location of the library under test, programs that are run
//! so that they cannot hang, servers, and the comparison of outcomes with two libraries.

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

/// What went wrong, as the person who reads the test output should see it.
pub type Failure = String;
pub type Result<T> = std::result::Result<T, Failure>;
