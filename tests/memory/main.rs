// SPDX-License-Identifier: LGPL-2.1-or-later

//! Limits on the memory that a server can make a client use, and that an idle
//! handle keeps. The former are those stated in libnbd-security(3); each is
//! tested with a server that exceeds it.

mod allocator;
mod client;
mod depth;

use std::io;
use std::sync::{Mutex, MutexGuard};

use scripted_server::{messages as server, Peer};

use client::Client;

const MIB: usize = 1 << 20;

/// Serializes the tests, because the memory of the whole process is counted.
fn alone() -> MutexGuard<'static, ()> {
    static ALONE: Mutex<()> = Mutex::new(());
    ALONE
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

/// Allocates the memory that a thread lends to handles, and that the system
/// caches, by making a first connection.
fn warm_up() {
    let (socket, server) = Peer::pair(|it| it.negotiate(false));
    let client = Client::new();
    client.connect(socket).expect("connected");
    drop(client);
    let served = server.join().expect("the server ends");
    served.expect("the negotiation is complete");
}

/// What a server does, until the client disconnects.
type Script = fn(&mut Peer) -> io::Result<()>;

/// Runs `work` on a client of a server with this script. Returns the peak
/// number of bytes in use, and the number in use after the work with the handle
/// still open.
fn measure(client: Client, script: Script, work: impl FnOnce(&Client)) -> (usize, usize) {
    let _alone = alone();
    warm_up();
    let before = allocator::now();
    let mut kept = 0;
    let most = allocator::most_during(|| {
        let (socket, server) = Peer::pair(script);
        // A client that refuses the connection reports it itself.
        let _ = client.connect(socket);
        work(&client);
        kept = allocator::now().saturating_sub(before);
        drop(client);
        // Most clients disconnect before the server is done.
        let _ = server.join().expect("the server ends");
    });
    (most, kept)
}

/// The longest list of extents that fits in the longest chunk: 64 MiB.
const COMPACT: usize = 8 * MIB;
const EXTENDED: usize = 4 * MIB;

/// A server with this script sends the longest list in reply to each block
/// status command.
fn a_long_list_is_cut(script: Script) {
    let (most, kept) = measure(Client::new(), script, |client| {
        for _ in 0..2 {
            assert_eq!(client.block_status(1 << 31), Ok(MIB));
        }
    });
    assert!(most < 36 * MIB, "{most} bytes");
    assert!(kept < MIB, "{kept} bytes kept");
}

#[test]
fn the_longest_list_of_extents_is_cut() {
    a_long_list_is_cut(|it| {
        it.negotiate(false)?;
        loop {
            let cookie = it.request(false)?.cookie;
            let length = 4 + 8 * COMPACT as u32;
            it.send(&server::chunk_header(cookie, true, 5, length))?;
            it.send(&42_u32.to_be_bytes())?;
            it.repeat(&[0, 0, 2, 0, 0, 0, 0, 1], COMPACT)?;
        }
    });
}

#[test]
fn the_longest_list_of_64_bit_extents_is_cut() {
    a_long_list_is_cut(|it| {
        it.negotiate(true)?;
        loop {
            let cookie = it.request(true)?.cookie;
            let length = 8 + 16 * EXTENDED as u64;
            it.send(&server::extended_header(cookie, 0, true, 6, length))?;
            it.send(&42_u32.to_be_bytes())?;
            it.send(&(EXTENDED as u32).to_be_bytes())?;
            it.repeat(&[0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 1], EXTENDED)?;
        }
    });
}

#[test]
fn replies_to_one_option_are_limited() {
    let (most, _) = measure(
        Client::new().in_option_mode(),
        |it| {
            it.greet()?;
            loop {
                match it.option()? {
                    3 => it.repeat(&server::reply(3, 2, &[0, 0, 0, 1, b'x']), MIB + 1)?,
                    option => it.send(&server::ack(option))?,
                }
            }
        },
        |client| {
            let error = client.list().expect_err("a list without an end");
            assert!(error.contains("too many replies"), "{error}");
            assert!(client.is_dead());
        },
    );
    assert!(most < MIB, "{most} bytes");
}

#[test]
fn meta_contexts_are_limited() {
    let (most, kept) = measure(
        Client::new().in_option_mode(),
        |it| {
            it.greet()?;
            loop {
                let option = it.option()?;
                if option == 10 {
                    let name = "x".repeat(4096);
                    it.repeat(&server::meta_context(10, 1, &name), 1024)?;
                }
                it.send(&match option {
                    7 => server::go(1 << 40),
                    other => server::ack(other),
                })?;
            }
        },
        |client| assert_eq!(client.go(), Ok(0)),
    );
    assert!(most < 5 * MIB, "{most} bytes");
    assert!(kept < 5 * MIB, "{kept} bytes kept");
}

#[test]
fn unrequested_data_needs_no_memory() {
    let (most, _) = measure(
        Client::new(),
        |it| {
            it.negotiate(false)?;
            let cookie = it.request(false)?.cookie;
            // For an unknown command; as an error that is too long.
            for (cookie, kind) in [(cookie + 1, 1), (cookie, 0x8001)] {
                it.send(&server::chunk_header(cookie, false, kind, 64 << 20))?;
                it.repeat(&[0xff; 1024], 64 << 10)?;
            }
            it.send(&server::chunk(cookie, true, 0, &[]))
        },
        |client| {
            let error = client.read(&mut [0; 512]).expect_err("no data");
            assert!(error.contains("Protocol error"), "{error}");
            assert!(!client.is_dead());
        },
    );
    assert!(most < MIB, "{most} bytes");
}

#[test]
fn data_out_of_bounds_needs_no_memory() {
    let (most, _) = measure(
        Client::new(),
        |it| {
            it.negotiate(false)?;
            let cookie = it.request(false)?.cookie;
            it.send(&server::chunk_header(cookie, false, 1, 64 << 20))?;
            it.repeat(&[0xff; 1024], 64 << 10)
        },
        |client| {
            let error = client.read(&mut [0; 512]).expect_err("no data");
            assert!(error.contains("out of bounds"), "{error}");
            assert!(client.is_dead());
        },
    );
    assert!(most < MIB, "{most} bytes");
}

#[test]
fn endless_chunks_need_constant_memory() {
    let (most, _) = measure(
        Client::new(),
        |it| {
            it.negotiate(false)?;
            let cookie = it.request(false)?.cookie;
            it.repeat(&server::chunk(cookie + 1, false, 0, &[]), MIB)?;
            let short = server::error(5, "no");
            it.repeat(&server::chunk(cookie, false, 0x8001, &short), MIB)?;
            let long = server::error(5, &"\u{fffd}".repeat(21_000));
            it.repeat(&server::chunk(cookie, false, 0x8001, &long), 1000)?;
            it.send(&server::chunk(cookie, true, 0, &[]))
        },
        |client| {
            let error = client.flush().expect_err("the server said so");
            assert!(error.contains("Input/output error"), "{error}");
            assert!(!client.is_dead());
        },
    );
    assert!(most < 2 * MIB, "{most} bytes");
}

#[test]
fn announced_lengths_allocate_no_memory() {
    let (most, _) = measure(
        Client::new(),
        |it| {
            it.negotiate(true)?;
            let cookie = it.request(true)?.cookie;
            it.send(&server::extended_header(cookie, 0, true, 6, (64 << 20) - 8))
        },
        |client| {
            let error = client.block_status(1 << 31).expect_err("nothing came");
            assert!(error.contains("disconnected"), "{error}");
        },
    );
    assert!(most < MIB, "{most} bytes");
    let (most, _) = measure(
        Client::new().in_option_mode(),
        |it| {
            it.greet()?;
            loop {
                let option = it.option()?;
                let mut reply = server::ack(option);
                if option == 3 {
                    reply[16..].copy_from_slice(&u32::MAX.to_be_bytes());
                }
                it.send(&reply)?;
            }
        },
        |client| {
            let error = client.list().expect_err("4 GiB of nothing");
            assert!(error.contains("invalid option reply length"), "{error}");
        },
    );
    assert!(most < MIB, "{most} bytes");
}
