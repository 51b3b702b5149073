// SPDX-License-Identifier: LGPL-2.1-or-later

//! A block of memory for each thread, kept until the thread ends.
//!
//! A program may call this library in exit handlers and in its own destructors of thread-specific
//! data. By then, Rust's thread-locals with destructors are gone. Thread-specific data still
//! works: the system calls the destructor again if a thread has set its data since
//! (pthread_key_create(3)). The destructor is free(3) itself, so no code of this library runs at
//! the end of a thread.

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicU32, Ordering};

use libc::pthread_key_t;

/// An invalid key: valid ones are small indices.
const NONE: pthread_key_t = pthread_key_t::MAX;

/// A malloc(3) block for each thread, or null.
pub struct ThreadBlock {
    key: AtomicU32,
}

impl ThreadBlock {
    /// Starts with null for every thread.
    pub const fn new() -> ThreadBlock {
        ThreadBlock {
            key: AtomicU32::new(NONE),
        }
    }

    /// Returns the block of this thread, which keeps it.
    pub fn get(&self) -> *mut c_void {
        match self.key.load(Ordering::Relaxed) {
            NONE => ptr::null_mut(),
            // SAFETY: the key exists, and is never deleted.
            key => unsafe { libc::pthread_getspecific(key) },
        }
    }

    /// Takes the block from this thread. The caller must free it.
    pub fn take(&self) -> *mut c_void {
        let block = self.get();
        if !block.is_null() && !self.set(ptr::null_mut()) {
            return ptr::null_mut();
        }
        block
    }

    /// Sets the block of this thread, and frees the previous one. If the system has no room for
    /// it, the new block is freed instead.
    ///
    /// # Safety
    /// `block` must be null, or come from malloc(3) without other references to it.
    pub unsafe fn replace(&self, block: *mut c_void) {
        let previous = self.get();
        let unused = match self.set(block) {
            true => previous,
            false => block,
        };
        // SAFETY: either the previous block, which only this thread had, or the block of the
        // caller.
        unsafe { libc::free(unused) };
    }

    fn set(&self, block: *mut c_void) -> bool {
        self.key()
            // SAFETY: the key exists, and free(3) will get the block.
            .is_some_and(|key| unsafe { libc::pthread_setspecific(key, block) } == 0)
    }

    /// Returns the key, created by the first thread that needs it. Not with a lock: in a process
    /// forked meanwhile, it would stay locked.
    fn key(&self) -> Option<pthread_key_t> {
        let present = self.key.load(Ordering::Relaxed);
        if present != NONE {
            return Some(present);
        }
        let mut new = NONE;
        // SAFETY: `new` lives across the call.
        if unsafe { libc::pthread_key_create(&raw mut new, Some(libc::free)) } != 0 {
            return None;
        }
        let set = self
            .key
            .compare_exchange(NONE, new, Ordering::Relaxed, Ordering::Relaxed);
        match set {
            Ok(_) => Some(new),
            Err(first) => {
                // SAFETY: the key is not known to other threads.
                unsafe { libc::pthread_key_delete(new) };
                Some(first)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread;

    #[test]
    fn each_thread_has_its_own_block() {
        static BLOCK: ThreadBlock = ThreadBlock::new();
        assert!(BLOCK.get().is_null());
        // SAFETY: blocks of malloc, each given once.
        let (first, second) = unsafe { (libc::malloc(1), libc::malloc(1)) };
        // SAFETY: as above.
        unsafe { BLOCK.replace(first) };
        assert_eq!(BLOCK.get(), first);
        thread::spawn(|| assert!(BLOCK.get().is_null()))
            .join()
            .unwrap();
        // SAFETY: as above; the first is freed here.
        unsafe { BLOCK.replace(second) };
        assert_eq!(BLOCK.take(), second);
        assert!(BLOCK.get().is_null());
        // SAFETY: it was taken from the thread.
        unsafe { libc::free(second) };
    }
}
