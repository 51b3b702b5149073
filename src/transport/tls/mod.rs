// SPDX-License-Identifier: LGPL-2.1-or-later

//! TLS over a connected socket, with GnuTLS.
//!
//! Programs that use this API rely on GnuTLS priority strings, PSK files and the system's crypto
//! policies. GnuTLS is loaded when TLS is first used. So programs that do not use TLS do not pay
//! for it, and everything else works on systems without it.
//!
//! A connection begins with [`Credentials`], which load certificates or keys. With these and a
//! socket, a [`Handshake`] begins; it ends in a [`Session`], which sends and receives.

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

pub use credentials::{Authentication, Credentials, Method};
pub use gnutls::check_available;
pub use session::{Handshake, HandshakeStep, Session};
