// SPDX-License-Identifier: LGPL-2.1-or-later

//! A server that sends an endless stream of empty or tiny records.

use std::sync::Arc;

use libtest_mimic::Trial;

use crate::servers::{Authentication, Bench};
use support::certificates::Certificates;
use support::Result;

/// Kinds of records, and the TLS version of each.
const RECORDS: &[(&str, &str)] = &[
    ("tickets", "1.3"),
    ("updates", "1.3"),
    ("bytes", "1.2"),
    ("bytes", "1.3"),
    ("warnings", "1.2"),
    ("hellos", "1.2"),
];

pub fn trials(certificates: &Arc<Certificates>) -> Vec<Trial> {
    let trial = |&(records, version): &(&'static str, &'static str)| {
        let certificates = Arc::clone(certificates);
        Trial::test(format!("endless {records}: TLS {version}"), move || {
            Ok(endless(&Bench::new(&certificates)?, records, version)?)
        })
    };
    RECORDS.iter().map(trial).collect()
}

fn endless(bench: &Bench, records: &str, version: &str) -> Result<()> {
    let client = bench.client(
        "endless-records-let-every-call-return",
        Authentication::PreSharedKey,
    )?;
    let priority = format!("NORMAL:-VERS-ALL:+VERS-TLS{version}:+ECDHE-PSK:+DHE-PSK:+PSK");
    let client = client.with("TLS", "require").with("RECORDS", records);
    client.with("PRIORITY", priority).run().map(drop)
}
