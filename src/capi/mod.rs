// SPDX-License-Identifier: LGPL-2.1-or-later

//! The C API: the functions of `libnbd.h`, one file for each of its subjects.
//!
//! A function here does three things: it says in Rust what its arguments are,
//! has `entry` make the call, and so returns what `outcome` makes of the
//! result. What the call does is the business of [`crate::handle`].
//!
//! The comment of a function is its manual page, and the first line of it the
//! function's line in `libnbd.h`. What is the same for many functions is not said
//! there but in `functions.tsv`: the states of a handle that allow the call,
//! the parameters that may not be NULL, what frees the result, and the symbol
//! version. From the same table, the build takes the symbol versions and checks
//! the types written here. Where a call fails for a state or a NULL, the errors
//! are the same for all of them too: `ENOTCONN` before the handle connects,
//! `EINVAL` in any other state that is wrong, and `EFAULT` for NULL. A callback
//! other than a completion callback counts as NULL when there is nothing in it,
//! neither a function to call nor one to free its data.

// What callers have to keep to is what C callers always have to, and what the
// comments say of buffers and strings; none of them is a Rust program.
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
