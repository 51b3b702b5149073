// SPDX-License-Identifier: LGPL-2.1-or-later

//! Model of `handle/completions.rs`: completed commands.

use std::collections::BTreeMap;

use crate::client::Lost;
use crate::link::{Kind, Link};

/// Outcomes by cookie, until they are retrieved.
#[derive(Debug, Default)]
pub struct Completions {
    completed: BTreeMap<u64, Result<(), Lost>>,
    total: u64,
    unpolled: usize,
}

impl Completions {
    pub fn complete(&mut self, link: &mut Link, cookie: u64, outcome: Result<(), Lost>) {
        match link.machine.take(cookie, outcome) {
            Kind::Asynchronous => {
                self.total += 1;
                self.unpolled += 1;
            }
            Kind::OfNobody => return,
            Kind::Synchronous | Kind::Exclusive(_) => {}
        }
        self.completed.insert(cookie, outcome);
    }

    pub fn abandon_all(&mut self, link: &mut Link) {
        while let Some(cookie) = link.machine.first() {
            self.complete(link, cookie, Err(Lost));
        }
    }

    pub fn retire(&mut self, cookie: u64) -> Option<Result<(), Lost>> {
        self.completed.remove(&cookie)
    }

    pub fn total(&self) -> u64 {
        self.total
    }

    pub fn take_unpolled(&mut self) -> bool {
        let any = self.unpolled > 0;
        self.unpolled = self.unpolled.saturating_sub(1);
        any
    }

    pub fn forget_unpolled(&mut self) {
        self.unpolled = 0;
    }
}
