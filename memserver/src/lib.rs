// SPDX-License-Identifier: LGPL-2.1-or-later

//! An in-memory NBD server for tests, demonstrations and benchmarks.
//!
//! It speaks the whole protocol, and breaks it on request. It is written from
//! the protocol document alone and deliberately shares no code with the client
//! library of this repository: if the client misreads the document, the server
//! does not misread it in the same way, and a test fails.
//!
//! From the wire inwards, each using only what comes after it (the project's
//! `tests/architecture.rs` checks that):
//! - `server` is the event loop, `listener` the sockets, `connection` one
//!   client's socket, with `tls` on it when asked; only these do I/O.
//! - `session` is one client's conversation as bytes in and bytes out.
//! - `handshake`, `options` and `transmission` are its stages. Each takes `env`,
//!   which they share, and says in a `transition` what follows. They pass no
//!   more to each other than what is `agreed`.
//! - `starttls` and `meta_context` answer options, with `option_replies`.
//! - `faulty_replies` breaks the reply to a request, when one of the `faults` is
//!   asked for.
//! - `commands`, `reads` and `extents` carry a request out: an `answer`, made
//!   from a `request` after the `checks` of it. `delivery` holds replies back,
//!   `replies` writes their headers.
//! - `export` and `pages` are the disks; `output` is a queue of bytes to send.
//!
//! Public is what the program and the tests use.

#![warn(missing_docs)]

mod agreed;
mod answer;
mod checks;
pub mod command_line;
mod commands;
mod connection;
mod delivery;
mod env;
pub mod export;
mod extents;
pub mod faults;
mod faulty_replies;
mod handshake;
pub mod listener;
mod meta_context;
mod option_replies;
mod options;
mod output;
mod page;
pub mod pages;
pub mod process;
mod reads;
mod replies;
mod request;
pub mod server;
pub mod session;
pub mod settings;
mod starttls;
#[cfg_attr(not(feature = "tls"), path = "no_tls.rs")]
pub mod tls;
mod transition;
mod transmission;
mod wire;
