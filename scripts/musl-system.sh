#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# musl-system.sh: installs files for musl that Alpine has and Debian lacks. It runs in the
# x86-64 Debian system that scripts/musl.sh makes:
#
#   the kernel's headers
#   libgcc_s.so.1, and libgcc_eh.a for static programs, which catch panics

set -eu

directory=/usr/lib/x86_64-linux-musl
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
find=$(realpath "$(dirname "$0")")/musl-find-object.c
archive=$(gcc -print-file-name=libgcc_eh.a)

for headers in /usr/include/linux /usr/include/asm-generic /usr/include/x86_64-linux-gnu/asm; do
    ln -sfn "$headers" "/usr/include/x86_64-linux-musl/$(basename "$headers")"
done

cd "$work"
musl-gcc -Wall -Wextra -O2 -fPIC -o find.o -c "$find"

cp "$archive" static.a
ar rcs static.a find.o

# The functions of the archive have hidden visibility in a shared library, so export a
# function that jumps to each of them.
nm --defined-only --extern-only --format=just-symbols "$archive" 2>/dev/null |
    grep '^_Unwind_' >names
sed 's/.*/& hidden&/' names >renamed
objcopy --redefine-syms=renamed "$archive" hidden.a
{
    echo '.section .note.GNU-stack, "", @progbits'
    echo '.text'
    sed 's/.*/.globl &\n.type &, @function\n&: jmp hidden&/' names
} >functions.s
musl-gcc -shared -o shared.so -Wl,--eh-frame-hdr -Wl,-soname,libgcc_s.so.1 functions.s hidden.a find.o

install -m 644 static.a "$directory/libgcc_eh.a"
install -m 644 shared.so "$directory/libgcc_s.so.1"
ln -sf libgcc_s.so.1 "$directory/libgcc_s.so"

# musl-gcc links gcc's archive into every program, and omits the table that the unwinder needs
# to find functions.
sed -i -e "s|^libgcc.a%s %:if-exists.*|libgcc.a%s %{static\\|static-pie:$directory/libgcc_eh.a;:\
--as-needed $directory/libgcc_s.so.1 --no-as-needed}|" \
    -e 's|^-dynamic-linker|--eh-frame-hdr &|' "$directory/musl-gcc.specs"
