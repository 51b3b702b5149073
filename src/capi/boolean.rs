// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parameters of the type `bool`.

/// A `bool` from C. A program that declares the functions itself, as language
/// bindings do, may pass any byte, but a `bool` of Rust other than 0 or 1 is
/// undefined behaviour.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct c_bool(u8);

impl c_bool {
    /// Any byte but 0 is true.
    pub(super) fn get(self) -> bool {
        self.0 != 0
    }
}
