// SPDX-License-Identifier: LGPL-2.1-or-later

//! libnbd-security(3): guarantees, limits, and past vulnerabilities of the C library.

use crate::names::{Context, Names};
use crate::page::{Footer, Page};
use crate::Result;

/// The source of the page.
pub const FILE: &str = "docs/libnbd-security.md";

/// The name of the page.
pub const NAME: &str = "libnbd-security";

const ABOUT: &str = "security guarantees and limits of libnbd";

/// Creates the page in man(7).
pub fn page(markdown: &str, names: &Names, footer: &Footer) -> Result<String> {
    let context = Context {
        names,
        page: NAME,
        parameters: Vec::new(),
    };
    let mut page = Page::new(context, footer, ABOUT)?;
    page.sections(markdown)?;
    page.finish()
}
