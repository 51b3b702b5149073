// SPDX-License-Identifier: LGPL-2.1-or-later

//! The options, each in a file with its request and its replies, and the order in which they are
//! sent.

mod abort;
mod export;
mod export_name;
mod extended_headers;
mod list;
mod meta_context;
mod starttls;
mod structured_reply;

use super::core::Machine;
use super::option_reply::{After, Reply};
use super::pending::Pending;
use super::position::{Position, Step};
use crate::error::Error;
use crate::protocol::option::OptionType;
use OptionType::{ExtendedHeaders, Go, Info, SetMetaContext, StartTls, StructuredReply};
use Step::{Pause, Send};

/// Steps while connecting, in this order. Unwanted steps are skipped.
pub(super) const CONNECTING: &[Step] = &[
    Send(StartTls),
    Send(ExtendedHeaders),
    Send(StructuredReply),
    Pause,
    Send(SetMetaContext),
    // Or NBD_OPT_EXPORT_NAME, if the server does not support NBD_OPT_GO.
    Send(Go),
];

/// Steps of nbd_opt_go(3).
const OPT_GO: &[Step] = &[Send(SetMetaContext), Send(Go)];

/// Steps of nbd_opt_info(3).
const OPT_INFO: &[Step] = &[Send(SetMetaContext), Send(Info)];

// The other options are sent only by themselves: see `Position::single`.

impl<T> Machine<T> {
    /// Sends the option of a step. Returns false if it is not wanted.
    pub(super) fn send_if_wanted(
        &mut self,
        option: OptionType,
        after: Position,
    ) -> Result<bool, Error> {
        match option {
            OptionType::StartTls => self.starttls_if_wanted(after),
            OptionType::ExtendedHeaders => self.extended_headers_if_wanted(after),
            OptionType::StructuredReply => self.structured_reply_if_wanted(after),
            OptionType::SetMetaContext => self.set_meta_context_if_wanted(after),
            OptionType::Go => self.open_export(after).map(|()| true),
            OptionType::Info => self.send_info(after).map(|()| true),
            // Not in any list of steps.
            OptionType::ExportName
            | OptionType::Abort
            | OptionType::List
            | OptionType::ListMetaContext => Ok(false),
        }
    }

    /// Handles a reply to the outstanding option.
    pub(super) fn answer(&mut self, pending: Pending, reply: Reply<'_>) -> Result<After, Error> {
        match pending.option() {
            OptionType::StartTls => self.starttls_answered(&pending, reply),
            OptionType::ExtendedHeaders => self.extended_headers_answered(&pending, reply),
            OptionType::StructuredReply => self.structured_reply_answered(&pending, reply),
            OptionType::List => self.list_answered(pending, reply),
            OptionType::ListMetaContext => self.list_meta_context_answered(pending, reply),
            OptionType::SetMetaContext => self.set_meta_context_answered(pending, reply),
            OptionType::Info => self.info_answered(pending, reply),
            OptionType::Go => self.go_answered(pending, reply),
            // Their replies have no header.
            OptionType::ExportName | OptionType::Abort => Err(reply.unexpected().into()),
        }
    }
}
