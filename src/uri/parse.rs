// SPDX-License-Identifier: LGPL-2.1-or-later

//! Parsing: from text to [`NbdUri`].

use std::borrow::Cow;
use std::ffi::{CStr, CString};
use std::fmt;

use iri_string::components::AuthorityComponents;
use iri_string::types::UriReferenceStr;

use super::query::{parse_bool, Query};
use super::text::{decimal, decode};
use super::{
    NbdUri, Refused, Scheme, SshTarget, SshTunnel, TlsParameters, Transport, TransportKind,
    UriPolicy, Word, HOST_CID, NBD_PORT, NBD_PORT_NUMBER, SSH_PORT,
};
use crate::constants::{LIBNBD_TLS_DISABLE, LIBNBD_TLS_REQUIRE};
use crate::error::Error;
use crate::memory::{self, NoMemory};
use crate::text::{shown, text};

fn invalid(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(libc::EINVAL, message)
}

fn forbidden(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(libc::EPERM, message)
}

/// The parts of a URI, not decoded.
struct Parts<'a> {
    scheme: Scheme,
    authority: AuthorityComponents<'a>,
    port: Option<u32>,
    /// The zone of an IPv6 address.
    zone: Option<&'a str>,
    path: &'a str,
    query: Query,
}

/// The part of a URI before the path, decoded.
struct Authority<'a> {
    userinfo: Option<CString>,
    host: CString,
    /// The host as written, with the brackets of an IPv6 address.
    host_text: &'a str,
    port: Option<u32>,
}

impl NbdUri {
    /// Parses a URI, and checks it against the policy.
    pub fn parse(uri: &CStr, policy: &UriPolicy) -> Result<NbdUri, Refused> {
        let unparsable = || invalid(text!("unable to parse URI: {}", shown(uri)));
        let text = uri.to_str().map_err(|_| unparsable())?;
        let (text, zone) = take_zone(text)?;
        let reference = UriReferenceStr::new(text.as_ref()).map_err(|_| unparsable())?;
        let Some(name) = reference.scheme_str() else {
            return Err(without_scheme(&text).into());
        };
        let Some(scheme) = Scheme::from_name(name) else {
            return Err(invalid(text!("unknown NBD URI scheme: {name}")).into());
        };
        let Some(authority) = reference.authority_components() else {
            let name = scheme.name();
            return Err(invalid(format!("URI must begin with '{name}://'")).into());
        };
        let port = match authority.port() {
            None => None,
            Some(port) => Some(parse_port(port).ok_or_else(unparsable)?),
        };
        permit_scheme(scheme, policy)?;
        let tls = scheme.tls;
        let refused = |error| Refused { error, tls };
        let query = reference.query_str().unwrap_or_default();
        let query = Query::parse(query).map_err(refused)?;
        check_socket(scheme, &query)?;
        let parts = Parts {
            scheme,
            authority,
            port,
            zone,
            path: reference.path_str(),
            query,
        };
        parts.read(policy).map_err(refused)
    }
}

impl<'a> Parts<'a> {
    fn read(&self, policy: &UriPolicy) -> Result<NbdUri, Error> {
        let authority = self.authority()?;

        // Errors in parameters are reported in the order of the parameters, and before errors in
        // the authority. Unknown parameters are ignored.
        let mut tls_parameters = TlsParameters::default();
        let mut compress = false;
        for (name, value) in self.query.iter() {
            tls_parameters.set(name, value, policy)?;
            if name.eq_ignore_ascii_case("compress") {
                compress = parse_bool(name, value)?;
            }
        }
        let export_name = decode(self.path.strip_prefix('/').unwrap_or(self.path))?;
        if tls_parameters.username.is_none() {
            tls_parameters.username = memory::copy_option(authority.userinfo.as_deref())?;
        }
        let transport = transport(self.scheme, authority, &self.query, compress)?;
        Ok(NbdUri {
            transport,
            tls: self.scheme.tls,
            export_name,
            tls_parameters,
        })
    }

    fn authority(&self) -> Result<Authority<'a>, Error> {
        let (host, host_text) = parse_host(self.authority.host(), self.zone)?;
        Ok(Authority {
            userinfo: self.authority.userinfo().map(decode).transpose()?,
            host,
            host_text,
            // 0 means "no port", as in the C library.
            port: self.port.filter(|&port| port != 0),
        })
    }
}

fn permit_scheme(scheme: Scheme, policy: &UriPolicy) -> Result<(), Error> {
    let name = scheme.name();
    if policy.transports & scheme.mask() == 0 {
        return Err(forbidden(format!("URI transport {name} is not permitted")));
    }
    match policy.tls {
        LIBNBD_TLS_DISABLE if !scheme.tls => Ok(()),
        LIBNBD_TLS_REQUIRE if scheme.tls => Ok(()),
        LIBNBD_TLS_DISABLE | LIBNBD_TLS_REQUIRE => Err(forbidden(format!(
            "URI TLS setting {name} is not permitted"
        ))),
        _ => Ok(()),
    }
}

fn without_scheme(text: &str) -> Error {
    let hint = if text.starts_with('/') {
        "; a local socket is nbd+unix:///?socket=PATH"
    } else {
        ""
    };
    invalid(format!(
        "NBD URI does not have a scheme: it must begin with one like nbd:// or nbd+unix://{hint}"
    ))
}

/// Checks that a Unix socket is named if the transport needs one, and only then.
fn check_socket(scheme: Scheme, query: &Query) -> Result<(), Error> {
    let named = query.get("socket").is_some();
    match scheme.kind {
        TransportKind::Unix if !named => Err(invalid(
            "cannot parse socket parameter from NBD URI: it must be like nbd+unix:///?socket=PATH",
        )),
        TransportKind::Tcp | TransportKind::Vsock if named => Err(invalid(format!(
            "socket parameter is incompatible with \"{}:\"; nbd+unix:///?socket=PATH has it",
            scheme.name()
        ))),
        _ => Ok(()),
    }
}

fn transport(
    scheme: Scheme,
    authority: Authority<'_>,
    query: &Query,
    compress: bool,
) -> Result<Transport, Error> {
    let nbd_port = query.get("nbd-port");
    let socket = query.get("socket");
    Ok(match scheme.kind {
        TransportKind::Tcp => Transport::Tcp {
            host: or_localhost(authority.host),
            port: memory::copy_option(nbd_port.map(CString::as_c_str))?
                .or_else(|| authority.port.map(decimal))
                .unwrap_or_else(|| NBD_PORT.to_owned()),
        },
        TransportKind::Unix => Transport::Unix {
            path: memory::copy_option(socket.map(CString::as_c_str))?.unwrap_or_default(),
        },
        TransportKind::Vsock => Transport::Vsock {
            cid: match authority.host_text {
                "" => HOST_CID,
                text => parse_number("vsock CID", authority.host.as_c_str(), text)?,
            },
            port: match nbd_port {
                Some(port) => parse_number("nbd-port", port, shown(port))?,
                None => authority.port.unwrap_or(NBD_PORT_NUMBER),
            },
        },
        TransportKind::Ssh => ssh(authority, nbd_port, socket, compress)?,
    })
}

fn ssh(
    authority: Authority<'_>,
    nbd_port: Option<&CString>,
    socket: Option<&CString>,
    compress: bool,
) -> Result<Transport, Error> {
    if authority.host.is_empty() {
        return Err(invalid("SSH transport requires a server name"));
    }
    let user = authority.userinfo.as_deref();
    let port = Word::target("nbd-port", nbd_port.map_or(NBD_PORT, CString::as_c_str))?;
    let target = match socket {
        Some(path) => SshTarget::Unix(Word::target("socket", path)?),
        None => SshTarget::Port(port),
    };
    Ok(Transport::Ssh(SshTunnel {
        host: Word::host(&authority.host)?,
        port: authority.port.unwrap_or(SSH_PORT),
        user: user.map(Word::user).transpose()?,
        target,
        compress,
    }))
}

fn or_localhost(host: CString) -> CString {
    if host.is_empty() {
        c"localhost".to_owned()
    } else {
        host
    }
}

/// Parses a decimal number, digits only: truncation or wrap-around could connect to the wrong
/// server.
fn parse_number(what: &str, value: &CStr, shown: impl fmt::Display) -> Result<u32, Error> {
    let digits = value.to_str().unwrap_or_default();
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        if let Ok(number) = digits.parse() {
            return Ok(number);
        }
    }
    Err(invalid(text!("cannot parse {what} from NBD URI: {shown}")))
}

/// Parses a port in the authority. It is limited to 31 bits as in the C library; programs use
/// `nbd-port` for larger ones.
fn parse_port(digits: &str) -> Option<u32> {
    digits.parse().ok().filter(|&port| port <= i32::MAX as u32)
}

/// Returns the host without brackets, for the system, and with them, for messages.
fn parse_host<'a>(host: &'a str, zone: Option<&str>) -> Result<(CString, &'a str), Error> {
    let literal = host
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let Some(literal) = literal else {
        return Ok((decode(host)?, host));
    };
    let address = match zone {
        Some(zone) => memory::c_string(&[literal.as_bytes(), b"%", decode(zone)?.to_bytes()])?,
        None => memory::c_string(&[literal.as_bytes()])?,
    };
    Ok((address, host))
}

/// Removes the zone of a link-local IPv6 address from a URI, as in `[fe80::1%25eth0]`. RFC 3986
/// has no zones; RFC 6874 adds them, with an encoded percent sign, which is often written
/// unencoded.
fn take_zone(uri: &str) -> Result<(Cow<'_, str>, Option<&str>), Error> {
    let unchanged = Ok((Cow::Borrowed(uri), None));
    let Some(start) = uri.find("://").map(|colon| colon + 3) else {
        return unchanged;
    };
    let length = uri[start..].find(['/', '?', '#']);
    let authority = &uri[start..length.map_or(uri.len(), |length| start + length)];
    let host = start + authority.rfind('@').map_or(0, |at| at + 1);
    let (Some(open), Some(close)) = (authority.rfind('['), authority.rfind(']')) else {
        return unchanged;
    };
    let (open, close) = (start + open, start + close);
    if open != host || close < open {
        return unchanged;
    }
    let Some(percent) = uri[open..close].find('%').map(|percent| open + percent) else {
        return unchanged;
    };
    let zone = &uri[percent + 1..close];
    // "%25" alone is the zone 25, with an unencoded percent sign.
    let zone = zone
        .strip_prefix("25")
        .filter(|rest| !rest.is_empty())
        .unwrap_or(zone);
    let unreserved = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~%".contains(&byte);
    if zone.is_empty() || !zone.bytes().all(unreserved) {
        return unchanged;
    }
    let mut without = String::new();
    let room = without.try_reserve_exact(uri.len());
    room.map_err(NoMemory::from)?;
    without.push_str(&uri[..percent]);
    without.push_str(&uri[close..]);
    Ok((Cow::Owned(without), Some(zone)))
}
