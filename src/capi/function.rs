// SPDX-License-Identifier: LGPL-2.1-or-later

//! The rules of `functions.tsv` and `extensions.tsv` that are checked by each call. The build turns
//! every line of the tables into a `static` here, named after the function in capitals.

use std::ffi::CStr;

use crate::error::Error;
use crate::handle::{self, Shared};
use crate::machine::State;

/// One function of the C API.
#[derive(Debug)]
pub(super) struct Function {
    /// Its name in C.
    pub name: &'static CStr,
    /// The handle states that allow the call.
    states: States,
    /// The positions of parameters that must not be NULL; the handle is number 1.
    pub non_null: &'static [usize],
}

/// A set of the state groups in libnbd(3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct States(u8);

impl States {
    const CREATED: u8 = States::of(State::Created);
    const CONNECTING: u8 = States::of(State::Connecting);
    const NEGOTIATING: u8 = States::of(State::Negotiating);
    const CONNECTED: u8 = States::of(State::Ready) | States::of(State::Processing);
    const CLOSED: u8 = States::of(State::Closed);
    const DEAD: u8 = States::of(State::Dead);
    const ANY: u8 = 0xff;

    /// The names of the states in error messages, in the order in which they are listed.
    const NAMES: [(u8, &'static str); 6] = [
        (Self::CREATED, "newly created"),
        (Self::CONNECTING, "connecting"),
        (Self::NEGOTIATING, "negotiating"),
        (Self::CONNECTED, "connected with the server"),
        (Self::CLOSED, "shut down"),
        (Self::DEAD, "dead"),
    ];

    const fn of(state: State) -> u8 {
        1 << state as u8
    }

    fn contains(self, state: State) -> bool {
        self.0 & States::of(state) != 0
    }

    fn names(self) -> String {
        let names: Vec<&str> = Self::NAMES
            .into_iter()
            .filter(|(group, _)| self.0 & group != 0)
            .map(|(_, name)| name)
            .collect();
        names.join(", or ")
    }
}

impl handle::Function for Function {
    fn name(&self) -> &'static CStr {
        self.name
    }

    fn check_state(&self, shared: &Shared) -> Result<(), Error> {
        let state = shared.state();
        match self.is_allowed(state) {
            true => Ok(()),
            false => Err(self.wrong_state(shared, state)),
        }
    }
}

impl Function {
    /// Returns true if this state allows the call.
    pub fn is_allowed(&self, state: State) -> bool {
        self.states.contains(state)
    }

    /// Makes the error for a wrong state: `ENOTCONN` if the program has not connected yet,
    /// otherwise `EINVAL`.
    #[cold]
    fn wrong_state(&self, shared: &Shared, state: State) -> Error {
        let errno = match state {
            State::Created => libc::ENOTCONN,
            _ => libc::EINVAL,
        };
        let description = shared.description().to_string_lossy();
        let short = description.split(':').next().unwrap_or_default();
        let states = self.states.names();
        let what = format!("invalid state: {short}: the handle must be {states}");
        Error::new(errno, what)
    }
}

include!(concat!(env!("OUT_DIR"), "/functions.rs"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn permitted_states_are_those_of_the_table() {
        for state in [State::Ready, State::Processing] {
            assert!(NBD_PREAD.states.contains(state));
        }
        for state in [
            State::Created,
            State::Connecting,
            State::Negotiating,
            State::Closed,
            State::Dead,
        ] {
            assert!(!NBD_PREAD.states.contains(state));
            assert!(NBD_GET_HANDLE_NAME.states.contains(state));
        }
        assert!(NBD_GET_SIZE.states.contains(State::Closed));
        assert!(!NBD_GET_SIZE.states.contains(State::Dead));
    }

    #[test]
    fn states_are_named_in_the_order_of_a_connection() {
        assert_eq!(
            NBD_GET_URI.states.names(),
            "connecting, or negotiating, or connected with the server, or shut down, or dead"
        );
        assert_eq!(NBD_SET_TLS.states.names(), "newly created");
    }

    #[test]
    fn non_null_parameters_are_those_of_the_table() {
        assert_eq!(NBD_CLOSE.non_null, [0_usize; 0]);
        assert_eq!(NBD_PREAD.non_null, [1, 2]);
        assert_eq!(NBD_BLOCK_STATUS_FILTER.non_null, [1, 4]);
        assert_eq!(NBD_PREAD.name, c"nbd_pread");
    }
}
