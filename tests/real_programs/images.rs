// SPDX-License-Identifier: LGPL-2.1-or-later

//! Disk images for the servers, always with the same content, and the
//! conversion of a real file system through the formats.

use std::fs::File;
use std::os::unix::fs::FileExt;

use libtest_mimic::Trial;

use support::compare::same;
use support::library;
use support::scenario::Scenario;
use support::Result;

const SIZE: u64 = 8 << 20;

/// Creates the files that a server's command line or other arguments name:
///
/// - `disk.raw`: 8 MiB, sparse, data at the beginning, in the middle and at the end;
/// - `disk.qcow2`: the same, with later writes recorded in `bitmap0`;
/// - `overlay.qcow2`: a little data on top of `disk.qcow2`;
/// - `exports`: a directory with two small files, `one` and `two`;
/// - `text`: readable text.
pub fn prepare(s: &Scenario, command_line: &str) -> Result<()> {
    let named = |file| command_line.contains(file);
    if named("disk.") || named("overlay.qcow2") {
        raw(s, "disk.raw")?;
    }
    if named("disk.qcow2") || named("overlay.qcow2") {
        qcow2(s)?;
    }
    if named("overlay.qcow2") {
        overlay(s)?;
    }
    if named("exports") {
        std::fs::create_dir(s.path("exports")).map_err(|e| format!("exports: {e}"))?;
        s.write("exports/one", &content(100_000, 1))?;
        s.write("exports/two", &content(1 << 20, 2))?;
    }
    if named("text") {
        s.write(
            "text",
            b"The quick brown fox jumps over the lazy dog.\n"
                .repeat(3)
                .as_slice(),
        )?;
    }
    Ok(())
}

/// Returns bytes that depend on their offset, without a short period.
pub fn content(length: usize, seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(2_654_435_761) | 1;
    let mut next = || {
        // Marsaglia's xorshift.
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        (state >> 24) as u8
    };
    (0..length).map(|_| next()).collect()
}

/// Creates a sparse file.
pub fn raw(s: &Scenario, name: &str) -> Result<()> {
    let make = || -> std::io::Result<()> {
        let file = File::create(s.path(name))?;
        file.set_len(SIZE)?;
        file.write_all_at(&content(65536, 3), 0)?;
        file.write_all_at(&content(196_608, 4), 1 << 20)?;
        file.write_all_at(&content(4096, 5), SIZE - 4096)
    };
    make().map_err(|e| format!("{name}: {e}"))
}

fn qcow2(s: &Scenario) -> Result<()> {
    let convert = [
        "convert",
        "-f",
        "raw",
        "-O",
        "qcow2",
        "disk.raw",
        "disk.qcow2",
    ];
    s.tool("qemu-img", &convert)?;
    s.tool("qemu-img", &["bitmap", "--add", "disk.qcow2", "bitmap0"])?;
    let write = ["-f", "qcow2", "-c", "write -P 7 2M 64k", "disk.qcow2"];
    s.tool("qemu-io", &write)?;
    // Whole clusters only: an allocated but unwritten part is a hole of the
    // file, or data while the page cache holds some of it.
    let fill = ["-f", "qcow2", "-c", "write -P 8 8128k 64k", "disk.qcow2"];
    s.tool("qemu-io", &fill)?;
    s.tool(
        "qemu-io",
        &["-f", "qcow2", "-c", "discard 1M 64k", "disk.qcow2"],
    )?;
    Ok(())
}

fn overlay(s: &Scenario) -> Result<()> {
    let create = [
        "create",
        "-f",
        "qcow2",
        "-b",
        "disk.qcow2",
        "-F",
        "qcow2",
        "overlay.qcow2",
    ];
    s.tool("qemu-img", &create)?;
    let write = ["-f", "qcow2", "-c", "write -P 9 3M 128k", "overlay.qcow2"];
    s.tool("qemu-io", &write)?;
    s.tool(
        "qemu-io",
        &["-f", "qcow2", "-c", "write -z 5M 64k", "overlay.qcow2"],
    )?;
    Ok(())
}

pub fn trials() -> Vec<Trial> {
    vec![same(
        "images: ext4 to qcow2 over qemu-nbd and back is the same file system",
        |s| {
            let source = library::source().join("src").display().to_string();
            s.tool(
                "mke2fs",
                &["-q", "-t", "ext4", "-d", &source, "disk.ext4", "32M"],
            )?;
            s.tool("qemu-img", &["create", "-f", "qcow2", "disk.qcow2", "32M"])?;

            let server = s.serve("qemu-nbd --format=qcow2 --discard=unmap disk.qcow2")?;
            s.client("nbdcopy", &["--flush", "disk.ext4", &server.uri("")])?;
            s.client("nbdcopy", &[&server.uri(""), "copy.ext4"])?;
            s.client(
                "nbdcopy",
                &["--synchronous", &server.uri(""), "slow-copy.ext4"],
            )?;
            server.stop()?;
            s.tool("qemu-img", &["check", "-f", "qcow2", "disk.qcow2"])?;
            let convert = [
                "convert",
                "-f",
                "qcow2",
                "-O",
                "raw",
                "disk.qcow2",
                "converted",
            ];
            s.tool("qemu-img", &convert)?;
            s.tool("e2fsck", &["-n", "-f", "copy.ext4"])?;

            let original = s.read("disk.ext4")?;
            for copy in ["copy.ext4", "slow-copy.ext4", "converted"] {
                if s.read(copy)? != original {
                    return Err(format!("{copy} is not what was copied"));
                }
            }
            Ok(())
        },
    )]
}
