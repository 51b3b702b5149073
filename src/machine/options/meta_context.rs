// SPDX-License-Identifier: LGPL-2.1-or-later

//! `NBD_OPT_LIST_META_CONTEXT` lists meta contexts; `NBD_OPT_SET_META_CONTEXT` selects them. Each
//! reply has one context.

use std::ffi::{CStr, CString};

use crate::error::Error;
use crate::machine::core::Machine;
use crate::machine::event::Event;
use crate::machine::fault::Fault;
use crate::machine::meta_contexts::MetaContext;
use crate::machine::option_reply::{After, Outcome, Reply};
use crate::machine::pending::{Pending, Profile};
use crate::machine::position::Position;
use crate::memory::{self, NoMemory};
use crate::protocol::option::{self, OptionType, ReplyType};
use crate::protocol::MAX_STRING;
use crate::text::{shown, text};

/// The maximum memory for the meta contexts that a server selects on one connection, in bytes.
const MAX_META_CONTEXTS: usize = 16 * 1024 * 1024;

const AWAITING: &CStr =
    c"NEWSTYLE.OPT_META_CONTEXT.RECV_REPLY: Waiting for a reply to a meta context request";
const RECEIVING: &CStr =
    c"NEWSTYLE.OPT_META_CONTEXT.RECV_REPLY_PAYLOAD: Receiving a reply to a meta context request";

const LIST: &Profile = &Profile {
    option: OptionType::ListMetaContext,
    awaiting: AWAITING,
    receiving: RECEIVING,
    check,
};

const SET: &Profile = &Profile {
    option: OptionType::SetMetaContext,
    awaiting: AWAITING,
    receiving: RECEIVING,
    check,
};

/// Checks the length of `NBD_REP_META_CONTEXT`: an id and a name.
fn check(kind: ReplyType, length: usize) -> Result<(), Fault> {
    if kind == ReplyType::MetaContext && !(5..=4 + MAX_STRING).contains(&length) {
        return Err(Fault::MetaContextLength);
    }
    Ok(())
}

impl<T> Machine<T> {
    /// Requests a list of meta contexts (nbd_opt_list_meta_context(3)).
    pub fn opt_list_meta_context(&mut self, queries: &[CString]) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_meta_context(LIST, Position::single(), queries)
    }

    /// Selects meta contexts (nbd_opt_set_meta_context(3)).
    pub fn opt_set_meta_context(&mut self, queries: &[CString]) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_meta_context(SET, Position::single(), queries)?;
        self.meta_contexts.discard();
        Ok(())
    }

    /// Returns true if contexts are to be selected before the export is opened.
    pub(super) fn wants_meta_contexts(&self) -> bool {
        self.preferences.request_meta_context
            && self.negotiated.structured_replies
            && !self.preferences.meta_contexts.is_empty()
    }

    /// Selects the contexts of nbd_add_meta_context(3) as a step before the export is opened.
    /// Returns false if this is not wanted.
    pub(super) fn set_meta_context_if_wanted(&mut self, after: Position) -> Result<bool, Error> {
        let wanted = self.wants_meta_contexts();
        if wanted {
            let queries = std::mem::take(&mut self.preferences.meta_contexts);
            let sent = self.send_meta_context(SET, after, &queries);
            self.preferences.meta_contexts = queries;
            sent?;
            self.meta_contexts.discard();
        }
        Ok(wanted)
    }

    fn send_meta_context(
        &mut self,
        profile: &'static Profile,
        position: Position,
        queries: &[CString],
    ) -> Result<(), Error> {
        let export = self.preferences.export_name.as_bytes();
        let queries = queries.iter().map(|query| query.as_bytes());
        let data = option::meta_context_request(export, queries)
            .ok_or_else(|| Error::new(libc::E2BIG, "meta context queries are longer than 4 GiB"))?
            .map_err(NoMemory::from)?;
        self.send_option(profile, position, &data)
    }

    /// Handles a reply.
    pub(super) fn list_meta_context_answered(
        &mut self,
        mut pending: Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        match reply {
            Reply::Data(ReplyType::MetaContext, data) => {
                let context = meta_context(data)?;
                self.report_context(&mut pending, context);
                Ok(After::Reply(pending))
            }
            Reply::Ack => {
                let outcome = Outcome::Done(pending.replies);
                Ok(After::Step(pending.position, outcome))
            }
            Reply::Refusal(..) => {
                let outcome = self.refused_to_program();
                Ok(After::Step(pending.position, outcome))
            }
            Reply::Data(..) | Reply::TooLarge(_) => Err(reply.unexpected().into()),
        }
    }

    /// Handles a reply.
    pub(super) fn set_meta_context_answered(
        &mut self,
        mut pending: Pending,
        reply: Reply<'_>,
    ) -> Result<After, Error> {
        match reply {
            Reply::Data(ReplyType::MetaContext, data) => {
                let context = meta_context(data)?;
                store_context(&mut pending, &context)?;
                self.report_context(&mut pending, context);
                Ok(After::Reply(pending))
            }
            Reply::Ack => {
                self.meta_contexts.select(pending.meta_contexts);
                let outcome = Outcome::Done(pending.replies);
                Ok(After::Step(pending.position, outcome))
            }
            Reply::Refusal(error, _) if !pending.position.is_last() => {
                // A step of connecting ignores the refusal: the server has none of the contexts,
                // unless it named some before.
                match pending.meta_contexts.is_empty() {
                    true => self.meta_contexts.select(Vec::new()),
                    false => self.meta_contexts.keep_as_stale(pending.meta_contexts),
                }
                self.note(format!(
                    "handshake: ignoring unexpected error from NBD_OPT_SET_META_CONTEXT ({})",
                    error.0
                ));
                Ok(After::Step(pending.position, Outcome::Done(0)))
            }
            Reply::Refusal(..) => {
                self.meta_contexts.keep_as_stale(pending.meta_contexts);
                let outcome = self.refused_to_program();
                Ok(After::Step(pending.position, outcome))
            }
            Reply::Data(..) | Reply::TooLarge(_) => Err(reply.unexpected().into()),
        }
    }

    /// Counts a context, and reports it if the program sent the option itself.
    fn report_context(&mut self, pending: &mut Pending, context: MetaContext) {
        let MetaContext { id, name } = context;
        let note = text!("negotiated {} with context ID {id}", shown(&name));
        self.note(note);
        pending.replies += 1;
        if pending.position.is_last() {
            self.events.push_back(Event::MetaContext { name });
        }
    }

    fn refused_to_program(&mut self) -> Outcome {
        self.note("unexpected response, possibly the server does not support meta contexts");
        let what = "server replied with error to meta context request";
        Outcome::Failed(Error::new(libc::ENOTSUP, what))
    }
}

fn meta_context(data: &[u8]) -> Result<MetaContext, Fault> {
    let (id, name) = option::meta_context_reply(data).ok_or(Fault::MetaContextLength)?;
    let name = memory::c_string(&[name])?;
    Ok(MetaContext { id, name })
}

/// Stores a selected context until the selection is complete.
fn store_context(pending: &mut Pending, context: &MetaContext) -> Result<(), Fault> {
    pending.meta_context_bytes += size_of::<MetaContext>() + context.name.count_bytes();
    if pending.meta_context_bytes > MAX_META_CONTEXTS {
        return Err(Fault::TooManyMetaContexts);
    }
    let name = memory::copy(&context.name)?;
    let id = context.id;
    Ok(memory::push(
        &mut pending.meta_contexts,
        MetaContext { id, name },
    )?)
}
