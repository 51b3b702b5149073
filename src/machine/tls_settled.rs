// SPDX-License-Identifier: LGPL-2.1-or-later

//! The check that TLS is in use if it is required.

use super::export::Negotiated;
use super::preferences::{Preferences, Tls};

/// Proof that TLS is in use or not required. A zero-sized type.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TlsSettled(());

impl TlsSettled {
    /// Creates the proof; no other function does. Returns `None` if TLS is required and not in
    /// use.
    pub fn prove(wanted: &Preferences, agreed: &Negotiated) -> Option<TlsSettled> {
        match wanted.tls {
            Tls::Require if !agreed.tls => None,
            Tls::Require | Tls::Allow | Tls::Disable => Some(TlsSettled(())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unencrypted_connections_are_settled_unless_tls_is_required() {
        for wanted in [Tls::Disable, Tls::Allow, Tls::Require] {
            for tls in [false, true] {
                let preferences = Preferences {
                    tls: wanted,
                    ..Preferences::default()
                };
                let negotiated = Negotiated {
                    tls,
                    ..Negotiated::default()
                };
                let settled = TlsSettled::prove(&preferences, &negotiated).is_some();
                assert_eq!(settled, tls || wanted != Tls::Require, "{wanted:?}, {tls}");
            }
        }
    }
}
