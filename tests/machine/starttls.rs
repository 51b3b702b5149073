// SPDX-License-Identifier: LGPL-2.1-or-later

//! Negotiation of TLS: before everything else, once, and never partially.

use nbd::machine::{Event, Machine, Preferences, State, Tls};

use super::script::{play, send_outgoing, Outcome, Script};
use super::server::{ack, info_export, newstyle, oldstyle, refuse, reply, FLAGS, SIZE};

const ABORT: u32 = 2;
const STARTTLS: u32 = 5;
const STRUCTURED_REPLY: u32 = 8;
const EXTENDED_HEADERS: u32 = 11;
const GO: u32 = 7;

fn allow(settings: &mut Preferences) {
    settings.tls = Tls::Allow;
}

fn require(settings: &mut Preferences) {
    settings.tls = Tls::Require;
}

/// Plays a server that sends nothing unasked after its greeting.
fn connect(settings: &dyn Fn(&mut Preferences), server: &[u8]) -> Outcome {
    let (greeting, replies) = server.split_at(server.len().min(18));
    play(&Script {
        settings,
        handshake: greeting,
        commands: &[],
        replies,
    })
}

/// Returns the plaintext before TLS: the client's flags and `NBD_OPT_STARTTLS`.
fn first_words() -> Vec<u8> {
    let option = [&b"IHAVEOPT"[..], &STARTTLS.to_be_bytes(), &[0; 4]].concat();
    [&3_u32.to_be_bytes()[..], &option].concat()
}

/// Returns a machine that has received `server`.
fn machine(settings: &dyn Fn(&mut Preferences), server: &[u8]) -> Machine<()> {
    let mut machine = Machine::default();
    settings(machine.preferences_mut());
    machine.connecting();
    machine.connected();
    feed(&mut machine, server);
    machine
}

/// Feeds bytes to the machine and sends its output.
fn feed(machine: &mut Machine<()>, mut server: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some(event) = machine.receive(&mut server, |_, _, _| {}) {
        match event {
            Event::OptionDone(outcome) => events.push(Event::OptionDone(outcome)),
            Event::OptionRefused(errno) => events.push(Event::OptionRefused(errno)),
            Event::Dead(error) => events.push(Event::Dead(error)),
            _ => {}
        }
    }
    send_outgoing(machine);
    events
}

#[test]
fn starttls_is_the_first_option() {
    let outcome = connect(&require, &newstyle(3));
    assert_eq!(outcome.sent, first_words());
    assert_eq!(outcome.group, State::Connecting);
}

#[test]
fn nothing_is_sent_before_the_tls_handshake() {
    let server = [newstyle(3), ack(STARTTLS)].concat();
    let outcome = connect(&require, &server);
    assert_eq!(outcome.sent, first_words());
    let machine = machine(&require, &server);
    assert!(machine.awaits_tls_handshake());
    assert!(!machine.negotiated().tls);
}

#[test]
fn negotiation_restarts_after_the_tls_handshake() {
    let mut machine = machine(&require, &[newstyle(3), ack(STARTTLS)].concat());
    machine.tls_established();
    assert!(machine.negotiated().tls);
    let rest = [
        refuse(EXTENDED_HEADERS, 1),
        ack(STRUCTURED_REPLY),
        info_export(GO, SIZE, FLAGS),
        ack(GO),
    ];
    for part in rest {
        assert!(feed(&mut machine, &part).is_empty());
    }
    assert_eq!(machine.state(), State::Ready);
    assert!(machine.negotiated().tls);
    assert!(machine.negotiated().structured_replies);
    assert_eq!(machine.negotiated().handshake_flags, 3);
}

#[test]
fn plaintext_after_the_agreement_is_refused() {
    for settings in [&require as &dyn Fn(&mut Preferences), &allow] {
        let injected = [newstyle(3), ack(STARTTLS), ack(STRUCTURED_REPLY)].concat();
        let outcome = connect(settings, &injected);
        assert_eq!(
            outcome.lines,
            ["dead: handshake: server sent plaintext after it agreed to TLS"]
        );
        assert_eq!(outcome.sent, first_words());
    }
}

#[test]
fn refused_tls_ends_connections_that_require_it() {
    // The C library uses other words.
    let reason = std::io::Error::from_raw_os_error(libc::EOPNOTSUPP).to_string();
    let reason = reason.split(" (os error").next().unwrap();
    let text = format!(
        "dead: handshake: server refused TLS, \
         but handle TLS setting is 'require' (2): {reason}"
    );
    for error in [1, 2, 3, 4, 5, 6, 7, 8, 9, 77] {
        let server = [newstyle(3), refuse(STARTTLS, error)].concat();
        let outcome = connect(&require, &server);
        assert_eq!(outcome.lines, [text.as_str()]);
        assert_eq!(outcome.group, State::Dead);
        let abort = [&b"IHAVEOPT"[..], &ABORT.to_be_bytes(), &[0; 4]].concat();
        assert_eq!(outcome.sent, [first_words(), abort].concat());
    }
}

#[test]
fn refused_tls_may_continue_in_plaintext() {
    let server = [
        newstyle(3),
        refuse(STARTTLS, 1),
        refuse(EXTENDED_HEADERS, 1),
        ack(STRUCTURED_REPLY),
        info_export(GO, SIZE, FLAGS),
        ack(GO),
    ];
    let outcome = connect(&allow, &server.concat());
    assert_eq!(outcome.group, State::Ready);
}

#[test]
fn invalid_starttls_replies_end_the_connection() {
    let answers = [
        reply(STARTTLS, 1, b"x"),
        reply(STARTTLS, 2, &[0, 0, 0, 0]),
        reply(STARTTLS, 3, &[0; 12]),
        reply(STARTTLS, 99, &[]),
        ack(STRUCTURED_REPLY),
    ];
    for settings in [&require as &dyn Fn(&mut Preferences), &allow] {
        for answer in &answers {
            let outcome = connect(settings, &[&newstyle(3)[..], answer].concat());
            assert_eq!(outcome.group, State::Dead);
            assert_eq!(outcome.sent, first_words());
        }
    }
}

#[test]
fn required_tls_needs_fixed_newstyle() {
    let outcome = connect(&require, &oldstyle(SIZE, u32::from(FLAGS)));
    assert!(outcome.lines[0].starts_with("dead: handshake: server is oldstyle, but"));
    assert_eq!(outcome.group, State::Dead);

    let outcome = connect(&require, &newstyle(2));
    assert!(outcome.lines[0].starts_with("dead: handshake: server is not using fixed newstyle"));
    assert!(outcome.sent.is_empty());

    assert_eq!(
        connect(&allow, &oldstyle(SIZE, u32::from(FLAGS))).group,
        State::Ready
    );
}

#[test]
fn starttls_discards_the_plaintext_agreement() {
    let pausing = |settings: &mut Preferences| settings.opt_mode = true;
    let server = [
        newstyle(3),
        refuse(EXTENDED_HEADERS, 1),
        ack(STRUCTURED_REPLY),
    ];
    let mut machine = machine(&pausing, &server.concat());
    assert!(machine.negotiated().structured_replies);
    machine.opt_starttls().expect("fixed newstyle");
    assert!(feed(&mut machine, &ack(STARTTLS)).is_empty());
    machine.tls_established();
    assert_eq!(feed(&mut machine, &[]), [Event::OptionDone(Ok(1))]);
    assert_eq!(machine.state(), State::Negotiating);
    assert!(machine.negotiated().tls);
    assert!(!machine.negotiated().structured_replies);
}

/// Source: seen with libnbd 1.24.4.
#[test]
fn options_refused_as_invalid_are_einval() {
    let pausing = |settings: &mut Preferences| {
        settings.opt_mode = true;
        settings.tls = Tls::Disable;
        settings.request_structured_replies = false;
    };
    let mut machine = machine(&pausing, &newstyle(3));
    for (error, errno) in [(1, libc::ENOTSUP), (3, libc::EINVAL)] {
        machine.opt_extended_headers().expect("fixed newstyle");
        let refused = feed(&mut machine, &refuse(EXTENDED_HEADERS, error));
        assert_eq!(refused, [Event::OptionRefused(errno)]);
        machine.opt_structured_reply().expect("fixed newstyle");
        let refused = feed(&mut machine, &refuse(STRUCTURED_REPLY, error));
        assert_eq!(refused, [Event::OptionRefused(errno)]);
    }
}

#[test]
fn tls_cannot_be_negotiated_twice() {
    let pausing = |settings: &mut Preferences| {
        settings.opt_mode = true;
        settings.tls = Tls::Require;
    };
    let mut machine = machine(&pausing, &[newstyle(3), ack(STARTTLS)].concat());
    machine.tls_established();
    feed(&mut machine, &refuse(EXTENDED_HEADERS, 1));
    feed(&mut machine, &refuse(STRUCTURED_REPLY, 1));
    assert_eq!(machine.state(), State::Negotiating);

    machine.opt_starttls().expect("fixed newstyle");
    let refused = feed(&mut machine, &refuse(STARTTLS, 3));
    assert_eq!(refused, [Event::OptionRefused(libc::EINVAL)]);
    assert!(machine.negotiated().tls);

    machine.opt_starttls().expect("fixed newstyle");
    let agreed = feed(&mut machine, &ack(STARTTLS));
    assert!(matches!(&agreed[..], [Event::Dead(error)] if error.errno() == libc::EPROTO));
    assert!(!machine.awaits_tls_handshake());
}

#[test]
fn programs_may_continue_after_refused_starttls() {
    let pausing = |settings: &mut Preferences| settings.opt_mode = true;
    let server = [
        newstyle(3),
        refuse(EXTENDED_HEADERS, 1),
        refuse(STRUCTURED_REPLY, 1),
    ];
    let mut machine = machine(&pausing, &server.concat());
    machine.opt_starttls().expect("fixed newstyle");
    let events = feed(&mut machine, &refuse(STARTTLS, 1));
    assert_eq!(events, [Event::OptionRefused(libc::ENOTSUP)]);
    assert_eq!(machine.state(), State::Negotiating);
    assert!(!machine.negotiated().tls);
}
