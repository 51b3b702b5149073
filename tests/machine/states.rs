// SPDX-License-Identifier: LGPL-2.1-or-later

//! The states of a connection that programs can see.

use nbd::machine::{Machine, State, Tls};

use super::script::send_outgoing;
use super::server::{self, ack, newstyle, refuse, reply, FLAGS, SIZE};

type Client = Machine<()>;

fn say(machine: &mut Client, bytes: &[u8]) {
    let mut input = bytes;
    while machine.receive(&mut input, |_, _, _| {}).is_some() {}
    send_outgoing(machine);
}

/// Checks the group of states, the short name that begins the description, and
/// that bytes from the server are or are not awaited.
#[track_caller]
fn is(machine: &Client, state: State, name: &str, receives: bool) {
    assert_eq!(machine.state(), state);
    let words = machine.description(state).to_string_lossy();
    assert_eq!(words.split_once(':').map(|(name, _)| name), Some(name));
    assert_eq!(machine.wants_to_receive(), receives, "{words}");
}

/// Returns a machine paused in option mode.
fn paused(server: &[&[u8]]) -> Client {
    let mut machine = Client::default();
    machine.preferences_mut().opt_mode = true;
    machine.connected();
    say(&mut machine, &server.concat());
    machine
}

fn paused_newstyle() -> Client {
    let machine = paused(&[&newstyle(3), &refuse(11, 1), &ack(8)]);
    is(&machine, State::Negotiating, "NEGOTIATING", false);
    machine
}

#[test]
fn each_step_of_connecting_is_a_state() {
    let mut machine = Client::default();
    is(&machine, State::Created, "START", false);
    machine.connecting();
    is(&machine, State::Connecting, "CONNECT.START", false);
    machine.not_connected();
    is(&machine, State::Created, "START", false);
    machine.connecting();
    machine.connected();
    is(&machine, State::Connecting, "MAGIC.RECV_MAGIC", true);
    say(&mut machine, &newstyle(3)[..16]);
    is(&machine, State::Connecting, "NEWSTYLE.RECV_GFLAGS", true);
    say(&mut machine, &newstyle(3)[16..]);
    for (option, name) in [
        (11, "OPT_EXTENDED_HEADERS"),
        (8, "OPT_STRUCTURED_REPLY"),
        (7, "OPT_GO"),
    ] {
        let refusal = reply(option, 1 << 31 | 1, b"words");
        let (header, words) = refusal.split_at(20);
        let state = format!("NEWSTYLE.{name}.RECV_REPLY");
        is(&machine, State::Connecting, &state, true);
        say(&mut machine, header);
        is(&machine, State::Connecting, &(state + "_PAYLOAD"), true);
        say(&mut machine, words);
    }
    let state = "NEWSTYLE.OPT_EXPORT_NAME.RECV_REPLY";
    is(&machine, State::Connecting, state, true);
    say(
        &mut machine,
        &[&SIZE.to_be_bytes()[..], &FLAGS.to_be_bytes()].concat(),
    );
    is(&machine, State::Ready, "READY", true);
    machine.close();
    is(&machine, State::Closed, "CLOSED", false);

    let mut machine = Client::default();
    machine.connected();
    say(&mut machine, &server::oldstyle(SIZE, 3)[..16]);
    let state = "OLDSTYLE.RECV_REMAINING";
    is(&machine, State::Connecting, state, true);
    machine.fail();
    is(&machine, State::Dead, "DEAD", false);
}

#[test]
fn each_option_has_a_state() {
    type Ask = fn(&mut Client) -> Result<(), nbd::error::Error>;
    let options: [(u32, &str, Ask); 7] = [
        (3, "OPT_LIST", Machine::opt_list),
        (6, "OPT_GO", Machine::opt_info),
        (8, "OPT_STRUCTURED_REPLY", Machine::opt_structured_reply),
        (11, "OPT_EXTENDED_HEADERS", Machine::opt_extended_headers),
        (5, "OPT_STARTTLS", Machine::opt_starttls),
        (9, "OPT_META_CONTEXT", |machine| {
            machine.opt_list_meta_context(&[])
        }),
        (10, "OPT_META_CONTEXT", |machine| {
            machine.opt_set_meta_context(&[])
        }),
    ];
    let mut machine = paused_newstyle();
    for (option, name, ask) in options {
        ask(&mut machine).expect("fixed newstyle");
        assert!(machine.wants_to_send());
        send_outgoing(&mut machine);
        let state = format!("NEWSTYLE.{name}.RECV_REPLY");
        is(&machine, State::Connecting, &state, true);
        let refusal = reply(option, 1 << 31 | 2, b"words");
        let (header, words) = refusal.split_at(20);
        say(&mut machine, header);
        is(&machine, State::Connecting, &(state + "_PAYLOAD"), true);
        say(&mut machine, words);
        is(&machine, State::Negotiating, "NEGOTIATING", false);
    }
}

#[test]
fn agreed_tls_is_followed_by_its_handshake() {
    let mut machine = Client::default();
    machine.preferences_mut().tls = Tls::Allow;
    machine.connected();
    // TLS has not been negotiated.
    machine.tls_established();
    is(&machine, State::Connecting, "MAGIC.RECV_MAGIC", true);
    assert!(!machine.negotiated().tls);
    say(&mut machine, &newstyle(3));
    say(&mut machine, &ack(5));
    let state = "NEWSTYLE.OPT_STARTTLS.TLS_HANDSHAKE";
    is(&machine, State::Connecting, state, true);
}

#[test]
fn sending_abort_ends_the_negotiation() {
    let mut machine = paused_newstyle();
    assert_eq!(machine.finish_abort(), Ok(()));
    is(&machine, State::Negotiating, "NEGOTIATING", false);
    assert!(!machine.has_sent_last_message());
    let chunks = machine.traffic().chunks_sent;
    machine.opt_abort().expect("fixed newstyle");
    assert_eq!(machine.traffic().chunks_sent, chunks + 1);
    let state = "NEWSTYLE.PREPARE_OPT_ABORT";
    is(&machine, State::Connecting, state, false);
    machine.sent(15);
    assert!(!machine.has_sent_last_message());
    assert_eq!(machine.finish_abort(), Ok(()));
    is(&machine, State::Connecting, state, false);
    machine.sent(1);
    assert!(machine.has_sent_last_message());
    say(&mut machine, &ack(2));
    assert_eq!(machine.finish_abort(), Ok(()));
    is(&machine, State::Closed, "CLOSED", false);
    assert_eq!(machine.finish_abort(), Ok(()));
}

#[test]
fn failed_negotiation_ends_with_its_error() {
    let mut machine = Client::default();
    machine.connected();
    let server = [newstyle(3), refuse(11, 1), ack(8), refuse(7, 6)];
    let mut input = &server.concat()[..];
    while machine.receive(&mut input, |_, _, _| {}).is_some() {}
    assert_eq!(machine.finish_abort(), Ok(()));
    send_outgoing(&mut machine);
    let error = machine.finish_abort().expect_err("there is no export");
    assert_eq!(error.errno(), libc::ENOENT);
    is(&machine, State::Dead, "DEAD", false);
}

#[test]
fn servers_without_options_are_not_asked() {
    let mut machine = paused(&[&newstyle(0)]);
    is(&machine, State::Negotiating, "NEGOTIATING", false);
    let refused = [
        machine.opt_list(),
        machine.opt_info(),
        machine.opt_structured_reply(),
        machine.opt_extended_headers(),
        machine.opt_starttls(),
        machine.opt_list_meta_context(&[]),
        machine.opt_set_meta_context(&[]),
        machine.opt_abort(),
    ];
    for outcome in refused {
        assert_eq!(outcome.map_err(|error| error.errno()), Err(libc::ENOTSUP));
    }
    assert!(!machine.wants_to_send());
    machine.opt_go().expect("there is memory");
    send_outgoing(&mut machine);
    let state = "NEWSTYLE.OPT_EXPORT_NAME.RECV_REPLY";
    is(&machine, State::Connecting, state, true);
}

#[test]
fn ended_connections_receive_nothing() {
    let mut machine = paused_newstyle();
    machine.opt_go().expect("there is memory");
    say(&mut machine, &server::go(SIZE));
    machine.fail();
    let before = machine.traffic().bytes_received;
    say(&mut machine, b"anything");
    assert_eq!(machine.traffic().bytes_received, before + 8);
    is(&machine, State::Dead, "DEAD", false);
}
