// SPDX-License-Identifier: LGPL-2.1-or-later

//! The manual pages of libnbd, made from its source: one for each function,
//! libnbd(3) as the overview, libnbd-ext(3) as that of the extensions, and
//! libnbd-security(3).
//!
//! - [`comments`]: the comments of the functions in `src/capi`.
//! - [`interface`]: `functions.tsv` and `extensions.tsv`: types, states, versions.
//! - [`header`]: the callback types of `libnbd.h`.
//! - [`function`], [`overview`] and [`security`]: put a page together from these, in
//!   Markdown.
//! - [`names`] and [`inline`]: references in running text; a name that does not exist
//!   is an error.
//! - [`blocks`] and [`roff`]: Markdown in the language of man(7).
//! - [`date`]: the date in the footer.

mod blocks;
mod comments;
mod date;
mod function;
mod header;
mod inline;
mod names;
mod overview;
mod page;
mod roff;
mod security;

// The library's build uses more of these items than the manual does.
#[allow(dead_code)]
#[path = "../../build/interface.rs"]
pub mod interface;
#[allow(dead_code)]
#[path = "../../build/layout.rs"]
mod layout;

use std::fs;
use std::path::Path;

use comments::{Comment, Group};
use interface::Function;
use names::Names;
use overview::Overview;

/// A result with an error message for the author of a comment.
pub type Result<T> = std::result::Result<T, String>;

/// Reads the source tree `source` and writes the pages to `directory/man3`.
pub fn write(source: &Path, directory: &Path) -> Result<()> {
    let constants = interface::constants(&read(&source.join("src/capi/constants.tsv"))?);
    let types = header::types(&read(&source.join("include/libnbd.h"))?);
    let footer = page::Footer {
        date: date::of(source)?,
        version: version(&read(&source.join("Cargo.toml"))?)?,
    };
    let parts = [
        Part::read(source, overview::LIBRARY, "functions.tsv", "src/capi")?,
        Part::read(
            source,
            overview::EXTENSIONS,
            "extensions.tsv",
            "src/capi/ext",
        )?,
    ];
    let functions = parts.iter().flat_map(|part| &part.functions);
    let names = Names::new(functions, &constants, &types);

    let directory = directory.join("man3");
    fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let write = |name: &str, text: String| {
        let path = directory.join(format!("{name}.3"));
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    };

    for part in &parts {
        part.check()?;
        for function in &part.functions {
            let text = function::page(function, part.comment(function)?, &types, &names, &footer)
                .map_err(|error| format!("{}: {error}", function.name))?;
            write(&function.name, text)?;
        }
        let overview = &part.overview;
        let text = overview
            .page(&part.functions, &part.groups, &names, &footer)
            .map_err(|error| format!("{}: {error}", overview.about.file))?;
        write(overview.about.name, text)?;
    }
    let text = security::page(&read(&source.join(security::FILE))?, &names, &footer)
        .map_err(|error| format!("{}: {error}", security::FILE))?;
    write(security::NAME, text)
}

/// The functions of one table, with their comments and the page that lists them.
struct Part {
    functions: Vec<Function>,
    groups: Vec<Group>,
    overview: Overview,
}

impl Part {
    fn read(source: &Path, about: overview::About, table: &str, comments: &str) -> Result<Part> {
        let table = read(&source.join("src/capi").join(table))?;
        Ok(Part {
            functions: interface::functions(&table),
            groups: comments::read(&source.join(comments))?,
            overview: Overview {
                text: read(&source.join(about.file))?,
                about,
            },
        })
    }

    /// Checks that the table has every function of the source.
    fn check(&self) -> Result<()> {
        let mut names = self.groups.iter().flat_map(|it| it.comments.keys());
        match names.find(|name| !self.functions.iter().any(|it| it.name == **name)) {
            Some(name) => Err(format!("{name} is in src/capi, not in the interface table")),
            None => Ok(()),
        }
    }

    fn comment(&self, function: &Function) -> Result<&Comment> {
        let name = &function.name;
        self.groups
            .iter()
            .find_map(|group| group.comments.get(name))
            .ok_or_else(|| format!("{name} is in the interface table, not in src/capi"))
    }
}

fn read(path: &Path) -> Result<String> {
    fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
}

/// Returns the version of the library from its Cargo.toml.
fn version(manifest: &str) -> Result<String> {
    manifest
        .lines()
        .find_map(|line| line.strip_prefix("version = \"")?.strip_suffix('"'))
        .map(String::from)
        .ok_or_else(|| "Cargo.toml: no version".into())
}
