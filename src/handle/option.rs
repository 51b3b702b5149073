// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program's outstanding option.

use super::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};

/// A callback for the replies to an option.
#[derive(Debug)]
pub(super) enum OptionCallback {
    None,
    List(nbd_list_callback),
    Context(nbd_context_callback),
}

/// An outstanding option. The callbacks are freed in this order.
#[derive(Debug)]
pub(super) struct PendingOption {
    pub callback: OptionCallback,
    pub completion: nbd_completion_callback,
}

impl PendingOption {
    /// Makes an option that the server accepts or refuses.
    pub fn plain(completion: nbd_completion_callback) -> Self {
        PendingOption {
            callback: OptionCallback::None,
            completion,
        }
    }

    /// Makes an option whose replies are exports.
    pub fn list(list: nbd_list_callback, completion: nbd_completion_callback) -> Self {
        PendingOption {
            callback: OptionCallback::List(list),
            completion,
        }
    }

    /// Makes an option whose replies are meta contexts.
    pub fn context(context: nbd_context_callback, completion: nbd_completion_callback) -> Self {
        PendingOption {
            callback: OptionCallback::Context(context),
            completion,
        }
    }
}
