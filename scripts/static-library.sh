#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# static-library.sh ARCHIVE INSTALLED: makes the installed static library from the one that
# cargo builds, which is ten times as large.
#
# Cargo's archive contains all of Rust's standard library, with debug information and bitcode.
# Its global names include `rust_eh_personality`, which a Rust library of another compiler
# defines too, so that a program cannot link both. The installed archive contains one object
# with the functions of the API and the code they need. All other names in it are local.
#
# CC is a compiler driver for the target of the library.

set -eu

[ $# -eq 2 ] || {
    echo "usage: $0 ARCHIVE INSTALLED" >&2
    exit 2
}
archive=$1
installed=$2
cc=${CC:-cc}
tables=$(dirname "$0")/../src/capi

# The binutils of the target.
tool() {
    $cc -print-prog-name="$1"
}

# Two processes may do this at the same time.
mkdir -p "$(dirname "$installed")"
work=$(mktemp -d "$installed.XXXXXX")
trap 'rm -rf "$work"' EXIT

sed -n 's/^\(nbd_[a-z0-9_]*\).*/\1/p' "$tables/functions.tsv" "$tables/extensions.tsv" >"$work/names"
sed 's/^/-Wl,--undefined=/' "$work/names" >"$work/arguments"

# The section group is a pointer to rust_eh_personality, which would be shared by name with
# another Rust library.
$cc -r -nostdlib -o "$work/all.o" -Wl,--gc-sections,--strip-debug,--force-group-allocation \
    "@$work/arguments" "$archive"
# The objects of the standard library have their bitcode in .llvmbc.
"$(tool objcopy)" --keep-global-symbols="$work/names" --strip-unneeded \
    --remove-section=.llvmbc --remove-section=.llvmcmd "$work/all.o" "$work/nbd.o"
"$(tool ar)" rcsD "$work/libnbd.a" "$work/nbd.o"
chmod 644 "$work/libnbd.a"
mv "$work/libnbd.a" "$installed"
