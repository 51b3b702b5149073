// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parsing received bytes.

use super::core::Machine;
use super::event::Event;
use super::fault::Fault;
use super::phase::Phase;
use super::reply::Put;
use crate::error::Error;

impl<T> Machine<T> {
    /// Parses bytes from the server up to the next event. Data of a read is passed to `put`.
    /// `None` means that all of `input` was used. To handle only one reply message, stop when
    /// [`Event::ends_message`].
    pub fn receive(&mut self, input: &mut &[u8], put: Put<T>) -> Option<Event> {
        let before = input.len();
        let event = loop {
            if let Some(event) = self.events.pop_front() {
                break Some(event);
            }
            match *self.phase {
                Phase::Transmission { receiving, .. } => {
                    break self.receive_reply(receiving, input, put);
                }
                Phase::Aborting(_) | Phase::Closed | Phase::Dead => {
                    *input = &[];
                    break None;
                }
                _ => {
                    if !self.negotiate(input) && self.events.is_empty() {
                        break None;
                    }
                }
            }
        };
        self.traffic.bytes_received += (before - input.len()) as u64;
        event
    }

    /// Handles the end of the stream. Within a message it is an error; between replies it is a
    /// normal end, and commands in flight fail with it.
    pub fn end_of_stream(&mut self) -> Result<(), Error> {
        if self.phase.may_end() && self.between_replies() {
            self.close();
            return Ok(());
        }
        self.fail();
        Err(Fault::EndOfStream.into())
    }
}
