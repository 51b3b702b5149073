// SPDX-License-Identifier: LGPL-2.1-or-later

//! Markdown as man(7): paragraphs, lists, code, tables, headings. Anything else is an
//! error.

use pulldown_cmark::{
    CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd, TextMergeStream,
};

use crate::inline::{self, TERM};
use crate::names::Context;
use crate::{roff, Result};

/// The beginning of an item in a list without terms.
const BULLET: &str = ".IP \\(bu 2\n";

/// Renders the text below a heading.
pub fn render(markdown: &str, context: &Context<'_>) -> Result<String> {
    let mut writer = Writer {
        context,
        page: String::new(),
        text: String::new(),
        plain: String::new(),
        place: Place::Top,
        follows_heading: true,
        list: List::default(),
        language: String::new(),
        cells: Vec::new(),
    };
    let parser = Parser::new_ext(markdown, Options::ENABLE_TABLES);
    for event in TextMergeStream::new(parser) {
        writer.event(event)?;
    }
    Ok(writer.page)
}

/// The element that the next piece of text belongs to.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    Heading,
    /// The first paragraph of an item, in a list with or without terms.
    Item,
    /// The text after the term of an item.
    Explanation,
    /// A further paragraph of an item.
    Further,
    Code,
    Cell,
    Comment,
}

/// The current list.
#[derive(Default)]
struct List {
    /// Its offset in the page.
    start: usize,
    follows_heading: bool,
    has_terms: bool,
}

struct Writer<'a> {
    context: &'a Context<'a>,
    /// The finished part of the page.
    page: String,
    /// The current paragraph, in roff and in plain text.
    text: String,
    plain: String,
    place: Place,
    /// True directly after a heading, where a paragraph needs no macro.
    follows_heading: bool,
    list: List,
    /// The language of the current code block.
    language: String,
    cells: Vec<String>,
}

impl Writer<'_> {
    fn event(&mut self, event: Event<'_>) -> Result<()> {
        match event {
            Event::Start(tag) => self.start(tag)?,
            Event::End(tag) => self.end(tag)?,
            Event::Text(text) if self.place == Place::Code => self.plain.push_str(&text),
            Event::Text(text) => self.words(&text)?,
            Event::Code(code) => {
                self.plain.push_str(&code);
                self.text.push_str(&self.context.code(&code)?);
            }
            Event::SoftBreak => {
                self.plain.push(' ');
                self.text.push('\n');
            }
            // The licence comment of a file.
            Event::Html(_) if self.place == Place::Comment => {}
            other => return Err(format!("not supported in manual pages: {other:?}")),
        }
        Ok(())
    }

    fn start(&mut self, tag: Tag<'_>) -> Result<()> {
        self.place = match (tag, self.place) {
            (Tag::Paragraph, place) => place,
            (Tag::Heading { .. }, Place::Top) => Place::Heading,
            (Tag::List(None), Place::Top) => {
                self.list = List {
                    start: self.page.len(),
                    follows_heading: self.follows_heading,
                    has_terms: false,
                };
                Place::Top
            }
            (Tag::Item, Place::Top) => Place::Item,
            (Tag::CodeBlock(kind), Place::Top) => {
                self.language = match kind {
                    CodeBlockKind::Fenced(language) => language.to_string(),
                    CodeBlockKind::Indented => return Err("code without a fence".into()),
                };
                Place::Code
            }
            (Tag::HtmlBlock, Place::Top) => Place::Comment,
            (Tag::Table(columns), Place::Top) => {
                let format = vec!["l"; columns.len()].join(" | ");
                self.page.push_str(&format!(
                    ".TS\ntab(|) box;\n{}\n{format}.\n",
                    format.replace('l', "lb")
                ));
                Place::Top
            }
            (Tag::TableHead | Tag::TableRow, Place::Top) => Place::Top,
            (Tag::TableCell, Place::Top) => Place::Cell,
            (Tag::Emphasis, place) => {
                self.text.push_str("\\fI");
                place
            }
            (Tag::Link { .. }, place) => place,
            (other, _) => return Err(format!("not supported here in manual pages: {other:?}")),
        };
        Ok(())
    }

    fn end(&mut self, tag: TagEnd) -> Result<()> {
        match tag {
            TagEnd::Paragraph if self.place == Place::Top => self.flush(".PP\n"),
            TagEnd::Paragraph | TagEnd::Item => {
                match self.place {
                    Place::Item if !self.text.is_empty() => self.flush(BULLET),
                    Place::Further if !self.text.is_empty() => self.flush(".IP\n"),
                    _ => self.flush(""),
                }
                self.place = match tag {
                    TagEnd::Item => Place::Top,
                    _ => Place::Further,
                };
            }
            TagEnd::List(_) => self.end_list(),
            TagEnd::Heading(level) => {
                let macro_name = match level {
                    HeadingLevel::H1 => "SH",
                    _ => "SS",
                };
                let title = std::mem::take(&mut self.plain);
                self.page.push_str(&heading(macro_name, &title)?);
                self.text.clear();
                self.place = Place::Top;
                self.follows_heading = true;
            }
            TagEnd::CodeBlock => {
                if !self.follows_heading {
                    self.page.push_str(".PP\n");
                }
                self.follows_heading = false;
                let code = std::mem::take(&mut self.plain);
                self.page
                    .push_str(&roff::code_block(&self.language, &code)?);
                self.place = Place::Top;
            }
            TagEnd::HtmlBlock => self.place = Place::Top,
            TagEnd::TableCell => {
                let cell = std::mem::take(&mut self.text).replace('\n', " ");
                self.cells.push(cell);
                self.plain.clear();
                self.place = Place::Top;
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let row = std::mem::take(&mut self.cells).join("|");
                self.page.push_str(&(row + "\n"));
                if tag == TagEnd::TableHead {
                    self.page.push_str("_\n");
                }
            }
            TagEnd::Table => {
                self.page.push_str(".TE\n.sp\n");
                self.follows_heading = false;
            }
            TagEnd::Emphasis => self.text.push_str("\\fP"),
            _ => {}
        }
        Ok(())
    }

    /// Plain text, which in an item can contain the end of its term.
    fn words(&mut self, text: &str) -> Result<()> {
        let mut text = text;
        if self.place == Place::Item {
            if let Some((term, rest)) = inline::term(text) {
                if self.plain.len() + term.len() <= TERM && !self.plain.contains(". ") {
                    self.text.push_str(&inline::words(term)?);
                    self.flush(".TP\n");
                    self.list.has_terms = true;
                    self.place = Place::Explanation;
                    text = rest;
                }
            }
        }
        let begins = self.place == Place::Explanation && self.text.trim().is_empty();
        self.plain.push_str(text);
        let text = inline::words(text)?;
        self.text.push_str(&match begins {
            true => capitalized(&text),
            false => text,
        });
        Ok(())
    }

    /// In a list with terms, renders items without a term as paragraphs.
    fn end_list(&mut self) {
        if !self.list.has_terms {
            return;
        }
        let items = self.page.split_off(self.list.start);
        let items = items.replace(BULLET, ".PP\n");
        let items = match items.strip_prefix(".PP\n") {
            Some(rest) if self.list.follows_heading => rest,
            _ => &items,
        };
        self.page.push_str(items);
    }

    /// Ends a paragraph, which begins with a macro.
    fn flush(&mut self, macro_line: &str) {
        if !(self.follows_heading && macro_line == ".PP\n") {
            self.page.push_str(macro_line);
        }
        self.follows_heading = false;
        let text = roff::unhyphenated(self.text.trim_start_matches('\n'));
        self.page.push_str(&roff::lines(&roff::filled(&text)));
        self.text.clear();
        self.plain.clear();
    }
}

/// Capitalizes the first letter. The explanation of a term begins its own line
/// on a page, unlike in the source.
fn capitalized(text: &str) -> String {
    let text = text.trim_start();
    match text.chars().next() {
        Some(first) if first.is_ascii_lowercase() => {
            format!("{}{}", first.to_ascii_uppercase(), &text[1..])
        }
        _ => text.to_string(),
    }
}

/// A heading: `SH` for a section, in capitals, or `SS` for a subsection.
pub fn heading(macro_name: &str, title: &str) -> Result<String> {
    let title = match macro_name {
        "SH" => title.to_uppercase(),
        _ => title.to_string(),
    };
    Ok(format!(".{macro_name} {}\n", roff::text(&title)?))
}

#[cfg(test)]
mod tests {
    use super::render;
    use crate::names::tests::names;
    use crate::names::Context;
    use crate::Result;

    fn rendered(markdown: &str) -> Result<String> {
        render(
            markdown,
            &Context {
                names: &names(),
                page: "page",
                parameters: Vec::new(),
            },
        )
    }

    #[test]
    fn first_paragraphs_need_no_macro() {
        assert_eq!(rendered("One.\n\nTwo.").unwrap(), "One.\n.PP\nTwo.\n");
        assert_eq!(
            rendered("# A\n\nOne.\n\n## B\n\nTwo.").unwrap(),
            ".SH A\nOne.\n.SS B\nTwo.\n"
        );
    }

    #[test]
    fn items_with_and_without_terms_differ() {
        assert_eq!(
            rendered("- `EIO`, or none:\n  it\n  failed.\n- Others.\n\nEnd.").unwrap(),
            ".TP\n\\%\\fBEIO\\fP, or none\nIt failed.\n.PP\nOthers.\n.PP\nEnd.\n"
        );
        assert_eq!(rendered("- Others.").unwrap(), ".IP \\(bu 2\nOthers.\n");
    }

    #[test]
    fn code_is_shown_verbatim() {
        assert_eq!(
            rendered("So:\n\n```c\nx = -1;\n```\n").unwrap(),
            "So:\n.PP\n.\\\" c\n.in +2n\n.EX\nx = \\-1;\n.EE\n.in\n"
        );
    }

    #[test]
    fn tables_use_tbl() {
        assert_eq!(
            rendered("| a | b |\n| --- | --- |\n| `x` | y |\n").unwrap(),
            ".TS\ntab(|) box;\nlb | lb\nl | l.\na|b\n_\n\\fB\\%x\\fP|y\n.TE\n.sp\n"
        );
    }

    #[test]
    fn unsupported_markdown_is_an_error() {
        for markdown in ["> so", "1. one", "- a\n  - b", "![x](y)", "a<b>c</b>"] {
            assert!(rendered(markdown).is_err(), "{markdown}");
        }
    }
}
