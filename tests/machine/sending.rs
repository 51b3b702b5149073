// SPDX-License-Identifier: LGPL-2.1-or-later

//! Output of the machine, and the accounting of sent bytes.

use nbd::machine::{Command, Event, Machine, NewCommand, NoMemory, Piece, State};
use nbd::protocol::flags::command::PAYLOAD_LEN;
use nbd::protocol::request::RequestType;

use super::script::with_allocation;
use super::server;

type Client = Machine<Vec<u8>>;

fn ready(handshake: &[u8]) -> Client {
    let mut machine = Machine::default();
    with_allocation(machine.preferences_mut());
    machine.connected();
    let mut input = handshake;
    while machine.receive(&mut input, |_, _, _| {}).is_some() {}
    let handshake = left(&machine).len();
    machine.sent(handshake);
    assert_eq!(machine.state(), State::Ready);
    machine
}

/// Returns the bytes still to be sent.
fn left(machine: &Client) -> Vec<u8> {
    let mut all = Vec::new();
    for piece in machine.outgoing() {
        match piece {
            Piece::Bytes(bytes) => {
                assert!(!bytes.is_empty());
                all.extend(bytes);
            }
            Piece::Data { command, at } => all.extend(&command.attachment[at..]),
        }
    }
    all
}

fn issue(machine: &mut Client, kind: RequestType, data: &[u8]) -> u64 {
    let new = NewCommand {
        kind,
        flags: 0,
        offset: 0,
        length: data.len() as u64,
        payload: None,
        reports_data: true,
        attachment: data.to_vec(),
    };
    machine.issue(new).expect("there is memory")
}

/// Issues a block status request for the contexts that `payload` names.
fn filter(machine: &mut Client, flags: u16, payload: &[u8]) -> u64 {
    let new = NewCommand {
        kind: RequestType::BlockStatus,
        flags,
        offset: 0,
        length: 4096,
        payload: Some(payload.into()),
        reports_data: true,
        attachment: Vec::new(),
    };
    machine.issue(new).expect("there is memory")
}

/// Queues requests with and without a payload; returns the lengths of their
/// headers and payloads.
fn queue(machine: &mut Client) -> [(usize, usize); 6] {
    issue(machine, RequestType::Write, b"first");
    issue(machine, RequestType::Flush, b"");
    issue(machine, RequestType::Write, b"");
    filter(machine, PAYLOAD_LEN, b"a length, and ids");
    issue(machine, RequestType::Write, b"second");
    machine.disconnect(0);
    match machine.negotiated().extended_headers {
        true => [(32, 5), (32, 0), (32, 0), (32, 17), (32, 6), (32, 0)],
        // The filter is indistinguishable from the next request.
        false => [(28, 5), (28, 0), (28, 0), (28, 0), (28, 6), (28, 0)],
    }
}

fn handshakes() -> [Vec<u8>; 2] {
    [server::handshake_structured(), server::handshake_extended()]
}

#[test]
fn requests_can_be_sent_a_byte_at_a_time() {
    for handshake in handshakes() {
        let mut machine = ready(&handshake);
        let before = *machine.traffic();
        let requests = queue(&mut machine);
        let all = left(&machine);
        let mut sent = 0;
        for (number, (header, payload)) in requests.into_iter().enumerate() {
            for at in 0..header + payload {
                assert_eq!(left(&machine), all[sent..]);
                let state = machine.state();
                assert_eq!(state, State::Processing);
                let words = machine.description(state).to_string_lossy();
                let expected = match at < header {
                    true => "ISSUE_COMMAND.SEND_REQUEST: ",
                    false => "ISSUE_COMMAND.SEND_WRITE_PAYLOAD: ",
                };
                assert!(words.starts_with(expected), "{words} at {at} of {number}");
                let headers = number + usize::from(at >= header);
                let traffic = machine.traffic();
                assert_eq!(traffic.chunks_sent - before.chunks_sent, headers as u64);
                assert_eq!(traffic.bytes_sent - before.bytes_sent, sent as u64);
                assert!(!machine.has_sent_last_message());
                machine.sent(1);
                sent += 1;
            }
        }
        assert_eq!(sent, all.len());
        assert!(left(&machine).is_empty());
        assert!(machine.has_sent_last_message());
        assert_eq!(machine.traffic().chunks_sent - before.chunks_sent, 6);
        let state = machine.state();
        assert_eq!(state, State::Ready);
        let words = machine.description(state).to_string_lossy();
        assert!(words.starts_with("READY: "), "{words}");
    }
}

#[test]
fn requests_can_be_sent_in_two_parts() {
    for handshake in handshakes() {
        let whole = {
            let mut machine = ready(&handshake);
            queue(&mut machine);
            left(&machine).len()
        };
        for split in 0..=whole {
            let mut machine = ready(&handshake);
            let before = *machine.traffic();
            queue(&mut machine);
            let all = left(&machine);
            machine.sent(split);
            assert_eq!(left(&machine), all[split..]);
            machine.sent(whole - split);
            assert!(!machine.wants_to_send());
            assert_eq!(machine.traffic().chunks_sent - before.chunks_sent, 6);
        }
    }
}

#[test]
fn filters_need_extended_headers() {
    for (handshake, flags, length) in [
        (server::handshake_structured(), 0, 28),
        (server::handshake_structured(), PAYLOAD_LEN, 28),
        (server::handshake_extended(), 0, 32),
        (server::handshake_extended(), PAYLOAD_LEN, 32 + 12),
    ] {
        let mut machine = ready(&handshake);
        filter(&mut machine, flags, b"123456789012");
        assert_eq!(left(&machine).len(), length);
    }
}

#[test]
fn write_data_is_in_use_until_sent() {
    let mut machine = ready(&server::handshake_simple());
    let flush = issue(&mut machine, RequestType::Flush, b"");
    let first = issue(&mut machine, RequestType::Write, b"ab");
    let second = issue(&mut machine, RequestType::Write, b"cd");
    let in_use = |machine: &Client| [flush, first, second, 99].map(|it| machine.sends_data_of(it));
    assert_eq!(in_use(&machine), [false, true, true, false]);
    machine.sent(28 + 28 + 1);
    assert_eq!(in_use(&machine), [false, true, true, false]);
    machine.sent(1);
    assert_eq!(in_use(&machine), [false, false, true, false]);
    machine.sent(30);
    assert_eq!(in_use(&machine), [false; 4]);
}

#[test]
fn disconnect_is_sent_once() {
    let mut machine = ready(&server::handshake_simple());
    assert!(!machine.is_disconnecting() && !machine.has_sent_last_message());
    machine.disconnect(1);
    machine.disconnect(1);
    assert!(machine.is_disconnecting());
    assert_eq!(machine.in_flight(), 1);
    let goodbye = left(&machine);
    assert_eq!(goodbye.len(), 28);
    assert_eq!(goodbye[..8], *b"\x25\x60\x95\x13\0\x01\0\x02");
    assert_eq!(goodbye[8..], *b"\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0");
}

#[test]
fn disconnect_during_negotiation_sends_nothing() {
    let mut machine = Client::default();
    machine.connected();
    machine.disconnect(0);
    assert!(!machine.is_disconnecting());
    assert!(!machine.wants_to_send());
    assert_eq!(machine.in_flight(), 0);
}

/// Source: seen with libnbd 1.24.4.
#[test]
fn unsent_commands_fail_first() {
    let mut machine = ready(&server::handshake_simple());
    for _ in 0..5 {
        issue(&mut machine, RequestType::Flush, b"");
    }
    machine.sent(2 * 28 + 1);
    machine.fail();
    assert_eq!(machine.failing(), [3, 4, 5, 2, 1]);
    assert_eq!(machine.failing_from(4), [4, 5]);
    assert!(!machine.wants_to_send());
    assert!(left(&machine).is_empty());

    let mut machine = ready(&server::handshake_simple());
    for _ in 0..3 {
        issue(&mut machine, RequestType::Flush, b"");
    }
    machine.disconnect(0);
    machine.sent(3 * 28 + 1);
    machine.close();
    assert_eq!(machine.failing(), [3, 2, 1]);
}

#[test]
fn only_unstarted_requests_are_taken_back() {
    let mut machine = ready(&server::handshake_simple());
    assert_eq!(machine.abandon_unsent(), None);
    machine.disconnect(0);
    // Only NBD_CMD_DISC, which has no cookie.
    assert_eq!(machine.abandon_unsent(), None);
    assert!(!machine.is_disconnecting());
    assert!(!machine.wants_to_send());

    let flush = issue(&mut machine, RequestType::Flush, b"");
    machine.disconnect(0);
    machine.sent(1);
    assert_eq!(machine.abandon_unsent(), None);
    assert!(!machine.is_disconnecting());
    assert_eq!(left(&machine).len(), 27);

    let other = issue(&mut machine, RequestType::Flush, b"");
    machine.disconnect(0);
    machine.sent(27 + 28 + 1);
    assert_eq!(machine.abandon_unsent(), None);
    assert!(machine.is_disconnecting());
    assert_eq!(left(&machine).len(), 27);
    assert!(machine.command(flush).is_some() && machine.command(other).is_some());
}

/// A request is sent without being queued, as far as the socket accepts it.
#[test]
fn the_rest_of_a_request_is_queued() {
    let data = b"data";
    for taken in 0..=28 + data.len() {
        let mut machine = ready(&server::handshake_simple());
        let before = *machine.traffic();
        let new = NewCommand {
            kind: RequestType::Write,
            flags: 0,
            offset: 0,
            length: data.len() as u64,
            payload: None,
            reports_data: true,
            attachment: data.to_vec(),
        };
        let (cookie, request) = machine.begin(new).expect("there is memory");
        let all = [request.header(), data].concat();
        assert!(machine.command(cookie).is_some() && !machine.wants_to_send());
        machine.sent_at_once(request, taken);
        assert_eq!(left(&machine), all[taken..]);
        let state = match taken < all.len() {
            true => State::Processing,
            false => State::Ready,
        };
        assert_eq!(machine.state(), state);
        machine.sent(all.len() - taken);
        assert_eq!(machine.traffic().bytes_sent, before.bytes_sent + 32);
        assert_eq!(machine.traffic().chunks_sent, before.chunks_sent + 1);
        assert_eq!(machine.state(), State::Ready);
    }
}

#[test]
fn commands_complete_before_they_are_retired() {
    let mut machine = ready(&server::handshake_simple());
    let cookie = issue(&mut machine, RequestType::Flush, b"");
    machine.sent(28);
    machine.command_mut(cookie).expect("in flight").fail(5);
    assert!(machine.completed(cookie).is_none());
    assert!(machine.finish(cookie).is_some());
    assert_eq!(machine.in_flight(), 0);
    assert!(machine.command(cookie).is_none());
    assert!(machine.command_mut(cookie).is_none());
    assert!(machine.finish(cookie).is_none());
    assert!(machine.retire_unless(cookie, |done| {
        done.replace_error(7);
        true
    }));
    assert_eq!(machine.completed(cookie).map(|it| it.error()), Some(7));
    assert!(!machine.retire_unless(cookie, |done| done.error() != 7));
    assert!(machine.completed(cookie).is_none());
    machine.retire(cookie);
}

#[test]
fn a_cancelled_write_is_sent_completely_or_not_at_all() {
    let copy = |_: &Command<Vec<u8>>| Ok(b"copied".as_slice().into());
    for sent in 0..=28 + 6 {
        let mut machine = ready(&server::handshake_simple());
        let cookie = issue(&mut machine, RequestType::Write, b"before");
        let whole = left(&machine);
        machine.sent(sent);
        let command = machine.cancel(cookie, libc::ETIMEDOUT, copy);
        assert_eq!(command.expect("there is memory").error(), libc::ETIMEDOUT);
        assert_eq!(machine.in_flight(), 0);
        let rest = left(&machine);
        match sent {
            0 => assert!(rest.is_empty()),
            1..28 => assert_eq!(rest, [&whole[sent..28], b"copied".as_slice()].concat()),
            _ => assert_eq!(rest, b"copied"[sent - 28..]),
        }
        // The reply ends a command that the program has already retired.
        machine.retire(cookie);
        assert_eq!(machine.commands(), usize::from(sent > 0));
        machine.sent(rest.len());
        if sent > 0 {
            let reply = server::simple(cookie, 0, &[]);
            let event = machine.receive(&mut reply.as_slice(), |_, _, _| {});
            assert!(matches!(event, Some(Event::Completed { .. })), "{event:?}");
            assert!(machine.finish(cookie).is_none());
        }
        assert_eq!((machine.commands(), machine.state()), (0, State::Ready));
    }
}

#[test]
fn without_memory_for_its_data_a_write_is_not_cancelled() {
    let mut machine = ready(&server::handshake_simple());
    let cookie = issue(&mut machine, RequestType::Write, b"before");
    machine.sent(29);
    let cancelled = machine.cancel(cookie, libc::ETIMEDOUT, |_| Err(NoMemory));
    assert!(cancelled.is_err());
    assert_eq!(left(&machine), b"efore");
    assert_eq!(machine.in_flight(), 1);
}

#[test]
fn memory_use_follows_commands_in_flight() {
    let mut machine = ready(&server::handshake_structured());
    let idle = machine.allocated();
    for _ in 0..100 {
        issue(&mut machine, RequestType::Flush, b"");
    }
    // A request has a header of 28 bytes, and a command a cookie of 8.
    assert!(machine.allocated() > idle + 100 * (28 + 8));
}
