// SPDX-License-Identifier: LGPL-2.1-or-later

//! The number of bytes to receive for a message.

use nbd::machine::{Machine, NewCommand, Preferences, Tls};
use nbd::protocol::request::RequestType;

use super::script::{defaults, send_all};
use super::server::{
    self, ack, chunk, data, info_export, newstyle, oldstyle, refuse, reply, simple, FLAGS, SIZE,
};

type Client = Machine<Vec<u8>>;

const ANY: usize = usize::MAX;

fn connected(settings: &dyn Fn(&mut Preferences)) -> Client {
    let mut machine = Machine::default();
    settings(machine.preferences_mut());
    machine.connected();
    machine
}

fn say(machine: &mut Client, bytes: &[u8]) {
    let mut input = bytes;
    let put = |command: &mut nbd::machine::Command<Vec<u8>>, at: usize, bytes: &[u8]| {
        command.attachment[at..at + bytes.len()].copy_from_slice(bytes);
    };
    while machine.receive(&mut input, put).is_some() {}
    send_all(machine);
}

/// Feeds messages to the machine and checks how many bytes it awaits after
/// each.
fn awaits(machine: &mut Client, said: &[(&[u8], usize)]) {
    for (number, (bytes, awaited)) in said.iter().enumerate() {
        say(machine, bytes);
        assert_eq!(machine.rest_of_message(ANY), *awaited, "after {number}");
        assert_eq!(machine.rest_of_message(1), 1.min(*awaited));
    }
}

#[test]
fn handshake_is_received_message_by_message() {
    let refusal = reply(11, 1 << 31 | 1, b"words");
    let info = info_export(7, SIZE, FLAGS);
    awaits(
        &mut connected(&defaults),
        &[
            // Every greeting is followed by at least two more bytes.
            (b"", 18),
            (b"NBD", 15),
            (b"MAGICIHAVEOPT", 2),
            (b"\0", 1),
            (b"\x03", 20),
            (&refusal[..5], 15),
            (&refusal[5..20], 5),
            (b"wo", 3),
            (b"rds", 20),
            (&ack(8), 20),
            // Another reply must follow.
            (&info[..20], 32),
            (&info[20..25], 27),
            (&info[25..], 20),
            (&ack(7), 16),
        ],
    );
}

#[test]
fn export_name_replies_have_a_fixed_length() {
    let old = oldstyle(SIZE, 3);
    awaits(
        &mut connected(&defaults),
        &[(&old[..16], 136), (&old[16..26], 126), (&old[26..], 16)],
    );
    let reply = [&SIZE.to_be_bytes()[..], &FLAGS.to_be_bytes()].concat();
    awaits(
        &mut connected(&defaults),
        &[(&newstyle(0), 134), (&reply, 124), (&[0; 124], 16)],
    );
    awaits(
        &mut connected(&defaults),
        &[(&newstyle(2), 10), (&reply, 16)],
    );
}

/// Plaintext received after the agreement to TLS must be detected.
#[test]
fn starttls_replies_are_received_without_a_limit() {
    let refusal = reply(5, 1 << 31 | 1, b"words");
    let mut machine = connected(&|settings| settings.tls = Tls::Allow);
    awaits(
        &mut machine,
        &[
            (&newstyle(3), ANY),
            (&refusal[..20], 5),
            (&refusal[20..], 20),
        ],
    );
    let mut machine = connected(&|settings| settings.tls = Tls::Allow);
    awaits(&mut machine, &[(&newstyle(3), ANY), (&ack(5), ANY)]);
}

#[test]
fn oversized_data_is_awaited_like_other_data() {
    let long = reply(7, 3, &[9; 10_000]);
    let server = [newstyle(3), refuse(11, 1), ack(8)].concat();
    awaits(
        &mut connected(&defaults),
        &[
            (&server, 20),
            (&long[..20], 10_020),
            (&long[20..1020], 9_020),
            (&long[1020..], 20),
        ],
    );
}

fn issue(machine: &mut Client, kind: RequestType, length: usize) {
    let new = NewCommand {
        kind,
        flags: 0,
        offset: 0,
        length: length as u64,
        payload: None,
        reports_data: true,
        attachment: vec![0; length],
    };
    machine.issue(new).expect("there is memory");
    send_all(machine);
}

#[test]
fn headers_are_awaited_as_far_as_known() {
    let mut machine = connected(&defaults);
    let handshake = server::handshake_simple();
    awaits(&mut machine, &[(&handshake, 16)]);
    issue(&mut machine, RequestType::Read, 8);
    let reply = simple(1, 0, b"the data");
    awaits(
        &mut machine,
        &[
            (&reply[..3], 13),
            (&reply[3..16], 8),
            (b"the", 5),
            (b" data", 16),
        ],
    );

    let greeting = [newstyle(3), refuse(11, 1), ack(8)].concat();
    let go = server::go(SIZE);
    let mut machine = connected(&defaults);
    awaits(&mut machine, &[(&greeting, 20), (&go, 16)]);
    // Reads are answered by chunks only.
    issue(&mut machine, RequestType::Read, 8);
    assert_eq!(machine.rest_of_message(ANY), 20);
    issue(&mut machine, RequestType::Flush, 0);
    assert_eq!(machine.rest_of_message(ANY), 16);
    let first = chunk(1, true, 1, &data(0, b"the data"));
    awaits(
        &mut machine,
        &[
            (&first[..4], 16),
            (&first[4..20], 16),
            (&first[20..25], 11),
            (&first[25..30], 6),
            (&first[30..], 16),
            (&chunk(2, true, 0, &[]), 16),
        ],
    );

    let mut machine = connected(&defaults);
    awaits(
        &mut machine,
        &[(&[newstyle(3), ack(11)].concat(), 20), (&go, 32)],
    );
}

#[test]
fn read_data_is_left_for_the_buffer() {
    let greeting = [newstyle(3), refuse(11, 1), ack(8)].concat();
    let go = server::go(SIZE);
    let mut machine = connected(&defaults);
    say(&mut machine, &[greeting, go].concat());
    issue(&mut machine, RequestType::Read, 100);
    let reply = chunk(1, true, 1, &data(0, &[1; 100]));
    say(&mut machine, &reply[..20]);
    // The offset alone, or the whole payload.
    assert_eq!(machine.rest_of_message(107), 8);
    assert_eq!(machine.rest_of_message(108), 108);
    say(&mut machine, &reply[20..23]);
    assert_eq!(machine.rest_of_message(107), 5);
    assert_eq!(machine.direct(), None);
    say(&mut machine, &reply[23..38]);
    assert_eq!(machine.direct(), Some((1, 10, 90)));
    assert_eq!(machine.rest_of_message(50), 50);
    machine.received_directly(40);
    assert_eq!(machine.direct(), Some((1, 50, 50)));
    machine.received_directly(50);
    assert_eq!(machine.direct(), None);
}

/// Returns the lengths of a message after which one of its parts is incomplete.
fn within(machine: &mut Client, message: &[u8]) -> Vec<usize> {
    assert!(!machine.is_within_part());
    let mut found = Vec::new();
    for (number, byte) in message.chunks(1).enumerate() {
        say(machine, byte);
        if machine.is_within_part() {
            found.push(number + 1);
        }
    }
    assert!(!machine.is_within_part());
    found
}

/// Source: seen with libnbd 1.24.4.
#[test]
fn parts_of_a_message_end_where_the_next_one_begins() {
    let mut machine = connected(&defaults);
    let begun: Vec<_> = (1..=15).chain([17]).collect();
    assert_eq!(within(&mut machine, &newstyle(3)), begun);
    // The header of an option reply, and its data.
    let refusal = reply(11, 1 << 31 | 1, b"words");
    let begun: Vec<_> = (1..=19).chain(21..=24).collect();
    assert_eq!(within(&mut machine, &refusal), begun);
    say(
        &mut machine,
        &[refuse(8, 1), info_export(7, SIZE, FLAGS), ack(7)].concat(),
    );
    issue(&mut machine, RequestType::Read, 4);
    assert_eq!(within(&mut machine, &simple(1, 0, b"data")), [17, 18, 19]);

    let greeting = [newstyle(3), refuse(11, 1), ack(8)].concat();
    let go = server::go(SIZE);
    let mut machine = connected(&defaults);
    say(&mut machine, &[greeting, go.clone()].concat());
    issue(&mut machine, RequestType::Read, 16);
    for reply in [
        chunk(1, false, 1, &data(4, b"data")),
        // Not in flight.
        chunk(9, false, 0x8001, b"12345678data"),
        chunk(1, true, 2, &server::hole(8, 8)),
    ] {
        let rest = match reply[20..] == data(4, b"data") {
            true => (21..=27).chain(29..=31).collect::<Vec<_>>(),
            false => (21..=31).collect(),
        };
        let expected = [vec![17, 18, 19], rest].concat();
        assert_eq!(within(&mut machine, &reply), expected);
    }

    // An extended header is a single part.
    let mut machine = connected(&defaults);
    say(&mut machine, &[newstyle(3), ack(11), go].concat());
    issue(&mut machine, RequestType::Read, 16);
    let reply = server::extended(1, 0, true, 1, &data(0, b"data"));
    let expected: Vec<_> = (33..=39).chain(41..=43).collect();
    assert_eq!(within(&mut machine, &reply), expected);
}

#[test]
fn replies_are_reported_when_complete() {
    let mut machine = connected(&super::script::with_allocation);
    say(&mut machine, &server::handshake_structured());
    issue(&mut machine, RequestType::BlockStatus, 512);
    let reply = chunk(1, true, 5, &server::extents(42, &[(512, 0)]));
    let mut input = reply.as_slice();
    let mut reports = 0;
    while let Some(event) = machine.receive(&mut input, |_, _, _| {}) {
        assert!(!machine.is_within_part(), "{event:?}");
        reports += 1;
    }
    assert_eq!(reports, 2);
}

#[test]
fn a_message_ends_where_its_header_says() {
    let mut machine = connected(&defaults);
    assert!(!machine.reaches_end_of_message(b""));
    assert!(machine.reaches_end_of_message(b"N"));
    let greeting = [newstyle(3), refuse(11, 1), ack(8)].concat();
    let go = server::go(SIZE);
    say(&mut machine, &[greeting, go].concat());
    issue(&mut machine, RequestType::Read, 4);
    let reply = chunk(1, true, 1, &data(0, b"data"));
    for length in 0..reply.len() {
        assert!(!machine.reaches_end_of_message(&reply[..length]));
    }
    assert!(machine.reaches_end_of_message(&reply));
    // The longest chunk is awaited; the header of a longer one ends the
    // connection.
    let longest = (64_u32 << 20) + 8;
    for length in [longest, longest + 1] {
        let mut header = reply[..20].to_vec();
        header[16..].copy_from_slice(&length.to_be_bytes());
        let ends = machine.reaches_end_of_message(&header);
        assert_eq!(ends, length > longest);
    }
}
