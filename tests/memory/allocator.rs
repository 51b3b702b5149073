// SPDX-License-Identifier: LGPL-2.1-or-later

//! A counting allocator for all memory that the library allocates in Rust.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::sync::atomic::{AtomicUsize, Ordering};

struct Counting;

#[global_allocator]
static COUNTING: Counting = Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static OF_THREAD: Cell<Of> = const { Cell::new(Of { bytes: 0, allocations: 0 }) };
}

/// Memory allocated by one thread.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// Bytes allocated and not freed.
    pub bytes: isize,
    /// Number of allocations.
    pub allocations: usize,
}

/// Returns the counts of this thread.
pub fn of_this_thread() -> Of {
    OF_THREAD.get()
}

fn count(bytes: isize, allocations: usize) {
    let before = OF_THREAD.get();
    OF_THREAD.set(Of {
        bytes: before.bytes + bytes,
        allocations: before.allocations + allocations,
    });
}

fn grow(by: usize) {
    count(by as isize, 1);
    let now = NOW.fetch_add(by, Ordering::SeqCst) + by;
    MOST.fetch_max(now, Ordering::SeqCst);
}

fn shrink(by: usize) {
    count(-(by as isize), 0);
    NOW.fetch_sub(by, Ordering::SeqCst);
}

// SAFETY: the system's allocator does the work and upholds the contract.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller upholds the contract of `alloc`.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        shrink(layout.size());
        // SAFETY: the caller upholds the contract of `dealloc`.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // Count as if the system always copied: old and new block at once.
        grow(size);
        shrink(layout.size());
        // SAFETY: the caller upholds the contract of `realloc`.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Returns the number of bytes in use.
pub fn now() -> usize {
    NOW.load(Ordering::SeqCst)
}

/// Returns the peak memory use of `work` above the level at its start.
pub fn most_during(work: impl FnOnce()) -> usize {
    let before = now();
    MOST.store(before, Ordering::SeqCst);
    work();
    MOST.load(Ordering::SeqCst) - before
}
