#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# musl.sh programs|tests: builds the library for musl, the C library of Alpine.
#
#   programs   checks the symbols, and runs a program with each of libnbd.so and libnbd.a
#   tests      also runs the unit tests, tests/machine and the C programs
#
# This happens in a Debian system made by make-system.sh. Debian has only the source of Rust's
# standard library for musl; with RUSTC_BOOTSTRAP=1 a stable compiler can build it.

set -euo pipefail
cd "$(dirname "$0")/.."

case ${1-} in
programs | tests) what=$1 ;;
*)
    echo "usage: $0 programs|tests" >&2
    exit 2
    ;;
esac
[ "$(uname -m)" = x86_64 ] || {
    echo "$0: NOT RUN: it knows x86-64 only" >&2
    exit 1
}

target=x86_64-unknown-linux-musl
root=$(scripts/make-system.sh sid cargo rustc rust-src lld gcc libc6-dev musl-tools procps)

cargo fetch --locked
mkdir -p "${OUT:-target/release}/musl"
out=$(realpath "${OUT:-target/release}/musl")
in_root() {
    scripts/cargo-in-root.sh "$root" "$out" "$@"
}
# As on Alpine, libnbd.so needs the C library and libgcc_s.so.1, and programs are dynamic
# unless linked with -static.
for_musl() {
    in_root RUSTC_BOOTSTRAP=1 CARGO_TARGET_X86_64_UNKNOWN_LINUX_MUSL_LINKER=musl-gcc \
        RUSTFLAGS='-C target-feature=-crt-static -C link-self-contained=no' \
        cargo "$1" -Z build-std=std,panic_unwind --target "$target" --locked --release "${@:2}"
}

in_root scripts/musl-system.sh
in_root rustc --version
in_root cargo build --locked --release --package memserver
for_musl build --lib --no-default-features
built=$out/$target/release

echo 'symbols, and libraries that are needed'
diff <(awk -F '\t' '/^nbd_/ { print $1 "@@" $2 }' src/capi/functions.tsv \
    src/capi/extensions.tsv | sort) \
    <(in_root nm --dynamic --defined-only "$built/libnbd.so" |
        awk '$2 == "T" { print $3 }' | sort)
needed=$(in_root readelf --dynamic "$built/libnbd.so" |
    sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | sort | paste -sd ' ')
[ "$needed" = 'libc.so libgcc_s.so.1' ] || {
    echo "$0: libnbd.so needs $needed" >&2
    exit 1
}

in_root CC=musl-gcc scripts/static-library.sh "$built/libnbd.a" "$built/static/libnbd.a"
echo begin >"$out/data"
# program NAME ARGUMENT...: compiles the program with these arguments, and runs it.
program() {
    in_root musl-gcc -Wall -Wextra -Werror -Iinclude tests/install/program.c \
        -o "$built/$1-program" "${@:2}"
    printed=$(in_root LD_LIBRARY_PATH="$built" "$built/$1-program" \
        "$out/release/memserver" --stdin --file "$out/data")
    echo "$1: $printed"
    [[ $printed = libnbd\ *': begin' ]]
}
program dynamic -L"$built" -lnbd
program static -static "$built/static/libnbd.a"
in_root readelf --program-headers "$built/dynamic-program" | grep 'interpreter: .*/ld-musl-'
if in_root readelf --program-headers "$built/static-program" | grep INTERP; then
    echo "$0: the static program needs a dynamic linker" >&2
    exit 1
fi

[ "$what" = tests ] || exit 0
# Without --exact, which would need the folders of the C programs.
skip=()
# Debian has no GnuTLS for musl.
for test in transport::tls::records::tests::a_panic_comes_back_from_gnutls \
    any-byte-but-0-is-true library-reports-itself-as-libnbd-1.24.4 \
    opt-starttls-is-refused-by-a-plain-server \
    refused-opt-starttls-keeps-the-connection \
    failed-opt-starttls-ends-the-connection option-refused-as-invalid-is-einval \
    options-that-cannot-be-sent-fail-with-the-errno refused-connections-end-with-an-abort \
    stalled-tls-handshake-lets-poll-time-out \
    allowed-tls-continues-in-plaintext-after-refusal tls-loads-once-descriptors-are-available \
    tls-required-fails-on-a-plain-server tls-settings-are-stored-unchecked \
    failed-tls-never-falls-back-to-plaintext uri-with-nbds-requires-tls; do
    skip+=(--skip "$test")
done
# These replace or query glibc's malloc.
for test in running-out-of-memory-is-an-error long-use-leaks-nothing \
    many-commands-need-few-system-calls memory-of-threads-ends-with-them \
    lack-of-memory-fails-the-command option-without-memory-is-an-error; do
    skip+=(--skip "$test")
done
for_musl test --lib --test machine -- "${skip[@]}"
in_root LIBNBD_UNDER_TEST="$built/libnbd.so" LIBNBD_TEST_TARGET=x86_64-linux-musl \
    LIBNBD_TEST_MEMSERVER="$out/release/memserver" \
    cargo test --locked --release --no-default-features --test capi -- "${skip[@]}"
