// SPDX-License-Identifier: LGPL-2.1-or-later

//! Steps of a negotiation, and a place among them. [`super::options`] lists the steps.

use crate::protocol::option::OptionType;

/// A step of a negotiation.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// This option, up to its last reply, if it is wanted.
    Ask(OptionType),
    /// The pause of option mode, if it is wanted.
    Pause,
}

/// Purpose of a list of steps, which says who learns the outcome of the last one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Purpose {
    Connect,
    Program,
}

/// A place in a list of steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Position {
    left: &'static [Step],
    purpose: Purpose,
}

impl Position {
    /// Starts the steps that a connection takes on its own.
    pub fn connecting(steps: &'static [Step]) -> Self {
        Position {
            left: steps,
            purpose: Purpose::Connect,
        }
    }

    /// Starts steps that the program asked for.
    pub fn program(steps: &'static [Step]) -> Self {
        Position {
            left: steps,
            purpose: Purpose::Program,
        }
    }

    /// Returns the position of an option that the program asked for alone: no step
    /// follows.
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

    /// Returns true if the program waits for the outcome of the last step.
    pub fn is_for_program(self) -> bool {
        self.purpose == Purpose::Program
    }
}
