// SPDX-License-Identifier: LGPL-2.1-or-later

//! Meta contexts of the export, and the events that change them.
//!
//! ```text
//!            NBD_OPT_SET_META_CONTEXT sent
//!   +---------------------------------------------+
//!   |                                             |
//!   v       the server's last reply to it         |
//! Stale ------------------------------------> Selected
//!   ^       nothing to ask for, export known      |
//!   |                                             |
//!   +---------------------------------------------+
//!            export renamed or refused
//! ```
//! Source: seen with libnbd 1.24.4.

use std::ffi::{CStr, CString};

/// A negotiated meta context, with its id in block status replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MetaContext {
    /// The id, valid on this connection.
    pub id: u32,
    /// Its full name, such as `base:allocation`.
    pub name: CString,
}

/// The meta contexts selected by the server.
#[derive(Debug)]
pub enum MetaContexts {
    /// In effect for the export.
    Selected(Vec<MetaContext>),
    /// Not in effect: the server selected these for another export, or before it refused this
    /// one.
    Stale(Vec<MetaContext>),
}

impl Default for MetaContexts {
    fn default() -> Self {
        MetaContexts::Stale(Vec::new())
    }
}

impl MetaContexts {
    /// Returns the contexts in effect.
    pub fn in_effect(&self) -> &[MetaContext] {
        match self {
            MetaContexts::Selected(contexts) => contexts,
            MetaContexts::Stale(_) => &[],
        }
    }

    /// Returns the context in effect with this id.
    pub fn by_id(&self, id: u32) -> Option<&MetaContext> {
        self.in_effect().iter().find(|context| context.id == id)
    }

    /// Returns the context in effect with this name.
    pub fn by_name(&self, name: &CStr) -> Option<&MetaContext> {
        let mut contexts = self.in_effect().iter();
        contexts.find(|context| context.name.as_c_str() == name)
    }

    /// Discards all contexts, when new ones are requested.
    pub(super) fn discard(&mut self) {
        *self = MetaContexts::Stale(Vec::new());
    }

    /// Selects the empty set once the export is known, unless the server has named contexts.
    pub(super) fn select_none_unless_named(&mut self) {
        if matches!(self, MetaContexts::Stale(none) if none.is_empty()) {
            self.select(Vec::new());
        }
    }

    /// Sets the selected contexts, and no others, when the server has accepted.
    pub(super) fn select(&mut self, contexts: Vec<MetaContext>) {
        *self = MetaContexts::Selected(contexts);
    }

    /// Stores the contexts that the server named before it refused.
    pub(super) fn keep_as_stale(&mut self, named: Vec<MetaContext>) {
        *self = MetaContexts::Stale(named);
    }

    /// Makes the contexts stale, as their export is no longer the one to use.
    pub(super) fn make_stale(&mut self) {
        if let MetaContexts::Selected(contexts) = self {
            *self = MetaContexts::Stale(std::mem::take(contexts));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn context(id: u32, name: &CStr) -> MetaContext {
        let name = name.to_owned();
        MetaContext { id, name }
    }

    #[test]
    fn contexts_in_effect_are_found_by_name_and_id() {
        let mut contexts = MetaContexts::default();
        contexts.select(vec![context(7, c"base:allocation"), context(1, c"x:y")]);
        assert_eq!(contexts.by_id(1), Some(&context(1, c"x:y")));
        assert_eq!(contexts.by_name(c"x:y"), Some(&context(1, c"x:y")));
        assert_eq!(contexts.by_id(2), None);
        assert_eq!(contexts.by_name(c"x:z"), None);
    }

    #[test]
    fn contexts_named_before_a_refusal_are_kept_and_not_in_effect() {
        let mut contexts = MetaContexts::default();
        contexts.select(vec![context(7, c"base:allocation")]);
        contexts.keep_as_stale(vec![context(1, c"x:y")]);
        assert!(contexts.in_effect().is_empty());
        assert!(matches!(contexts, MetaContexts::Stale(named) if named == [context(1, c"x:y")]));
    }

    #[test]
    fn contexts_lapse_with_their_export_and_with_the_next_question() {
        let mut contexts = MetaContexts::default();
        let selected = vec![context(7, c"base:allocation")];
        contexts.select(selected.clone());
        contexts.make_stale();
        assert!(contexts.in_effect().is_empty());
        assert!(matches!(&contexts, MetaContexts::Stale(stale) if *stale == selected));
        contexts.make_stale();
        assert!(matches!(&contexts, MetaContexts::Stale(stale) if *stale == selected));
        contexts.discard();
        assert!(matches!(&contexts, MetaContexts::Stale(stale) if stale.is_empty()));
    }
}
