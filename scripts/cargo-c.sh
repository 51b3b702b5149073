#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cargo-c.sh: installs the library with `cargo cinstall` in Debian sid, which has cargo-c,
# and checks the installed files. Called by `make cargo-c`.

set -euo pipefail
cd "$(dirname "$0")/.."

root=$(scripts/make-system.sh sid cargo cargo-c rustc lld gcc libc6-dev pkgconf)
cargo fetch --locked
built=$(realpath "${OUT:-target/release}")
out=$built/cargo-c
rm -rf "$out/root"
mkdir -p "$out"
cp "$built/memserver" "$out/memserver"
in_root() {
    scripts/cargo-in-root.sh "$root" "$out" "$@"
}
in_root cargo cinstall --version
in_root cargo cinstall --locked --release --prefix=/usr --libdir=/usr/lib --destdir="$out/root"

# The installed files: the library with its links, and a manual page for each function.
cd "$out/root/usr"
fail() {
    echo "$*" >&2
    exit 1
}
[ "$(readlink lib/libnbd.so.0)" = libnbd.so.0.0.0 ] || fail 'libnbd.so.0 is not a link to libnbd.so.0.0.0'
[ -L lib/libnbd.so ] || fail 'no libnbd.so'
for header in libnbd.h libnbd-ext.h; do
    cmp "include/$header" "$OLDPWD/include/$header"
done
cmp share/doc/libnbd/COPYING.LIB "$OLDPWD/COPYING.LIB"
sed -n 's/^\(nbd_[^\t]*\)\t\([^\t]*\).*/\1@@\2/p' "$OLDPWD/src/capi/functions.tsv" \
    "$OLDPWD/src/capi/extensions.tsv" |
    sort >"$out/expected"
nm --dynamic --defined-only lib/libnbd.so.0.0.0 | awk '$2 == "T" { print $3 }' |
    sort >"$out/exported"
diff "$out/expected" "$out/exported"
while IFS=@ read -r function _; do
    [ -s "share/man/man3/$function.3" ] || fail "no page of $function"
done <"$out/expected"
[ -s share/man/man3/libnbd.3 ] || fail 'no libnbd(3)'
cd "$OLDPWD"

# Build and run a program with the flags from pkg-config: with the shared library, then with
# the static library.
export PKG_CONFIG_LIBDIR=$out/root/usr/lib/pkgconfig PKG_CONFIG_SYSROOT_DIR=$out/root
echo begin >"$out/data"
for how in '' '--static'; do
    case $how in
    --static) library=-l:libnbd.a ;;
    *) library=-lnbd ;;
    esac
    # shellcheck disable=SC2016 # the shell in there expands it
    printed=$(in_root sh -euc '
        flags=$(pkg-config $1 --cflags --libs libnbd | sed "s/-lnbd/$2/")
        cc tests/install/program.c $flags -o "$3/program"
        LD_LIBRARY_PATH=$3/root/usr/lib "$3/program" "$4" --stdin --file "$3/data"' \
        sh "$how" "$library" "$out" "$out/memserver")
    [ "$printed" = 'libnbd 1.24.4: begin' ] || fail "${how:-shared}: printed '$printed'"
    echo "a program with $library: $printed"
done
