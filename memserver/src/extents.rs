// SPDX-License-Identifier: LGPL-2.1-or-later

//! The reply to BLOCK_STATUS.

use crate::agreed::{Headers, Source};
use crate::answer::Answer;
use crate::export::Export;
use crate::output::Output;
use crate::pages::Allocation;
use crate::wire::{cmd_flag, NBD_STATE_HOLE, NBD_STATE_ZERO};

/// Maximum number of extents in a chunk: 1 MiB of reply.
const MAX_EXTENTS: usize = 65536;

/// Returns the flags of a context at `offset` and the length they hold for, at
/// most `max`.
fn state(export: &Export, source: Source, offset: u64, max: u64) -> (u64, u64) {
    match source {
        Source::Allocation => {
            let (allocation, length) = export.pages.run(offset, max);
            let flags = match allocation {
                Allocation::Hole => NBD_STATE_HOLE | NBD_STATE_ZERO,
                Allocation::Zero => NBD_STATE_ZERO,
                Allocation::Data => 0,
            };
            (length, flags)
        }
        Source::Fixed(n) => {
            let (length, flags) = export.contexts[n].at(offset);
            (length.min(max), flags)
        }
    }
}

/// Returns the extent that begins at `offset`, a multiple of the minimum block
/// size.
fn extent(export: &Export, source: Source, offset: u64, end: u64) -> (u64, u64) {
    let minimum = export.minimum();
    let (mut length, mut flags) = state(export, source, offset, end - offset);
    let over = length % minimum;
    if over == 0 || offset + length == end {
        return (length, flags);
    }
    if length > minimum {
        return (length - over, flags);
    }
    // A block with mixed states reports only the flags common to all of it.
    let block_end = offset.saturating_add(minimum).min(end);
    while offset + length < block_end {
        let at = offset + length;
        let (more, others) = state(export, source, at, block_end - at);
        flags &= others;
        length += more;
    }
    (length, flags)
}

/// Returns the extents of one context for this request.
pub fn list(answer: &Answer<'_>, source: Source) -> Vec<(u64, u64)> {
    let request = &answer.request;
    let export = &*answer.export;
    let one = request.flags & cmd_flag::REQ_ONE != 0;
    let request_end = request.offset + request.length;
    let mut end = request_end;
    if answer.settings.long_extents && !one {
        end = export.size;
    }
    let mut extents = Vec::new();
    let mut at = request.offset;
    while at < request_end && extents.len() < MAX_EXTENTS {
        let (mut length, flags) = extent(export, source, at, end);
        if answer.reply.headers != Headers::Extended {
            // The longest run of whole blocks that fits 32 bits.
            length = length.min(u64::from(u32::MAX) - 0xffff);
        }
        extents.push((length, flags));
        at += length;
        if one {
            break;
        }
    }
    extents
}

/// Queues one chunk for each context.
pub fn send(answer: &mut Answer<'_>, out: &mut Output) {
    let contexts = answer.contexts();
    for (n, context) in contexts.iter().enumerate() {
        let last = n + 1 == contexts.len();
        let extents = list(answer, context.source);
        answer.reply.extents(out, last, context.id, &extents);
    }
    if contexts.is_empty() {
        // A filter without ids asks for nothing, and succeeds.
        answer.reply.success(out);
    }
}
