// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parsers for option values.

use lexopt::ValueExt as _;

use crate::export::{BlockSize, FixedContext};
use crate::settings::{ErrorRule, TlsMode};
use crate::wire::{by_name, cmd, error, MAX_STRING};

/// The value of the current option, which must be UTF-8.
pub fn text(parser: &mut lexopt::Parser) -> Result<String, lexopt::Error> {
    parser.value()?.string()
}

/// A decimal or, after 0x, hexadecimal number.
pub fn number(text: &str) -> Result<u64, lexopt::Error> {
    let value = match text.strip_prefix("0x") {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => text.parse(),
    };
    value.map_err(|_| format!("'{text}' is not a number").into())
}

/// A number of bytes, with an optional suffix k, M, G, T, P or E.
pub fn size(text: &str) -> Result<u64, lexopt::Error> {
    let units = "KMGTPE";
    let unit = text
        .chars()
        .last()
        .filter(|_| !text.starts_with("0x"))
        .and_then(|last| units.find(last.to_ascii_uppercase()));
    let Some(unit) = unit else {
        return number(text);
    };
    let shift = 10 * (unit as u32 + 1);
    number(&text[..text.len() - 1])?
        .checked_mul(1 << shift)
        .ok_or_else(|| format!("'{text}' is too large").into())
}

/// `CMD=ERROR[@OFFSET][:N]`.
pub fn error_rule(text: &str) -> Result<ErrorRule, lexopt::Error> {
    let wrong = || format!("'{text}' is not COMMAND=ERROR[@OFFSET][:N]");
    let (command, rest) = text.split_once('=').ok_or_else(wrong)?;
    let (rest, only) = match rest.split_once(':') {
        Some((rest, n)) => (rest, Some(number(n)?)),
        None => (rest, None),
    };
    let (name, offset) = match rest.split_once('@') {
        Some((name, offset)) => (name, Some(size(offset)?)),
        None => (rest, None),
    };
    let error = by_name(error::NAMES, name).or_else(|| name.parse().ok());
    Ok(ErrorRule {
        command: by_name(cmd::NAMES, command).ok_or_else(wrong)?,
        error: error.ok_or_else(wrong)?,
        offset,
        only,
    })
}

/// The TLS mode: `off`, `on` or `require`.
pub fn tls_mode(text: &str) -> Result<TlsMode, lexopt::Error> {
    let modes = [
        ("off", TlsMode::Off),
        ("on", TlsMode::On),
        ("require", TlsMode::Require),
    ];
    by_name(&modes, text).ok_or_else(|| "--tls is off, on or require".into())
}

/// `MINIMUM,PREFERRED,MAXIMUM`.
pub fn block_size(text: &str) -> Result<BlockSize, lexopt::Error> {
    let wrong = || format!("'{text}' is not MINIMUM,PREFERRED,MAXIMUM");
    let mut sizes = Vec::new();
    for part in text.split(',') {
        sizes.push(u32::try_from(size(part)?).map_err(|_| wrong())?);
    }
    let &[minimum, preferred, maximum] = &sizes[..] else {
        return Err(wrong().into());
    };
    // Offsets are checked against it with a mask.
    if !minimum.is_power_of_two() || minimum > 65536 {
        return Err("the minimum block size is a power of two up to 64k".into());
    }
    Ok(BlockSize {
        minimum,
        preferred,
        maximum,
    })
}

/// `NAME=LENGTH:FLAGS,LENGTH:FLAGS,...`.
pub fn context(text: &str) -> Result<FixedContext, lexopt::Error> {
    let wrong = || format!("'{text}' is not NAME=LENGTH:FLAGS,...");
    let (name, list) = text.rsplit_once('=').ok_or_else(wrong)?;
    if !name.contains(':') || name.starts_with(':') || name == "base:allocation" {
        return Err(format!("'{name}' cannot be added as a context").into());
    }
    if name.len() > MAX_STRING {
        return Err("the name of the context is too long".into());
    }
    let mut extents = Vec::new();
    let mut total: u64 = 0;
    for extent in list.split(',') {
        let (length, flags) = extent.split_once(':').ok_or_else(wrong)?;
        let length = size(length)?;
        total = total.checked_add(length).ok_or_else(wrong)?;
        if length == 0 {
            return Err(wrong().into());
        }
        extents.push((length, number(flags)?));
    }
    Ok(FixedContext {
        name: name.as_bytes().to_vec(),
        extents,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in [
            ("0", 0),
            ("4096", 4096),
            ("0x1e", 30),
            ("5k", 5120),
            ("7E", 7 << 60),
            ("18446744073709551615", u64::MAX),
        ] {
            assert_eq!(size(text).unwrap(), bytes);
        }
        for text in ["", "k", "16E", "1.5G", "-1", "1KB"] {
            assert!(size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn contexts_may_have_an_equals_sign_in_their_name() {
        let context = context("x:a=b=1k:0x100000000,512:1").unwrap();
        assert_eq!(context.name, b"x:a=b");
        assert_eq!(context.extents, [(1024, 1 << 32), (512, 1)]);
    }
}
