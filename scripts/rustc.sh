#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# rustc.sh RUSTC ARGUMENT...: runs the compiler so that the paths of a crate from
# elsewhere are not those of this machine, where panic messages and debug information
# have them. `iri-string-0.7.14/src/lib.rs` is the same file wherever cargo keeps it,
# and libnbd.so the same bytes.
#
# .cargo/config.toml has cargo use it. The paths of our own crates are relative already.

set -eu

# Whether cargo compiles a crate of another source tree, or one in a vendor directory of
# this tree: it silences the warnings of those.
from_elsewhere() {
    case ${CARGO_PKG_VERSION:+$CARGO_MANIFEST_DIR} in
    '' | "$(dirname "$(dirname "$0")")"*) ;;
    *) return 0 ;;
    esac
    case $* in
    *--cap-lints*) return 0 ;;
    *) return 1 ;;
    esac
}

if from_elsewhere "$@"; then
    set -- "$@" --remap-path-prefix \
        "$CARGO_MANIFEST_DIR=$CARGO_PKG_NAME-$CARGO_PKG_VERSION"
fi
exec "$@"
