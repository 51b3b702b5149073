// SPDX-License-Identifier: LGPL-2.1-or-later

//! Reply messages of the transmission phase, in the three header formats.

use crate::agreed::Headers;
use crate::output::Output;
use crate::wire::{
    chunk, NBD_EXTENDED_REPLY_MAGIC, NBD_REPLY_FLAG_DONE, NBD_SIMPLE_REPLY_MAGIC,
    NBD_STRUCTURED_REPLY_MAGIC,
};

/// Writes the reply to one request.
#[derive(Debug, Clone, Copy)]
pub struct ReplyTo {
    pub headers: Headers,
    pub cookie: u64,
    /// Offset of the request.
    pub offset: u64,
    /// Added to every magic: nonzero only for a fault that corrupts it.
    pub magic_error: u32,
    /// The flag of last chunks: cleared only by a fault.
    pub done: u16,
}

impl ReplyTo {
    /// Creates a reply that follows the protocol.
    pub fn new(headers: Headers, cookie: u64, offset: u64) -> ReplyTo {
        ReplyTo {
            headers,
            cookie,
            offset,
            magic_error: 0,
            done: NBD_REPLY_FLAG_DONE,
        }
    }

    fn magic(&self, magic: u32) -> [u8; 4] {
        magic.wrapping_add(self.magic_error).to_be_bytes()
    }

    /// Queues a simple reply; after error 0 to a read, the data follows.
    pub fn simple(&self, out: &mut Output, error: u32) {
        out.mark();
        let mut header = [0; 16];
        header[..4].copy_from_slice(&self.magic(NBD_SIMPLE_REPLY_MAGIC));
        header[4..8].copy_from_slice(&error.to_be_bytes());
        header[8..].copy_from_slice(&self.cookie.to_be_bytes());
        out.put(&header);
    }

    /// Queues the header of a chunk with a payload of `length` bytes.
    pub fn chunk(&self, out: &mut Output, last: bool, kind: u16, length: u64) {
        out.mark();
        let flags = if last { self.done } else { 0 };
        let mut header = [0; 32];
        header[4..6].copy_from_slice(&flags.to_be_bytes());
        header[6..8].copy_from_slice(&kind.to_be_bytes());
        header[8..16].copy_from_slice(&self.cookie.to_be_bytes());
        if self.headers == Headers::Extended {
            header[..4].copy_from_slice(&self.magic(NBD_EXTENDED_REPLY_MAGIC));
            header[16..24].copy_from_slice(&self.offset.to_be_bytes());
            header[24..].copy_from_slice(&length.to_be_bytes());
            out.put(&header);
        } else {
            header[..4].copy_from_slice(&self.magic(NBD_STRUCTURED_REPLY_MAGIC));
            header[16..20].copy_from_slice(&(length as u32).to_be_bytes());
            out.put(&header[..20]);
        }
    }

    /// Queues success without a payload.
    pub fn success(&self, out: &mut Output) {
        match self.headers {
            Headers::Simple => self.simple(out, 0),
            _ => self.chunk(out, true, chunk::NONE, 0),
        }
    }

    /// Queues failure of the whole command.
    pub fn error(&self, out: &mut Output, error: u32, message: &str) {
        if self.headers == Headers::Simple {
            return self.simple(out, error);
        }
        self.chunk(out, true, chunk::ERROR, 6 + message.len() as u64);
        out.put_u32(error);
        out.put_u16(message.len() as u16);
        out.put(message.as_bytes());
    }

    /// Queues failure at one offset of the export.
    pub fn error_at(&self, out: &mut Output, error: u32, message: &str, offset: u64) {
        if self.headers == Headers::Simple {
            return self.simple(out, error);
        }
        self.chunk(out, true, chunk::ERROR_OFFSET, 14 + message.len() as u64);
        out.put_u32(error);
        out.put_u16(message.len() as u16);
        out.put(message.as_bytes());
        out.put_u64(offset);
    }

    /// Queues the header of a data chunk; `length` bytes of content follow.
    pub fn data(&self, out: &mut Output, last: bool, offset: u64, length: u64) {
        self.chunk(out, last, chunk::OFFSET_DATA, 8 + length);
        out.put_u64(offset);
    }

    /// Queues a hole chunk.
    pub fn hole(&self, out: &mut Output, last: bool, offset: u64, length: u32) {
        self.chunk(out, last, chunk::OFFSET_HOLE, 12);
        out.put_u64(offset);
        out.put_u32(length);
    }

    /// Queues the extents of one context, in the width that the headers
    /// require.
    pub fn extents(&self, out: &mut Output, last: bool, id: u32, extents: &[(u64, u64)]) {
        let count = extents.len() as u64;
        if self.headers == Headers::Extended {
            self.chunk(out, last, chunk::BLOCK_STATUS_EXT, 8 + 16 * count);
            out.put_u32(id);
            out.put_u32(count as u32);
            for &(length, flags) in extents {
                out.put_u64(length);
                out.put_u64(flags);
            }
        } else {
            self.chunk(out, last, chunk::BLOCK_STATUS, 4 + 8 * count);
            out.put_u32(id);
            for &(length, flags) in extents {
                out.put_u32(length as u32);
                out.put_u32(flags as u32);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::error;

    #[test]
    fn headers_have_their_documented_sizes() {
        for (headers, size) in [
            (Headers::Simple, 16),
            (Headers::Structured, 20),
            (Headers::Extended, 32),
        ] {
            let mut out = Output::default();
            ReplyTo::new(headers, 7, 9).success(&mut out);
            assert_eq!(out.len(), size);
        }
    }

    #[test]
    fn an_error_at_an_offset_byte_by_byte() {
        let mut out = Output::default();
        let reply = ReplyTo::new(Headers::Structured, 0x0102, 0);
        reply.error_at(&mut out, error::EIO, "no", 5);
        let expected = [
            &[0x66, 0x8e, 0x33, 0xef, 0, 1, 0x80, 2][..],
            &[0, 0, 0, 0, 0, 0, 1, 2, 0, 0, 0, 16],
            &[0, 0, 0, 5, 0, 2, b'n', b'o', 0, 0, 0, 0, 0, 0, 0, 5],
        ]
        .concat();
        assert_eq!(out.to_vec(), expected);
    }
}
