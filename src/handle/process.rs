// SPDX-License-Identifier: LGPL-2.1-or-later

//! Which process this is: fork(2) makes another one, which has copies of all handles and
//! one thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Once;

/// How many times the process has been forked on the way to this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// The number of this process among its ancestors. It costs a load.
pub(super) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Has forks counted from now on.
pub(super) fn watch() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function only counts, which may be done in a child of fork(2).
        // It fails for want of memory, and then handles are taken for the child's own,
        // as in the C library.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
}

unsafe extern "C" fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
