#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# run-c-programs.sh OUT [JOBS]: compiles the C programs in capi-tests/ with the library in
# OUT, and runs them with the memserver there. Fails if one of them fails. Package builds use
# it, since they lack the crates that tests/capi.rs needs.

set -eu
cd "$(dirname "$0")/.."
out=$(cd "$1" && pwd)
programs=$out/c-programs
mkdir -p "$programs"
export LD_LIBRARY_PATH="$out" MEMSERVER="$out/memserver" out programs
# A machine that builds packages may be slow, and busy.
export TEST_SECONDS=800

# shellcheck disable=SC2016 # For the shell that runs one program.
one='
    source=$1
    name=$(basename "$source" .c)
    ${CC:-cc} -std=gnu99 -g -O1 -Iinclude -pthread -o "$programs/$name" "$source" \
        -L"$out" -lnbd || exit 1
    timeout 900 "$programs/$name" >"$programs/$name.log" 2>&1 && exit
    echo "FAILED: $name: exit status $?"
    cat "$programs/$name.log"
    exit 1
'
# The others need more than a memserver.
sources=$(ls capi-tests/*/*.c | grep -v -e /over-tls/ -e /differential/)
echo "$sources" | xargs -n 1 -P "${2:-1}" sh -c "$one" "$0"
echo "$(echo "$sources" | wc -l) C programs passed"
