// SPDX-License-Identifier: LGPL-2.1-or-later

//! Extensions: the functions of `libnbd-ext.h`, which the C library does not have.
//!
//! The same rules hold as for [the other functions](super), with `extensions.tsv` as their table.
//! All of them have the symbol version `LIBNBD_EXT_1.0`, so that a later version of the C library
//! cannot have the same. A program that calls none of them must not notice that they exist.

pub mod batching;
pub mod cancel;
pub mod error_detail;
pub mod interruption;
pub mod keepalive;
pub mod vectors;
