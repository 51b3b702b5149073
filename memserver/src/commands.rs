// SPDX-License-Identifier: LGPL-2.1-or-later

//! What each command needs to be valid, and what it does.

use crate::agreed::{Headers, Selected};
use crate::export::Export;
use crate::extents;
use crate::faults::Scope;
use crate::output::Output;
use crate::reads;
use crate::replies::ReplyTo;
use crate::settings::Settings;
use crate::transmission::Request;
use crate::wire::{cmd, cmd_flag, error, flag, Cursor};

/// Why a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub error: u32,
    pub message: &'static str,
    /// The byte of the export at which it failed, where there is one.
    pub at: Option<u64>,
}

impl Refusal {
    /// Failure of the command as a whole.
    pub fn new(error: u32, message: &'static str) -> Refusal {
        Refusal {
            error,
            message,
            at: None,
        }
    }
}

/// The faults that only the replies of one command have.
pub fn fault_scope(command: u16) -> Option<Scope> {
    match command {
        cmd::READ => Some(Scope::Read),
        cmd::BLOCK_STATUS => Some(Scope::Status),
        _ => None,
    }
}

/// Whether the client may ask this, as far as the header tells.
pub fn check(
    request: &Request,
    export: &Export,
    flags: u16,
    headers: Headers,
    settings: &Settings,
) -> Result<(), Refusal> {
    let refuse = |message| Err(Refusal::new(error::EINVAL, message));
    let has = |flag| flags & flag != 0;
    let (feature, mut allowed) = match request.command {
        cmd::READ => (true, if has(flag::SEND_DF) { cmd_flag::DF } else { 0 }),
        cmd::WRITE => (true, 0),
        cmd::FLUSH => (has(flag::SEND_FLUSH), 0),
        cmd::TRIM => (has(flag::SEND_TRIM), 0),
        cmd::CACHE => (has(flag::SEND_CACHE), 0),
        cmd::WRITE_ZEROES if has(flag::SEND_FAST_ZERO) => (
            has(flag::SEND_WRITE_ZEROES),
            cmd_flag::NO_HOLE | cmd_flag::FAST_ZERO,
        ),
        cmd::WRITE_ZEROES => (has(flag::SEND_WRITE_ZEROES), cmd_flag::NO_HOLE),
        cmd::BLOCK_STATUS => (headers != Headers::Simple, cmd_flag::REQ_ONE),
        _ => return refuse("unknown command"),
    };
    if has(flag::SEND_FUA) {
        allowed |= cmd_flag::FUA;
    }
    let payload_flag = request.flags & cmd_flag::PAYLOAD_LEN != 0;
    let wants_payload = headers == Headers::Extended
        && (request.command == cmd::WRITE
            || (request.command == cmd::BLOCK_STATUS && has(flag::BLOCK_STATUS_PAYLOAD)));
    if wants_payload {
        allowed |= cmd_flag::PAYLOAD_LEN;
    }
    let writes = matches!(request.command, cmd::WRITE | cmd::TRIM | cmd::WRITE_ZEROES);
    if writes && has(flag::READ_ONLY) {
        return Err(Refusal::new(error::EPERM, "the export is read-only"));
    }
    if !feature {
        return refuse("command not advertised");
    }
    if request.flags & !allowed != 0 {
        return refuse("command flag not valid here");
    }
    let unflagged = wants_payload && request.command == cmd::WRITE && !payload_flag;
    if unflagged && request.length > 0 && !settings.lax_payload_flag {
        return refuse("WRITE with extended headers needs the payload flag");
    }
    if request.command == cmd::FLUSH {
        return match (request.offset, request.length) {
            (0, 0) => Ok(()),
            _ => refuse("FLUSH with an offset or a length"),
        };
    }
    if request.command == cmd::BLOCK_STATUS && payload_flag {
        // The header tells the length of the payload: the rest comes in it.
        return match request.length {
            0 => refuse("payload of length 0"),
            _ => Ok(()),
        };
    }
    check_range(request.command, request.offset, request.length, export)
}

fn check_range(command: u16, offset: u64, length: u64, export: &Export) -> Result<(), Refusal> {
    let end = offset.checked_add(length).filter(|&end| end <= export.size);
    if end.is_none() {
        let error = match command {
            cmd::WRITE | cmd::WRITE_ZEROES => error::ENOSPC,
            _ => error::EINVAL,
        };
        return Err(Refusal::new(error, "beyond the end of the export"));
    }
    let refuse = |message| Err(Refusal::new(error::EINVAL, message));
    if (offset | length) & (export.minimum() - 1) != 0 {
        return refuse("not a multiple of the minimum block size");
    }
    if matches!(command, cmd::READ | cmd::WRITE) && length > export.maximum() {
        return refuse("longer than the maximum block size");
    }
    if command == cmd::BLOCK_STATUS && length == 0 {
        return refuse("block status of nothing");
    }
    Ok(())
}

/// A request that is ready to be carried out and answered.
pub struct Answer<'a> {
    pub request: Request,
    pub reply: ReplyTo,
    pub outcome: Result<(), Refusal>,
    pub export: &'a mut Export,
    pub settings: &'a Settings,
    /// The contexts that were negotiated.
    pub contexts: &'a [Selected],
    /// Those of them that this request is limited to.
    pub wanted: Option<Vec<Selected>>,
}

impl Answer<'_> {
    /// Takes in the payload of a block status: the length that counts, and the
    /// contexts that are wanted.
    pub fn apply_filter(&mut self, payload: &[u8]) {
        if self.outcome.is_err() {
            return;
        }
        let malformed = Err(Refusal::new(error::EINVAL, "malformed list of contexts"));
        let mut cursor = Cursor(payload);
        let Some(length) = cursor.u64() else {
            self.outcome = malformed;
            return;
        };
        let mut wanted = Vec::new();
        while !cursor.is_empty() {
            let context = cursor
                .u32()
                .and_then(|id| self.contexts.iter().find(|context| context.id == id))
                .filter(|context| !wanted.contains(*context));
            let Some(context) = context else {
                self.outcome = malformed;
                return;
            };
            wanted.push(*context);
        }
        self.request.length = length;
        self.outcome = check_range(cmd::BLOCK_STATUS, self.request.offset, length, self.export);
        self.wanted = Some(wanted);
    }

    /// Carries the request out and queues the reply.
    pub fn send(&mut self, out: &mut Output) {
        if let Err(refusal) = self.carry_out() {
            return self.refuse(refusal, out);
        }
        match self.request.command {
            cmd::READ => reads::send(self, out),
            cmd::BLOCK_STATUS => extents::send(self, out),
            _ if self.settings.simple_acks && self.reply.headers == Headers::Structured => {
                self.reply.simple(out, 0);
            }
            _ => self.reply.success(out),
        }
    }

    /// Does what the command does to the export.
    fn carry_out(&mut self) -> Result<(), Refusal> {
        self.outcome?;
        let Request {
            flags,
            command,
            offset,
            length,
            ..
        } = self.request;
        let pages = &mut self.export.pages;
        match command {
            cmd::TRIM => pages.trim(offset, length),
            cmd::WRITE_ZEROES => {
                if flags & cmd_flag::FAST_ZERO != 0 && self.settings.slow_zero {
                    return Err(Refusal::new(error::ENOTSUP, "zeroing is not fast here"));
                }
                pages
                    .zero(offset, length, flags & cmd_flag::NO_HOLE != 0)
                    .map_err(|_| Refusal::new(error::ENOSPC, "out of memory for pages"))?;
            }
            cmd::READ if flags & cmd_flag::DF != 0 && length > self.settings.df_limit => {
                return Err(Refusal::new(error::EOVERFLOW, "too long for one chunk"));
            }
            // WRITE stored its payload as it came; FLUSH and CACHE have
            // nothing to do in memory.
            _ => {}
        }
        Ok(())
    }

    fn refuse(&mut self, refusal: Refusal, out: &mut Output) {
        let Some(at) = refusal.at else {
            return self.reply.error(out, refusal.error, refusal.message);
        };
        // What lies before the bad byte was read well.
        let good = at - self.request.offset;
        if self.request.command == cmd::READ && good > 0 && self.reply.headers != Headers::Simple {
            self.reply.data(out, false, self.request.offset, good);
            self.export.pages.read(self.request.offset, good, out);
        }
        self.reply.error_at(out, refusal.error, refusal.message, at);
    }

    /// The contexts to report.
    pub fn contexts(&self) -> &[Selected] {
        self.wanted.as_deref().unwrap_or(self.contexts)
    }
}
