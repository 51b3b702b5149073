// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option haggling.

use crate::agreed::{Agreed, Headers, Opened};
use crate::env::Env;
use crate::export::Export;
use crate::faults::{Fault, Scope};
use crate::meta_context;
use crate::option_replies::OptionReplies;
use crate::settings::Style;
use crate::starttls;
use crate::transition::Transition;
use crate::wire::{flag, info, name_of, opt, rep, Cursor, MAX_STRING, NBD_OPTION_MAGIC, PADDING};

/// Maximum option data; a longer option is refused and skipped.
const MAX_OPTION: usize = 65536;
/// Maximum option data that is skipped; a longer option closes the connection.
const MAX_SKIPPED: usize = 16 << 20;

/// Handles one option if it has arrived completely.
pub fn step(agreed: &mut Agreed, input: &[u8], env: &mut Env<'_>) -> Option<(usize, Transition)> {
    let mut cursor = Cursor(input);
    let magic = cursor.u64()?;
    let option = cursor.u32()?;
    let length = cursor.u32()? as usize;
    if magic != NBD_OPTION_MAGIC {
        env.log(format_args!("wrong option magic {magic:#x}"));
        return Some((16, Transition::Close));
    }
    let fixed = env.settings.style == Style::FixedNewstyle;
    if !fixed && option != opt::EXPORT_NAME {
        env.log(format_args!(
            "option {option} before fixed newstyle existed"
        ));
        return Some((16, Transition::Close));
    }
    if length > MAX_OPTION {
        if option == opt::EXPORT_NAME || length > MAX_SKIPPED {
            return Some((16, Transition::Close));
        }
        let mut replies = OptionReplies::new(option, None, env);
        if starttls::is_required(replies.env.settings, agreed, option) {
            replies.error(rep::ERR_TLS_REQD, "not without TLS");
        } else {
            replies.error(rep::ERR_TOO_BIG, "more option data than this server takes");
        }
        return Some((16, Transition::Skip(length as u64)));
    }
    let data = cursor.bytes(length)?;
    let name = name_of(opt::NAMES, option).unwrap_or("unknown");
    env.log(format_args!("option {name} ({option}), {length} bytes"));
    let next = handle(agreed, option, data, env);
    Some((16 + length, next))
}

fn handle(agreed: &mut Agreed, option: u32, data: &[u8], env: &mut Env<'_>) -> Transition {
    let fault = env.faults.in_scope(Scope::Option);
    let settings = env.settings;
    let mut replies = OptionReplies::new(option, fault, env);
    match fault {
        Some(Fault::OptionSilence) => return Transition::Stay,
        Some(Fault::OptionClose) => return Transition::Close,
        Some(Fault::OptionUnknownError) => {
            return replies.error(rep::ERROR_BIT + 1000, "an unknown error");
        }
        Some(Fault::OptionLongError) => {
            return replies.error(rep::ERR_POLICY, &"long ".repeat(1000));
        }
        Some(Fault::OptionHugeLength) => {
            replies.send(rep::ERR_POLICY, &[]);
            return Transition::Mute;
        }
        _ => {}
    }
    if starttls::is_required(settings, agreed, option) {
        if option == opt::EXPORT_NAME {
            return Transition::Close;
        }
        return replies.error(rep::ERR_TLS_REQD, "not without TLS");
    }
    let ordered = settings.option_errors.iter().find(|(o, _)| *o == option);
    if let Some(&(_, error)) = ordered {
        if option == opt::EXPORT_NAME {
            return Transition::Close;
        }
        return replies.error(error, "refused on request");
    }
    match option {
        opt::EXPORT_NAME => export_name(agreed, data, replies.env),
        opt::ABORT => {
            replies.ack();
            Transition::Close
        }
        opt::STARTTLS => starttls::answer(agreed, data, &mut replies),
        opt::LIST if !settings.list => replies.error(rep::ERR_POLICY, "no list is given out"),
        opt::LIST => list(data, &mut replies),
        opt::GO if settings.go => info_or_go(agreed, true, data, &mut replies),
        opt::INFO if settings.go && settings.info => info_or_go(agreed, false, data, &mut replies),
        opt::STRUCTURED_REPLY if settings.structured_replies => {
            if agreed.headers == Headers::Extended {
                return replies.error(
                    rep::ERR_EXT_HEADER_REQD,
                    "extended headers are agreed already",
                );
            }
            agree(agreed, Headers::Structured, data, &mut replies)
        }
        // The protocol requires GO of a server that agrees to extended headers.
        opt::EXTENDED_HEADERS if settings.extended_headers && settings.go => {
            agree(agreed, Headers::Extended, data, &mut replies)
        }
        opt::LIST_META_CONTEXT | opt::SET_META_CONTEXT if settings.meta_context => {
            let set = option == opt::SET_META_CONTEXT;
            meta_context::answer(agreed, set, data, &mut replies)
        }
        _ => replies.error(rep::ERR_UNSUP, "option not supported"),
    }
}

fn agree(
    agreed: &mut Agreed,
    headers: Headers,
    data: &[u8],
    replies: &mut OptionReplies<'_, '_>,
) -> Transition {
    if !data.is_empty() {
        return replies.error(rep::ERR_INVALID, "this option has no data");
    }
    if agreed.headers == headers {
        return replies.error(rep::ERR_INVALID, "this is agreed already");
    }
    agreed.headers = headers;
    replies.ack()
}

/// Returns the flags of an export, without those that need other headers.
///
/// The flag for block status filters is set even if no context is selected:
/// otherwise clients that only ask for INFO would not see it.
fn transmission_flags(export: &Export, headers: Headers) -> u16 {
    match headers {
        Headers::Simple => export.flags & !(flag::SEND_DF | flag::BLOCK_STATUS_PAYLOAD),
        Headers::Structured => export.flags & !flag::BLOCK_STATUS_PAYLOAD,
        Headers::Extended => export.flags,
    }
}

fn start(agreed: &mut Agreed, at: usize, name: &[u8], env: &Env<'_>) -> Transition {
    let selection = agreed.selection.take().filter(|s| s.is_for(name));
    Transition::Transmit(Opened {
        export: at,
        flags: transmission_flags(&env.exports.0[at], agreed.headers),
        headers: agreed.headers,
        contexts: selection.map(|s| s.contexts).unwrap_or_default(),
    })
}

fn export_name(agreed: &mut Agreed, name: &[u8], env: &mut Env<'_>) -> Transition {
    let Some(at) = env.exports.find(name) else {
        env.log(format_args!(
            "no export {:?}",
            String::from_utf8_lossy(name)
        ));
        return Transition::Close;
    };
    if agreed.headers == Headers::Extended || env.settings.require_block_size {
        return Transition::Close;
    }
    let export = &env.exports.0[at];
    env.out.put_u64(export.size);
    env.out.put_u16(transmission_flags(export, agreed.headers));
    if !agreed.no_zeroes {
        env.out.put_zeroes(PADDING);
    }
    start(agreed, at, name, env)
}

fn list(data: &[u8], replies: &mut OptionReplies<'_, '_>) -> Transition {
    if !data.is_empty() {
        return replies.error(rep::ERR_INVALID, "LIST has no data");
    }
    for at in 0..replies.env.exports.0.len() {
        let export = &replies.env.exports.0[at];
        let mut name = export.name.clone();
        let mut entry = Vec::new();
        let fault = replies.env.faults.in_scope(Scope::List);
        if fault == Some(Fault::ListLongName) {
            name = vec![b'n'; MAX_STRING + 904];
        }
        let mut length = name.len() as u32;
        if fault == Some(Fault::ListNameTooLong) {
            length += 1000;
        }
        entry.extend_from_slice(&length.to_be_bytes());
        entry.extend_from_slice(&name);
        entry.extend_from_slice(export.description.as_deref().unwrap_or(b""));
        if fault == Some(Fault::ListShort) {
            entry.truncate(3);
        }
        replies.send(rep::SERVER, &entry);
    }
    replies.ack()
}

/// Parses the data of INFO and GO: the name and the requested information
/// types.
fn parse_info(data: &[u8]) -> Option<(&[u8], Vec<u16>)> {
    let mut cursor = Cursor(data);
    let name = cursor.string()?;
    let count = cursor.u16()?;
    let asked = (0..count).map(|_| cursor.u16()).collect::<Option<_>>()?;
    cursor.is_empty().then_some((name, asked))
}

fn info_or_go(
    agreed: &mut Agreed,
    go: bool,
    data: &[u8],
    replies: &mut OptionReplies<'_, '_>,
) -> Transition {
    let Some((name, asked)) = parse_info(data) else {
        return replies.error(rep::ERR_INVALID, "malformed request for information");
    };
    if name.len() > MAX_STRING {
        return replies.error(rep::ERR_TOO_BIG, "export name too long");
    }
    let Some(at) = replies.env.exports.find(name) else {
        return replies.error(rep::ERR_UNKNOWN, "no export of that name");
    };
    let fault = replies.env.faults.in_scope(Scope::Info);
    let flags = transmission_flags(&replies.env.exports.0[at], agreed.headers);
    let blind = !asked.contains(&info::BLOCK_SIZE) && replies.env.settings.require_block_size;
    for item in info_replies(&replies.env.exports.0[at], flags, &asked, blind, fault) {
        replies.send(rep::INFO, &item);
    }
    if blind {
        return replies.error(rep::ERR_BLOCK_SIZE_REQD, "ask for the block sizes first");
    }
    replies.ack();
    match go {
        true => start(agreed, at, name, replies.env),
        false => Transition::Stay,
    }
}

/// Returns the information replies as type and payload.
fn info_replies(
    export: &Export,
    flags: u16,
    asked: &[u16],
    blind: bool,
    fault: Option<Fault>,
) -> Vec<Vec<u8>> {
    let item = |kind: u16, payload: &[u8]| [&kind.to_be_bytes()[..], payload].concat();
    let flags = match fault {
        Some(Fault::InfoNoFlags) => 0,
        _ => flags,
    };
    let facts = [&export.size.to_be_bytes()[..], &flags.to_be_bytes()].concat();
    let mut items = Vec::new();
    match fault {
        Some(Fault::InfoNoExport) => {}
        Some(Fault::InfoExportShort) => items.push(item(info::EXPORT, &facts[..9])),
        Some(Fault::InfoExportLong) => items.push(item(info::EXPORT, &[&facts[..], &[0]].concat())),
        _ => items.push(item(info::EXPORT, &facts)),
    }
    match fault {
        Some(Fault::InfoExportTwice) => {
            let other = [&(export.size / 2).to_be_bytes()[..], &flags.to_be_bytes()].concat();
            items.push(item(info::EXPORT, &other));
        }
        Some(Fault::InfoTiny) => items.push(vec![0]),
        Some(Fault::InfoUnknown) => items.push(item(0x7777, b"no client knows this")),
        _ => {}
    }
    let asked_for = |kind| asked.contains(&kind) || fault == Some(Fault::InfoUnasked);
    if fault == Some(Fault::InfoLongName) {
        items.push(item(info::NAME, &[b'n'; MAX_STRING + 904]));
    } else if asked_for(info::NAME) {
        items.push(item(info::NAME, export.advertised_name()));
    }
    if let Some(description) = export.description.as_deref() {
        if asked_for(info::DESCRIPTION) {
            items.push(item(info::DESCRIPTION, description));
        }
    }
    let bad = matches!(
        fault,
        Some(Fault::InfoBlockSizeShort | Fault::InfoBlockSizeBad)
    );
    let sizes = match (fault, export.block_size) {
        (Some(Fault::InfoBlockSizeBad), _) => Some([3, 7, 1]),
        (_, Some(size)) => Some([size.minimum, size.preferred, size.maximum]),
        (_, None) if bad || blind => Some([1, 4096, u32::MAX]),
        (_, None) => None,
    };
    if let Some(sizes) = sizes.filter(|_| bad || blind || asked_for(info::BLOCK_SIZE)) {
        let mut payload: Vec<u8> = sizes.iter().flat_map(|size| size.to_be_bytes()).collect();
        if fault == Some(Fault::InfoBlockSizeShort) {
            payload.truncate(10);
        }
        items.push(item(info::BLOCK_SIZE, &payload));
    }
    items
}
