#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# oldest-rust.sh: builds and tests the workspace in Debian 13 with that release's Rust, the
# oldest supported version. Called by `make oldest-rust`.
#
# Tests that run other programs, valgrind or the sanitizers are not run here: `make check` runs
# them with the Rust of the developer's machine.

set -euo pipefail
cd "$(dirname "$0")/.."

root=$(scripts/make-system.sh trixie cargo rustc lld gcc g++ clang make git pkg-config \
    binutils abigail-tools libnbd-bin libnbd-dev libglib2.0-dev libev-dev nbdkit qemu-utils \
    nbd-server gnutls-bin strace procps man-db groff mandoc e2fsprogs)

cargo fetch --locked
mkdir -p "${OUT:-target/release}/trixie"
out=$(realpath "${OUT:-target/release}/trixie")
in_root() {
    scripts/cargo-in-root.sh "$root" "$out" LIBNBD_TEST_SYSTEMS=here "$@"
}

in_root rustc --version
in_root cargo build --locked --release --workspace
in_root cargo test --locked --release --no-fail-fast --workspace --exclude libnbd
tests=()
for test in abi architecture build_artifacts capi dependencies documents examples machine \
    manual memory oracle turns; do
    tests+=(--test "$test")
done
in_root cargo test --locked --release --no-fail-fast --package libnbd --lib "${tests[@]}"
