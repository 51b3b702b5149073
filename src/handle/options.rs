// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode: the program steers the negotiation (nbd_set_opt_mode(3)).

use std::ffi::CString;

use libc::c_int;

use super::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};
use super::connection::{Connection, Transport};
use super::shared::State;
use super::tls;
use crate::error::Error;

/// Why a call about meta contexts fails.
const META_CONTEXT_FAILED: &str = "server replied with error to meta context request";

/// What is called for each reply to an option.
#[derive(Debug)]
pub(super) enum OptionCallback {
    None,
    List(nbd_list_callback),
    Context(nbd_context_callback),
}

/// An option of the program's whose replies are awaited. The callbacks are in
/// the order in which they are freed.
#[derive(Debug)]
pub(super) struct PendingOption {
    pub callback: OptionCallback,
    completion: nbd_completion_callback,
}

impl Connection {
    /// The option is done, or never will be.
    pub(super) fn finish_option(&mut self, outcome: Result<u32, Error>) {
        let errno = match &outcome {
            Ok(_) => 0,
            // To a program that sees no text, an error without a number would
            // look like success.
            Err(error) if error.errno() == 0 => libc::ENOTSUP,
            Err(error) => error.errno(),
        };
        self.end_option(outcome, errno);
    }

    /// The connection has failed, and the option with it. The completion gets the
    /// errno of the failure, where it has one.
    pub(super) fn fail_option(&mut self, error: &Error) {
        if self.option.is_some() && error.errno() != 0 {
            self.transport = Transport::None;
            self.finish_option(Err(error.clone()));
        }
    }

    /// The server has answered no: no failure to those who wait for the answer,
    /// but one to the completion callback, which can be told nothing else.
    pub(super) fn finish_refused_option(&mut self, errno: c_int) {
        self.end_option(Ok(0), errno);
    }

    fn end_option(&mut self, outcome: Result<u32, Error>, mut errno: c_int) {
        let Some(option) = self.option.take() else {
            return;
        };
        self.option_outcome = Some(outcome);
        self.publish();
        option.completion.call(&mut errno);
    }

    /// Remembers the callbacks of an option and sends it, unless `start`
    /// refuses.
    fn start_option(
        &mut self,
        option: PendingOption,
        start: impl FnOnce(&mut Self) -> Result<(), Error>,
    ) -> Result<(), Error> {
        start(self)?;
        self.option = Some(option);
        self.option_outcome = None;
        self.send_accepted();
        Ok(())
    }

    /// Waits for the option that was just sent.
    fn wait_for_option(&mut self) -> Result<u32, Error> {
        self.wait_while_connecting()?;
        self.option_outcome.take().unwrap_or(Ok(0))
    }

    /// The same, for an option of which the error says what it was if it could not
    /// even be sent.
    fn wait_for_answer(&mut self, failure: &'static str) -> Result<u32, Error> {
        let sent = self.state() != State::Dead;
        let outcome = self.wait_for_option();
        outcome.map_err(|error| match sent {
            true => error,
            false => Error::new(error.errno(), failure),
        })
    }

    /// nbd_aio_opt_go(3)
    pub fn aio_opt_go(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(plain(completion), |this| {
            this.machine.opt_go();
            Ok(())
        })
    }

    /// nbd_opt_go(3)
    pub fn opt_go(&mut self) -> Result<(), Error> {
        self.aio_opt_go(nbd_completion_callback::null())?;
        self.wait_for_option().map(drop)
    }

    /// nbd_aio_opt_info(3)
    pub fn aio_opt_info(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(plain(completion), |this| this.machine.opt_info())
    }

    /// nbd_opt_info(3)
    pub fn opt_info(&mut self) -> Result<(), Error> {
        self.aio_opt_info(nbd_completion_callback::null())?;
        self.wait_for_option().map(drop)
    }

    /// nbd_aio_opt_abort(3)
    pub fn aio_opt_abort(&mut self) -> Result<(), Error> {
        match self.machine.opt_abort() {
            // A server that is gone already is what was wanted.
            Ok(()) => self.send_accepted(),
            Err(error) => {
                self.die(error);
                self.debug(format_args!(
                    "option queued, ignoring state machine failure"
                ));
            }
        }
        Ok(())
    }

    /// `NBD_OPT_ABORT` has been sent. An answer would change nothing, so the
    /// connection does not wait for it.
    pub(super) fn finish_abort(&mut self) -> Result<(), Error> {
        match self.machine.finish_abort() {
            Ok(()) if self.state() == State::Closed => {
                self.abandon_all();
                Ok(())
            }
            Ok(()) => Ok(()),
            Err(error) => Err(self.die(error)),
        }
    }

    /// nbd_opt_abort(3)
    pub fn opt_abort(&mut self) -> Result<(), Error> {
        self.aio_opt_abort()?;
        self.wait_while_connecting()
    }

    /// nbd_aio_opt_starttls(3)
    pub fn aio_opt_starttls(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(plain(completion), |this| {
            tls::check_available()?;
            this.machine.opt_starttls()
        })
    }

    /// nbd_opt_starttls(3)
    pub fn opt_starttls(&mut self) -> Result<bool, Error> {
        self.aio_opt_starttls(nbd_completion_callback::null())?;
        self.wait_for_answer("failed to get response to opt_starttls request")
            .map(|agreed| agreed != 0)
    }

    /// nbd_aio_opt_extended_headers(3)
    pub fn aio_opt_extended_headers(
        &mut self,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        self.start_option(plain(completion), |this| {
            this.machine.opt_extended_headers()
        })
    }

    /// nbd_opt_extended_headers(3)
    pub fn opt_extended_headers(&mut self) -> Result<bool, Error> {
        self.aio_opt_extended_headers(nbd_completion_callback::null())?;
        self.wait_for_answer("failed to get response to opt_extended_headers request")
            .map(|agreed| agreed != 0)
    }

    /// nbd_aio_opt_structured_reply(3)
    pub fn aio_opt_structured_reply(
        &mut self,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        self.start_option(plain(completion), |this| {
            this.machine.opt_structured_reply()
        })
    }

    /// nbd_opt_structured_reply(3)
    pub fn opt_structured_reply(&mut self) -> Result<bool, Error> {
        self.aio_opt_structured_reply(nbd_completion_callback::null())?;
        self.wait_for_answer("failed to get response to opt_structured_reply request")
            .map(|agreed| agreed != 0)
    }

    /// nbd_aio_opt_list(3)
    pub fn aio_opt_list(
        &mut self,
        list: nbd_list_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        let option = PendingOption {
            callback: OptionCallback::List(list),
            completion,
        };
        self.start_option(option, |this| this.machine.opt_list())
    }

    /// nbd_opt_list(3)
    pub fn opt_list(&mut self, list: nbd_list_callback) -> Result<c_int, Error> {
        self.aio_opt_list(list, nbd_completion_callback::null())?;
        self.wait_for_answer("server replied with error to list request")
            .map(count)
    }

    /// nbd_aio_opt_list_meta_context(3)
    pub fn aio_opt_list_meta_context(
        &mut self,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        let queries = self.machine.settings().meta_contexts.clone();
        self.aio_opt_list_meta_context_queries(queries, context, completion)
    }

    /// nbd_opt_list_meta_context(3)
    pub fn opt_list_meta_context(&mut self, context: nbd_context_callback) -> Result<c_int, Error> {
        self.aio_opt_list_meta_context(context, nbd_completion_callback::null())?;
        self.wait_for_answer(META_CONTEXT_FAILED).map(count)
    }

    /// nbd_aio_opt_list_meta_context_queries(3)
    pub fn aio_opt_list_meta_context_queries(
        &mut self,
        queries: Vec<CString>,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        self.start_option(with_context(context, completion), |this| {
            this.machine.opt_list_meta_context(&queries)
        })
    }

    /// nbd_opt_list_meta_context_queries(3)
    pub fn opt_list_meta_context_queries(
        &mut self,
        queries: Vec<CString>,
        context: nbd_context_callback,
    ) -> Result<c_int, Error> {
        let completion = nbd_completion_callback::null();
        self.aio_opt_list_meta_context_queries(queries, context, completion)?;
        self.wait_for_answer(META_CONTEXT_FAILED).map(count)
    }

    /// nbd_aio_opt_set_meta_context(3)
    pub fn aio_opt_set_meta_context(
        &mut self,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        let queries = self.machine.settings().meta_contexts.clone();
        self.aio_opt_set_meta_context_queries(queries, context, completion)
    }

    /// nbd_opt_set_meta_context(3)
    pub fn opt_set_meta_context(&mut self, context: nbd_context_callback) -> Result<c_int, Error> {
        self.aio_opt_set_meta_context(context, nbd_completion_callback::null())?;
        self.wait_for_answer(META_CONTEXT_FAILED).map(count)
    }

    /// nbd_aio_opt_set_meta_context_queries(3)
    pub fn aio_opt_set_meta_context_queries(
        &mut self,
        queries: Vec<CString>,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        self.start_option(with_context(context, completion), |this| {
            this.machine.opt_set_meta_context(&queries)
        })
    }

    /// nbd_opt_set_meta_context_queries(3)
    pub fn opt_set_meta_context_queries(
        &mut self,
        queries: Vec<CString>,
        context: nbd_context_callback,
    ) -> Result<c_int, Error> {
        let completion = nbd_completion_callback::null();
        self.aio_opt_set_meta_context_queries(queries, context, completion)?;
        self.wait_for_answer(META_CONTEXT_FAILED).map(count)
    }
}

fn plain(completion: nbd_completion_callback) -> PendingOption {
    PendingOption {
        callback: OptionCallback::None,
        completion,
    }
}

fn with_context(
    context: nbd_context_callback,
    completion: nbd_completion_callback,
) -> PendingOption {
    PendingOption {
        callback: OptionCallback::Context(context),
        completion,
    }
}

fn count(replies: u32) -> c_int {
    c_int::try_from(replies).unwrap_or(c_int::MAX)
}
