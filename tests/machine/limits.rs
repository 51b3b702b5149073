// SPDX-License-Identifier: LGPL-2.1-or-later

//! Limits on the length of a server's messages.

use std::iter::repeat_n;

use nbd::machine::{Event, Extent, Machine, MetaContext, NewCommand, State};
use nbd::protocol::request::RequestType;

use super::script::{play, read, say, send_all, with_allocation, Script};
use super::server::{self, ack, chunk, extended, newstyle, refuse, reply};

type Client = Machine<()>;

/// Returns a client paused in option mode.
fn paused() -> Client {
    let mut machine = Client::default();
    machine.preferences_mut().opt_mode = true;
    machine.connected();
    say(&mut machine, &[newstyle(3), refuse(11, 1), ack(8)].concat());
    send_all(&mut machine);
    assert_eq!(machine.state(), State::Negotiating);
    machine
}

fn listing() -> Client {
    let mut machine = paused();
    machine.opt_list().expect("fixed newstyle");
    machine
}

fn export(name: usize, description: usize) -> Vec<u8> {
    let length = (name as u32).to_be_bytes();
    let name = vec![b'n'; name];
    reply(
        3,
        2,
        &[&length[..], &name, &vec![b'd'; description]].concat(),
    )
}

#[test]
fn names_and_descriptions_have_up_to_4096_bytes() {
    for (name, description) in [(4096, 4096), (4096, 0), (0, 4096)] {
        let events = say(
            &mut listing(),
            &[export(name, description), ack(3)].concat(),
        );
        let [Event::Listed {
            name: listed,
            description: words,
        }, Event::OptionDone(Ok(1))] = &events[..]
        else {
            panic!("{events:?}");
        };
        assert_eq!(listed.count_bytes(), name);
        assert_eq!(words.count_bytes(), description);
    }
    for (name, description) in [(4097, 0), (0, 4097), (4097, 4095), (4095, 4097)] {
        let events = say(&mut listing(), &export(name, description));
        let [Event::Dead(error)] = &events[..] else {
            panic!("{events:?}");
        };
        assert_eq!(error.to_string(), "invalid export length");
    }
    // Longer than two strings: skipped.
    for (name, description) in [(4097, 4096), (4096, 4097), (100_000, 0)] {
        let events = say(
            &mut listing(),
            &[export(name, description), ack(3)].concat(),
        );
        assert_eq!(events, [Event::OptionDone(Ok(0))]);
    }
}

#[test]
fn an_overlong_export_name_ends_the_connection() {
    let mut cut = export(4, 0);
    cut.truncate(cut.len() - 1);
    cut[19] -= 1;
    for bad in [cut, reply(3, 2, &[0, 0, 0])] {
        let events = say(&mut listing(), &bad);
        assert!(matches!(events[..], [Event::Dead(_)]), "{events:?}");
    }
}

#[test]
fn error_texts_have_up_to_4096_bytes() {
    for (length, proper) in [(4096, true), (4097, false), (8196, false), (8197, false)] {
        let events = say(&mut listing(), &reply(3, 1 << 31 | 1, &vec![b'x'; length]));
        match &events[..] {
            [Event::OptionDone(Err(_))] => assert!(proper, "{length}"),
            [Event::Dead(error)] => {
                assert!(!proper, "{length}");
                assert_eq!(error.to_string(), "handshake: option error string too long");
            }
            _ => panic!("{events:?}"),
        }
    }
}

/// Source: seen with libnbd 1.24.4.
#[test]
fn option_replies_have_up_to_64_mib() {
    for (length, proper) in [(1 << 26, true), ((1 << 26) + 1, false)] {
        let mut header = export(0, 0);
        header.truncate(20);
        header[16..].copy_from_slice(&u32::to_be_bytes(length));
        let mut machine = listing();
        let events = say(&mut machine, &header);
        assert_eq!(events.is_empty(), proper, "{events:?}");
        assert_eq!(machine.state() != State::Dead, proper);
    }
}

#[test]
fn unexpected_option_replies_are_reported_by_number() {
    type Ask = fn(&mut Client) -> Result<(), nbd::error::Error>;
    let options: [(u32, &[u32], Ask); 7] = [
        (3, &[3, 4, 5], Machine::opt_list),
        (6, &[2, 4, 5], Machine::opt_info),
        (8, &[2, 3, 4, 5], Machine::opt_structured_reply),
        (11, &[2, 3, 4, 5], Machine::opt_extended_headers),
        (5, &[2, 3, 4, 5], Machine::opt_starttls),
        (9, &[2, 3, 5], |machine| machine.opt_list_meta_context(&[])),
        (10, &[2, 3, 5], |machine| machine.opt_set_meta_context(&[])),
    ];
    for (option, kinds, ask) in options {
        for kind in kinds {
            for length in [5, 8197] {
                let mut machine = paused();
                ask(&mut machine).expect("fixed newstyle");
                let events = say(&mut machine, &reply(option, *kind, &vec![0; length]));
                let [Event::Dead(error)] = &events[..] else {
                    panic!("{events:?}");
                };
                let text = format!("handshake: unexpected option reply type {kind}");
                assert_eq!(error.to_string(), text);
            }
        }
    }
}

#[test]
fn contexts_have_an_id_and_up_to_4096_bytes() {
    for option in [9, 10] {
        for (length, proper) in [(4, false), (5, true), (4 + 4096, true), (4 + 4097, false)] {
            let mut machine = paused();
            let sent = match option {
                9 => machine.opt_list_meta_context(&[]),
                _ => machine.opt_set_meta_context(&[]),
            };
            sent.expect("there is memory");
            let events = say(&mut machine, &reply(option, 4, &vec![b'x'; length]));
            match &events[..] {
                [Event::MetaContext { name }] => {
                    assert!(proper, "{length}");
                    assert_eq!(name.count_bytes(), length - 4);
                }
                [Event::Dead(_)] => assert!(!proper, "{length}"),
                _ => panic!("{events:?}"),
            }
        }
    }
}

#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn contexts_are_kept_up_to_16_mib() {
    let mut machine = paused();
    machine.opt_set_meta_context(&[]).expect("there is memory");
    // Each one takes 4 KiB.
    let length = 4096 - size_of::<MetaContext>();
    let context = reply(10, 4, &vec![b'x'; 4 + length]);
    for context in repeat_n(&context, 4096) {
        let events = say(&mut machine, context);
        assert!(matches!(events[..], [Event::MetaContext { .. }]));
    }
    let events = say(&mut machine, &reply(10, 4, b"1234x"));
    let [Event::Dead(error)] = &events[..] else {
        panic!("{events:?}");
    };
    let text = "handshake: too many meta contexts from the server";
    assert_eq!(error.to_string(), text);
}

/// A negotiation can then be ended even without memory.
#[test]
fn an_option_reserves_room_for_the_abort() {
    let mut machine = Client::default();
    machine.connected();
    say(&mut machine, &[newstyle(3), refuse(11, 1)].concat());
    send_all(&mut machine);
    let before = machine.allocated();
    say(&mut machine, &ack(8));
    let held = machine.allocated() - before;
    assert_eq!(held, 16 + (4 + 2 + 2) + 16);
    say(&mut machine, &refuse(7, 6));
    assert_eq!(machine.allocated() - before, held);
    send_all(&mut machine);
    assert_eq!(machine.allocated(), before);
}

fn block_status(machine: &mut Client) {
    let new = NewCommand {
        kind: RequestType::BlockStatus,
        flags: 0,
        offset: 0,
        length: 1 << 24,
        payload: None,
        reports_data: true,
        attachment: (),
    };
    machine.issue(new).expect("there is memory");
    send_all(machine);
}

#[test]
fn extents_use_no_more_memory_than_needed() {
    for (handshake, reply) in [
        (
            server::handshake_structured(),
            chunk(1, true, 5, &server::extents(42, &[(512, 0); 5])),
        ),
        (
            server::handshake_extended(),
            extended(1, 0, true, 6, &server::extents_64(42, &[(512, 0); 5])),
        ),
    ] {
        let mut machine = Client::default();
        with_allocation(machine.preferences_mut());
        machine.connected();
        say(&mut machine, &handshake);
        block_status(&mut machine);
        let before = machine.allocated();
        say(&mut machine, &reply);
        let held = machine.allocated() - before;
        assert_eq!(held, 5 * size_of::<Extent>());
    }
}

/// A server may describe less than requested, so the program asks again.
#[test]
#[cfg_attr(miri, ignore = "takes minutes")]
fn at_most_a_million_extents_are_reported() {
    const MOST: usize = 1 << 20;
    let end = [server::allocation(), server::go(1 << 30)].concat();
    for (begin, reply) in [
        (
            [newstyle(3), refuse(11, 1), ack(8)].concat(),
            chunk(1, true, 5, &server::extents(42, &vec![(1, 0); MOST + 2])),
        ),
        (
            [newstyle(3), ack(11)].concat(),
            extended(
                1,
                0,
                true,
                6,
                &server::extents_64(42, &vec![(1, 0); MOST + 2]),
            ),
        ),
    ] {
        let mut machine = Client::default();
        with_allocation(machine.preferences_mut());
        machine.connected();
        say(&mut machine, &[&begin[..], &end].concat());
        block_status(&mut machine);
        let extents = Event::Extents {
            cookie: 1,
            context_id: 42,
        };
        let done = Event::Completed { cookie: 1 };
        let events = say(&mut machine, &reply);
        assert_eq!(events, [extents, done]);
        let (command, _, extents) = machine.extents(1, 42, u64::MAX).expect("in flight");
        assert_eq!(extents.len(), MOST);
        assert_eq!(command.error(), 0);
    }
}

/// Source: seen with libnbd 1.24.4, nbd_block_status(3).
#[test]
fn extents_end_before_flags_that_are_too_wide() {
    const WIDEST: u64 = u32::MAX as u64;
    for (flags, count) in [
        ([0, WIDEST, WIDEST + 1], 2),
        ([WIDEST + 1, 0, 0], 1),
        ([0, WIDEST, WIDEST], 3),
    ] {
        let mut machine = Client::default();
        with_allocation(machine.preferences_mut());
        machine.connected();
        say(&mut machine, &server::handshake_extended());
        block_status(&mut machine);
        say(
            &mut machine,
            &extended(
                1,
                0,
                true,
                6,
                &server::extents_64(42, &flags.map(|flags| (1, flags))),
            ),
        );
        let (command, _, extents) = machine.extents(1, 42, WIDEST).expect("in flight");
        assert_eq!(extents.len(), count);
        assert_eq!(command.error(), 0);
    }
}

/// The data of a read of 64 MiB, and its offset.
#[test]
fn chunks_have_up_to_64_mib_and_an_offset() {
    for (length, proper) in [((64_u64 << 20) + 8, true), ((64 << 20) + 9, false)] {
        let mut structured = chunk(1, true, 1, &[]);
        structured[16..].copy_from_slice(&(length as u32).to_be_bytes());
        let mut long = extended(1, 0, true, 1, &[]);
        long[24..].copy_from_slice(&length.to_be_bytes());
        for (handshake, replies) in [
            (server::handshake_structured(), structured),
            (server::handshake_extended(), long),
        ] {
            let outcome = play(&Script {
                settings: &with_allocation,
                handshake: &handshake,
                commands: &[read(0, 512)],
                replies: &replies,
            });
            match proper {
                true => assert_eq!(outcome.group, State::Ready),
                false => assert_eq!(
                    outcome.lines,
                    [format!("dead: invalid server reply length {length}")]
                ),
            }
        }
    }
}

#[test]
fn traffic_is_counted_in_bytes_and_messages() {
    let handshake = server::handshake_structured();
    let mut machine = Client::default();
    with_allocation(machine.preferences_mut());
    machine.connected();
    say(&mut machine, &handshake);
    send_all(&mut machine);
    let traffic = machine.traffic();
    assert_eq!(traffic.bytes_received, handshake.len() as u64);
    assert_eq!(traffic.chunks_received, 1);
    // Flags, then options 11, 8, 10 and 7.
    assert_eq!(traffic.chunks_sent, 4);
    let sent = 4 + 4 * 16 + (4 + 4 + 4 + 15) + (4 + 2 + 2);
    assert_eq!(traffic.bytes_sent, sent);
}
