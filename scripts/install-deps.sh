#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install-deps.sh demo|check|portable|bench|deb: installs the Debian packages that a make
# target needs. If any is missing and the user is not root, it prints the command that
# installs them, and fails.

set -eu

# rustc's linker driver and linker (rustup's Rust includes one, a distribution's does not),
# pkg-config for the tour, mke2fs.
demo='gcc lld libc6-dev pkg-config e2fsprogs'
# Tools that build packages.
deb='gcc lld libc6-dev make git xz-utils dpkg-dev debhelper'
# Compilers for every dialect of the header, servers and clients, bindings and libraries of
# programs that use the library, tracing tools, and two readers of manual pages.
check="$demo $deb g++ clang nbdkit nbd-server qemu-utils libnbd-bin libnbd-dev
       python3 python3-libnbd fio fuse3 libnbd-ocaml-dev libglib2.0-dev
       libev-dev gnutls-bin valgrind strace binutils man-db groff mandoc clang-format
       openssh-server openssh-client netcat-openbsd abigail-tools
       autoconf automake cmake meson musl-tools lintian mmdebstrap"
# Everything else is installed in a system of its own. Users other than root need uidmap.
portable='gcc lld libc6-dev mmdebstrap uidmap'
# The C library and its header for comparison, programs on top of it, and strace, which
# counts system calls where the kernel does not.
bench='gcc lld libc6-dev pkg-config make python3 libnbd-bin libnbd-dev python3-libnbd nbdkit
       fio fuse3 strace gnutls-bin'

case ${1-} in
demo) packages=$demo ;;
check) packages=$check ;;
portable) packages=$portable ;;
bench) packages=$bench ;;
deb) packages=$deb ;;
*)
    echo "usage: $0 demo|check|portable|bench|deb" >&2
    exit 2
    ;;
esac

if ! command -v dpkg-query >/dev/null; then
    echo "$0: not a Debian system; needed here are what Debian calls:" >&2
    echo "  " $packages >&2
    exit 0
fi

missing=
for package in $packages; do
    status=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)
    [ "$status" = installed ] || missing="$missing $package"
done
[ -n "$missing" ] || exit 0

if [ "$(id -u)" -ne 0 ]; then
    echo "Packages are missing. To install them, run:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends$missing" >&2
    exit 1
fi

# Wait up to five minutes for another apt to finish.
export DEBIAN_FRONTEND=noninteractive
wait='-o DPkg::Lock::Timeout=300'
echo "Installing:$missing"
tries=30
until apt-get -qq $wait update; do
    tries=$((tries - 1))
    [ "$tries" -gt 0 ] || exit 1
    sleep 10
done
apt-get -qq $wait install --no-install-recommends $missing >/dev/null
