// SPDX-License-Identifier: LGPL-2.1-or-later

//! Counters of traffic (libnbd(3), "Statistics").

/// Plaintext bytes of the protocol, and chunks: units of data that start with a magic number.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Traffic {
    /// Bytes sent.
    pub bytes_sent: u64,
    /// Chunks completely sent.
    pub chunks_sent: u64,
    /// Bytes received.
    pub bytes_received: u64,
    /// Chunks whose header has been received.
    pub chunks_received: u64,
}
