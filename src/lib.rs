// SPDX-License-Identifier: LGPL-2.1-or-later

//! A client library for the Network Block Device (NBD) protocol: a drop-in replacement for
//! libnbd, with the same C interface.
//!
//! A call passes these modules from top to bottom:
//!
//! - [`capi`]: the C functions, which check arguments and convert results.
//! - [`handle`]: one connection, with its lock, settings, commands, callbacks and waiting.
//! - [`machine`]: the protocol as a state machine, without I/O.
//! - [`protocol`]: the wire format.
//!
//! [`handle`] also uses:
//!
//! - [`transport`]: sockets, TLS, subprocesses, name resolution, waiting.
//! - [`uri`]: NBD URIs.
//!
//! The crate exists for its C interface. The Rust interface serves the tests and the fuzzers, and
//! is not stable.
//!
//! The rest of this page is libnbd(3), the introduction for users of the C interface. `make man`
//! makes this manual page, and a page for each function from the comments in [`capi`].
//!
#![doc = include_str!("../docs/libnbd.md")]
// Server data is parsed in safe code. Unsafe code is for C pointers (here), the program's memory
// and callbacks (modules of `handle`), and system calls and GnuTLS (`transport`).
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
