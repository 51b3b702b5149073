// SPDX-License-Identifier: LGPL-2.1-or-later

//! The transmission phase: parses requests and consumes their payloads as they
//! arrive.

use std::time::Instant;

use crate::agreed::Opened;
use crate::answer::Answer;
use crate::checks::{check, Refusal};
use crate::env::Env;
use crate::export::MAX_PAYLOAD;
use crate::faulty_replies;
use crate::output::Output;
use crate::replies::ReplyTo;
use crate::request::Request;
use crate::settings::Settings;
use crate::transition::Transition;
use crate::wire::{cmd, error};

/// Maximum payload of a block status filter: far more ids than there are
/// contexts.
const MAX_FILTER: u64 = 8 + 4 * 1024;

/// The destination of an incoming payload.
#[derive(Debug)]
enum Payload {
    /// Stored in the export, starting here.
    Store { at: u64 },
    /// Kept: the effect length and context ids of a block status.
    Filter(Vec<u8>),
    /// Discarded, because the request has already failed.
    Ignore,
}

#[derive(Debug)]
struct Incoming {
    request: Request,
    outcome: Result<(), Refusal>,
    payload: Payload,
    left: u64,
}

/// The state of a client in the transmission phase.
#[derive(Debug)]
pub struct Transmission {
    opened: Opened,
    incoming: Option<Incoming>,
    /// Requests started.
    requests: u64,
    /// Number of matches of each error rule so far.
    error_counts: Vec<u64>,
}

impl Transmission {
    /// Creates the state before the first request.
    pub fn new(settings: &Settings, opened: Opened) -> Transmission {
        Transmission {
            opened,
            incoming: None,
            requests: 0,
            error_counts: vec![0; settings.errors.len()],
        }
    }

    /// Handles one request header, or the part of a payload that has arrived.
    pub fn step(&mut self, input: &[u8], env: &mut Env<'_>) -> Option<(usize, Transition)> {
        if self.incoming.is_some() {
            return self.take_payload(input, env);
        }
        let request = match Request::parse(input, self.opened.headers)? {
            Ok(request) => request,
            Err(magic) => {
                env.log(format_args!("wrong request magic {magic:#x}"));
                return Some((input.len(), Transition::Close));
            }
        };
        Some((Request::size(self.opened.headers), self.begin(request, env)))
    }

    fn begin(&mut self, request: Request, env: &mut Env<'_>) -> Transition {
        if request.command == cmd::DISC {
            env.log(format_args!("DISC"));
            return Transition::Close;
        }
        self.requests += 1;
        let left = request.payload(self.opened.headers);
        if left > MAX_PAYLOAD {
            env.log(format_args!("a payload of {left} bytes is too large"));
            return Transition::Close;
        }
        let export = &env.exports.0[self.opened.export];
        let mut outcome = check(&request, export, &self.opened, env.settings)
            .and_then(|()| self.check_contexts(&request))
            .and_then(|()| self.ordered_error(&request, env.settings));
        if left == 0 {
            return self.answer(request, outcome, None, env);
        }
        let payload = match (outcome, request.command) {
            (Ok(()), cmd::WRITE) => Payload::Store { at: request.offset },
            (Ok(()), cmd::BLOCK_STATUS) if left <= MAX_FILTER => {
                Payload::Filter(Vec::with_capacity(left as usize))
            }
            (Ok(()), _) => {
                outcome = Err(Refusal::new(error::EINVAL, "payload too large"));
                Payload::Ignore
            }
            (Err(_), _) => Payload::Ignore,
        };
        self.incoming = Some(Incoming {
            request,
            outcome,
            payload,
            left,
        });
        Transition::Stay
    }

    fn take_payload(&mut self, input: &[u8], env: &mut Env<'_>) -> Option<(usize, Transition)> {
        let incoming = self.incoming.as_mut()?;
        let n = incoming.left.min(input.len() as u64) as usize;
        if n == 0 {
            return None;
        }
        incoming.left -= n as u64;
        match &mut incoming.payload {
            Payload::Store { at } => {
                if env.exports.0[self.opened.export]
                    .pages
                    .write(*at, &input[..n])
                    .is_err()
                {
                    incoming.outcome = Err(Refusal::new(error::ENOSPC, "out of memory for pages"));
                    incoming.payload = Payload::Ignore;
                } else {
                    *at += n as u64;
                }
            }
            Payload::Filter(bytes) => bytes.extend_from_slice(&input[..n]),
            Payload::Ignore => {}
        }
        if incoming.left > 0 {
            return Some((n, Transition::Stay));
        }
        let done = self.incoming.take()?;
        let filter = match done.payload {
            Payload::Filter(bytes) => Some(bytes),
            _ => None,
        };
        let next = self.answer(done.request, done.outcome, filter.as_deref(), env);
        Some((n, next))
    }

    fn check_contexts(&self, request: &Request) -> Result<(), Refusal> {
        if request.command == cmd::BLOCK_STATUS && self.opened.contexts.is_empty() {
            return Err(Refusal::new(error::EINVAL, "no meta context is selected"));
        }
        Ok(())
    }

    /// Returns the first `--error` rule that this request matches.
    fn ordered_error(&mut self, request: &Request, settings: &Settings) -> Result<(), Refusal> {
        for (rule, count) in settings.errors.iter().zip(&mut self.error_counts) {
            let touches = rule.offset.is_none_or(|at| {
                at.checked_sub(request.offset)
                    .is_some_and(|distance| distance < request.length)
            });
            if rule.command != request.command || !touches {
                continue;
            }
            *count += 1;
            if rule.only.is_none_or(|n| n == *count) {
                return Err(Refusal {
                    error: rule.error,
                    message: "error on request",
                    at: rule.offset,
                });
            }
        }
        Ok(())
    }

    fn answer(
        &mut self,
        request: Request,
        outcome: Result<(), Refusal>,
        filter: Option<&[u8]>,
        env: &mut Env<'_>,
    ) -> Transition {
        env.log(format_args!(
            "{} offset {} length {} flags {:#x} cookie {:#x}: {}",
            request.name(),
            request.offset,
            request.length,
            request.flags,
            request.cookie,
            outcome.map_or_else(|refusal| refusal.message, |()| "ok"),
        ));
        let mut answer = Answer {
            request,
            reply: ReplyTo::new(self.opened.headers, request.cookie, request.offset),
            outcome,
            export: &mut env.exports.0[self.opened.export],
            settings: env.settings,
            contexts: &self.opened.contexts,
            wanted: None,
        };
        if let Some(payload) = filter {
            answer.apply_filter(payload);
        }
        let scope = faulty_replies::scope(request.command);
        let fault = env.faults.in_reply(scope);
        let next = match env.delivery {
            None => faulty_replies::send(&mut answer, fault, env.out),
            Some(delivery) => {
                let mut reply = Output::with_marks();
                let next = faulty_replies::send(&mut answer, fault, &mut reply);
                delivery.push(reply, Instant::now());
                next
            }
        };
        if env.settings.close_after_requests == Some(self.requests) {
            return Transition::Close;
        }
        next
    }
}
