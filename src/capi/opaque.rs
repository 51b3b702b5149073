// SPDX-License-Identifier: LGPL-2.1-or-later

//! The handle that programs hold: an opaque pointer.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::trace::null;
use crate::error::Error;
use crate::handle::Handle;

/// The first word of every handle, which distinguishes it from other memory.
const MAGIC: usize = u64::from_be_bytes(*b"nbd hndl") as usize;

/// The reason why a pointer is not a handle.
#[derive(Clone, Copy)]
pub(super) enum InvalidHandle {
    Null,
    /// A closed handle, or other memory.
    Other,
}

impl From<InvalidHandle> for Error {
    fn from(why: InvalidHandle) -> Error {
        match why {
            InvalidHandle::Null => null("h"),
            InvalidHandle::Other => Error::new(libc::EFAULT, "h is not a handle, or was closed"),
        }
    }
}

/// A connection to an NBD server.
#[allow(non_camel_case_types)] // the name in C
pub struct nbd_handle {
    magic: AtomicUsize,
    handle: Handle,
}

impl nbd_handle {
    /// Makes a handle that is not connected.
    pub(super) fn new() -> Self {
        nbd_handle {
            magic: AtomicUsize::new(MAGIC),
            handle: Handle::new(),
        }
    }

    /// Returns the handle that a pointer points to.
    ///
    /// A pointer to a closed handle or to other memory is an error if that can be detected:
    /// reporting a bug in the program is better than crashing.
    ///
    /// # Safety
    ///
    /// `h` is NULL, or comes from `nbd_create` and is not closed during `'a`.
    pub(super) unsafe fn check<'a>(h: *mut nbd_handle) -> Result<&'a Handle, InvalidHandle> {
        if h.is_null() {
            return Err(InvalidHandle::Null);
        }
        // SAFETY: the caller promises a handle. Until the promise is checked, only this
        // one field is read.
        if !h.is_aligned() || unsafe { (*h).magic.load(Ordering::Relaxed) } != MAGIC {
            return Err(InvalidHandle::Other);
        }
        // SAFETY: the caller promises a handle, and the check agrees.
        Ok(unsafe { &(*h).handle })
    }
}

impl Drop for nbd_handle {
    fn drop(&mut self) {
        self.magic.store(0, Ordering::Relaxed);
    }
}
