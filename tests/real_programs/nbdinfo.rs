// SPDX-License-Identifier: LGPL-2.1-or-later

//! nbdinfo: all of its output for every server, and its error messages.

use libtest_mimic::Trial;

use crate::images;
use crate::servers::{is_simple, Export, EXPORTS};
use support::compare::{same, same_since};
use support::scenario::{Ending, Scenario};
use support::Result;

/// The options of one test. Options in a group are used on one server in
/// sequence, each by a new client.
struct Question {
    name: &'static str,
    options: &'static [&'static [&'static str]],
    ending: Ending,
}

const QUESTIONS: &[Question] = &[
    Question {
        name: "information",
        options: &[&[], &["--json"], &["--no-content"]],
        ending: Ending::Success,
    },
    Question {
        // nbdinfo 1.24 uses NBD_OPT_INFO for this, which not every server
        // supports.
        name: "size",
        options: &[&["--size"], &["--size", "--json"]],
        ending: Ending::Either,
    },
    Question {
        // Servers of the oldest protocols cannot list exports.
        name: "list",
        options: &[&["--list"], &["--list", "--json"], &["--list", "--content"]],
        ending: Ending::Either,
    },
    Question {
        // Not every server supports block status.
        name: "map",
        options: &[
            &["--map"],
            &["--map", "--json"],
            &["--map", "--totals"],
            &["--map", "--totals", "--json"],
            &["--map=qemu:dirty-bitmap:bitmap0"],
            &["--map=qemu:allocation-depth"],
            &["--map=qemu:allocation-depth", "--totals"],
            &["--map=x:y"],
            &["--map=no:such-map"],
        ],
        ending: Ending::Either,
    },
    Question {
        name: "can and is",
        options: &[
            &["--can=block-status-payload"],
            &["--can=cache"],
            &["--can=connect"],
            &["--can=df"],
            &["--can=extended-headers"],
            &["--can=fast-zero"],
            &["--can=flush"],
            &["--can=fua"],
            &["--can=multi-conn"],
            &["--can=read"],
            &["--can=structured-reply"],
            &["--can=trim"],
            &["--can=write"],
            &["--can=zero"],
            &["--is=read-only"],
            &["--is=rotational"],
            &["--is=tls"],
        ],
        ending: Ending::Either,
    },
];

pub fn trials() -> Vec<Trial> {
    let mut trials = Vec::new();
    for export in EXPORTS {
        for question in QUESTIONS {
            let (what, server) = (question.name, export.server);
            let slash = if export.name.is_empty() { "" } else { " /" };
            let name = format!("nbdinfo: {what}: {server}{slash}{}", export.name);
            let steps = move |s: &Scenario| ask(s, export, question);
            // An old library does not ask such a server for its meta contexts.
            trials.push(
                match is_simple(server) && ["information", "list"].contains(&what) {
                    true => same_since(22, name, steps),
                    false => same(name, steps),
                },
            );
        }
    }
    trials.extend(errors());
    trials
}

fn ask(s: &Scenario, export: &Export, question: &Question) -> Result<()> {
    images::prepare(s, export.server)?;
    let single = export.server.starts_with("nbd-server");
    let mut server = s.serve(export.server)?;
    let mut uri = server.uri(export.name);
    for options in question.options {
        if single && options.contains(&"--content") {
            // It needs one connection for the list and one for the content.
            continue;
        }
        let arguments = [options, &[uri.as_str()][..]].concat();
        s.run("nbdinfo", &arguments, &[], question.ending)?;
        if single {
            server.stop()?;
            server = s.serve(export.server)?;
            s.replace(&uri, "URI");
            uri = server.uri(export.name);
        }
    }
    Ok(())
}

fn errors() -> Vec<Trial> {
    vec![
        same("nbdinfo: error: no such socket", |s| {
            let uri = format!("nbd+unix:///?socket={}", s.text_path("nothing"));
            for options in [
                &["--json"][..],
                &["--list"],
                &["--map"],
                &["--can=read"],
                &[],
            ] {
                s.refused("nbdinfo", &[options, &[uri.as_str()]].concat())?;
            }
            Ok(())
        }),
        same("nbdinfo: error: URIs that mean nothing", |s| {
            for uri in [
                "",
                "nbd",
                "nbd:",
                "/tmp/socket",
                "http://localhost",
                "nbd+tcp://localhost",
                "nbd://localhost:port",
                "nbd://[::1",
                "nbd://local host",
                "nbd+unix:///",
                "nbd+unix:///?sock=/tmp/socket",
                "nbd://localhost?socket=/tmp/socket",
                "nbd+vsock://port",
                "nbd+vsock://1:x",
            ] {
                s.refused("nbdinfo", &["--", uri])?;
            }
            Ok(())
        }),
        same("nbdinfo: error: no such export", |s| {
            images::prepare(s, "exports")?;
            let server = s.serve("nbdkit file dir=exports")?;
            let uri = server.uri("three");
            for options in [
                &["--json"][..],
                &["--size"],
                &["--map"],
                &["--can=write"],
                &[],
            ] {
                s.refused("nbdinfo", &[options, &[uri.as_str()]].concat())?;
            }
            s.client("nbdinfo", &["--list", &uri]).map(|_| ())
        }),
        same("nbdinfo: error: an export name that is refused", |s| {
            let server = s.serve(
                "nbdkit --filter=exportname memory 1M exportname-strict=true exportname=one",
            )?;
            s.client("nbdinfo", &[&server.uri("one")])?;
            s.refused("nbdinfo", &[&server.uri("two")])?;
            s.refused("nbdinfo", &[&server.uri("")])
        }),
        same("nbdinfo: error: a list that is refused", |s| {
            let server = s.serve("nbdkit --filter=exportname memory 1M exportname-list=error")?;
            s.failing_client("nbdinfo", &["--list", &server.uri("")])
                .map(|_| ())
        }),
        same("nbdinfo: error: wrong export of qemu-nbd", |s| {
            images::prepare(s, "disk.raw")?;
            let server = s.serve("qemu-nbd --format=raw --export-name=disk disk.raw")?;
            s.refused("nbdinfo", &[&server.uri("")])?;
            s.refused("nbdinfo", &["--size", &server.uri("nothing")])?;
            s.client("nbdinfo", &["--list", &server.uri("nothing")])
                .map(|_| ())
        }),
        same("nbdinfo: error: the server cannot be read", |s| {
            let server =
                s.serve("nbdkit --filter=error memory 1M error-pread=EIO error-pread-rate=100%")?;
            s.run("nbdinfo", &[&server.uri("")], &[], Ending::Either)?;
            s.client("nbdinfo", &["--no-content", &server.uri("")])
                .map(|_| ())
        }),
        same("nbdinfo: error: the server has no map to give", |s| {
            let server = s.serve(
                "nbdkit --filter=error memory 1M error-extents=EINVAL error-extents-rate=100%",
            )?;
            s.failing_client("nbdinfo", &["--map", &server.uri("")])?;
            s.failing_client("nbdinfo", &["--map", "--totals", &server.uri("")])
                .map(|_| ())
        }),
        same("nbdinfo: error: the server insists on TLS", |s| {
            s.write("keys.psk", b"tester:0123456789abcdef0123456789abcdef\n")?;
            let server = s.serve("nbdkit --tls=require --tls-psk=keys.psk memory 1M")?;
            for options in [
                &["--json"][..],
                &["--list"],
                &["--size"],
                &["--can=write"],
                &[],
            ] {
                let uri = server.uri("");
                s.refused("nbdinfo", &[options, &[uri.as_str()]].concat())?;
            }
            Ok(())
        }),
        same("nbdinfo: error: the server exits at once", |s| {
            for server in [
                &["false"][..],
                &["no-such-program"],
                &["nbdkit", "file", "nothing"],
            ] {
                let arguments = [&["--", "["][..], server, &["]"]].concat();
                let outcome = s.attempt("nbdinfo", &arguments)?;
                // The client may or may not connect in time.
                s.record("ending", outcome.ending().as_bytes());
                let said = String::from_utf8_lossy(&outcome.stderr).into_owned();
                if !said.contains("nbd_connect_systemd_socket_activation: ") {
                    return Err(outcome.describe());
                }
            }
            Ok(())
        }),
        same("nbdinfo: an export of the largest size", |s| {
            let server = s.serve("nbdkit null 9223372036854775807")?;
            s.client("nbdinfo", &[&server.uri("")])?;
            s.client("nbdinfo", &["--size", &server.uri("")])
                .map(|_| ())
        }),
        same("nbdinfo: the server as a child of its own", |s| {
            images::prepare(s, "disk.qcow2")?;
            for server in [
                "nbdkit memory 10M",
                "nbdkit pattern 1M",
                "nbdkit --filter=cow file disk.raw",
                "qemu-nbd --format=raw disk.raw",
                "qemu-nbd --format=qcow2 --bitmap=bitmap0 disk.qcow2",
            ] {
                for options in [&[][..], &["--json"], &["--list"], &["--map"]] {
                    let mut arguments = options.to_vec();
                    arguments.extend(["--", "["]);
                    arguments.extend(server.split(' '));
                    arguments.push("]");
                    s.client("nbdinfo", &arguments)?;
                }
            }
            Ok(())
        }),
    ]
}
