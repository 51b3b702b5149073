// SPDX-License-Identifier: LGPL-2.1-or-later

//! Permitted differences, each described precisely. `docs/differences.md` has
//! the reasons, under the same headings.

use super::program::Call;

/// Consequence of a difference for the rest of the comparison.
#[derive(Clone, Copy, PartialEq)]
pub enum Then {
    /// The handles are in the same state: continue.
    GoesOn,
    /// The handles are in different states: stop.
    Ends,
}
use Then::{Ends, GoesOn};

/// The versions of the C library that differ from this library.
#[derive(Clone, Copy, PartialEq)]
pub enum Versions {
    /// Versions before [`REFERENCE`], which has changed the behaviour.
    Older,
    /// [`REFERENCE`] and newer ones.
    Reference,
}
use Versions::{Older, Reference};

/// Minor version of the reference.
pub const REFERENCE: u32 = 24;

impl Versions {
    fn include(self, minor: u32) -> bool {
        match self {
            Older => minor < REFERENCE,
            Reference => minor >= REFERENCE,
        }
    }
}

/// A difference between the libraries in one call.
pub struct Difference {
    /// Heading in `docs/differences.md`.
    pub heading: &'static str,
    /// Versions of the C library that show it.
    pub version: Versions,
    /// Texts of which the server's command line contains at least one, with `*`
    /// for any text; for a difference that occurs with some servers only.
    server: &'static [&'static str],
    /// Functions concerned; empty for all functions.
    functions: &'static [&'static str],
    /// Lines printed by the C library only, with `*` for any text. A line after
    /// `?` is optional.
    reference: &'static [&'static str],
    /// Lines printed by the library under test only.
    under_test: &'static [&'static str],
    pub then: Then,
}

impl Difference {
    fn server_is(&self, server: &str) -> bool {
        let has = |text: &&str| matches(&format!("*{text}*"), server);
        self.server.is_empty() || self.server.iter().any(has)
    }

    fn concerns(&self, function: &str) -> bool {
        self.functions.is_empty() || self.functions.contains(&function)
    }
}

/// Returns the known difference that explains these two calls. `lines` are
/// those that only one of them has.
pub fn find(
    minor: u32,
    server: &str,
    one: &Call,
    other: &Call,
    lines: &[String],
) -> Option<&'static Difference> {
    let only = |mark: &str| -> Vec<String> {
        let lines = lines.iter().filter_map(|line| line.strip_prefix(mark));
        lines.map(str::to_owned).collect()
    };
    let (reference, under_test) = (only("- "), only("+ "));
    TABLE.iter().find(|known| {
        known.version.include(minor)
            && known.server_is(server)
            && one.head == other.head
            && known.concerns(one.function())
            && all_match(known.reference, &reference)
            && all_match(known.under_test, &under_test)
    })
}

/// Returns true if each line matches a pattern, and each pattern a line.
fn all_match(patterns: &'static [&'static str], lines: &[String]) -> bool {
    let text = |pattern: &'static str| pattern.strip_prefix('?').unwrap_or(pattern);
    let met = |pattern: &'static str| lines.iter().any(|line| matches(text(pattern), line));
    let known = |line: &String| patterns.iter().any(|pattern| matches(text(pattern), line));
    let needed = |pattern: &&&str| !pattern.starts_with('?');
    lines.iter().all(known) && patterns.iter().filter(needed).all(|pattern| met(pattern))
}

/// Returns true if the line matches the pattern, in which `*` stands for any
/// text.
fn matches(pattern: &str, line: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == line,
        Some((before, after)) => line.strip_prefix(before).is_some_and(|rest| {
            (0..=rest.len()).any(|at| rest.is_char_boundary(at) && matches(after, &rest[at..]))
        }),
    }
}

const ANY: &[&str] = &[];

/// Protocol violations that end a connection of 1.14.
const ENDS_1_14: &[&str] = &[
    "'data-beyond",
    "'data-misplaced",
    "'data-oversize",
    "'data-short",
    "'error-long-message",
    "'error-message-too-long",
    "'error-offset-outside",
    "'error-short",
    "'hole-long",
    "'hole-misplaced",
    "'hole-oversize",
    "'hole-short",
    "'none-not-done",
    "'none-payload",
    "'reply-after-done",
    "'reply-simple",
    "'reply-twice",
    "'reply-unknown-chunk",
    "'reply-wrong-chunk",
    "'reply-no-done",
    "'status-bad-count",
    "'status-empty",
    "'status-short",
    "'status-odd-length",
    "'status-wrong-width",
];

/// Functions that return facts about an export.
const FACTS: &[&str] = &[
    "nbd_can_cache",
    "nbd_can_df",
    "nbd_can_fast_zero",
    "nbd_can_flush",
    "nbd_can_fua",
    "nbd_can_meta_context",
    "nbd_can_multi_conn",
    "nbd_can_trim",
    "nbd_can_zero",
    "nbd_get_block_size",
    "nbd_get_size",
    "nbd_is_read_only",
    "nbd_is_rotational",
];

pub const TABLE: &[Difference] = &[
    Difference {
        heading: "Payload of skipped replies",
        version: Reference,
        server: &[
            "--no-structured-replies*'none-",
            "--no-structured-replies*'reply-after-done",
            "--no-structured-replies*'reply-compact",
            "--no-structured-replies*'reply-no-done",
            "--no-structured-replies*'reply-unknown-",
            "--no-structured-replies*'reply-wrong-chunk",
            "--no-structured-replies*'data-",
            "--no-structured-replies*'hole-",
            "--no-structured-replies*'error-",
            "--no-structured-replies*'status-",
            "'reply-offset",
            "'reply-twice",
        ],
        functions: ANY,
        reference: &["?*"],
        under_test: &["?*"],
        then: Ends,
    },
    Difference {
        heading: "Simple replies to structured reads",
        version: Reference,
        server: &["'reply-simple"],
        functions: ANY,
        reference: &["?*"],
        under_test: &[
            "-1 EPROTO",
            "?state DEAD dead*",
            "?completion of *: error *",
            "?  buffer *",
            "?* is freed",
            "?poll(2) says *",
        ],
        then: Ends,
    },
    Difference {
        heading: "Missing data in a read",
        version: Reference,
        server: &[
            "'data-overlap",
            "'data-missing",
            "'data-empty",
            "'hole-empty",
            "played",
        ],
        functions: ANY,
        reference: &[
            "?chunk of *, error 0, *",
            "?completion of *: error 0",
            "?returns *",
        ],
        under_test: &[
            "?chunk of *, error EPROTO, *",
            "?completion of *: error EPROTO",
            "?-1 EPROTO",
        ],
        then: Ends,
    },
    Difference {
        heading: "NBD_OPT_EXPORT_NAME after extended headers",
        version: Reference,
        server: &["'GO=UNSUP"],
        functions: ANY,
        reference: &[
            "?-1 *",
            "?completion of *: error *",
            "?state DEAD dead*",
            "?poll(2) says *",
        ],
        under_test: &[
            "?-1 EOPNOTSUPP",
            "?completion of *: error EOPNOTSUPP",
            "?done",
            "?state NEGOTIATING*",
            "?poll(2) says *",
        ],
        then: Ends,
    },
    Difference {
        heading: "Completion callbacks in nbd_close",
        version: Reference,
        server: ANY,
        functions: &["nbd_close"],
        reference: &["completion of *: error *", "?  buffer *"],
        under_test: &[],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed synchronous calls",
        version: Reference,
        server: ANY,
        functions: &["nbd_aio_command_completed"],
        reference: &["-1 *", "?chunk of * is freed", "?extent of * is freed"],
        under_test: &["returns 0"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed synchronous calls",
        version: Reference,
        server: ANY,
        functions: &["nbd_aio_peek_command_completed"],
        reference: &["returns *"],
        under_test: &["?-1 EINVAL", "?returns *"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed synchronous calls",
        version: Reference,
        server: ANY,
        functions: &["nbd_pread_structured"],
        reference: &[],
        under_test: &["chunk of * is freed"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed synchronous calls",
        version: Reference,
        server: ANY,
        functions: &[
            "nbd_block_status",
            "nbd_block_status_64",
            "nbd_block_status_filter",
        ],
        reference: &[],
        under_test: &["extent of * is freed"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed synchronous calls",
        version: Reference,
        server: ANY,
        functions: &["nbd_close"],
        reference: &[
            "?completion of *: error *",
            "?  buffer *",
            "?chunk of * is freed",
            "?extent of * is freed",
        ],
        under_test: &[],
        then: GoesOn,
    },
    Difference {
        heading: "Strict mode default",
        version: Older,
        server: ANY,
        functions: &["nbd_get_strict_mode"],
        reference: &["returns 31"],
        under_test: &["returns 127"],
        then: GoesOn,
    },
    Difference {
        heading: "Sizes of 8 EiB and more",
        version: Older,
        server: &["'8E'"],
        functions: &["nbd_get_size"],
        reference: &["returns -9223372036854775808"],
        under_test: &["-1 EOVERFLOW"],
        then: GoesOn,
    },
    Difference {
        heading: "Closing with commands in flight",
        version: Older,
        server: ANY,
        functions: &["nbd_close"],
        reference: &[],
        under_test: &["completion of *: error ENOTCONN", "?  buffer *"],
        then: GoesOn,
    },
    Difference {
        heading: "Shutdown during negotiation",
        version: Older,
        server: ANY,
        functions: &["nbd_shutdown"],
        reference: &["-1 EINVAL", "state NEGOTIATING*"],
        under_test: &["returns 0", "state CLOSED closed*"],
        then: Ends,
    },
    Difference {
        heading: "Meta contexts without structured replies",
        version: Older,
        server: ANY,
        functions: &["nbd_opt_list_meta_context"],
        reference: &["-1 EOPNOTSUPP"],
        under_test: &["?context of *", "returns *"],
        then: GoesOn,
    },
    Difference {
        heading: "Meta contexts without structured replies",
        version: Older,
        server: ANY,
        functions: &["nbd_aio_opt_list_meta_context"],
        reference: &["-1 EOPNOTSUPP"],
        under_test: &["?context of *", "?completion of *: error *", "done"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed calls",
        version: Older,
        server: ANY,
        functions: &["nbd_aio_command_completed"],
        reference: &["-1 *", "?chunk of * is freed", "?extent of * is freed"],
        under_test: &["returns 0"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed calls",
        version: Older,
        server: ANY,
        functions: &["nbd_aio_peek_command_completed"],
        reference: &["returns *"],
        under_test: &["?-1 EINVAL", "?returns *"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed calls",
        version: Older,
        server: ANY,
        functions: &["nbd_pread_structured"],
        reference: &[],
        under_test: &["chunk of * is freed"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed calls",
        version: Older,
        server: ANY,
        functions: &["nbd_block_status"],
        reference: &[],
        under_test: &["extent of * is freed"],
        then: GoesOn,
    },
    Difference {
        heading: "Closures of failed calls",
        version: Older,
        server: ANY,
        functions: &["nbd_close", "nbd_aio_command_completed"],
        reference: &[
            "?-1 ENOTCONN",
            "?chunk of * is freed",
            "?extent of * is freed",
        ],
        under_test: &["?returns 0"],
        then: GoesOn,
    },
    Difference {
        heading: "Broken replies",
        version: Older,
        server: ENDS_1_14,
        functions: ANY,
        reference: &["state DEAD dead, direction 0, in flight 0", "?*"],
        under_test: &["state *", "?*"],
        then: Ends,
    },
    Difference {
        heading: "Broken replies",
        version: Older,
        server: ENDS_1_14,
        functions: ANY,
        reference: &["-1 0", "?completion of *: error ENOTCONN"],
        under_test: &["-1 *", "?completion of *: error *"],
        then: Ends,
    },
    Difference {
        heading: "Broken replies",
        version: Older,
        server: &["'reply-simple"],
        functions: &["nbd_aio_command_completed"],
        reference: &["returns 1"],
        under_test: &["-1 EPROTO"],
        then: Ends,
    },
    Difference {
        heading: "Extents past the end of the export",
        version: Older,
        server: &[
            "'status-beyond-end",
            "'status-too-many",
            "'info-export-twice",
        ],
        functions: ANY,
        reference: &[
            "?extents of *: *, error 0",
            "?  * *",
            "?completion of *: error 0",
            "?returns 0",
        ],
        under_test: &[
            "?extents of *: *, error EPROTO",
            "?  * *",
            "?completion of *: error EPROTO",
            "?-1 EPROTO",
        ],
        then: Ends,
    },
    Difference {
        heading: "Incomplete reads",
        version: Older,
        server: &[
            "'data-overlap",
            "'data-missing",
            "'data-empty",
            "'hole-empty",
        ],
        functions: ANY,
        reference: &[
            "?chunk of *, error 0, *",
            "?completion of *: error 0",
            "?-1 EIO",
            "?returns 0",
        ],
        under_test: &[
            "?chunk of *, error EPROTO, *",
            "?completion of *: error EPROTO",
            "?-1 EPROTO",
        ],
        then: Ends,
    },
    Difference {
        heading: "Errno of refused exports",
        version: Older,
        server: &["'GO=", "'INFO=", "'option-unknown-error"],
        functions: ANY,
        reference: &["?-1 *", "?completion of *: error *"],
        under_test: &["?-1 *", "?completion of *: error *"],
        then: GoesOn,
    },
    Difference {
        heading: "tls-verify-peer without TLS",
        version: Older,
        server: ANY,
        functions: &["nbd_connect_uri", "nbd_aio_connect_uri"],
        reference: &["-1 ENOENT", "state DEAD dead*"],
        under_test: &["-1 EINVAL", "state START created*"],
        then: Ends,
    },
    Difference {
        heading: "tls-verify-peer without TLS",
        version: Older,
        server: ANY,
        functions: &["nbd_get_tls_verify_peer"],
        reference: &["returns 1"],
        under_test: &["returns 0"],
        then: GoesOn,
    },
    Difference {
        heading: "Export information during negotiation",
        version: Older,
        server: ANY,
        functions: FACTS,
        reference: &["returns *"],
        under_test: &["-1 EINVAL"],
        then: GoesOn,
    },
    Difference {
        heading: "Export information during negotiation",
        version: Older,
        server: ANY,
        functions: &[
            "nbd_get_canonical_export_name",
            "nbd_get_export_description",
        ],
        reference: &["-1 EINVAL"],
        under_test: &["?-1 EOPNOTSUPP", "?returns *"],
        then: GoesOn,
    },
    Difference {
        heading: "Replies to unknown commands",
        version: Older,
        server: &["'reply-twice"],
        functions: &["nbd_pread_structured"],
        reference: &["-1 0"],
        under_test: &["chunk of * is freed", "-1 EPROTO"],
        then: GoesOn,
    },
    Difference {
        heading: "tls-verify-peer without TLS",
        version: Older,
        server: ANY,
        functions: &["nbd_get_uri"],
        reference: &["returns \"nbd*\""],
        under_test: &["returns \"nbd*&tls-verify-peer=false\""],
        then: GoesOn,
    },
    Difference {
        heading: "Export information during negotiation",
        version: Older,
        server: ANY,
        functions: FACTS,
        reference: &["-1 EINVAL"],
        under_test: &["returns *"],
        then: GoesOn,
    },
    Difference {
        heading: "Replies to unknown commands",
        version: Older,
        server: &["'reply-twice"],
        functions: ANY,
        reference: &["-1 0"],
        under_test: &["-1 EPROTO"],
        then: GoesOn,
    },
    Difference {
        heading: "Error chunks without an error",
        version: Older,
        server: &["'error-zero"],
        functions: ANY,
        reference: &["?-1 EINVAL", "?completion of *: error EINVAL"],
        under_test: &["?-1 EPROTO", "?completion of *: error EPROTO"],
        then: GoesOn,
    },
    Difference {
        heading: "Extents of zero length",
        version: Older,
        server: &["'status-zero-extent"],
        functions: ANY,
        reference: &[
            "?extents of *: *, error 0",
            "?  * *",
            "?completion of *: error 0",
            "?returns 0",
        ],
        under_test: &[
            "?extents of *: *, error EPROTO",
            "?  * *",
            "?completion of *: error EPROTO",
            "?-1 EPROTO",
        ],
        then: Ends,
    },
];
