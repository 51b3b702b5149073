#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# deny.sh [--if-available]: checks the dependencies with cargo-deny and deny.toml: licences,
# bans and sources, and RustSec's advisories if they can be fetched or have been fetched.
#
# Without cargo-deny it fails. With --if-available it then prints a message and succeeds;
# tests/dependencies.rs checks licences and sources too.

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

# A database that cannot be fetched is no failure. An advisory is one.
if cargo deny fetch db 2>/dev/null; then
    cargo deny --workspace --locked check advisories
else
    echo "deny: NOT CHECKED: advisories, since the RustSec database cannot be fetched." >&2
fi
