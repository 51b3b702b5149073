// SPDX-License-Identifier: LGPL-2.1-or-later

//! The entry and exit of every call on a handle.
//!
//! Before the call: validate the handle, log the call, check the state, check for NULL. After it:
//! convert the result to C or store the error, and log the result. The body of a call owns its
//! resources, above all its closures, so they are released even if a check fails.
//!
//! No panic leaves this module. A panic while the lock is held may leave the connection in an
//! inconsistent state, so the connection is dead afterwards.
//!
//! pthread_cancel(3) ends a thread only while a call waits.

use std::any::Any;
use std::fmt;
use std::panic::{catch_unwind, AssertUnwindSafe};

use super::error;
use super::function::Function;
use super::opaque::{nbd_handle, InvalidHandle};
use super::outcome::Outcome;
use super::run::run;
use super::trace::{null, Argument};
use crate::cancellation::CancellationDisabled;
use crate::error::Error;
use crate::handle::buffer::ReadBuffer;
use crate::handle::{Batch, Call, Function as _, Handle, Shared, Suspension};
use crate::text::Written;

/// The function and its arguments: `called!(FUNCTION(h, parameter: value, ...))`.
macro_rules! called {
    ($function:ident($h:ident $(, $name:ident: $value:expr)* $(,)?)) => {
        $crate::capi::entry::ApiCall::new(
            &$crate::capi::function::$function,
            // SAFETY: only functions of the C API use this, with their own `h`. The program
            // passes NULL or a handle, and does not close a handle while a call on it is in
            // progress (nbd_close(3)).
            unsafe { $crate::capi::opaque::nbd_handle::check($h) },
            || [$((stringify!($name), $crate::capi::trace::Value::from($value))),*],
        )
    };
}

/// Runs a call with exclusive access to the connection: `locked!(FUNCTION(h, parameter: value,
/// ...), |connection| body)`.
macro_rules! locked {
    ($function:ident($($arguments:tt)*), $body:expr $(,)?) => {
        $crate::capi::entry::with_connection(
            $crate::capi::entry::called!($function($($arguments)*)),
            $body,
        )
    };
}

/// Runs a read-only call, which never waits for another call: `unlocked!(FUNCTION(h, parameter:
/// value, ...), |shared| body)`.
macro_rules! unlocked {
    ($function:ident($($arguments:tt)*), $body:expr $(,)?) => {
        $crate::capi::entry::with_shared(
            $crate::capi::entry::called!($function($($arguments)*)),
            $body,
        )
    };
}

/// Runs a call that may fail, and otherwise is like those of [`unlocked`].
macro_rules! trying {
    ($function:ident($($arguments:tt)*), $body:expr $(,)?) => {
        $crate::capi::entry::try_with_shared(
            $crate::capi::entry::called!($function($($arguments)*)),
            $body,
        )
    };
}

/// Runs a call that waits, in an `extern "C-unwind"` function, since pthread_cancel(3) may end
/// the thread meanwhile: `waiting!(FUNCTION(h, parameter: value, ...), async |call| body)`.
macro_rules! waiting {
    ($function:ident($($arguments:tt)*), $body:expr $(,)?) => {
        $crate::capi::entry::with_waiting(
            $crate::capi::entry::called!($function($($arguments)*)),
            $body,
        )
    };
}

pub(super) use {called, locked, trying, unlocked, waiting};

/// A function of the API, with its checked arguments.
pub(super) struct ApiCall<'a> {
    function: &'static Function,
    handle: Result<&'a Handle, InvalidHandle>,
    /// The first argument that is NULL but must not be.
    missing: Option<&'static str>,
    /// All arguments, if debug messages are enabled.
    shown: Option<Box<[Argument<'a>]>>,
}

impl<'a> ApiCall<'a> {
    /// Captures a call. Inline, so that the arguments of most calls need no memory: the compiler
    /// knows that numbers are not NULL.
    #[inline(always)]
    pub fn new<const N: usize>(
        function: &'static Function,
        handle: Result<&'a Handle, InvalidHandle>,
        arguments: impl Fn() -> [Argument<'a>; N],
    ) -> Self {
        let wanted = handle.is_ok_and(|handle| handle.shared().debug_enabled());
        ApiCall {
            function,
            handle,
            missing: first_missing(function, &arguments()),
            shown: wanted.then(|| shown(arguments)),
        }
    }

    /// Logs and checks a call before it starts. Most calls pass all checks.
    #[inline]
    fn begin(&self, shared: &Shared) -> Result<(), Error> {
        let allowed = self.function.is_allowed(shared.state());
        match allowed && self.missing.is_none() && self.shown.is_none() {
            true => Ok(()),
            false => self.begin_with_checks(shared),
        }
    }

    #[cold]
    fn begin_with_checks(&self, shared: &Shared) -> Result<(), Error> {
        if let Some(arguments) = &self.shown {
            enter(self.function, shared, arguments);
        }
        self.function.check_state(shared)?;
        match self.missing {
            Some(name) => Err(null(name)),
            None => Ok(()),
        }
    }
}

/// Collects the arguments for a debug message.
#[cold]
fn shown<'a, const N: usize>(arguments: impl Fn() -> [Argument<'a>; N]) -> Box<[Argument<'a>]> {
    Box::new(arguments())
}

/// Returns the name of the first argument that is a forbidden NULL pointer or empty callback.
#[inline(always)]
fn first_missing(function: &Function, arguments: &[Argument<'_>]) -> Option<&'static str> {
    // Parameters are numbered from 1; number 1 is the handle.
    for (number, (name, value)) in (2..).zip(arguments) {
        if value.is_missing_callback() || (value.is_null() && function.non_null.contains(&number)) {
            return Some(name);
        }
    }
    None
}

/// Fills the buffer of a read with zeroes, before any error can leave old contents in it
/// (nbd_set_pread_initialize(3)).
///
/// # Safety
///
/// As for [`nbd_handle::check`].
pub(super) unsafe fn initialize(h: *mut nbd_handle, buf: &mut ReadBuffer) {
    // SAFETY: by the contract of this function.
    if unsafe { must_initialize(h) } {
        buf.clear();
    }
}

/// Returns true if old contents must not remain in the buffer of a failed read.
///
/// # Safety
///
/// As for [`nbd_handle::check`].
pub(super) unsafe fn must_initialize(h: *mut nbd_handle) -> bool {
    // SAFETY: by the contract of this function.
    let handle = unsafe { nbd_handle::check(h) };
    handle.map_or(true, |handle| handle.shared().pread_initialize())
}

/// Runs `body` with the lock held.
pub(super) fn with_connection<R: Outcome>(
    called: ApiCall<'_>,
    body: impl FnOnce(&mut Call<'_>) -> Result<R, Error>,
) -> R::C {
    let function = called.function;
    let handle = match called.handle {
        Ok(handle) => handle,
        Err(why) => return refused::<R>(function, why),
    };
    let _disabled = CancellationDisabled::new();
    // Unwind safety: after a panic with the lock held, the connection is dead.
    catch_unwind(AssertUnwindSafe(|| {
        let mut call = handle.call(function);
        let outcome = called.begin(handle.shared());
        let outcome = outcome.and_then(|()| body(&mut call));
        end(function, handle.shared(), outcome)
    }))
    .unwrap_or_else(|panic| panicked::<R>(function, panic))
}

/// Runs `body`, which may wait, with the lock held.
pub(super) fn with_waiting<R: Outcome>(
    called: ApiCall<'_>,
    body: impl AsyncFnOnce(&mut Call<'_>) -> Result<R, Error>,
) -> R::C {
    let function = called.function;
    let handle = match called.handle {
        Ok(handle) => handle,
        Err(why) => return refused::<R>(function, why),
    };
    let suspension = Suspension::default();
    let suspension = &suspension;
    // The future owns everything that has a destructor.
    let ended = run(suspension, async move {
        let mut call = handle.waiting_call(function, suspension);
        let outcome = match (called.begin(handle.shared()), &mut call) {
            (Ok(()), Ok(call)) => match Batch::of(call).send() {
                Ok(()) => body(call).await,
                Err(error) => Err(error),
            },
            (Err(error), _) => Err(error),
            (Ok(()), Err(error)) => Err(error.clone()),
        };
        end(function, handle.shared(), outcome)
    });
    ended.unwrap_or_else(|panic| panicked::<R>(function, panic))
}

/// Runs `body` without the lock, on the shared part of the handle.
pub(super) fn with_shared<R: Outcome>(
    called: ApiCall<'_>,
    body: impl FnOnce(&Shared) -> R,
) -> R::C {
    try_with_shared(called, |shared| Ok(body(shared)))
}

/// Runs `body` without the lock, on the shared part of the handle.
pub(super) fn try_with_shared<R: Outcome>(
    called: ApiCall<'_>,
    body: impl FnOnce(&Shared) -> Result<R, Error>,
) -> R::C {
    with_handle(called, |handle| body(handle.shared()))
}

/// Runs `body` without the lock.
pub(super) fn with_handle<R: Outcome>(
    called: ApiCall<'_>,
    body: impl FnOnce(&Handle) -> Result<R, Error>,
) -> R::C {
    let function = called.function;
    let handle = match called.handle {
        Ok(handle) => handle,
        Err(why) => return refused::<R>(function, why),
    };
    let shared = handle.shared();
    // Writing messages and loading GnuTLS are cancellation points.
    let _disabled = CancellationDisabled::new();
    // Unwind safety: a body only reads and changes atomics, or the connection is dead after a
    // panic.
    catch_unwind(AssertUnwindSafe(|| {
        let outcome = called.begin(shared).and_then(|()| body(handle));
        end(function, shared, outcome)
    }))
    .unwrap_or_else(|panic| panicked::<R>(function, panic))
}

/// Ends a call: converts the result to C, and logs it.
#[inline]
fn end<R: Outcome>(
    function: &'static Function,
    shared: &Shared,
    outcome: Result<R, Error>,
) -> R::C {
    let outcome = outcome.and_then(|result| Ok((result.to_c()?, result)));
    match outcome {
        Ok((value, _)) if !shared.debug_enabled() => value,
        outcome => end_with_message(function, shared, outcome),
    }
}

/// Ends a call that has failed or must be logged.
#[cold]
fn end_with_message<R: Outcome>(
    function: &'static Function,
    shared: &Shared,
    outcome: Result<(R::C, R), Error>,
) -> R::C {
    let (value, result) = match outcome {
        Ok((value, result)) => (value, Ok(result)),
        Err(error) => (failed::<R>(function, &error), Err(error)),
    };
    if shared.debug_enabled() {
        leave(function, shared, &result);
    }
    value
}

/// Stores the error for the program, and returns the error value.
fn failed<R: Outcome>(function: &Function, error: &Error) -> R::C {
    error::store(function.name, error);
    R::FAILED
}

/// Ends a call without a valid handle. Rare cases are separate functions, to keep their code out
/// of every function of the API.
pub(super) fn refused<R: Outcome>(function: &Function, why: InvalidHandle) -> R::C {
    store_refusal(function, why);
    R::FAILED
}

#[cold]
#[inline(never)]
fn store_refusal(function: &Function, why: InvalidHandle) {
    error::store(function.name, &why.into());
}

/// Ends a call that has panicked.
fn panicked<R: Outcome>(function: &Function, panic: Box<dyn Any + Send>) -> R::C {
    store_panic(function, panic);
    R::FAILED
}

#[cold]
#[inline(never)]
fn store_panic(function: &Function, panic: Box<dyn Any + Send>) {
    error::store(function.name, &internal(panic_message(&*panic)));
}

#[cold]
fn enter(function: &Function, shared: &Shared, arguments: &[Argument<'_>]) {
    let list = Written(|f: &mut fmt::Formatter<'_>| {
        arguments
            .iter()
            .try_for_each(|(name, value)| write!(f, " {name}={value}"))
    });
    shared.debug(function.name, format_args!("enter:{list}"));
}

#[cold]
fn leave<R: Outcome>(function: &Function, shared: &Shared, result: &Result<R, Error>) {
    match result {
        Ok(result) => {
            let shown = Written(|f: &mut fmt::Formatter<'_>| result.show(f));
            shared.debug(function.name, format_args!("leave: ret={shown}"));
        }
        Err(error) => {
            let text = error::text(function.name, error);
            shared.debug(function.name, format_args!("leave: error=\"{text}\""));
        }
    }
}

/// Makes the error for a panic: a bug in the library.
pub(super) fn internal(message: String) -> Error {
    Error::new(libc::ENOTRECOVERABLE, format!("internal error: {message}"))
}

/// Returns the message of a panic.
pub(super) fn panic_message(panic: &(dyn Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).into()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "unknown".into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::capi::completion::{nbd_aio_command_completed, nbd_aio_in_flight};
    use crate::capi::connect::nbd_connect_socket;
    use crate::capi::error::{nbd_get_errno, nbd_get_error};
    use crate::capi::handle::{nbd_close, nbd_create};
    use crate::capi::opaque::nbd_handle;
    use crate::capi::poll::nbd_poll;
    use crate::capi::read::nbd_aio_pread;
    use crate::capi::state::{nbd_aio_is_created, nbd_aio_is_dead};
    use crate::capi::trace::Text;
    use crate::handle::callback::nbd_completion_callback;
    use crate::machine::State;
    use libc::{c_int, c_void};
    use std::ffi::CStr;
    use std::io::Write;
    use std::os::fd::IntoRawFd;
    use std::os::unix::net::UnixStream;

    /// Closes the handle when dropped, as a test may end early.
    struct Created(*mut nbd_handle);

    impl Created {
        fn new() -> Self {
            // SAFETY: always allowed.
            Created(unsafe { nbd_create() })
        }
    }

    impl Drop for Created {
        fn drop(&mut self) {
            // SAFETY: the handle comes from `nbd_create`, and is closed once.
            unsafe { nbd_close(self.0) }
        }
    }

    fn last_error() -> (String, i32) {
        // SAFETY: a call has failed, so there is a message.
        let text = unsafe { CStr::from_ptr(nbd_get_error()) };
        // SAFETY: always allowed.
        (text.to_str().unwrap().into(), unsafe { nbd_get_errno() })
    }

    #[test]
    fn a_panic_is_an_error_and_leaves_a_dead_handle() {
        let created = Created::new();
        let h = created.0;
        let result = locked!(NBD_GET_DEBUG(h), |_connection| -> Result<bool, Error> {
            panic!("out of {}", "order")
        });
        assert_eq!(result, -1);
        let (text, errno) = last_error();
        assert!(text.starts_with("nbd_get_debug: internal error: out of order: "));
        assert_eq!(errno, libc::ENOTRECOVERABLE);
        // SAFETY: it is a handle.
        assert_eq!(unsafe { nbd_aio_is_dead(h) }, 1);
    }

    /// The errors that a completion callback got, and the number of calls of `free`.
    #[derive(Default)]
    struct Ends {
        completed: Vec<c_int>,
        freed: usize,
    }

    extern "C" fn completes(user_data: *mut c_void, error: *mut c_int) -> c_int {
        // SAFETY: the test passes its record, and the library a valid error.
        unsafe { (*user_data.cast::<Ends>()).completed.push(*error) };
        0
    }

    extern "C" fn frees(user_data: *mut c_void) {
        // SAFETY: the test passes its record.
        unsafe { (*user_data.cast::<Ends>()).freed += 1 };
    }

    /// Returns both ends of a connection. The server's end has sent an oldstyle greeting for an
    /// export of 1 MiB.
    fn greeted() -> (UnixStream, UnixStream) {
        let (ours, mut server) = UnixStream::pair().unwrap();
        server
            .write_all(b"NBDMAGIC\0\0\x42\x02\x81\x86\x12\x53")
            .unwrap();
        server.write_all(&(1_u64 << 20).to_be_bytes()).unwrap();
        server.write_all(&[0, 0, 0, 1]).unwrap();
        server.write_all(&[0; 124]).unwrap();
        (ours, server)
    }

    #[test]
    fn a_panic_wakes_a_thread_that_waits_for_the_server() {
        let created = Created::new();
        let h = created.0;
        let (ours, _server) = greeted();
        // SAFETY: it is a handle, which takes ownership of the socket.
        assert_eq!(unsafe { nbd_connect_socket(h, ours.into_raw_fd()) }, 0);
        let address = h.expose_provenance();
        std::thread::scope(|scope| {
            let poller = scope.spawn(move || {
                // SAFETY: the handle is closed after this thread has ended.
                unsafe { nbd_poll(std::ptr::with_exposed_provenance_mut(address), -1) }
            });
            // By then it most likely waits.
            std::thread::sleep(std::time::Duration::from_millis(50));
            let result = locked!(NBD_GET_DEBUG(h), |_connection| -> Result<bool, Error> {
                panic!("lost")
            });
            assert_eq!(result, -1);
            assert_eq!(poller.join().unwrap(), 1);
        });
    }

    #[test]
    fn a_panic_ends_what_is_in_flight() {
        let created = Created::new();
        let h = created.0;
        let (ours, _server) = greeted();
        let mut ends = Ends::default();
        let mut data = [0_u8; 512];
        let completion = nbd_completion_callback::new(completes, (&raw mut ends).cast(), frees);
        // SAFETY: the buffer and the record live until the handle is closed.
        unsafe {
            assert_eq!(nbd_connect_socket(h, ours.into_raw_fd()), 0);
            let buf = data.as_mut_ptr().cast();
            assert_eq!(nbd_aio_pread(h, buf, data.len(), 0, completion, 0), 1);
            assert_eq!(nbd_aio_in_flight(h), 1);
        }
        let result = locked!(NBD_GET_DEBUG(h), |_connection| -> Result<bool, Error> {
            panic!("lost")
        });
        assert_eq!(result, -1);
        // SAFETY: it is a handle.
        unsafe {
            assert_eq!(nbd_aio_in_flight(h), 0);
            assert_eq!(ends.completed, [libc::ENOTCONN]);
            assert_eq!(nbd_aio_command_completed(h, 1), -1);
        }
        drop(created);
        assert_eq!((ends.completed.len(), ends.freed), (1, 1));
    }

    #[test]
    fn a_panic_of_a_read_only_call_is_an_error() {
        let created = Created::new();
        let h = created.0;
        let result = unlocked!(NBD_AIO_IS_READY(h), |_shared| -> bool { panic!("lost") });
        assert_eq!(result, -1);
        assert!(last_error()
            .0
            .starts_with("nbd_aio_is_ready: internal error: lost: "));
        // SAFETY: it is a handle.
        assert_eq!(unsafe { nbd_aio_is_created(h) }, 1);
    }

    #[test]
    fn invalid_handles_are_refused() {
        let mut memory = [0_u64; 4096];
        let some: *mut nbd_handle = (&raw mut memory).cast();
        for (h, expected) in [
            (std::ptr::null_mut(), "h cannot be NULL"),
            (some, "h is not a handle, or was closed"),
            (
                some.wrapping_byte_add(1),
                "h is not a handle, or was closed",
            ),
        ] {
            let result = locked!(NBD_GET_DEBUG(h), |_connection| -> Result<bool, Error> {
                unreachable!()
            });
            assert_eq!(result, -1);
            let (text, errno) = last_error();
            assert!(text.starts_with(&format!("nbd_get_debug: {expected}: ")));
            assert_eq!(errno, libc::EFAULT);
        }
    }

    #[test]
    fn the_state_is_checked_before_the_arguments() {
        let created = Created::new();
        let h = created.0;
        // SAFETY: NULL is allowed.
        let null = unsafe { Text::new(std::ptr::null()) };
        let fails = |result: c_int, start: &str, expected: c_int| {
            let (text, errno) = last_error();
            assert_eq!(result, -1);
            assert!(text.starts_with(start), "{text}");
            assert_eq!(errno, expected);
        };
        fails(
            locked!(NBD_CAN_META_CONTEXT(h, metacontext: null), |_c| -> Result<bool, Error> {
                unreachable!()
            }),
            "nbd_can_meta_context: invalid state: START: the handle must be negotiating, \
             or connected with the server, or shut down: ",
            libc::ENOTCONN,
        );
        fails(
            locked!(NBD_SET_EXPORT_NAME(h, export_name: null), |_c| -> Result<(), Error> {
                unreachable!()
            }),
            "nbd_set_export_name: export_name cannot be NULL: ",
            libc::EFAULT,
        );
    }

    #[test]
    fn only_completion_callbacks_may_be_left_out() {
        use crate::handle::callback::nbd_debug_callback;
        let created = Created::new();
        let h = created.0;
        let null = nbd_debug_callback::null();
        let result = locked!(NBD_SET_DEBUG_CALLBACK(h, debug: &null), |_c| -> Result<(), Error> {
            unreachable!()
        });
        assert_eq!(result, -1);
        let (text, errno) = last_error();
        assert!(text.starts_with("nbd_set_debug_callback: debug cannot be NULL: "));
        assert_eq!(errno, libc::EFAULT);

        // Any function that is allowed in this state.
        let null = nbd_completion_callback::null();
        let result = locked!(NBD_GET_DEBUG(h, completion: &null), |_c| Ok(true));
        assert_eq!(result, 1);
    }

    #[test]
    fn read_only_calls_do_not_wait_for_the_lock() {
        let created = Created::new();
        let h = created.0;
        let state = locked!(NBD_GET_DEBUG(h), |_connection| {
            Ok(unlocked!(NBD_AIO_IS_CREATED(h), |shared| shared.state()
                == State::Created)
                == 1)
        });
        assert_eq!(state, 1);
    }
}
