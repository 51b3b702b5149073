#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# bench.sh SYSTEM [OPTION...]: runs benches/driver with these options: on this system if
# SYSTEM is empty, otherwise in that release of Debian, with its C library and its programs.
# Called by `make bench`.

set -euo pipefail
cd "$(dirname "$0")/.."

system=$1
shift
OUT=$(realpath "${OUT:-target/release}")
export OUT
if [ -z "$system" ]; then
    exec python3 -B benches/driver "$@"
fi
root=$(scripts/make-root.sh "$system")
[ "$SECONDS" -lt 5 ] || echo "The system took $SECONDS s to make; the next run has it."
python3 -B benches/driver --compile
BIND=$OUT exec scripts/in-root.sh "$root" env PATH=/usr/sbin:/usr/bin:/sbin:/bin OUT="$OUT" \
    python3 -B benches/driver --system "$system" "$@"
