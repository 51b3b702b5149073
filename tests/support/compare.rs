// SPDX-License-Identifier: LGPL-2.1-or-later

//! Comparison of the same steps with two libraries.

use libtest_mimic::Trial;

use super::library::Library;
use super::scenario::Scenario;
use super::transcript::Transcript;
use super::Result;

/// Creates a test that takes these steps with the system's library, then with
/// the one under test, and fails if the results differ.
pub fn same(
    name: impl Into<String>,
    steps: impl Fn(&Scenario) -> Result<()> + Send + 'static,
) -> Trial {
    Trial::test(shortened(name.into()), move || Ok(compare(steps)?))
}

/// Creates a test of steps that cannot be taken everywhere: if there is a
/// reason, it becomes part of the name and the test counts as ignored.
pub fn same_where(
    name: impl Into<String>,
    why_not: Result<Option<String>>,
    steps: impl Fn(&Scenario) -> Result<()> + Send + 'static,
) -> Trial {
    let name = shortened(name.into());
    match why_not {
        Ok(None) => Trial::test(name, move || Ok(compare(steps)?)),
        Ok(Some(reason)) => ignored(&name, &reason),
        Err(failure) => Trial::test(name, || Err(failure.into())),
    }
}

/// Creates a test that cannot run here. It appears in the list of tests with
/// the reason and counts as ignored.
pub fn ignored(name: &str, reason: &str) -> Trial {
    let name = format!("{name} ({reason})");
    Trial::test(name, || Err("not to be run".into())).with_ignored_flag(true)
}

/// Creates a test of a feature that the C library has had since 1.`minor`. With
/// an older version there is nothing to compare with, and the test counts as
/// ignored.
pub fn same_since(
    minor: u32,
    name: impl Into<String>,
    steps: impl Fn(&Scenario) -> Result<()> + Send + 'static,
) -> Trial {
    let why_not = Library::system_minor().map(|installed| {
        let reason = || format!("the C library here is 1.{installed}, and older than 1.{minor}");
        (installed < minor).then(reason)
    });
    same_where(name, why_not, steps)
}

/// Truncates a test name: names are printed in a column as wide as the longest
/// one.
fn shortened(mut name: String) -> String {
    const WIDTH: usize = 110;
    if let Some((end, _)) = name.char_indices().nth(WIDTH) {
        name.truncate(end);
        name += "...";
    }
    name
}

fn compare(steps: impl Fn(&Scenario) -> Result<()>) -> Result<()> {
    let (system, under_test) = (Library::system(), Library::under_test()?);
    let expected = take(&steps, &system)?;
    let seen = take(&steps, &under_test)?;
    if expected.is_empty() {
        return Err("the steps looked at nothing".to_owned());
    }
    match expected.difference(system.name, &seen, under_test.name) {
        None => Ok(()),
        Some(difference) => Err(difference),
    }
}

fn take(steps: impl Fn(&Scenario) -> Result<()>, library: &Library) -> Result<Transcript> {
    let scenario = Scenario::new(library)?;
    steps(&scenario).map_err(|failure| format!("with the {} library: {failure}", library.name))?;
    Ok(scenario.into_transcript())
}
