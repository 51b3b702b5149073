// SPDX-License-Identifier: LGPL-2.1-or-later

//! Acting on what the machine tells: user memory is filled and callbacks are
//! called here.

use std::collections::TryReserveError;

use libc::{c_int, c_uint};

use super::callback::nbd_extent;
use super::commands::{Buffer, DataCallback};
use super::connection::Connection;
use super::options::OptionCallback;
use crate::error::Error;
use crate::machine::{Event, Extent, ReadStatus};

/// `LIBNBD_READ_DATA`
const READ_DATA: c_uint = 1;
/// `LIBNBD_READ_HOLE`
const READ_HOLE: c_uint = 2;
/// `LIBNBD_READ_ERROR`
const READ_ERROR: c_uint = 3;

/// What stands for an extent too long for 32 bits: the longest length that is
/// still a multiple of any sensible block size (nbd_block_status(3)).
const TRUNCATED: u32 = u32::MAX - (64 * 1024 * 1024 - 1);

impl Connection {
    /// Acts on one event. An error means that the connection is dead.
    pub(super) fn act(&mut self, event: Event<'_>) -> Result<(), Error> {
        match event {
            Event::Data { cookie, at, bytes } => {
                let command = self.machine.command(cookie);
                if let Some(Buffer::Read(buffer)) = command.map(|it| &it.attachment.buffer) {
                    buffer.copy_in(at, bytes);
                }
            }
            Event::Chunk {
                cookie,
                at,
                count,
                offset,
                status,
            } => self.chunk(cookie, at, count, offset, status),
            Event::Extents { cookie, context_id } => self.extents(cookie, context_id),
            Event::Completed { cookie } => self.complete(cookie),
            Event::Listed { name, description } => {
                if let Some(OptionCallback::List(list)) =
                    self.option.as_ref().map(|it| &it.callback)
                {
                    list.call(&name, &description);
                }
            }
            Event::MetaContext { name } => {
                let callback = self.option.as_ref().map(|it| &it.callback);
                if let Some(OptionCallback::Context(context)) = callback {
                    context.call(&name);
                }
            }
            Event::OptionDone(outcome) => self.finish_option(outcome),
            Event::OptionRefused(errno) => self.finish_refused_option(errno),
            // For the loop that calls this.
            Event::MessageEnd => {}
            Event::Note(text) => self.debug(format_args!("{text}")),
            Event::Dead(error) => return Err(self.die(error)),
        }
        Ok(())
    }

    fn chunk(&mut self, cookie: u64, at: usize, count: usize, offset: u64, status: ReadStatus) {
        let Some(command) = self.machine.command_mut(cookie) else {
            return;
        };
        let Buffer::Read(buffer) = &command.attachment.buffer else {
            return;
        };
        if status == ReadStatus::Hole {
            buffer.hole(at, count);
        }
        let DataCallback::Chunk(chunk) = &command.attachment.callback else {
            return;
        };
        // The error that a callback is asked about is its own to replace.
        let (status, mut error, replaceable) = match status {
            ReadStatus::Data => (READ_DATA, command.error(), false),
            ReadStatus::Hole => (READ_HOLE, command.error(), false),
            ReadStatus::Error { errno, first } => (READ_ERROR, errno, first),
        };
        let result = chunk.call(buffer, at, count, offset, status, &mut error);
        match result {
            -1 if replaceable => command.replace_error(callback_error(error)),
            -1 => command.fail(callback_error(error)),
            _ => {}
        }
    }

    fn extents(&mut self, cookie: u64, context_id: u32) {
        let Some((command, context, extents)) = self.machine.extents(cookie, context_id) else {
            return;
        };
        // A long list is not kept until the next one comes.
        let extents = std::mem::take(extents);
        let offset = command.offset;
        let mut error = command.error();
        let result = match &command.attachment.callback {
            DataCallback::Extent(extent) => {
                let Ok((mut entries, overflow)) = narrow(&extents) else {
                    return command.fail(libc::ENOMEM);
                };
                drop(extents);
                if overflow && error == 0 {
                    error = libc::EOVERFLOW;
                }
                let before = error;
                let result = extent.call(&context.name, offset, &mut entries, &mut error);
                if before != 0 {
                    command.fail(before);
                }
                result
            }
            DataCallback::Extent64(extent64) => {
                // In the memory that the list has already.
                let entries = extents.into_iter().map(|it| nbd_extent {
                    length: it.length,
                    flags: it.flags,
                });
                let mut entries: Vec<_> = entries.collect();
                extent64.call(&context.name, offset, &mut entries, &mut error)
            }
            _ => 0,
        };
        if result == -1 {
            command.fail(callback_error(error));
        }
    }
}

/// What a callback that failed has to say (libnbd(3), "Callbacks with int
/// *error parameter").
fn callback_error(error: c_int) -> c_int {
    if error == 0 {
        libc::EPROTO
    } else {
        error
    }
}

/// Extents in 32 bits: length, flags, length, flags. One that is too long is
/// cut and ends the list. Flags that do not fit end it before, unless they are
/// the first, which is an overflow (nbd_block_status(3)).
fn narrow(extents: &[Extent]) -> Result<(Vec<u32>, bool), TryReserveError> {
    let mut entries = Vec::new();
    entries.try_reserve_exact(2 * extents.len())?;
    for extent in extents {
        let length = u32::try_from(extent.length).unwrap_or(TRUNCATED);
        match u32::try_from(extent.flags) {
            Ok(flags) => entries.extend([length, flags]),
            Err(_) if entries.is_empty() => return Ok((vec![length, 0], true)),
            Err(_) => break,
        }
        if u64::from(length) != extent.length {
            break;
        }
    }
    Ok((entries, false))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_extent_too_long_for_32_bits_is_cut_and_ends_the_list() {
        let long = Extent {
            length: 1 << 40,
            flags: 3,
        };
        let after = Extent {
            length: 512,
            flags: 0,
        };
        assert_eq!(narrow(&[long, after]), Ok((vec![4_227_858_432, 3], false)));
        assert_eq!(narrow(&[after, long]).unwrap().0.len(), 4);
    }

    #[test]
    fn flags_too_wide_for_32_bits_overflow_when_they_come_first() {
        let wide = Extent {
            length: 512,
            flags: 1 << 32,
        };
        let plain = Extent {
            length: 512,
            flags: 1,
        };
        assert_eq!(narrow(&[wide, plain]), Ok((vec![512, 0], true)));
        assert_eq!(narrow(&[plain, wide]), Ok((vec![512, 1], false)));
    }
}
