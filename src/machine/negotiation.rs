// SPDX-License-Identifier: LGPL-2.1-or-later

//! Which option comes next, and what it says.
//!
//! The order of a connection's own negotiation is: TLS; extended headers;
//! structured replies where extended headers were refused; the pause of option
//! mode; meta contexts; `NBD_OPT_GO`, or `NBD_OPT_EXPORT_NAME` for a server
//! that does not know it.

use std::borrow::Cow;
use std::ffi::CString;

use super::core::Machine;
use super::event::Event;
use super::export::{Export, Protocol};
use super::pending::{Pending, Purpose};
use super::phase::Phase;
use super::preferences::Tls;
use crate::error::Error;
use crate::memory::{self, NoMemory};
use crate::protocol::option::{self, info, OptionType};

/// What is to be done next.
enum Next {
    Send(OptionType),
    Pause,
}

impl<T> Machine<T> {
    /// Asks for the export and for transmission (nbd_opt_go(3)).
    pub fn opt_go(&mut self) -> Result<(), Error> {
        self.next_option(Purpose::Go, None)
    }

    /// Asks about the export (nbd_opt_info(3)).
    pub fn opt_info(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.next_option(Purpose::Info, None)
    }

    /// Ends the negotiation (nbd_opt_abort(3)).
    pub fn opt_abort(&mut self) -> Result<(), Error> {
        if self.negotiated.protocol != Some(Protocol::NewstyleFixed) {
            let what = "handshake: server is not using fixed newstyle";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        self.abort(None);
        Ok(())
    }

    /// Queues the goodbye of a negotiation, which ends by `error` if there is one.
    pub(super) fn abort(&mut self, error: Option<Error>) {
        option::encode(self.outgoing.handshake(), OptionType::Abort, &[]);
        self.traffic.chunks_sent += 1;
        self.phase = Phase::Aborting(error);
    }

    /// Ends the connection if its `NBD_OPT_ABORT` has been sent. The error is the
    /// one that was the reason.
    pub fn finish_abort(&mut self) -> Result<(), Error> {
        match &mut self.phase {
            Phase::Aborting(reason) if self.outgoing.is_empty() => {
                let Some(error) = reason.take() else {
                    self.close();
                    return Ok(());
                };
                self.fail();
                Err(error)
            }
            _ => Ok(()),
        }
    }

    /// Asks for the list of exports (nbd_opt_list(3)).
    pub fn opt_list(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(Purpose::Program, OptionType::List, &[])
    }

    /// Asks for structured replies (nbd_opt_structured_reply(3)).
    pub fn opt_structured_reply(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(Purpose::Program, OptionType::StructuredReply, &[])
    }

    /// Asks for extended headers (nbd_opt_extended_headers(3)).
    pub fn opt_extended_headers(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(Purpose::Program, OptionType::ExtendedHeaders, &[])
    }

    /// Asks which meta contexts there are (nbd_opt_list_meta_context(3)).
    pub fn opt_list_meta_context(&mut self, queries: &[CString]) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_meta_context(Purpose::Program, OptionType::ListMetaContext, queries)
    }

    /// Asks for meta contexts (nbd_opt_set_meta_context(3)).
    pub fn opt_set_meta_context(&mut self, queries: &[CString]) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_meta_context(Purpose::Program, OptionType::SetMetaContext, queries)
    }

    pub(super) fn require_fixed_newstyle(&self) -> Result<(), Error> {
        if self.negotiated.protocol == Some(Protocol::NewstyleFixed) {
            return Ok(());
        }
        Err(Error::new(
            libc::ENOTSUP,
            "server is not using fixed newstyle protocol",
        ))
    }

    /// Sends what follows on `previous`, which was sent for the same purpose.
    fn next_option(&mut self, purpose: Purpose, previous: Option<OptionType>) -> Result<(), Error> {
        let next = self.choose(purpose, previous);
        match next {
            Next::Pause => {
                self.phase = Phase::Negotiating;
                return Ok(());
            }
            Next::Send(option @ OptionType::SetMetaContext) => {
                let queries = std::mem::take(&mut self.preferences.meta_contexts);
                let sent = self.send_meta_context(purpose, option, &queries);
                self.preferences.meta_contexts = queries;
                return sent;
            }
            Next::Send(option @ (OptionType::Go | OptionType::Info)) => {
                let data = self.info_request()?;
                self.send_option(purpose, option, &data)?;
                self.export = Export::default();
            }
            Next::Send(OptionType::ExportName) => self.send_export_name(purpose)?,
            Next::Send(option) => return self.send_option(purpose, option, &[]),
        }
        if self.preferences.request_meta_context && previous != Some(OptionType::SetMetaContext) {
            // The export comes next although the handle is to ask for the contexts that
            // were named: there are none, or none to be had.
            self.meta_contexts.select(Vec::new());
        }
        Ok(())
    }

    /// The same while the server's replies are handled: an option that cannot be sent
    /// ends the connection.
    pub(super) fn go_on(&mut self, purpose: Purpose, previous: Option<OptionType>) {
        let sent = self.next_option(purpose, previous);
        self.sent_or_dead(sent);
    }

    pub(super) fn sent_or_dead(&mut self, sent: Result<(), Error>) {
        if let Err(error) = sent {
            self.die(error);
        }
    }

    fn choose(&self, purpose: Purpose, previous: Option<OptionType>) -> Next {
        use OptionType::*;
        let wanted = &self.preferences;
        let fixed = self.negotiated.protocol == Some(Protocol::NewstyleFixed);
        let structured = wanted.request_structured_replies && fixed;
        if purpose == Purpose::Connect {
            if previous.is_none() && fixed && wanted.tls != Tls::Disable {
                return Next::Send(StartTls);
            }
            let nothing_else_yet = matches!(previous, None | Some(StartTls));
            if nothing_else_yet && structured && wanted.request_extended_headers {
                return Next::Send(ExtendedHeaders);
            }
            if (nothing_else_yet || previous == Some(ExtendedHeaders))
                && structured
                && !self.negotiated.structured_replies
            {
                return Next::Send(StructuredReply);
            }
            if wanted.opt_mode {
                return Next::Pause;
            }
        }
        if previous != Some(SetMetaContext)
            && wanted.request_meta_context
            && self.negotiated.structured_replies
            && !wanted.meta_contexts.is_empty()
        {
            return Next::Send(SetMetaContext);
        }
        match purpose {
            Purpose::Info => Next::Send(Info),
            _ if fixed => Next::Send(Go),
            _ => Next::Send(ExportName),
        }
    }

    /// The data of `NBD_OPT_GO` and `NBD_OPT_INFO`.
    fn info_request(&self) -> Result<Vec<u8>, NoMemory> {
        // In the order of the C library 1.24.4.
        let mut wanted = Vec::new();
        if self.preferences.request_block_size {
            wanted.push(info::BLOCK_SIZE);
        }
        if self.preferences.full_info {
            wanted.extend([info::NAME, info::DESCRIPTION]);
        }
        let name = self.preferences.export_name.as_bytes();
        Ok(option::info_request(name, &wanted)?)
    }

    /// Falls back to the option that every newstyle server knows.
    pub(super) fn send_export_name(&mut self, purpose: Purpose) -> Result<(), Error> {
        let name = memory::copy(&self.preferences.export_name)?;
        self.send_option(purpose, OptionType::ExportName, name.as_bytes())?;
        self.export = Export::default();
        Ok(())
    }

    fn send_meta_context(
        &mut self,
        purpose: Purpose,
        option: OptionType,
        queries: &[CString],
    ) -> Result<(), Error> {
        let export = self.preferences.export_name.as_bytes();
        let queries = queries.iter().map(|query| query.as_bytes());
        let data = option::meta_context_request(export, queries)
            .ok_or_else(|| Error::new(libc::E2BIG, "meta context queries are longer than 4 GiB"))?
            .map_err(NoMemory::from)?;
        self.send_option(purpose, option, &data)?;
        if option == OptionType::SetMetaContext {
            self.meta_contexts.ask();
        }
        Ok(())
    }

    /// Fails where there is no memory for it: nothing has changed then.
    pub(super) fn send_option(
        &mut self,
        purpose: Purpose,
        option: OptionType,
        data: &[u8],
    ) -> Result<(), Error> {
        let outgoing = self.outgoing.handshake();
        // And for an `NBD_OPT_ABORT` after it.
        let room = 2 * option::REQUEST_HEADER_LENGTH + data.len();
        outgoing.try_reserve(room).map_err(NoMemory::from)?;
        option::encode(outgoing, option, data);
        self.traffic.chunks_sent += 1;
        let pending = Pending::new(option, purpose);
        self.phase = match option {
            OptionType::ExportName => Phase::ExportName(pending),
            _ => Phase::Option(pending),
        };
        Ok(())
    }

    pub(super) fn note(&mut self, text: impl Into<Cow<'static, str>>) {
        self.events.push_back(Event::Note(text.into()));
    }
}
