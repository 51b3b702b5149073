#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# sanitize-threads.sh: runs the C programs that have threads, and the whole library, with
# ThreadSanitizer. Called by `make tsan`. (Helgrind is no alternative: it does not know
# atomic operations, and reports each of them.)
#
# It needs gcc or clang, and a nightly toolchain of Rust with the source of the standard
# library. TSAN_TOOLCHAIN names the toolchain; the default is nightly.

set -euo pipefail
cd "$(dirname "$0")/.."

toolchain=${TSAN_TOOLCHAIN:-nightly}
if ! sysroot=$(rustc "+$toolchain" --print sysroot 2>/dev/null) ||
   [ ! -d "$sysroot/lib/rustlib/src/rust/library" ]; then
    echo "make tsan needs a nightly toolchain with the component rust-src:" >&2
    echo "rustup toolchain install $toolchain --component rust-src" >&2
    exit 1
fi
# The server that the build put here is not instrumented.
out=$(realpath "${OUT:-target/release}")
host=$(rustc "+$toolchain" -vV | sed -n 's/^host: //p')
runtime=$(echo "$sysroot/lib/rustlib/$host"/lib/librustc*_rt.tsan.a)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# A target directory of its own, since all flags differ. The standard library is
# instrumented too, because the sanitizer has to see its synchronisation. For example,
# dropping an Arc uses a fence, which the sanitizer does not know.
RUSTFLAGS="-Zsanitizer=thread -g" CARGO_TARGET_DIR=$out/tsan \
    cargo "+$toolchain" rustc -Zbuild-std --locked --release --lib --crate-type staticlib \
    --target "$host"
library=$out/tsan/$host/release/libnbd.a

# run SOURCE STATUS: compiles and runs a program. Status 66 means a data race.
run() {
    local source=$1 expected=$2 status=0
    local name=$work/program
    "${CC:-cc}" -std=gnu99 -g -O1 -pthread -fsanitize=thread -Iinclude -Icapi-tests/harness \
        -c -o "$name.o" "$source"
    # Use the runtime of the library's compiler.
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

# The other results are meaningful only if a race below a call is detected. In this program
# two threads read into the same memory.
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
    # The sanitizer takes locks for unlocked in a thread that is being cancelled, even in C
    # programs, and it replaces malloc.
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
