#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# portable.sh ARCHITECTURE...: builds the library for other architectures of Debian and
# tests it: symbols, unit tests, C programs, TLS. Called by `make portable`; see
# docs/portability.md.
#
# The compilers, the libraries of the architecture and its emulator are those of Debian sid,
# in a system made by make-system.sh. The tests that run C programs are those of `make check`,
# built here and run in that system; see tests/support/target.rs.

set -euo pipefail
cd "$(dirname "$0")/.."

# The names that Rust, GNU and QEMU use for an architecture of Debian.
names() {
    case $1 in
    i386) echo i686-unknown-linux-gnu i686-linux-gnu '' ;;
    s390x) echo s390x-unknown-linux-gnu s390x-linux-gnu qemu-s390x ;;
    arm64) echo aarch64-unknown-linux-gnu aarch64-linux-gnu qemu-aarch64 ;;
    armhf) echo armv7-unknown-linux-gnueabihf arm-linux-gnueabihf qemu-arm ;;
    ppc64el) echo powerpc64le-unknown-linux-gnu powerpc64le-linux-gnu qemu-ppc64le ;;
    riscv64) echo riscv64gc-unknown-linux-gnu riscv64-linux-gnu qemu-riscv64 ;;
    *)
        echo "$0: $1 is none of i386, s390x, arm64, armhf, ppc64el, riscv64" >&2
        return 2
        ;;
    esac
}

# Subjects whose C programs also run with a server of the other architecture. They cover most
# of the protocol.
SELECTION=(options/ read-write/ block-status/)

[ $# -gt 0 ] || names 'no architecture'
packages=(rustc cargo lld gcc libc6-dev qemu-user gnutls-bin nbdkit nbd-server qemu-utils)
settings=(CARGO_NET_OFFLINE=true CARGO_INCREMENTAL=0)
# Faster to build; backtraces have no line numbers.
settings+=(CARGO_PROFILE_DEV_DEBUG=0)
targets=()
for architecture; do
    words=$(names "$architecture")
    read -r rust gnu emulator <<<"$words"
    packages+=("gcc-$gnu" "libc6-dev:$architecture" "libstd-rust-dev:$architecture"
        "libgnutls30t64:$architecture")
    variable=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$rust")
    settings+=("${variable}_LINKER=$gnu-gcc" ${emulator:+"${variable}_RUNNER=$emulator"})
    targets+=(--target "$rust")
done
root=$(scripts/make-system.sh sid "${packages[@]}")

# The system may have no network.
cargo fetch --locked
export CARGO_HOME=${CARGO_HOME:-$HOME/.cargo}
mkdir -p "${OUT:-target/release}/portable"
release=$(realpath "${OUT:-target/release}")
out=$release/portable
export BIND="$CARGO_HOME $release"

# in_sid COMMAND: runs a command in the system, with the settings of its cargo.
in_sid() {
    scripts/in-root.sh "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin CARGO_TARGET_DIR="$out" \
        "${settings[@]}" "$@"
}

# suite TEST ARGUMENT...: runs a test, built here, in sid for the current architecture.
host=$(rustc -vV | sed -n 's/^host: //p')
runner=CARGO_TARGET_$(tr a-z- A-Z_ <<<"$host")_RUNNER
suite() {
    local test=$1
    shift
    env "$runner=$PWD/scripts/in-root.sh $root" LIBNBD_TEST_TARGET="$gnu" \
        LIBNBD_UNDER_TEST="$out/$rust/release/libnbd.so" \
        ${emulator:+"LIBNBD_TEST_LAUNCHER=/usr/bin/$emulator"} \
        cargo test --locked --release --test "$test" -- "$@"
}

failed=()
check() {
    "$@" || failed+=("${architecture:-all}: $*")
}

cargo test --locked --release --no-run --test build_artifacts --test capi --test tls
in_sid rustc --version
headers=$(cksum include/*.h)
in_sid cargo build --locked --release "${targets[@]}" --package libnbd --package memserver
[ "$headers" = "$(cksum include/*.h)" ] || failed+=("the headers are other ones")

architecture=
# Optimising only this crate minimises the total time of build and tests.
check in_sid env ORACLE_CASES=1000 cargo test --locked --no-fail-fast "${targets[@]}" \
    --config 'profile.dev.package.libnbd.opt-level=1' --lib --test machine --test oracle
for architecture; do
    read -r rust gnu emulator <<<"$(names "$architecture")"
    printf '\n%s: what was built\n' "$architecture"
    # How other compilers read the header does not depend on the architecture.
    check suite build_artifacts --skip dialect
    printf '\n%s: C programs, with a server of this architecture\n' "$architecture"
    check suite capi
    printf '\n%s: C programs, with a server of that architecture\n' "$architecture"
    memserver=$out/$rust/memserver
    printf '#!/bin/sh\nexec %s "%s/release/memserver" "$@"\n' "$emulator" "$out/$rust" >"$memserver"
    chmod +x "$memserver"
    for words in "${SELECTION[@]}"; do
        LIBNBD_TEST_MEMSERVER=$memserver check suite capi "$words"
    done
    [ "${TLS:-yes}" = yes ] || continue
    printf '\n%s: TLS\n' "$architecture"
    check suite tls
done

if [ ${#failed[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
fi
