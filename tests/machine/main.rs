// SPDX-License-Identifier: LGPL-2.1-or-later

//! The state machine fed with byte strings, without a socket. Every
//! conversation is played whole, byte by byte, and split in two at every
//! position: the reported events must not depend on it.

mod amounts;
mod end;
mod exports;
mod limits;
mod negotiation;
mod notes;
mod reads;
mod replies;
mod script;
mod sending;
mod starttls;
mod states;

use scripted_server::messages as server;
