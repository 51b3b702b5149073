#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# miri.sh [--if-available]: runs the tests of the protocol (src/machine, src/protocol) in
# Miri, which detects undefined behaviour. This code has no unsafe blocks; Miri checks the
# code that it uses. Most other code calls C functions, which Miri does not support.
#
# Miri interprets the program for this processor, a 32-bit one and a big-endian one. It builds
# their standard library from source.
#
# Without Miri it fails. With --if-available it then prints a message and succeeds.
# MIRI_TOOLCHAIN names the toolchain that has Miri; the default is nightly.

set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${MIRI_TOOLCHAIN:-nightly}
if ! version=$(cargo "+$toolchain" miri --version 2>/dev/null) ||
   ! sysroot=$(rustc "+$toolchain" --print sysroot 2>/dev/null) ||
   [ ! -d "$sysroot/lib/rustlib/src/rust/library" ]; then
    echo "miri: NOT RUN: no toolchain '$toolchain' with the components miri and rust-src." >&2
    echo "miri: rustup toolchain install $toolchain --component miri,rust-src" >&2
    [ "${1:-}" = --if-available ]
    exit
fi

echo "miri: $version"
host=$(rustc "+$toolchain" -vV | sed -n 's/^host: //p')
for target in "$host" i686-unknown-linux-gnu s390x-unknown-linux-gnu; do
    echo "miri: $target"
    cargo "+$toolchain" miri test --locked --target "$target" --lib -- machine:: protocol::
    cargo "+$toolchain" miri test --locked --target "$target" --test machine
done
