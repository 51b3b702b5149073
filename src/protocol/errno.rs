// SPDX-License-Identifier: LGPL-2.1-or-later

//! Conversion from the protocol's error numbers ("Error values") to errno.
//!
//! The numbers on the wire are those of Linux on x86; other systems must translate them.

use libc::c_int;

/// Returns the errno for an error number sent by a server: `EINVAL` for 22 and for every
/// undefined number, as the protocol document requires. The result is 0 only if `error` is 0.
pub fn from_wire(error: u32) -> c_int {
    match error {
        0 => 0,
        1 => libc::EPERM,
        5 => libc::EIO,
        12 => libc::ENOMEM,
        28 => libc::ENOSPC,
        75 => libc::EOVERFLOW,
        95 => libc::ENOTSUP,
        108 => libc::ESHUTDOWN,
        _ => libc::EINVAL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_that_the_protocol_defines_have_their_errno() {
        let defined = [
            (0, 0),
            (1, libc::EPERM),
            (5, libc::EIO),
            (12, libc::ENOMEM),
            (22, libc::EINVAL),
            (28, libc::ENOSPC),
            (75, libc::EOVERFLOW),
            (95, libc::ENOTSUP),
            (108, libc::ESHUTDOWN),
        ];
        for number in (0..=200).chain([u32::MAX]) {
            let known = defined.iter().find(|(known, _)| *known == number);
            let errno = known.map_or(libc::EINVAL, |(_, errno)| *errno);
            assert_eq!(from_wire(number), errno, "{number}");
        }
    }
}
