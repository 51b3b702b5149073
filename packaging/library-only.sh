#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# library-only.sh [DIRECTORY]: reduces the Cargo.toml of an unpacked source to the crates
# that the library and the server of its C tests need, a dozen instead of a hundred. Cargo can
# then build with the crates of a distribution, which may lack the others, or with those of
# the vendor archive (see scripts/make-dist.sh).
#
# It removes development dependencies with the tests that need them, optional dependencies,
# and the other members of the workspace. The tests of the protocol stay. The build uses the
# header in include/.

set -eu
cd "${1:-.}"

for manifest in Cargo.toml memserver/Cargo.toml; do
    awk '
        /^\[/ { skipped = /dev-dependencies\]$|^\[\[test\]\]/ }
        /^\[dev-dependencies\]$/ || skipped && /^scripted_server =/ { print }
        skipped || /optional = true/ { next }
        /= \["dep:/ { sub(/=.*/, "= []") }
        /^default = \[/ { $0 = "default = []" }
        /^members = \[/ { $0 = "members = [\"memserver\", \"tests/scripted_server\"]" }
        { print }
    ' "$manifest" >"$manifest.new"
    mv "$manifest.new" "$manifest"
done
