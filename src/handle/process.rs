// SPDX-License-Identifier: LGPL-2.1-or-later

//! Identification of this process, to detect fork(2): the child has copies of all handles, and
//! one thread.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::Once;

/// The number of forks between the first process and this one.
static GENERATION: AtomicU32 = AtomicU32::new(0);

/// Returns the number of this process among its ancestors. Costs one load.
pub(super) fn generation() -> u32 {
    GENERATION.load(Ordering::Relaxed)
}

/// Starts to count forks.
pub(super) fn count_forks() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // SAFETY: the function only counts, which is allowed in a child of fork(2). If
        // pthread_atfork fails for lack of memory, handles are treated as the child's own, as in
        // the C library.
        unsafe { libc::pthread_atfork(None, None, Some(forked)) };
    });
}

unsafe extern "C" fn forked() {
    GENERATION.fetch_add(1, Ordering::Relaxed);
}
