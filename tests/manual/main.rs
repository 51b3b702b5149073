// SPDX-License-Identifier: LGPL-2.1-or-later

//! The manual pages: one for each function and one for the library, consistent
//! with the table and the header, without dead references, and accepted by the
//! programs that display them.

mod examples;
mod interface;
mod page;
mod readers;
mod references;
