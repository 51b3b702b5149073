// SPDX-License-Identifier: LGPL-2.1-or-later

//! Sparse memory: unwritten ranges of any size use no memory.
//!
//! Pages of 4 KiB are kept in tables of 512, the tables in a tree. Replies that
//! are still being sent share pages by reference count; a write copies a shared
//! page first.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::output::Output;
use crate::page::{Page, PAGE_SIZE};

const PAGE: u64 = PAGE_SIZE as u64;
const TABLE_PAGES: usize = 512;
const TABLE: u64 = PAGE * TABLE_PAGES as u64;

/// Memory limit shared by all exports.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    used: Cell<u64>,
}

impl Budget {
    /// Creates a budget of `limit` bytes.
    pub fn new(limit: u64) -> Rc<Budget> {
        Rc::new(Budget {
            limit,
            used: Cell::new(0),
        })
    }

    fn take(&self, bytes: u64) -> Result<(), NoSpace> {
        let used = self.used.get().checked_add(bytes).ok_or(NoSpace)?;
        if used > self.limit {
            return Err(NoSpace);
        }
        self.used.set(used);
        Ok(())
    }

    fn give_back(&self, bytes: u64) {
        self.used.set(self.used.get() - bytes);
    }

    fn left(&self) -> u64 {
        self.limit - self.used.get()
    }
}

/// The budget is exhausted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NoSpace;

/// Allocation state of a range.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allocation {
    /// Never written, trimmed or zeroed: no memory, reads as zero.
    Hole,
    /// Zeroed, with its memory reserved.
    Zero,
    /// Content.
    Data,
}

/// The content of untouched pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Background {
    /// Zeroes.
    Zeroes,
    /// Each 8-byte word holds its own offset, big endian.
    Pattern,
}

#[derive(Debug)]
struct Table {
    pages: Box<[Option<Rc<Page>>]>,
    used: usize,
}

impl Table {
    fn new() -> Table {
        Table {
            pages: vec![None; TABLE_PAGES].into_boxed_slice(),
            used: 0,
        }
    }
}

/// The content of one export.
#[derive(Debug)]
pub struct Pages {
    tables: BTreeMap<u64, Table>,
    /// Placeholder for every page that is zero but has its memory reserved.
    zero: Rc<Page>,
    background: Background,
    budget: Rc<Budget>,
}

impl Pages {
    /// Creates memory to which nothing has been written.
    pub fn new(background: Background, budget: Rc<Budget>) -> Pages {
        Pages {
            tables: BTreeMap::new(),
            zero: Rc::new([0; PAGE_SIZE]),
            background,
            budget,
        }
    }

    fn page(&self, index: u64) -> Option<&Rc<Page>> {
        let table = self.tables.get(&(index / TABLE_PAGES as u64))?;
        table.pages[(index % TABLE_PAGES as u64) as usize].as_ref()
    }

    fn allocation(&self, page: Option<&Rc<Page>>) -> Allocation {
        match page {
            Some(page) if Rc::ptr_eq(page, &self.zero) => Allocation::Zero,
            Some(_) => Allocation::Data,
            None if self.background == Background::Pattern => Allocation::Data,
            None => Allocation::Hole,
        }
    }

    /// Returns the state at `offset` and the length of its run, at most `max`.
    pub fn run(&self, offset: u64, max: u64) -> (Allocation, u64) {
        let end = offset.saturating_add(max);
        let mut index = offset / PAGE;
        let first = self.allocation(self.page(index));
        loop {
            index += 1;
            if index.saturating_mul(PAGE) >= end {
                return (first, end - offset);
            }
            if index % TABLE_PAGES as u64 == 0 {
                // No table here: skip to the next one.
                let table = index / TABLE_PAGES as u64;
                if self.allocation(None) == first && !self.tables.contains_key(&table) {
                    let next = self.tables.range(table..).next().map(|(&at, _)| at);
                    match next.map(|at| at.saturating_mul(TABLE)) {
                        Some(start) if start < end => index = start / PAGE,
                        _ => return (first, end - offset),
                    }
                }
            }
            if self.allocation(self.page(index)) != first {
                return (first, index * PAGE - offset);
            }
        }
    }

    /// Queues `len` bytes starting at `offset`.
    pub fn read(&self, offset: u64, len: u64, out: &mut Output) {
        let end = offset + len;
        let mut at = offset;
        while at < end {
            let table = self.tables.get(&(at / TABLE));
            let table_end = (at / TABLE)
                .saturating_add(1)
                .saturating_mul(TABLE)
                .min(end);
            let Some(table) = table else {
                self.read_untouched(at, table_end, out);
                at = table_end;
                continue;
            };
            while at < table_end {
                let start = (at % PAGE) as usize;
                let part = (PAGE - at % PAGE).min(table_end - at);
                match &table.pages[(at / PAGE) as usize % TABLE_PAGES] {
                    Some(page) => out.put_page(page, start, start + part as usize),
                    None => self.read_untouched(at, at + part, out),
                }
                at += part;
            }
        }
    }

    fn read_untouched(&self, start: u64, end: u64, out: &mut Output) {
        match self.background {
            Background::Zeroes => out.put_zeroes((end - start) as usize),
            Background::Pattern => {
                let mut at = start;
                while at < end {
                    let page = background_page(self.background, at / PAGE);
                    let from = (at % PAGE) as usize;
                    let part = (PAGE - at % PAGE).min(end - at);
                    out.put(&page[from..from + part as usize]);
                    at += part;
                }
            }
        }
    }

    /// Returns the slot of the page at `index`, creating its table if needed.
    fn slot(&mut self, index: u64) -> Result<(&mut Option<Rc<Page>>, &mut usize), NoSpace> {
        let key = index / TABLE_PAGES as u64;
        if !self.tables.contains_key(&key) {
            self.budget.take(PAGE)?;
        }
        let table = self.tables.entry(key).or_insert_with(Table::new);
        let slot = &mut table.pages[(index % TABLE_PAGES as u64) as usize];
        Ok((slot, &mut table.used))
    }

    /// Stores `bytes` at `offset`. On failure, a first part may have been
    /// stored.
    pub fn write(&mut self, offset: u64, bytes: &[u8]) -> Result<(), NoSpace> {
        let mut at = offset;
        let mut bytes = bytes;
        while !bytes.is_empty() {
            let start = (at % PAGE) as usize;
            let part = bytes.len().min(PAGE_SIZE - start);
            let (now, rest) = bytes.split_at(part);
            self.write_page(at / PAGE, start, now)?;
            bytes = rest;
            at += part as u64;
        }
        Ok(())
    }

    fn write_page(&mut self, index: u64, start: usize, bytes: &[u8]) -> Result<(), NoSpace> {
        let budget = Rc::clone(&self.budget);
        let background = self.background;
        let (slot, used) = self.slot(index)?;
        match slot {
            Some(page) => match Rc::get_mut(page) {
                Some(page) => page[start..start + bytes.len()].copy_from_slice(bytes),
                None if bytes.len() == PAGE_SIZE => *page = new_page(bytes),
                None => Rc::make_mut(page)[start..start + bytes.len()].copy_from_slice(bytes),
            },
            None => {
                budget.take(PAGE)?;
                *used += 1;
                *slot = Some(if bytes.len() == PAGE_SIZE {
                    new_page(bytes)
                } else {
                    let mut page = background_page(background, index);
                    page[start..start + bytes.len()].copy_from_slice(bytes);
                    new_page(&page)
                });
            }
        }
        Ok(())
    }

    /// Makes the range read as zero. With `provision`, memory is reserved so
    /// that a later write cannot fail; without it, whole pages are freed.
    pub fn zero(&mut self, offset: u64, len: u64, provision: bool) -> Result<(), NoSpace> {
        let end = offset + len;
        let first_whole = offset.div_ceil(PAGE);
        let last_whole = end / PAGE;
        // Untouched pages of a pattern are not zero: they need an entry each.
        let provision = provision || self.background == Background::Pattern;
        if provision && len / PAGE > self.budget.left() / PAGE + self.pages_in_use() {
            return Err(NoSpace);
        }
        if first_whole > last_whole {
            return self.zero_part(offset / PAGE, offset, end, provision);
        }
        if offset % PAGE != 0 {
            self.zero_part(offset / PAGE, offset, first_whole * PAGE, provision)?;
        }
        if provision {
            for index in first_whole..last_whole {
                self.provision(index)?;
            }
        } else {
            self.release(first_whole, last_whole);
        }
        if end % PAGE != 0 {
            self.zero_part(last_whole, last_whole * PAGE, end, provision)?;
        }
        Ok(())
    }

    /// Frees the whole pages of the range. A pattern stays as it is.
    pub fn trim(&mut self, offset: u64, len: u64) {
        if self.background == Background::Zeroes {
            self.release(offset.div_ceil(PAGE), (offset + len) / PAGE);
        }
    }

    fn zero_part(
        &mut self,
        index: u64,
        from: u64,
        to: u64,
        provision: bool,
    ) -> Result<(), NoSpace> {
        match self.allocation(self.page(index)) {
            Allocation::Hole if provision => self.provision(index),
            Allocation::Hole | Allocation::Zero => Ok(()),
            Allocation::Data => {
                let zeroes = [0; PAGE_SIZE];
                let start = (from - index * PAGE) as usize;
                self.write_page(index, start, &zeroes[..(to - from) as usize])
            }
        }
    }

    fn provision(&mut self, index: u64) -> Result<(), NoSpace> {
        let zero = Rc::clone(&self.zero);
        let budget = Rc::clone(&self.budget);
        let (slot, used) = self.slot(index)?;
        if slot.is_none() {
            budget.take(PAGE)?;
            *used += 1;
        }
        *slot = Some(zero);
        Ok(())
    }

    fn release(&mut self, first: u64, end: u64) {
        if first >= end {
            return;
        }
        let pages = TABLE_PAGES as u64;
        let keys: Vec<u64> = self
            .tables
            .range(first / pages..=(end - 1) / pages)
            .map(|(&key, _)| key)
            .collect();
        for key in keys {
            let from = first.saturating_sub(key * pages).min(pages) as usize;
            let to = end.saturating_sub(key * pages).min(pages) as usize;
            let Some(table) = self.tables.get_mut(&key) else {
                continue;
            };
            for slot in &mut table.pages[from..to] {
                if slot.take().is_some() {
                    table.used -= 1;
                    self.budget.give_back(PAGE);
                }
            }
            if table.used == 0 {
                self.tables.remove(&key);
                self.budget.give_back(PAGE);
            }
        }
    }

    fn pages_in_use(&self) -> u64 {
        self.tables.values().map(|table| table.used as u64).sum()
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.release(0, u64::MAX / PAGE + 1);
    }
}

/// Creates a page with the given content, copied once.
fn new_page(bytes: &[u8]) -> Rc<Page> {
    match Rc::<Page>::try_from(Rc::<[u8]>::from(bytes)) {
        Ok(page) => page,
        Err(_) => unreachable!("only whole pages are passed"),
    }
}

fn background_page(background: Background, index: u64) -> Page {
    let mut page = [0; PAGE_SIZE];
    if background == Background::Pattern {
        for (n, word) in page.chunks_exact_mut(8).enumerate() {
            word.copy_from_slice(&(index * PAGE + n as u64 * 8).to_be_bytes());
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pages() -> Pages {
        Pages::new(Background::Zeroes, Budget::new(1 << 30))
    }

    fn read(pages: &Pages, offset: u64, len: u64) -> Vec<u8> {
        let mut out = Output::default();
        pages.read(offset, len, &mut out);
        out.to_vec()
    }

    #[test]
    fn reads_cross_pages_and_tables() {
        let mut pages = pages();
        let bytes: Vec<u8> = (0..10_000u32).map(|n| n as u8).collect();
        for offset in [0, 1, 4095, TABLE - 5000, (1 << 62) + 7] {
            pages.write(offset, &bytes).unwrap();
            assert_eq!(read(&pages, offset, 10_000), bytes);
            assert_eq!(read(&pages, offset + 4000, 5000), bytes[4000..9000]);
        }
        assert_eq!(read(&pages, 1 << 40, 9000), vec![0; 9000]);
    }

    #[test]
    fn runs_follow_writes() {
        let mut pages = pages();
        let all = 1 << 62;
        assert_eq!(pages.run(0, all), (Allocation::Hole, all));
        pages.write(10 * PAGE + 1, b"x").unwrap();
        pages.write(TABLE * 1000, &[1; 3 * PAGE_SIZE]).unwrap();
        assert_eq!(pages.run(0, all), (Allocation::Hole, 10 * PAGE));
        assert_eq!(pages.run(10 * PAGE + 5, all), (Allocation::Data, PAGE - 5));
        assert_eq!(
            pages.run(11 * PAGE, all),
            (Allocation::Hole, TABLE * 1000 - 11 * PAGE)
        );
        assert_eq!(pages.run(TABLE * 1000, all), (Allocation::Data, 3 * PAGE));
        assert_eq!(pages.run(TABLE * 1000, 100), (Allocation::Data, 100));
        pages.zero(PAGE, PAGE, true).unwrap();
        assert_eq!(pages.run(PAGE, all), (Allocation::Zero, PAGE));
        pages.trim(0, all);
        assert_eq!(pages.run(0, all), (Allocation::Hole, all));
        assert_eq!(pages.budget.left(), 1 << 30);
    }

    #[test]
    fn zeroing_parts_of_pages_keeps_the_rest() {
        let mut pages = pages();
        pages.write(0, &[9; 3 * PAGE_SIZE]).unwrap();
        pages.zero(100, 2 * PAGE, false).unwrap();
        let bytes = read(&pages, 0, 3 * PAGE);
        assert!(bytes[..100].iter().all(|&b| b == 9));
        assert!(bytes[100..100 + 2 * PAGE_SIZE].iter().all(|&b| b == 0));
        assert!(bytes[100 + 2 * PAGE_SIZE..].iter().all(|&b| b == 9));
        assert_eq!(pages.run(PAGE, 3 * PAGE).0, Allocation::Hole);
        pages.zero(5, 10, false).unwrap();
        assert_eq!(read(&pages, 4, 12), [9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9]);
    }

    #[test]
    fn a_queued_reply_does_not_change() {
        let mut pages = pages();
        pages.write(0, &[1; PAGE_SIZE]).unwrap();
        let mut out = Output::default();
        pages.read(0, PAGE, &mut out);
        pages.write(10, b"new").unwrap();
        assert_eq!(out.to_vec(), vec![1; PAGE_SIZE]);
        assert_eq!(read(&pages, 9, 5), [1, b'n', b'e', b'w', 1]);
        pages.write(0, &[2; PAGE_SIZE]).unwrap();
        assert_eq!(out.to_vec(), vec![1; PAGE_SIZE]);
    }

    #[test]
    fn the_budget_is_enforced() {
        let mut pages = Pages::new(Background::Zeroes, Budget::new(4 * PAGE));
        pages.write(0, &[1; 3 * PAGE_SIZE]).unwrap();
        assert_eq!(pages.write(5 * PAGE, b"x"), Err(NoSpace));
        assert_eq!(pages.write(1 << 40, b"x"), Err(NoSpace));
        assert_eq!(pages.zero(0, 1 << 62, true), Err(NoSpace));
        pages.zero(0, 1 << 62, false).unwrap();
        pages.write(1 << 40, b"x").unwrap();
    }

    #[test]
    fn a_pattern_is_there_until_overwritten() {
        let mut pages = Pages::new(Background::Pattern, Budget::new(1 << 20));
        assert_eq!(read(&pages, 1 << 40, 8), (1u64 << 40).to_be_bytes());
        assert_eq!(read(&pages, 15, 3), [8, 0, 0]);
        assert_eq!(pages.run(0, 1 << 50), (Allocation::Data, 1 << 50));
        pages.write(8, &[0xff; 4]).unwrap();
        assert_eq!(
            read(&pages, 0, 24),
            [0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 255, 255, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 16]
        );
        pages.zero(PAGE, 2 * PAGE, false).unwrap();
        assert_eq!(pages.run(PAGE, 1 << 50), (Allocation::Zero, 2 * PAGE));
        assert_eq!(read(&pages, 2 * PAGE, PAGE), vec![0; PAGE_SIZE]);
    }
}
