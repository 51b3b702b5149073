// SPDX-License-Identifier: LGPL-2.1-or-later

//! Cached information about the export, and its lifetime.

use std::ffi::{CStr, CString};

use nbd::machine::{Event, Machine, MetaContext, MetaContexts, Protocol, State};
use nbd::protocol::flags::TransmissionFlags;
use nbd::protocol::option::BlockSize;

use super::script::say;
use super::server::{
    self, ack, info_export, meta_context, newstyle, oldstyle, refuse, reply, FLAGS, SIZE,
};

type Client = Machine<()>;

/// Sends the machine's output and returns it.
fn asked(machine: &mut Client) -> Vec<u8> {
    let bytes = machine.outgoing().map(|piece| match piece {
        nbd::machine::Piece::Bytes(bytes) => bytes.to_vec(),
        nbd::machine::Piece::Data { .. } => panic!("no write was issued"),
    });
    let bytes: Vec<_> = bytes.flatten().collect();
    machine.sent(bytes.len());
    bytes
}

fn connected(server: &[u8]) -> Client {
    let mut machine = Client::default();
    machine.connected();
    say(&mut machine, server);
    asked(&mut machine);
    assert_eq!(machine.state(), State::Ready);
    machine
}

/// Returns a client paused in option mode.
fn paused(extended: bool) -> Client {
    let mut machine = Client::default();
    machine.preferences_mut().opt_mode = true;
    machine.connected();
    let answers = match extended {
        true => ack(11),
        false => [refuse(11, 1), ack(8)].concat(),
    };
    say(&mut machine, &[newstyle(3), answers].concat());
    asked(&mut machine);
    assert_eq!(machine.state(), State::Negotiating);
    machine
}

fn info(option: u32, kind: u16, data: &[u8]) -> Vec<u8> {
    reply(option, 3, &[&kind.to_be_bytes(), data].concat())
}

fn names(contexts: &MetaContexts) -> Vec<&CStr> {
    let contexts = contexts.in_effect().iter();
    contexts.map(|context| context.name.as_c_str()).collect()
}

#[test]
fn size_and_flags_come_from_the_server() {
    let short = [&SIZE.to_be_bytes()[..], &FLAGS.to_be_bytes()].concat();
    let by_name = [newstyle(2), short].concat();
    for (server, protocol, flags) in [
        (oldstyle(SIZE, 5), Protocol::Oldstyle, 5),
        (oldstyle(SIZE, 0xffff), Protocol::Oldstyle, !0x1080),
        (by_name, Protocol::Newstyle, FLAGS & !0x1080),
        (
            server::handshake_simple(),
            Protocol::NewstyleFixed,
            FLAGS & !0x1080,
        ),
        (
            [
                newstyle(3),
                refuse(11, 1),
                ack(8),
                info_export(7, SIZE, FLAGS),
                ack(7),
            ]
            .concat(),
            Protocol::NewstyleFixed,
            FLAGS & !0x1000,
        ),
        (
            [newstyle(3), ack(11), info_export(7, SIZE, FLAGS), ack(7)].concat(),
            Protocol::NewstyleFixed,
            FLAGS,
        ),
    ] {
        let machine = connected(&server);
        assert_eq!(machine.negotiated().protocol, Some(protocol));
        assert_eq!(machine.export().size(), SIZE);
        // Flags for replies that were not negotiated are ignored.
        assert_eq!(machine.export().flags(), TransmissionFlags(flags));
    }
    let unknown = Client::default();
    assert_eq!(unknown.export().size(), 0);
    assert_eq!(unknown.export().flags(), TransmissionFlags(0));
}

#[test]
fn protocols_are_named_as_in_the_manual() {
    assert_eq!(Protocol::Oldstyle.name(), c"oldstyle");
    assert_eq!(Protocol::Newstyle.name(), c"newstyle");
    assert_eq!(Protocol::NewstyleFixed.name(), c"newstyle-fixed");
}

#[test]
fn handshake_flags_are_those_of_both_sides() {
    for (offered, willing, agreed, protocol) in [
        (3, 3, 3, Protocol::NewstyleFixed),
        (0xffff, 3, 3, Protocol::NewstyleFixed),
        (1, 3, 1, Protocol::NewstyleFixed),
        (3, 2, 2, Protocol::Newstyle),
        (0, 3, 0, Protocol::Newstyle),
    ] {
        let mut machine = Client::default();
        machine.preferences_mut().handshake_flags = willing;
        machine.connected();
        say(&mut machine, &newstyle(offered));
        assert_eq!(machine.negotiated().handshake_flags, agreed);
        assert_eq!(machine.negotiated().protocol, Some(protocol));
        assert_eq!(asked(&mut machine)[..4], u32::from(agreed).to_be_bytes());
    }
    assert_eq!(Client::default().preferences().handshake_flags, 3);
}

#[test]
fn only_wanted_information_is_requested() {
    for (block_size, full_info, wanted) in [
        (false, false, b"\0\0".as_slice()),
        (true, false, b"\0\x01\0\x03"),
        (false, true, b"\0\x02\0\x01\0\x02"),
        (true, true, b"\0\x03\0\x03\0\x01\0\x02"),
    ] {
        let mut machine = paused(false);
        let preferences = machine.preferences_mut();
        preferences.request_block_size = block_size;
        preferences.full_info = full_info;
        preferences.export_name = c"disk".to_owned();
        machine.opt_info().expect("there is memory");
        let data = [b"\0\0\0\x04disk", wanted].concat();
        let length = (data.len() as u32).to_be_bytes();
        let expected = [b"IHAVEOPT\0\0\0\x06", &length[..], &data].concat();
        assert_eq!(asked(&mut machine), expected);
    }
}

#[test]
fn information_is_kept_until_the_export_changes() {
    let mut machine = paused(true);
    machine.opt_info().expect("there is memory");
    asked(&mut machine);
    let sizes = [[0, 0, 2, 0], [0, 0, 16, 0], [0, 16, 0, 0]].concat();
    let answers = [
        info_export(6, SIZE, FLAGS),
        info(6, 1, b"canonical"),
        info(6, 2, b"a disk"),
        info(6, 3, &sizes),
        info(6, 77, b"something new"),
        ack(6),
    ];
    let events = say(&mut machine, &answers.concat());
    assert_eq!(events, [Event::OptionDone(Ok(0))]);
    let export = machine.export();
    assert_eq!(export.details, Some((SIZE, TransmissionFlags(FLAGS))));
    assert_eq!(export.canonical_name.as_deref(), Some(c"canonical"));
    assert_eq!(export.description.as_deref(), Some(c"a disk"));
    let block_size = BlockSize {
        minimum: 512,
        preferred: 4096,
        maximum: 1 << 20,
    };
    assert_eq!(export.block_size, Some(block_size));

    machine.set_export_name(CString::default());
    assert!(machine.export().details.is_some());
    machine.set_export_name(c"other".to_owned());
    assert_eq!(machine.preferences().export_name.as_c_str(), c"other");
    let export = machine.export();
    assert!(export.details.is_none() && export.block_size.is_none());
    assert!(export.canonical_name.is_none() && export.description.is_none());
}

#[test]
fn oversized_information_is_ignored() {
    let mut machine = paused(false);
    machine.opt_info().expect("there is memory");
    let long = info(6, 77, &[7; 8196]);
    let kept = info(6, 77, &[7; 8194]);
    let events = say(&mut machine, &[info_export(6, SIZE, FLAGS), kept].concat());
    assert_eq!(events, []);
    // An oversized reply is skipped alone; the next one is kept.
    let (begin, end) = long.split_at(4000);
    assert_eq!(say(&mut machine, begin), []);
    let events = say(&mut machine, &[end, &long, &ack(6)].concat());
    assert_eq!(events, [Event::OptionDone(Ok(0))]);
    assert_eq!(machine.export().size(), SIZE);
}

#[test]
fn a_refused_export_has_no_information() {
    let mut machine = paused(false);
    machine.opt_info().expect("there is memory");
    say(
        &mut machine,
        &[info_export(6, SIZE, FLAGS), ack(6)].concat(),
    );
    machine.opt_go().expect("there is memory");
    // The information is requested again, even for the same export.
    assert!(machine.export().details.is_none());
    let answers = [info_export(7, SIZE, FLAGS), refuse(7, 2)];
    let events = say(&mut machine, &answers.concat());
    assert!(matches!(&events[..], [Event::OptionDone(Err(_))]));
    assert!(machine.export().details.is_none());
    assert_eq!(machine.state(), State::Negotiating);
}

/// Source: proto.md, "Option reply types".
#[test]
fn refusals_quote_the_server_and_set_errno() {
    let unknown = "handshake: unknown reply from the server: 0x8000004d";
    for (number, errno, text) in [
        (
            1,
            libc::ENOTSUP,
            "the operation is not supported by the server",
        ),
        (2, 0, "server policy prevents the operation"),
        (
            3,
            libc::EINVAL,
            "the server rejected this operation as invalid",
        ),
        (
            4,
            0,
            "the operation is not supported by the server platform",
        ),
        (5, libc::ENOTSUP, "the server requires TLS encryption first"),
        (6, libc::ENOENT, "the server has no export named 'disk'"),
        (7, libc::ESHUTDOWN, "the server is shutting down"),
        (8, libc::EINVAL, "the server requires specific block sizes"),
        (9, libc::EINVAL, "the operation is too large to process"),
        (77, 0, unknown),
    ] {
        for (words, shown) in [
            (b"".as_slice(), ""),
            (b"try ~ later", ": try ~ later"),
            (b"\x1b[2J\x7f\n", ": \\x1b[2J\\x7f\\x0a"),
        ] {
            let mut machine = paused(false);
            machine.set_export_name(c"disk".to_owned());
            machine.opt_info().expect("there is memory");
            let events = say(&mut machine, &reply(6, 1 << 31 | number, words));
            let [Event::OptionDone(Err(error))] = &events[..] else {
                panic!("{events:?}");
            };
            assert_eq!(error.errno(), errno, "{number}");
            let message = error.to_string();
            let message = message.strip_suffix(&suffix(errno)).expect("its errno");
            assert_eq!(message, format!("{text}{shown}"));
        }
    }
}

/// Returns the end of an error text.
fn suffix(errno: i32) -> String {
    let error = nbd::error::Error::new(errno, "");
    error.to_string()
}

#[test]
fn contexts_are_selected_by_name_before_the_export() {
    let mut machine = paused(false);
    let preferences = machine.preferences_mut();
    preferences.meta_contexts = vec![c"base:allocation".to_owned(), c"x:".to_owned()];
    machine.opt_go().expect("there is memory");
    assert!(machine.meta_contexts().in_effect().is_empty());
    let data = b"\0\0\0\0\0\0\0\x02\0\0\0\x0fbase:allocation\0\0\0\x02x:";
    let expected = [b"IHAVEOPT\0\0\0\x0a\0\0\0\x21", &data[..]].concat();
    assert_eq!(asked(&mut machine), expected);
    let answers = [
        meta_context(10, 7, "x:first"),
        meta_context(10, 3, "base:allocation"),
        ack(10),
        info_export(7, SIZE, FLAGS),
        ack(7),
    ];
    // The program did not request these contexts.
    let events = say(&mut machine, &answers.concat());
    assert_eq!(events, [Event::OptionDone(Ok(0))]);
    let contexts = machine.meta_contexts();
    assert_eq!(names(contexts), [c"x:first", c"base:allocation"]);
    let allocation = contexts.by_name(c"base:allocation");
    assert_eq!(allocation.map(|context| context.id), Some(3));
    assert_eq!(contexts.by_id(7).map(|it| &*it.name), Some(c"x:first"));
}

#[test]
fn contexts_are_selected_or_listed_for_the_program() {
    let mut machine = paused(false);
    machine
        .opt_set_meta_context(&[c"x:".to_owned()])
        .expect("there is memory");
    let answers = [
        meta_context(10, 7, "x:first"),
        meta_context(10, 8, "x:second"),
        ack(10),
    ];
    let context = |name: &CStr| Event::MetaContext {
        name: name.to_owned(),
    };
    let all = [
        context(c"x:first"),
        context(c"x:second"),
        Event::OptionDone(Ok(2)),
    ];
    assert_eq!(say(&mut machine, &answers.concat()), all);
    assert_eq!(names(machine.meta_contexts()), [c"x:first", c"x:second"]);

    machine.opt_list_meta_context(&[]).expect("there is memory");
    let answers = [
        meta_context(9, 7, "x:first"),
        meta_context(9, 8, "x:second"),
        ack(9),
    ];
    assert_eq!(say(&mut machine, &answers.concat()), all);
    // Listing changes nothing.
    assert_eq!(names(machine.meta_contexts()), [c"x:first", c"x:second"]);

    for option in [9, 10] {
        let sent = match option {
            9 => machine.opt_list_meta_context(&[]),
            _ => machine.opt_set_meta_context(&[]),
        };
        sent.expect("there is memory");
        let events = say(&mut machine, &refuse(option, 1));
        assert!(
            matches!(&events[..], [Event::OptionDone(Err(error))]
                if error.errno() == libc::ENOTSUP),
            "{events:?}"
        );
    }
    // The server was asked for other contexts, and had none.
    assert!(machine.meta_contexts().in_effect().is_empty());
}

#[test]
fn contexts_are_discarded_with_the_export() {
    let with_contexts = || {
        let mut machine = paused(false);
        machine.preferences_mut().request_meta_context = false;
        machine.opt_set_meta_context(&[]).expect("there is memory");
        say(
            &mut machine,
            &[meta_context(10, 7, "x:first"), ack(10)].concat(),
        );
        assert_eq!(names(machine.meta_contexts()), [c"x:first"]);
        machine
    };
    let mut machine = with_contexts();
    machine.set_export_name(CString::default());
    assert_eq!(names(machine.meta_contexts()), [c"x:first"]);
    machine.set_export_name(c"other".to_owned());
    assert!(machine.meta_contexts().in_effect().is_empty());

    for outcome in [ack(6), refuse(6, 6)] {
        let mut machine = with_contexts();
        machine.opt_info().expect("there is memory");
        say(&mut machine, &info_export(6, SIZE, FLAGS));
        let refused = outcome != ack(6);
        say(&mut machine, &outcome);
        let context = MetaContext {
            id: 7,
            name: c"x:first".to_owned(),
        };
        match machine.meta_contexts() {
            MetaContexts::Selected(contexts) => assert!(!refused && *contexts == [context]),
            MetaContexts::Stale(contexts) => assert!(refused && *contexts == [context]),
        }
    }
}

#[test]
fn no_contexts_are_selected_by_default() {
    for (request, structured, wanted) in [
        (true, true, true),
        (true, true, false),
        (true, false, true),
        (false, true, true),
    ] {
        let mut machine = Client::default();
        let preferences = machine.preferences_mut();
        preferences.request_meta_context = request;
        preferences.request_structured_replies = structured;
        if wanted {
            preferences.meta_contexts = vec![c"x:".to_owned()];
        }
        machine.connected();
        say(&mut machine, &newstyle(3));
        if structured {
            say(&mut machine, &[refuse(11, 1), ack(8)].concat());
        }
        asked(&mut machine);
        if request && structured && wanted {
            // The contexts are requested and refused: none is in effect.
            assert!(matches!(machine.meta_contexts(), MetaContexts::Stale(_)));
            assert_eq!(say(&mut machine, &refuse(10, 1)), []);
        }
        // Without a request for contexts, the server's export information comes
        // first.
        let selected = matches!(machine.meta_contexts(), MetaContexts::Selected(_));
        assert_eq!(selected, request && structured && wanted);
        say(&mut machine, &server::go(SIZE));
        asked(&mut machine);
        assert_eq!(machine.state(), State::Ready);
        let selected = matches!(machine.meta_contexts(), MetaContexts::Selected(_));
        assert_eq!(selected, request);
    }
    for request in [true, false] {
        let mut machine = Client::default();
        machine.preferences_mut().request_meta_context = request;
        machine.connected();
        say(&mut machine, &oldstyle(SIZE, 1));
        let selected = matches!(machine.meta_contexts(), MetaContexts::Selected(_));
        assert_eq!(selected, request);
    }
}

#[test]
fn an_empty_selection_discards_the_previous_contexts() {
    let mut machine = paused(false);
    machine.opt_set_meta_context(&[]).expect("there is memory");
    let answers = [meta_context(10, 7, "x:first"), ack(10)];
    say(&mut machine, &answers.concat());
    assert_eq!(names(machine.meta_contexts()), [c"x:first"]);
    machine.opt_info().expect("there is memory");
    assert!(machine.meta_contexts().in_effect().is_empty());
}

/// Source: proto.md, "NBD_OPT_EXTENDED_HEADERS".
#[test]
fn go_is_mandatory_after_extended_headers() {
    let mut machine = paused(true);
    machine.opt_go().expect("there is memory");
    asked(&mut machine);
    let events = say(&mut machine, &refuse(7, 1));
    assert!(matches!(&events[..], [Event::OptionDone(Err(_))]));
    assert!(asked(&mut machine).is_empty());
}

#[test]
fn truncated_information_is_refused_at_its_header() {
    let mut machine = paused(false);
    machine.opt_info().expect("there is memory");
    let events = say(&mut machine, &reply(6, 3, &[0])[..20]);
    assert!(matches!(&events[..], [Event::Dead(_)]), "{events:?}");
}
