// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_EXTENDED_HEADERS`: negotiates 64-bit lengths in requests and replies, which implies
//! structured replies.

use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::option_reply::{After, Outcome, Reply};
use crate::machine::pending::{any_length, Pending, Profile};
use crate::machine::position::Position;
use crate::protocol::option::{OptionType, ReplyError};

const PROFILE: &Profile = &Profile {
    option: OptionType::ExtendedHeaders,
    awaiting: c"NEWSTYLE.OPT_EXTENDED_HEADERS.RECV_REPLY: Waiting for a reply to NBD_OPT_EXTENDED_HEADERS",
    receiving: c"NEWSTYLE.OPT_EXTENDED_HEADERS.RECV_REPLY_PAYLOAD: Receiving a reply to NBD_OPT_EXTENDED_HEADERS",
    check: any_length,
};

impl<T> Machine<T> {
    /// Requests extended headers (nbd_opt_extended_headers(3)).
    pub fn opt_extended_headers(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(PROFILE, Position::single(), &[])
    }

    /// Requests extended headers as a step of connecting. Returns false if they are not wanted.
    pub(super) fn extended_headers_if_wanted(&mut self, after: Position) -> Result<bool, Error> {
        let wanted = self.is_fixed_newstyle()
            && self.preferences.request_structured_replies
            && self.preferences.request_extended_headers;
        if wanted {
            self.send_option(PROFILE, after, &[])?;
        }
        Ok(wanted)
    }

    /// Handles a reply.
    pub(super) fn extended_headers_answered(
        &mut self,
        pending: &Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        let outcome = match reply {
            Reply::Ack => {
                self.negotiated.extended_headers = true;
                self.negotiated.structured_replies = true;
                self.note("negotiated extended headers on this connection");
                Outcome::Done(1)
            }
            Reply::Refusal(error, _) => {
                self.note("extended headers are not supported by this server");
                Outcome::Refused(match error {
                    ReplyError::INVALID => libc::EINVAL,
                    _ => libc::ENOTSUP,
                })
            }
            Reply::Data(..) | Reply::TooLarge(_) => return Err(reply.unexpected().into()),
        };
        Ok(After::Step(pending.position, outcome))
    }
}
