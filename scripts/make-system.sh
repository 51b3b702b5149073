#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-system.sh SUITE PACKAGE...: installs another release of Debian in a directory, with
# these packages, and prints its path. scripts/in-root.sh runs programs there. Name packages
# of another architecture with the architecture: libc6-dev:s390x.
#
# The packages are installed, so alternatives such as cc exist and apt works. For programs that
# only have to run, make-root.sh is faster. It needs root, or user namespaces and subordinate
# ids (/etc/subuid).
#
# ARCHIVES in the environment names packages whose .deb files stay in apt's cache, together
# with the package lists, so that apt can reinstall them without a network.
#
# A system is used for MAX_AGE days, or longer if no new one can be made.

set -euo pipefail

[ $# -ge 2 ] || {
    echo "usage: $0 SUITE PACKAGE..." >&2
    exit 2
}
suite=$1
shift
MAX_AGE=30

scripts=$(dirname "$0")
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libnbd-roots
native=$(dpkg --print-architecture)
wanted="$*${ARCHIVES:+, archives: $ARCHIVES}"
kept=$cache/$suite-$native-installed-$(cksum <<<"$wanted" | cut -d ' ' -f 1)
mkdir -p "$cache"
exec 9>"$kept.lock"
flock 9

young() {
    [ -n "$(find "$kept.made" -mtime "-$MAX_AGE" 2>/dev/null)" ]
}

# The first architecture is that of the programs that run there.
architectures=$native
for package; do
    case $package in
    *:*) architectures=$architectures,${package#*:} ;;
    esac
done
architectures=$(tr , '\n' <<<"$architectures" | awk '!seen[$0]++' | paste -sd ,)

keep=()
if [ -n "${ARCHIVES-}" ]; then
    keep=(--skip=cleanup/apt --aptopt='APT::Keep-Downloaded-Packages "true"'
        --customize-hook='chroot "$1" apt-get clean'
        --customize-hook='chroot "$1" apt-get -qq --assume-yes --download-only --reinstall install '"$ARCHIVES")
fi

if ! young || [ ! -d "$kept" ]; then
    rm -rf "$kept.new"
    # An expired Release file is accepted, as in make-root.sh.
    if mmdebstrap --quiet --variant=apt --format=directory \
        --architectures="$architectures" --include="$(IFS=,; echo "$*")" \
        --aptopt='Acquire::Check-Valid-Until "false"' --aptopt='Acquire::Retries "3"' \
        --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
        "${keep[@]}" "$suite" "$kept.new" "$("$scripts/mirror.sh")" >&2; then
        printf '127.0.0.1 localhost\n::1 localhost\n' >"$kept.new/etc/hosts"
        rm -rf "$kept"
        mv "$kept.new" "$kept"
        touch "$kept.made"
    elif [ -d "$kept" ]; then
        made=$(date --iso-8601 --reference "$kept.made")
        echo "$0: $suite cannot be made anew today; the one of $made is used" >&2
    else
        echo "$0: $suite cannot be made" >&2
        exit 1
    fi
fi
echo "$kept"
