// SPDX-License-Identifier: LGPL-2.1-or-later

//! The unit of storing, sharing and sending content.

/// Bytes in a page, and the granularity of `base:allocation`.
pub const PAGE_SIZE: usize = 4096;

/// One page of content.
pub type Page = [u8; PAGE_SIZE];
