// SPDX-License-Identifier: LGPL-2.1-or-later

//! Generates Rust data about the functions of the C API, for the checks before every call.

use crate::interface::Function;

/// Returns the text that `src/capi/function.rs` includes. Functions without parameters need no
/// checks.
pub fn rust(functions: &[Function]) -> String {
    functions
        .iter()
        .filter(|function| function.parameters != "void")
        .map(declaration)
        .collect()
}

fn declaration(function: &Function) -> String {
    let Function {
        name,
        states,
        non_null,
        ..
    } = function;
    let constant = name.to_uppercase();
    let states = states
        .split(',')
        .map(|state| format!("States::{}", state.to_uppercase()))
        .collect::<Vec<_>>()
        .join(" | ");
    format!(
        "/// The checks before a call of `{name}`.\n\
         pub(super) static {constant}: Function = Function {{ name: c\"{name}\", \
         states: States({states}), non_null: &{non_null:?} }};\n"
    )
}
