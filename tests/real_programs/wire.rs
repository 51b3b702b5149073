// SPDX-License-Identifier: LGPL-2.1-or-later

//! Both libraries send the same bytes to a server, in the same order, and end
//! the stream at the same point, according to strace. The servers must also
//! write the same logs, in which some report an unclean disconnect. For TLS,
//! only the end of the stream is compared: its bytes are random, and a server
//! sends session tickets at any time.

use libtest_mimic::Trial;

use crate::c_programs;
use crate::images;
use support::compare::same;
use support::scenario::Scenario;
use support::servers::{Address, Server};
use support::Result;

/// Maximum number of bytes of a system call that strace prints.
const MOST: &str = "1000000";

/// The client's mode, the server, and the export.
const PLAIN: &[(&str, &str, &str)] = &[
    ("commands", "nbdkit memory 1M", ""),
    ("disconnect", "nbdkit memory 1M", ""),
    ("close", "nbdkit memory 1M", ""),
    ("commands", "nbdkit --no-sr memory 1M", ""),
    ("commands", "nbdkit --oldstyle file disk.raw", ""),
    ("commands", "nbdkit --mask-handshake=0 memory 1M", ""),
    ("commands", "nbdkit --mask-handshake=2 memory 1M", ""),
    ("commands", "qemu-nbd --format=raw disk.raw", ""),
    ("go", "nbdkit memory 1M", ""),
    ("abort", "nbdkit memory 1M", ""),
    ("abort", "nbdkit --mask-handshake=0 memory 1M", ""),
    ("shutdown", "nbdkit memory 1M", ""),
    ("shutdown", "nbdkit --mask-handshake=0 memory 1M", ""),
    ("abort", "qemu-nbd --format=raw disk.raw", ""),
    ("commands", "qemu-nbd --format=raw disk.raw", "unknown"),
    ("go", "qemu-nbd --format=raw disk.raw", "unknown"),
];

pub fn trials() -> Vec<Trial> {
    let plain = PLAIN.iter().map(|&(how, line, export)| {
        same(format!("wire: {how}: {line} {export}"), move |s| {
            images::prepare(s, line)?;
            let server = s.serve(line)?;
            let socket = socket(&server)?;
            speak(s, &[how, &socket, export], whole)?;
            server.stop()?;
            // nbdkit prefixes messages with one of its 16 threads: `file.3:
            // error: ...`.
            let log = String::from_utf8_lossy(&s.read("server0.log")?).into_owned();
            let words = log.split(' ').map(|word| match word.split_once('.') {
                Some((plugin, thread)) if is_thread(thread) => format!("{plugin}.N:"),
                _ => word.to_owned(),
            });
            let log = words.collect::<Vec<_>>().join(" ");
            s.record("content of server0.log", log.as_bytes());
            Ok(())
        })
    });
    let refused = ["commands", "go"].map(|how| {
        same(
            format!("wire: {how}: TLS is required and refused"),
            move |s| {
                s.write("keys.psk", KEYS)?;
                let server = s.serve("nbdkit memory 1M")?;
                let socket = socket(&server)?;
                speak(s, &[how, &socket, "", "keys.psk"], whole)
            },
        )
    });
    let tls = ["commands", "disconnect", "close", "go", "abort"].map(|how| {
        same(format!("wire: {how}: TLS"), move |s| {
            s.write("keys.psk", KEYS)?;
            let server = s.serve("nbdkit --tls=require --tls-psk=keys.psk memory 1M")?;
            let socket = socket(&server)?;
            speak(s, &[how, &socket, "", "keys.psk"], end)
        })
    });
    plain.chain(refused).chain(tls).collect()
}

fn socket(server: &Server) -> Result<String> {
    match server.address() {
        Address::Unix(socket) => Ok(socket.display().to_string()),
        Address::Port(port) => Err(format!("port {port} is no socket")),
    }
}

fn is_thread(word: &str) -> bool {
    let number = word.strip_suffix(':').unwrap_or_default();
    !number.is_empty() && number.bytes().all(|digit| digit.is_ascii_digit())
}

const KEYS: &[u8] = b"tester:0123456789abcdef0123456789abcdef\n";

/// A sequence of actions by one side.
#[derive(PartialEq)]
enum Turn {
    Send(String),
    Receive(String),
    /// The server has ended its stream.
    End,
    Shutdown(String),
}

impl Turn {
    fn describe(&self) -> String {
        match self {
            Turn::Send(bytes) => format!("send {}", bytes),
            Turn::Receive(bytes) => format!("receive {}", bytes),
            Turn::End => "end".to_owned(),
            Turn::Shutdown(how) => format!("shutdown {how}"),
        }
    }
}

/// Runs the program and records the bytes sent and received.
fn speak(s: &Scenario, arguments: &[&str], shown: fn(&[Turn]) -> String) -> Result<()> {
    const CALLS: &str = "trace=sendto,sendmsg,recvfrom,recvmsg,shutdown";
    let program = c_programs::wire()?;
    let mut line = vec!["-qq", "-xx", "-s", MOST, "-e", CALLS, "-o", "trace"];
    line.push(&program);
    line.extend(arguments);
    let outcome = s.attempt("strace", &line)?;
    if !outcome.status.success() {
        return Err(format!("strace: {}", outcome.describe()));
    }
    s.record("output", &outcome.stdout);
    let trace = s.read("trace")?;
    let turns = turns(&String::from_utf8_lossy(&trace));
    if !turns.iter().any(|turn| matches!(turn, Turn::Send(_))) {
        return Err("the trace has no message".to_owned());
    }
    s.record("turns", shown(&turns).as_bytes());
    Ok(())
}

/// Returns the whole conversation.
fn whole(turns: &[Turn]) -> String {
    let lines: Vec<_> = turns.iter().map(Turn::describe).collect();
    lines.join("\n")
}

/// Returns the events after the client's last message.
fn end(turns: &[Turn]) -> String {
    let last = |turn: &Turn| matches!(turn, Turn::Send(_));
    let from = turns.iter().rposition(last).map_or(0, |last| last + 1);
    let said = |turn: &&Turn| !matches!(turn, Turn::Receive(_));
    let lines: Vec<_> = turns[from..]
        .iter()
        .filter(said)
        .map(Turn::describe)
        .collect();
    lines.join("\n")
}

/// Parses the output of strace. Consecutive data in the same direction is
/// merged into one turn.
fn turns(trace: &str) -> Vec<Turn> {
    let mut turns: Vec<Turn> = Vec::new();
    for line in trace.lines() {
        let Some((call, rest)) = line.split_once('(') else {
            continue;
        };
        let result = line.rsplit_once(" = ").map_or("", |(_, result)| result);
        let result = result.split(' ').next().unwrap_or_default();
        if call == "shutdown" {
            let how = rest.split([',', ')']).nth(1).unwrap_or_default();
            turns.push(Turn::Shutdown(how.trim().to_owned()));
            continue;
        }
        let Ok(count) = result.parse::<usize>() else {
            continue;
        };
        let bytes = bytes(rest, count);
        match (call.starts_with("send"), turns.last_mut()) {
            (false, _) if count == 0 => turns.push(Turn::End),
            (true, Some(Turn::Send(before))) | (false, Some(Turn::Receive(before))) => {
                before.push_str(&bytes);
            }
            (true, _) => turns.push(Turn::Send(bytes)),
            (false, _) => turns.push(Turn::Receive(bytes)),
        }
    }
    turns
}

/// Returns the first `count` bytes of the strings in the arguments of a system
/// call, in hexadecimal.
fn bytes(arguments: &str, count: usize) -> String {
    let strings = arguments.split('"').skip(1).step_by(2);
    let digits = strings.flat_map(|string| string.split("\\x").skip(1));
    digits.take(count).collect()
}
