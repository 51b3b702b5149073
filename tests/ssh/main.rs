// SPDX-License-Identifier: LGPL-2.1-or-later

//! `nbd+ssh` URIs: through a real Secure Shell server to real NBD servers; and
//! hostile URIs, which must not run anything.

mod sshd;

use std::fs;
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use libtest_mimic::{Arguments, Trial};
use sshd::Sshd;
use support::library::Library;
use support::process::{self, Outcome};
use support::servers::{Address, Server};
use support::{programs, Result};
use tempfile::TempDir;

const LIMIT: Duration = Duration::from_secs(60);

/// A server whose data holds its own offset in every 8 bytes.
const SERVER: &str = "memserver --size 3M --pattern";

type Test = fn(&Sshd) -> Result<()>;

const THROUGH_SSHD: &[(&str, Test)] = &[
    ("forwarding-to-a-port", forwarding_to_a_port),
    ("forwarding-to-a-socket", forwarding_to_a_socket),
    ("compression", compression),
    ("tls-inside-of-ssh", tls_inside_of_ssh),
    ("closing-ends-ssh", closing_ends_ssh),
    (
        "unknown-client-key-is-refused",
        unknown_client_key_is_refused,
    ),
    (
        "an-unknown-host-is-not-trusted",
        an_unknown_host_is_not_trusted,
    ),
    ("no-server-at-the-target", no_server_at_the_target),
];

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    arguments.test_threads.get_or_insert(2);
    let server = Sshd::start().map(Arc::new);
    if let Err(why) = &server {
        eprintln!("ssh: skipping what needs a Secure Shell server, as none can run here: {why}");
    }
    let through_sshd = THROUGH_SSHD.iter().map(|&(name, test)| {
        let (server, ignored) = (server.clone(), server.is_err());
        Trial::test(name, move || Ok(test(&*server?)?)).with_ignored_flag(ignored)
    });
    let mut trials: Vec<_> = through_sshd.collect();
    let test = || Ok(hostile_uris_run_nothing()?);
    trials.push(Trial::test("hostile-uris-run-nothing", test));
    let test = || Ok(ssh_gets_the_parameters_of_the_uri()?);
    trials.push(Trial::test("ssh-gets-what-the-uri-says", test));
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs Python with the nbd module on the library under test; `path` is the
/// PATH in which it finds ssh. A process left running is an error.
fn python(path: &str, script: &str) -> Result<Outcome> {
    let mut command = Library::under_test()?.command(&programs::find("python3")?);
    command.env("PATH", path).args(["-c", script]);
    process::run(&mut command, &[], LIMIT)
}

fn client(path: &str, program: &str, arguments: &[&str]) -> Result<Outcome> {
    let mut command = Library::under_test()?.command(&programs::find(program)?);
    command.env("PATH", path).args(arguments);
    process::run(&mut command, &[], LIMIT)
}

fn text(outcome: Outcome) -> Result<String> {
    if outcome.status.success() {
        return Ok(String::from_utf8_lossy(&outcome.stdout).into_owned());
    }
    Err(outcome.describe())
}

fn temporary_directory() -> Result<TempDir> {
    TempDir::new().map_err(|e| format!("temporary directory: {e}"))
}

fn expect(condition: bool, what: impl FnOnce() -> String) -> Result<()> {
    match condition {
        true => Ok(()),
        false => Err(what()),
    }
}

/// nbdinfo's output and the content are the same with and without ssh.
/// (Debian's nbdcopy takes URIs of this kind for files.)
fn compare(server: &Sshd, direct: &str, through: &str) -> Result<()> {
    let path = server.path()?;
    let seen = |uri| text(client(&path, "nbdinfo", &["--json", "--no-content", uri])?);
    let without_uri = |json: String| {
        let lines = json.lines().filter(|line| !line.contains("\"uri\""));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    let (one, other) = (without_uri(seen(direct)?), without_uri(seen(through)?));
    expect(one == other, || format!("{one:?}\n{other:?}"))?;

    let script = format!(
        "import nbd\ndirect = nbd.NBD()\ndirect.connect_uri('{direct}')\n\
         through = nbd.NBD()\nthrough.connect_uri('{through}')\n\
         assert through.get_size() == 3 << 20\n\
         for offset in range(0, 3 << 20, 1 << 20):\n\
         \x20   data = through.pread(1 << 20, offset)\n\
         \x20   assert data[8:16] == (offset + 8).to_bytes(8, 'big')\n\
         \x20   assert data == direct.pread(1 << 20, offset)\n\
         \x20   through.pwrite(data[::-1], offset)\n\
         \x20   assert direct.pread(1 << 20, offset) == data[::-1]\n\
         through.shutdown()\ndirect.shutdown()\n"
    );
    text(python(&path, &script)?).map(drop)
}

fn port(server: &Server) -> Result<u16> {
    match server.address() {
        Address::Port(port) => Ok(*port),
        Address::Unix(_) => Err("not on a port".to_owned()),
    }
}

fn socket(server: &Server) -> Result<&Path> {
    match server.address() {
        Address::Unix(path) => Ok(path),
        Address::Port(_) => Err("not on a socket".to_owned()),
    }
}

fn forwarding_to_a_port(sshd: &Sshd) -> Result<()> {
    let directory = temporary_directory()?;
    let server = Server::start_on_a_port(directory.path(), "server", SERVER)?;
    let (authority, port) = (sshd.authority(), port(&server)?);
    let direct = format!("nbd://127.0.0.1:{port}/");
    compare(
        sshd,
        &direct,
        &format!("nbd+ssh://{authority}/?nbd-port={port}"),
    )
}

fn forwarding_to_a_socket(sshd: &Sshd) -> Result<()> {
    let directory = temporary_directory()?;
    let server = Server::start(directory.path(), "server", SERVER)?;
    let (authority, socket) = (sshd.authority(), socket(&server)?.display());
    let direct = format!("nbd+unix:///?socket={socket}");
    compare(
        sshd,
        &direct,
        &format!("nbd+ssh://{authority}/?socket={socket}"),
    )
}

fn compression(sshd: &Sshd) -> Result<()> {
    let directory = temporary_directory()?;
    let server = Server::start(directory.path(), "server", SERVER)?;
    let (authority, socket) = (sshd.authority(), socket(&server)?.display());
    let direct = format!("nbd+unix:///?socket={socket}");
    let through = format!("nbd+ssh://{authority}/?socket={socket}&compress=true");
    compare(sshd, &direct, &through)
}

fn tls_inside_of_ssh(sshd: &Sshd) -> Result<()> {
    let directory = temporary_directory()?;
    let keys = directory.path().join("keys.psk");
    let keys = keys.display();
    let mut psktool = Command::new(programs::find("psktool")?);
    psktool.args(["-u", "alice", "-p"]).arg(keys.to_string());
    text(process::run(&mut psktool, &[], LIMIT)?)?;
    let line = format!("nbdkit --tls=require --tls-psk={keys} memory 1M");
    let server = Server::start(directory.path(), "server", &line)?;
    let (authority, socket) = (sshd.authority(), socket(&server)?.display());
    let uri =
        format!("nbds+ssh://{authority}/?socket={socket}&tls-username=alice&tls-psk-file={keys}");
    let script = format!(
        "import nbd\nh = nbd.NBD()\nh.set_uri_allow_local_file(True)\n\
         h.connect_uri('{uri}')\nassert h.get_tls_negotiated()\n\
         h.pwrite(b'through', 512)\nassert h.pread(7, 512) == b'through'\nh.shutdown()\n"
    );
    text(python(&sshd.path()?, &script)?).map(drop)
}

fn closing_ends_ssh(sshd: &Sshd) -> Result<()> {
    let directory = temporary_directory()?;
    let server = Server::start(directory.path(), "server", SERVER)?;
    let (authority, socket) = (sshd.authority(), socket(&server)?.display());
    // The client does not disconnect from the server, whose end of the
    // connection stays open.
    let script = format!(
        "import nbd\nh = nbd.NBD()\nh.connect_uri('nbd+ssh://{authority}/?socket={socket}')\n\
         assert h.pread(8, 512) == (512).to_bytes(8, 'big')\ndel h\n"
    );
    text(python(&sshd.path()?, &script)?).map(drop)
}

/// nbdinfo fails with an error message and leaves no process running.
fn expect_failure(path: &str, uri: &str) -> Result<()> {
    let outcome = client(path, "nbdinfo", &[uri])?;
    let failed = !outcome.status.success() && !outcome.stderr.is_empty();
    expect(failed, || outcome.describe())
}

fn unknown_client_key_is_refused(sshd: &Sshd) -> Result<()> {
    let uri = format!("nbd+ssh://{}/", sshd.authority());
    expect_failure(&sshd.path_with_unknown_key()?, &uri)
}

fn an_unknown_host_is_not_trusted(sshd: &Sshd) -> Result<()> {
    let uri = format!("nbd+ssh://{}/", sshd.authority());
    expect_failure(&sshd.path_without_host_key()?, &uri)
}

fn no_server_at_the_target(sshd: &Sshd) -> Result<()> {
    let uri = format!("nbd+ssh://{}/?socket=/nonexistent/socket", sshd.authority());
    expect_failure(&sshd.path()?, &uri)
}

/// Creates a program called ssh that records its arguments.
fn recorder(directory: &Path) -> Result<String> {
    let log = directory.join("log");
    let script = format!(
        "#!/bin/sh\nprintf '%s\\n' \"$@\" >>'{}'\nexit 1\n",
        log.display()
    );
    sshd::install(&directory.join("bin"), &script)
}

fn hostile_uris_run_nothing() -> Result<()> {
    let directory = temporary_directory()?;
    let path = recorder(directory.path())?;
    let marker = directory.path().join("marker");
    let marker = marker.display();
    let uris = [
        format!("nbd+ssh://-oProxyCommand=touch%20{marker}/"),
        format!("nbd+ssh://$(touch%20{marker})/"),
        "nbd+ssh://%2DoProxyCommand=id/".to_owned(),
        "nbd+ssh://far%3Bid/".to_owned(),
        "nbd+ssh://ssh:%2F%2Ffar/".to_owned(),
        "nbd+ssh://a%40far/".to_owned(),
        "nbd+ssh://-lroot@far/".to_owned(),
        "nbd+ssh://%60id%60@far/".to_owned(),
        "nbd+ssh://%25h@far/".to_owned(),
        "nbd+ssh://far/?socket=-e".to_owned(),
        format!("nbd+ssh://far/?socket=/x%3Btouch%20{marker}"),
        "nbd+ssh://far/?socket=/x%0Aid".to_owned(),
        "nbd+ssh://far/?nbd-port=-e".to_owned(),
        format!("nbd+ssh://far/?nbd-port=1%7Ctouch%20{marker}"),
        "nbd+ssh://far/?nbd-port=$(id)&socket=/x".to_owned(),
        "nbd+ssh:///".to_owned(),
    ];
    for uri in &uris {
        let script = format!(
            "import nbd, errno\nh = nbd.NBD()\ntry:\n    h.connect_uri(\"{uri}\")\n\
             except nbd.Error as e:\n    assert e.errnum == errno.EINVAL, e\n\
             \x20   assert 'nbd+ssh' in e.string or 'SSH transport' in e.string, e\nelse:\n    assert False\n"
        );
        text(python(&path, &script)?).map_err(|why| format!("{uri}: {why}"))?;
        for name in ["log", "marker"] {
            let there = directory.path().join(name).exists();
            expect(!there, || format!("{uri} has run something"))?;
        }
    }
    Ok(())
}

fn ssh_gets_the_parameters_of_the_uri() -> Result<()> {
    let directory = temporary_directory()?;
    let path = recorder(directory.path())?;
    let log = directory.path().join("log");
    for (uri, expected) in [
        ("nbd+ssh://far/", "-p 22 -- far nc localhost 10809"),
        (
            "nbd+ssh://me@far:2222/disk?nbd-port=10810&compress=true",
            "-C -p 2222 -l me -- far nc localhost 10810",
        ),
        (
            "nbds+ssh://[::1]/?socket=/run/nbd.sock",
            "-p 22 -- ::1 nc -U /run/nbd.sock",
        ),
    ] {
        expect_failure(&path, uri)?;
        let words = fs::read_to_string(&log).map_err(|e| format!("{uri}: {e}"))?;
        let words = words.lines().collect::<Vec<_>>().join(" ");
        expect(words == expected, || format!("{uri}: ssh {words}"))?;
        fs::remove_file(&log).map_err(|e| format!("{uri}: {e}"))?;
    }
    Ok(())
}
