// SPDX-License-Identifier: LGPL-2.1-or-later

//! Programs compiled with `libnbd-ext.h` do with the C library what libnbd-ext(3) says.

use libtest_mimic::Trial;

use support::c_program::{self, CProgram};
use support::library::{self, Library};
use support::scenario::Scenario;
use support::Result;

const OPTIONAL: &str = "examples/optional-extensions.c";
const DEADLINE: &str = "examples/deadline.c";
const COPY: &str = "examples/batched-copy.c";
const WEAK: &str = "tests/real_programs/programs/weak-reference.c";

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test("extensions: a program continues without them", || {
            Ok(optional()?)
        }),
        Trial::test("extensions: a read continues without a deadline", || {
            Ok(deadline()?)
        }),
        Trial::test("extensions: a copy continues without batching", || {
            Ok(copy()?)
        }),
        Trial::test(
            "extensions: a weak reference keeps a program from starting",
            || Ok(weak()?),
        ),
    ]
}

/// Compiles the programs, with our header and library.
pub fn compile() -> Result<()> {
    compiled(OPTIONAL)?;
    compiled(DEADLINE)?;
    compiled(COPY)?;
    compiled(WEAK).map(|_| ())
}

fn compiled(file: &str) -> Result<String> {
    let source = library::source().join(file);
    let name = source.file_stem().unwrap_or_default().to_string_lossy();
    let program = CProgram {
        name: name.into_owned(),
        source: source.clone(),
    };
    let directory = library::profile_directory()?.join("capi/with-extensions");
    let executable = c_program::compile(&program, &Library::under_test()?, &directory)?;
    Ok(executable.display().to_string())
}

fn optional() -> Result<()> {
    let program = compiled(OPTIONAL)?;
    for (library, expected) in [
        (
            Library::under_test()?,
            "A dead server is an error after a minute.\n",
        ),
        (
            Library::system(),
            "This libnbd cannot detect a dead server; continuing.\n",
        ),
    ] {
        let s = Scenario::new(&library)?;
        let server = s.serve("memserver --size 1M")?;
        let printed = s.client(&program, &[&server.uri("")])?.stdout;
        let expected = format!("{expected}The disk has 1048576 bytes.\n");
        if printed != expected.as_bytes() {
            let printed = String::from_utf8_lossy(&printed);
            return Err(format!("{}: {printed}", library.name));
        }
    }
    Ok(())
}

fn deadline() -> Result<()> {
    let program = compiled(DEADLINE)?;
    for (library, expected) in [
        (Library::under_test()?, ""),
        (
            Library::system(),
            "This libnbd waits without a limit; continuing.\n",
        ),
    ] {
        let s = Scenario::new(&library)?;
        let server = s.serve("memserver --size 1M")?;
        let printed = s.client(&program, &[&server.uri(""), "60"])?.stdout;
        let expected = format!("{expected}1048576 bytes read\n");
        if printed != expected.as_bytes() {
            let printed = String::from_utf8_lossy(&printed);
            return Err(format!("{}: {printed}", library.name));
        }
    }
    Ok(())
}

fn copy() -> Result<()> {
    let program = compiled(COPY)?;
    for (library, expected) in [
        (Library::under_test()?, ", with requests sent together\n"),
        (Library::system(), "\n"),
    ] {
        let s = Scenario::new(&library)?;
        let from = s.serve("memserver --size 1M --pattern")?;
        let to = s.serve("memserver --size 1M")?;
        let printed = s.client(&program, &[&from.uri(""), &to.uri("")])?.stdout;
        let expected = format!("1048576 bytes copied{expected}");
        if printed != expected.as_bytes() {
            let printed = String::from_utf8_lossy(&printed);
            return Err(format!("{}: {printed}", library.name));
        }
    }
    Ok(())
}

fn weak() -> Result<()> {
    let program = compiled(WEAK)?;
    let printed = Scenario::new(&Library::under_test()?)?.client(&program, &[])?;
    if printed.stdout != b"it is there\n" {
        return Err(printed.describe());
    }
    let printed = Scenario::new(&Library::system())?.failing_client(&program, &[])?;
    match printed
        .describe()
        .contains("version `LIBNBD_EXT_1.0' not found")
    {
        true => Ok(()),
        false => Err(printed.describe()),
    }
}
