// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdcopy: between files, pipes and servers, with every option that changes
//! the method.

use libtest_mimic::Trial;

use crate::images;
use crate::servers::EVAL;
use support::compare::same;
use support::scenario::{Ending, Scenario};
use support::Result;

/// Writable servers, large enough for `disk.raw`.
const DESTINATIONS: &[&str] = &[
    "nbdkit memory 8M",
    "nbdkit memory 10M",
    "nbdkit file new.raw",
    "nbdkit --no-sr memory 8M",
    "nbdkit --oldstyle --filter=nozero memory 8M",
    "nbdkit --mask-handshake=0 memory 8M",
    "nbdkit --filter=multi-conn memory 8M multi-conn-mode=disable",
    EVAL,
    "nbdkit --filter=nozero memory 8M",
    "nbdkit --filter=nozero memory 8M zeromode=notrim",
    "nbdkit --filter=fua memory 8M fuamode=force",
    "nbdkit --filter=cow memory 8M",
    "nbdkit --filter=delay memory 8M wdelay=2ms",
    "nbdkit --filter=blocksize-policy memory 8M blocksize-minimum=4096 blocksize-preferred=4096 \
     blocksize-maximum=256K",
    "qemu-nbd --format=raw new.raw",
    "qemu-nbd --format=qcow2 new.qcow2",
    "qemu-nbd --format=qcow2 --discard=unmap --detect-zeroes=unmap new.qcow2",
    "nbd-server disk=new.raw",
    "memserver --size 8M",
    "memserver --size 8M --no-multi-conn --no-zero --no-trim",
    "memserver --size 8M --shuffle 8",
    "memserver --size 8M --byte-at-a-time",
    "memserver --size 8M --no-structured-replies",
    "memserver --size 8M --no-extended-headers",
    "memserver --size 8M --oldstyle",
];

/// Servers to copy from, and the expected content of the copy.
const SOURCES: &[(&str, Content)] = &[
    ("nbdkit file disk.raw", Content::Disk),
    ("nbdkit --no-sr file disk.raw", Content::Disk),
    ("nbdkit --oldstyle file disk.raw", Content::Disk),
    (EVAL, Content::Disk),
    ("nbdkit --filter=noextents file disk.raw", Content::Disk),
    (
        "nbdkit --filter=delay file disk.raw rdelay=2ms",
        Content::Disk,
    ),
    (
        "nbdkit --filter=blocksize-policy file disk.raw blocksize-maximum=64K",
        Content::Disk,
    ),
    ("nbdkit pattern 3M", Content::Any),
    ("nbdkit sparse-random 64M seed=7", Content::Any),
    ("nbdkit random 1M seed=3", Content::Any),
    ("nbdkit memory 10M", Content::Any),
    ("nbdkit memory 0", Content::Any),
    ("nbdkit data '(0x55 0xAA)*1000' size=3000", Content::Any),
    ("qemu-nbd --format=raw disk.raw", Content::Disk),
    (
        "qemu-nbd --format=qcow2 --bitmap=bitmap0 disk.qcow2",
        Content::Any,
    ),
    (
        "qemu-nbd --format=qcow2 --read-only overlay.qcow2",
        Content::Any,
    ),
    ("nbd-server disk=disk.raw", Content::Disk),
    ("memserver --file disk.raw", Content::Disk),
    ("memserver --file disk.raw --shuffle 8", Content::Disk),
    (
        "memserver --file disk.raw --read-chunks 4096",
        Content::Disk,
    ),
    (
        "memserver --file disk.raw --no-structured-replies",
        Content::Disk,
    ),
    ("memserver --file disk.raw --byte-at-a-time", Content::Disk),
    ("memserver --pattern --size 8M --oldstyle", Content::Any),
];

/// Pairs of servers, with options for connections, threads and requests.
const BETWEEN_SERVERS: &[(&str, &str, &[&str])] = &[
    (
        "nbdkit file disk.raw",
        "qemu-nbd --format=qcow2 --discard=unmap new.qcow2",
        &["--connections=4", "--threads=4"],
    ),
    (
        "qemu-nbd --format=qcow2 disk.qcow2",
        "nbdkit memory 8M",
        &["--connections=8", "--threads=8", "--requests=8"],
    ),
    (
        "qemu-nbd --format=qcow2 --read-only overlay.qcow2",
        "memserver --size 8M --shuffle 8",
        &["--connections=2", "--threads=1", "--requests=64"],
    ),
    (
        "memserver --file disk.raw --shuffle 8",
        "nbdkit --filter=delay memory 8M wdelay=1ms",
        &["--connections=4", "--threads=2", "--request-size=16384"],
    ),
    (
        "memserver --file disk.raw --no-structured-replies",
        "qemu-nbd --format=raw new.raw",
        &["--connections=1", "--sparse=4096"],
    ),
];

#[derive(Clone, Copy, PartialEq)]
enum Content {
    Disk,
    Any,
}

/// Options that must not change the copy.
const OPTIONS: &[&[&str]] = &[
    &[],
    &["--allocated"],
    &["--destination-is-zero"],
    &["--no-extents"],
    &["--synchronous"],
    &["--synchronous", "--allocated"],
    &["--flush"],
    &["--connections=1"],
    &["--connections=8", "--threads=2"],
    &["--requests=1"],
    &["--requests=128"],
    &["--threads=1"],
    &["--request-size=4096"],
    &["--request-size=33554432", "--queue-size=67108864"],
    &["--queue-size=4096", "--request-size=4096"],
    &["--sparse=0"],
    &["--sparse=512"],
    &["--sparse=65536", "--no-extents"],
];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for server in DESTINATIONS {
        let name = format!("nbdcopy: file to server: {server}");
        trials.push(same(name, move |s| to_server(s, server)));
    }
    for (server, content) in SOURCES {
        let name = format!("nbdcopy: server to file: {server}");
        trials.push(same(name, move |s| from_server(s, server, *content)));
    }
    for (from, to, options) in BETWEEN_SERVERS {
        let name = format!("nbdcopy: server to server: {from}: {to}");
        trials.push(same(name, move |s| between_servers(s, from, to, options)));
    }
    for options in OPTIONS {
        let words = options.join(" ");
        let name = format!("nbdcopy: options: {words}");
        trials.push(same(name, move |s| with_options(s, options)));
    }
    trials.extend(streams());
    trials.extend(errors());
    trials
}

/// Checks that the copy equals the original file.
fn require_disk(s: &Scenario, copy: &str) -> Result<()> {
    // A larger destination keeps its data after the end of the copy.
    match s.read(copy)?.starts_with(&s.read("disk.raw")?) {
        true => Ok(()),
        false => Err(format!("{copy} is not what was copied")),
    }
}

/// Returns the export name for such a server.
fn export_of(server: &str) -> &'static str {
    match server.starts_with("nbd-server") {
        true => "disk",
        false => "",
    }
}

/// Returns the number of connections: nbd-server serves one here, although it
/// advertises more.
fn connections_to(server: &str) -> &'static str {
    match server.starts_with("nbd-server") {
        true => "--connections=1",
        false => "--connections=4",
    }
}

fn to_server(s: &Scenario, line: &str) -> Result<()> {
    images::prepare(s, "disk.raw")?;
    s.tool("qemu-img", &["create", "-f", "raw", "new.raw", "8M"])?;
    s.tool("qemu-img", &["create", "-f", "qcow2", "new.qcow2", "8M"])?;
    let mut server = s.serve(line)?;
    let uri = server.uri(export_of(line));
    s.client("nbdcopy", &[connections_to(line), "disk.raw", &uri])?;
    if line.starts_with("nbd-server") {
        server.stop()?;
        server = s.serve(line)?;
    }
    // The same client reads it back with the system's library.
    let uri = server.uri(export_of(line));
    s.tool("nbdcopy", &[connections_to(line), &uri, "copy"])?;
    require_disk(s, "copy")?;
    // For an image file, the map shows clusters and the file system below them,
    // and depends on the order in which writes arrived; nbd-server has none.
    if line.contains(" memory ") || line.starts_with("memserver") {
        let map = s.tool("nbdinfo", &["--map", &uri]).unwrap_or_default();
        s.record("map after copying", &map);
    }
    Ok(())
}

fn from_server(s: &Scenario, line: &str, content: Content) -> Result<()> {
    images::prepare(s, line)?;
    let mut server = s.serve(line)?;
    let uri = server.uri(export_of(line));
    s.client("nbdcopy", &[connections_to(line), &uri, "copy"])?;
    s.record_file("copy")?;
    if line.starts_with("nbd-server") {
        server.stop()?;
        server = s.serve(line)?;
    }
    let uri = server.uri(export_of(line));
    let slowly = ["--synchronous", "--no-extents", connections_to(line)];
    s.client("nbdcopy", &[&slowly[..], &[&uri, "slow-copy"]].concat())?;
    s.record_file("slow-copy")?;
    if content == Content::Disk {
        require_disk(s, "copy")?;
        require_disk(s, "slow-copy")?;
    }
    Ok(())
}

fn between_servers(s: &Scenario, from: &str, to: &str, options: &[&str]) -> Result<()> {
    images::prepare(s, from)?;
    s.tool("qemu-img", &["create", "-f", "raw", "new.raw", "8M"])?;
    s.tool("qemu-img", &["create", "-f", "qcow2", "new.qcow2", "8M"])?;
    let (source, destination) = (s.serve(from)?, s.serve(to)?);
    let (from, to) = (source.uri(""), destination.uri(""));
    s.client("nbdcopy", &[options, &["--flush", &from, &to]].concat())?;
    s.tool("nbdcopy", &[&from, "original"])?;
    s.tool("nbdcopy", &[&to, "copy"])?;
    s.record_file("copy")?;
    match s.read("original")? == s.read("copy")? {
        true => Ok(()),
        false => Err("the copy is not what was copied".to_owned()),
    }
}

fn with_options(s: &Scenario, options: &[&str]) -> Result<()> {
    images::prepare(s, "disk.raw")?;
    let source = s.serve("nbdkit file disk.raw")?;
    let middle = s.serve("nbdkit memory 8M")?;
    let (source_uri, middle_uri) = (source.uri(""), middle.uri(""));

    let copy = |from: &str, to: &str| {
        let mut arguments = options.to_vec();
        arguments.extend([from, to]);
        s.client("nbdcopy", &arguments)
    };
    copy(&source_uri, &middle_uri)?;
    s.client("nbdinfo", &["--map", &middle_uri])?;
    copy(&middle_uri, "copy")?;
    require_disk(s, "copy")?;

    let destination = s.serve("nbdkit memory 8M")?;
    copy("disk.raw", &destination.uri(""))?;
    s.client("nbdinfo", &["--map", &destination.uri("")])?;
    copy(&destination.uri(""), "copy-of-file")?;
    require_disk(s, "copy-of-file")?;
    copy(&source_uri, "null:").map(|_| ())
}

fn streams() -> Vec<Trial> {
    vec![
        same("nbdcopy: pipe to server to pipe", |s| {
            let server = s.serve("nbdkit memory 3M")?;
            let input = images::content(3 << 20, 9);
            let uri = server.uri("");
            s.run("nbdcopy", &["-", &uri], &input, Ending::Success)?;
            let outcome = s.client("nbdcopy", &[&uri, "-"])?;
            match outcome.stdout == input {
                true => Ok(()),
                false => Err("what came out is not what went in".to_owned()),
            }
        }),
        same("nbdcopy: a pipe that ends before the server's disk", |s| {
            let server = s.serve("nbdkit memory 3M")?;
            let uri = server.uri("");
            let input = images::content(1_000_000, 9);
            s.run("nbdcopy", &["-", &uri], &input, Ending::Success)?;
            s.client("nbdcopy", &[&uri, "-"]).map(|_| ())
        }),
        same("nbdcopy: sparse server to pipe", |s| {
            images::prepare(s, "disk.qcow2")?;
            let server = s.serve("qemu-nbd --format=qcow2 disk.qcow2")?;
            s.client("nbdcopy", &[&server.uri(""), "-"])?;
            s.client("nbdcopy", &["--allocated", &server.uri(""), "-"])
                .map(|_| ())
        }),
        same("nbdcopy: progress as numbers", |s| {
            images::prepare(s, "disk.raw")?;
            let server = s.serve("nbdkit memory 8M")?;
            let one = ["--connections=1", "--requests=1"];
            let uri = server.uri("");
            s.client(
                "nbdcopy",
                &[&one[..], &["--progress=1", "disk.raw", &uri]].concat(),
            )?;
            s.client(
                "nbdcopy",
                &[&one[..], &["--progress=2", &uri, "copy"]].concat(),
            )?;
            s.client("nbdcopy", &["--synchronous", "--progress=1", &uri, "copy"])
                .map(|_| ())
        }),
        same("nbdcopy: progress as a bar", |s| {
            let server = s.serve("nbdkit pattern 8M")?;
            let arguments = ["--progress", "--synchronous", &server.uri(""), "copy"];
            s.client("nbdcopy", &arguments).map(|_| ())
        }),
        same("nbdcopy: both servers as children of its own", |s| {
            images::prepare(s, "disk.qcow2")?;
            s.tool("qemu-img", &["create", "-f", "qcow2", "new.qcow2", "8M"])?;
            let source = [
                "--",
                "[",
                "qemu-nbd",
                "-r",
                "-f",
                "qcow2",
                "disk.qcow2",
                "]",
            ];
            let destination = ["[", "qemu-nbd", "-f", "qcow2", "new.qcow2", "]"];
            s.client("nbdcopy", &[&source[..], &destination].concat())?;
            s.client(
                "nbdcopy",
                &["--", "[", "nbdkit", "pattern", "2M", "]", "pattern"],
            )?;
            s.record_file("pattern")?;
            let server = ["nbdkit", "file", "from-pipe"];
            s.write("from-pipe", &[0; 100_000])?;
            let to_server = [&["--", "-", "["][..], &server, &["]"]].concat();
            s.run(
                "nbdcopy",
                &to_server,
                &images::content(100_000, 1),
                Ending::Success,
            )?;
            s.record_file("from-pipe")?;
            let convert = ["convert", "-f", "qcow2", "-O", "raw"];
            for (image, name) in [("disk.qcow2", "converted"), ("new.qcow2", "copied")] {
                s.tool("qemu-img", &[&convert[..], &[image, name]].concat())?;
            }
            s.record_file("copied")?;
            match s.read("converted")? == s.read("copied")? {
                true => Ok(()),
                false => Err("the copy is not what was copied".to_owned()),
            }
        }),
    ]
}

fn errors() -> Vec<Trial> {
    /// Copies `from` to `to`, one of which may be the server (`@`); the copy
    /// must fail.
    fn fails(name: &'static str, line: &'static str, arguments: &'static [&str]) -> Trial {
        same(format!("nbdcopy: error: {name}"), move |s| {
            images::prepare(s, &format!("disk.raw {line}"))?;
            let server = s.serve(line)?;
            let uri = server.uri("");
            let arguments = arguments.iter().map(|argument| match *argument {
                "@" => uri.as_str(),
                other => other,
            });
            let arguments: Vec<_> = arguments.collect();
            // One request at a time: of several, any could fail first.
            let synchronous = [&["--synchronous"], arguments.as_slice()].concat();
            s.failing_client("nbdcopy", &synchronous).map(|_| ())
        })
    }
    vec![
        fails(
            "the destination is too small",
            "nbdkit memory 1M",
            &["disk.raw", "@"],
        ),
        fails(
            "the destination is read-only",
            "nbdkit --readonly memory 8M",
            &["disk.raw", "@"],
        ),
        fails(
            "the destination is full",
            "nbdkit full 8M",
            &["disk.raw", "@"],
        ),
        fails("no such source", "nbdkit memory 8M", &["no-such-file", "@"]),
        fails(
            "no such directory",
            "nbdkit memory 8M",
            &["@", "no-such-directory/file"],
        ),
        fails(
            "bad request size",
            "nbdkit memory 8M",
            &["--request-size=1000", "@", "null:"],
        ),
        fails(
            "the source cannot be read",
            "nbdkit --filter=error memory 8M error-pread=EIO error-pread-rate=100%",
            &["--no-extents", "@", "copy"],
        ),
        fails(
            "the source has no extents to give",
            "nbdkit --filter=error memory 8M error-extents=EIO error-extents-rate=100%",
            &["@", "copy"],
        ),
        fails(
            "the destination cannot be written",
            "nbdkit --filter=error memory 8M error-pwrite=ENOSPC error-pwrite-rate=100%",
            &["disk.raw", "@"],
        ),
        fails(
            "the destination cannot be zeroed",
            "nbdkit --filter=error memory 8M error-zero=EIO error-zero-rate=100%",
            &["disk.raw", "@"],
        ),
        same(
            "nbdcopy: error: the same, with many requests in flight",
            |s| {
                images::prepare(s, "disk.raw")?;
                let line =
                    "nbdkit --filter=error memory 8M error-pwrite=ENOSPC error-pwrite-rate=100%";
                let server = s.serve(line)?;
                // Several threads may report the error before the first one
                // exits, so only the failure is compared.
                let arguments = ["disk.raw", &server.uri("")];
                let outcome = s.attempt("nbdcopy", &arguments)?;
                s.record("ending", outcome.ending().as_bytes());
                match String::from_utf8_lossy(&outcome.stderr).contains("No space left on device") {
                    true => Ok(()),
                    false => Err(outcome.describe()),
                }
            },
        ),
        same("nbdcopy: error: no such socket", |s| {
            let uri = format!("nbd+unix:///?socket={}", s.text_path("nothing"));
            s.refused("nbdcopy", &[&uri, "null:"])
        }),
    ]
}
