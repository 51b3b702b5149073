// SPDX-License-Identifier: LGPL-2.1-or-later

//! The memory for the next bytes in a read's buffer.

#![deny(unsafe_code)]

use libc::iovec;

use crate::handle::attachment::{Attachment, Buffer};
use crate::handle::buffer::ReadBuffer;
use crate::handle::pieces::Pieces;
use crate::machine::Machine;
use crate::transport::IOV_MAX;

/// The memory for the next bytes in a read's buffer.
#[derive(Debug)]
pub(super) enum Direct {
    /// None: the next bytes are not data of a read.
    None,
    /// One piece for all of the data.
    One(iovec),
    /// Several pieces. In a box, since they are rare.
    Several(Box<Several>),
}

/// Several pieces of memory.
#[derive(Debug)]
pub(super) struct Several {
    list: Vec<iovec>,
    /// Their length in bytes.
    length: usize,
    /// The length of the data in bytes.
    data: usize,
}

impl Direct {
    /// Returns the memory for the next bytes. If it is several pieces, these are for at most
    /// `most` bytes.
    pub fn next(machine: &Machine<Attachment>, most: usize) -> Direct {
        match place(machine) {
            Some((Buffer::Read(buffer), at, length)) => Direct::One(buffer.iovec(at, length)),
            Some((Buffer::ReadPieces(pieces), at, length)) => {
                Direct::several(pieces, at, length, most)
            }
            _ => Direct::None,
        }
    }

    /// Returns the number of bytes that are expected for a read's buffer.
    pub fn expected(machine: &Machine<Attachment>) -> usize {
        place(machine).map_or(0, |(_, _, length)| length)
    }

    /// Makes the memory for `data` bytes at offset `at` of a read's buffers: for at most `most`
    /// bytes, and for as many pieces as one system call accepts. If there is no memory for a list
    /// of them, this is the first piece.
    #[cold]
    fn several(buffers: &Pieces<ReadBuffer>, at: usize, data: usize, most: usize) -> Direct {
        let mut pieces = buffers.iovecs(at, data.min(most)).take(IOV_MAX - 1);
        let count = buffers.iovecs(at, data.min(most)).take(IOV_MAX - 1).count();
        let mut list = Vec::new();
        // There is room for one more; see `complete_list`.
        if list.try_reserve_exact(count + 1).is_err() {
            return pieces.next().map_or(Direct::None, Direct::One);
        }
        list.extend(pieces);
        let length = list.iter().map(|piece| piece.iov_len).sum();
        Direct::Several(Box::new(Several { list, length, data }))
    }

    /// Returns the length of the pieces in bytes.
    pub fn length(&self) -> usize {
        match self {
            Direct::None => 0,
            Direct::One(piece) => piece.iov_len,
            Direct::Several(several) => several.length,
        }
    }

    /// Returns the length of the data in bytes. If it is more than that of the pieces, nothing may
    /// be received after them, since it would have to be copied.
    pub fn data(&self) -> usize {
        match self {
            Direct::Several(several) => several.data,
            _ => self.length(),
        }
    }

    /// Returns the only piece, if any.
    pub fn one(&self) -> Option<iovec> {
        match self {
            Direct::One(piece) => Some(*piece),
            _ => None,
        }
    }

    /// Returns the list of several pieces.
    pub fn list(&self) -> Option<&[iovec]> {
        match self {
            Direct::Several(several) => Some(&several.list),
            _ => None,
        }
    }

    /// Appends the memory for the bytes after the data to the list of several pieces, and returns
    /// it.
    pub fn complete_list(&mut self, after: iovec) -> Option<&[iovec]> {
        if let Direct::Several(several) = self {
            // Does not allocate: there is room.
            several.list.push(after);
        }
        self.list()
    }
}

/// Returns the buffer of a read for the next bytes, if any: their offset in it, and the number of
/// them.
fn place(machine: &Machine<Attachment>) -> Option<(&Buffer, usize, usize)> {
    let (cookie, at, length) = machine.direct()?;
    let buffer = &machine.command(cookie)?.attachment.buffer;
    matches!(buffer, Buffer::Read(_) | Buffer::ReadPieces(_)).then_some((buffer, at, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::handle::buffer::Vector;

    /// Returns the memory for `data` bytes at offset `at` of buffers of these lengths, and the
    /// lengths of its pieces after it was completed.
    fn several(lengths: &[usize], at: usize, data: usize, most: usize) -> (Direct, Vec<usize>) {
        let some = std::ptr::NonNull::<u8>::dangling().as_ptr().cast();
        let piece = |&iov_len: &usize| iovec {
            iov_base: some,
            iov_len,
        };
        let array: Vec<iovec> = lengths.iter().map(piece).collect();
        let pieces = Pieces::new(vector(&array)).unwrap();
        let mut direct = Direct::several(&pieces, at, data, most);
        let list = direct.complete_list(piece(&7)).unwrap_or_default();
        let list = list.iter().map(|piece| piece.iov_len).collect();
        (direct, list)
    }

    #[allow(unsafe_code)]
    fn vector(array: &[iovec]) -> Vector<'_, ReadBuffer> {
        // SAFETY: the buffers are not accessed.
        unsafe { Vector::new(array.as_ptr(), array.len() as i32) }
    }

    #[test]
    fn the_list_has_the_pieces_and_the_memory_after_them() {
        let (direct, list) = several(&[10, 20, 30], 5, 40, usize::MAX);
        assert_eq!(list, [5, 20, 15, 7]);
        assert_eq!((direct.length(), direct.data()), (40, 40));
        assert_eq!(several(&[10, 20, 30], 10, 20, usize::MAX).1, [20, 7]);
    }

    #[test]
    fn the_list_is_limited() {
        let (direct, list) = several(&[10, 20, 30], 5, 40, 6);
        assert_eq!(list, [5, 1, 7]);
        assert_eq!((direct.length(), direct.data()), (6, 40));
        let (direct, list) = several(&[2; IOV_MAX], 1, 2047, usize::MAX);
        assert_eq!(list.len(), IOV_MAX);
        assert_eq!((direct.length(), direct.data()), (2045, 2047));
    }
}
