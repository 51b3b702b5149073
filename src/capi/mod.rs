// SPDX-License-Identifier: LGPL-2.1-or-later

//! The C API: the functions of `libnbd.h`, one file per subject, and the extensions of
//! `libnbd-ext.h` in [`ext`].
//!
//! Each function converts its arguments to Rust types, makes the call through `entry`, and
//! returns the result, converted to C by `outcome`. [`crate::handle`] does the work.
//!
//! The comment of a function is the source of its manual page; its first line is also the comment
//! of the function in `libnbd.h`. `functions.tsv` has the facts that are common to many pages:
//! the handle states that allow the call, the parameters that must not be NULL, the function that
//! frees the result, and the symbol version. The build reads the symbol versions from this table,
//! and checks the types of the functions against it. The errors that follow from the table are
//! the same for all functions: `ENOTCONN` before the handle connects, `EINVAL` in any other wrong
//! state, and `EFAULT` for NULL. A callback other than a completion callback counts as NULL if it
//! has neither a function nor a `free` function.

// The callers are C programs. They must follow the usual rules of C, and the rules for buffers
// and strings in the comments.
#![allow(clippy::missing_safety_doc)]

mod boolean;
mod entry;
mod function;
mod outcome;
mod run;
mod trace;

pub mod block_status;
pub mod completion;
pub mod connect;
pub mod debug;
pub mod error;
pub mod export;
pub mod ext;
pub mod flush;
pub mod handle;
pub mod information;
pub mod meta_context;
pub mod negotiation;
pub mod opaque;
pub mod option;
pub mod option_agreement;
pub mod option_list;
pub mod poll;
pub mod read;
pub mod shutdown;
pub mod state;
pub mod statistics;
pub mod strict;
pub mod subprocess;
pub mod tls;
pub mod tls_credentials;
pub mod uri;
pub mod version;
pub mod write;
