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
use super::export::Protocol;
use super::pending::{Pending, Purpose};
use super::phase::Phase;
use super::preferences::Tls;
use crate::error::Error;
use crate::protocol::option::{self, info, OptionType};

/// What is to be done next.
enum Next {
    Send(OptionType),
    Pause,
}

impl<T> Machine<T> {
    /// Asks for the export and for transmission (nbd_opt_go(3)).
    pub fn opt_go(&mut self) {
        self.next_option(Purpose::Go, None);
    }

    /// Asks about the export (nbd_opt_info(3)).
    pub fn opt_info(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.next_option(Purpose::Info, None);
        Ok(())
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
        self.send_option(Purpose::Program, OptionType::List, &[]);
        Ok(())
    }

    /// Asks for structured replies (nbd_opt_structured_reply(3)).
    pub fn opt_structured_reply(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(Purpose::Program, OptionType::StructuredReply, &[]);
        Ok(())
    }

    /// Asks for extended headers (nbd_opt_extended_headers(3)).
    pub fn opt_extended_headers(&mut self) -> Result<(), Error> {
        self.require_fixed_newstyle()?;
        self.send_option(Purpose::Program, OptionType::ExtendedHeaders, &[]);
        Ok(())
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
    pub(super) fn next_option(&mut self, purpose: Purpose, previous: Option<OptionType>) {
        let next = self.choose(purpose, previous);
        let for_export = matches!(purpose, Purpose::Go | Purpose::Info);
        if for_export
            && self.preferences.request_meta_context
            && (self.preferences.meta_contexts.is_empty() || !self.negotiated.structured_replies)
        {
            // The handle asks for the contexts that were named: there are none, or
            // none to be had.
            self.export.meta_contexts = None;
        }
        match next {
            Next::Pause => self.phase = Phase::Negotiating,
            Next::Send(OptionType::SetMetaContext) => {
                let queries = self.preferences.meta_contexts.clone();
                let sent = self.send_meta_context(purpose, OptionType::SetMetaContext, &queries);
                if let Err(error) = sent {
                    self.fail();
                    self.events.push_back(Event::Dead(error));
                }
            }
            Next::Send(option @ (OptionType::Go | OptionType::Info)) => {
                self.export.forget_details();
                let data = self.info_request();
                self.send_option(purpose, option, &data);
            }
            Next::Send(OptionType::ExportName) => self.send_export_name(purpose),
            Next::Send(option) => self.send_option(purpose, option, &[]),
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
    fn info_request(&self) -> Vec<u8> {
        // In the order of the C library 1.24.4.
        let mut wanted = Vec::new();
        if self.preferences.request_block_size {
            wanted.push(info::BLOCK_SIZE);
        }
        if self.preferences.full_info {
            wanted.extend([info::NAME, info::DESCRIPTION]);
        }
        option::info_request(self.preferences.export_name.as_bytes(), &wanted)
    }

    /// Falls back to the option that every newstyle server knows.
    pub(super) fn send_export_name(&mut self, purpose: Purpose) {
        self.export.forget_details();
        let name = self.preferences.export_name.clone();
        self.send_option(purpose, OptionType::ExportName, name.as_bytes());
    }

    fn send_meta_context(
        &mut self,
        purpose: Purpose,
        option: OptionType,
        queries: &[CString],
    ) -> Result<(), Error> {
        let export = self.preferences.export_name.as_bytes();
        let queries: Vec<_> = queries.iter().map(|query| query.as_bytes()).collect();
        let no_memory = |_| Error::new(libc::ENOMEM, "meta context queries");
        let data = option::meta_context_request(export, &queries)
            .ok_or_else(|| Error::new(libc::E2BIG, "meta context queries are longer than 4 GiB"))?
            .map_err(no_memory)?;
        let room = option::REQUEST_HEADER_LENGTH + data.len();
        let outgoing = self.outgoing.handshake();
        outgoing.try_reserve(room).map_err(no_memory)?;
        if option == OptionType::SetMetaContext {
            self.export.meta_contexts = None;
        }
        self.send_option(purpose, option, &data);
        Ok(())
    }

    pub(super) fn send_option(&mut self, purpose: Purpose, option: OptionType, data: &[u8]) {
        option::encode(self.outgoing.handshake(), option, data);
        self.traffic.chunks_sent += 1;
        let pending = Pending::new(option, purpose);
        self.phase = match option {
            OptionType::ExportName => Phase::ExportName(pending),
            _ => Phase::Option(pending),
        };
    }

    pub(super) fn note(&mut self, text: impl Into<Cow<'static, str>>) {
        self.events.push_back(Event::Note(text.into()));
    }
}
