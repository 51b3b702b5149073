// SPDX-License-Identifier: LGPL-2.1-or-later

//! Resolution of host and service names.

use std::ffi::CStr;
use std::mem::zeroed;
use std::ptr::null_mut;
use std::slice;

use libc::{addrinfo, c_int};

use super::address::Address;
use crate::error::Error;
use crate::memory;
use crate::text::{shown, text};

/// The result list of getaddrinfo(3), freed when dropped.
struct AddressList(*mut addrinfo);

impl Drop for AddressList {
    fn drop(&mut self) {
        // SAFETY: the list came from getaddrinfo and is freed only here.
        unsafe { libc::freeaddrinfo(self.0) };
    }
}

/// Resolves `host` to its IPv4 and IPv6 addresses, in the system's order of preference. `port` is
/// a number or a service name.
///
/// This may query DNS and other services, so it can block for long.
pub(super) fn resolve(host: &CStr, port: &CStr) -> Result<Vec<Address>, Error> {
    if port_out_of_range(port.to_bytes()) {
        return Err(failure(host, port, libc::EAI_SERVICE));
    }
    // SAFETY: all-zero bytes are a valid `addrinfo`, and mean "no restriction".
    let mut hints: addrinfo = unsafe { zeroed() };
    hints.ai_family = libc::AF_UNSPEC;
    hints.ai_socktype = libc::SOCK_STREAM;
    let mut list = null_mut();
    // SAFETY: the strings end in NUL, and all pointers live across the call.
    let code = unsafe {
        libc::getaddrinfo(
            host.as_ptr(),
            port.as_ptr(),
            &raw const hints,
            &raw mut list,
        )
    };
    if code != 0 {
        return Err(failure(host, port, code));
    }
    let list = AddressList(list);
    let mut addresses = Vec::new();
    let mut next = list.0;
    // SAFETY: `next` is an element of the list, or null at its end, and the
    // list is not freed before this function returns.
    while let Some(info) = unsafe { next.as_ref() } {
        // SAFETY: getaddrinfo made `ai_addr` point to `ai_addrlen` bytes.
        let bytes =
            unsafe { slice::from_raw_parts(info.ai_addr.cast::<u8>(), info.ai_addrlen as usize) };
        memory::push(&mut addresses, Address::from_bytes(bytes))?;
        next = info.ai_next;
    }
    Ok(addresses)
}

/// Returns true if `port` is a number above 65535. The system's resolver would cut it to 16 bits
/// and connect to another port.
fn port_out_of_range(port: &[u8]) -> bool {
    let digits = !port.is_empty() && port.iter().all(u8::is_ascii_digit);
    let port = std::str::from_utf8(port).unwrap_or_default();
    digits && port.parse::<u16>().is_err()
}

/// Makes an error from a code of the resolver. Only one of these codes comes with an errno.
fn failure(host: &CStr, port: &CStr, code: c_int) -> Error {
    let os_error = std::io::Error::last_os_error();
    // SAFETY: gai_strerror returns a static string for any code.
    let reason = unsafe { CStr::from_ptr(libc::gai_strerror(code)) };
    let message = text!(
        "getaddrinfo: hostname \"{}\" port \"{}\": {}",
        shown(host),
        shown(port),
        shown(reason)
    );
    if code == libc::EAI_SYSTEM {
        Error::system(message, &os_error)
    } else {
        Error::new(0, message)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numeric_addresses_of_both_families() {
        let addresses = resolve(c"127.0.0.1", c"10809").unwrap();
        assert_eq!(addresses.len(), 1);
        assert_eq!(addresses[0].family(), libc::AF_INET);
        assert_eq!(addresses[0].to_bytes()[2..8], [0x2a, 0x39, 127, 0, 0, 1]);

        let addresses = resolve(c"::1", c"1").unwrap();
        assert_eq!(addresses[0].family(), libc::AF_INET6);
    }

    #[test]
    fn resolver_errors_are_explained() {
        assert!(!resolve(c"localhost", c"1").unwrap().is_empty());
        let error = resolve(c"no such host", c"1").err().unwrap();
        assert_eq!(error.errno(), 0);
        assert!(error.message().contains("no such host"), "{error}");
    }

    #[test]
    fn invalid_ports_are_refused() {
        for port in [
            c"65536",
            c"70000",
            c"99999999999999999999",
            c"-1",
            c"no-such-service",
        ] {
            let error = resolve(c"127.0.0.1", port).err().unwrap();
            assert!(error.message().contains(port.to_str().unwrap()), "{error}");
        }
        assert!(resolve(c"127.0.0.1", c"65535").is_ok());
    }
}
