// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdzero and nbddiscard, part of libnbd since 1.24: parts of a disk and a
//! whole one, with and without the server's permission.

use libtest_mimic::Trial;

use crate::images;
use support::compare::same;
use support::programs;
use support::scenario::{Ending, Scenario};
use support::systems;
use support::Result;

const SERVERS: &[&str] = &[
    "nbdkit memory 8M",
    "nbdkit file disk.raw",
    "nbdkit --no-sr file disk.raw",
    "nbdkit --oldstyle file disk.raw",
    "nbdkit --readonly file disk.raw",
    "nbdkit --filter=nozero file disk.raw",
    "nbdkit --filter=nozero memory 8M zeromode=notrim",
    "nbdkit --filter=noextents memory 8M",
    "nbdkit --filter=blocksize-policy memory 8M blocksize-minimum=4096 blocksize-preferred=64K \
     blocksize-maximum=1M",
    "nbdkit --filter=error file disk.raw error-zero=EIO error-zero-rate=100%",
    "qemu-nbd --format=raw disk.raw",
    "qemu-nbd --format=qcow2 --discard=unmap disk.qcow2",
    "memserver --size 8M",
    "memserver --file disk.raw --no-zero --no-trim",
];

const PARTS: &[&[&str]] = &[
    &["--length=1048576", "--offset=65536"],
    &["--length=1000", "--offset=3000000"],
    &["--length=4096", "--offset=2097152", "--fast-zero"],
    &["--length=16777216"],
    &["--check"],
    &[],
];

pub fn trials() -> Vec<Trial> {
    let newest = systems::inside().as_deref() == Some("sid");
    if programs::find("nbdzero").is_err() && !newest {
        return Vec::new();
    }
    let of_program = |program: &'static str| {
        SERVERS.iter().map(move |line| {
            same(format!("{program}: {line}"), move |s| {
                discard(s, program, line)
            })
        })
    };
    of_program("nbdzero")
        .chain(of_program("nbddiscard"))
        .collect()
}

fn discard(s: &Scenario, program: &str, line: &str) -> Result<()> {
    images::prepare(s, &format!("disk.raw {line}"))?;
    let server = s.serve(line)?;
    let uri = server.uri("");
    if !line.contains("disk.") {
        s.tool("nbdcopy", &["disk.raw", &uri])?;
    }
    for part in PARTS {
        let arguments = [&["--yes"], *part, &[&uri]].concat();
        s.run(program, &arguments, &[], Ending::Either)?;
        s.tool("nbdcopy", &[&uri, "copy"])?;
        s.record_file("copy")?;
    }
    server.stop()
}
