// SPDX-License-Identifier: LGPL-2.1-or-later

//! Memory of a handle before, during and after many commands in flight.
//!
//! Each handle is used by one thread, whose memory is counted.

use std::io;

use scripted_server::{messages as server, Peer};

use crate::allocator::of_this_thread;
use crate::alone;
use crate::client::Client;

/// Answers each NBD_CMD_FLUSH together with the commands before it.
fn answer_at_flush(it: &mut Peer) -> io::Result<()> {
    it.negotiate(false)?;
    let mut answers = Vec::new();
    loop {
        let request = it.request(false)?;
        answers.extend(server::chunk(request.cookie, true, 0, &[]));
        if request.kind == 3 {
            it.send(&answers)?;
            answers.clear();
        }
    }
}

/// Runs `work` on a handle connected to such a server. Per-thread memory,
/// allocated at the first connection, is already in place.
fn connected(work: impl FnOnce(&Client)) {
    let (socket, server) = Peer::pair(answer_at_flush);
    let client = Client::plain();
    client.connect(socket).expect("connected");
    client.round(2);
    work(&client);
    drop(client);
    _ = server.join().expect("the server ends");
}

#[test]
fn an_idle_handle_needs_2_kib() {
    let _alone = alone();
    connected(|_| {});
    let (socket, server) = Peer::pair(answer_at_flush);
    let before = of_this_thread().bytes;
    let client = Client::plain();
    let created = of_this_thread().bytes - before;
    assert!((1..2048).contains(&created), "{created} bytes");
    client.connect(socket).expect("connected");
    let connected = of_this_thread().bytes - before;
    assert!((created..2048).contains(&connected), "{connected} bytes");
    drop(client);
    assert_eq!(of_this_thread().bytes, before);
    _ = server.join().expect("the server ends");
}

#[test]
fn rounds_of_the_same_depth_allocate_nothing() {
    let _alone = alone();
    for depth in [1, 3, 64, 1024, 1500] {
        connected(|client| {
            client.round(depth);
            client.round(depth);
            let before = of_this_thread().allocations;
            for _ in 0..(3000 / depth).max(40) {
                client.round(depth);
            }
            let allocations = of_this_thread().allocations - before;
            // Many requests do not fit into the socket. If the server reads more slowly than
            // before, their queue grows, by doubling.
            let growth = if depth < 200 { 0 } else { 10 };
            assert!(allocations <= growth, "depth {depth}: {allocations}");
        });
    }
}

#[test]
fn memory_is_freed_after_1024_more_commands() {
    let _alone = alone();
    connected(|client| {
        client.round(1);
        let few = of_this_thread().bytes;
        client.round(1024);
        let many = of_this_thread().bytes;
        assert!(many - few > 100 * 1024, "{few} and {many} bytes");
        (0..1023).for_each(|_| client.round(1));
        assert_eq!(of_this_thread().bytes, many);
        client.round(1);
        let again = of_this_thread().bytes;
        assert!(again <= few + 512, "{few}, {many} and {again} bytes");
    });
}

#[test]
fn memory_in_use_is_not_freed() {
    let _alone = alone();
    connected(|client| {
        client.round(1024);
        let many = of_this_thread().bytes;
        for _ in 0..10 {
            (0..300).for_each(|_| client.round(1));
            client.round(256);
        }
        assert_eq!(of_this_thread().bytes, many);
    });
}
