#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# static-library.sh ARCHIVE INSTALLED: makes the static library that is installed out of
# the one that cargo builds, which is ten times as large.
#
# Cargo's archive holds all of Rust's standard library, with debug information and
# bitcode. Its global names include `rust_eh_personality`, which a Rust library of
# another compiler defines, too: a program cannot link both. The installed archive holds
# one object with the functions of the API and what they need. All other names in it are
# local.
#
# CC is a compiler driver for the library's target.

set -eu

[ $# -eq 2 ] || {
    echo "usage: $0 ARCHIVE INSTALLED" >&2
    exit 2
}
archive=$1
installed=$2
cc=${CC:-cc}
table=$(dirname "$0")/../src/capi/functions.tsv

# Its binutils are those of the target.
tool() {
    $cc -print-prog-name="$1"
}

# Two may do this at once.
mkdir -p "$(dirname "$installed")"
work=$(mktemp -d "$installed.XXXXXX")
trap 'rm -rf "$work"' EXIT

sed -n 's/^\(nbd_[a-z0-9_]*\).*/\1/p' "$table" >"$work/names"
sed 's/^/-Wl,--undefined=/' "$work/names" >"$work/arguments"

# The group is a pointer to rust_eh_personality, which would be shared with such a
# library by its name.
$cc -r -nostdlib -o "$work/all.o" -Wl,--gc-sections,--strip-debug,--force-group-allocation \
    "@$work/arguments" "$archive"
# Each of the standard library's objects has its bitcode in .llvmbc.
"$(tool objcopy)" --keep-global-symbols="$work/names" --strip-unneeded \
    --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/nbd.o"
"$(tool ar)" rcsD "$work/libnbd.a" "$work/nbd.o"
chmod 644 "$work/libnbd.a"
mv "$work/libnbd.a" "$installed"
