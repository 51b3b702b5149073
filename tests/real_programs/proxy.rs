// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdkit's nbd plugin, a special kind of client: a multi-threaded server that
//! forwards every request through the library.

use libtest_mimic::Trial;

use crate::images;
use crate::servers::EVAL;
use support::compare::same;
use support::scenario::Scenario;
use support::servers::Server;
use support::Result;

const SERVERS: &[&str] = &[
    "nbdkit memory 8M",
    "nbdkit file disk.raw",
    "nbdkit --no-sr file disk.raw",
    "nbdkit --oldstyle file disk.raw",
    EVAL,
    "qemu-nbd --format=raw disk.raw",
    "qemu-nbd --format=qcow2 disk.qcow2",
    "memserver --file disk.raw",
];

/// Servers that reply late or out of order, the number of the proxy's threads,
/// and true if they share one connection.
const PARALLEL: &[(&str, u32, bool)] = &[
    ("nbdkit memory 8M", 1, true),
    ("nbdkit memory 8M", 32, true),
    ("nbdkit memory 8M", 32, false),
    ("memserver --size 8M --shuffle 8", 32, true),
    ("memserver --size 8M --shuffle 8", 32, false),
    (
        "nbdkit --filter=delay memory 8M rdelay=1ms wdelay=1ms",
        16,
        true,
    ),
    ("qemu-nbd --format=qcow2 disk.qcow2", 16, true),
];

pub fn trials() -> Vec<Trial> {
    let of_server = |server: &&'static str| {
        let server = *server;
        same(format!("proxy: nbdkit nbd: {server}"), move |s| {
            pass_on(s, server)
        })
    };
    let mut trials: Vec<_> = SERVERS.iter().map(of_server).collect();
    for (server, threads, shared) in PARALLEL {
        let name = format!("proxy: nbdkit nbd: {threads} threads, shared={shared}: {server}");
        trials.push(same(name, move |s| {
            in_parallel(s, server, *threads, *shared)
        }));
    }
    trials.push(same("proxy: nbdkit nbd with a child of its own", |s| {
        images::prepare(s, "disk.qcow2")?;
        let line = "nbdkit nbd command=qemu-nbd arg=--format=qcow2 arg=disk.qcow2";
        let proxy = s.serve_with_library(line)?;
        look(s, &proxy)?;
        proxy.stop()
    }));
    trials
}

fn pass_on(s: &Scenario, line: &str) -> Result<()> {
    images::prepare(s, line)?;
    let server = s.serve(line)?;
    let socket = server.address();
    for shared in [false, true] {
        let line = format!("nbdkit nbd socket={socket} shared={shared}");
        let proxy = s.serve_with_library(&line)?;
        look(s, &proxy)?;
        // Whole clusters: the zeroing of the rest of a cluster depends on the
        // order of writes.
        let data = images::content(5 * 65_536, 11);
        s.write("data", &data)?;
        s.tool("nbdcopy", &["data", &proxy.uri("")])?;
        look(s, &proxy)?;
        s.tool("nbdcopy", &["--synchronous", &proxy.uri(""), "copy"])?;
        if !s.read("copy")?.starts_with(&data) {
            return Err("what was written did not come back".to_owned());
        }
        proxy.stop()?;
    }
    Ok(())
}

/// Records a client's view through the proxy. That client uses the system's
/// library in both runs.
fn look(s: &Scenario, proxy: &Server) -> Result<()> {
    let uri = proxy.uri("");
    s.record("information", &s.tool("nbdinfo", &["--json", &uri])?);
    let map = s.tool("nbdinfo", &["--map", &uri]);
    s.record("map", &map.unwrap_or_default());
    s.tool("nbdcopy", &[&uri, "copy"])?;
    s.record_file("copy")
}

/// Runs several clients with many requests each, concurrently in the proxy.
fn in_parallel(s: &Scenario, line: &str, threads: u32, shared: bool) -> Result<()> {
    images::prepare(s, line)?;
    let server = s.serve(line)?;
    let socket = server.address();
    let line = format!("nbdkit --threads={threads} nbd socket={socket} shared={shared}");
    let proxy = s.serve_with_library(&line)?;
    let uri = format!("--uri={}", proxy.uri(""));
    let load = [
        "--name=load",
        "--ioengine=nbd",
        &uri,
        "--rw=randrw",
        "--bs=8k",
        "--iodepth=16",
        "--numjobs=4",
        "--thread",
        "--size=2M",
        "--offset_increment=2M",
        "--randseed=1",
        "--verify=crc32c",
        "--verify_fatal=1",
    ];
    s.tool("fio", &load)?;
    let parallel = ["--connections=4", "--requests=32", "--request-size=32768"];
    s.write("data", &images::content(8 << 20, 12))?;
    for (from, to) in [("data", proxy.uri("")), (&proxy.uri(""), "copy".to_owned())] {
        s.tool("nbdcopy", &[&parallel[..], &[from, &to]].concat())?;
    }
    s.record_file("copy")?;
    if s.read("copy")? != s.read("data")? {
        return Err("what was written did not come back".to_owned());
    }
    look(s, &proxy)?;
    proxy.stop()
}
