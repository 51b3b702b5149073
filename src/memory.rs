// SPDX-License-Identifier: LGPL-2.1-or-later

//! Fallible allocation, for memory whose size is chosen by the program or a server.
//!
//! By default, Rust's collections and strings abort the process when out of memory. So every
//! allocation that can need 4 KiB or more at once uses the functions of this module or of
//! [`crate::text`], or `try_reserve`, and fails with `ENOMEM`. `docs/security.md` lists the
//! exceptions and the reasons for them.

#![forbid(unsafe_code)]

use std::collections::{TryReserveError, VecDeque};
use std::ffi::{CStr, CString};

use crate::error::Error;

/// Out of memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoMemory;

impl From<TryReserveError> for NoMemory {
    fn from(_: TryReserveError) -> Self {
        NoMemory
    }
}

impl From<NoMemory> for Error {
    fn from(_: NoMemory) -> Self {
        Error::new(libc::ENOMEM, "not enough memory")
    }
}

/// Copies a string.
pub fn copy(string: &CStr) -> Result<CString, NoMemory> {
    c_string(&[string.to_bytes()])
}

/// Copies an optional string.
pub fn copy_option(string: Option<&CStr>) -> Result<Option<CString>, NoMemory> {
    string.map(copy).transpose()
}

/// Concatenates pieces to a C string, which ends at the first NUL.
pub fn c_string(pieces: &[&[u8]]) -> Result<CString, NoMemory> {
    let mut bytes = concat(pieces, 1)?;
    let end = bytes.iter().position(|&byte| byte == 0);
    if let Some(end) = end {
        bytes = concat(&[&bytes[..end]], 1)?;
    }
    bytes.push(0);
    // Does not allocate: there is room for exactly these bytes.
    Ok(CString::from_vec_with_nul(bytes).unwrap_or_default())
}

/// Concatenates pieces, with spare capacity for `more` bytes.
pub fn concat(pieces: &[&[u8]], more: usize) -> Result<Vec<u8>, NoMemory> {
    let length: usize = pieces.iter().map(|piece| piece.len()).sum();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(length + more)?;
    for piece in pieces {
        bytes.extend_from_slice(piece);
    }
    Ok(bytes)
}

/// Appends an item to a list.
pub fn push<T>(list: &mut Vec<T>, item: T) -> Result<(), NoMemory> {
    list.try_reserve(1)?;
    list.push(item);
    Ok(())
}

/// Reallocates a queue with a capacity of `room`. Without memory it stays unchanged.
pub fn shrink<T>(queue: &mut VecDeque<T>, room: usize) {
    let mut smaller = VecDeque::new();
    if smaller.try_reserve_exact(room.max(queue.len())).is_ok() {
        smaller.append(queue);
        *queue = smaller;
    }
}

/// Collects items into a list, up to the first error.
pub fn collect<T, E: From<NoMemory>>(
    items: impl IntoIterator<Item = Result<T, E>>,
) -> Result<Vec<T>, E> {
    let mut list = Vec::new();
    for item in items {
        push(&mut list, item?)?;
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_are_copied_up_to_their_nul() {
        assert_eq!(copy(c"text"), Ok(c"text".to_owned()));
        assert_eq!(c_string(&[b"one", b"", b"two"]), Ok(c"onetwo".to_owned()));
        assert_eq!(c_string(&[b"one\0", b"two"]), Ok(c"one".to_owned()));
        assert_eq!(c_string(&[]), Ok(c"".to_owned()));
    }

    #[test]
    fn lists_end_with_the_first_error() {
        let items = [Ok(1), Err(NoMemory), Ok(2)];
        assert_eq!(collect(items), Err(NoMemory));
        assert_eq!(
            collect::<_, NoMemory>(items.into_iter().take(1)),
            Ok(vec![1])
        );
    }

    #[test]
    fn a_queue_keeps_its_items_when_it_shrinks() {
        let mut queue: VecDeque<_> = (0..1000).collect();
        queue.drain(..990);
        shrink(&mut queue, 64);
        assert_eq!(queue.capacity(), 64);
        shrink(&mut queue, 1);
        assert_eq!(queue.capacity(), 10);
        shrink(&mut queue, usize::MAX);
        assert_eq!(queue.capacity(), 10);
        assert!(queue.into_iter().eq(990..1000));
    }

    #[test]
    fn more_than_there_can_be_is_an_error() {
        assert_eq!(concat(&[], usize::MAX), Err(NoMemory));
    }
}
