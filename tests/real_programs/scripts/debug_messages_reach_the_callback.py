# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 1M
# options: -n
contexts = []
def debug(context, message):
    contexts.append(context)
h = nbd.NBD()
h.set_handle_name('disk')
h.set_debug(True)
h.set_debug_callback(debug)
h.connect_unix('@SOCKET@')
h.get_size()
h.pread(512, 0)
print(sorted(set(contexts)))
h.clear_debug_callback()
h.set_debug(False)
contexts.clear()
h.get_size()
print(contexts)
