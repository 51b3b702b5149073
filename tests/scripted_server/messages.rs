// SPDX-License-Identifier: LGPL-2.1-or-later

//! Messages of a server, written from the protocol document.

/// Transmission flags of an export with every feature except multi-conn.
pub const FLAGS: u16 = 0x1ced;
/// Export size in the conversations, in bytes.
pub const SIZE: u64 = 1 << 20;

fn concat(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

/// Returns the newstyle greeting with handshake flags.
pub fn newstyle(flags: u16) -> Vec<u8> {
    concat(&[b"NBDMAGICIHAVEOPT", &flags.to_be_bytes()])
}

/// Returns a whole oldstyle handshake.
pub fn oldstyle(size: u64, flags: u32) -> Vec<u8> {
    let magic = 0x0000_4202_8186_1253_u64.to_be_bytes();
    let (size, flags) = (size.to_be_bytes(), flags.to_be_bytes());
    concat(&[b"NBDMAGIC", &magic, &size, &flags, &[0; 124]])
}

/// Returns an option reply.
pub fn reply(option: u32, kind: u32, data: &[u8]) -> Vec<u8> {
    let magic = 0x0003_e889_0455_65a9_u64.to_be_bytes();
    let length = (data.len() as u32).to_be_bytes();
    concat(&[
        &magic,
        &option.to_be_bytes(),
        &kind.to_be_bytes(),
        &length,
        data,
    ])
}

/// `NBD_REP_ACK`
pub fn ack(option: u32) -> Vec<u8> {
    reply(option, 1, &[])
}

/// Returns an error reply without a message.
pub fn refuse(option: u32, error: u32) -> Vec<u8> {
    refuse_with(option, error, &[])
}

/// Returns an error reply with a message.
pub fn refuse_with(option: u32, error: u32, message: &[u8]) -> Vec<u8> {
    reply(option, 1 << 31 | error, message)
}

/// `NBD_INFO_EXPORT`
pub fn info_export(option: u32, size: u64, flags: u16) -> Vec<u8> {
    let data = concat(&[&[0, 0], &size.to_be_bytes(), &flags.to_be_bytes()]);
    reply(option, 3, &data)
}

/// `NBD_REP_META_CONTEXT`
pub fn meta_context(option: u32, id: u32, name: &str) -> Vec<u8> {
    reply(option, 4, &concat(&[&id.to_be_bytes(), name.as_bytes()]))
}

/// Answers SET_META_CONTEXT with `base:allocation`, whose id is 42.
pub fn allocation() -> Vec<u8> {
    [meta_context(10, 42, "base:allocation"), ack(10)].concat()
}

/// Answers GO.
pub fn go(size: u64) -> Vec<u8> {
    [info_export(7, size, FLAGS), ack(7)].concat()
}

/// Returns a server's handshake up to transmission, with simple replies only.
pub fn handshake_simple() -> Vec<u8> {
    [newstyle(3), refuse(11, 1), refuse(8, 1), go(SIZE)].concat()
}

/// Returns a handshake with structured replies and `allocation`.
pub fn handshake_structured() -> Vec<u8> {
    [newstyle(3), refuse(11, 1), ack(8), allocation(), go(SIZE)].concat()
}

/// Returns a handshake with extended headers and `allocation`.
pub fn handshake_extended() -> Vec<u8> {
    [newstyle(3), ack(11), allocation(), go(SIZE)].concat()
}

/// Returns a simple reply.
pub fn simple(cookie: u64, error: u32, data: &[u8]) -> Vec<u8> {
    let magic = 0x6744_6698_u32.to_be_bytes();
    concat(&[&magic, &error.to_be_bytes(), &cookie.to_be_bytes(), data])
}

/// Returns the header of a structured reply chunk. The flags are `true` if it is
/// the last one, or any number.
pub fn chunk_header(cookie: u64, flags: impl Into<u16>, kind: u16, length: u32) -> Vec<u8> {
    concat(&[
        &0x668e_33ef_u32.to_be_bytes(),
        &flags.into().to_be_bytes(),
        &kind.to_be_bytes(),
        &cookie.to_be_bytes(),
        &length.to_be_bytes(),
    ])
}

/// Returns a structured reply chunk.
pub fn chunk(cookie: u64, flags: impl Into<u16>, kind: u16, payload: &[u8]) -> Vec<u8> {
    let header = chunk_header(cookie, flags, kind, payload.len() as u32);
    concat(&[&header, payload])
}

/// Returns the header of an extended reply chunk to a request at `offset`.
pub fn extended_header(
    cookie: u64,
    offset: u64,
    flags: impl Into<u16>,
    kind: u16,
    length: u64,
) -> Vec<u8> {
    concat(&[
        &0x6e8a_278c_u32.to_be_bytes(),
        &flags.into().to_be_bytes(),
        &kind.to_be_bytes(),
        &cookie.to_be_bytes(),
        &offset.to_be_bytes(),
        &length.to_be_bytes(),
    ])
}

/// Returns an extended reply chunk to a request at `offset`.
pub fn extended(
    cookie: u64,
    offset: u64,
    flags: impl Into<u16>,
    kind: u16,
    payload: &[u8],
) -> Vec<u8> {
    let header = extended_header(cookie, offset, flags, kind, payload.len() as u64);
    concat(&[&header, payload])
}

/// The payload of `NBD_REPLY_TYPE_OFFSET_DATA`.
pub fn data(offset: u64, bytes: &[u8]) -> Vec<u8> {
    concat(&[&offset.to_be_bytes(), bytes])
}

/// The payload of `NBD_REPLY_TYPE_OFFSET_HOLE`.
pub fn hole(offset: u64, length: u32) -> Vec<u8> {
    concat(&[&offset.to_be_bytes(), &length.to_be_bytes()])
}

/// The payload of `NBD_REPLY_TYPE_ERROR`.
pub fn error(number: u32, message: &str) -> Vec<u8> {
    let length = (message.len() as u16).to_be_bytes();
    concat(&[&number.to_be_bytes(), &length, message.as_bytes()])
}

/// The payload of `NBD_REPLY_TYPE_BLOCK_STATUS`.
pub fn extents(id: u32, extents: &[(u32, u32)]) -> Vec<u8> {
    let mut payload = id.to_be_bytes().to_vec();
    for (length, flags) in extents {
        payload.extend(length.to_be_bytes());
        payload.extend(flags.to_be_bytes());
    }
    payload
}

/// The payload of `NBD_REPLY_TYPE_BLOCK_STATUS_EXT`.
pub fn extents_64(id: u32, extents: &[(u64, u64)]) -> Vec<u8> {
    let mut payload = id.to_be_bytes().to_vec();
    payload.extend((extents.len() as u32).to_be_bytes());
    for (length, flags) in extents {
        payload.extend(length.to_be_bytes());
        payload.extend(flags.to_be_bytes());
    }
    payload
}
