// SPDX-License-Identifier: LGPL-2.1-or-later

//! The build script. It generates the C constants, the symbol versions of `libnbd.so`, the
//! headers, and the files with which programs can use the library from cargo's target directory.

#[path = "build/constants.rs"]
mod constants;
#[path = "build/functions.rs"]
mod functions;
#[cfg(feature = "header")]
#[path = "build/header.rs"]
mod header;
// Only the headers and the manual use some parts of the tables.
#[allow(dead_code)]
#[path = "build/interface.rs"]
mod interface;
#[cfg(feature = "header")]
#[path = "build/layout.rs"]
mod layout;
#[path = "build/symbols.rs"]
mod symbols;
#[path = "build/uninstalled.rs"]
mod uninstalled;

use std::path::PathBuf;
use std::{env, fs, io};

fn main() {
    if let Err(error) = make() {
        println!("cargo::error={error}");
    }
}

fn make() -> io::Result<()> {
    // cbindgen reads the functions and the callbacks. A header that was edited or removed is
    // written again.
    for path in [
        "build.rs",
        "build",
        "src/capi",
        "src/handle/callback.rs",
        "cbindgen.toml",
        "include/libnbd.h",
        "include/libnbd-ext.h",
        "pkgconfig/libnbd.pc.in",
    ] {
        println!("cargo:rerun-if-changed={path}");
    }
    let source = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").expect("cargo sets it"));
    let out = PathBuf::from(env::var_os("OUT_DIR").expect("cargo sets it"));

    let functions = interface::functions(&fs::read_to_string("src/capi/functions.tsv")?);
    let extensions = interface::functions(&fs::read_to_string("src/capi/extensions.tsv")?);
    let constants = interface::constants(&fs::read_to_string("src/capi/constants.tsv")?);

    fs::write(out.join("constants.rs"), constants::rust(&constants))?;
    let checks = functions::rust(&functions) + &functions::rust(&extensions);
    fs::write(out.join("functions.rs"), checks)?;
    #[cfg(feature = "header")]
    header::write(&source, &functions, &extensions, &constants)?;
    #[cfg(feature = "capi")]
    manual::write(&source, &out.join("man")).map_err(io::Error::other)?;
    symbols::link(&[&functions, &extensions], &out)?;
    uninstalled::write(&source, &out)
}
