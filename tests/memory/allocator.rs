// SPDX-License-Identifier: LGPL-2.1-or-later

//! Counts the memory of this process: all that the library asks for from Rust.

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

/// The memory that one thread has asked for.
#[derive(Debug, Clone, Copy)]
pub struct Of {
    /// Bytes that it has allocated and not freed.
    pub bytes: isize,
    /// How often it has allocated.
    pub allocations: usize,
}

/// What this thread has asked for so far.
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

// SAFETY: the system's allocator does the work and keeps the promises.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, memory: *mut u8, layout: Layout) {
        shrink(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.dealloc(memory, layout) }
    }

    unsafe fn realloc(&self, memory: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // As if the system always had to copy: old and new place at once.
        grow(size);
        shrink(layout.size());
        // SAFETY: the caller's promises are passed on.
        unsafe { System.realloc(memory, layout, size) }
    }
}

/// Bytes that are in use now.
pub fn now() -> usize {
    NOW.load(Ordering::SeqCst)
}

/// How many bytes more than at the beginning `work` had in use at any time.
pub fn most_during(work: impl FnOnce()) -> usize {
    let before = now();
    MOST.store(before, Ordering::SeqCst);
    work();
    MOST.load(Ordering::SeqCst) - before
}
