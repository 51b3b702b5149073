// SPDX-License-Identifier: LGPL-2.1-or-later

//! Where replies are received before they are looked at.

use std::cell::Cell;

/// Bytes received with one system call at most, besides what goes straight to
/// a user's buffer.
const LENGTH: usize = 128 * 1024;

thread_local! {
    /// A handle that waits needs no memory, so a thread lends its buffer to
    /// the one that receives.
    static SPARE: Cell<Option<Box<[u8]>>> = const { Cell::new(None) };
}

/// A buffer on loan from its thread. A callback that receives on another
/// handle meanwhile gets one of its own.
pub(super) struct ReceiveBuffer(Option<Box<[u8]>>);

impl ReceiveBuffer {
    pub fn borrow() -> Self {
        // A thread that is ending has nothing to lend any more.
        let spare = SPARE.try_with(Cell::take).ok().flatten();
        let buffer = spare.unwrap_or_else(|| vec![0; LENGTH].into_boxed_slice());
        ReceiveBuffer(Some(buffer))
    }

    pub fn bytes(&mut self) -> &mut [u8] {
        self.0.as_deref_mut().unwrap_or_default()
    }
}

impl Drop for ReceiveBuffer {
    fn drop(&mut self) {
        let buffer = self.0.take();
        // Without the thread's storage, the buffer is simply freed.
        let _ = SPARE.try_with(|spare| spare.set(buffer));
    }
}
