#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sanitize-threads.sh: runs the C programs with threads, and all of the library
# below them, with ThreadSanitizer. `make tsan` calls it. (Helgrind cannot do it: the
# locks of the library are futexes, which it does not know for locks.)
#
# It takes gcc or clang, and a nightly toolchain of Rust with the source of the
# standard library. TSAN_TOOLCHAIN names the toolchain, if it is not called nightly.

set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${TSAN_TOOLCHAIN:-nightly}
if ! sysroot=$(rustc "+$toolchain" --print sysroot 2>/dev/null) ||
   [ ! -d "$sysroot/lib/rustlib/src/rust/library" ]; then
    echo "make tsan needs a nightly toolchain with the component rust-src:" >&2
    echo "rustup toolchain install $toolchain --component rust-src" >&2
    exit 1
fi
# The build leaves a server here that is not slowed down.
out=$(realpath "${OUT:-target/release}")
host=$(rustc "+$toolchain" -vV | sed -n 's/^host: //p')
runtime=$(echo "$sysroot/lib/rustlib/$host"/lib/librustc*_rt.tsan.a)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# Its own directory: everything is built with other flags. The standard library is
# built along, or what it does between threads would not be seen: an Arc that is
# dropped, for example, orders its uses by a fence, of which the sanitizer knows nothing.
RUSTFLAGS="-Zsanitizer=thread -g" CARGO_TARGET_DIR=$out/tsan \
    cargo "+$toolchain" rustc -Zbuild-std --locked --release --lib --crate-type staticlib \
    --target "$host"
library=$out/tsan/$host/release/libnbd.a

# Sources, then the status to expect: 66 is that of a race.
run() {
    local source=$1 expected=$2 status=0
    local name=$work/program
    "${CC:-cc}" -std=gnu99 -g -O1 -pthread -fsanitize=thread -Iinclude -Icapi-tests/harness \
        -c -o "$name.o" "$source"
    # The runtime has to be that of the library's compiler.
    "${CC:-cc}" -pthread -rdynamic -o "$name" "$name.o" "$library" \
        -Wl,--whole-archive "$runtime" -Wl,--no-whole-archive -lstdc++ -ldl -lm -lrt
    MEMSERVER=$out/memserver TSAN_OPTIONS=exitcode=66 timeout 300 "$name" \
        >"$name.log" 2>&1 || status=$?
    if [ "$status" -ne "$expected" ]; then
        cat "$name.log"
        echo "$source: exit status $status"
        return 1
    fi
}

# The others mean something only when a race in and below a call is found: here
# two threads have their data read into the same memory.
cat >"$work/race.c" <<'EOF'
#include "harness.h"
#include <pthread.h>
static struct nbd_handle *a, *b;
static char buf[512];
static void *other (void *arg) { nbd_pread (b, buf, 512, 0, 0); return arg; }
int main (void)
{
  pthread_t thread;
  a = connected ("--size", "1M");
  b = connected ("--size", "1M");
  pthread_create (&thread, NULL, other, NULL);
  nbd_pread (a, buf, 512, 0, 0);
  pthread_join (thread, NULL);
  return 0;
}
EOF
run "$work/race.c" 66
count=0
failed=()
for source in $(grep -l '<pthread.h>' capi-tests/*/*.c); do
    # The sanitizer takes the locks of a thread that is being cancelled for unlocked, in C
    # programs too; and malloc is its own.
    if grep -q -e 'pthread_cancel (' -e 'harness/memory.h"' "$source"; then
        continue
    fi
    run "$source" 0 || failed+=("$source")
    count=$((count + 1))
done
if [ ${#failed[@]} -gt 0 ]; then
    printf 'failed: %s\n' "${failed[@]}"
    exit 1
fi
echo "$count programs, no data race"
