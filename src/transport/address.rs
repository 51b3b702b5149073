// SPDX-License-Identifier: LGPL-2.1-or-later

//! Socket addresses in the form that connect(2) takes.

use std::ffi::{CStr, CString};
use std::fmt;
use std::mem::{offset_of, zeroed};
use std::net::{IpAddr, SocketAddr};

use libc::{
    c_int, sa_family_t, sockaddr, sockaddr_in, sockaddr_in6, sockaddr_storage, sockaddr_un,
    socklen_t,
};

use crate::error::Error;
use crate::text::{text, Lossy};

/// An address of any family.
#[derive(Clone, Copy)]
pub(super) struct Address {
    storage: sockaddr_storage,
    length: socklen_t,
}

impl Address {
    /// Makes an address from the bytes of a `struct sockaddr`, from the program or the resolver.
    /// If they are longer than any address, only their number is kept: see
    /// [`is_too_long`](Self::is_too_long).
    pub fn from_bytes(bytes: &[u8]) -> Address {
        // SAFETY: all-zero bytes are a valid `sockaddr_storage`: integers only.
        let mut storage: sockaddr_storage = unsafe { zeroed() };
        if bytes.len() <= size_of::<sockaddr_storage>() {
            // SAFETY: the source is a slice of that length, the destination is a
            // distinct local that is at least as long, and any bytes make a
            // valid `sockaddr_storage`.
            unsafe {
                std::ptr::copy_nonoverlapping(
                    bytes.as_ptr(),
                    (&raw mut storage).cast::<u8>(),
                    bytes.len(),
                );
            }
        }
        Address {
            storage,
            length: bytes.len() as socklen_t,
        }
    }

    /// Makes the address of a Unix socket in the file system.
    ///
    /// The path may fill all of `sun_path`: Linux needs no trailing NUL.
    pub fn unix(path: &CStr) -> Result<Address, Error> {
        let path = path.to_bytes();
        let start = offset_of!(sockaddr_un, sun_path);
        let mut bytes = [0; size_of::<sockaddr_un>()];
        if path.len() > bytes.len() - start {
            return Err(Error::new(
                libc::ENAMETOOLONG,
                text!("socket name too long: {}", Lossy(path)),
            ));
        }
        let family_start = offset_of!(sockaddr_un, sun_family);
        let family = (libc::AF_UNIX as sa_family_t).to_ne_bytes();
        bytes[family_start..family_start + family.len()].copy_from_slice(&family);
        bytes[start..start + path.len()].copy_from_slice(path);
        Ok(Address::from_bytes(&bytes))
    }

    /// Makes the vsock address of a virtual machine or of its host.
    pub fn vsock(cid: u32, port: u32) -> Address {
        // SAFETY: all-zero bytes are a valid `sockaddr_storage`: integers only.
        let mut storage: sockaddr_storage = unsafe { zeroed() };
        let vm = (&raw mut storage).cast::<libc::sockaddr_vm>();
        // SAFETY: a `sockaddr_storage` is as large and as aligned as any socket
        // address needs, and `storage` is not used while `vm` is.
        unsafe {
            (*vm).svm_family = libc::AF_VSOCK as sa_family_t;
            (*vm).svm_cid = cid;
            (*vm).svm_port = port;
        }
        Address {
            storage,
            length: size_of::<libc::sockaddr_vm>() as socklen_t,
        }
    }

    /// Returns true if connect(2) would reject the address because of its length alone.
    pub fn is_too_long(&self) -> bool {
        self.length as usize > size_of::<sockaddr_storage>()
    }

    pub fn family(&self) -> c_int {
        c_int::from(self.storage.ss_family)
    }

    /// Returns a pointer for system calls that read an address.
    pub fn as_ptr(&self) -> *const sockaddr {
        (&raw const self.storage).cast()
    }

    pub fn length(&self) -> socklen_t {
        self.length
    }

    #[cfg(test)]
    pub fn to_bytes(self) -> Vec<u8> {
        let start = self.as_ptr().cast::<u8>();
        // SAFETY: the first `length` bytes of `storage` are initialized, and
        // `self` lives until they are copied.
        unsafe { std::slice::from_raw_parts(start, self.length as usize) }.to_vec()
    }
}

/// Splits the bytes of a `struct sockaddr` into the address family and the rest.
fn split_family(address: &[u8]) -> Option<(c_int, &[u8])> {
    if Address::from_bytes(address).is_too_long() {
        return None;
    }
    let (family, rest) = address.split_first_chunk()?;
    Some((c_int::from(sa_family_t::from_ne_bytes(*family)), rest))
}

/// Extracts host and port from a complete IPv4 or IPv6 `struct sockaddr`.
pub fn ip_address(address: &[u8]) -> Option<SocketAddr> {
    let (family, rest) = split_family(address)?;
    let (port, rest) = rest.split_first_chunk()?;
    let (ip, whole): (IpAddr, usize) = match family {
        libc::AF_INET => {
            let ip = rest.first_chunk::<4>().copied()?;
            (ip.into(), size_of::<sockaddr_in>())
        }
        libc::AF_INET6 => {
            // The flow label comes before the address.
            let ip = rest.get(4..)?.first_chunk::<16>().copied()?;
            (ip.into(), size_of::<sockaddr_in6>())
        }
        _ => return None,
    };
    (address.len() >= whole).then(|| SocketAddr::new(ip, u16::from_be_bytes(*port)))
}

/// Extracts the path from a `struct sockaddr_un`; empty for an unnamed or abstract socket.
pub fn unix_path(address: &[u8]) -> Option<CString> {
    let (family, path) = split_family(address)?;
    if family != libc::AF_UNIX {
        return None;
    }
    let end = path.iter().position(|&byte| byte == 0);
    CString::new(&path[..end.unwrap_or(path.len())]).ok()
}

/// Extracts context id and port from a `struct sockaddr_vm`. Missing bytes count as zeroes.
/// Source: seen with libnbd 1.24.4.
pub fn vsock_port(address: &[u8]) -> Option<(u32, u32)> {
    let (family, _) = split_family(address)?;
    if family != libc::AF_VSOCK {
        return None;
    }
    let address = Address::from_bytes(address);
    // SAFETY: a `sockaddr_storage` is as large and as aligned as any socket address needs,
    // and any bytes make a valid `sockaddr_vm`.
    let vm = unsafe { &*address.as_ptr().cast::<libc::sockaddr_vm>() };
    Some((vm.svm_cid, vm.svm_port))
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Address")
            .field("family", &self.family())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::CString;

    #[test]
    fn a_path_may_fill_the_address_and_no_more() {
        for length in [1, 107, 108] {
            let path = CString::new(vec![b'p'; length]).unwrap();
            let address = Address::unix(&path).unwrap();
            assert_eq!(address.family(), libc::AF_UNIX);
            assert_eq!(address.to_bytes()[2..2 + length], vec![b'p'; length]);
        }
        let path = CString::new(vec![b'p'; 109]).unwrap();
        let error = Address::unix(&path).err().unwrap();
        assert_eq!(error.errno(), libc::ENAMETOOLONG);
    }

    #[test]
    fn oversized_addresses_keep_their_length() {
        let most = size_of::<sockaddr_storage>();
        let family = (libc::AF_UNIX as sa_family_t).to_ne_bytes();
        let mut bytes = family.repeat(most);
        let address = Address::from_bytes(&bytes[..most]);
        assert!(!address.is_too_long());
        assert_eq!(address.to_bytes(), &bytes[..most]);
        bytes.truncate(most + 1);
        let address = Address::from_bytes(&bytes);
        assert!(address.is_too_long());
        assert_eq!(address.length() as usize, most + 1);
        assert_eq!(unix_path(&bytes), None);
    }

    #[test]
    fn a_part_of_a_family_is_extended_with_zero() {
        assert_eq!(Address::from_bytes(&[]).family(), 0);
        let [first, _] = (libc::AF_INET as sa_family_t).to_ne_bytes();
        let expected = sa_family_t::from_ne_bytes([first, 0]);
        assert_eq!(Address::from_bytes(&[first]).family(), expected.into());
    }

    #[test]
    fn addresses_are_told_apart_by_family() {
        let v4 = [
            &(libc::AF_INET as u16).to_ne_bytes()[..],
            &[0, 80, 127, 0, 0, 1],
            &[0; 8],
        ];
        let v4 = v4.concat();
        assert_eq!(ip_address(&v4), "127.0.0.1:80".parse().ok());
        assert_eq!(unix_path(&v4), None);

        let v6 = [
            &(libc::AF_INET6 as u16).to_ne_bytes()[..],
            &[1, 0, 9, 9, 9, 9],
            &[0; 15],
            &[1],
        ];
        let v6 = [v6.concat(), vec![0; 4]].concat();
        assert_eq!(ip_address(&v6), "[::1]:256".parse().ok());
        assert_eq!(ip_address(&v6[..27]), None, "cut off");
        assert_eq!(ip_address(&v4[..15]), None, "cut off");

        let vsock = Address::vsock(5, 77).to_bytes();
        assert_eq!(vsock_port(&vsock), Some((5, 77)));
        assert_eq!(vsock_port(&vsock[..8]), Some((0, 77)));
        assert_eq!(vsock_port(&v4), None);

        let unix = Address::unix(c"/tmp/s").unwrap().to_bytes();
        assert_eq!(unix_path(&unix), Some(c"/tmp/s".to_owned()));
        assert_eq!(ip_address(&unix), None);
        let full = Address::unix(&CString::new([b'p'; 108]).unwrap())
            .unwrap()
            .to_bytes();
        assert_eq!(unix_path(&full).unwrap().to_bytes().len(), 108);
        assert_eq!(unix_path(&unix[..1]), None);
    }

    #[test]
    fn a_vsock_address_holds_cid_and_port() {
        let address = Address::vsock(7, 0xffff_fffe);
        assert_eq!(address.family(), libc::AF_VSOCK);
        let bytes = address.to_bytes();
        assert_eq!(bytes[4..8], 0xffff_fffe_u32.to_ne_bytes());
        assert_eq!(bytes[8..12], 7_u32.to_ne_bytes());
    }
}
