// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_STRUCTURED_REPLY`: negotiates structured replies.

use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::option_reply::{After, Outcome, Reply};
use crate::machine::pending::{any_length, Pending, Profile};
use crate::machine::position::Position;
use crate::protocol::option::{OptionType, ReplyError};

const PROFILE: &Profile = &Profile {
    option: OptionType::StructuredReply,
    awaiting: c"NEWSTYLE.OPT_STRUCTURED_REPLY.RECV_REPLY: Waiting for a reply to NBD_OPT_STRUCTURED_REPLY",
    receiving: c"NEWSTYLE.OPT_STRUCTURED_REPLY.RECV_REPLY_PAYLOAD: Receiving a reply to NBD_OPT_STRUCTURED_REPLY",
    check: any_length,
};

impl<T> Machine<T> {
    /// Requests structured replies (nbd_opt_structured_reply(3)).
    pub fn opt_structured_reply(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(PROFILE, Position::single(), &[])
    }

    /// Requests structured replies as a step of connecting. Returns false if they are not wanted,
    /// or implied by extended headers.
    pub(super) fn structured_reply_if_wanted(&mut self, after: Position) -> Result<bool, Error> {
        let wanted = self.is_fixed_newstyle()
            && self.preferences.request_structured_replies
            && !self.negotiated.structured_replies;
        if wanted {
            self.send_option(PROFILE, after, &[])?;
        }
        Ok(wanted)
    }

    /// Handles a reply.
    pub(super) fn structured_reply_answered(
        &mut self,
        pending: &Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        let outcome = match reply {
            Reply::Ack => {
                self.negotiated.structured_replies = true;
                self.note("negotiated structured replies on this connection");
                Outcome::Done(1)
            }
            Reply::Refusal(error, _) => {
                self.note("structured replies are not supported by this server");
                Outcome::Refused(match error {
                    // The latter means that extended headers, which include them, are already in
                    // use.
                    ReplyError::INVALID | ReplyError::EXT_HEADER_REQD => libc::EINVAL,
                    _ => libc::ENOTSUP,
                })
            }
            Reply::Data(..) | Reply::TooLarge(_) => return Err(reply.unexpected().into()),
        };
        Ok(After::Step(pending.position, outcome))
    }
}
