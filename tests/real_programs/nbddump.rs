// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbddump: the content of disks in hexadecimal.

use libtest_mimic::Trial;

use crate::images;
use support::compare::same;

const SERVERS: &[&str] = &[
    "nbdkit memory 1M",
    "nbdkit pattern 64k",
    "nbdkit data '@0x8000 1 2 3 @0x200000 2 @0x3fffff 3'",
    "nbdkit --no-sr data '@0x8000 1 2 3'",
    "nbdkit --oldstyle pattern 64k",
    "nbdkit file text",
    "nbdkit memory 0",
    "qemu-nbd --format=raw text",
    "qemu-nbd --format=qcow2 --read-only disk.qcow2",
    "memserver --pattern --size 64k",
];

pub fn trials() -> Vec<Trial> {
    let of_server = |server: &&'static str| {
        let server = *server;
        same(format!("nbddump: {server}"), move |s| {
            images::prepare(s, server)?;
            let server = s.serve(server)?;
            s.client("nbddump", &[&server.uri("")])?;
            s.client("nbddump", &["--length=100", &server.uri("")])?;
            s.client("nbddump", &["-n", "4096", "--color", &server.uri("")])?;
            s.client("nbddump", &["--length=0", &server.uri("")])?;
            s.client("nbddump", &["--length=1G", &server.uri("")])
                .map(|_| ())
        })
    };
    let mut trials: Vec<_> = SERVERS.iter().map(of_server).collect();
    trials.push(same("nbddump: the server as a child of its own", |s| {
        images::prepare(s, "disk.qcow2")?;
        s.client("nbddump", &["--", "[", "nbdkit", "pattern", "4k", "]"])?;
        let qemu = ["--", "[", "qemu-nbd", "--format=qcow2", "disk.qcow2", "]"];
        s.client("nbddump", &qemu).map(|_| ())
    }));
    trials.push(same("nbddump: error: the server cannot be read", |s| {
        let server =
            s.serve("nbdkit --filter=error pattern 1M error-pread=EIO error-pread-rate=100%")?;
        s.failing_client("nbddump", &[&server.uri("")]).map(|_| ())
    }));
    trials.push(same("nbddump: error: no such socket", |s| {
        let uri = format!("nbd+unix:///?socket={}", s.text_path("nothing"));
        s.refused("nbddump", &[&uri])
    }));
    trials
}
