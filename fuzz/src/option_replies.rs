// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option mode: a sequence of options, each answered by replies of any kind.

use std::ffi::CString;

use nbd::machine::{State, Tls};

use crate::choices::Choices;
use crate::owner::Owner;
use crate::server;

/// Maximum number of options on a connection.
const OPTIONS: usize = 12;

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let mut owner = Owner::new(choices.number(0..=u64::from(u16::MAX)));
    let settings = owner.machine.preferences_mut();
    settings.opt_mode = true;
    settings.full_info = choices.once_in(2);
    settings.tls = choices.one_of(&[Tls::Disable, Tls::Allow]);
    let agreed = choices.once_in(2);
    owner.connect();
    owner.feed(&server::newstyle(3));
    owner.send(true);
    // The options that the connection sends itself before it pauses.
    for option in [5, 11, 8] {
        let reply = match agreed && option != 5 {
            true => server::ack(option),
            false => server::refuse(option, 1),
        };
        if owner.machine.state() == State::Connecting && asks_for(&owner, option) {
            owner.feed(&reply);
            owner.send(true);
        }
    }
    for _ in 0..OPTIONS {
        if owner.machine.state() != State::Negotiating || !choices.has_input() {
            break;
        }
        let asked = ask(&mut owner, &mut choices);
        owner.send(true);
        for _ in 0..choices.index(6) {
            let reply = reply(asked, &mut choices);
            owner.feed(&reply);
            if owner.machine.awaits_tls_handshake() {
                owner.machine.tls_established();
            }
            owner.send(true);
        }
        owner.feed(&server::ack(asked));
        owner.send(true);
    }
    owner.feed(choices.bytes(64));
    owner.finish(true);
}

/// Returns true if this is the last option sent.
fn asks_for(owner: &Owner, option: u32) -> bool {
    let header = [&b"IHAVEOPT"[..], &option.to_be_bytes()].concat();
    owner.sent.windows(12).any(|window| window == header)
}

/// Sends an option and returns its number.
fn ask(owner: &mut Owner, choices: &mut Choices) -> u32 {
    let queries = match choices.index(3) {
        0 => vec![],
        1 => vec![CString::from(c"base:allocation")],
        _ => vec![CString::from(c"base:"), CString::from(c"x:")],
    };
    let machine = &mut owner.machine;
    let (option, asked) = match choices.index(8) {
        0 => (3, machine.opt_list()),
        1 => (6, machine.opt_info()),
        2 => {
            machine.opt_go().expect("there is memory");
            (7, Ok(()))
        }
        3 => (9, machine.opt_list_meta_context(&queries)),
        4 => (10, machine.opt_set_meta_context(&queries)),
        5 => (8, machine.opt_structured_reply()),
        6 => (11, machine.opt_extended_headers()),
        _ => (5, machine.opt_starttls()),
    };
    owner.option = asked.is_ok();
    option
}

/// Returns a reply whose header is correct most of the time.
fn reply(asked: u32, choices: &mut Choices) -> Vec<u8> {
    let option = if choices.once_in(8) { 10 } else { asked };
    let id = choices.number(0..=3) as u32;
    match choices.index(9) {
        0 => server::info_export(option, choices.number(0..=u64::MAX), 0x1ced),
        1 => server::meta_context(option, id, "base:allocation"),
        2 => server::refuse(option, choices.number(0..=12) as u32),
        3 => server::ack(option),
        // NBD_REP_SERVER: the length of a name, the name, and a description.
        4 => {
            let text = choices.bytes(40);
            let length = choices.number(0..=44) as u32;
            server::reply(option, 2, &[&length.to_be_bytes(), text].concat())
        }
        // NBD_REP_INFO of any kind.
        5 => {
            let kind = choices.number(0..=5) as u16;
            let text = choices.bytes(40);
            server::reply(option, 3, &[&kind.to_be_bytes(), text].concat())
        }
        6 => server::reply(option, 4, choices.bytes(40)),
        7 => {
            let kind = choices.number(0..=u64::from(u32::MAX)) as u32;
            server::reply(option, kind, choices.bytes(60))
        }
        _ => choices.bytes(60).to_vec(),
    }
}
