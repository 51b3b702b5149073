// SPDX-License-Identifier: LGPL-2.1-or-later

//! URIs: one that is parsed can be formatted, and the result has the same
//! meaning.

use std::ffi::CString;

use nbd::uri::{is_nbd_uri, NbdUri, UriPolicy};

use crate::choices::Choices;

/// Components of URIs, and characters that are invalid in them.
const PARTS: [&str; 40] = [
    "nbd",
    "nbds",
    "+unix",
    "+vsock",
    "+ssh",
    "://",
    ":",
    "/",
    "?",
    "#",
    "[",
    "]",
    "@",
    "%",
    "%25",
    "%00",
    "%2f",
    "%2D",
    "::1",
    "fe80::1",
    "localhost",
    "10809",
    "99999999999",
    "&",
    ";",
    "=",
    "socket",
    "nbd-port",
    "tls-verify-peer",
    "tls-hostname",
    "tls-certificates",
    "tls-psk-file",
    "true",
    "0",
    "-o",
    "é",
    "\u{7f}",
    " ",
    "~",
    "a",
];

pub fn run(input: &[u8]) {
    let mut choices = Choices::new(input);
    let policy = UriPolicy {
        transports: choices.one_of(&[u32::MAX, 0, 1, 2, 4, 8]),
        tls: choices.one_of(&[1, 0, 2]),
        local_file: choices.once_in(2),
        tls_priority: choices.once_in(2),
    };
    let text = match choices.once_in(3) {
        true => choices.rest().to_vec(),
        false => {
            let mut text = choices
                .one_of(&["nbd://", "nbd+unix://", "nbd+ssh://", ""])
                .to_owned();
            while choices.has_input() && text.len() < 400 {
                text += choices.one_of(&PARTS);
            }
            text.into_bytes()
        }
    };
    let Ok(text) = CString::new(text) else {
        return;
    };
    let is_uri = is_nbd_uri(&text);
    let Ok(uri) = NbdUri::parse(&text, &policy) else {
        return;
    };
    assert!(is_uri, "{text:?} is parsed and is none");
    let written = uri.write().expect("there is memory");
    match NbdUri::parse(&written, &policy) {
        Ok(again) => assert_eq!(again, uri, "{text:?} is written as {written:?}"),
        Err(refused) => panic!("{text:?} is written as {written:?}: {}", refused.error),
    }
}
