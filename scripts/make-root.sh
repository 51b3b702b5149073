#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-root.sh SUITE: unpacks the programs of another release of Debian in a directory, and
# prints its path. scripts/in-root.sh runs programs there.
#
# The packages come from the mirror of this system and are kept with their checksums. They
# are unpacked, not installed: no maintainer script runs, so this takes seconds and needs
# neither root nor user namespaces.
#
# A root is used for MAX_AGE days. If no new one can be made after that (no network, another
# version of the library in sid, unresolved dependencies), the old one stays in use, with a
# message on stderr.

set -euo pipefail

suite=${1:?usage: $0 SUITE}
scripts=$(dirname "$0")
MAX_AGE=30

# The programs that the tests run, the libraries of programs that they compile, and the
# essential packages of any Debian system.
packages=('?essential' libnbd-bin python3-libnbd nbdkit nbd-server qemu-utils fio fuse3
    gnutls-bin e2fsprogs strace libglib2.0-0t64 libev4t64)

# The version whose behaviour is the reference.
case $suite in
sid) libnbd=1.24.4 ;;
*) libnbd= ;;
esac
wanted="libnbd $libnbd, ${packages[*]}"

# Checkouts that need other packages use other roots.
cache=${XDG_CACHE_HOME:-$HOME/.cache}/libnbd-roots
kept=$cache/$suite-$(dpkg --print-architecture)-$(cksum <<<"$wanted" | cut -d ' ' -f 1)
mkdir -p "$cache"
exec 9>"$kept.lock"
flock 9

# download DIRECTORY: downloads the packages and all their dependencies. An expired Release
# file is accepted, since an old mirror is good enough for tests. Its signature is checked.
download() {
    local apt=$1.apt
    rm -rf "$apt" "$1"
    mkdir -p "$apt/"{lists/partial,preferences.d} "$1/packages/partial"
    : >"$apt/status"
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg]" \
        "$("$scripts/mirror.sh") $suite main" >"$apt/sources.list"
    cat >"$apt/conf" <<END
#clear APT::Update::Post-Invoke;
#clear DPkg::Post-Invoke;
APT::Install-Recommends "false";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Check-Valid-Until "false";
Acquire::Languages "none";
Acquire::Retries "3";
Dir::Cache "$apt";
Dir::Cache::archives "$1/packages";
Dir::Etc "$apt";
Dir::State "$apt";
Dir::State::status "$apt/status";
END
    apt-get -qq --config-file "$apt/conf" update &&
        apt-get -qq --config-file "$apt/conf" --assume-yes --download-only \
            install "${packages[@]}" || return 1
    rm -rf "$apt" "$1"/packages/{partial,lock}
    (cd "$1" && sha256sum packages/*.deb >SHA256SUMS)
}

# good DIRECTORY: succeeds if the packages there match their checksums and have the expected
# version.
good() {
    [ -e "$1/SHA256SUMS" ] || return 1
    (cd "$1" && sha256sum --check --quiet SHA256SUMS) >&2 || return 1
    local deb version
    deb=$(echo "$1"/packages/libnbd0_*.deb)
    version=$(dpkg-deb --field "$deb" Version) || return 1
    case $version in
    "$libnbd"*) ;;
    *)
        echo "$0: $suite has libnbd $version, needed is $libnbd" >&2
        return 1
        ;;
    esac
}

# unpack DIRECTORY: unpacks the packages without documentation and translations. base-files is
# first, since it has links such as the one from /bin to /usr/bin.
unpack() {
    local root=$1/root.new
    rm -rf "$root" "$1/root"
    mkdir "$root"
    for deb in "$1"/packages/base-files_*.deb "$1"/packages/*.deb; do
        dpkg-deb --fsys-tarfile "$deb" | tar --extract --directory "$root" \
            --no-same-owner --keep-directory-symlink --exclude='./usr/share/doc/*' \
            --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' || return 1
    done
    # Files that maintainer scripts create on a real system.
    cp "$root/usr/share/base-passwd/passwd.master" "$root/etc/passwd"
    cp "$root/usr/share/base-passwd/group.master" "$root/etc/group"
    printf '127.0.0.1 localhost\n::1 localhost\n' >"$root/etc/hosts"
    mv "$root" "$1/root"
}

ready() {
    [ -d "$1/root" ] || { good "$1" && unpack "$1"; }
}

young() {
    [ -n "$(find "$kept/SHA256SUMS" -mtime "-$MAX_AGE" 2>/dev/null)" ]
}

trap 'rm -rf "$kept.new" "$kept.new.apt"' EXIT
if ! young || ! ready "$kept"; then
    if download "$kept.new" && ready "$kept.new"; then
        rm -rf "$kept"
        mv "$kept.new" "$kept"
    elif ready "$kept"; then
        made=$(date --iso-8601 --reference "$kept/SHA256SUMS")
        echo "$0: $suite cannot be made anew today; the one of $made is used" >&2
    else
        echo "$0: $suite cannot be made" >&2
        exit 1
    fi
fi
echo "$kept/root"
