// SPDX-License-Identifier: LGPL-2.1-or-later

//! The manual pages: there is one for each function and one for the library, they
//! say what the table and the header say, refer to what exists, and are fit for
//! the programs that show them.

mod examples;
mod interface;
mod page;
mod readers;
mod references;
