#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# format-c.sh [--check]: formats the C files as .clang-format says, or fails if one of them
# is formatted differently. It needs clang-format 14, since other versions break some lines
# differently; with --check and another version, it prints a message and succeeds.

set -eu
cd "$(dirname "$0")/.."

case ${1-} in
'') action=-i ;;
--check) action='--dry-run --Werror' ;;
*)
    echo "usage: $0 [--check]" >&2
    exit 2
    ;;
esac
if ! clang-format --version 2>/dev/null | grep -q 'version 14\.'; then
    echo "$0: NOT RUN: clang-format 14 is not installed." >&2
    [ "${1-}" = --check ]
    exit
fi
# The header is generated.
git ls-files -z '*.c' '*.h' ':!include/' |
    xargs -0 clang-format --style=file $action
