// SPDX-License-Identifier: LGPL-2.1-or-later

//! Receiving option replies. Each option decodes them in its own file in [`super::options`].

use super::core::Machine;
use super::fault::Fault;
use super::pending::{Part, Pending};
use super::position::Position;
use crate::error::Error;
use crate::protocol::option::{
    ReplyError, ReplyHeader, ReplyType, REPLY_HEADER_LENGTH, REPLY_MAGIC,
};
use crate::protocol::MAX_STRING;

/// The maximum length of the data of an option reply, in bytes.
/// Source: seen with libnbd 1.24.4.
const MAX_REPLY_LENGTH: usize = 64 * 1024 * 1024;

/// The maximum number of replies to one option: more than any real list of exports or contexts,
/// and few enough to detect an endless list.
const MAX_REPLIES: u32 = 1 << 20;

/// A reply to an option.
#[derive(Debug, Clone, Copy)]
pub(super) enum Reply<'a> {
    /// `NBD_REP_ACK`: the option succeeded.
    Ack,
    /// The option failed, with an optional message from the server.
    Refusal(ReplyError, &'a [u8]),
    /// Data; more replies follow.
    Data(ReplyType, &'a [u8]),
    /// The same, but the data was too long and has been skipped.
    TooLarge(ReplyType),
}

impl Reply<'_> {
    /// Returns the fault of a reply that is invalid for the option.
    pub fn unexpected(self) -> Fault {
        let kind = match self {
            Reply::Ack => ReplyType::Ack,
            Reply::Refusal(error, _) => ReplyType::Error(error),
            Reply::Data(kind, _) | Reply::TooLarge(kind) => kind,
        };
        Fault::UnexpectedOptionReply(kind.to_wire())
    }
}

/// The outcome of an option.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Success: the number of replies, or 1 if the server could only accept or refuse.
    Done(u32),
    /// The server refused an option that it could only accept or refuse. This is a valid answer,
    /// not an error. The errno is the reason.
    Refused(libc::c_int),
    /// Failure.
    Failed(Error),
}

/// The consequence of a reply to an option.
#[derive(Debug)]
pub(super) enum After {
    /// Wait for another reply to the same option.
    Reply(Pending),
    /// This was the last reply: take the next step, or report the outcome.
    Step(Position, Outcome),
    /// Another phase has already begun: a TLS handshake, another option in its place, or the end
    /// of the negotiation.
    Begun,
}

impl<T> Machine<T> {
    /// Parses a part of an option reply. Returns false if more bytes are needed.
    pub(super) fn option_reply(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        let Some(pending) = self.phase.pending_mut() else {
            return Ok(false);
        };
        match pending.part {
            Part::Header => {
                let Some(bytes) = self.inbox.take(input, REPLY_HEADER_LENGTH) else {
                    return Ok(false);
                };
                let header = ReplyHeader::decode(&bytes).expect("exact length");
                check_header(&header, pending)?;
                pending.all_replies += 1;
                pending.part = Part::after(&header);
            }
            Part::Skip(kind, length) => {
                let skipped = length.min(input.len());
                *input = &input[skipped..];
                pending.part = Part::Skip(kind, length - skipped);
                if skipped < length {
                    return Ok(false);
                }
                self.handle_reply(match kind {
                    ReplyType::Error(_) => return Err(Fault::RefusalLength.into()),
                    _ => Reply::TooLarge(kind),
                })?;
            }
            Part::Data(kind, length) => {
                if self.inbox.make_room(input, length).is_err() {
                    return Err(Fault::OptionReplyMemory.into());
                }
                let Some(data) = self.inbox.take(input, length) else {
                    return Ok(false);
                };
                self.handle_reply(match kind {
                    ReplyType::Ack => Reply::Ack,
                    ReplyType::Error(_) if data.len() > MAX_STRING => {
                        return Err(Fault::RefusalLength.into());
                    }
                    ReplyType::Error(error) => Reply::Refusal(error, &data),
                    _ => Reply::Data(kind, &data),
                })?;
            }
        }
        Ok(true)
    }

    /// Handles a complete reply.
    fn handle_reply(&mut self, reply: Reply<'_>) -> Result<(), Error> {
        let Some(mut pending) = self.phase.take_pending() else {
            return Ok(());
        };
        pending.part = Part::Header;
        match self.answer(pending, reply)? {
            After::Reply(pending) => self.phase.await_option_reply(pending),
            After::Step(position, outcome) => self.option_done(position, outcome)?,
            After::Begun => {}
        }
        Ok(())
    }
}

/// Checks the header of a reply.
fn check_header(header: &ReplyHeader, pending: &Pending) -> Result<(), Fault> {
    let length = header.length as usize;
    if header.magic != REPLY_MAGIC || header.option != pending.option() as u32 {
        return Err(Fault::WrongOption);
    }
    if length > MAX_REPLY_LENGTH {
        return Err(Fault::OptionReplyLength);
    }
    let kind = ReplyType::from_wire(header.reply);
    if kind == ReplyType::Ack && length != 0 {
        return Err(Fault::AckLength);
    }
    (pending.profile.check)(kind, length)?;
    if pending.all_replies == MAX_REPLIES {
        return Err(Fault::TooManyOptionReplies);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::machine::event::Event;

    #[test]
    fn an_option_has_no_more_than_a_million_replies() {
        let mut machine = Machine::<()>::default();
        machine.preferences.opt_mode = true;
        machine.connected();
        let say = |machine: &mut Machine<()>, mut bytes: &[u8]| {
            let events = std::iter::from_fn(|| machine.receive(&mut bytes, |_, _, _| {}));
            events.last()
        };
        let magic = REPLY_MAGIC.to_be_bytes();
        let refusal =
            |option: u8| [&magic[..], b"\0\0\0", &[option], b"\x80\0\0\x01\0\0\0\0"].concat();
        say(&mut machine, b"NBDMAGICIHAVEOPT\0\x03");
        say(&mut machine, &refusal(11));
        say(&mut machine, &refusal(8));
        machine.opt_list().expect("fixed newstyle");

        let export = [&magic[..], b"\0\0\0\x03\0\0\0\x02\0\0\0\x05\0\0\0\x01e"].concat();
        let pending = machine.phase.pending_mut().expect("the list is awaited");
        pending.all_replies = MAX_REPLIES - 2;
        for _ in 0..2 {
            let event = say(&mut machine, &export);
            assert!(matches!(event, Some(Event::Listed { .. })), "{event:?}");
        }
        let event = say(&mut machine, &export);
        let Some(Event::Dead(error)) = event else {
            panic!("{event:?}");
        };
        assert_eq!(error, Fault::TooManyOptionReplies.into());
    }
}
