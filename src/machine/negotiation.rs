// SPDX-License-Identifier: LGPL-2.1-or-later

//! The sequence of steps in a negotiation. [`super::options`] has the lists of steps, and the
//! options.

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
    /// Takes the first remaining step that is wanted. On failure, nothing has changed.
    pub(super) fn take_step(&mut self, mut position: Position) -> Result<(), Error> {
        while let Some((step, after)) = position.next() {
            let taken = match step {
                Step::Send(option) => self.send_if_wanted(option, after)?,
                Step::Pause => self.pause_if_wanted(),
            };
            if taken {
                break;
            }
            position = after;
        }
        Ok(())
    }

    /// Pauses if option mode is set, so that the program chooses the next option. Returns true if
    /// so.
    fn pause_if_wanted(&mut self) -> bool {
        if self.preferences.opt_mode {
            self.phase.pause();
        }
        self.preferences.opt_mode
    }

    /// Continues after the last reply to an option.
    pub(super) fn option_done(
        &mut self,
        position: Position,
        outcome: Outcome,
    ) -> Result<(), Error> {
        if !position.is_last() {
            // Whether or not the server agreed, continue with the next step.
            return self.take_step(position);
        }
        if position.is_for_program() {
            self.events.push_back(match outcome {
                Outcome::Done(replies) => Event::OptionDone(Ok(replies)),
                Outcome::Refused(errno) => Event::OptionRefused(errno),
                Outcome::Failed(error) => Event::OptionDone(Err(error)),
            });
        } else if let Outcome::Failed(error) = outcome {
            // Outside of option mode, the connection is useless without the export.
            self.abort(Some(error));
        }
        Ok(())
    }

    /// Sends an option, and enters the phase that waits for its replies. Fails when out of
    /// memory; then nothing has changed.
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

    /// Queues an option. Fails when out of memory; then nothing has changed.
    pub(super) fn queue_option(
        &mut self,
        option: option::OptionType,
        data: &[u8],
    ) -> Result<(), NoMemory> {
        let outgoing = self.outgoing.handshake();
        // Reserve room for a later `NBD_OPT_ABORT`, too.
        let room = 2 * option::REQUEST_HEADER_LENGTH + data.len();
        outgoing.try_reserve(room)?;
        option::encode(outgoing, option, data);
        self.traffic.chunks_sent += 1;
        Ok(())
    }

    /// Returns true if the server replies to options.
    pub(super) fn is_fixed_newstyle(&self) -> bool {
        self.negotiated.protocol == Some(Protocol::NewstyleFixed)
    }

    /// Fails unless the server replies to options.
    pub(super) fn require_fixed_newstyle(&self) -> Result<(), Error> {
        if self.is_fixed_newstyle() {
            return Ok(());
        }
        let what = "server is not using fixed newstyle protocol";
        Err(Error::new(libc::ENOTSUP, what))
    }
}
