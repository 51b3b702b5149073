// SPDX-License-Identifier: LGPL-2.1-or-later

//! An option of the program's whose replies are awaited.

use super::callback::{nbd_completion_callback, nbd_context_callback, nbd_list_callback};

/// What is called for each reply to an option.
#[derive(Debug)]
pub(super) enum OptionCallback {
    None,
    List(nbd_list_callback),
    Context(nbd_context_callback),
}

/// An option in flight. The callbacks are in the order in which they are freed.
#[derive(Debug)]
pub(super) struct PendingOption {
    pub callback: OptionCallback,
    pub completion: nbd_completion_callback,
}

impl PendingOption {
    /// An option that the server only agrees to or refuses.
    pub fn plain(completion: nbd_completion_callback) -> Self {
        PendingOption {
            callback: OptionCallback::None,
            completion,
        }
    }

    /// An option that the server answers with exports.
    pub fn list(list: nbd_list_callback, completion: nbd_completion_callback) -> Self {
        PendingOption {
            callback: OptionCallback::List(list),
            completion,
        }
    }

    /// An option that the server answers with meta contexts.
    pub fn context(context: nbd_context_callback, completion: nbd_completion_callback) -> Self {
        PendingOption {
            callback: OptionCallback::Context(context),
            completion,
        }
    }
}
