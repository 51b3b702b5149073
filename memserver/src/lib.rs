// SPDX-License-Identifier: LGPL-2.1-or-later

//! An in-memory NBD server for tests, demonstrations and benchmarks.
//!
//! It speaks the whole protocol, and breaks it on request. It is written from
//! the protocol document alone and deliberately shares no code with the client
//! library of this repository: if the client misreads the document, the server
//! does not misread it in the same way, and a test fails.
//!
//! The modules, from the socket inwards. Each uses only later ones in this list, as
//! the project's `tests/architecture.rs` checks:
//! - `server` is the event loop, `listener` the listening sockets and `connection`
//!   one client's socket, with `tls` on it on request; only these do I/O.
//! - `session` is one client's conversation as bytes in and bytes out.
//! - `handshake`, `options` and `transmission` are its stages. They share `env`, and
//!   each returns a `transition` that names the next stage. The only state passed
//!   between them is in `agreed`.
//! - `starttls` and `meta_context` answer options, with `option_replies`.
//! - `faulty_replies` corrupts the reply to a request, if one of the `faults` was
//!   requested.
//! - `commands`, `reads` and `extents` execute an `answer`, made from a `request`
//!   that has passed the `checks`. `delivery` holds replies back, and `replies`
//!   writes their headers.
//! - `export` and `pages` are the disks; `output` is a queue of bytes to send.
//!
//! The public items are those that the program and the tests use.

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
