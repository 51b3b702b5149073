#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# mirror.sh: prints the URI of the mirror that apt uses on this system. Packages of other
# releases are downloaded from it too.

{
    sed -n 's/^URIs: *\([^ ]*\).*/\1/p' /etc/apt/sources.list.d/debian.sources
    sed -n 's/^deb  *\(\[[^]]*\] *\)\{0,1\}\([^ ]*\) .*/\2/p' /etc/apt/sources.list
} 2>/dev/null | head -n 1
