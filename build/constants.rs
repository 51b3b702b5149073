// SPDX-License-Identifier: LGPL-2.1-or-later

//! Generates the constants of the C API in Rust, each with the type that it has in C.

use crate::interface::Constant;

/// Returns the text of the module that `src/constants.rs` includes.
pub fn rust(constants: &[Constant]) -> String {
    constants.iter().map(declaration).collect()
}

fn declaration(Constant { name, value }: &Constant) -> String {
    let (rust_type, rust_value) = if value.starts_with('"') {
        ("&std::ffi::CStr", format!("c{value}"))
    } else if let Some(number) = value.strip_suffix('U') {
        ("std::ffi::c_uint", number.into())
    } else {
        ("std::ffi::c_int", value.clone())
    };
    format!("/// `{name}` of libnbd.h.\npub const {name}: {rust_type} = {rust_value};\n")
}
