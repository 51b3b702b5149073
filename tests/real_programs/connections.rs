// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ways to connect that need a port or a particular moment.

use libtest_mimic::Trial;

use support::compare::same;
use support::scenario::Scenario;
use support::servers::{unused_port, Address, Server};
use support::transcript::Transcript;
use support::Result;

fn on_a_port(s: &Scenario, line: &str) -> Result<(Server, u16)> {
    let server = Server::start_on_a_port(s.directory(), "server", line)?;
    match server.address() {
        Address::Port(port) => {
            let port = *port;
            s.replace(&port.to_string(), "PORT");
            Ok((server, port))
        }
        Address::Unix(socket) => Err(format!("{} is no port", socket.display())),
    }
}

/// Returns a transcript of a server on that port, with an offset that contains
/// the port's digits.
fn seen(port: &str) -> Transcript {
    let mut transcript = Transcript::default();
    transcript.replace(port, "PORT");
    let text = format!("{port} nbd://host:{port}/ 2359296 359290");
    transcript.add("output", text.as_bytes());
    transcript
}

pub fn trials() -> Vec<Trial> {
    vec![
        Trial::test(
            "connections: ports are replaced as whole numbers",
            || match seen("35929").difference("one", &seen("40000"), "the other") {
                Some(difference) => Err(difference.into()),
                None => Ok(()),
            },
        ),
        same("connections: TCP: nbdinfo, nbdcopy, nbddump", |s| {
            let (_server, port) = on_a_port(s, "nbdkit pattern 1M")?;
            for host in ["127.0.0.1", "localhost"] {
                let uri = format!("nbd://{host}:{port}");
                s.client("nbdinfo", &[&uri])?;
                s.client("nbdinfo", &["--json", &uri])?;
                s.client("nbdinfo", &["--list", &uri])?;
                s.client("nbdinfo", &["--map", &uri])?;
                s.client("nbddump", &["--length=64", &uri])?;
                s.client("nbdcopy", &[&uri, "copy"])?;
                s.record_file("copy")?;
            }
            Ok(())
        }),
        same("connections: TCP: every address of a name is tried", |s| {
            // The server listens on the IPv4 address only; localhost has both.
            let (_server, port) = on_a_port(s, "nbdkit memory 1M")?;
            let script = format!(
                "h.connect_tcp('localhost', '{port}')\n\
                 print(h.get_size(), h.get_uri())\n"
            );
            s.client("nbdsh", &["-c", &script]).map(|_| ())
        }),
        same("connections: TCP: a connection is refused", |s| {
            let port = unused_port()?;
            s.replace(&port.to_string(), "PORT");
            for host in ["127.0.0.1", "localhost", "[::1]"] {
                let uri = format!("nbd://{host}:{port}");
                s.refused("nbdinfo", &[&uri])?;
                s.refused("nbdcopy", &[&uri, "null:"])?;
            }
            Ok(())
        }),
        same("connections: TCP: a service that does not exist", |s| {
            let script = "h.connect_tcp('localhost', 'no-such-service')";
            s.failing_client("nbdsh", &["-c", script]).map(|_| ())
        }),
        same(
            "connections: a server that is killed while commands wait",
            |s| {
                let line =
                    "nbdkit --filter=log --filter=delay memory 1M logfile=requests rdelay=60";
                let server = s.serve(line)?;
                let pid = server.pid();
                let script = format!(
                    "import os, signal, time\n\
                 buffers = [nbd.Buffer(512) for _ in range(3)]\n\
                 cookies = [h.aio_pread(b, 512 * i) for i, b in enumerate(buffers)]\n\
                 # With requests unread, the socket would say more than its end.\n\
                 while open('requests').read().count(' Read ') < 3:\n\
                 \x20   time.sleep(0.01)\n\
                 os.kill({pid}, signal.SIGKILL)\n\
                 try:\n\
                 \x20   while h.aio_in_flight():\n\
                 \x20       h.poll(10000)\n\
                 except nbd.Error as error:\n\
                 \x20   print('poll:', error)\n\
                 print('dead or closed:', h.aio_is_dead() or h.aio_is_closed())\n\
                 for cookie in cookies:\n\
                 \x20   try:\n\
                 \x20       print(h.aio_command_completed(cookie))\n\
                 \x20   except nbd.Error as error:\n\
                 \x20       print('command:', error)\n\
                 try:\n\
                 \x20   h.pread(512, 0)\n\
                 except nbd.Error as error:\n\
                 \x20   print('later:', error)\n"
                );
                s.replace(&pid.to_string(), "PID");
                s.client("nbdsh", &["-u", &server.uri(""), "-c", &script])?;
                server.kill()
            },
        ),
    ]
}
