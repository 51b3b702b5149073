// SPDX-License-Identifier: LGPL-2.1-or-later

//! A request and the data needed to reply to it.

use crate::agreed::Selected;
use crate::checks::{check_range, Refusal};
use crate::export::Export;
use crate::replies::ReplyTo;
use crate::request::Request;
use crate::settings::Settings;
use crate::wire::{cmd, error, Cursor};

/// A request that is ready to be carried out and answered.
pub struct Answer<'a> {
    pub request: Request,
    pub reply: ReplyTo,
    pub outcome: Result<(), Refusal>,
    pub export: &'a mut Export,
    pub settings: &'a Settings,
    /// The contexts that were negotiated.
    pub contexts: &'a [Selected],
    /// The contexts that this request is limited to, if it has a filter.
    pub wanted: Option<Vec<Selected>>,
}

impl Answer<'_> {
    /// Parses the payload of a block status: the effect length and the ids of
    /// the wanted contexts.
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

    /// The contexts to report.
    pub fn contexts(&self) -> &[Selected] {
        self.wanted.as_deref().unwrap_or(self.contexts)
    }
}
