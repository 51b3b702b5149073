// SPDX-License-Identifier: LGPL-2.1-or-later

//! The effect of each command.

use crate::agreed::Headers;
use crate::answer::Answer;
use crate::checks::Refusal;
use crate::extents;
use crate::output::Output;
use crate::reads;
use crate::request::Request;
use crate::wire::{cmd, cmd_flag, error};

/// Executes the request and queues the reply.
pub fn send(answer: &mut Answer<'_>, out: &mut Output) {
    if let Err(refusal) = execute(answer) {
        return refuse(answer, refusal, out);
    }
    match answer.request.command {
        cmd::READ => reads::send(answer, out),
        cmd::BLOCK_STATUS => extents::send(answer, out),
        _ if answer.settings.simple_acks && answer.reply.headers == Headers::Structured => {
            answer.reply.simple(out, 0);
        }
        _ => answer.reply.success(out),
    }
}

/// Applies the command to the export.
fn execute(answer: &mut Answer<'_>) -> Result<(), Refusal> {
    answer.outcome?;
    let Request {
        flags,
        command,
        offset,
        length,
        ..
    } = answer.request;
    let pages = &mut answer.export.pages;
    match command {
        cmd::TRIM => pages.trim(offset, length),
        cmd::WRITE_ZEROES => {
            if flags & cmd_flag::FAST_ZERO != 0 && answer.settings.slow_zero {
                return Err(Refusal::new(error::ENOTSUP, "zeroing is not fast here"));
            }
            pages
                .zero(offset, length, flags & cmd_flag::NO_HOLE != 0)
                .map_err(|_| Refusal::new(error::ENOSPC, "out of memory for pages"))?;
        }
        cmd::READ if flags & cmd_flag::DF != 0 && length > answer.settings.df_limit => {
            return Err(Refusal::new(error::EOVERFLOW, "too long for one chunk"));
        }
        // WRITE has stored its payload already; FLUSH and CACHE are no-ops in
        // memory.
        _ => {}
    }
    Ok(())
}

fn refuse(answer: &Answer<'_>, refusal: Refusal, out: &mut Output) {
    let Some(at) = refusal.at else {
        return answer.reply.error(out, refusal.error, refusal.message);
    };
    // The bytes before the failing offset were read successfully.
    let good = at - answer.request.offset;
    if answer.request.command == cmd::READ && good > 0 && answer.reply.headers != Headers::Simple {
        answer.reply.data(out, false, answer.request.offset, good);
        answer.export.pages.read(answer.request.offset, good, out);
    }
    answer
        .reply
        .error_at(out, refusal.error, refusal.message, at);
}
