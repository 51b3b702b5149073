// SPDX-License-Identifier: LGPL-2.1-or-later

//! A client library for NBD, the Network Block Device protocol: a drop-in for
//! libnbd, with the same C interface.
//!
//! Data flows one way down through these rooms:
//!
//! - [`capi`]: the C functions. Checks arguments, takes the lock, turns
//!   results into C.
//! - [`handle`]: one connection. Settings, connecting, commands, waiting; user
//!   memory and callbacks.
//! - [`machine`]: the protocol as a state machine with no I/O in it.
//! - [`protocol`]: the wire format.
//!
//! Beside them, driven by [`handle`]:
//!
//! - [`transport`]: sockets, subprocesses, name resolution, poll(2).
//! - [`uri`]: NBD URIs, parsed and written.
//!
//! The crate exists for its C interface. As a Rust library it offers its rooms
//! to the tests and the fuzzers, with no promise to stay the same.
//!
//! What follows is libnbd(3), the manual page to begin with for those who write
//! programs. `make man` makes it, and a page for each function from the comments
//! in [`capi`].
//!
#![doc = include_str!("../docs/libnbd.md")]
// What a server sends is taken apart in safe code. The exceptions: C's pointers
// (here), the program's memory and callbacks (in `handle`, module by module), and
// system calls and GnuTLS.
#![deny(unsafe_code)]

#[allow(unsafe_code)]
mod cancellation;
#[allow(unsafe_code)]
pub mod capi;
pub mod constants;
#[allow(unsafe_code)]
mod environment;
pub mod error;
pub mod handle;
pub mod machine;
mod memory;
pub mod protocol;
mod text;
#[allow(unsafe_code)]
mod thread_block;
#[allow(unsafe_code)]
pub mod transport;
pub mod uri;
