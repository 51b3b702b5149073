#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# install-deps.sh demo|check|portable|bench|deb: makes sure that the Debian packages which a
# make target needs are there. As root it installs what is missing; otherwise it
# says how to, and fails.

set -eu

# Rust's linker driver and its linker (rustup's Rust has one of its own, a distribution's
# has not), pkg-config for programs, mke2fs.
demo='gcc lld libc6-dev pkg-config e2fsprogs'
# What packages are made with.
deb='gcc lld libc6-dev make git xz-utils dpkg-dev debhelper'
# Compilers for every dialect of the header, the servers and clients that the
# library is tested against, what programs on top of it are made of, the tools
# that watch it, and two readers of manual pages.
check="$demo $deb g++ clang nbdkit nbd-server qemu-utils libnbd-bin libnbd-dev
       python3 python3-libnbd fio fuse3 libnbd-ocaml-dev libglib2.0-dev
       libev-dev gnutls-bin valgrind strace binutils man-db groff mandoc clang-format
       openssh-server openssh-client netcat-openbsd abigail-tools
       autoconf automake cmake meson musl-tools lintian mmdebstrap"
# All else is in a system of its own, for which a user needs uidmap.
portable='gcc lld libc6-dev mmdebstrap uidmap'
# The C library and its header to compare with, and what counts system calls.
bench='gcc lld libc6-dev pkg-config make python3 libnbd-bin libnbd-dev nbdkit fio
       strace linux-perf gnutls-bin'

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

# Another apt may be at work: wait for it, five minutes at most.
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
