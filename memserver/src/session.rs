// SPDX-License-Identifier: LGPL-2.1-or-later

//! One client's conversation, without any I/O: bytes in, bytes out.

use std::rc::Rc;
use std::time::Instant;

use crate::agreed::Agreed;
use crate::delivery::Delivery;
use crate::env::Env;
use crate::export::Exports;
use crate::faults::Faults;
use crate::handshake;
use crate::options;
use crate::output::Output;
use crate::settings::Settings;
use crate::transition::Transition;
use crate::transmission::Transmission;

/// Output limit above which no further request is handled. A client that does
/// not read can make the server hold at most this, one reply, and its own
/// input.
const HIGH_WATER: usize = 1 << 20;
/// The same limit for connections whose replies are held on purpose.
const HIGH_WATER_HELD: usize = 16 << 20;

/// The phase of the conversation.
#[derive(Debug)]
enum Phase {
    /// Greeting sent, client flags expected.
    ClientFlags,
    /// Option negotiation.
    Options(Agreed),
    /// Skipping this many bytes of an option's data.
    SkipOption(Agreed, u64),
    /// TLS is agreed; all further input belongs to it. Only the client flags,
    /// of which this is one, are kept.
    StartTls {
        no_zeroes: bool,
    },
    Transmission(Transmission),
    /// Sends nothing more, but keeps the connection open.
    Mute,
    /// Close once all output has been sent.
    Closing,
}

fn is_full(out: &Output, delivery: &Option<Delivery>) -> bool {
    match delivery {
        None => out.len() >= HIGH_WATER,
        Some(delivery) => out.len() + delivery.held_bytes() >= HIGH_WATER_HELD,
    }
}

/// One client.
#[derive(Debug)]
pub struct Session {
    settings: Rc<Settings>,
    connection: u64,
    phase: Phase,
    faults: Faults,
    delivery: Option<Delivery>,
    /// Queue of bytes to send.
    pub out: Output,
}

impl Session {
    /// Creates a session for a new client and queues the greeting.
    pub fn new(settings: &Rc<Settings>, exports: &Exports, connection: u64) -> Session {
        let mut faults = Faults::new(&settings.faults);
        let mut out = Output::default();
        let phase = match handshake::greet(settings, exports, &mut faults, &mut out) {
            Some(opened) => Phase::Transmission(Transmission::new(settings, opened)),
            None => Phase::ClientFlags,
        };
        Session {
            settings: Rc::clone(settings),
            connection,
            phase,
            faults,
            delivery: Delivery::new(settings),
            out,
        }
    }

    /// Returns true if the connection ends once all output has been sent.
    pub fn is_closing(&self) -> bool {
        matches!(self.phase, Phase::Closing)
    }

    /// Returns true if the next bytes are TLS, inside which the session
    /// continues.
    pub fn awaits_tls(&self) -> bool {
        matches!(self.phase, Phase::StartTls { .. })
    }

    /// Continues inside TLS: input and output are now its plaintext. This
    /// discards all earlier negotiation, which an attacker may have forged.
    pub fn start_tls(&mut self) {
        if let Phase::StartTls { no_zeroes } = self.phase {
            self.phase = Phase::Options(Agreed::new(no_zeroes, true));
        }
    }

    /// Ends the conversation without sending anything more.
    pub fn close(&mut self) {
        self.phase = Phase::Closing;
        self.delivery = None;
        self.out = Output::default();
    }

    /// Returns true if input is not handled because too much output is queued.
    pub fn is_full(&self) -> bool {
        is_full(&self.out, &self.delivery)
    }

    /// Returns the time at which to call [`Session::release`].
    pub fn next_due(&self) -> Option<Instant> {
        self.delivery.as_ref().and_then(Delivery::next_due)
    }

    /// Queues held replies that are due.
    pub fn release(&mut self) {
        if let Some(delivery) = &mut self.delivery {
            delivery.release(Instant::now(), &mut self.out);
        }
    }

    /// Handles every complete message in `input` and returns the number of
    /// bytes used. Pass the rest again together with more input, or when
    /// [`Session::is_full`] no longer holds.
    pub fn consume(&mut self, input: &[u8], exports: &mut Exports) -> usize {
        let mut env = Env {
            settings: &self.settings,
            exports,
            out: &mut self.out,
            faults: &mut self.faults,
            delivery: &mut self.delivery,
            connection: self.connection,
        };
        let mut used = 0;
        loop {
            if is_full(env.out, env.delivery) {
                break;
            }
            let input = &input[used..];
            let step = match &mut self.phase {
                Phase::Transmission(transmission) => transmission.step(input, &mut env),
                Phase::Options(agreed) => options::step(agreed, input, &mut env),
                Phase::ClientFlags => {
                    let step = handshake::client_flags(input, &env);
                    if let Some((n, Ok(agreed))) = step {
                        used += n;
                        self.phase = Phase::Options(agreed);
                        continue;
                    }
                    step.map(|(n, _)| (n, Transition::Close))
                }
                Phase::SkipOption(_, 0) => {
                    if let Phase::SkipOption(agreed, _) =
                        std::mem::replace(&mut self.phase, Phase::Closing)
                    {
                        self.phase = Phase::Options(agreed);
                    }
                    continue;
                }
                Phase::SkipOption(_, left) => {
                    let n = (*left).min(input.len() as u64);
                    *left -= n;
                    (n > 0).then_some((n as usize, Transition::Stay))
                }
                Phase::StartTls { .. } => None,
                Phase::Mute | Phase::Closing => {
                    used += input.len();
                    None
                }
            };
            let Some((n, next)) = step else {
                break;
            };
            used += n;
            match next {
                Transition::Stay => {}
                Transition::Transmit(opened) => {
                    let transmission = Transmission::new(&self.settings, opened);
                    self.phase = Phase::Transmission(transmission);
                }
                Transition::Mute => self.phase = Phase::Mute,
                Transition::StartTls => {
                    if let Phase::Options(Agreed { no_zeroes, .. }) = self.phase {
                        self.phase = Phase::StartTls { no_zeroes };
                    }
                }
                Transition::Skip(bytes) => {
                    if let Phase::Options(agreed) =
                        std::mem::replace(&mut self.phase, Phase::Closing)
                    {
                        self.phase = Phase::SkipOption(agreed, bytes);
                    }
                }
                Transition::Close => {
                    if let Some(delivery) = env.delivery {
                        delivery.release_all(Instant::now(), env.out);
                    }
                    self.phase = Phase::Closing;
                }
            }
        }
        self.release();
        used
    }
}
