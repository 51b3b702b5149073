// SPDX-License-Identifier: LGPL-2.1-or-later

//! The client side of one connection as a state machine: bytes in, bytes and events out.
//!
//! There is no I/O here, no clock, no thread and no unsafe code. The owner of a [`Machine`] moves
//! the bytes:
//!
//! - [`Machine::issue`] queues a command. [`Machine::outgoing`] returns the bytes to send next,
//!   and [`Machine::sent`] records how many were sent.
//! - [`Machine::begin`] instead returns the request, for an owner that sends it at once;
//!   [`Machine::sent_at_once`] records how many bytes were sent.
//! - [`Machine::receive`] takes received bytes and returns one [`Event`] at a time.
//!   [`Machine::direct`] returns the place in a user's buffer for the next bytes, for an owner
//!   that can receive into it.
//! - [`Machine::end_of_stream`] and [`Machine::fail`] end the connection.
//!
//! User memory is the attachment `T` of a command: stored here, never accessed. The events depend
//! on the bytes, not on how they are split.

#![forbid(unsafe_code)]

mod chunk;
mod command;
mod core;
mod event;
mod export;
mod fault;
mod filled;
mod handshake;
mod inbox;
mod message;
mod meta_contexts;
mod negotiation;
mod option_reply;
mod options;
mod outgoing;
mod pending;
mod phase;
mod position;
mod preferences;
mod receive;
mod receiving;
mod reply;
mod state;
mod tls_settled;
mod traffic;
mod transmission;

pub use self::core::Machine;
pub use crate::memory::NoMemory;
pub use command::{Command, CookieHasher, NewCommand};
pub use event::{Event, Extent, ReadStatus};
pub use export::{Export, Negotiated, Protocol};
pub use meta_contexts::{MetaContext, MetaContexts};
pub use outgoing::Unsent;
pub use preferences::{Preferences, Tls};
pub use reply::Put;
pub use state::State;
pub use traffic::Traffic;
pub use transmission::Piece;
