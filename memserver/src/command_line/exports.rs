// SPDX-License-Identifier: LGPL-2.1-or-later

//! Options that describe an export, and the export made from them.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use crate::export::{BlockSize, Export, FixedContext, ALL_FLAGS};
use crate::page::PAGE_SIZE;
use crate::pages::{Background, Budget, Pages};
use crate::wire::flag;

use super::values::{block_size, context, size, text};

/// Default size of an export without `--size` and `--file`.
const DEFAULT_SIZE: u64 = 64 << 20;

/// One export as the command line describes it.
#[derive(Debug)]
pub struct ExportOptions {
    /// `--export`, or empty.
    pub name: Vec<u8>,
    /// `--size`.
    pub size: Option<u64>,
    /// `--file`.
    pub file: Option<PathBuf>,
    /// `--pattern`.
    pub pattern: bool,
    /// `--description`.
    pub description: Option<Vec<u8>>,
    /// `--canonical-name`.
    pub canonical_name: Option<Vec<u8>>,
    /// Transmission flags.
    pub flags: u16,
    /// `--block-size`.
    pub block_size: Option<BlockSize>,
    /// Every `--context`.
    pub contexts: Vec<FixedContext>,
}

impl Default for ExportOptions {
    fn default() -> ExportOptions {
        ExportOptions {
            name: Vec::new(),
            size: None,
            file: None,
            pattern: false,
            description: None,
            canonical_name: None,
            flags: ALL_FLAGS,
            block_size: None,
            contexts: Vec::new(),
        }
    }
}

/// Takes `name` if it describes an export.
pub fn export_option(
    exports: &mut Vec<ExportOptions>,
    name: &str,
    parser: &mut lexopt::Parser,
) -> Result<bool, lexopt::Error> {
    if name == "export" {
        exports.push(ExportOptions {
            name: parser.value()?.into_vec(),
            ..ExportOptions::default()
        });
        return Ok(true);
    }
    let lost = match name {
        "no-flush" => flag::SEND_FLUSH,
        "no-fua" => flag::SEND_FUA,
        "no-trim" => flag::SEND_TRIM,
        "no-zero" => flag::SEND_WRITE_ZEROES | flag::SEND_FAST_ZERO,
        "no-fast-zero" => flag::SEND_FAST_ZERO,
        "no-df" => flag::SEND_DF,
        "no-multi-conn" => flag::CAN_MULTI_CONN,
        "no-cache" => flag::SEND_CACHE,
        "no-status-payload" => flag::BLOCK_STATUS_PAYLOAD,
        _ => 0,
    };
    if lost != 0 {
        current(exports).flags &= !lost;
        return Ok(true);
    }
    match name {
        "size" => current(exports).size = Some(size(&text(parser)?)?),
        "file" => current(exports).file = Some(parser.value()?.into()),
        "pattern" => current(exports).pattern = true,
        "description" => current(exports).description = Some(parser.value()?.into_vec()),
        "canonical-name" => current(exports).canonical_name = Some(parser.value()?.into_vec()),
        "read-only" => current(exports).flags |= flag::READ_ONLY,
        "rotational" => current(exports).flags |= flag::ROTATIONAL,
        "block-size" => current(exports).block_size = Some(block_size(&text(parser)?)?),
        "context" => {
            let context = context(&text(parser)?)?;
            current(exports).contexts.push(context);
        }
        _ => return Ok(false),
    }
    Ok(true)
}

/// Returns the export that an option applies to: the last one begun.
fn current(exports: &mut Vec<ExportOptions>) -> &mut ExportOptions {
    if exports.is_empty() {
        exports.push(ExportOptions::default());
    }
    let last = exports.len() - 1;
    &mut exports[last]
}

impl ExportOptions {
    /// Creates the export and loads its file.
    pub fn build(self, budget: &Rc<Budget>) -> io::Result<Export> {
        let background = match self.pattern {
            true => Background::Pattern,
            false => Background::Zeroes,
        };
        let mut pages = Pages::new(background, Rc::clone(budget));
        let loaded = match &self.file {
            Some(path) => Some(load(path, &mut pages).map_err(|error| {
                io::Error::new(error.kind(), format!("{}: {error}", path.display()))
            })?),
            None => None,
        };
        let mut flags = self.flags;
        if flags & flag::READ_ONLY != 0 {
            flags &= !(flag::SEND_TRIM | flag::SEND_WRITE_ZEROES | flag::SEND_FAST_ZERO);
        }
        Ok(Export {
            name: self.name,
            canonical_name: self.canonical_name,
            description: self.description,
            size: self.size.or(loaded).unwrap_or(DEFAULT_SIZE),
            flags,
            block_size: self.block_size,
            contexts: self.contexts,
            pages,
        })
    }
}

/// Copies a file into memory, skipping pages of zeroes. Returns the file's
/// size.
fn load(path: &Path, pages: &mut Pages) -> io::Result<u64> {
    let mut file = File::open(path)?;
    let mut buffer = vec![0; 256 * PAGE_SIZE];
    let mut at = 0;
    loop {
        // Read whole pages, so that each page is examined only once.
        let mut filled = 0;
        while filled < buffer.len() {
            match file.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(n) => filled += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        for page in buffer[..filled].chunks(PAGE_SIZE) {
            if page.iter().any(|&byte| byte != 0) {
                pages
                    .write(at, page)
                    .map_err(|_| io::Error::other("larger than the memory limit"))?;
            }
            at += page.len() as u64;
        }
        if filled < buffer.len() {
            return Ok(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::Output;
    use crate::pages::Allocation;

    #[test]
    fn a_file_is_loaded_without_its_zeroes() {
        let path = std::env::temp_dir().join(format!("memserver-load-{}", std::process::id()));
        let mut content = vec![0; 3 * PAGE_SIZE];
        content[PAGE_SIZE] = 1;
        content.extend_from_slice(b"the end");
        std::fs::write(&path, &content).unwrap();
        let options = ExportOptions {
            file: Some(path.clone()),
            ..ExportOptions::default()
        };
        let export = options.build(&Budget::new(1 << 20));
        std::fs::remove_file(&path).unwrap();
        let export = export.unwrap();
        assert_eq!(export.size, content.len() as u64);
        let mut out = Output::default();
        export.pages.read(0, export.size, &mut out);
        assert_eq!(out.to_vec(), content);
        let page = PAGE_SIZE as u64;
        assert_eq!(export.pages.run(0, export.size), (Allocation::Hole, page));
        assert_eq!(export.pages.run(page, page), (Allocation::Data, page));
        assert_eq!(export.pages.run(2 * page, page), (Allocation::Hole, page));
    }
}
