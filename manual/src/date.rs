// SPDX-License-Identifier: LGPL-2.1-or-later

//! The date in the footer of the pages.

use std::path::Path;
use std::time::UNIX_EPOCH;
use std::{env, fs};

use crate::{overview, Result};

const DAY: u64 = 24 * 60 * 60;

/// The date of `SOURCE_DATE_EPOCH`, for reproducible packages; without it, the date of
/// the last change to the source of the pages.
pub fn of(source: &Path) -> Result<String> {
    let seconds = match env::var("SOURCE_DATE_EPOCH") {
        Ok(text) => text
            .parse()
            .map_err(|_| format!("SOURCE_DATE_EPOCH is not a number of seconds: {text}"))?,
        Err(_) => last_change(source)?,
    };
    Ok(day(seconds / DAY))
}

fn last_change(source: &Path) -> Result<u64> {
    let overviews = [overview::LIBRARY, overview::EXTENSIONS];
    let mut paths = Vec::from(overviews.map(|about| source.join(about.file)));
    for comments in ["src/capi", "src/capi/ext"].map(|it| source.join(it)) {
        let failed = |e| format!("{}: {e}", comments.display());
        for entry in fs::read_dir(&comments).map_err(failed)? {
            paths.push(entry.map_err(failed)?.path());
        }
    }
    let mut latest = 0;
    for path in paths {
        let changed = fs::metadata(&path)
            .and_then(|metadata| metadata.modified())
            .map_err(|e| format!("{}: {e}", path.display()))?;
        let seconds = changed
            .duration_since(UNIX_EPOCH)
            .map_or(0, |it| it.as_secs());
        latest = latest.max(seconds);
    }
    Ok(latest)
}

/// Formats a day, counted from 1 January 1970, as year, month and day.
fn day(days: u64) -> String {
    let is_leap = |year: u64| year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let mut left = days;
    let mut year = 1970;
    loop {
        let length = 365 + u64::from(is_leap(year));
        if left < length {
            break;
        }
        left -= length;
        year += 1;
    }
    let mut month = 1;
    for length in [
        31,
        28 + u64::from(is_leap(year)),
        31,
        30,
        31,
        30,
        31,
        31,
        30,
        31,
        30,
    ] {
        if left < length {
            break;
        }
        left -= length;
        month += 1;
    }
    format!("{year}-{month:02}-{:02}", left + 1)
}

#[cfg(test)]
mod tests {
    use super::day;

    #[test]
    fn days_convert_to_calendar_dates() {
        assert_eq!(day(0), "1970-01-01");
        assert_eq!(day(11_016), "2000-02-29");
        assert_eq!(day(11_017), "2000-03-01");
        assert_eq!(day(19_722), "2023-12-31");
        assert_eq!(day(20_089), "2025-01-01");
    }
}
