// SPDX-License-Identifier: LGPL-2.1-or-later

//! The bytes that the client sent: plaintext options, and proof that everything
//! after them was encrypted.

use support::Result;

/// Values from the NBD protocol document.
const OPTION_MAGIC: &[u8; 8] = b"IHAVEOPT";
const ABORT: u32 = 2;
pub const STARTTLS: u32 = 5;
pub const STRUCTURED_REPLY: u32 = 8;

/// Everything that one connection of a client sent.
pub struct Seen(pub Vec<u8>);

/// The parsed bytes.
#[derive(Debug, PartialEq)]
pub struct Sent {
    /// Options in plaintext.
    pub options: Vec<u32>,
    /// Number of TLS records after them.
    pub records: usize,
}

impl Seen {
    /// Parses options and TLS records after the client's flags. Fails for other
    /// bytes, and for truncated options.
    pub fn parse(&self) -> Result<Sent> {
        let mut sent = Sent {
            options: Vec::new(),
            records: 0,
        };
        let mut rest = match self.0.get(4..) {
            Some(rest) => rest,
            None if self.0.is_empty() => return Ok(sent),
            None => return Err(format!("the client sent only {:?}", self.0)),
        };
        while let Some(option) = rest.strip_prefix(OPTION_MAGIC) {
            let header = option.first_chunk::<8>();
            let header = header.ok_or("the client stopped within an option")?;
            let [a, b, c, d, length @ ..] = *header;
            let length = u32::from_be_bytes(length) as usize;
            sent.options.push(u32::from_be_bytes([a, b, c, d]));
            rest = option
                .get(8 + length..)
                .ok_or("the client stopped within the data of an option")?;
        }
        while !rest.is_empty() {
            rest = tls_record(rest).ok_or_else(|| {
                let first = &rest[..rest.len().min(64)];
                format!("the client sent plaintext after {sent:?}: {first:02x?}")
            })?;
            sent.records += 1;
        }
        Ok(sent)
    }

    /// Checks that only STARTTLS was unencrypted, and NBD_OPT_ABORT if nothing
    /// was encrypted at all.
    pub fn is_nothing_but_starttls(&self) -> Result<Sent> {
        let sent = self.parse()?;
        match (sent.options.as_slice(), sent.records) {
            ([] | [STARTTLS, ABORT], 0) | ([STARTTLS], _) => Ok(sent),
            _ => Err(format!("the client sent more than STARTTLS: {sent:?}")),
        }
    }
}

/// Returns the bytes after the first record. A truncated record counts.
fn tls_record(bytes: &[u8]) -> Option<&[u8]> {
    let kind = *bytes.first()?;
    let is_record = (20..=23).contains(&kind) && bytes.get(1).is_none_or(|&major| major == 3);
    let length = bytes.get(3..5).map_or(0, |length| {
        usize::from(u16::from_be_bytes([length[0], length[1]]))
    });
    is_record.then(|| bytes.get(5 + length..).unwrap_or_default())
}
