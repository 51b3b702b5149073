// SPDX-License-Identifier: LGPL-2.1-or-later

//! A server that sends arbitrary bytes, in each phase and in each kind of
//! reply.

use nbd::machine::{State, Tls};
use nbd::protocol::request::RequestType;

use crate::choices::Choices;
use crate::owner::Owner;
use crate::server;

const KINDS: [RequestType; 6] = [
    RequestType::Read,
    RequestType::Write,
    RequestType::BlockStatus,
    RequestType::Flush,
    RequestType::Trim,
    RequestType::WriteZeroes,
];

/// Runs an input. Its first bytes choose the settings, the progress of a
/// correct handshake, and the commands; the server sends the others.
pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut owner = Owner::new(choices.number(0..=u64::from(u16::MAX)));
    let settings = owner.machine.preferences_mut();
    settings.opt_mode = choices.once_in(4);
    settings.tls = choices.one_of(&[Tls::Disable, Tls::Disable, Tls::Allow, Tls::Require]);
    settings.full_info = choices.once_in(2);
    settings.request_extended_headers = !choices.once_in(4);
    settings.request_structured_replies = !choices.once_in(4);
    let handshake = match choices.index(6) {
        0 => Vec::new(),
        1 => server::newstyle(3),
        2 => server::handshake_simple(),
        3 => server::handshake_structured(),
        4 => server::handshake_extended(),
        _ => server::oldstyle(server::SIZE, 0x1ced),
    };
    let commands: Vec<_> = (0..choices.index(9))
        .map(|_| {
            let kind = choices.one_of(&KINDS);
            let offset = choices.one_of(&[0, 1, 512, 65536, u64::MAX - 511]);
            (kind, offset, choices.one_of(&[0, 1, 4, 512, 4096]))
        })
        .collect();
    let (disconnect, in_order) = (choices.once_in(8), choices.once_in(2));
    let bytes = choices.rest();

    owner.connect();
    owner.send(true);
    owner.feed(&handshake);
    if owner.machine.state() == State::Negotiating {
        owner.option = true;
        owner.machine.opt_go().expect("there is memory");
    }
    for (kind, offset, length) in commands {
        if owner.takes_commands() {
            owner.issue(kind, offset, length);
            owner.send(false);
        }
    }
    if disconnect && owner.takes_commands() {
        owner.machine.disconnect(0);
    }
    let (first, second) = bytes.split_at(bytes.len() / 2);
    owner.send(bytes.first().is_none_or(|byte| byte % 16 != 0));
    owner.feed(first);
    if owner.machine.awaits_tls_handshake() {
        owner.machine.tls_established();
    }
    owner.send(true);
    owner.feed(second);
    owner.abandon();
    owner.finish(in_order);
}
