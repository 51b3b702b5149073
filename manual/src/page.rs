// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parts that all pages share: the first line, headings, and the licence.

use crate::blocks::{self, heading};
use crate::names::Context;
use crate::{roff, Result};

/// The contents of the footer.
pub struct Footer {
    pub date: String,
    pub version: String,
}

/// The standard notice of COPYING.LIB.
const LICENSE: &str = "\
This library is free software; you can redistribute it and/or modify it under
the terms of the GNU Lesser General Public License as published by the Free
Software Foundation; either version 2.1 of the License, or (at your option) any
later version.

This library is distributed in the hope that it will be useful, but WITHOUT ANY
WARRANTY; without even the implied warranty of MERCHANTABILITY or FITNESS FOR A
PARTICULAR PURPOSE. See the GNU Lesser General Public License for more details.
";

/// A page under construction, section by section.
pub struct Page<'a> {
    context: Context<'a>,
    text: String,
}

impl<'a> Page<'a> {
    /// A page with its first section, NAME, which has a short description.
    pub fn new(context: Context<'a>, footer: &Footer, about: &str) -> Result<Page<'a>> {
        let name = context.page;
        // Lines are not justified in a terminal. Since groff 1.23, each section
        // takes the adjustment from AD.
        let text = format!(
            "'\\\" t\n.\\\" SPDX-License-Identifier: LGPL-2.1-or-later\n\
             .\\\" Written by `make man` from the comments in the source; do not edit.\n\
             .TH {name} 3 {} \"libnbd {}\" \"Library functions\"\n\
             .if n .ds AD l\n\
             .if n .ad l\n\
             .SH NAME\n{name} \\- {}\n",
            footer.date,
            footer.version,
            roff::text(about)?
        );
        Ok(Page { context, text })
    }

    /// Adds a section in Markdown.
    pub fn section(&mut self, title: &str, markdown: &str) -> Result<()> {
        let body =
            blocks::render(markdown, &self.context).map_err(|error| format!("{title}: {error}"))?;
        self.text.push_str(&heading("SH", title)?);
        self.text.push_str(&body);
        Ok(())
    }

    /// The section with the declarations for programs.
    pub fn synopsis(&mut self, declarations: &str) -> Result<()> {
        self.text.push_str(".SH SYNOPSIS\n.nf\n");
        for line in roff::lines(&roff::code(declarations)?).lines() {
            self.text.push_str(&match line {
                "" => "\n".to_string(),
                line => format!("\\fB{line}\\fP\n"),
            });
        }
        self.text.push_str(".fi\n");
        Ok(())
    }

    /// Sections with their own headings.
    pub fn sections(&mut self, markdown: &str) -> Result<()> {
        self.text
            .push_str(&blocks::render(markdown, &self.context)?);
        Ok(())
    }

    /// The page, with its last section.
    pub fn finish(mut self) -> Result<String> {
        self.section("License", LICENSE)?;
        Ok(self.text)
    }
}
