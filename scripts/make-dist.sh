#!/usr/bin/env bash
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# make-dist.sh DIRECTORY: writes the files that distributions build packages from, and prints
# their paths:
#
#   libnbd-rust-VERSION.tar.xz         the committed source, with the manual pages
#   libnbd-rust-VERSION-vendor.tar.xz  the crates that the library and the server of its C
#                                      tests are built from, after packaging/library-only.sh
#   libnbd-rust.spec APKBUILD PKGBUILD for these archives, with their checksums
#   SHA256SUMS                         the checksums of both archives
#
# Two checkouts of one commit produce identical files. The timestamps in the archives are that
# of the commit, or SOURCE_DATE_EPOCH.

set -euo pipefail

[ $# -eq 1 ] || {
    echo "usage: $0 DIRECTORY" >&2
    exit 2
}
checkout=$(cd "$(dirname "$0")/.." && pwd)
mkdir -p "$1"
dist=$(cd "$1" && pwd)
SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git -C "$checkout" log -1 --format=%ct)}
export SOURCE_DATE_EPOCH
unset CARGO_BUILD_TARGET
umask 022
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# archive NAME DIRECTORY: archives a directory of $work.
archive() {
    local file=$dist/$1.tar.xz
    tar --create --directory "$work" --sort=name --format=gnu --mtime="@$SOURCE_DATE_EPOCH" \
        --owner=0 --group=0 --numeric-owner --mode=u=rwX,go=rX "$2" | xz --threads=1 >"$file"
    echo "$file"
}

[ -z "$(git -C "$checkout" status --porcelain)" ] ||
    echo "$0: what is not committed is left out" >&2
git -C "$checkout" archive --prefix=source/ HEAD | tar --extract --directory "$work"
version=$(sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' "$work/source/Cargo.toml")
name=libnbd-rust-$version
mv "$work/source" "$work/$name"

# The generator of the manual pages needs crates that the library does not, so the archive
# contains the pages. A target directory of its own keeps it from being built twice.
cargo run --quiet --locked --manifest-path "$work/$name/Cargo.toml" \
    --target-dir "$dist/build" --package manual -- "$work/$name/manual/pages"
archive "$name" "$name"

cd "$work/$name"
packaging/library-only.sh
cargo vendor --quiet "$work/vendor" >/dev/null

# debhelper removes all files with this ending from a source.
rm -f "$work"/vendor/*/Cargo.toml.orig
sed -i 's/"Cargo.toml.orig":"[0-9a-f]*",//' "$work"/vendor/*/.cargo-checksum.json

# Crates for other systems stay as empty crates, since cargo reads their manifests.
targets=$(rustc --print target-list | grep -- -linux- | sed 's/^/--target=/')
# shellcheck disable=SC2086 # One word each.
used=$(cargo tree --offline --workspace --edges normal,build,dev $targets \
    --prefix none --format '{p}' | cut -d ' ' -f 1,2 | sort -u)
for crate in "$work/vendor/"*; do
    package=$(sed -n 's/^name = "\(.*\)"/\1/p; s/^version = "\(.*\)"/v\1/p' \
        "$crate/Cargo.toml" | head -n 2 | paste -sd ' ')
    grep -qxF "$package" <<<"$used" && continue
    find "$crate" -mindepth 1 -maxdepth 1 ! -name Cargo.toml ! -name .cargo-checksum.json \
        -exec rm -rf {} +
    sed -i '/^build = /d' "$crate/Cargo.toml"
    mkdir "$crate/src"
    : >"$crate/src/lib.rs"
    sed -i 's/"files":{[^}]*}/"files":{}/' "$crate/.cargo-checksum.json"
done
cat >"$work/vendor/config.toml" <<'EOF'
# Appended to .cargo/config.toml of the source, this makes cargo use the crates in vendor/.
[source.crates-io]
replace-with = "vendored-sources"

[source.vendored-sources]
directory = "vendor"
EOF
archive "$name-vendor" vendor

checksum() {
    "$1" "$dist/$2.tar.xz" | cut -d ' ' -f 1
}
for file in fedora/libnbd-rust.spec alpine/APKBUILD arch/PKGBUILD; do
    sed -e "s/@SHA512_SOURCE@/$(checksum sha512sum "$name")/" \
        -e "s/@SHA512_VENDOR@/$(checksum sha512sum "$name-vendor")/" \
        -e "s/@SHA256_SOURCE@/$(checksum sha256sum "$name")/" \
        -e "s/@SHA256_VENDOR@/$(checksum sha256sum "$name-vendor")/" \
        "$work/$name/packaging/$file" >"$dist/${file#*/}"
    echo "$dist/${file#*/}"
done
(cd "$dist" && sha256sum "$name.tar.xz" "$name-vendor.tar.xz" >SHA256SUMS)
echo "$dist/SHA256SUMS"
