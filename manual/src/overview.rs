// SPDX-License-Identifier: LGPL-2.1-or-later

//! libnbd(3) and libnbd-ext(3): overviews for programmers, with a list of all functions.

use crate::comments::Group;
use crate::interface::Function;
use crate::names::{Context, Names};
use crate::page::{Footer, Page};
use crate::Result;

/// The name, source and subject of a page.
#[derive(Clone, Copy)]
pub struct About {
    pub name: &'static str,
    pub file: &'static str,
    subject: &'static str,
}

pub const LIBRARY: About = About {
    name: "libnbd",
    file: "docs/libnbd.md",
    subject: "client library for network block devices (NBD)",
};

pub const EXTENSIONS: About = About {
    name: "libnbd-ext",
    file: "docs/libnbd-ext.md",
    subject: "functions of libnbd that the C library does not have",
};

/// An overview in Markdown.
pub struct Overview {
    pub about: About,
    pub text: String,
}

/// The heading after the list of functions.
const LAST: &str = "\n# See also\n";

impl Overview {
    /// Creates the page in man(7).
    pub fn page(
        &self,
        functions: &[Function],
        groups: &[Group],
        names: &Names,
        footer: &Footer,
    ) -> Result<String> {
        let context = Context {
            names,
            page: self.about.name,
            parameters: Vec::new(),
        };
        let (chapters, see_also) = self
            .text
            .split_once(LAST)
            .ok_or("there is no section See also")?;
        let mut page = Page::new(context, footer, self.about.subject)?;
        page.sections(chapters)?;
        page.section("Functions", &list(functions, groups))?;
        page.section("See also", see_also)?;
        page.finish()
    }
}

/// All functions with their summaries, by subject. Subjects and functions are in the
/// order of the table.
fn list(functions: &[Function], groups: &[Group]) -> String {
    let place = |name: &String| functions.iter().position(|it| it.name == *name);
    let mut groups: Vec<&Group> = groups.iter().collect();
    groups.sort_by_key(|group| group.comments.keys().map(place).min());
    let mut text = String::new();
    for group in groups {
        text.push_str(&format!("## {}\n\n", group.subject));
        let mut comments: Vec<_> = group.comments.iter().collect();
        comments.sort_by_key(|(name, _)| place(name));
        for (name, comment) in comments {
            text.push_str(&format!("- `{name}`: {}\n", comment.summary));
        }
        text.push('\n');
    }
    text
}
