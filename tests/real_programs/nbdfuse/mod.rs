// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdfuse: a server's disk used as a file. The file's content, its errors and
//! the data that reach the server must be the same.

mod mount;

use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::OnceLock;
use std::thread;

use libtest_mimic::Trial;

use crate::images;
use mount::Mount;
use support::compare::{self, same};
use support::library::{self, Library};
use support::scenario::Scenario;
use support::servers::{Address, Server};
use support::Result;

/// Writable disks of 8 MiB.
const SERVERS: &[&str] = &[
    "nbdkit memory 8M",
    "nbdkit file disk.raw",
    "nbdkit --no-sr file disk.raw",
    "nbdkit --oldstyle memory 8M",
    "nbdkit --filter=multi-conn memory 8M multi-conn-mode=disable",
    "qemu-nbd --format=raw disk.raw",
    "qemu-nbd --format=qcow2 --discard=unmap disk.qcow2",
    "memserver --file disk.raw",
    "memserver --size 8M --shuffle 8",
];

const OPTIONS: &[&[&str]] = &[&["-C", "1"], &["-C", "8"], &["-s"]];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for line in SERVERS {
        let name = format!("nbdfuse: read, write, zero and trim: {line}");
        trials.push(mounted(name, move |s| read_and_write(s, line, &[])));
    }
    for options in OPTIONS {
        let name = format!("nbdfuse: read, write, zero and trim: {}", options.join(" "));
        trials.push(mounted(name, move |s| {
            read_and_write(s, "nbdkit memory 8M", options)
        }));
    }
    trials.push(mounted(
        "nbdfuse: a file system made in the file",
        file_system,
    ));
    trials.push(mounted(
        "nbdfuse: many threads use the file at once",
        many_threads,
    ));
    trials.push(mounted(
        "nbdfuse: every way to name the server",
        ways_to_name_the_server,
    ));
    trials.push(mounted("nbdfuse: a server that is read-only", read_only));
    trials.push(mounted("nbdfuse: errors of the server", errors));
    trials.push(same("nbdfuse: error: no such socket", |s| {
        let mountpoint = s.text_path("mountpoint");
        fs::create_dir(&mountpoint).map_err(|e| format!("{mountpoint}: {e}"))?;
        let uri = format!("nbd+unix:///?socket={}", s.text_path("nothing"));
        s.refused("nbdfuse", &[&mountpoint, &uri])
    }));
    trials
}

/// Like `same`, if the kernel permits mounting.
fn mounted(
    name: impl Into<String>,
    steps: impl Fn(&Scenario) -> Result<()> + Send + 'static,
) -> Trial {
    compare::same_where(name, why_not_here(), steps)
}

/// Returns the reason why mounting is impossible here with either library, if
/// there is one.
fn why_not_here() -> Result<Option<String>> {
    static REASON: OnceLock<Result<Option<String>>> = OnceLock::new();
    REASON.get_or_init(look_for_a_reason).clone()
}

fn look_for_a_reason() -> Result<Option<String>> {
    if let Err(error) = File::options().read(true).write(true).open("/dev/fuse") {
        return Ok(Some(format!("/dev/fuse cannot be opened: {error}")));
    }
    // A container may have the device without permission to mount.
    let s = Scenario::new(&Library::system())?;
    let mount = Mount::new(&s, &[], &["[", "nbdkit", "memory", "1M", "]"]);
    match mount {
        Ok(mount) => mount.unmount().map(|()| None),
        Err(why) if why.contains("mount failed: Operation not permitted") => Ok(Some(why)),
        Err(why) => Err(why),
    }
}

fn read_and_write(s: &Scenario, line: &str, options: &[&str]) -> Result<()> {
    images::prepare(s, line)?;
    let server = s.serve(line)?;
    let mount = Mount::new(s, options, &[&server.uri("")])?;
    let path = mount.text_file();

    look_at(s, &mount.file())?;
    let file = File::options().read(true).write(true).open(mount.file());
    let file = file.map_err(|e| format!("{path}: {e}"))?;
    let write = |length: usize, seed, offset| {
        let written = file.write_all_at(&images::content(length, seed), offset);
        written.map_err(|e| format!("{path}: writing {length} bytes at {offset}: {e}"))
    };
    // Whole blocks, parts of blocks, writes across blocks, writes larger than
    // the kernel passes on at once, and the very end.
    write(65_536, 21, 3 << 20)?;
    write(1, 22, 5_000)?;
    write(10_000, 23, 4_194_000)?;
    write(1 << 20, 24, 6 << 20)?;
    write(512, 25, (8 << 20) - 512)?;
    let synced = file.sync_all().map(|()| 0);
    s.record("fsync", text_of(&synced).as_bytes());
    let past_the_end = file.write_at(b"x", 8 << 20);
    s.record("writing past the end", text_of(&past_the_end).as_bytes());

    for (what, offset, length) in [
        ("--punch-hole", 6 << 20, 65_536),
        ("--zero-range", 3 << 20, 4_096),
        ("--punch-hole", 1 << 20, 65_536),
    ] {
        let (offset, length) = (format!("--offset={offset}"), format!("--length={length}"));
        let arguments = [what, "--keep-size", &offset, &length, &path];
        // The result depends on the server's features, which nbdfuse queries:
        // failure is permitted.
        let outcome = s.attempt("fallocate", &arguments)?;
        s.record(&format!("fallocate {what}"), outcome.describe().as_bytes());
    }
    drop(file);
    look_at(s, &mount.file())?;
    mount.unmount()?;
    // The server's content, read without the file.
    s.tool("nbdcopy", &[&server.uri(""), "copy"])?;
    s.record_file("copy")?;
    require(s, "copy", &images::content(65_536, 21)[4_096..], 3_149_824)?;
    require(s, "copy", &images::content(10_000, 23), 4_194_000)?;
    server.stop()
}

/// Records the visible properties of a file.
fn look_at(s: &Scenario, path: &Path) -> Result<()> {
    let look = || -> io::Result<()> {
        let metadata = fs::metadata(path)?;
        s.record("size", metadata.len().to_string().as_bytes());
        let permissions = format!("{:?}", metadata.permissions());
        s.record("permissions", permissions.as_bytes());
        s.record("content", &fs::read(path)?);
        Ok(())
    };
    look().map_err(|e| format!("{}: {e}", path.display()))
}

fn require(s: &Scenario, copy: &str, expected: &[u8], offset: usize) -> Result<()> {
    match s.read(copy)?.get(offset..offset + expected.len()) {
        Some(found) if found == expected => Ok(()),
        _ => Err(format!("{copy}: what was written is not at {offset}")),
    }
}

fn text_of(result: &io::Result<usize>) -> String {
    match result {
        Ok(count) => format!("{count} bytes"),
        Err(error) => error.to_string(),
    }
}

fn file_system(s: &Scenario) -> Result<()> {
    let server = s.serve("nbdkit memory 32M")?;
    let mount = Mount::new(s, &[], &[&server.uri("")])?;
    let path = mount.text_file();
    let source = library::source().join("src").display().to_string();
    s.tool("mke2fs", &["-q", "-t", "ext4", "-d", &source, &path])?;
    s.tool("e2fsck", &["-n", "-f", &path])?;
    let through_the_file = fs::read(&path).map_err(|e| format!("{path}: {e}"))?;
    mount.unmount()?;
    s.tool("nbdcopy", &[&server.uri(""), "copy"])?;
    s.tool("e2fsck", &["-n", "-f", "copy"])?;
    match s.read("copy")? == through_the_file {
        true => server.stop(),
        false => Err("the file did not show what the server has".to_owned()),
    }
}

fn many_threads(s: &Scenario) -> Result<()> {
    const PART: usize = 1 << 20;
    let server = s.serve("nbdkit --filter=delay memory 8M rdelay=1ms wdelay=1ms")?;
    let mount = Mount::new(s, &[], &[&server.uri("")])?;
    let path = &mount.file();
    let work = |number: usize| -> io::Result<bool> {
        let file = File::options().read(true).write(true).open(path)?;
        let data = images::content(PART, number as u32 + 1);
        let offset = (number * PART) as u64;
        for (place, piece) in (offset..).step_by(16_384).zip(data.chunks(16_384)) {
            file.write_all_at(piece, place)?;
        }
        file.sync_data()?;
        let mut back = vec![0; PART];
        file.read_exact_at(&mut back, offset)?;
        Ok(back == data)
    };
    let results: Vec<_> = thread::scope(|scope| {
        let threads: Vec<_> = (0..8).map(|n| scope.spawn(move || work(n))).collect();
        threads
            .into_iter()
            .map(thread::ScopedJoinHandle::join)
            .collect()
    });
    for result in results {
        match result {
            Ok(Ok(true)) => {}
            Ok(Ok(false)) => return Err("what was written did not come back".to_owned()),
            Ok(Err(error)) => return Err(error.to_string()),
            Err(_) => return Err("a thread panicked".to_owned()),
        }
    }
    mount.unmount()?;
    s.tool("nbdcopy", &[&server.uri(""), "copy"])?;
    s.record_file("copy")
}

fn ways_to_name_the_server(s: &Scenario) -> Result<()> {
    images::prepare(s, "disk.qcow2")?;
    let unix = s.serve("nbdkit pattern 1M")?;
    let socket = unix.address().to_string();
    let tcp = Server::start_on_a_port(s.directory(), "tcp", "nbdkit pattern 2M")?;
    let Address::Port(port) = tcp.address() else {
        return Err(format!("{} is no port", tcp.address()));
    };
    let port = port.to_string();
    for server in [
        &["--unix", &socket][..],
        &["--tcp", "localhost", &port],
        &["--command", "nbdkit", "-s", "pattern", "3M"],
        &["[", "nbdkit", "--exit-with-parent", "pattern", "4M", "]"],
        &["[", "qemu-nbd", "--format=qcow2", "disk.qcow2", "]"],
    ] {
        let mount = Mount::new(s, &[], server)?;
        look_at(s, &mount.file())?;
        mount.unmount()?;
    }
    Ok(())
}

fn read_only(s: &Scenario) -> Result<()> {
    let server = s.serve("nbdkit memory 1M")?;
    let only_reads = s.serve("nbdkit --readonly pattern 1M")?;
    for (options, uri) in [(&["-r"][..], server.uri("")), (&[], only_reads.uri(""))] {
        let mount = Mount::new(s, options, &[&uri])?;
        look_at(s, &mount.file())?;
        // root may open any file for writing.
        let written = File::options()
            .write(true)
            .open(mount.file())
            .and_then(|file| file.write_at(b"data", 0));
        s.record("writing", text_of(&written).as_bytes());
        if written.is_ok() {
            return Err("what is read-only was written to".to_owned());
        }
        mount.unmount()?;
    }
    Ok(())
}

fn errors(s: &Scenario) -> Result<()> {
    let server = s.serve(
        "nbdkit --filter=error memory 1M error-pread=ENOMEM error-pread-rate=100% \
         error-pwrite=ENOSPC error-pwrite-rate=100%",
    )?;
    let mount = Mount::new(s, &["-C", "1"], &[&server.uri("")])?;
    let file = File::options().read(true).write(true).open(mount.file());
    let file = file.map_err(|e| e.to_string())?;
    let read = file.read_at(&mut [0; 4096], 0);
    s.record("reading", text_of(&read).as_bytes());
    let written = file.write_at(&[1; 4096], 0);
    s.record("writing", text_of(&written).as_bytes());
    drop(file);
    if !matches!(&written, Err(error) if error.kind() == ErrorKind::StorageFull) {
        return Err(format!("writing: {}", text_of(&written)));
    }
    mount.unmount()
}
