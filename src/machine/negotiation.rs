// SPDX-License-Identifier: LGPL-2.1-or-later

//! From one step of a negotiation to the next. The lists of steps, and the options:
//! [`super::options`].

use super::core::Machine;
use super::event::Event;
use super::export::Protocol;
use super::option_reply::Outcome;
use super::pending::{Pending, Profile};
use super::position::{Position, Step};
use crate::error::Error;
use crate::memory::NoMemory;
use crate::protocol::option;

impl<T> Machine<T> {
    /// Takes the first of the steps left that is wanted. Fails where it cannot be taken:
    /// nothing has changed then.
    pub(super) fn take_step(&mut self, mut position: Position) -> Result<(), Error> {
        while let Some((step, after)) = position.next() {
            let taken = match step {
                Step::Ask(option) => self.ask_if_wanted(option, after)?,
                Step::Pause => self.pause_if_wanted(),
            };
            if taken {
                break;
            }
            position = after;
        }
        Ok(())
    }

    /// Pauses in option mode, where the program chooses the next option; else false.
    fn pause_if_wanted(&mut self) -> bool {
        if self.preferences.opt_mode {
            self.phase.pause();
        }
        self.preferences.opt_mode
    }

    /// Goes on after an option whose last reply has come.
    pub(super) fn option_done(
        &mut self,
        position: Position,
        outcome: Outcome,
    ) -> Result<(), Error> {
        if !position.is_last() {
            // Whether or not the server agreed, the next step is tried.
            return self.take_step(position);
        }
        if position.is_for_program() {
            self.events.push_back(match outcome {
                Outcome::Done(replies) => Event::OptionDone(Ok(replies)),
                Outcome::Refused(errno) => Event::OptionRefused(errno),
                Outcome::Failed(error) => Event::OptionDone(Err(error)),
            });
        } else if let Outcome::Failed(error) = outcome {
            // Outside of option mode there is nothing to do without the export.
            self.abort(Some(error));
        }
        Ok(())
    }

    /// Sends an option, and waits for its replies. Fails where there is no memory for it:
    /// nothing has changed then.
    pub(super) fn send_option(
        &mut self,
        profile: &'static Profile,
        position: Position,
        data: &[u8],
    ) -> Result<(), Error> {
        self.queue_option(profile.option, data)?;
        self.phase
            .await_option_reply(Pending::new(profile, position));
        Ok(())
    }

    /// Sends an option. Fails where there is no memory for it: nothing has changed then.
    pub(super) fn queue_option(
        &mut self,
        option: option::OptionType,
        data: &[u8],
    ) -> Result<(), NoMemory> {
        let outgoing = self.outgoing.handshake();
        // And for an `NBD_OPT_ABORT` after it.
        let room = 2 * option::REQUEST_HEADER_LENGTH + data.len();
        outgoing.try_reserve(room)?;
        option::encode(outgoing, option, data);
        self.traffic.chunks_sent += 1;
        Ok(())
    }

    /// Returns true if the server answers options.
    pub(super) fn is_fixed_newstyle(&self) -> bool {
        self.negotiated.protocol == Some(Protocol::NewstyleFixed)
    }

    /// Fails unless the server answers options.
    pub(super) fn require_fixed_newstyle(&self) -> Result<(), Error> {
        if self.is_fixed_newstyle() {
            return Ok(());
        }
        let what = "server is not using fixed newstyle protocol";
        Err(Error::new(libc::ENOTSUP, what))
    }
}
