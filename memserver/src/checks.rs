// SPDX-License-Identifier: LGPL-2.1-or-later

//! Validity checks for each command.

use crate::agreed::{Headers, Opened};
use crate::export::Export;
use crate::request::Request;
use crate::settings::Settings;
use crate::wire::{cmd, cmd_flag, error, flag};

/// The reason a command fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    pub error: u32,
    pub message: &'static str,
    /// The offset in the export at which the command failed, if the failure has
    /// one.
    pub at: Option<u64>,
}

impl Refusal {
    /// Creates a failure of the command as a whole.
    pub fn new(error: u32, message: &'static str) -> Refusal {
        Refusal {
            error,
            message,
            at: None,
        }
    }
}

/// Checks that the client may send this request, from its header alone.
pub fn check(
    request: &Request,
    export: &Export,
    opened: &Opened,
    settings: &Settings,
) -> Result<(), Refusal> {
    let refuse = |message| Err(Refusal::new(error::EINVAL, message));
    let headers = opened.headers;
    let has = |flag| opened.flags & flag != 0;
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
        // The header gives the length of the payload; the effect length is in
        // the payload.
        return match request.length {
            0 => refuse("payload of length 0"),
            _ => Ok(()),
        };
    }
    check_range(request.command, request.offset, request.length, export)
}

/// Checks the range of the export that a command covers.
pub fn check_range(command: u16, offset: u64, length: u64, export: &Export) -> Result<(), Refusal> {
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
