// SPDX-License-Identifier: LGPL-2.1-or-later

//! The functions of the C API as Rust data, for the checks that every call makes.

use crate::interface::Function;

/// The text that `src/capi/function.rs` includes. A function without parameters
/// has nothing to check.
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
        "/// What `{name}` is called with, and when.\n\
         pub(super) static {constant}: Function = Function {{ name: c\"{name}\", \
         states: States({states}), non_null: &{non_null:?} }};\n"
    )
}
