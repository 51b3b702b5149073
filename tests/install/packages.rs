// SPDX-License-Identifier: LGPL-2.1-or-later

//! The packages built by `make deb`: their contents, and that apt replaces
//! Debian's own packages with them and back.
//!
//! `LIBNBD_TEST_PACKAGES="here bookworm trixie sid"` in the environment selects
//! where they are built: on this machine, which is the default, or in systems
//! of these releases, with the compiler and the lintian of each. `again` builds
//! them here a second time and expects the same bytes.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Arc, OnceLock};
use std::{env, fs};

use libtest_mimic::Trial;

use crate::installation::fresh_directory;
use crate::system::{self, finish, System};
use crate::{dist, run, swap};
use support::compare::ignored;
use support::library::source;
use support::Result;

pub const PACKAGES: [&str; 2] = ["libnbd0", "libnbd-dev"];

/// Packages needed for building in every release; the Debian crates are in sid.
const BUILD: &[&str] = &[
    "build-essential",
    "debhelper",
    "libgnutls28-dev",
    "lintian",
    "lld",
];
const RELEASES: &[(&str, &[&str])] = &[
    // The default cargo and rustc are from 2022; these are newer.
    ("bookworm", &["cargo-web", "rustc-web"]),
    ("trixie", &["cargo", "rustc"]),
    (
        "sid",
        &[
            "cargo",
            "librust-iri-string-dev",
            "librust-lexopt-dev",
            "librust-libc-dev",
            "librust-mio-dev",
            "librust-parking-lot-dev",
            "librust-scopeguard-dev",
            "rustc",
            // Needed for the packages of other distributions.
            "libarchive-tools",
            "makepkg",
            "rpm",
        ],
    ),
];

/// lintian tags that a source package for three releases cannot avoid: the
/// oldest release needs what the newest calls old or redundant, and the newest
/// does not find overrides meant for the oldest.
const OF_OTHER_RELEASES: &[&str] = &[
    "out-of-date-standards-version",
    "package-uses-old-debhelper-compat-version",
    "redundant-priority-optional-field",
    "redundant-rules-requires-root-no-field",
    "unused-override hardening-no-fortify-functions",
];

/// Returns true if the environment selects tests of that name.
pub fn chosen(name: &str) -> bool {
    let names = env::var("LIBNBD_TEST_PACKAGES").unwrap_or("here".to_owned());
    names.split_whitespace().any(|it| it == name)
}

/// Creates a trial that is ignored if `why` gives a reason.
pub fn trial(
    name: &str,
    why: Option<&str>,
    test: impl FnOnce() -> Result<()> + Send + 'static,
) -> Trial {
    match why {
        None => Trial::test(name, || Ok(test()?)),
        Some(why) => ignored(name, why),
    }
}

/// Returns the reason why tests of that name, which need a separate system, are
/// skipped.
pub fn left_out(name: &str) -> Option<&'static str> {
    match chosen(name) {
        true => system::forbidden(),
        false => Some("make packages runs it"),
    }
}

pub fn trials() -> Vec<Trial> {
    let mut trials = vec![
        trial(
            "packages name every crate that is linked in",
            None,
            copyright,
        ),
        trial(
            "packages contain exactly the crates they name",
            dist::impossible(),
            vendored,
        ),
        trial("packages are reproducible", left_out("again"), again),
    ];
    for place in ["here", "bookworm", "trixie", "sid"] {
        let built = Arc::new(OnceLock::new());
        let packages = move || {
            let result: &Result<Built> = built.get_or_init(|| Built::at(place, place));
            result.clone()
        };
        let why = left_out(place);
        let needs_root = place != "here" || !chosen(place) || system::release().is_err();
        let why_not_built = why.filter(|_| needs_root);
        let (clean, swapped) = (packages.clone(), packages);
        trials.push(trial(
            &format!("{place}: packages are built from source, and clean for lintian"),
            why_not_built,
            move || clean()?.is_clean(),
        ));
        trials.push(trial(
            &format!("{place}: packages take the place of Debian's, and Debian's come back"),
            why,
            move || {
                let built = swapped()?;
                swap::switch_and_undo(&built.release, &built.packages()?)
            },
        ));
    }
    trials
}

/// Returns the system of a release that packages are built in.
pub fn builder(release: &str) -> Result<System> {
    let (_, more) = RELEASES
        .iter()
        .find(|(name, _)| *name == release)
        .ok_or(format!("{release} is no release"))?;
    System::with(release, &[BUILD, more].concat(), &[])
}

/// A source package, and the packages built from it.
#[derive(Clone)]
struct Built {
    release: String,
    /// The system it was built in; `None` for this machine.
    system: Option<Arc<System>>,
    directory: PathBuf,
}

impl Built {
    fn at(place: &str, name: &str) -> Result<Built> {
        let dist = dist::directory()?;
        let directory = fresh_directory(&format!("packages-{name}"))?;
        let script = source().join("scripts/make-deb.sh");
        let [script, dist, debs] = [&script, &dist, &directory].map(|path| path.to_string_lossy());
        let system = match place {
            "here" => {
                let mut make = Command::new(&*script);
                // `make check` already runs its tests.
                make.env("DEB_BUILD_OPTIONS", "nocheck");
                finish(make.args([&*dist, &*debs]))?;
                None
            }
            release => {
                let system = builder(release)?;
                system.run(&[&script, &dist, &debs])?;
                Some(Arc::new(system))
            }
        };
        let release = match place {
            "here" => system::release()?,
            release => release.to_owned(),
        };
        Ok(Built {
            release,
            system,
            directory,
        })
    }

    /// Runs a command in the system where they were built.
    fn run(&self, words: &[&str]) -> Result<String> {
        match &self.system {
            Some(system) => system.run(words),
            None => run(Command::new(words[0]).args(&words[1..])),
        }
    }

    fn files(&self, end: &str) -> Result<Vec<PathBuf>> {
        let entries = fs::read_dir(&self.directory).map_err(|e| e.to_string())?;
        let mut paths: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| path.to_string_lossy().ends_with(end))
            .collect();
        paths.sort();
        Ok(paths)
    }

    /// Returns the paths of both packages.
    fn packages(&self) -> Result<Vec<PathBuf>> {
        let of = |package: &str| {
            let mut debs = self.files(".deb")?.into_iter();
            debs.find(|path| {
                let name = path.file_name().unwrap_or_default().to_string_lossy();
                name.starts_with(&format!("{package}_"))
            })
            .ok_or(format!("no package {package}"))
        };
        PACKAGES.iter().map(|package| of(package)).collect()
    }

    fn is_clean(&self) -> Result<()> {
        let changes = self.files(".changes")?;
        let [changes] = changes.as_slice() else {
            return Err(format!("{changes:?}"));
        };
        let changes = changes.to_string_lossy();
        let printed = self.run(&[
            "lintian",
            "--allow-root",
            "--pedantic",
            "--display-info",
            "--tag-display-limit=0",
            "--fail-on=none",
            &changes,
        ])?;
        let found: Vec<_> = printed
            .lines()
            .filter(|line| !line.starts_with("N:"))
            .filter(|line| !OF_OTHER_RELEASES.iter().any(|tag| line.contains(tag)))
            .collect();
        if !found.is_empty() {
            return Err(found.join("\n"));
        }
        for path in self.packages()? {
            let path = path.to_string_lossy();
            let field = |name| self.run(&["dpkg-deb", "--field", &path, name]);
            let version = field("Version")?;
            if !version.starts_with(concat!(env!("CARGO_PKG_VERSION"), "+")) {
                return Err(format!("{path} has version {version}"));
            }
            let from_debian = field("Static-Built-Using")?.contains("rust-iri-string (=");
            if from_debian != (self.release == "sid") {
                return Err(format!("{path}: crates of Debian: {from_debian}"));
            }
        }
        match self.files(".deb")?.len() - PACKAGES.len() {
            1 => Ok(()),
            other => Err(format!("{other} packages of debugging symbols")),
        }
    }
}

/// The vendored crates that debian/copyright names are those in the archive.
fn vendored() -> Result<()> {
    let (named, archived) = (named()?, dist::vendored()?);
    match named == archived {
        true => Ok(()),
        false => Err(format!("named: {named:?}, archived: {archived:?}")),
    }
}

/// Crates used only by the test server.
const NOT_LINKED: [&str; 3] = ["lexopt", "log", "mio"];

fn named() -> Result<BTreeSet<String>> {
    let path = source().join("packaging/debian/copyright");
    let text = fs::read_to_string(&path).map_err(|e| format!("{}: {e}", path.display()))?;
    let words = text.split_whitespace();
    let names = words.filter_map(|word| word.strip_prefix("vendor/")?.strip_suffix("/*"));
    Ok(names.map(str::to_owned).collect())
}

fn copyright() -> Result<()> {
    let named = named()?;
    let mut cargo = Command::new("cargo");
    cargo.args(["tree", "--edges", "normal", "--prefix", "none"]);
    let tree = run(cargo.args(["--package", "libnbd"]).current_dir(source()))?;
    let linked: BTreeSet<_> = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .filter(|name| !name.is_empty() && *name != "libnbd")
        .chain(NOT_LINKED)
        .map(str::to_owned)
        .collect();
    match named == linked {
        true => Ok(()),
        false => Err(format!("named: {named:?}, linked: {linked:?}")),
    }
}

fn again() -> Result<()> {
    let [first, second] = ["once", "twice"].map(|name| Built::at("here", name));
    let (first, second) = (first?.files(".deb")?, second?.files(".deb")?);
    for (first, second) in first.iter().zip(&second) {
        let contents = |path: &PathBuf| fs::read(path).map_err(|e| e.to_string());
        if contents(first)? != contents(second)? {
            return Err(format!("{} is another one now", first.display()));
        }
    }
    Ok(())
}
