// SPDX-License-Identifier: LGPL-2.1-or-later

//! The end of a connection.

use nbd::machine::{Machine, NewCommand, State};
use nbd::protocol::request::RequestType;

use super::script::send_all;
use super::server;

fn ready() -> Machine<()> {
    let mut machine = Machine::default();
    machine.connected();
    let bytes = server::handshake_simple();
    let mut input = bytes.as_slice();
    while machine.receive(&mut input, |_, _, _| {}).is_some() {}
    send_all(&mut machine);
    assert_eq!(machine.state(), State::Ready);
    machine
}

fn flush(machine: &mut Machine<()>) -> u64 {
    let issued = machine.issue(NewCommand {
        kind: RequestType::Flush,
        flags: 0,
        offset: 0,
        length: 0,
        payload: None,
        reports_data: true,
        attachment: (),
    });
    issued.expect("there is memory")
}

#[test]
fn only_truncated_replies_are_errors() {
    let mut machine = ready();
    flush(&mut machine);
    assert_eq!(machine.end_of_stream(), Ok(()));
    assert_eq!(machine.state(), State::Closed);

    let mut machine = ready();
    flush(&mut machine);
    let mut input: &[u8] = &0x6744_6698_u32.to_be_bytes();
    assert!(machine.receive(&mut input, |_, _, _| {}).is_none());
    assert!(machine.end_of_stream().is_err());
    assert_eq!(machine.state(), State::Dead);
}

#[test]
fn an_end_during_negotiation_is_an_error() {
    let mut machine = Machine::<()>::default();
    machine.connected();
    assert!(machine.end_of_stream().is_err());
}

#[test]
fn a_half_sent_request_shows_as_processing() {
    let mut machine = ready();
    flush(&mut machine);
    machine.sent(27);
    assert_eq!(machine.state(), State::Processing);
    machine.sent(1);
    assert_eq!(machine.state(), State::Ready);
    assert_eq!(machine.in_flight(), 1);
}

#[test]
fn unsent_commands_can_be_taken_back() {
    let mut machine = ready();
    flush(&mut machine);
    machine.sent(28);
    let started = flush(&mut machine);
    machine.sent(1);
    let unsent = flush(&mut machine);
    assert_eq!(machine.abandon_unsent(), Some(unsent));
    assert!(machine.command(unsent).is_some());
    assert_eq!(machine.failing_from(unsent), [unsent]);
    assert!(machine.command(started).is_some());
    machine.disconnect(0);
    assert_eq!(machine.in_flight(), 4);
    assert_eq!(machine.abandon_unsent(), None);
    assert!(!machine.is_disconnecting());
    machine.disconnect(0);
    send_all(&mut machine);
    // Two flushes and NBD_CMD_DISC went; the third flush did not.
    let sent = machine.traffic().bytes_sent;
    let handshake = ready().traffic().bytes_sent;
    assert_eq!(sent - handshake, 3 * 28);
}

#[test]
fn replies_are_accepted_after_a_disconnect() {
    let mut machine = ready();
    assert_eq!(flush(&mut machine), 1);
    assert_eq!(flush(&mut machine), 2);
    machine.disconnect(0);
    send_all(&mut machine);
    let bytes = server::simple(2, 0, &[]);
    let mut input = bytes.as_slice();
    let event = machine.receive(&mut input, |_, _, _| {});
    assert!(format!("{event:?}").contains("Completed"));
    assert_eq!(machine.end_of_stream(), Ok(()));
    assert_eq!(machine.state(), State::Closed);
    assert!(machine.command(1).is_some());
}
