// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program itself: sockets, signals, descriptors, and the delivery of
//! bytes.

mod common;

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use common::program::*;
use common::*;

#[test]
fn a_unix_socket_is_served_and_removed() {
    let pid_file = path("pid");
    let options = format!("--pid-file {}", pid_file.display());
    let (mut running, socket) = start("unix", &options);
    let pid = std::fs::read_to_string(&pid_file).unwrap();
    assert_eq!(pid.trim().parse(), Ok(running.0.id()));
    let mut first = UnixStream::connect(&socket).unwrap();
    let mut second = UnixStream::connect(&socket).unwrap();
    enter(&mut second, Headers::Simple);
    enter(&mut first, Headers::Simple);
    flush_works(&mut second);
    flush_works(&mut first);
    running.terminate();
    assert_eq!(running.end(), 0);
    assert!(!socket.exists());
    assert!(!pid_file.exists());
}

#[test]
fn a_socket_left_by_a_killed_server_is_taken_over() {
    let (running, socket) = start("stale", "");
    drop(running);
    assert!(socket.exists(), "SIGKILL leaves no time to remove it");
    let (running, socket) = start("stale", "");
    let mut stream = UnixStream::connect(&socket).unwrap();
    enter(&mut stream, Headers::Simple);
    // A socket in use is not replaced.
    let second = Command::new(PROGRAM).arg("--unix").arg(&socket).output();
    let output = second.unwrap();
    assert_eq!(output.status.code(), Some(1));
    flush_works(&mut stream);
    running.terminate();
}

#[test]
fn tcp_is_served_at_the_address_it_prints() {
    let mut command = Command::new(PROGRAM);
    command
        .args(["--tcp", "127.0.0.1:0"])
        .stdout(Stdio::piped());
    let mut running = Running(command.spawn().unwrap());
    let mut address = String::new();
    let stdout = running.0.stdout.take().unwrap();
    BufReader::new(stdout).read_line(&mut address).unwrap();
    let mut stream = TcpStream::connect(address.trim()).unwrap();
    enter(&mut stream, Headers::Simple);
    flush_works(&mut stream);
}

#[test]
fn standard_input_is_served_until_it_ends() {
    let (mut ours, theirs) = UnixStream::pair().unwrap();
    let mut command = Command::new(PROGRAM);
    command.arg("--stdin").stdin(OwnedFd::from(theirs));
    let mut running = Running(command.spawn().unwrap());
    drop(command);
    enter(&mut ours, Headers::Simple);
    flush_works(&mut ours);
    drop(ours);
    assert_eq!(running.end(), 0);
}

#[test]
fn sockets_of_socket_activation_are_served() {
    let socket = path("activation");
    let listener = UnixListener::bind(&socket).unwrap();
    let mut stream = UnixStream::connect(&socket).unwrap();
    // The shell's process id becomes the program's.
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "LISTEN_PID=$$ LISTEN_FDS=1 exec \"$0\" --connections 1",
    ]);
    command.arg(PROGRAM);
    pass(&mut command, &listener, 3);
    let mut running = Running(command.spawn().unwrap());
    enter(&mut stream, Headers::Simple);
    flush_works(&mut stream);
    drop(stream);
    assert_eq!(running.end(), 0);
    std::fs::remove_file(&socket).unwrap();
}

#[test]
fn it_ends_after_so_many_connections() {
    let (mut running, socket) = start("count", "--connections 2");
    for _ in 0..2 {
        let mut stream = UnixStream::connect(&socket).unwrap();
        enter(&mut stream, Headers::Simple);
    }
    assert_eq!(running.end(), 0);
}

#[test]
fn it_ends_with_its_parent() {
    let socket = path("parent");
    let (mut reader, writer) = UnixStream::pair().unwrap();
    let mut command = Command::new("sh");
    command.args([
        "-c",
        "\"$0\" --unix \"$1\" --exit-with-parent --ready-fd 9 & wait",
    ]);
    command.arg(PROGRAM).arg(&socket);
    pass(&mut command, &writer, 9);
    let mut parent = command.spawn().unwrap();
    drop(command);
    drop(writer);
    let mut byte = [0];
    reader.read_exact(&mut byte).unwrap();
    assert!(socket.exists());
    parent.kill().unwrap();
    parent.wait().unwrap();
    let killed = Instant::now();
    while socket.exists() {
        assert!(killed.elapsed() < Duration::from_secs(10), "it goes on");
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn the_log_has_a_line_for_each_option_and_request() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    let mut ours = ours;
    let mut command = Command::new(PROGRAM);
    command.args(["--stdin", "--log", "--error", "READ=EIO"]);
    command.stdin(OwnedFd::from(theirs)).stderr(Stdio::piped());
    let child = command.spawn().unwrap();
    drop(command);
    enter(&mut ours, Headers::Simple);
    flush_works(&mut ours);
    let read = Request::new(0, 512, 1024).encode(Headers::Simple);
    ours.write_all(&read).unwrap();
    drop(ours);
    let output = child.wait_with_output().unwrap();
    let log = String::from_utf8(output.stderr).unwrap();
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(lines.len(), 3, "{log}");
    assert!(lines[0].contains("option GO (7)"));
    assert!(lines[1].contains("FLUSH") && lines[1].ends_with("ok"));
    assert!(lines[2].contains("READ offset 512 length 1024"));
    assert!(!lines[2].ends_with("ok"));
}

#[test]
fn command_line_mistakes_are_reported() {
    for (arguments, status) in [
        (&["--nonsense"][..], 2),
        (&[], 1),
        (&["--file", "/nowhere"], 1),
        (&["--stdin", "--ready-fd", "0"], 1),
    ] {
        let output = Command::new(PROGRAM).args(arguments).output().unwrap();
        assert_eq!(output.status.code(), Some(status), "{arguments:?}");
        assert!(output.stderr.starts_with(b"memserver: "));
    }
    let help = Command::new(PROGRAM).arg("--help").output().unwrap();
    assert!(help.status.success());
    assert!(help.stdout.starts_with(b"Serves in-memory disks"));
}

#[test]
fn it_closes_after_exactly_so_many_bytes() {
    // The greeting, two option replies of GO, and the reply to a read.
    let whole = 18 + 32 + 20 + 16 + 512;
    for bytes in [0, 1, 17, 18, 30, 69, 70, 75, 86, 300, whole - 1, whole] {
        let (_running, socket) = start("close", &format!("--close-after {bytes}"));
        let mut stream = UnixStream::connect(&socket).unwrap();
        let input = [
            &[0, 0, 0, 3][..],
            &option(7, &info_data(b"", &[])),
            &Request::new(0, 0, 512).encode(Headers::Simple),
        ];
        // The server may exit before all of it is written.
        let _ = stream.write_all(&input.concat());
        assert_eq!(all_of(&mut stream).len(), bytes);
    }
}

#[test]
fn it_stalls_after_so_many_bytes_and_stays() {
    let (running, socket) = start("stall", "--stall-after 80");
    let mut stream = UnixStream::connect(&socket).unwrap();
    enter(&mut stream, Headers::Simple);
    stream
        .write_all(&Request::new(3, 0, 0).encode(Headers::Simple))
        .unwrap();
    stream
        .set_read_timeout(Some(Duration::from_millis(100)))
        .unwrap();
    let mut reply = [0; 16];
    assert_eq!(stream.read(&mut reply).unwrap(), 10);
    let error = loop {
        match stream.read(&mut reply) {
            // A read with a timeout fails this way after the process was
            // stopped and continued.
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            outcome => break outcome.unwrap_err(),
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    // Other clients are unaffected, and the server forgets a client that left.
    drop(stream);
    let mut stream = UnixStream::connect(&socket).unwrap();
    enter(&mut stream, Headers::Simple);
    running.terminate();
}

#[test]
fn it_closes_after_so_many_requests() {
    let (_running, socket) = start("requests", "--close-after-requests 3");
    let mut stream = UnixStream::connect(&socket).unwrap();
    enter(&mut stream, Headers::Simple);
    let flush = Request::new(3, 0, 0).encode(Headers::Simple);
    stream.write_all(&flush.repeat(5)).unwrap();
    assert_eq!(all_of(&mut stream).len(), 3 * 16);
}

#[test]
fn sending_byte_by_byte_changes_nothing() {
    let (_running, socket) = start("bytes", "--byte-at-a-time --pattern");
    let mut stream = UnixStream::connect(&socket).unwrap();
    enter(&mut stream, Headers::Structured);
    let read = Request::new(0, 8, 100_000).encode(Headers::Structured);
    let disc = Request::new(2, 0, 0).encode(Headers::Structured);
    stream.write_all(&[read, disc].concat()).unwrap();
    let parts = chunks(&all_of(&mut stream), Headers::Structured);
    assert_eq!(parts[0].payload.len(), 8 + 100_000);
    assert_eq!(u64_at(&parts[0].payload, 8 + 4096), 8 + 4096);
}

#[test]
fn shuffled_and_delayed_replies_all_arrive() {
    for options in ["--shuffle 8", "--shuffle 8 --interleave", "--delay 20"] {
        let (_running, socket) =
            start("shuffle", &format!("{options} --pattern --read-chunks 512"));
        let mut stream = UnixStream::connect(&socket).unwrap();
        enter(&mut stream, Headers::Structured);
        let begun = Instant::now();
        let requests: Vec<Vec<u8>> = (0..20)
            .map(|n| {
                Request::new(0, n * 4096, 4096)
                    .cookie(n)
                    .encode(Headers::Structured)
            })
            .collect();
        stream.write_all(&requests.concat()).unwrap();
        let mut bytes = vec![0; 20 * 8 * (28 + 512)];
        stream.read_exact(&mut bytes).unwrap();
        let parts = chunks(&bytes, Headers::Structured);
        let order: Vec<u64> = parts.iter().map(|part| part.cookie).collect();
        let sorted = order.windows(2).all(|pair| pair[0] <= pair[1]);
        assert_eq!(sorted, options.starts_with("--delay"), "{options}");
        for part in &parts {
            assert_eq!(u64_at(&part.payload, 0) / 4096, part.cookie);
            assert_eq!(u64_at(&part.payload, 8), u64_at(&part.payload, 0));
        }
        assert_eq!(parts.iter().filter(|part| part.done).count(), 20);
        if options.starts_with("--delay") {
            assert!(begun.elapsed() >= Duration::from_millis(20));
        }
    }
}

/// Returns a process's resident memory in bytes.
fn resident(pid: u32) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}

#[test]
fn a_client_that_does_not_read_blocks_no_other() {
    let (running, socket) = start("greedy", "--size 1G --no-holes");
    let mut greedy = UnixStream::connect(&socket).unwrap();
    enter(&mut greedy, Headers::Structured);
    greedy.set_nonblocking(true).unwrap();
    let request = Request::new(0, 0, 32 << 20).encode(Headers::Structured);
    let mut asked = 0;
    let error = loop {
        match greedy.write(&request) {
            Ok(n) => asked += n / request.len(),
            Err(error) => break error,
        }
        if asked % 64 == 0 {
            std::thread::sleep(Duration::from_millis(1));
        }
        assert!(asked < 1_000_000, "the server takes it all in");
    };
    assert_eq!(error.kind(), io::ErrorKind::WouldBlock);
    let mut polite = UnixStream::connect(&socket).unwrap();
    enter(&mut polite, Headers::Simple);
    flush_works(&mut polite);
    let memory = resident(running.0.id());
    assert!(memory < 64 << 20, "{memory} bytes for {asked} requests");
}

#[test]
fn a_file_is_served_whole() {
    let file = path("file");
    let content: Vec<u8> = (0..300_000u32).flat_map(u32::to_be_bytes).collect();
    File::create(&file).unwrap().write_all(&content).unwrap();
    let (_running, socket) = start("served", &format!("--file {}", file.display()));
    std::fs::remove_file(&file).unwrap();
    let mut stream = UnixStream::connect(&socket).unwrap();
    enter(&mut stream, Headers::Simple);
    let read = Request::new(0, 0, content.len() as u64).encode(Headers::Simple);
    stream.write_all(&read).unwrap();
    let mut reply = vec![0; 16 + content.len()];
    stream.read_exact(&mut reply).unwrap();
    assert!(reply[16..] == content);
}

#[test]
fn connections_see_the_writes_of_others() {
    let (_running, socket) = start("shared", "--size 1M");
    let mut writer = UnixStream::connect(&socket).unwrap();
    let mut reader = UnixStream::connect(&socket).unwrap();
    enter(&mut writer, Headers::Simple);
    enter(&mut reader, Headers::Simple);
    let text = [42; 300_000];
    writer.write_all(&write(Headers::Simple, 5, &text)).unwrap();
    let mut reply = [0; 16];
    writer.read_exact(&mut reply).unwrap();
    assert_eq!(error_of(&reply, Headers::Simple), 0);
    let read = Request::new(0, 0, 300_010).encode(Headers::Simple);
    reader.write_all(&read).unwrap();
    let mut reply = vec![0; 16 + 300_010];
    reader.read_exact(&mut reply).unwrap();
    assert_eq!(reply[16..21], [0; 5]);
    assert!(reply[21..300_021] == text);
    assert_eq!(reply[300_021..], [0; 5]);
}
