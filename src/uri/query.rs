// SPDX-License-Identifier: LGPL-2.1-or-later

//! The query of a URI: `name=value` pairs, separated by `&` or `;`.

use std::ffi::CString;

use super::text::decode;
use crate::error::Error;
use crate::memory;
use crate::text::{shown, text};

/// The decoded parameters of a query, in their order.
pub(super) struct Query {
    parameters: Vec<(String, CString)>,
}

impl Query {
    /// Parses a query. A parameter without `=` has an empty value. Parameters without a name, and
    /// names that cannot be known ones, are ignored.
    pub fn parse(query: &str) -> Result<Query, Error> {
        let mut parameters = Vec::new();
        for parameter in query.split(['&', ';']) {
            let (name, value) = parameter.split_once('=').unwrap_or((parameter, ""));
            if let Ok(name) = decode(name)?.into_string() {
                memory::push(&mut parameters, (name, decode(value)?))?;
            }
        }
        Ok(Query { parameters })
    }

    /// Returns all parameters, with their names in the case in which they were written.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &CString)> {
        let parameters = self.parameters.iter();
        parameters.map(|(name, value)| (name.as_str(), value))
    }

    /// Returns the value of a parameter. If it is repeated, the last value counts.
    pub fn get(&self, name: &str) -> Option<&CString> {
        let mut parameters = self.parameters.iter().rev();
        let (_, value) = parameters.find(|(known, _)| known.eq_ignore_ascii_case(name))?;
        Some(value)
    }
}

/// Parses the boolean value of a parameter.
pub(super) fn parse_bool(name: &str, value: &CString) -> Result<bool, Error> {
    const WORDS: [(&str, bool); 12] = [
        ("true", true),
        ("false", false),
        ("1", true),
        ("0", false),
        ("yes", true),
        ("no", false),
        ("on", true),
        ("off", false),
        ("t", true),
        ("f", false),
        ("y", true),
        ("n", false),
    ];
    let text = shown(value);
    let mut words = WORDS.iter();
    match words.find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(value.to_bytes())) {
        Some((_, truth)) => Ok(*truth),
        None => Err(Error::new(
            libc::EINVAL,
            text!("could not parse {name} parameter, expecting {name}=true|false: {text}"),
        )),
    }
}
