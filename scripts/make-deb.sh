#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-deb.sh OUT: makes Debian packages out of the build that is in OUT, and
# leaves them in OUT/deb.

set -eu

[ $# -eq 1 ] || {
    echo "usage: $0 OUT" >&2
    exit 2
}
SOURCE=$(cd "$(dirname "$0")/.." && pwd)
OUT=$(cd "$1" && pwd)
DEBS=$OUT/deb
export SOURCE OUT DEBS

# In a directory of its own, so that the checkout stays as it is.
work=$DEBS/work
rm -rf "$DEBS"
mkdir -p "$work"
cp -R "$SOURCE/packaging/debian" "$work/debian"
cd "$work"
# The packages are the same whenever and wherever they are made.
umask 022
SOURCE_DATE_EPOCH=$(dpkg-parsechangelog --show-field Timestamp)
export SOURCE_DATE_EPOCH
# dpkg's own variables, without flags for a C compiler, and no make above this one.
unset MAKEFLAGS MAKELEVEL MFLAGS || true
debian/rules binary >"$DEBS/build.log" 2>&1 || {
    cat "$DEBS/build.log" >&2
    exit 1
}
rm -rf "$work"
ls "$DEBS"/*.deb
