#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# cargo-in-root.sh ROOT OUT [NAME=VALUE]... COMMAND...: runs a command, such as cargo, in a
# system made by make-system.sh, with the programs of that system. It uses the crates that
# `cargo fetch` has fetched outside, since the system may have no network. OUT is the target
# directory.

set -eu

root=$1
out=$2
shift 2
CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
BIND="$CARGO_HOME $out" exec "$(dirname "$0")/in-root.sh" "$root" \
    env PATH=/usr/sbin:/usr/bin:/sbin:/bin CARGO_HOME="$CARGO_HOME" CARGO_TARGET_DIR="$out" \
    CARGO_NET_OFFLINE=true "$@"
