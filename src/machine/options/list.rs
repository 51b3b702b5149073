// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_LIST`: lists the exports, one in each reply.

use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::event::Event;
use crate::machine::fault::Fault;
use crate::machine::option_reply::{After, Outcome, Reply};
use crate::machine::pending::{any_length, Pending, Profile};
use crate::machine::position::Position;
use crate::memory;
use crate::protocol::option::{self, OptionType, ReplyType};
use crate::protocol::MAX_STRING;

const PROFILE: &Profile = &Profile {
    option: OptionType::List,
    awaiting: c"NEWSTYLE.OPT_LIST.RECV_REPLY: Waiting for a reply to NBD_OPT_LIST",
    receiving: c"NEWSTYLE.OPT_LIST.RECV_REPLY_PAYLOAD: Receiving a reply to NBD_OPT_LIST",
    check: any_length,
};

impl<T> Machine<T> {
    /// Requests the list of exports (nbd_opt_list(3)).
    pub fn opt_list(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(PROFILE, Position::single(), &[])
    }

    /// Handles a reply.
    pub(super) fn list_answered(
        &mut self,
        mut pending: Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        match reply {
            Reply::Data(ReplyType::Server, data) => {
                self.listed(data)?;
                pending.replies += 1;
                Ok(After::Reply(pending))
            }
            Reply::TooLarge(ReplyType::Server) => {
                self.note("skipping too large export name reply");
                Ok(After::Reply(pending))
            }
            Reply::Ack => {
                let outcome = Outcome::Done(pending.replies);
                Ok(After::Step(pending.position, outcome))
            }
            Reply::Refusal(..) => {
                self.note(
                    "unexpected response, possibly the server does not support listing exports",
                );
                let what = "server replied with error to list request";
                let outcome = Outcome::Failed(Error::new(libc::ENOTSUP, what));
                Ok(After::Step(pending.position, outcome))
            }
            Reply::Data(..) | Reply::TooLarge(_) => Err(reply.unexpected().into()),
        }
    }

    /// Reports one export of the server's list. Everything after the name is a human-readable
    /// description.
    fn listed(&mut self, data: &[u8]) -> Result<(), Fault> {
        let proper =
            |(name, description): &(&[u8], &[u8])| name.len().max(description.len()) <= MAX_STRING;
        let reply = option::server_reply(data).filter(proper);
        let (name, description) = reply.ok_or(Fault::ExportLength)?;
        self.events.push_back(Event::Listed {
            name: memory::c_string(&[name])?,
            description: memory::c_string(&[description])?,
        });
        Ok(())
    }
}
