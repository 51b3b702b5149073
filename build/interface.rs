// SPDX-License-Identifier: LGPL-2.1-or-later

//! The interface tables, parsed: `functions.tsv` and `constants.tsv` of `src/capi` are the C
//! interface, and everything that must match it is generated from these two. `extensions.tsv` has
//! the functions that the C library does not have.

/// The beginning of the names of functions that the C library does not have.
const EXTENSION: &str = "nbd_ext_";

/// One function of the C API: a line of `functions.tsv` or `extensions.tsv`.
pub struct Function {
    pub name: String,
    /// The symbol version node, such as `LIBNBD_1.0`.
    pub version: String,
    /// The C type of the result.
    pub returns: String,
    /// The C parameter list; `void` if it is empty.
    pub parameters: String,
    /// The handle states that allow the call, separated by commas, or `any`.
    pub states: String,
    /// The positions of the parameters that must not be NULL, starting at 1.
    pub non_null: Vec<usize>,
    /// The function that releases the result, if the caller owns it.
    pub release: Option<String>,
}

impl Function {
    /// Returns true for a function that the C library does not have.
    pub fn is_extension(&self) -> bool {
        self.name.starts_with(EXTENSION)
    }

    /// Returns the header that declares the function.
    pub fn header(&self) -> &'static str {
        match self.is_extension() {
            true => "libnbd-ext.h",
            false => "libnbd.h",
        }
    }

    /// Returns the macro with which programs can detect the function at compile time.
    pub fn have(&self) -> String {
        match self.name.strip_prefix(EXTENSION) {
            Some(name) => format!("LIBNBD_EXT_HAVE_{}", name.to_uppercase()),
            None => format!("LIBNBD_HAVE_{}", self.name.to_uppercase()),
        }
    }
}

/// One macro of the C API: a line of `constants.tsv`. The value is spelled as in C.
pub struct Constant {
    pub name: String,
    pub value: String,
}

/// Parses `functions.tsv` or `extensions.tsv`, in its order, which is that of the header.
pub fn functions(table: &str) -> Vec<Function> {
    rows::<7>(table)
        .map(
            |[name, version, returns, parameters, states, non_null, release]| Function {
                name: name.into(),
                version: version.into(),
                returns: returns.into(),
                parameters: parameters.into(),
                states: states.into(),
                non_null: present(non_null)
                    .into_iter()
                    .flat_map(|list| list.split(','))
                    .map(|number| number.parse().expect("a parameter's number"))
                    .collect(),
                release: present(release).map(String::from),
            },
        )
        .collect()
}

/// Parses `constants.tsv`, in its order.
pub fn constants(table: &str) -> Vec<Constant> {
    rows::<2>(table)
        .map(|[name, value]| Constant {
            name: name.into(),
            value: value.into(),
        })
        .collect()
}

/// Returns the content of a cell, or `None` if it is `-`.
fn present(cell: &str) -> Option<&str> {
    (cell != "-").then_some(cell)
}

fn rows<const COLUMNS: usize>(table: &str) -> impl Iterator<Item = [&str; COLUMNS]> {
    table
        .lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(|line| {
            let cells: Vec<&str> = line.split('\t').collect();
            cells
                .try_into()
                .unwrap_or_else(|_| panic!("interface table: not {COLUMNS} columns: {line}"))
        })
}
