#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Runs the tests of the protocol (src/machine, src/protocol) in Miri, which finds
# undefined behaviour. There is no unsafe code in these; what is looked at is that
# promise, and what they use. Most of the rest calls C functions, which Miri
# cannot.
#
# Miri interprets the program for any processor: this one, one of 32 bits, and a big-endian
# one. It builds the standard library for them from its source.
#
#   scripts/miri.sh                  fails where Miri is not at hand
#   scripts/miri.sh --if-available   says so, and succeeds
#
# MIRI_TOOLCHAIN names the toolchain that has it: nightly, where it is not set.

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
