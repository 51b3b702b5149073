#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# demo.sh [URI]: compiles examples/tour.c with the library in $OUT and runs it: with the
# server at URI, or with a disk image made here. Called by `make demo`.

set -euo pipefail
cd "$(dirname "$0")/.."

# Where cargo leaves the library.
out=$(realpath "${OUT:-target/release}")
# mke2fs and debugfs may not be in PATH.
PATH=$PATH:/usr/sbin:/sbin

work=$(mktemp -d)
server=
cleanup() {
    [ -z "$server" ] || kill "$server" 2>/dev/null || true
    rm -rf "$work"
}
trap cleanup EXIT

say() { printf '\n== %s\n' "$*"; }

say "Compiling examples/tour.c against $out/libnbd.so"
export PKG_CONFIG_PATH=$out/pkgconfig LD_LIBRARY_PATH=$out
# shellcheck disable=SC2046 # the flags are words
"${CC:-cc}" -O2 -Wall examples/tour.c -o "$work/tour" $(pkg-config --cflags --libs libnbd)

if [ $# -gt 0 ] && [ -n "$1" ]; then
    say "Touring $1 (nothing is written to it)"
    "$work/tour" "$1"
    exit
fi

say "Making an ext4 image of this repository's files"
mkdir "$work/files"
if git ls-files -z --cached --others --exclude-standard >"$work/list" 2>/dev/null; then
    tar --null --files-from="$work/list" --ignore-failed-read -cf - |
        tar -xf - -C "$work/files"
else
    tar --exclude=./target --exclude=./.git -cf - . | tar -xf - -C "$work/files"
fi
image=$work/image copy=$work/copy
truncate -s 256M "$image"
mke2fs -q -t ext4 -b 4096 -L repository -d "$work/files" "$image"
sum=$(sha256sum <"$image")
sum=${sum%% *}
echo "$(find "$work/files" -type f | wc -l) files, image with SHA-256 $sum"

say "Serving it with memserver"
mkfifo "$work/ready"
"$out/memserver" --unix "$work/socket" --ready-fd 3 \
    --export disk --file "$image" --read-only --description 'this repository' \
    --export scratch --size 16M 3>"$work/ready" &
server=$!
timeout 30 head -c 1 "$work/ready" | wc -c | grep -qx 1

say "The tour"
"$work/tour" --ext4 --sha256 "$sum" --output "$copy" \
    --scratch "nbd+unix:///scratch?socket=$work/socket" \
    "nbd+unix:///disk?socket=$work/socket"

say "What was copied"
cmp "$image" "$copy"
echo "The copy is identical to the image, byte for byte."
debugfs -R 'cat README.md' "$copy" 2>/dev/null | cmp - "$work/files/README.md"
echo "README.md, read out of the copied file system, is the README.md of this repository."
