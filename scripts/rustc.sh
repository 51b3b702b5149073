#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# rustc.sh RUSTC ARGUMENT...: runs the compiler with the paths of external crates remapped, so
# that panic messages and debug information contain no paths of this machine:
# `iri-string-0.7.14/src/lib.rs`, wherever cargo keeps that file. The same compiler then
# produces an identical libnbd.so on every machine.
#
# .cargo/config.toml makes cargo use it. The paths of this repository's crates are relative.

set -eu

# Succeeds if the crate is from another source tree, or from a vendor directory in this one:
# cargo caps the lints of those.
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
