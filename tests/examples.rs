// SPDX-License-Identifier: LGPL-2.1-or-later

//! Compiles each program of `examples/` with the command in its first comment,
//! and checks that it does on a real server what it promises.
//!
//! `cargo test --test examples -- NAME` runs those whose name contains NAME.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::{fs, iter};

use libtest_mimic::{Arguments, Trial};
use support::c_program::{self, CProgram};
use support::certificates::Certificates;
use support::library::{self, Library};
use support::scenario::{Ending, Scenario};
use support::servers::{Address, Server};
use support::Result;

/// An example and its test.
struct Example {
    name: &'static str,
    /// Further libraries to link with.
    libraries: &'static [&'static str],
    run: fn(&Bench<'_>) -> Result<()>,
}

const EXAMPLES: &[Example] = &[
    example("read-write", &[], read_write),
    example("many-requests", &[], many_requests),
    example("list-exports", &[], list_exports),
    example("extents", &[], extents),
    example("tls", &[], tls),
    example("multi-conn", &[], multi_conn),
    example("glib-main-loop", &["glib-2.0"], glib_main_loop),
    example("libev-loop", &["-lev"], libev_loop),
    example("batched-copy", &[], batched_copy),
    example("deadline", &[], deadline),
    example("optional-extensions", &[], optional_extensions),
    example("tour", &[], tour),
];

const fn example(
    name: &'static str,
    libraries: &'static [&'static str],
    run: fn(&Bench<'_>) -> Result<()>,
) -> Example {
    Example {
        name,
        libraries,
        run,
    }
}

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    // Kept until all tests are done, with its directory.
    let certificates = Arc::new(Certificates::default());
    let trial = |example: &'static Example| {
        let certificates = Arc::clone(&certificates);
        Trial::test(example.name, move || Ok(run(example, &certificates)?))
    };
    let all = Trial::test("every example has a test", || Ok(every_example_is_tried()?));
    let trials = EXAMPLES.iter().map(trial).chain(iter::once(all)).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn every_example_is_tried() -> Result<()> {
    let found = c_program::all_in("examples")?;
    let found: BTreeSet<_> = found.iter().map(|program| program.name.as_str()).collect();
    let tried: BTreeSet<_> = EXAMPLES.iter().map(|example| example.name).collect();
    match found == tried {
        true => Ok(()),
        false => Err(format!("there are {found:?}, and tried are {tried:?}")),
    }
}

fn run(example: &Example, certificates: &Certificates) -> Result<()> {
    let library = Library::under_test()?;
    let program = CProgram {
        name: example.name.to_owned(),
        source: library::source().join(format!("examples/{}.c", example.name)),
    };
    let directory = library::profile_directory()?.join("examples");
    let executable = c_program::compile_with(&program, &library, &directory, example.libraries)?;
    (example.run)(&Bench {
        scenario: Scenario::new(&library)?,
        executable,
        certificates,
    })
}

/// A compiled example, and a directory to run it in.
struct Bench<'a> {
    scenario: Scenario,
    executable: PathBuf,
    certificates: &'a Certificates,
}

impl Bench<'_> {
    /// Starts a server: see `Server::start`.
    fn serve(&self, line: &str) -> Result<Server> {
        self.scenario.serve(line)
    }

    /// Runs the example, which must succeed, and returns what it prints.
    fn prints(&self, arguments: &[&str]) -> Result<String> {
        let outcome = self.run(arguments, Ending::Success)?;
        String::from_utf8(outcome.0).map_err(|e| e.to_string())
    }

    /// Runs the example, which must succeed, and compares its output.
    fn expect(&self, arguments: &[&str], expected: &str) -> Result<()> {
        let printed = self.prints(arguments)?;
        match printed == expected {
            true => Ok(()),
            false => Err(format!("expected:\n{expected}\nprinted:\n{printed}")),
        }
    }

    /// Runs the example, which must fail with this message.
    fn fails(&self, arguments: &[&str], expected: &str) -> Result<()> {
        let (_, said) = self.run(arguments, Ending::Failure)?;
        let said = String::from_utf8_lossy(&said).into_owned();
        match said.contains(expected) {
            true => Ok(()),
            false => Err(format!("expected an error with {expected:?}: {said}")),
        }
    }

    fn run(&self, arguments: &[&str], ending: Ending) -> Result<(Vec<u8>, Vec<u8>)> {
        let program = self.executable.to_string_lossy();
        let outcome = self.scenario.run(&program, arguments, &[], ending)?;
        Ok((outcome.stdout, outcome.stderr))
    }
}

/// Creates a disk of 8 MiB with data in the first half of its third MiB.
fn disk(bench: &Bench<'_>) -> Result<Vec<u8>> {
    let mut disk = vec![0; 8 << 20];
    for (number, byte) in disk[2 << 20..][..1 << 19].iter_mut().enumerate() {
        *byte = (number % 251) as u8 + 1;
    }
    bench.scenario.write("disk.raw", &disk)?;
    Ok(disk)
}

fn read_write(bench: &Bench<'_>) -> Result<()> {
    let disk = disk(bench)?;
    let server = bench.serve("nbdkit file disk.raw")?;
    let expected = "The disk has 8388608 bytes.\nIt said: Hello, disk!\n";
    bench.expect(&[&server.uri("")], expected)?;
    server.stop()?;
    if bench.scenario.read("disk.raw")? != disk {
        return Err("the disk was not left as it was".to_owned());
    }
    let server = bench.serve("memserver --read-only --size 1M")?;
    bench.fails(&[&server.uri("")], "cannot be written to")
}

fn many_requests(bench: &Bench<'_>) -> Result<()> {
    disk(bench)?;
    let expected = "128 blocks, 120 of them zero, at most 64 requests in flight\n";
    for line in [
        "memserver --file disk.raw",
        "memserver --file disk.raw --shuffle 16",
    ] {
        let server = bench.serve(line)?;
        bench.expect(&[&server.uri("")], expected)?;
    }
    let server =
        bench.serve("nbdkit --filter=error memory 1M error-pread=EIO error-pread-rate=100%")?;
    bench.fails(&[&server.uri("")], "Input/output error")
}

fn list_exports(bench: &Bench<'_>) -> Result<()> {
    let line = "memserver --export a --size 1M --description 'The first' --export b --size 2M \
                --read-only";
    let server = bench.serve(line)?;
    let expected = "2 exports\n\
                    \"a\": 1048576 bytes: The first\n\
                    \"b\": 2097152 bytes, read-only\n";
    bench.expect(&[&server.uri("")], expected)?;
    let server = bench.serve("nbdkit --oldstyle memory 1M")?;
    bench.fails(&[&server.uri("")], "does not negotiate")
}

fn extents(bench: &Bench<'_>) -> Result<()> {
    let s = &bench.scenario;
    s.tool("qemu-img", &["create", "-f", "qcow2", "disk.qcow2", "8M"])?;
    let write = |offset: &str| {
        let command = format!("write -P 7 {offset} 64k");
        s.tool("qemu-io", &["-f", "qcow2", "-c", &command, "disk.qcow2"])
    };
    write("1M")?;
    s.tool("qemu-img", &["bitmap", "--add", "disk.qcow2", "monday"])?;
    write("2M")?;
    let server = bench.serve("qemu-nbd --format=qcow2 --bitmap=monday disk.qcow2")?;
    let uri = server.uri("");
    let printed = bench.prints(&[&uri, "monday"])?;
    let lines = printed.lines().skip(1);
    let lines: Vec<Vec<_>> = lines.map(|l| l.split_whitespace().collect()).collect();
    let bitmap = "qemu:dirty-bitmap:monday";
    let expected = [
        ["base:allocation", "0", "1048576", "hole"],
        ["base:allocation", "1048576", "65536", "data"],
        ["base:allocation", "1114112", "983040", "hole"],
        ["base:allocation", "2097152", "65536", "data"],
        ["base:allocation", "2162688", "6225920", "hole"],
        [bitmap, "0", "2097152", "clean"],
        [bitmap, "2097152", "65536", "dirty"],
        [bitmap, "2162688", "6225920", "clean"],
    ];
    if lines != expected {
        return Err(format!("printed:\n{printed}"));
    }
    bench.fails(&[&uri, "tuesday"], "no such bitmap")?;
    let server = bench.serve("nbdkit --no-sr memory 1M")?;
    bench.fails(&[&server.uri("")], "does not report")
}

fn tls(bench: &Bench<'_>) -> Result<()> {
    let path = |name| bench.certificates.path(name);
    let expected = "Read 512 bytes, encrypted: yes\n";

    let line = format!(
        "nbdkit --tls=require --tls-certificates={} memory 1M",
        path("server")?
    );
    let server = Server::start_on_a_port(bench.scenario.directory(), "x509", &line)?;
    let Address::Port(port) = server.address() else {
        return Err(format!("{} is no port", server.address()));
    };
    let authority = path("client")?;
    for scheme in ["nbd", "nbds"] {
        let uri = format!("{scheme}://localhost:{port}");
        bench.expect(&["-c", &authority, &uri], expected)?;
    }
    let uri = server.uri("");
    // The system's authorities did not sign this certificate.
    bench.fails(&[&uri], "certificate")?;
    let impostor = ["-c", &authority, "-n", "disk.example.com", &uri];
    bench.fails(&impostor, "certificate")?;

    let keys = path("psk/keys.psk")?;
    let server = bench.serve(&format!("nbdkit --tls=require --tls-psk={keys} memory 1M"))?;
    bench.expect(&["-k", &keys, "-u", "alice", &server.uri("")], expected)?;

    let plain = bench.serve("nbdkit memory 1M")?;
    bench.fails(&["-c", &authority, &plain.uri("")], "refused TLS")
}

fn multi_conn(bench: &Bench<'_>) -> Result<()> {
    let server = bench.serve("nbdkit memory 8M")?;
    let expected = "8388608 bytes written and read over 4 connections\n";
    bench.expect(&[&server.uri("")], expected)?;
    let copy = bench.scenario.tool("nbdcopy", &[&server.uri(""), "-"])?;
    if copy != vec![0x5a; 8 << 20] {
        return Err("the disk is not full of what was written".to_owned());
    }
    let server = bench.serve("memserver --size 1000000 --no-multi-conn")?;
    let expected = "1000000 bytes written and read over 1 connections\n";
    bench.expect(&[&server.uri("")], expected)
}

fn glib_main_loop(bench: &Bench<'_>) -> Result<()> {
    let disk = disk(bench)?;
    let sum: u64 = disk.iter().copied().map(u64::from).sum();
    let expected = format!("8388608 bytes, sum {sum}\n");
    let line = "nbdkit --filter=delay file disk.raw rdelay=5ms";
    let server = Server::start_on_a_port(bench.scenario.directory(), "tcp", line)?;
    bench.expect(&[&server.uri("")], &expected)?;
    let server = bench.serve("memserver --file disk.raw --byte-at-a-time")?;
    bench.expect(&[&server.uri("")], &expected)?;
    let server = bench.serve("nbdkit memory 0")?;
    bench.expect(&[&server.uri("")], "0 bytes, sum 0\n")
}

fn libev_loop(bench: &Bench<'_>) -> Result<()> {
    let disk = disk(bench)?;
    let from = bench.serve("memserver --file disk.raw --shuffle 8")?;
    let to = bench.serve("nbdkit --filter=delay memory 8M wdelay=2ms")?;
    let expected = "8388608 bytes copied\n";
    bench.expect(&[&from.uri(""), &to.uri("")], expected)?;
    if bench.scenario.tool("nbdcopy", &[&to.uri(""), "-"])? != disk {
        return Err("the copy is not what was copied".to_owned());
    }
    let small = bench.serve("nbdkit memory 1M")?;
    bench.fails(&[&from.uri(""), &small.uri("")], "too small")
}

/// `real_programs` also runs it with the C library.
fn batched_copy(bench: &Bench<'_>) -> Result<()> {
    let disk = disk(bench)?;
    let from = bench.serve("memserver --file disk.raw --shuffle 8")?;
    let to = bench.serve("nbdkit --filter=delay memory 8M wdelay=2ms")?;
    let expected = "8388608 bytes copied, with requests sent together\n";
    bench.expect(&[&from.uri(""), &to.uri("")], expected)?;
    if bench.scenario.tool("nbdcopy", &[&to.uri(""), "-"])? != disk {
        return Err("the copy is not what was copied".to_owned());
    }
    let small = bench.serve("nbdkit memory 1M")?;
    bench.fails(&[&from.uri(""), &small.uri("")], "too small")?;
    let broken =
        bench.serve("nbdkit --filter=error memory 8M error-pread=EIO error-pread-rate=100%")?;
    bench.fails(&[&broken.uri(""), &to.uri("")], "Input/output error")
}

/// `real_programs` also runs it with the C library.
fn deadline(bench: &Bench<'_>) -> Result<()> {
    let server = bench.serve("memserver --size 1000000")?;
    bench.expect(&[&server.uri(""), "60"], "1000000 bytes read\n")?;
    let slow = bench.serve("nbdkit --filter=delay memory 1M rdelay=60")?;
    bench.fails(&[&slow.uri(""), "1"], "did not answer in time")?;

    let program = bench.executable.to_string_lossy();
    let interrupted = ["-s", "INT", "1", &program, &slow.uri(""), "60"];
    let outcome = bench
        .scenario
        .run("timeout", &interrupted, &[], Ending::Failure)?;
    let said = String::from_utf8_lossy(&outcome.stderr);
    match said.contains("deadline: interrupted") {
        true => Ok(()),
        false => Err(format!("after ^C it said {said:?}")),
    }
}

/// `real_programs` also runs it with the C library.
fn optional_extensions(bench: &Bench<'_>) -> Result<()> {
    let server = bench.serve("nbdkit memory 1M")?;
    let expected = "A dead server is an error after a minute.\nThe disk has 1048576 bytes.\n";
    bench.expect(&[&server.uri("")], expected)
}

fn tour(bench: &Bench<'_>) -> Result<()> {
    let disk = disk(bench)?;
    let server =
        bench.serve("memserver --export disk --file disk.raw --export scratch --size 16M")?;
    let copy = bench.scenario.text_path("copy");
    let scratch = server.uri("scratch");
    let uri = server.uri("disk");
    let arguments = ["--output", &copy, "--scratch", &scratch, &uri];
    let printed = bench.prints(&arguments)?;
    let expected = bench.scenario.tool("sha256sum", &["disk.raw"])?;
    let expected = String::from_utf8_lossy(&expected);
    let sum = expected.split_whitespace().next().unwrap_or_default();
    if !printed.contains(sum) || sum.is_empty() {
        return Err(format!("no {sum} in:\n{printed}"));
    }
    match fs::read(&copy).map_err(|e| format!("{copy}: {e}"))? == disk {
        true => Ok(()),
        false => Err("the copy is not what was copied".to_owned()),
    }
}
