// SPDX-License-Identifier: LGPL-2.1-or-later

//! The command line.

mod exports;
mod help;
mod values;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use lexopt::prelude::*;

use crate::faults::FaultRule;
use crate::settings::{Settings, Style, TlsMode};
use crate::wire::{by_name, opt, rep};

use exports::export_option;
pub use exports::ExportOptions;
pub use help::text as help_text;
use values::{error_rule, number, size, text, tls_mode};

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Address {
    /// A path.
    Unix(PathBuf),
    /// Host and port.
    Tcp(String),
    /// Standard input is a connected socket.
    Stdin,
}

/// The parsed command line.
#[derive(Debug)]
pub struct CommandLine {
    /// Print the help and exit.
    pub help: bool,
    /// Print the version and exit.
    pub version: bool,
    /// Addresses to listen on, apart from passed sockets.
    pub addresses: Vec<Address>,
    /// Exports to serve; at least one.
    pub exports: Vec<ExportOptions>,
    /// Protocol settings.
    pub settings: Settings,
    /// Directory of the TLS certificates.
    pub tls_certificates: Option<PathBuf>,
    /// Require a certificate from clients.
    pub tls_verify_peer: bool,
    /// Memory limit for the content of all exports, in bytes.
    pub memory_limit: Option<u64>,
    /// File to write the process id to.
    pub pid_file: Option<PathBuf>,
    /// Descriptor on which readiness is announced.
    pub ready_fd: Option<i32>,
    /// Exit when the parent process does.
    pub exit_with_parent: bool,
    /// Exit after this many connections.
    pub connections: Option<u64>,
}

impl CommandLine {
    /// Reads the arguments that follow the program's name.
    pub fn parse<I>(arguments: I) -> Result<CommandLine, lexopt::Error>
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        let mut line = CommandLine {
            help: false,
            version: false,
            addresses: Vec::new(),
            exports: Vec::new(),
            settings: Settings::default(),
            tls_certificates: None,
            tls_verify_peer: false,
            memory_limit: None,
            pid_file: None,
            ready_fd: None,
            exit_with_parent: false,
            connections: None,
        };
        let mut parser = lexopt::Parser::from_args(arguments);
        while let Some(argument) = parser.next()? {
            let name = match argument {
                Short('h') => "help".to_owned(),
                Short('V') => "version".to_owned(),
                Long(name) => name.to_owned(),
                other => return Err(other.unexpected()),
            };
            let known = line.process_option(&name, &mut parser)?
                || line.tls_option(&name, &mut parser)?
                || line.protocol_option(&name, &mut parser)?
                || line.behaviour_option(&name, &mut parser)?
                || export_option(&mut line.exports, &name, &mut parser)?;
            if !known {
                return Err(format!("there is no option --{name}").into());
            }
        }
        if line.exports.is_empty() {
            line.exports.push(ExportOptions::default());
        }
        if line.settings.tls != TlsMode::Off {
            if line.tls_certificates.is_none() {
                return Err("--tls needs --tls-certificates".into());
            }
            if line.settings.style != Style::FixedNewstyle {
                return Err("--tls needs the handshake --newstyle-fixed".into());
            }
        }
        Ok(line)
    }

    fn tls_option(
        &mut self,
        name: &str,
        parser: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        match name {
            "tls" => self.settings.tls = tls_mode(&text(parser)?)?,
            "tls-certificates" => self.tls_certificates = Some(parser.value()?.into()),
            "tls-verify-peer" => self.tls_verify_peer = true,
            "no-close-notify" => self.settings.close_notify = false,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn process_option(
        &mut self,
        name: &str,
        parser: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        match name {
            "help" => self.help = true,
            "version" => self.version = true,
            "unix" => {
                let path = PathBuf::from(parser.value()?);
                self.addresses.push(Address::Unix(path));
            }
            "tcp" => self.addresses.push(Address::Tcp(text(parser)?)),
            "stdin" => self.addresses.push(Address::Stdin),
            "memory-limit" => self.memory_limit = Some(size(&text(parser)?)?),
            "pid-file" => self.pid_file = Some(parser.value()?.into()),
            "ready-fd" => self.ready_fd = Some(parser.value()?.parse()?),
            "exit-with-parent" => self.exit_with_parent = true,
            "connections" => self.connections = Some(parser.value()?.parse()?),
            "log" => self.settings.log = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn protocol_option(
        &mut self,
        name: &str,
        parser: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        let settings = &mut self.settings;
        match name {
            "oldstyle" => settings.style = Style::Oldstyle,
            "newstyle" => settings.style = Style::Newstyle,
            "newstyle-fixed" => settings.style = Style::FixedNewstyle,
            "no-structured-replies" => {
                settings.structured_replies = false;
                settings.extended_headers = false;
            }
            "no-extended-headers" => settings.extended_headers = false,
            "no-zeroes-flag-off" => settings.no_zeroes = false,
            "no-go" => settings.go = false,
            "no-info" => settings.info = false,
            "no-list" => settings.list = false,
            "no-meta-context" => settings.meta_context = false,
            "require-block-size" => settings.require_block_size = true,
            "option-error" => {
                let text = text(parser)?;
                let rule = text.split_once('=').and_then(|(option, error)| {
                    Some((
                        by_name(opt::NAMES, option)?,
                        by_name(rep::ERROR_NAMES, error)?,
                    ))
                });
                let rule = rule.ok_or_else(|| format!("'{text}' is not OPTION=ERROR"))?;
                settings.option_errors.push(rule);
            }
            "read-chunks" => {
                let most = size(&text(parser)?)?;
                if most == 0 {
                    return Err("--read-chunks cannot be 0".into());
                }
                settings.read_chunks = Some(most);
            }
            "min-hole" => settings.min_hole = Some(size(&text(parser)?)?.max(1)),
            "no-holes" => settings.min_hole = None,
            "reverse-chunks" => settings.reverse_chunks = true,
            "simple-acks" => settings.simple_acks = true,
            "long-extents" => settings.long_extents = true,
            "slow-zero" => settings.slow_zero = true,
            "df-limit" => settings.df_limit = size(&text(parser)?)?,
            "lax-payload-flag" => settings.lax_payload_flag = true,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn behaviour_option(
        &mut self,
        name: &str,
        parser: &mut lexopt::Parser,
    ) -> Result<bool, lexopt::Error> {
        let settings = &mut self.settings;
        match name {
            "shuffle" => settings.shuffle = parser.value()?.parse()?,
            "interleave" => settings.interleave = true,
            "delay" => {
                settings.delay = Duration::from_millis(parser.value()?.parse::<u32>()?.into());
            }
            "seed" => settings.seed = number(&text(parser)?)?,
            "byte-at-a-time" => settings.send_size = 1,
            "send-size" => {
                let most = size(&text(parser)?)?;
                if most == 0 {
                    return Err("--send-size cannot be 0".into());
                }
                settings.send_size = usize::try_from(most).unwrap_or(usize::MAX);
            }
            "stall-after" => settings.stall_after = Some(size(&text(parser)?)?),
            "close-after" => settings.close_after = Some(size(&text(parser)?)?),
            "close-after-requests" => {
                settings.close_after_requests = Some(parser.value()?.parse()?);
            }
            "error" => settings.errors.push(error_rule(&text(parser)?)?),
            "fault" => {
                let text = text(parser)?;
                self.add_fault(&text)?;
            }
            "bad-magic" => {
                let place = text(parser)?;
                if !["greeting", "option", "reply"].contains(&place.as_str()) {
                    return Err("--bad-magic is greeting, option or reply".into());
                }
                self.add_fault(&format!("{place}-magic"))?;
            }
            "unknown-cookie" => self.add_fault("reply-cookie")?,
            "oversize-chunk" => self.add_fault("data-oversize")?,
            "wrong-chunk" => self.add_fault("reply-wrong-chunk")?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn add_fault(&mut self, text: &str) -> Result<(), lexopt::Error> {
        let rule = FaultRule::parse(text)
            .ok_or_else(|| format!("there is no fault '{text}'; --help lists them"))?;
        self.settings.faults.push(rule);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::faults::{self, Fault};
    use crate::wire::{cmd, error, flag};

    fn parse(arguments: &str) -> Result<CommandLine, lexopt::Error> {
        CommandLine::parse(arguments.split_whitespace())
    }

    #[test]
    fn without_options_there_is_one_export() {
        let line = parse("--unix /s").unwrap();
        assert_eq!(line.addresses, [Address::Unix("/s".into())]);
        assert_eq!(line.exports.len(), 1);
        assert_eq!(line.exports[0].size, None);
    }

    #[test]
    fn options_belong_to_the_export_before_them() {
        let line = parse("--size 1M --export a --size=5G --read-only --export b --no-trim");
        let exports = line.unwrap().exports;
        let names: Vec<&[u8]> = exports.iter().map(|export| &export.name[..]).collect();
        assert_eq!(names, [&b""[..], b"a", b"b"]);
        assert_eq!(exports[1].size, Some(5 << 30));
        assert_ne!(exports[1].flags & flag::READ_ONLY, 0);
        assert_eq!(exports[2].flags & (flag::READ_ONLY | flag::SEND_TRIM), 0);
    }

    #[test]
    fn protocol_options_are_parsed() {
        let line = parse(
            "--error READ=EIO@4k:2 --option-error GO=POLICY --bad-magic reply --fault hole-long:3",
        );
        let settings = line.unwrap().settings;
        assert_eq!(settings.option_errors, [(opt::GO, rep::ERR_POLICY)]);
        let rule = &settings.errors[0];
        assert_eq!((rule.command, rule.error), (cmd::READ, error::EIO));
        assert_eq!((rule.offset, rule.only), (Some(4096), Some(2)));
        assert_eq!(settings.faults[0].fault, Fault::ReplyMagic);
        assert_eq!(settings.faults[1].only, Some(3));
    }

    #[test]
    fn invalid_arguments_are_refused() {
        for arguments in [
            "--nonsense",
            "--size",
            "--size 12x",
            "--size 20000P",
            "--error READ",
            "--error READ=EWHAT",
            "--option-error GO=EIO",
            "--fault everything",
            "--bad-magic everywhere",
            "--block-size 1,2",
            "--context base:allocation=1:0",
            "--context nocolon=1:0",
            "--context x:y=0:1",
            "--read-chunks 0",
            "--tls maybe --tls-certificates /d",
            "--tls on",
            "--tls require --tls-certificates /d --oldstyle",
            "stray",
        ] {
            assert!(parse(arguments).is_err(), "{arguments}");
        }
    }

    #[test]
    fn help_lists_every_option_and_fault() {
        let help = help_text();
        let source = concat!(include_str!("mod.rs"), include_str!("exports.rs"));
        let mut count = 0;
        // Every option is a match arm that begins a line.
        for line in source.lines() {
            let name = line.trim_start().strip_prefix('"');
            let name = name.and_then(|rest| rest.split_once("\" => "));
            if let Some((name, _)) = name {
                count += 1;
                assert!(
                    help.contains(&format!("--{name}")),
                    "{name} is not in the help"
                );
            }
        }
        assert!(count > 50, "only {count} options were found");
        for (_, name, ..) in faults::ALL {
            assert!(help.contains(name), "{name} is not in the help");
        }
    }
}
