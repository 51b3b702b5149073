#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-deb.sh DIST DEBS: makes the Debian source package out of the archives that
# make-dist.sh left in DIST, builds the binary packages from it, leaves both in DEBS, and
# prints the paths of the binary packages.
#
# Crates are those of the release where it has all of them, otherwise vendored. cargo and
# rustc are the release's, too, where they are installed and new enough, otherwise those
# in PATH.

set -eu

[ $# -eq 2 ] || {
    echo "usage: $0 DIST DEBS" >&2
    exit 2
}
packaging=$(cd "$(dirname "$0")/../packaging" && pwd)
dist=$(cd "$1" && pwd)
rm -rf "$2"
mkdir -p "$2"
debs=$(cd "$2" && pwd)
umask 022

name=$(dpkg-parsechangelog --file "$packaging/debian/changelog" --show-field Source)
version=$(dpkg-parsechangelog --file "$packaging/debian/changelog" --show-field Version)
version=${version%-*}
interface=${version%+*}
cp "$dist/$name-$interface.tar.xz" "$debs/${name}_$version.orig.tar.xz"
cp "$dist/$name-$interface-vendor.tar.xz" "$debs/${name}_$version.orig-vendor.tar.xz"

cd "$debs"
tar --extract --file "${name}_$version.orig.tar.xz"
cd "$name-$interface"
tar --extract --file "../${name}_$version.orig-vendor.tar.xz"
# The packaging is part of the source, but not of a Debian source package's upstream part.
cp -R packaging/debian debian

# dpkg's own variables, without flags for a C compiler, and no make above this one.
unset MAKEFLAGS MAKELEVEL MFLAGS SOURCE_DATE_EPOCH || true
case " ${DEB_BUILD_OPTIONS-} " in
*' nocheck '*) profiles=nocheck ;;
*) profiles= ;;
esac
options=
unmet() {
    DEB_BUILD_PROFILES=$profiles dpkg-checkbuilddeps 2>&1
}
if unmet >/dev/null; then
    crates="the release's crates"
else
    crates='vendored crates'
    profiles="$profiles pkg.libnbd-rust.vendored"
    if ! missing=$(unmet); then
        found=$(rustc --version 2>&1 | cut -d ' ' -f 2)
        needed=$(sed -n 's/^ rustc (>= \(.*\)),$/\1/p' debian/control)
        dpkg --compare-versions "$found" ge "$needed" || {
            echo "$missing" >&2
            exit 1
        }
        options=--no-check-builddeps
        # rustup keeps its toolchains below the home directory, which debhelper hides.
        export RUSTUP_HOME="${RUSTUP_HOME:-$HOME/.rustup}"
    fi
fi
echo "$0: $(rustc --version), $crates" >&2
export DEB_BUILD_PROFILES="$profiles"
dpkg-buildpackage --unsigned-source --unsigned-changes --jobs=auto $options \
    >../build.log 2>&1 || {
    cat ../build.log >&2
    exit 1
}
cd ..
rm -rf "$name-$interface"
ls "$debs"/*.deb
