// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parameters of the type `bool`.

/// A `bool` from C.
///
/// Programs that declare the functions themselves, such as language bindings, can pass
/// any byte. A Rust `bool` other than 0 or 1 would be undefined behaviour.
#[allow(non_camel_case_types)]
#[derive(Debug, Clone, Copy)]
#[repr(transparent)]
pub struct c_bool(u8);

impl c_bool {
    /// Returns true for any byte but 0.
    pub(super) fn get(self) -> bool {
        self.0 != 0
    }
}
