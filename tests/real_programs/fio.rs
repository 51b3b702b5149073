// SPDX-License-Identifier: LGPL-2.1-or-later

//! fio's nbd engine: random reads and writes at depth, with every block
//! verified by its checksum afterwards.

use libtest_mimic::Trial;

use crate::images;
use crate::servers::EVAL;
use support::compare::same;
use support::scenario::{Ending, Scenario};
use support::Result;

const VERIFY: &[&str] = &["--verify=crc32c", "--verify_fatal=1"];

/// Servers with a disk of 8 MiB.
const SERVERS: &[&str] = &[
    "nbdkit memory 8M",
    "nbdkit --no-sr memory 8M",
    "nbdkit --oldstyle memory 8M",
    "nbdkit --filter=delay memory 8M delay-read=1ms delay-write=1ms",
    EVAL,
    "qemu-nbd --format=raw disk.raw",
    "qemu-nbd --format=qcow2 --discard=unmap disk.qcow2",
    "memserver --size 8M",
    "memserver --size 8M --shuffle 8",
];

const JOBS: &[(&str, &[&str])] = &[
    ("depth 1", &["--rw=randwrite", "--bs=4k", "--iodepth=1"]),
    ("depth 64", &["--rw=randwrite", "--bs=4k", "--iodepth=64"]),
    (
        "blocks of many sizes",
        &["--rw=randrw", "--bsrange=512-256k", "--iodepth=16"],
    ),
    (
        "four threads, each with a connection",
        &[
            "--rw=randwrite",
            "--bs=4k",
            "--iodepth=16",
            "--numjobs=4",
            "--thread",
            "--size=2M",
            "--offset_increment=2M",
        ],
    ),
];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for server in SERVERS {
        let name = format!("fio: reads, writes and checksums: {server}");
        let job = ["--rw=randrw", "--bs=16k", "--iodepth=32"];
        trials.push(same(name, move |s| run(s, server, &job, Ending::Success)));
    }
    for (what, job) in JOBS {
        let name = format!("fio: reads, writes and checksums: {what}");
        trials.push(same(name, move |s| {
            run(s, "nbdkit memory 8M", job, Ending::Success)
        }));
    }
    trials.push(same("fio: trim", |s| {
        let job = ["--rw=randtrim", "--bs=64k", "--iodepth=8"];
        fio(s, "nbdkit memory 8M", &job, Ending::Success)
    }));
    trials.push(same("fio: lost writes are detected", |s| {
        let job = ["--rw=write", "--bs=64k", "--iodepth=8"];
        run(s, "nbdkit null 8M", &job, Ending::Failure)
    }));
    trials.push(same("fio: errors of the server", |s| {
        let line = "nbdkit --filter=error memory 8M error-pwrite=ENOSPC error-pwrite-rate=100%";
        let job = ["--rw=write", "--bs=64k", "--iodepth=1"];
        run(s, line, &job, Ending::Failure)
    }));
    trials
}

/// Runs a job in fio, which verifies its writes.
fn run(s: &Scenario, line: &str, job: &[&str], ending: Ending) -> Result<()> {
    fio(s, line, &[job, VERIFY].concat(), ending)
}

fn fio(s: &Scenario, line: &str, job: &[&str], ending: Ending) -> Result<()> {
    images::prepare(s, line)?;
    let server = s.serve(line)?;
    let uri = format!("--uri={}", server.uri(""));
    let mut arguments = vec!["--name=job", "--ioengine=nbd", &uri, "--size=8M"];
    // The same offsets and data in each run.
    arguments.extend(["--randseed=1", "--output=report", "--output-format=json"]);
    arguments.extend(job);
    let outcome = s.attempt("fio", &arguments)?;
    let code = outcome.status.code();
    let as_expected = match ending {
        Ending::Success => code == Some(0),
        Ending::Failure => code.is_some_and(|code| code != 0),
        Ending::Either => code.is_some(),
    };
    if !as_expected {
        return Err(format!("fio {}: {}", job.join(" "), outcome.describe()));
    }
    s.record("ending of fio", outcome.ending().as_bytes());
    // Compare the amounts and the error that stopped the job: the rest of the
    // report is timing. Requests concurrent with a failure vary from run to
    // run.
    let counted: &[&str] = match ending {
        Ending::Success => &["\"error\"", "\"total_ios\"", "\"io_bytes\""],
        _ => &["\"error\""],
    };
    let report = String::from_utf8_lossy(&s.read("report")?).into_owned();
    let wanted = |line: &&str| counted.iter().any(|key| line.trim().starts_with(key));
    let facts: Vec<_> = report.lines().filter(wanted).collect();
    if facts.is_empty() {
        return Err(format!("fio reports nothing: {report}"));
    }
    s.record("report of fio", facts.join("\n").as_bytes());
    if ending == Ending::Success {
        s.tool("nbdcopy", &[&server.uri(""), "copy"])?;
    }
    server.stop()
}
