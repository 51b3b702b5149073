#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# in-root.sh ROOT COMMAND...: runs a command in a system made by make-root.sh or
# make-system.sh. It needs root or user namespaces. /dev, /proc, /sys, /tmp, this checkout
# and the directories named in BIND are mounted at the same paths.
#
#   scripts/in-root.sh "$(scripts/make-root.sh sid)" nbdcopy --version

set -eu

# The mounts are in a mount namespace of their own and disappear with the command.
if [ -z "${IN_NAMESPACE-}" ]; then
    checkout=$(realpath "$(dirname "$0")/..")
    case $(id -u) in
    0) user= ;;
    *) user='--user --map-root-user' ;;
    esac
    export IN_NAMESPACE=1 BIND="${BIND-} $checkout"
    exec unshare $user --mount -- "$0" "$@"
fi

root=$1
shift
for directory in /dev /proc /sys /tmp $BIND; do
    mkdir -p "$root$directory"
    mount --rbind "$directory" "$root$directory"
done
unset IN_NAMESPACE BIND
export TMPDIR=/tmp
exec chroot "$root" env --chdir="$PWD" "$@"
