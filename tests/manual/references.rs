// SPDX-License-Identifier: LGPL-2.1-or-later

//! References in the pages.

use std::collections::BTreeSet;

use crate::page::{headings, pages, plain, rows, section};

/// Pages of other packages that ours refer to: Linux and the C library,
/// systemd, ssh, pkg-config, GnuTLS, and NBD servers and clients.
const ELSEWHERE: &[&str] = &[
    "connect(2)",
    "eventfd(2)",
    "fork(2)",
    "kill(2)",
    "poll(2)",
    "execve(2)",
    "socket(2)",
    "socketpair(2)",
    "waitpid(2)",
    "dlsym(3)",
    "free(3)",
    "getaddrinfo(3)",
    "getlogin(3)",
    "epoll(7)",
    "socket(7)",
    "tcp(7)",
    "vsock(7)",
    "sd_listen_fds(3)",
    "ssh(1)",
    "pkg-config(1)",
    "readv(2)",
    "writev(2)",
    "certtool(1)",
    "psktool(1)",
    "nbd-server(1)",
    "nbdkit(1)",
    "nbdcopy(1)",
    "nbddump(1)",
    "nbdfuse(1)",
    "nbdinfo(1)",
    "nbdsh(1)",
    "qemu-nbd(8)",
    "qemu-storage-daemon(1)",
];

#[test]
fn every_reference_in_a_page_exists() {
    let pages = pages();
    let overview = headings(&pages["libnbd"]);
    let elsewhere: BTreeSet<&str> = ELSEWHERE.iter().copied().collect();
    for (name, page) in &pages {
        let text = plain(page);
        for (open, _) in text.match_indices('(') {
            let Some(section @ '1'..='8') = text[open + 1..].chars().next() else {
                continue;
            };
            if !text[open + 2..].starts_with(')') {
                continue;
            }
            let start = text[..open]
                .rfind(|it: char| !(it.is_ascii_alphanumeric() || "_-".contains(it)))
                .map_or(0, |index| index + 1);
            let target = &text[start..open];
            if target.is_empty() {
                continue; // a number in parentheses
            }
            assert!(
                section == '3' && pages.contains_key(target)
                    || elsewhere.contains(&text[start..open + 3]),
                "{name}: {target}({section})"
            );
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let on_one_line = words.join(" ");
        for (_, title) in on_one_line
            .match_indices("libnbd(3), \"")
            .filter_map(|(at, found)| {
                on_one_line[at + found.len()..]
                    .split_once('"')
                    .map(|it| (at, it.0))
            })
        {
            assert!(
                overview.contains(&title),
                "{name}: libnbd(3) has no section {title}"
            );
        }
        let see_also = section(page, "SEE ALSO").expect("it is there");
        let itself = format!("{name}(3)");
        assert!(
            !plain(&see_also)
                .split([' ', ',', ';', '\n', '.'])
                .any(|it| it == itself),
            "{name} refers to itself"
        );
    }
}

#[test]
fn the_overview_lists_every_function() {
    let pages = pages();
    let entries = |overview: &str, name: &str| {
        let list = plain(&section(&pages[overview], "FUNCTIONS").expect("it is there"));
        list.matches(&format!(".TP\n{name}(3)\n")).count()
    };
    for row in rows() {
        let extension = usize::from(row.version.starts_with("LIBNBD_EXT_"));
        assert_eq!(entries("libnbd", &row.name), 1 - extension, "{}", row.name);
        assert_eq!(entries("libnbd-ext", &row.name), extension, "{}", row.name);
    }
}
