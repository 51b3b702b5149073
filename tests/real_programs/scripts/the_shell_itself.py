# SPDX-License-Identifier: LGPL-2.1-or-later
# server: qemu-nbd --format=qcow2 --bitmap=bitmap0 disk.qcow2
# options: --base-allocation -u @URI@ -c print(h.get_size()) -c print(h.get_nr_meta_contexts())
print(h.can_meta_context('base:allocation'))
h.block_status(1 << 20, 0, lambda *a: print(a[:3]))
