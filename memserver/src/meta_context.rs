// SPDX-License-Identifier: LGPL-2.1-or-later

//! LIST_META_CONTEXT and SET_META_CONTEXT.

use crate::agreed::{Agreed, Headers, Selected, Selection, Source};
use crate::export::Export;
use crate::faults::{Fault, Scope};
use crate::option_replies::OptionReplies;
use crate::transition::Transition;
use crate::wire::{rep, Cursor, MAX_STRING};

const BASE_ALLOCATION: &[u8] = b"base:allocation";

/// Returns the contexts that an export offers with these headers.
fn available(export: &Export, headers: Headers) -> Vec<(Vec<u8>, Source)> {
    let mut all = vec![(BASE_ALLOCATION.to_vec(), Source::Allocation)];
    for (n, context) in export.contexts.iter().enumerate() {
        if context.is_narrow() || headers == Headers::Extended {
            all.push((context.name.clone(), Source::Fixed(n)));
        }
    }
    all
}

/// Parses the data of either option: export name and queries.
fn parse(data: &[u8]) -> Option<(&[u8], Vec<&[u8]>)> {
    let mut cursor = Cursor(data);
    let name = cursor.string()?;
    let count = cursor.u32()?;
    let mut queries = Vec::new();
    for _ in 0..count {
        queries.push(cursor.string()?);
    }
    cursor.is_empty().then_some((name, queries))
}

/// Returns true if `query` matches the context `name`: by its full name, or in
/// a list by its namespace.
fn matches(query: &[u8], name: &[u8], set: bool) -> bool {
    query == name || (!set && query.ends_with(b":") && name.starts_with(query))
}

/// Answers either option.
pub fn answer(
    agreed: &mut Agreed,
    set: bool,
    data: &[u8],
    replies: &mut OptionReplies<'_, '_>,
) -> Transition {
    if set {
        // A failed option discards the previous selection too.
        agreed.selection = None;
        if agreed.headers == Headers::Simple {
            return replies.error(rep::ERR_INVALID, "structured replies come first");
        }
    }
    let Some((name, queries)) = parse(data) else {
        return replies.error(rep::ERR_INVALID, "malformed list of queries");
    };
    let Some(at) = replies.env.exports.find(name) else {
        return replies.error(rep::ERR_UNKNOWN, "no export of that name");
    };
    if name.len() > MAX_STRING || queries.iter().any(|query| query.len() > MAX_STRING) {
        return replies.error(rep::ERR_TOO_BIG, "query too long");
    }
    if queries.iter().any(|query| !query.contains(&b':')) {
        return replies.error(rep::ERR_INVALID, "query without a namespace");
    }
    let mut found = available(&replies.env.exports.0[at], agreed.headers);
    if set || !queries.is_empty() {
        found.retain(|(name, _)| queries.iter().any(|query| matches(query, name, set)));
    }
    let fault = replies.env.faults.in_scope(Scope::Context);
    let mut contexts = Vec::new();
    if set {
        agreed.selections += 1;
    }
    for (n, (name, source)) in found.into_iter().enumerate() {
        // Ids are never reused between selections, so that a stale id is
        // detected.
        let id = match (set, fault) {
            (false, _) => 0,
            (true, Some(Fault::ContextSameId)) => 7,
            (true, _) => (agreed.selections << 16) | (n as u32 + 1),
        };
        contexts.push(Selected { id, source });
        send(replies, id, &name, fault);
    }
    if fault == Some(Fault::ContextUnasked) {
        send(replies, 0x7777, b"x-memserver:unasked", None);
    }
    if set {
        agreed.selection = Some(Selection {
            export_name: name.to_vec(),
            contexts,
        });
    }
    replies.ack()
}

fn send(replies: &mut OptionReplies<'_, '_>, id: u32, name: &[u8], fault: Option<Fault>) {
    let mut data = id.to_be_bytes().to_vec();
    match fault {
        Some(Fault::ContextShort) => data.truncate(3),
        Some(Fault::ContextLongName) => data.resize(4 + MAX_STRING + 904, b'n'),
        _ => data.extend_from_slice(name),
    }
    replies.send(rep::META_CONTEXT, &data);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queries_match_names_and_in_a_list_namespaces() {
        assert!(matches(b"base:allocation", b"base:allocation", true));
        assert!(!matches(b"base:", b"base:allocation", true));
        assert!(matches(b"base:", b"base:allocation", false));
        assert!(!matches(b"x:", b"base:allocation", false));
        assert!(!matches(b"base:a", b"base:allocation", false));
    }

    #[test]
    fn truncated_queries_are_malformed() {
        let good = [&[0, 0, 0, 1, b'e', 0, 0, 0, 1, 0, 0, 0, 2][..], b"x:"].concat();
        assert_eq!(parse(&good), Some((&b"e"[..], vec![&b"x:"[..]])));
        for n in 0..good.len() {
            assert_eq!(parse(&good[..n]), None, "cut at {n}");
        }
        assert_eq!(parse(&[&good[..], b"x"].concat()), None);
        assert_eq!(parse(&[0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]), None);
    }
}
