// SPDX-License-Identifier: LGPL-2.1-or-later

//! The constants of `libnbd.h`, under their C names, made from `constants.tsv`:
//! `c_uint` where C has a `U` suffix, `c_int` where it has none, and `&CStr`.

include!(concat!(env!("OUT_DIR"), "/constants.rs"));
