// SPDX-License-Identifier: LGPL-2.1-or-later

//! Steps of a negotiation, and positions in a list of steps. [`super::options`] has the lists.

use crate::protocol::option::OptionType;

/// A step of a negotiation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// Send this option, if it is wanted, and wait for its last reply.
    Send(OptionType),
    /// Pause, if option mode is set.
    Pause,
}

/// The purpose of a list of steps: it decides who gets the outcome of the last step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Connect,
    Program,
}

/// A position in a list of steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    left: &'static [Step],
    purpose: Purpose,
}

impl Position {
    /// Starts the steps of a connection.
    pub fn connecting(steps: &'static [Step]) -> Self {
        Position {
            left: steps,
            purpose: Purpose::Connect,
        }
    }

    /// Starts steps requested by the program.
    pub fn program(steps: &'static [Step]) -> Self {
        Position {
            left: steps,
            purpose: Purpose::Program,
        }
    }

    /// Returns the position of a single option requested by the program: no step follows.
    pub fn single() -> Self {
        Position::program(&[])
    }

    /// Returns the next step, and the position after it.
    pub fn next(self) -> Option<(Step, Position)> {
        let (step, left) = self.left.split_first()?;
        Some((*step, Position { left, ..self }))
    }

    /// Returns true if no step follows.
    pub fn is_last(self) -> bool {
        self.left.is_empty()
    }

    /// Returns true if the outcome of the last step is reported to the program.
    pub fn is_for_program(self) -> bool {
        self.purpose == Purpose::Program
    }
}
