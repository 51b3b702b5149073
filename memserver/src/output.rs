// SPDX-License-Identifier: LGPL-2.1-or-later

//! The output queue of one connection.
//!
//! Headers are gathered in one buffer; payloads stay where they are, as shared
//! pages, until `writev` copies them into the socket. A write to a page that a
//! queued reply refers to copies the page first, so a queued reply never
//! changes.

use std::collections::VecDeque;
use std::io::{self, IoSlice, Write};
use std::rc::Rc;

use crate::page::{Page, PAGE_SIZE};

/// Maximum number of slices passed to the kernel in one call: 128 replies of 4
/// KiB.
const MAX_SLICES: usize = 256;

/// Source of runs of zeroes.
static ZEROES: [u8; 65536] = [0; 65536];

/// Payloads below this size are copied, which is cheaper than another slice.
const COPY_BELOW: usize = 512;

#[derive(Debug)]
enum Segment {
    /// The next bytes of `inline`, this many.
    Inline(usize),
    Page {
        page: Rc<Page>,
        start: u16,
        end: u16,
    },
    Zeroes(usize),
}

/// A queue of bytes to send, in order.
#[derive(Debug, Default)]
pub struct Output {
    inline: Vec<u8>,
    /// Number of bytes of `inline` already sent.
    inline_sent: usize,
    segments: VecDeque<Segment>,
    len: usize,
    /// Start offsets of the chunks, recorded only on request.
    marks: Option<Vec<usize>>,
}

impl Output {
    /// Creates an empty queue that records calls of [`Output::mark`].
    pub fn with_marks() -> Output {
        Output {
            marks: Some(Vec::new()),
            ..Output::default()
        }
    }

    /// Returns the number of queued bytes.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Returns true if everything has been sent.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Records that a chunk begins here.
    pub fn mark(&mut self) {
        let segment = self.segments.len();
        if let Some(marks) = &mut self.marks {
            marks.push(segment);
        }
    }

    fn marked_here(&self) -> bool {
        self.marks
            .as_ref()
            .is_some_and(|marks| marks.last() == Some(&self.segments.len()))
    }

    /// Queues a copy of `bytes`.
    pub fn put(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.inline.extend_from_slice(bytes);
        self.len += bytes.len();
        let new_segment = self.marked_here();
        match self.segments.back_mut() {
            Some(Segment::Inline(n)) if !new_segment => *n += bytes.len(),
            _ => self.segments.push_back(Segment::Inline(bytes.len())),
        }
    }

    /// Queues a 16-bit integer.
    pub fn put_u16(&mut self, value: u16) {
        self.put(&value.to_be_bytes());
    }

    /// Queues a 32-bit integer.
    pub fn put_u32(&mut self, value: u32) {
        self.put(&value.to_be_bytes());
    }

    /// Queues a 64-bit integer.
    pub fn put_u64(&mut self, value: u64) {
        self.put(&value.to_be_bytes());
    }

    /// Queues `page[start..end]`.
    pub fn put_page(&mut self, page: &Rc<Page>, start: usize, end: usize) {
        debug_assert!(start < end && end <= PAGE_SIZE);
        if end - start < COPY_BELOW {
            return self.put(&page[start..end]);
        }
        self.len += end - start;
        self.segments.push_back(Segment::Page {
            page: Rc::clone(page),
            start: start as u16,
            end: end as u16,
        });
    }

    /// Queues `n` zero bytes.
    pub fn put_zeroes(&mut self, n: usize) {
        if n < COPY_BELOW {
            return self.put(&ZEROES[..n]);
        }
        self.len += n;
        match self.segments.back_mut() {
            Some(Segment::Zeroes(before)) => *before += n,
            _ => self.segments.push_back(Segment::Zeroes(n)),
        }
    }

    /// Queues everything that `other` holds.
    pub fn append(&mut self, other: Output) {
        let mut inline = &other.inline[other.inline_sent..];
        for segment in other.segments {
            match segment {
                Segment::Inline(n) => {
                    let (bytes, rest) = inline.split_at(n);
                    self.put(bytes);
                    inline = rest;
                }
                Segment::Zeroes(n) => self.put_zeroes(n),
                page => self.segments.push_back(page),
            }
        }
        self.len = self.segments.iter().map(Segment::len).sum();
    }

    /// Splits the queue at the chunk boundaries.
    pub fn into_chunks(mut self) -> Vec<Output> {
        let mut marks = self.marks.take().unwrap_or_default();
        marks.push(self.segments.len());
        marks.dedup();
        let mut chunks = Vec::new();
        let mut inline = &self.inline[self.inline_sent..];
        let mut segments = self.segments.into_iter();
        let mut at = 0;
        for end in marks {
            let mut chunk = Output::default();
            for segment in segments.by_ref().take(end - at) {
                chunk.len += segment.len();
                if let Segment::Inline(n) = segment {
                    let (bytes, rest) = inline.split_at(n);
                    chunk.inline.extend_from_slice(bytes);
                    inline = rest;
                }
                chunk.segments.push_back(segment);
            }
            at = end;
            if !chunk.is_empty() {
                chunks.push(chunk);
            }
        }
        chunks
    }

    /// Sends as much as one call accepts, at most `limit`. Returns the number
    /// of bytes sent and the number offered.
    pub fn write_to(
        &mut self,
        writer: &mut impl Write,
        limit: usize,
    ) -> io::Result<(usize, usize)> {
        let mut slices = [IoSlice::new(&[]); MAX_SLICES];
        let mut count = 0;
        let mut left = limit;
        let mut inline = &self.inline[self.inline_sent..];
        for segment in &self.segments {
            if count == MAX_SLICES || left == 0 {
                break;
            }
            let mut take = segment.len().min(left);
            left -= take;
            match segment {
                Segment::Inline(n) => {
                    slices[count] = IoSlice::new(&inline[..take]);
                    inline = &inline[*n..];
                    count += 1;
                }
                Segment::Page { page, start, .. } => {
                    let start = usize::from(*start);
                    slices[count] = IoSlice::new(&page[start..start + take]);
                    count += 1;
                }
                Segment::Zeroes(_) => {
                    while take > 0 && count < MAX_SLICES {
                        let part = take.min(ZEROES.len());
                        slices[count] = IoSlice::new(&ZEROES[..part]);
                        count += 1;
                        take -= part;
                    }
                }
            }
        }
        let slices = &slices[..count];
        let offered = slices.iter().map(|slice| slice.len()).sum();
        let sent = writer.write_vectored(slices)?;
        self.advance(sent);
        Ok((sent, offered))
    }

    fn advance(&mut self, mut sent: usize) {
        self.len -= sent;
        while let Some(segment) = self.segments.front_mut() {
            let n = segment.len();
            let taken = sent.min(n);
            if let Segment::Inline(_) = segment {
                self.inline_sent += taken;
            }
            sent -= taken;
            if taken < n {
                segment.shrink(taken);
                break;
            }
            self.segments.pop_front();
            if sent == 0 {
                break;
            }
        }
        if self.inline_sent == self.inline.len() {
            self.inline.clear();
            self.inline_sent = 0;
        } else if self.inline_sent > 65536 && self.inline_sent > self.inline.len() / 2 {
            self.inline.drain(..self.inline_sent);
            self.inline_sent = 0;
        }
    }

    /// Returns all queued bytes.
    pub fn to_vec(&self) -> Vec<u8> {
        let mut all = Vec::with_capacity(self.len);
        let mut inline = &self.inline[self.inline_sent..];
        for segment in &self.segments {
            match segment {
                Segment::Inline(n) => {
                    all.extend_from_slice(&inline[..*n]);
                    inline = &inline[*n..];
                }
                Segment::Page { page, start, end } => {
                    all.extend_from_slice(&page[usize::from(*start)..usize::from(*end)]);
                }
                Segment::Zeroes(n) => all.resize(all.len() + n, 0),
            }
        }
        all
    }
}

impl Segment {
    fn len(&self) -> usize {
        match self {
            Segment::Inline(n) | Segment::Zeroes(n) => *n,
            Segment::Page { start, end, .. } => usize::from(end - start),
        }
    }

    /// Drops the first `n` bytes; `n` is less than the length.
    fn shrink(&mut self, n: usize) {
        match self {
            Segment::Inline(left) | Segment::Zeroes(left) => *left -= n,
            Segment::Page { start, .. } => *start += n as u16,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sample() -> (Output, Vec<u8>) {
        let page: Rc<Page> = Rc::new([7; PAGE_SIZE]);
        let mut out = Output::default();
        let mut expected = Vec::new();
        for i in 0..150u32 {
            out.put_u32(i);
            expected.extend_from_slice(&i.to_be_bytes());
            out.put_page(&page, 96, PAGE_SIZE);
            expected.extend_from_slice(&[7; 4000]);
            out.put_page(&page, 0, 5);
            expected.extend_from_slice(&[7; 5]);
        }
        out.put_zeroes(200_000);
        expected.resize(expected.len() + 200_000, 0);
        (out, expected)
    }

    /// A writer that accepts at most this many bytes in a call.
    struct Trickle(Vec<u8>, usize);

    impl Write for Trickle {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.write_vectored(&[IoSlice::new(bytes)])
        }
        fn write_vectored(&mut self, slices: &[IoSlice<'_>]) -> io::Result<usize> {
            let mut sent = 0;
            for slice in slices {
                let n = slice.len().min(self.1 - sent);
                self.0.extend_from_slice(&slice[..n]);
                sent += n;
            }
            Ok(sent)
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn every_split_sends_the_same_bytes() {
        for step in [4_009, 8_018, 65_537, 1_000_000] {
            let (mut out, expected) = sample();
            assert_eq!(out.len(), expected.len());
            let mut writer = Trickle(Vec::new(), step);
            while !out.is_empty() {
                out.write_to(&mut writer, usize::MAX).unwrap();
            }
            assert!(writer.0 == expected, "in steps of {step}");
        }
    }

    #[test]
    fn the_limit_holds() {
        let (mut out, expected) = sample();
        let mut writer = Trickle(Vec::new(), usize::MAX);
        assert_eq!(out.write_to(&mut writer, 3).unwrap(), (3, 3));
        assert_eq!(out.write_to(&mut writer, 4007).unwrap(), (4007, 4007));
        assert_eq!(writer.0, expected[..4010]);
        assert_eq!(out.to_vec(), expected[4010..]);
    }

    #[test]
    fn append_keeps_order() {
        let (mut out, mut expected) = sample();
        let (other, more) = sample();
        out.append(other);
        expected.extend(more);
        assert_eq!(out.len(), expected.len());
        assert_eq!(out.to_vec(), expected);
    }

    #[test]
    fn chunks_are_split_at_the_marks() {
        let mut out = Output::with_marks();
        for text in [&b"one"[..], b"two", b"three"] {
            out.mark();
            out.put(text);
            out.put_zeroes(600);
        }
        out.mark();
        let chunks = out.into_chunks();
        let lengths: Vec<usize> = chunks.iter().map(Output::len).collect();
        assert_eq!(lengths, [603, 603, 605]);
        assert_eq!(&chunks[1].to_vec()[..3], b"two");
    }
}
