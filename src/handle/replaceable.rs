// SPDX-License-Identifier: LGPL-2.1-or-later

//! A value that can be read without a lock, even while another thread replaces it.
//!
//! Debug messages need this. A callback may make calls that have debug messages themselves, and a
//! process may fork while another thread writes one: a lock held meanwhile would never be
//! released for them.
//!
//! A replaced value goes to a list, which is dropped as soon as there are no readers. A thread
//! that takes the list and then sees no reader may drop it: later readers find the new value. In
//! the child of a fork, readers that do not exist there are still counted, so the list is dropped
//! with the whole value.

use std::fmt;
use std::ptr::{self, null_mut};
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering::SeqCst};

/// A value shared by all threads.
pub(super) struct Replaceable<T> {
    current: AtomicPtr<Node<T>>,
    readers: AtomicUsize,
    replaced: AtomicPtr<Node<T>>,
}

struct Node<T> {
    value: T,
    /// The next node, in the list of replaced values.
    next: *mut Node<T>,
}

// SAFETY: values are read by any thread, and dropped by a thread that has replaced them or was
// their last reader.
unsafe impl<T: Send + Sync> Send for Replaceable<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Replaceable<T> {}

impl<T> Replaceable<T> {
    pub fn new(value: T) -> Replaceable<T> {
        Replaceable {
            current: AtomicPtr::new(node(value)),
            readers: AtomicUsize::new(0),
            replaced: AtomicPtr::new(null_mut()),
        }
    }

    /// Calls `read` with the value, which stays valid until it returns.
    pub fn read<R>(&self, read: impl FnOnce(&T) -> R) -> R {
        let _reader = Reader::new(self);
        // SAFETY: a node that a reader finds here is not dropped before the reader.
        let node = unsafe { &*self.current.load(SeqCst) };
        read(&node.value)
    }

    /// Replaces the value. The previous one is dropped now if it has no readers, otherwise by its
    /// last reader.
    pub fn replace(&self, value: T) {
        let previous = self.current.swap(node(value), SeqCst);
        self.keep_replaced(previous);
        self.drop_replaced();
    }

    /// Adds a list of nodes to the replaced ones.
    fn keep_replaced(&self, first: *mut Node<T>) {
        let mut last = first;
        // SAFETY: only this thread has the nodes, until they are in the list.
        unsafe {
            while !(*last).next.is_null() {
                last = (*last).next;
            }
            let mut rest = self.replaced.load(SeqCst);
            loop {
                (*last).next = rest;
                match self.replaced.compare_exchange(rest, first, SeqCst, SeqCst) {
                    Ok(_) => return,
                    Err(other) => rest = other,
                }
            }
        }
    }

    /// Drops the replaced values if there are no readers; otherwise, the last reader does.
    fn drop_replaced(&self) {
        loop {
            let list = self.replaced.swap(null_mut(), SeqCst);
            if list.is_null() {
                return;
            }
            if self.readers.load(SeqCst) == 0 {
                // SAFETY: the nodes had been replaced before the check found no reader, and only
                // this thread has taken them from the list.
                return unsafe { drop_list(list) };
            }
            self.keep_replaced(list);
            // The last reader may have left before the list was back.
            if self.readers.load(SeqCst) != 0 {
                return;
            }
        }
    }
}

impl<T> Drop for Replaceable<T> {
    fn drop(&mut self) {
        // SAFETY: nothing else refers to the nodes.
        unsafe {
            drop_list(*self.current.get_mut());
            drop_list(*self.replaced.get_mut());
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Replaceable<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.read(|value| value.fmt(f))
    }
}

fn node<T>(value: T) -> *mut Node<T> {
    Box::into_raw(Box::new(Node {
        value,
        next: ptr::null_mut(),
    }))
}

/// # Safety
/// All nodes of the list must come from [`node`], and nothing else may refer to them.
unsafe fn drop_list<T>(mut list: *mut Node<T>) {
    while !list.is_null() {
        // SAFETY: by the contract of this function.
        let node = unsafe { Box::from_raw(list) };
        list = node.next;
    }
}

/// Counts as a reader while it exists, also during unwinding.
struct Reader<'a, T>(&'a Replaceable<T>);

impl<'a, T> Reader<'a, T> {
    fn new(read: &'a Replaceable<T>) -> Self {
        read.readers.fetch_add(1, SeqCst);
        Reader(read)
    }
}

impl<T> Drop for Reader<'_, T> {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, SeqCst);
        self.0.drop_replaced();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    #[test]
    fn a_replaced_value_is_dropped_by_its_last_reader() {
        let first = Arc::new(1);
        let value = Replaceable::new(Arc::clone(&first));
        value.read(|outer| {
            value.read(|_| value.replace(Arc::new(2)));
            assert_eq!(Arc::strong_count(&first), 2);
            assert_eq!(**outer, 1);
            value.read(|inner| assert_eq!(**inner, 2));
        });
        assert_eq!(Arc::strong_count(&first), 1);
    }

    #[test]
    fn without_readers_a_value_is_dropped_at_once() {
        let first = Arc::new(1);
        let value = Replaceable::new(Arc::clone(&first));
        value.replace(Arc::new(2));
        assert_eq!(Arc::strong_count(&first), 1);
    }

    #[test]
    fn threads_read_whole_values_and_drop_all_others() {
        let shared = Arc::new(());
        let value = Replaceable::new((0, 0, Arc::clone(&shared)));
        std::thread::scope(|scope| {
            for thread in 0..2 {
                let (value, shared) = (&value, &shared);
                scope.spawn(move || {
                    for i in 0..2000 {
                        value.replace((i, thread, Arc::clone(shared)));
                    }
                });
                scope.spawn(move || {
                    for _ in 0..2000 {
                        assert!(value.read(|(i, thread, _)| *i < 2000 && *thread < 2));
                    }
                });
            }
        });
        assert_eq!(Arc::strong_count(&shared), 2);
        drop(value);
        assert_eq!(Arc::strong_count(&shared), 1);
    }
}
