#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# Measures the dependencies by deny.toml with cargo-deny: licences, bans and
# sources always, and RustSec's advisories where they can be fetched or have been.
#
#   scripts/deny.sh                  fails where cargo-deny is not installed
#   scripts/deny.sh --if-available   says so, and succeeds: tests/dependencies.rs
#                                    looks at licences and sources too

set -euo pipefail
cd "$(dirname "$0")/.."

if ! version=$(cargo deny --version 2>/dev/null); then
    echo "deny: NOT RUN: cargo-deny is not installed." >&2
    echo "deny: cargo install --locked cargo-deny" >&2
    [ "${1:-}" = --if-available ]
    exit
fi

echo "deny: $version"
cargo deny --workspace --locked check licenses bans sources

# A database that cannot be had says nothing of the dependencies; one that can
# has the last word.
if cargo deny fetch db 2>/dev/null; then
    cargo deny --workspace --locked check advisories
else
    echo "deny: NOT CHECKED: advisories, since the RustSec database cannot be fetched." >&2
fi
