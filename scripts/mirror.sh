#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# mirror.sh: prints where apt gets this system's packages from. The packages of other
# releases are fetched from there, too.

{
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources
    sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list
} 2>/dev/null | head -n 1
