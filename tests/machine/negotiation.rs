// SPDX-License-Identifier: LGPL-2.1-or-later

//! From the greeting to transmission.

use nbd::machine::{Machine, Preferences, Protocol, State};

use super::script::{defaults, play, send_all, with_allocation, Outcome, Script};
use super::server::{self, ack, info_export, newstyle, oldstyle, refuse, reply, FLAGS, SIZE};

fn connect(settings: &dyn Fn(&mut Preferences), server: &[u8]) -> Outcome {
    play(&Script {
        settings,
        handshake: server,
        commands: &[],
        replies: &[],
    })
}

/// Returns the numbers of the options that were sent.
fn options(sent: &[u8]) -> Vec<u32> {
    let mut found = Vec::new();
    let mut rest = &sent[4..];
    while rest.len() >= 16 && rest.starts_with(b"IHAVEOPT") {
        let field = |at: usize| u32::from_be_bytes(rest[at..at + 4].try_into().expect("4 bytes"));
        found.push(field(8));
        rest = &rest[16 + field(12) as usize..];
    }
    assert!(rest.is_empty());
    found
}

#[test]
fn options_are_tried_in_order_until_transmission() {
    let outcome = connect(&with_allocation, &server::handshake_structured());
    assert_eq!(outcome.group, State::Ready);
    assert_eq!(outcome.sent[..4], 3_u32.to_be_bytes());
    assert_eq!(options(&outcome.sent), [11, 8, 10, 7]);
}

#[test]
fn extended_headers_imply_structured_replies() {
    let outcome = connect(&with_allocation, &server::handshake_extended());
    assert_eq!(options(&outcome.sent), [11, 10, 7]);
}

#[test]
fn contexts_are_requested_only_with_structured_replies() {
    let outcome = connect(&with_allocation, &server::handshake_simple());
    assert_eq!(options(&outcome.sent), [11, 8, 7]);
    assert_eq!(outcome.group, State::Ready);
}

#[test]
fn an_oldstyle_handshake_is_one_message() {
    let outcome = connect(&defaults, &oldstyle(SIZE, 3));
    assert_eq!(outcome.group, State::Ready);
    assert!(outcome.sent.is_empty());
}

#[test]
fn oldstyle_servers_have_no_handshake_flags() {
    let outcome = connect(&defaults, &oldstyle(SIZE, 0x1_0001));
    assert_eq!(
        outcome.lines,
        ["dead: handshake: oldstyle server should not set gflags"]
    );
}

#[test]
fn plain_newstyle_uses_export_name_only() {
    let reply = [&SIZE.to_be_bytes()[..], &FLAGS.to_be_bytes(), &[0; 124]].concat();
    let outcome = connect(&defaults, &[newstyle(0), reply].concat());
    assert_eq!(outcome.group, State::Ready);
    assert_eq!(outcome.sent[..4], [0; 4]);
    assert_eq!(options(&outcome.sent), [1]);
}

#[test]
fn padding_is_omitted_when_both_sides_agree() {
    let reply = [&SIZE.to_be_bytes()[..], &FLAGS.to_be_bytes()].concat();
    let outcome = connect(&defaults, &[newstyle(2), reply].concat());
    assert_eq!(outcome.group, State::Ready);
    assert_eq!(outcome.sent[..4], 2_u32.to_be_bytes());
}

#[test]
fn export_name_is_used_without_go() {
    let reply = [&SIZE.to_be_bytes()[..], &FLAGS.to_be_bytes()].concat();
    let server = [
        newstyle(3),
        refuse(11, 1),
        refuse(8, 1),
        refuse(7, 1),
        reply,
    ]
    .concat();
    let outcome = connect(&defaults, &server);
    assert_eq!(outcome.group, State::Ready);
    assert_eq!(options(&outcome.sent), [11, 8, 7, 1]);
}

#[test]
fn a_missing_export_ends_connecting_outside_option_mode() {
    let unknown = reply(7, 1 << 31 | 6, b"try another");
    let server = [newstyle(3), refuse(11, 1), ack(8), unknown].concat();
    let outcome = connect(&defaults, &server);
    assert_eq!(
        outcome.lines,
        ["dead: the server has no export named '': try another: No such file or directory"]
    );
    assert_eq!(options(&outcome.sent), [11, 8, 7, 2]);
}

#[test]
fn an_export_may_have_no_known_size() {
    let server = [newstyle(3), refuse(11, 1), ack(8), ack(7)].concat();
    let outcome = connect(&defaults, &server);
    assert_eq!(outcome.group, State::Ready);
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes, and others do the same")]
fn malformed_option_replies_end_the_connection() {
    let greeting = [newstyle(3), refuse(11, 1), ack(8)].concat();
    let mut bad_magic = ack(7);
    bad_magic[0] ^= 1;
    let cases = [
        (bad_magic, "handshake: invalid option reply magic or option"),
        (ack(8), "handshake: invalid option reply magic or option"),
        (
            reply(7, 1, b"why"),
            "handshake: invalid NBD_REP_ACK option reply length",
        ),
        (
            reply(7, 77, &[]),
            "handshake: unexpected option reply type 77",
        ),
        (
            reply(7, 3, &[0]),
            "handshake: NBD_REP_INFO reply length too small",
        ),
        (
            reply(7, 3, &[0; 11]),
            "handshake: incorrect NBD_INFO_EXPORT option reply length",
        ),
        (
            info_export(7, SIZE, 0),
            "handshake: invalid eflags == 0 from server: Invalid argument",
        ),
    ];
    for (reply, what) in cases {
        let outcome = connect(&defaults, &[greeting.clone(), reply].concat());
        assert_eq!(outcome.lines, [format!("dead: {what}")]);
    }
}

#[test]
fn announced_option_lengths_take_no_memory() {
    let mut huge = reply(7, 3, &[]);
    huge[16..20].copy_from_slice(&u32::MAX.to_be_bytes());
    let outcome = connect(
        &defaults,
        &[newstyle(3), refuse(11, 1), ack(8), huge].concat(),
    );
    assert_eq!(
        outcome.lines,
        ["dead: handshake: invalid option reply length"]
    );
}

#[test]
fn other_servers_are_reported_as_not_nbd() {
    let outcome = connect(&defaults, b"SSH-2.0-OpenSSH_9.2p1\r\n");
    assert_eq!(
        outcome.lines,
        ["dead: handshake: server did not send expected NBD magic"]
    );
    let outcome = connect(&defaults, b"NBDMAGICNBDMAGIC");
    assert_eq!(outcome.group, State::Dead);
}

#[test]
fn block_sizes_that_contradict_themselves_are_ignored() {
    for (sizes, proper) in [
        ([1_u32, 4096, 1 << 25], true),
        ([512, 512, u32::MAX], true),
        ([3, 4096, 1 << 25], false),
        ([4096, 512, 1 << 25], false),
        ([512, 4096, 1000], false),
        ([1 << 17, 1 << 17, 1 << 25], false),
        ([0, 0, 0], false),
    ] {
        let mut data = vec![0, 3];
        data.extend(sizes.iter().flat_map(|size| size.to_be_bytes()));
        let server = [
            newstyle(3),
            refuse(11, 1),
            ack(8),
            info_export(7, SIZE, FLAGS),
            reply(7, 3, &data),
            ack(7),
        ]
        .concat();
        let mut machine = Machine::<()>::default();
        machine.connected();
        let mut input = server.as_slice();
        while machine.receive(&mut input, |_, _, _| {}).is_some() {}
        send_all(&mut machine);
        assert_eq!(machine.export().block_size.is_some(), proper, "{sizes:?}");
        assert_eq!(machine.state(), State::Ready);
    }
}

#[test]
fn option_mode_pauses_for_the_program() {
    let mut machine = Machine::<()>::default();
    machine.preferences_mut().opt_mode = true;
    machine.connected();
    let say = |machine: &mut Machine<()>, bytes: &[u8]| {
        let mut input = bytes;
        let mut events = Vec::new();
        while let Some(event) = machine.receive(&mut input, |_, _, _| {}) {
            events.push(format!("{event:?}"));
        }
        send_all(machine);
        events
    };
    say(&mut machine, &[newstyle(3), ack(11)].concat());
    assert_eq!(machine.state(), State::Negotiating);
    assert_eq!(machine.negotiated().protocol, Some(Protocol::NewstyleFixed));
    machine.opt_list().expect("allowed");
    assert_eq!(machine.state(), State::Connecting);
    let export = reply(3, 2, &[&4_u32.to_be_bytes()[..], b"diskthe disk"].concat());
    let events = say(&mut machine, &[export, ack(3)].concat());
    assert!(events[0].contains("\"disk\"") && events[0].contains("\"the disk\""));
    assert!(events[1].contains("OptionDone(Ok(1))"));
    machine.opt_go().expect("there is memory");
    let events = say(&mut machine, &refuse(7, 6));
    assert!(events[0].contains("OptionDone(Err"));
    assert_eq!(machine.state(), State::Negotiating);
    machine.opt_go().expect("there is memory");
    say(&mut machine, &server::go(SIZE));
    assert_eq!(machine.state(), State::Ready);
}

#[test]
fn unsolicited_replies_answer_no_option() {
    let mut machine = Machine::<()>::default();
    machine.preferences_mut().opt_mode = true;
    machine.connected();
    let bytes = [newstyle(3), ack(11), info_export(7, SIZE, FLAGS)].concat();
    let mut input = bytes.as_slice();
    while machine.receive(&mut input, |_, _, _| {}).is_some() {}
    assert_eq!(machine.state(), State::Dead);
}
