// SPDX-License-Identifier: LGPL-2.1-or-later

//! The names of the interface. A page that uses any other name is an error.

use std::collections::BTreeSet;

use crate::header::Types;
use crate::interface::{Constant, Function};
use crate::{roff, Result};

/// Every name that the headers declare, and others with the same prefix.
pub struct Names {
    functions: BTreeSet<String>,
    others: BTreeSet<String>,
}

impl Names {
    pub fn new<'a>(
        functions: impl Iterator<Item = &'a Function> + Clone,
        constants: &[Constant],
        types: &Types,
    ) -> Names {
        let known = ["nbd_handle", "LIBNBD_DEBUG"].map(String::from);
        let have = functions.clone().map(Function::have);
        Names {
            functions: functions.clone().map(|it| it.name.clone()).collect(),
            others: constants
                .iter()
                .map(|it| it.name.clone())
                .chain(types.keys().cloned())
                .chain(functions.map(|it| it.version.clone()))
                .chain(have)
                .chain(known)
                .collect(),
        }
    }

    pub fn is_function(&self, name: &str) -> bool {
        self.functions.contains(name)
    }

    /// Checks that every name of the library in a piece of code exists, or is a common
    /// prefix, as in `nbd_set_tls_...`.
    fn check(&self, code: &str) -> Result<()> {
        let is_part = |it: char| it.is_ascii_alphanumeric() || it == '_' || it == '.';
        for word in code.split(|it| !is_part(it)) {
            if !(word.starts_with("nbd_") || word.starts_with("LIBNBD_")) {
                continue;
            }
            let exists = match word.strip_suffix("...") {
                Some(beginning) => [&self.functions, &self.others]
                    .into_iter()
                    .flatten()
                    .any(|name| name.starts_with(beginning)),
                None => self.is_function(word) || self.others.contains(word),
            };
            if !exists {
                return Err(format!("there is no {word}"));
            }
        }
        Ok(())
    }
}

/// The page that contains a text. It decides the format of names in the text.
pub struct Context<'a> {
    pub names: &'a Names,
    /// The name of the page.
    pub page: &'a str,
    /// Parameters of the page's function and of its callbacks.
    pub parameters: Vec<&'a str>,
}

impl Context<'_> {
    /// Formats code in running text: other functions become references to their
    /// pages, and parameters are in italics.
    pub fn code(&self, code: &str) -> Result<String> {
        self.names.check(code)?;
        // A word of code is not hyphenated.
        let words: Vec<String> = roff::code(code)?
            .split(' ')
            .map(|word| format!("\\%{word}"))
            .collect();
        let text = words.join(" ");
        Ok(if self.names.is_function(code) && code != self.page {
            format!("\\fB{text}\\fP(3)")
        } else if self.parameters.contains(&code) {
            format!("\\fI{text}\\fP")
        } else {
            format!("\\fB{text}\\fP")
        })
    }
}

#[cfg(test)]
pub mod tests {
    use super::{Context, Names};
    use crate::interface;

    /// Two sample functions, shared with the tests of other modules.
    pub fn names() -> Names {
        let row = "\tLIBNBD_1.2\tint\tvoid\tany\t-\t-\n";
        let table = format!("nbd_zero{row}nbd_aio_zero{row}");
        let constants = interface::constants("LIBNBD_TLS_ALLOW\t1\n");
        Names::new(
            interface::functions(&table).iter(),
            &constants,
            &Default::default(),
        )
    }

    #[test]
    fn names_are_formatted_by_kind() {
        let context = Context {
            names: &names(),
            page: "nbd_zero",
            parameters: vec!["count"],
        };
        assert_eq!(
            context.code("nbd_aio_zero").unwrap(),
            "\\fB\\%nbd_aio_zero\\fP(3)"
        );
        assert_eq!(context.code("nbd_zero").unwrap(), "\\fB\\%nbd_zero\\fP");
        assert_eq!(context.code("count").unwrap(), "\\fI\\%count\\fP");
        assert_eq!(
            context.code("nbd_aio_...").unwrap(),
            "\\fB\\%nbd_aio_...\\fP"
        );
    }

    #[test]
    fn names_that_do_not_exist_are_errors() {
        let context = Context {
            names: &names(),
            page: "nbd_zero",
            parameters: Vec::new(),
        };
        for wrong in ["nbd_zeros", "LIBNBD_TLS", "nbd_tls_...", "nbd_zeros (h)"] {
            assert!(context.code(wrong).is_err(), "{wrong}");
        }
    }
}
