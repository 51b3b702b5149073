// SPDX-License-Identifier: LGPL-2.1-or-later

//! A server scripted by a Rust test: its messages byte by byte, and a socket to
//! send them.

pub mod messages;
mod peer;

pub use peer::{Peer, Request, Script};
