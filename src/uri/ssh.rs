// SPDX-License-Identifier: LGPL-2.1-or-later

//! Arguments of ssh(1) taken from a URI.
//!
//! Parts of the URI become arguments of ssh. The target becomes part of a command line for the
//! remote shell, and the user's ssh configuration may pass host and user to a local shell. So
//! every part must be a word without a special meaning to any of them. Only a [`Word`] can become
//! an argument.

use std::ffi::{CStr, CString};

use super::text::decimal;
use crate::error::Error;
use crate::memory;

/// Punctuation allowed in a host name or address. Not "@" and "/", with which ssh parses more
/// than a host from its argument.
const HOST: &[u8] = b"-._:";

/// Punctuation allowed in a user name. Not "%", which ssh expands.
const USER: &[u8] = b"-._+@";

/// Punctuation allowed in a path or a port.
const TARGET: &[u8] = b"+,-./:=@_";

/// A text that is a single word to every shell, and not an option.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Word(CString);

impl Word {
    /// Checks the host that ssh connects to.
    pub fn host(text: &CStr) -> Result<Word, Error> {
        Word::new("the host", text, HOST)
    }

    /// Checks the user name for ssh.
    pub fn user(text: &CStr) -> Result<Word, Error> {
        Word::new("the user", text, USER)
    }

    /// Checks the address of the NBD server; `name` is the URI's parameter.
    pub fn target(name: &str, text: &CStr) -> Result<Word, Error> {
        Word::new(name, text, TARGET)
    }

    fn new(what: &str, text: &CStr, allowed: &[u8]) -> Result<Word, Error> {
        let refused = |why: &str| {
            let text = format!("{what} of an nbd+ssh URI {why}");
            Err(Error::new(libc::EINVAL, text))
        };
        let bytes = text.to_bytes();
        if bytes.is_empty() {
            return refused("is missing");
        }
        if bytes.starts_with(b"-") {
            return refused("must not begin with \"-\"");
        }
        // Bytes of non-ASCII characters have no special meaning to a shell.
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || !byte.is_ascii();
        match bytes
            .iter()
            .find(|byte| !plain(byte) && !allowed.contains(byte))
        {
            None => Ok(Word(memory::copy(text)?)),
            Some(&byte) => refused(&format!(
                "must not contain \"{}\", which has a meaning to the shell or to ssh",
                char::from(byte).escape_default()
            )),
        }
    }

    /// Returns the text.
    pub fn as_c_str(&self) -> &CStr {
        &self.0
    }
}

/// The address of the NBD server, as seen from the SSH server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SshTarget {
    /// A TCP port of the SSH server's host, as a number or service name.
    Port(Word),
    /// A Unix socket of the SSH server's host.
    Unix(Word),
}

/// A connection through SSH.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SshTunnel {
    /// The host of the SSH server.
    pub host: Word,
    /// The port of the SSH server.
    pub port: u32,
    /// The user name; if `None`, ssh chooses it.
    pub user: Option<Word>,
    /// The address of the NBD server.
    pub target: SshTarget,
    /// True if ssh compresses.
    pub compress: bool,
}

impl SshTunnel {
    /// Returns the command that connects its standard input and output to the server. It needs
    /// nc(1) on the SSH server.
    pub fn command(&self) -> Result<Vec<CString>, Error> {
        let mut argv = vec![c"ssh".to_owned()];
        if self.compress {
            argv.push(c"-C".to_owned());
        }
        argv.extend([c"-p".to_owned(), decimal(self.port)]);
        if let Some(user) = &self.user {
            argv.extend([c"-l".to_owned(), memory::copy(&user.0)?]);
        }
        let host = memory::copy(&self.host.0)?;
        argv.extend([c"--".to_owned(), host, c"nc".to_owned()]);
        argv.extend(match &self.target {
            SshTarget::Port(port) => [c"localhost".to_owned(), memory::copy(&port.0)?],
            SshTarget::Unix(path) => [c"-U".to_owned(), memory::copy(&path.0)?],
        });
        Ok(argv)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn word(text: &CStr) -> Word {
        Word::target("word", text).expect("a plain word")
    }

    fn tunnel() -> SshTunnel {
        SshTunnel {
            host: word(c"far.example"),
            port: 22,
            user: None,
            target: SshTarget::Port(word(c"10809")),
            compress: false,
        }
    }

    fn line(tunnel: &SshTunnel) -> String {
        let words = tunnel.command().unwrap().into_iter();
        let words: Vec<_> = words.map(|word| word.into_string().unwrap()).collect();
        words.join(" ")
    }

    #[test]
    fn ssh_forwards_to_a_port() {
        assert_eq!(
            line(&tunnel()),
            "ssh -p 22 -- far.example nc localhost 10809"
        );
    }

    #[test]
    fn ssh_forwards_to_a_socket() {
        let target = SshTarget::Unix(word(c"/run/nbd.sock"));
        let tunnel = SshTunnel { target, ..tunnel() };
        assert_eq!(
            line(&tunnel),
            "ssh -p 22 -- far.example nc -U /run/nbd.sock"
        );
    }

    #[test]
    fn ssh_gets_port_user_and_compression() {
        let tunnel = SshTunnel {
            port: 2222,
            user: Some(word(c"me")),
            compress: true,
            ..tunnel()
        };
        assert_eq!(
            line(&tunnel),
            "ssh -C -p 2222 -l me -- far.example nc localhost 10809"
        );
    }

    #[test]
    fn special_characters_are_refused() {
        let everywhere = [
            c"",
            c"-",
            c"-oProxyCommand=id",
            c"a b",
            c"a\tb",
            c"a\nb",
            c"a\rb",
            c"$x",
            c"$(id)",
            c"`id`",
            c"a;b",
            c"a&b",
            c"a|b",
            c"a>b",
            c"a<b",
            c"a'b",
            c"a\"b",
            c"a\\b",
            c"a*b",
            c"a?b",
            c"[ab]",
            c"{a,b}",
            c"~",
            c"!x",
            c"#x",
            c"a%hb",
            c"(a)",
            c"a^b",
        ];
        for text in everywhere {
            assert_eq!(
                Word::host(text).unwrap_err().errno(),
                libc::EINVAL,
                "{text:?}"
            );
            assert_eq!(
                Word::user(text).unwrap_err().errno(),
                libc::EINVAL,
                "{text:?}"
            );
            assert!(Word::target("socket", text).is_err(), "{text:?}");
        }
        for text in [c"me@far", c"ssh://far", c"/far", c"a=b", c"a,b"] {
            assert!(Word::host(text).is_err(), "{text:?}");
        }
        for text in [c"a/b", c"a:b", c"a=b"] {
            assert!(Word::user(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn names_addresses_and_paths_are_accepted() {
        for text in [
            c"far",
            c"far.example",
            c"192.0.2.1",
            c"2001:db8::1",
            c"far_2",
            c"f\xc3\xa4r",
        ] {
            assert_eq!(Word::host(text).unwrap().as_c_str(), text);
        }
        for text in [c"me", c"me.too", c"me@realm", c"me+1"] {
            assert_eq!(Word::user(text).unwrap().as_c_str(), text);
        }
        for text in [c"/run/nbd/a-b_c.sock", c"10809", c"nbd", c"rel/path"] {
            assert_eq!(Word::target("socket", text).unwrap().as_c_str(), text);
        }
    }

    #[test]
    fn errors_name_the_part() {
        let error = Word::host(c"-x").unwrap_err();
        assert!(error.message().starts_with("the host"));
        let error = Word::target("nbd-port", c"1;2").unwrap_err();
        assert!(error.message().starts_with("nbd-port"));
        assert!(error.message().contains("\";\""));
    }
}
