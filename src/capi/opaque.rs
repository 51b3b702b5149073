// SPDX-License-Identifier: LGPL-2.1-or-later

//! What a program holds: a pointer that only the library looks behind.

use std::sync::atomic::{AtomicUsize, Ordering};

use super::trace::null;
use crate::error::Error;
use crate::handle::Handle;

/// What a handle begins with, to tell it from other memory.
const MAGIC: usize = u64::from_be_bytes(*b"nbd hndl") as usize;

/// Why a pointer is not that of a handle.
#[derive(Clone, Copy)]
pub(super) enum NoHandle {
    Null,
    /// It was closed, or is something else.
    Other,
}

impl From<NoHandle> for Error {
    fn from(why: NoHandle) -> Error {
        match why {
            NoHandle::Null => null("h"),
            NoHandle::Other => Error::new(libc::EFAULT, "h is not a handle, or was closed"),
        }
    }
}

/// One connection to one NBD server, as programs hold it.
#[allow(non_camel_case_types)] // the name it has in C
pub struct nbd_handle {
    magic: AtomicUsize,
    handle: Handle,
}

impl nbd_handle {
    /// A handle that has not begun to connect.
    pub(super) fn new() -> Self {
        nbd_handle {
            magic: AtomicUsize::new(MAGIC),
            handle: Handle::new(),
        }
    }

    /// The handle behind a pointer, when there is one.
    ///
    /// Something that was never a handle, or is one no longer, is noticed where
    /// that can be done: a mistake in the program is better reported than run.
    ///
    /// # Safety
    ///
    /// `h` is NULL, or comes from `nbd_create` and is not closed during `'a`.
    pub(super) unsafe fn check<'a>(h: *mut nbd_handle) -> Result<&'a Handle, NoHandle> {
        if h.is_null() {
            return Err(NoHandle::Null);
        }
        // SAFETY: a handle, by the promise of the caller. Only the one field is
        // looked at until that promise is seen to be kept.
        if !h.is_aligned() || unsafe { (*h).magic.load(Ordering::Relaxed) } != MAGIC {
            return Err(NoHandle::Other);
        }
        // SAFETY: the same.
        Ok(unsafe { &(*h).handle })
    }
}

impl Drop for nbd_handle {
    fn drop(&mut self) {
        self.magic.store(0, Ordering::Relaxed);
    }
}
