// SPDX-License-Identifier: LGPL-2.1-or-later

//! Accepted and rejected URIs, and that parsing reverses writing.

use super::*;
use crate::constants::{LIBNBD_TLS_ALLOW, LIBNBD_TLS_DISABLE, LIBNBD_TLS_REQUIRE};

const PERMISSIVE: UriPolicy = UriPolicy {
    transports: u32::MAX,
    tls: LIBNBD_TLS_ALLOW,
    local_file: true,
    tls_priority: true,
};

fn text(text: &str) -> CString {
    CString::new(text).unwrap()
}

fn parse(uri: &str) -> NbdUri {
    NbdUri::parse(&text(uri), &PERMISSIVE)
        .unwrap_or_else(|refused| panic!("{uri}: {}", refused.error))
}

fn refused(uri: &str, policy: &UriPolicy) -> Error {
    match NbdUri::parse(&text(uri), policy) {
        Err(refused) => refused.error,
        Ok(parsed) => panic!("{uri} was accepted: {parsed:?}"),
    }
}

fn tcp(host: &str, port: &str) -> Transport {
    Transport::Tcp {
        host: text(host),
        port: text(port),
    }
}

fn unix(path: &str) -> Transport {
    Transport::Unix { path: text(path) }
}

fn vsock(cid: u32, port: u32) -> Transport {
    Transport::Vsock { cid, port }
}

fn word(content: &str) -> Word {
    Word::target("word", &text(content)).unwrap()
}

fn ssh(host: &str, port: u32, user: Option<&str>, target: SshTarget) -> Transport {
    Transport::Ssh(SshTunnel {
        host: word(host),
        port,
        user: user.map(word),
        target,
        compress: false,
    })
}

#[test]
fn uris_name_transport_and_address() {
    let port = |port| SshTarget::Port(word(port));
    let any_port = || port("10809");
    for (uri, transport) in [
        ("nbd://example.com", tcp("example.com", "10809")),
        ("nbd://example.com/", tcp("example.com", "10809")),
        ("NBD://example.com:1234/disk", tcp("example.com", "1234")),
        ("nbd://", tcp("localhost", "10809")),
        ("nbd:///disk", tcp("localhost", "10809")),
        ("nbd://user@:12/", tcp("localhost", "12")),
        ("nbd://h:0/", tcp("h", "10809")),
        ("nbd://h:00080/", tcp("h", "80")),
        ("nbd://h:2147483647/", tcp("h", "2147483647")),
        ("nbd://h:1/?nbd-port=nbd", tcp("h", "nbd")),
        ("nbd://h/?nbd-port", tcp("h", "")),
        ("nbd://ho%73t%20x/", tcp("host x", "10809")),
        ("nbd://h!$&'()*+,;=_-~./", tcp("h!$&'()*+,;=_-~.", "10809")),
        ("nbd://1.2.3.4/", tcp("1.2.3.4", "10809")),
        ("nbd://[::1]", tcp("::1", "10809")),
        ("nbd://u@[::1]:99/x@y", tcp("::1", "99")),
        ("nbd://[fe80::1%25eth0]/", tcp("fe80::1%eth0", "10809")),
        ("nbd://[fe80::1%eth0]:7/", tcp("fe80::1%eth0", "7")),
        ("nbd://[fe80::1%ea]/", tcp("fe80::1%ea", "10809")),
        ("nbd://[fe80::1%25]/", tcp("fe80::1%25", "10809")),
        ("nbd+unix:///?socket=/tmp/s", unix("/tmp/s")),
        ("Nbd+Unix://?SOCKET=s", unix("s")),
        ("nbds+unix://host:12/x?socket=s", unix("s")),
        ("nbd+unix:///?socket=", unix("")),
        ("nbd+unix:///?socket", unix("")),
        ("nbd+unix:///?socket=a&socket=b", unix("b")),
        (
            "nbd+unix:///?socket=/a%20b+c=d?e#fragment",
            unix("/a b+c=d?e"),
        ),
        ("nbd+unix:///?&=x&a;%73ocket=/%26%3b", unix("/&;")),
        ("nbd+vsock:///", vsock(2, 10809)),
        ("nbd+vsock://3:1/", vsock(3, 1)),
        ("nbd+vsock://4294967295:0/", vsock(u32::MAX, 10809)),
        ("nbds+vsock://%31/?nbd-port=4294967295", vsock(1, u32::MAX)),
        ("nbd+vsock://1/?nbd-port=0", vsock(1, 0)),
        ("nbd+ssh://h/", ssh("h", 22, None, any_port())),
        (
            "nbds+ssh://u%2Bv@h:2/",
            ssh("h", 2, Some("u+v"), any_port()),
        ),
        ("nbd+ssh://h/?nbd-port=x", ssh("h", 22, None, port("x"))),
        (
            "nbd+ssh://h?socket=s&nbd-port=1",
            ssh("h", 22, None, SshTarget::Unix(word("s"))),
        ),
    ] {
        assert_eq!(parse(uri).transport, transport, "{uri}");
    }
    let compressed = parse("nbd+ssh://h/?compress=true").transport;
    assert!(matches!(&compressed, Transport::Ssh(tunnel) if tunnel.compress));
}

#[test]
fn path_is_the_export_name() {
    for (uri, name) in [
        ("nbd://h", ""),
        ("nbd://h/", ""),
        ("nbd://h?x", ""),
        ("nbd://h/disk", "disk"),
        ("nbd://h//disk", "/disk"),
        ("nbd:////disk", "/disk"),
        ("nbd://h/a/../b/./c", "a/../b/./c"),
        ("nbd://h/a%20b+c@d:e;f=g", "a b+c@d:e;f=g"),
        ("nbd://h/%2f%c3%a9", "/é"),
        ("nbd+unix:///disk?socket=s", "disk"),
        ("nbd+ssh://h/disk#fragment", "disk"),
    ] {
        assert_eq!(parse(uri).export_name, text(name), "{uri}");
    }
    let name = parse("nbd://h/%ff").export_name;
    assert_eq!(name.to_bytes(), b"\xff", "not every name is UTF-8");
}

#[test]
fn tls_parameters_are_parsed() {
    let uri = parse(
        "nbds://h/?tls-certificates=/c&tls-psk-file=/p&TLS-Hostname=n&tls-priority=NORMAL\
         &tls-username=u&tls-verify-peer=false&unknown=1&tls-type=anon",
    );
    assert!(uri.tls);
    assert_eq!(uri.tls_parameters.certificates, Some(text("/c")));
    assert_eq!(uri.tls_parameters.psk_file, Some(text("/p")));
    assert_eq!(uri.tls_parameters.hostname, Some(text("n")));
    assert_eq!(uri.tls_parameters.priority, Some(text("NORMAL")));
    assert_eq!(uri.tls_parameters.username, Some(text("u")));
    assert_eq!(uri.tls_parameters.verify_peer, Some(false));

    let plain = parse("nbd://h");
    assert_eq!(plain, NbdUri::new(tcp("h", "10809")));

    for (uri, user) in [
        ("nbd://u@h", Some("u")),
        ("nbd://u:p@h", Some("u:p")),
        ("nbd://u%40v@h", Some("u@v")),
        ("nbd://@h", Some("")),
        ("nbd://u@h?tls-username=v", Some("v")),
        ("nbd+ssh://u@h?tls-username=v", Some("v")),
        ("nbd+ssh://u@h", Some("u")),
        ("nbd://h/@x", None),
    ] {
        assert_eq!(parse(uri).tls_parameters.username, user.map(text), "{uri}");
    }
}

#[test]
fn booleans_have_several_spellings() {
    for (word, truth) in [
        ("true", true),
        ("1", true),
        ("Yes", true),
        ("on", true),
        ("t", true),
        ("y", true),
        ("FALSE", false),
        ("0", false),
        ("no", false),
        ("off", false),
        ("f", false),
        ("n", false),
    ] {
        let uri = parse(&format!("nbd://h?tls-verify-peer={word}"));
        assert_eq!(uri.tls_parameters.verify_peer, Some(truth), "{word}");
    }
    for word in ["", "2", "maybe", "true%20"] {
        for name in ["tls-verify-peer", "compress"] {
            let error = refused(&format!("nbd://h?{name}={word}"), &PERMISSIVE);
            assert_eq!(error.errno(), libc::EINVAL);
            assert!(error.message().contains(name), "{error}");
        }
    }
}

#[test]
fn invalid_uris_are_refused() {
    for uri in [
        "nbd://h/a b",
        " nbd://h",
        "nbd://h ",
        "nbd://h\t/",
        "nbd://h/%zz",
        "nbd://h/%4",
        "nbd://h/<x>",
        "nbd://h/\"x\"",
        "nbd://h/{x}",
        "nbd://h/x|y",
        "nbd://h/x\\y",
        "nbd://h/x^y",
        "nbd://h/x`y",
        "nbd://h/[x]",
        "nbd://h/?a[b]",
        "nbd://h/#a#b",
        "nbd://h/é",
        "nbd://é/",
        "nbd://h/\u{1}",
        "nbd://[::1",
        "nbd://[::1]x",
        "nbd://::1/",
        "nbd://[zz]/",
        "nbd://[]/",
        "nbd://[::1%]/",
        "nbd://[::1%a/b]/",
        "nbd://u@v@h/",
        "nbd://h:/",
        "nbd://h:x/",
        "nbd://h:-1/",
        "nbd://h:+1/",
        "nbd://h:2147483648/",
        "nbd+vsock://1:4294967295/",
        "://h",
        "1nbd://h",
    ] {
        let error = refused(uri, &PERMISSIVE);
        assert_eq!(error.errno(), libc::EINVAL, "{uri}");
        assert_eq!(error.message(), format!("unable to parse URI: {uri}"));
    }
    let error = NbdUri::parse(c"nbd://h/\xff", &PERMISSIVE)
        .unwrap_err()
        .error;
    assert!(
        error.message().starts_with("unable to parse URI"),
        "{error}"
    );
}

#[test]
fn other_schemes_are_refused() {
    for (uri, why) in [
        ("", "does not have a scheme"),
        ("disk.img", "does not have a scheme"),
        ("nbd//h", "does not have a scheme"),
        ("/tmp/disk.img", "nbd+unix:///?socket="),
        ("http://h/", "http"),
        ("nbd+tcp://h/", "nbd+tcp"),
        ("nbd:h:10809", "nbd://"),
        ("nbd:/disk", "nbd://"),
        ("nbds+unix:?socket=s", "nbds+unix://"),
        ("nbd+unix:///disk", "socket"),
        ("nbd://h?socket=s", "socket"),
        ("nbd+vsock://2?Socket", "socket"),
        ("nbd+vsock://x/", "x"),
        ("nbd+vsock://[::1]/", "[::1]"),
        ("nbd+vsock://-1/", "-1"),
        ("nbd+vsock://1x/", "1x"),
        ("nbd+vsock://4294967296/", "4294967296"),
        ("nbd+vsock://1/?nbd-port=", "nbd-port"),
        ("nbd+vsock://1/?nbd-port=4294967296", "4294967296"),
        ("nbd+vsock://1/?nbd-port=+1", "+1"),
        ("nbd+ssh:///disk", "server name"),
        ("nbd+ssh://-oProxyCommand=x/", "\"-\""),
        ("nbd+ssh://%2Dx/", "\"-\""),
        ("nbd+ssh://-l@h/", "\"-\""),
        ("nbd+ssh://%25h@h/", "\"%\""),
        ("nbd+ssh://h/?nbd-port=$x", "nbd-port"),
        ("nbd+ssh://h/?nbd-port=-e", "nbd-port"),
        ("nbd+ssh://h/?socket=/tmp/a%20b", "socket"),
        ("nbd+ssh://h/?socket=%60id%60", "socket"),
        ("nbd+ssh://h/?socket=x%0Aid", "socket"),
        ("nbd+ssh://h/?socket=x%3Bid", "socket"),
        ("nbd://h/a%00b", "NUL"),
        ("nbd://h%00/", "NUL"),
        ("nbd://u%00@h/", "NUL"),
        ("nbd+unix:///?socket=%00abstract", "NUL"),
    ] {
        let error = refused(uri, &PERMISSIVE);
        assert_eq!(error.errno(), libc::EINVAL, "{uri}");
        assert!(error.message().contains(why), "{uri}: {error}");
    }
}

#[test]
fn policy_forbids_features() {
    let strict = UriPolicy::default();
    for (uri, parameter) in [
        ("nbds://h?tls-psk-file=/p", "tls-psk-file"),
        ("nbds://h?tls-certificates=/c", "tls-certificates"),
        ("nbds://h?tls-priority=X&tls-psk-file=/p", "tls-priority"),
    ] {
        let error = refused(uri, &strict);
        assert_eq!(error.errno(), libc::EPERM, "{uri}");
        assert!(error.message().contains(parameter), "{error}");
    }

    let examples = [
        ("nbd://h", 1, false),
        ("nbds://h", 1, true),
        ("nbd+unix:///?socket=s", 2, false),
        ("nbds+unix:///?socket=s", 2, true),
        ("nbd+vsock://2", 4, false),
        ("nbd+ssh://h", 8, false),
    ];
    for (uri, bit, tls) in examples {
        for transports in [0, 1, 2, 4, 8, 15 & !bit, bit] {
            let policy = UriPolicy {
                transports,
                ..strict
            };
            if transports & bit == 0 {
                assert_eq!(refused(uri, &policy).errno(), libc::EPERM, "{uri}");
            } else {
                NbdUri::parse(&text(uri), &policy).unwrap();
            }
        }
        for (setting, allowed) in [
            (LIBNBD_TLS_DISABLE, !tls),
            (LIBNBD_TLS_ALLOW, true),
            (LIBNBD_TLS_REQUIRE, tls),
        ] {
            let policy = UriPolicy {
                tls: setting,
                ..strict
            };
            let result = NbdUri::parse(&text(uri), &policy);
            assert_eq!(result.is_ok(), allowed, "{uri} with {setting}");
        }
    }
    // The value of a forbidden parameter is not checked.
    let policy = UriPolicy {
        transports: 1,
        ..strict
    };
    assert_eq!(refused("nbd+unix:///", &policy).errno(), libc::EPERM);
}

#[test]
fn nbd_uris_are_recognized_by_scheme() {
    for uri in [
        c"nbd://",
        c"NBDS://h",
        c"nbd+unix:///?socket=s",
        c"nbds+unix://",
        c"nbd+vsock://",
        c"nbds+vsock://",
        c"nbd+ssh://h",
        c"nbds+ssh://h",
        c"nbd://h/not valid",
        c"nbd://\xff",
    ] {
        assert!(is_nbd_uri(uri), "{uri:?}");
    }
    for other in [
        c"",
        c"nbd",
        c"nbd:",
        c"nbd:/x",
        c"nbd:h:10809",
        c"nbd//h",
        c" nbd://h",
        c"nbd+tcp://h",
        c"http://h",
        c"/tmp/nbd://",
        c"\xffnbd://",
    ] {
        assert!(!is_nbd_uri(other), "{other:?}");
    }
}

#[test]
fn uris_are_written() {
    for uri in [
        "nbd://h:10809/",
        "nbd://h:10809/disk",
        "nbds://u:p@h:99//disk",
        "nbd://[::1]:10809/x",
        "nbd://[fe80::1%25eth0]:10809/",
        "nbds://@h:1/",
        "nbd+unix:///?socket=/tmp/s",
        "nbds+unix://e@/x?socket=/s&tls-certificates=/c&tls-psk-file=d&tls-hostname=a\
         &tls-priority=b&tls-verify-peer=false",
        "nbd+vsock://2:10809/",
        "nbd+vsock://u@3:1/x?tls-hostname=a",
        "nbd://h:10809/0%3A;%3C=%3E%3F@A%5B%5C%5D%5E_%60a%7B%7C%7D~",
        "nbd://h:10809/%01%20!%22%23$%25&'()*+,-./%7F%C3%A9",
        "nbds+unix://a%20!%22%23$%25&'()*+,-.%2F0:;%3C=%3E%3F%40A%5B%5C%5D~@/?socket=s",
        "nbd+ssh://u@h:22/x?nbd-port=10809",
        "nbd+ssh://u@h:22/x?socket=s&compress=true&tls-username=v",
    ] {
        assert_eq!(parse(uri).write().unwrap(), text(uri));
    }
    for (uri, written) in [
        ("nbd://h?nbd-port=nbd", "nbd://h/?nbd-port=nbd"),
        ("nbd://h?nbd-port=010", "nbd://h/?nbd-port=010"),
        (
            "nbd+vsock://2?nbd-port=3000000000",
            "nbd+vsock://2/?nbd-port=3000000000",
        ),
        (
            "nbd://h?tls-verify-peer=1",
            "nbd://h:10809/?tls-verify-peer=true",
        ),
        (
            "nbds://h?tls-verify-peer=0",
            "nbds://h:10809/?tls-verify-peer=false",
        ),
        ("nbds://h", "nbds://h:10809/"),
        (
            "nbd+unix:///?socket=/a%26%3B%23b",
            "nbd+unix:///?socket=/a%26%3B%23b",
        ),
    ] {
        assert_eq!(parse(uri).write().unwrap(), text(written), "{uri}");
    }
}

/// Returns texts with every byte that a C string can hold, and special cases.
fn awkward_texts() -> Vec<CString> {
    let mut texts: Vec<CString> = (1..=255)
        .map(|byte| CString::new([byte]).unwrap())
        .collect();
    texts.push(CString::new((1..=255).collect::<Vec<u8>>()).unwrap());
    for example in [
        "",
        "//",
        "a/b",
        "%00",
        "%25",
        "é",
        "socket=x&y",
        "a@b:c",
        "..",
        "[::1]",
    ] {
        texts.push(text(example));
    }
    texts.push(CString::new(vec![b'%'; 10_000]).unwrap());
    texts
}

#[test]
fn written_uris_parse_to_the_same() {
    let mut uris = Vec::new();
    for value in awkward_texts() {
        for transport in [
            tcp("h", "10809"),
            Transport::Unix {
                path: value.clone(),
            },
            vsock(0, 3_000_000_000),
            ssh("h", 22, Some("u"), SshTarget::Unix(word("/s"))),
            Transport::Tcp {
                host: text("::1"),
                port: value.clone(),
            },
        ] {
            let mut uri = NbdUri::new(transport);
            uri.tls = true;
            uri.export_name = value.clone();
            uri.tls_parameters.username = Some(value.clone());
            uri.tls_parameters.certificates = Some(value.clone());
            uri.tls_parameters.psk_file = Some(value.clone());
            uri.tls_parameters.hostname = Some(value.clone());
            uri.tls_parameters.priority = Some(value.clone());
            uri.tls_parameters.verify_peer = Some(false);
            uris.push(uri);
        }
        // A host cannot be empty, and only IPv6 addresses contain colons.
        if !value.is_empty() && !value.to_bytes().contains(&b':') {
            uris.push(NbdUri::new(Transport::Tcp {
                host: value,
                port: text("1"),
            }));
        }
    }
    for uri in uris {
        let written = uri.write().unwrap();
        let parsed = NbdUri::parse(&written, &PERMISSIVE);
        assert_eq!(parsed.as_ref(), Ok(&uri), "{written:?}");
    }
}

#[test]
fn any_text_parses_or_fails() {
    // Try every string of up to five special characters after a scheme: it is parsed or rejected.
    // If it is parsed, writing and parsing it again gives the same URI.
    let alphabet = b"/:@?#[]%&=2x";
    let mut accepted = 0;
    for scheme in ["nbd://", "nbd+unix://", "nbd+vsock:"] {
        for number in 0..alphabet.len().pow(4) {
            let mut uri = scheme.as_bytes().to_vec();
            let mut rest = number;
            for _ in 0..4 {
                uri.push(alphabet[rest % alphabet.len()]);
                rest /= alphabet.len();
            }
            let uri = CString::new(uri).unwrap();
            if let Ok(parsed) = NbdUri::parse(&uri, &PERMISSIVE) {
                accepted += 1;
                let again = NbdUri::parse(&parsed.write().unwrap(), &PERMISSIVE);
                assert_eq!(again.as_ref(), Ok(&parsed), "{uri:?}");
            }
        }
    }
    assert!(accepted > 1000, "{accepted}");
}
