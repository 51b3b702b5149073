// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS over a connected socket, by GnuTLS.
//!
//! GnuTLS is what priority strings, PSK files and the system's crypto policies
//! mean to the programs that use this API. It is loaded when TLS is first asked
//! for, so a program that never does so does not pay for it, and a system
//! without it can do everything else.
//!
//! A connection begins with [`Credentials`], which read the files that say whom
//! to trust and who we are. They make a [`Handshake`] out of a socket, and the
//! handshake ends in a [`Session`], to send and receive over.

mod certificates;
mod credentials;
mod error;
mod gnutls;
mod note;
mod psk;
mod records;
#[cfg(test)]
mod scratch;
mod session;

pub use credentials::{Credentials, Identity, Proof};
pub use gnutls::check_available;
pub use session::{Handshake, HandshakeStep, Session};
