# SPDX-License-Identifier: LGPL-2.1-or-later
# server: nbdkit memory 8M
# server: memserver --size 8M
import threading

def work(number):
    for i in range(50):
        offset = (number * 50 + i) * 4096
        data = bytes([number + 1]) * 4096
        h.pwrite(data, offset)
        assert h.pread(4096, offset) == data
    done.append(number)

done = []
threads = [threading.Thread(target=work, args=(n,)) for n in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(sorted(done), h.aio_in_flight(), h.aio_is_ready())
