// SPDX-License-Identifier: LGPL-2.1-or-later

//! Debug messages about server behaviour that is otherwise invisible to the
//! program.

use nbd::machine::{Event, Machine, NewCommand, Preferences, Tls};
use nbd::protocol::request::RequestType;

use super::script::{defaults, send_all};
use super::server::{
    self, ack, chunk, error, extents, info_export, meta_context, newstyle, oldstyle, refuse, reply,
    SIZE,
};

type Client = Machine<()>;

fn connected(settings: &dyn Fn(&mut Preferences)) -> Client {
    let mut machine = Client::default();
    settings(machine.preferences_mut());
    machine.connected();
    machine
}

fn notes(machine: &mut Client, bytes: &[u8]) -> Vec<String> {
    let mut input = bytes;
    let mut notes = Vec::new();
    while let Some(event) = machine.receive(&mut input, |_, _, _| {}) {
        if let Event::Note(text) = event {
            notes.push(text.into_owned());
        }
    }
    send_all(machine);
    notes
}

#[test]
fn negotiation_is_logged() {
    let pausing = |settings: &mut Preferences| settings.opt_mode = true;
    let mut machine = connected(&pausing);
    assert_eq!(
        notes(&mut machine, &[newstyle(3), refuse(11, 1), ack(8)].concat()),
        [
            "extended headers are not supported by this server",
            "negotiated structured replies on this connection"
        ]
    );
    machine.opt_extended_headers().expect("fixed newstyle");
    assert_eq!(
        notes(&mut machine, &ack(11)),
        ["negotiated extended headers on this connection"]
    );
    machine.opt_structured_reply().expect("fixed newstyle");
    assert_eq!(
        notes(&mut machine, &refuse(8, 3)),
        ["structured replies are not supported by this server"]
    );
    machine.opt_set_meta_context(&[]).expect("fixed newstyle");
    assert_eq!(
        notes(
            &mut machine,
            &[meta_context(10, 7, "x:y"), ack(10)].concat()
        ),
        ["negotiated x:y with context ID 7"]
    );
    machine.opt_starttls().expect("fixed newstyle");
    notes(&mut machine, &ack(5));
    machine.tls_established();
    assert_eq!(
        notes(&mut machine, &[]),
        ["negotiated TLS on this connection"]
    );
}

#[test]
fn export_information_is_logged() {
    let sizes = [[0, 0, 2, 0], [0, 0, 16, 0], [0, 16, 0, 0]].concat();
    let block_size = |sizes: &[u8]| reply(7, 3, &[b"\0\x03", sizes].concat());
    let said = [
        newstyle(3),
        refuse(11, 1),
        refuse(8, 1),
        info_export(7, SIZE, 0x1081),
        block_size(&sizes),
        block_size(&[0; 12]),
        reply(7, 3, b"\0\x63"),
        reply(7, 3, &[1; 8197]),
        ack(7),
    ];
    let printed = notes(&mut connected(&defaults), &said.concat());
    assert_eq!(
        printed[2..],
        [
            "exportsize: 1048576 eflags: 0x1081",
            "server lacks structured replies, ignoring claim of df",
            "server lacks extended headers, ignoring claim of block status payload",
            "server block size constraints: min: 512 preferred: 4096 max: 1048576",
            "server block size constraints: min: 0 preferred: 0 max: 0",
            "ignoring improper server size constraints",
            "skipping unknown NBD_REP_INFO type 99",
            "skipping large NBD_REP_INFO",
        ]
    );
    let printed = notes(&mut connected(&defaults), &oldstyle(SIZE, 0x1_0003));
    assert_eq!(printed, ["gflags: 0x1"]);
}

#[test]
fn refusals_are_logged() {
    let pausing = |settings: &mut Preferences| settings.opt_mode = true;
    let mut machine = connected(&pausing);
    notes(&mut machine, &[newstyle(3), refuse(11, 1), ack(8)].concat());
    machine.opt_list().expect("fixed newstyle");
    assert_eq!(
        notes(&mut machine, &refuse(3, 1)),
        ["unexpected response, possibly the server does not support listing exports"]
    );
    machine.opt_list_meta_context(&[]).expect("fixed newstyle");
    assert_eq!(
        notes(&mut machine, &refuse(9, 1)),
        ["unexpected response, possibly the server does not support meta contexts"]
    );
    for (number, reason) in [
        (1, "server refused TLS (not supported)"),
        (2, "server refused TLS (policy)"),
        (3, "server refused TLS (invalid request)"),
    ] {
        machine.opt_starttls().expect("fixed newstyle");
        assert_eq!(notes(&mut machine, &refuse(5, number)), [reason]);
    }
    machine.preferences_mut().meta_contexts = vec![c"x:".to_owned()];
    machine.opt_go().expect("there is memory");
    assert_eq!(
        notes(&mut machine, &[refuse(10, 1), refuse(7, 1)].concat()),
        [
            "handshake: ignoring unexpected error from NBD_OPT_SET_META_CONTEXT (2147483649)",
            "server is confused by NBD_OPT_GO, continuing anyway"
        ]
    );
    let mut machine = connected(&|settings| settings.tls = Tls::Allow);
    assert_eq!(
        notes(&mut machine, &[newstyle(3), refuse(5, 2)].concat()),
        [
            "server refused TLS (policy)",
            "continuing with unencrypted connection"
        ]
    );
}

#[test]
fn skipped_replies_are_logged() {
    let mut machine = connected(&super::script::with_allocation);
    notes(&mut machine, &server::handshake_structured());
    for kind in [RequestType::Flush, RequestType::BlockStatus] {
        let new = NewCommand {
            kind,
            flags: 0,
            offset: 0,
            length: 512,
            payload: None,
            reports_data: true,
            attachment: (),
        };
        machine.issue(new).expect("there is memory");
    }
    send_all(&mut machine);
    for (reply, note) in [
        (
            chunk(1, false, 0x8001, &error(5, "bad sector")),
            "structured error server message: bad sector",
        ),
        (
            chunk(2, false, 5, &extents(77, &[(512, 0)])),
            "ignoring block status of a context that was not negotiated",
        ),
        (
            chunk(99, true, 0, &[]),
            "skipping a reply chunk whose cookie is not in flight",
        ),
        (
            server::simple(99, 0, &[]),
            "skipping a simple reply whose cookie is not in flight",
        ),
    ] {
        assert_eq!(notes(&mut machine, &reply), [note]);
    }
    let silent = chunk(1, true, 0x8001, &error(5, ""));
    assert!(notes(&mut machine, &silent).is_empty());
}

#[test]
fn skipped_exports_are_logged() {
    let mut machine = connected(&|settings| settings.opt_mode = true);
    notes(&mut machine, &[newstyle(3), refuse(11, 1), ack(8)].concat());
    machine.opt_list().expect("fixed newstyle");
    let long = reply(3, 2, &[0; 8197]);
    assert_eq!(
        notes(&mut machine, &long),
        ["skipping too large export name reply"]
    );
}
