// SPDX-License-Identifier: LGPL-2.1-or-later

//! The manual pages of libnbd, made from its source: one for each function,
//! libnbd(3) as the overview, and libnbd-security(3).
//!
//! - [`comments`]: the comments of the functions in `src/capi`.
//! - [`interface`]: `functions.tsv`: types, states, versions.
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

use names::Names;

/// A result with an error message for the author of a comment.
pub type Result<T> = std::result::Result<T, String>;

/// Reads the source tree `source` and writes the pages to `directory/man3`.
pub fn write(source: &Path, directory: &Path) -> Result<()> {
    let functions = interface::functions(&read(&source.join("src/capi/functions.tsv"))?);
    let constants = interface::constants(&read(&source.join("src/capi/constants.tsv"))?);
    let types = header::types(&read(&source.join("include/libnbd.h"))?);
    let groups = comments::read(&source.join("src/capi"))?;
    let overview = read(&source.join(overview::FILE))?;
    let footer = page::Footer {
        date: date::of(source)?,
        version: version(&read(&source.join("Cargo.toml"))?)?,
    };
    let names = Names::new(&functions, &constants, &types);

    let directory = directory.join("man3");
    fs::create_dir_all(&directory).map_err(|e| format!("{}: {e}", directory.display()))?;
    let write = |name: &str, text: String| {
        let path = directory.join(format!("{name}.3"));
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    };

    for name in groups.iter().flat_map(|group| group.comments.keys()) {
        if !names.is_function(name) {
            return Err(format!("{name} is in src/capi, not in functions.tsv"));
        }
    }
    for function in &functions {
        let comment = groups
            .iter()
            .find_map(|group| group.comments.get(&function.name))
            .ok_or_else(|| format!("{} is in functions.tsv, not in src/capi", function.name))?;
        let text = function::page(function, comment, &types, &names, &footer)
            .map_err(|error| format!("{}: {error}", function.name))?;
        write(&function.name, text)?;
    }
    let text = overview::page(&overview, &functions, &groups, &names, &footer)
        .map_err(|error| format!("{}: {error}", overview::FILE))?;
    write("libnbd", text)?;
    let text = security::page(&read(&source.join(security::FILE))?, &names, &footer)
        .map_err(|error| format!("{}: {error}", security::FILE))?;
    write(security::NAME, text)
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
