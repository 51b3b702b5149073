// SPDX-License-Identifier: LGPL-2.1-or-later

//! Protocol violations that can be requested by name.
//!
//! This module has the list and the counters. The effect of a fault is
//! implemented where the message is built: `handshake`, `option_replies`,
//! `options`, `starttls`, `meta_context` and `faulty_replies`.

/// The messages that a fault can affect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The greeting.
    Greeting,
    /// Any reply to an option.
    Option,
    /// The reply to STARTTLS and the bytes after it.
    StartTls,
    /// Replies to INFO and GO.
    Info,
    /// Replies to LIST.
    List,
    /// Replies to LIST_META_CONTEXT and SET_META_CONTEXT.
    Context,
    /// The reply to any command.
    Reply,
    /// The reply to READ.
    Read,
    /// The reply to BLOCK_STATUS.
    Status,
}

macro_rules! faults {
    ($($scope:ident { $($fault:ident $name:literal $text:literal)* })*) => {
        /// One way to violate the protocol.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub enum Fault {
            $($(#[doc = $text] $fault,)*)*
        }

        /// Every fault with its name, its scope and its description.
        pub const ALL: &[(Fault, &str, Scope, &str)] = &[
            $($((Fault::$fault, $name, Scope::$scope, $text),)*)*
        ];
    };
}

faults! {
    Greeting {
        GreetingMagic "greeting-magic" "first eight bytes are not NBDMAGIC"
        GreetingVersion "greeting-version" "second magic is of no known handshake"
        GreetingFlags "greeting-flags" "handshake flags that do not exist are set"
    }
    Option {
        OptionMagic "option-magic" "wrong magic in an option reply"
        OptionNumber "option-number" "reply names another option than was asked"
        OptionUnknownType "option-unknown-type" "reply type that is unknown and no error"
        OptionUnknownError "option-unknown-error" "error reply type that is unknown"
        OptionLongError "option-long-error" "error with a text of 5000 bytes"
        OptionHugeLength "option-huge-length" "reply length of 2 GiB, then nothing more"
        OptionAckPayload "option-ack-payload" "ACK that carries data"
        OptionSilence "option-silence" "no reply at all"
        OptionClose "option-close" "the connection is closed instead of a reply"
    }
    StartTls {
        StartTlsAckWithData "starttls-ack-with-data" "ACK that carries data, then as without the fault"
        StartTlsUnknownReply "starttls-unknown-reply" "reply type that is unknown and no error"
        StartTlsInfoReply "starttls-info-reply" "an NBD_REP_INFO and nothing else"
        StartTlsEof "starttls-eof" "the connection is closed instead of a reply"
        StartTlsGarbage "starttls-garbage" "ACK, bytes that are not TLS, then nothing more"
        StartTlsStall "starttls-stall" "ACK, then nothing more"
        StartTlsCloseAfterAck "starttls-close-after-ack" "ACK, then the connection is closed"
        StartTlsPlaintextAfterAck "starttls-plaintext-after-ack" "ACK and, in the same write, plaintext replies up to a GO of 4 KiB"
        StartTlsPlainAfterAck "starttls-plain-after-ack" "ACK, but everything continues in plaintext"
    }
    Info {
        InfoNoExport "info-no-export" "ACK without NBD_INFO_EXPORT"
        InfoExportShort "info-export-short" "NBD_INFO_EXPORT one byte short"
        InfoExportLong "info-export-long" "NBD_INFO_EXPORT one byte long"
        InfoExportTwice "info-export-twice" "NBD_INFO_EXPORT twice, the second with another size"
        InfoBlockSizeShort "info-block-size-short" "NBD_INFO_BLOCK_SIZE two bytes short"
        InfoBlockSizeBad "info-block-size-bad" "block sizes that are not powers of two nor in order"
        InfoTiny "info-tiny" "an information reply of one byte"
        InfoUnknown "info-unknown" "an information type that does not exist (to be ignored)"
        InfoUnasked "info-unasked" "every known information, asked for or not (allowed)"
        InfoLongName "info-long-name" "canonical name of 5000 bytes"
        InfoNoFlags "info-no-flags" "transmission flags all zero, HAS_FLAGS too"
    }
    List {
        ListShort "list-short" "an export description of three bytes"
        ListNameTooLong "list-name-too-long" "name length larger than the reply"
        ListLongName "list-long-name" "an export name of 5000 bytes"
    }
    Context {
        ContextShort "context-short" "a meta context reply of three bytes"
        ContextUnasked "context-unasked" "a meta context that was not asked for"
        ContextSameId "context-same-id" "all meta contexts have the same id"
        ContextLongName "context-long-name" "a meta context name of 5000 bytes"
    }
    Reply {
        ReplyMagic "reply-magic" "wrong magic in a reply"
        ReplyCookie "reply-cookie" "a cookie that the client never used"
        ReplyOffset "reply-offset" "extended header with another offset than the request"
        ReplyCompact "reply-compact" "structured header where extended ones are agreed"
        ReplyTwice "reply-twice" "the whole reply twice"
        ReplyNever "reply-never" "no reply to the request"
        ReplyNoDone "reply-no-done" "the last chunk is not marked, then the connection closes"
        ReplyAfterDone "reply-after-done" "one more chunk after the last one"
        ReplyUnknownChunk "reply-unknown-chunk" "a chunk of a type that does not exist"
        ReplyUnknownError "reply-unknown-error" "an error chunk of unknown type (the command fails)"
        ReplyHugeLength "reply-huge-length" "chunk length near the maximum, then nothing more"
        ReplyWrongChunk "reply-wrong-chunk" "a chunk that belongs to another command"
        ReplySimple "reply-simple" "a simple reply, right or wrong for the command"
        NonePayload "none-payload" "a NONE chunk with a payload"
        NoneNotDone "none-not-done" "a NONE chunk that is not marked as the last"
        ErrorShort "error-short" "an error chunk of five bytes"
        ErrorZero "error-zero" "an error chunk with error 0"
        ErrorUnknown "error-unknown" "an error value that does not exist (means EINVAL)"
        ErrorMessageTooLong "error-message-too-long" "message length beyond the chunk"
        ErrorLongMessage "error-long-message" "an error message of 5000 bytes"
        ErrorOffsetOutside "error-offset-outside" "ERROR_OFFSET outside of the request"
    }
    Read {
        DataOversize "data-oversize" "more data than was asked for"
        DataMisplaced "data-misplaced" "data at an offset before the request"
        DataBeyond "data-beyond" "data at an offset after the request"
        DataOverlap "data-overlap" "the same bytes in two chunks"
        DataMissing "data-missing" "success, but the last byte was never sent"
        DataEmpty "data-empty" "a data chunk without data"
        DataShort "data-short" "a data chunk too short for its offset"
        HoleEmpty "hole-empty" "a hole of length 0"
        HoleShort "hole-short" "a hole chunk of eleven bytes"
        HoleLong "hole-long" "a hole chunk of sixteen bytes"
        HoleOversize "hole-oversize" "a hole longer than the request"
        HoleMisplaced "hole-misplaced" "a hole after the request"
    }
    Status {
        StatusWrongContext "status-wrong-context" "an id that was not negotiated"
        StatusContextTwice "status-context-twice" "the first context is answered twice"
        StatusContextMissing "status-context-missing" "the last context is not answered"
        StatusOddLength "status-odd-length" "a payload that ends within an extent"
        StatusEmpty "status-empty" "no extent"
        StatusShort "status-short" "a payload of two bytes"
        StatusZeroExtent "status-zero-extent" "an extent of length 0"
        StatusWrongWidth "status-wrong-width" "64-bit extents where 32-bit ones belong, or the reverse"
        StatusBadCount "status-bad-count" "extent count that differs from the payload (64-bit only)"
        StatusTooMany "status-too-many" "extents that continue after the request is covered"
        StatusBeyondEnd "status-beyond-end" "an extent past the end of the export"
    }
}

/// A requested fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FaultRule {
    /// The fault.
    pub fault: Fault,
    /// Apply it only to this opportunity on a connection, counted from 1.
    pub only: Option<u64>,
}

impl FaultRule {
    /// Parses `NAME` or `NAME:N`.
    pub fn parse(text: &str) -> Option<FaultRule> {
        let (name, only) = match text.split_once(':') {
            Some((name, n)) => (name, Some(n.parse().ok().filter(|&n| n > 0)?)),
            None => (text, None),
        };
        let &(fault, ..) = ALL.iter().find(|(_, known, ..)| *known == name)?;
        Some(FaultRule { fault, only })
    }
}

/// Returns the scope of a fault.
fn scope_of(fault: Fault) -> Scope {
    ALL.iter()
        .find(|&&(known, ..)| known == fault)
        .map_or(Scope::Reply, |&(_, _, scope, _)| scope)
}

#[derive(Debug, Clone, Copy)]
struct Counted {
    rule: FaultRule,
    scope: Scope,
    opportunities: u64,
}

/// The faults of one connection, with their counters.
#[derive(Debug, Clone)]
pub struct Faults(Vec<Counted>);

impl Faults {
    /// Returns the faults with all counters at zero.
    pub fn new(rules: &[FaultRule]) -> Faults {
        Faults(
            rules
                .iter()
                .map(|&rule| Counted {
                    rule,
                    scope: scope_of(rule.fault),
                    opportunities: 0,
                })
                .collect(),
        )
    }

    fn first(&mut self, matches: impl Fn(&Counted) -> bool) -> Option<Fault> {
        let mut found = None;
        for counted in self.0.iter_mut().filter(|counted| matches(counted)) {
            counted.opportunities += 1;
            let due = counted.rule.only.is_none_or(|n| n == counted.opportunities);
            if due && found.is_none() {
                found = Some(counted.rule.fault);
            }
        }
        found
    }

    /// Counts an opportunity for every fault of the scope, and returns the one
    /// to apply.
    pub fn in_scope(&mut self, scope: Scope) -> Option<Fault> {
        if self.0.is_empty() {
            return None;
        }
        self.first(|counted| counted.scope == scope)
    }

    /// Like [`Faults::in_scope`], for the scope of one command and that of all
    /// commands together.
    pub fn in_reply(&mut self, command: Option<Scope>) -> Option<Fault> {
        if self.0.is_empty() {
            return None;
        }
        self.first(|counted| counted.scope == Scope::Reply || Some(counted.scope) == command)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_unique_and_parse() {
        for (n, &(fault, name, scope, _)) in ALL.iter().enumerate() {
            assert_eq!(
                FaultRule::parse(name),
                Some(FaultRule { fault, only: None })
            );
            assert_eq!(scope_of(fault), scope);
            assert!(
                ALL[n + 1..].iter().all(|&(_, other, ..)| other != name),
                "{name}"
            );
        }
        assert_eq!(FaultRule::parse("data-empty:0"), None);
        assert_eq!(FaultRule::parse("no-such-fault"), None);
    }

    #[test]
    fn each_scope_counts_its_own_opportunities() {
        let rules = ["data-empty:2", "reply-magic:3"].map(|text| FaultRule::parse(text).unwrap());
        let mut faults = Faults::new(&rules);
        assert_eq!(faults.in_reply(Some(Scope::Read)), None);
        assert_eq!(faults.in_reply(Some(Scope::Status)), None);
        assert_eq!(faults.in_scope(Scope::Option), None);
        // The third reply and the second read.
        assert_eq!(faults.in_reply(Some(Scope::Read)), Some(Fault::DataEmpty));
        assert_eq!(faults.in_reply(Some(Scope::Read)), None);
    }
}
