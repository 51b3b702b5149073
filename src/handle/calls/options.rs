// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode: the program controls the negotiation (nbd_set_opt_mode(3)).

use std::ffi::CString;

use scopeguard::{guard, ScopeGuard};

use crate::error::Error;
use crate::handle::attachment::Attachment;
use crate::handle::call::Call;
use crate::handle::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};
use crate::handle::connection::Connection;
use crate::handle::interruption::Stop;
use crate::handle::option::PendingOption;
use crate::handle::tls_settings::check_available;
use crate::machine::Machine;
use crate::machine::State;
use crate::memory::{self, NoMemory};

/// A connection in option mode.
#[derive(Debug)]
pub struct Options<'a> {
    connection: &'a mut Connection,
}

impl Connection {
    /// Provides the functions to negotiate options.
    pub fn options(&mut self) -> Options<'_> {
        Options { connection: self }
    }
}

impl Options<'_> {
    /// Stores the callbacks of an option, and sends it unless `start` fails.
    fn start_option(
        &mut self,
        option: PendingOption,
        start: impl FnOnce(&mut Machine<Attachment>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        start(&mut self.connection.link.machine)?;
        self.connection.completions.start_option(option);
        self.connection.send_accepted();
        Ok(())
    }

    /// nbd_aio_opt_go(3)
    pub fn go(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(PendingOption::plain(completion), |machine| machine.opt_go())
    }

    /// nbd_aio_opt_info(3)
    pub fn info(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(PendingOption::plain(completion), |machine| {
            machine.opt_info()
        })
    }

    /// nbd_aio_opt_abort(3)
    pub fn abort(&mut self) -> Result<(), Error> {
        match self.connection.link.machine.opt_abort() {
            // If the server is already gone, the goal is reached.
            Ok(()) => self.connection.send_accepted(),
            Err(error) => {
                self.connection.end(error.into());
                self.connection.report.debug(format_args!(
                    "option queued, ignoring state machine failure"
                ));
            }
        }
        Ok(())
    }

    /// nbd_aio_opt_starttls(3)
    pub fn starttls(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(PendingOption::plain(completion), |machine| {
            check_available()?;
            machine.opt_starttls()
        })
    }

    /// nbd_aio_opt_extended_headers(3)
    pub fn extended_headers(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(PendingOption::plain(completion), |machine| {
            machine.opt_extended_headers()
        })
    }

    /// nbd_aio_opt_structured_reply(3)
    pub fn structured_reply(&mut self, completion: nbd_completion_callback) -> Result<(), Error> {
        self.start_option(PendingOption::plain(completion), |machine| {
            machine.opt_structured_reply()
        })
    }

    /// nbd_aio_opt_list(3)
    pub fn list(
        &mut self,
        list: nbd_list_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        let option = PendingOption::list(list, completion);
        self.start_option(option, |machine| machine.opt_list())
    }

    /// Returns the contexts requested with nbd_add_meta_context(3).
    fn requested_contexts(&self) -> Result<Vec<CString>, NoMemory> {
        let preferences = self.connection.link.machine.preferences();
        let contexts = preferences.meta_contexts.iter();
        memory::collect(contexts.map(|name| memory::copy(name)))
    }

    /// nbd_aio_opt_list_meta_context(3)
    pub fn list_meta_context(
        &mut self,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        let queries = self.requested_contexts()?;
        self.list_meta_context_queries(queries, context, completion)
    }

    /// nbd_aio_opt_list_meta_context_queries(3)
    pub fn list_meta_context_queries(
        &mut self,
        queries: Vec<CString>,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        self.start_option(PendingOption::context(context, completion), |machine| {
            machine.opt_list_meta_context(&queries)
        })
    }

    /// nbd_aio_opt_set_meta_context(3)
    pub fn set_meta_context(
        &mut self,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        let queries = self.requested_contexts()?;
        self.set_meta_context_queries(queries, context, completion)
    }

    /// nbd_aio_opt_set_meta_context_queries(3)
    pub fn set_meta_context_queries(
        &mut self,
        queries: Vec<CString>,
        context: nbd_context_callback,
        completion: nbd_completion_callback,
    ) -> Result<(), Error> {
        self.start_option(PendingOption::context(context, completion), |machine| {
            machine.opt_set_meta_context(&queries)
        })
    }
}

impl Call<'_> {
    /// Sends an option, and waits for its outcome: the number of replies, or 1 or 0 if the server
    /// could only accept or refuse. `ask` gets an empty completion callback to pass on.
    pub async fn until_option_done(
        &mut self,
        ask: impl FnOnce(Options<'_>, nbd_completion_callback) -> Result<(), Error>,
    ) -> Result<u32, Error> {
        ask(self.options(), nbd_completion_callback::null())?;
        self.wait_for_option().await
    }

    /// Like [`until_option_done`](Self::until_option_done), with the error `failure` if the
    /// option could not be sent.
    pub async fn until_answered(
        &mut self,
        failure: &'static str,
        ask: impl FnOnce(Options<'_>, nbd_completion_callback) -> Result<(), Error>,
    ) -> Result<u32, Error> {
        ask(self.options(), nbd_completion_callback::null())?;
        let sent = self.state() != State::Dead;
        let outcome = self.wait_for_option().await;
        outcome.map_err(|error| match sent {
            true => error,
            false => Error::new(error.errno(), failure),
        })
    }

    async fn wait_for_option(&mut self) -> Result<u32, Error> {
        let mut awaited = guard(self, |call| {
            call.cancelled();
            call.completions.forget_option();
        });
        let waited = awaited.wait_while_connecting().await;
        let call = ScopeGuard::into_inner(awaited);
        if let Err(Stop::Interrupted(_)) = waited {
            // The option stays in flight, as its reply is still expected.
            call.completions.forget_option();
        }
        waited?;
        let outcome = call.completions.option_outcome.take();
        outcome.unwrap_or_else(|| Err(Error::new(libc::ENOTRECOVERABLE, "internal error")))
    }

    /// nbd_opt_abort(3)
    pub async fn abort_and_wait(&mut self) -> Result<(), Error> {
        self.options().abort()?;
        match self.wait_while_connecting().await {
            Err(Stop::Interrupted(interrupt)) => Err(self.end(Error::from(interrupt).into())),
            ended => Ok(ended?),
        }
    }
}
