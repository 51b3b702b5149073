#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cargo-in-root.sh ROOT OUT [NAME=VALUE]... COMMAND...: runs a command, such as cargo, in a
# system that make-system.sh made, with the programs of that system. Crates are those that
# `cargo fetch` has fetched here, since there may be no network. OUT is the target directory.

set -eu

root=$1
out=$2
shift 2
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
BIND="$CARGO_HOME $out" exec "$(dirname "$0")/in-root.sh" "$root" \
    env PATH=/usr/sbin:/usr/bin:/sbin:/bin CARGO_HOME="$CARGO_HOME" CARGO_TARGET_DIR="$out" \
    CARGO_NET_OFFLINE=true "$@"
