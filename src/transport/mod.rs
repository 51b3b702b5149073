// SPDX-License-Identifier: LGPL-2.1-or-later

//! Everything that owns a file descriptor: sockets, connecting, TLS, name resolution,
//! subprocesses, and waiting.
//!
//! Nothing here knows the NBD protocol. Every descriptor is close-on-exec, every socket
//! non-blocking, and no call raises SIGPIPE. Functions that may block say so: [`Connector::tcp`]
//! resolves a name, and dropping a [`Subprocess`] waits for it.

mod activation;
mod address;
pub mod arrivals;
pub mod blocking;
mod channel;
mod connect;
mod forks;
mod process;
mod resolve;
mod socket;
mod spawn;
mod stderr_copy;
mod subprocess;
mod tcp;
pub mod tls;
mod waker;

pub use address::{ip_address, unix_path, vsock_port};
pub use arrivals::Arrivals;
pub use channel::{Channel, Received};
pub use connect::{Connector, Progress};
pub use socket::{Socket, IOV_MAX};
pub use subprocess::{Stderr, Subprocess};
pub use tcp::TcpOptions;
pub use waker::Waker;
