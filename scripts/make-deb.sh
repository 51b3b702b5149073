#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-deb.sh DIST DEBS: makes a Debian source package from the archives that make-dist.sh
# wrote to DIST, builds the binary packages from it, writes both to DEBS, and prints the
# paths of the binary packages.
#
# It uses the crates of the Debian release if the release has all of them, otherwise the
# vendored ones; and the release's cargo and rustc if they are installed and new enough,
# otherwise those in PATH.

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
# debian/ is not part of the upstream archives of a Debian source package.
cp -R packaging/debian debian

# Do not pass on the variables of a calling make; dpkg sets its own.
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
