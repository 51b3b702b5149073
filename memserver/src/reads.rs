// SPDX-License-Identifier: LGPL-2.1-or-later

//! The reply to READ: data and holes.

use crate::agreed::Headers;
use crate::answer::Answer;
use crate::output::Output;
use crate::pages::{Allocation, Pages};
use crate::wire::cmd_flag;

/// One chunk of a read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReadChunk {
    pub hole: bool,
    pub offset: u64,
    pub length: u64,
}

/// Rules for splitting a read into chunks.
#[derive(Debug, Clone, Copy)]
struct SplitRules {
    /// Minimum length of a run of zeroes sent as a hole chunk.
    min_hole: u64,
    max_data: u64,
}

impl SplitRules {
    /// Returns the chunk that begins at `offset`.
    fn chunk(&self, pages: &Pages, offset: u64, end: u64) -> ReadChunk {
        let mut hole = false;
        let mut length = 0;
        while offset + length < end && length < self.max_data {
            let (allocation, n) = pages.run(offset + length, end - offset - length);
            let zeroes = allocation != Allocation::Data && n >= self.min_hole;
            if zeroes && length == 0 {
                hole = true;
                length = n;
                break;
            }
            if zeroes {
                break;
            }
            length += n;
        }
        ReadChunk {
            hole,
            offset,
            length: if hole {
                length
            } else {
                length.min(self.max_data)
            },
        }
    }
}

/// Queues the content of the request.
pub fn send(answer: &mut Answer<'_>, out: &mut Output) {
    let request = answer.request;
    let reply = answer.reply;
    let pages = &answer.export.pages;
    if reply.headers == Headers::Simple {
        reply.simple(out, 0);
        pages.read(request.offset, request.length, out);
        return;
    }
    if request.length == 0 {
        return reply.success(out);
    }
    let settings = answer.settings;
    let whole = request.flags & cmd_flag::DF != 0;
    let cut = SplitRules {
        min_hole: settings.min_hole.filter(|_| !whole).unwrap_or(u64::MAX),
        max_data: settings.read_chunks.filter(|_| !whole).unwrap_or(u64::MAX),
    };
    let end = request.offset + request.length;
    let put = |chunk: ReadChunk, last: bool, out: &mut Output| {
        if chunk.hole {
            // A read is never longer than the maximum payload: 32 bits are
            // enough.
            reply.hole(out, last, chunk.offset, chunk.length as u32);
        } else {
            reply.data(out, last, chunk.offset, chunk.length);
            pages.read(chunk.offset, chunk.length, out);
        }
    };
    let mut at = request.offset;
    let chunks = std::iter::from_fn(|| {
        (at < end).then(|| {
            let chunk = cut.chunk(pages, at, end);
            at += chunk.length;
            chunk
        })
    });
    if settings.reverse_chunks {
        let chunks: Vec<ReadChunk> = chunks.collect();
        for (n, &chunk) in chunks.iter().enumerate().rev() {
            put(chunk, n == 0, out);
        }
    } else {
        for chunk in chunks {
            put(chunk, chunk.offset + chunk.length == end, out);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pages::{Background, Budget};

    #[test]
    fn a_read_is_cut_at_holes_and_limits() {
        let mut pages = Pages::new(Background::Zeroes, Budget::new(1 << 20));
        pages.write(8192, &[1; 8192]).unwrap();
        let cut = |min_hole, max_data| {
            let cut = SplitRules { min_hole, max_data };
            let mut at = 100;
            let mut chunks = Vec::new();
            while at < 20_000 {
                let chunk = cut.chunk(&pages, at, 20_000);
                chunks.push((chunk.hole, chunk.length));
                at += chunk.length;
            }
            chunks
        };
        // The hole after the data is shorter than a page, so it is sent as
        // data.
        assert_eq!(cut(4096, u64::MAX), [(true, 8092), (false, 11808)]);
        assert_eq!(
            cut(1, u64::MAX),
            [(true, 8092), (false, 8192), (true, 3616)]
        );
        assert_eq!(cut(u64::MAX, u64::MAX), [(false, 19900)]);
        assert_eq!(
            cut(4096, 8192),
            [(true, 8092), (false, 8192), (false, 3616)]
        );
    }
}
