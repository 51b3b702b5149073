// SPDX-License-Identifier: LGPL-2.1-or-later

//! The constants of `libnbd.h` under their C names, generated from `constants.tsv`. The type is
//! `c_uint` if the C constant has a `U` suffix, otherwise `c_int`, or `&CStr` for strings.

include!(concat!(env!("OUT_DIR"), "/constants.rs"));
