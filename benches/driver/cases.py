# SPDX-License-Identifier: LGPL-2.1-or-later

"""The cases measured with the programs `commands` and `floor`."""

from dataclasses import dataclass

from subjects import C, FLOOR, THIS

SIZES = {
    512: "512 B",
    4096: "4 KiB",
    65536: "64 KiB",
    262144: "256 KiB",
    1048576: "1 MiB",
    33554432: "32 MiB",
}


@dataclass(frozen=True)
class Case:
    """A way of using a connection."""

    section: str
    operation: str
    size: int = 4096
    depth: int = 64
    # sync, nbd_poll, own (poll(2)), threads (poll(2) in another thread), or shared
    # (as many threads as the depth, each synchronous).
    loop: str = "nbd_poll"
    # Microseconds of computing between issuing and collecting.
    compute: int = 0
    # Delay of the server's replies in milliseconds.
    delay: int = 0
    transport: str = "unix"
    style: str = "structured"
    shuffle: int = 0
    # plain, or a debug callback set with debug off (callback), or on (on).
    debug: str = "plain"
    # Requests are sent together by a library that can (nbd_ext_set_batching).
    batched: bool = False
    # With TLS. The floor does not encrypt, so it is not measured.
    tls: bool = False
    # Client and server on one CPU instead of one each.
    together: bool = False
    quick: bool = False
    # In the first table of the page, in the plot, and in a quick run.
    headline: bool = False

    @property
    def name(self):
        words = [f"{SIZES[self.size]} {self.operation}"]
        words.append(self.concurrency)
        words += ["batched"] if self.batched else []
        words += ["own poll loop"] if self.loop == "own" else []
        words += ["two threads"] if self.loop == "threads" else []
        words += ["computing"] if self.compute else []
        slow = self.delay and self.loop == "shared"
        words += [f"replies after {self.delay} ms"] if slow else []
        words += ["TCP"] if self.transport == "tcp" else []
        words += [f"{self.style} replies"] if self.style != "structured" else []
        words += ["shuffled"] if self.shuffle else []
        words += ["TLS"] if self.tls else []
        words += ["one CPU for both"] if self.together else []
        return ", ".join(words)

    @property
    def concurrency(self):
        """The number of operations in flight, in words."""
        if self.loop == "sync":
            return "synchronous"
        if self.loop == "shared":
            return f"{self.depth} thread{'s' if self.depth > 1 else ''}"
        return f"depth {self.depth}"

    @property
    def waits_with_poll(self):
        """True if the program waits, not the library: each call then receives one reply."""
        return self.loop in ("own", "threads")

    @property
    def subjects(self):
        """The subjects that support this case."""
        without_floor = self.tls or self.batched or self.loop == "shared"
        return [C, THIS] if without_floor else [C, THIS, FLOOR]

    @property
    def server_options(self):
        """The options of memserver for this case."""
        options = {
            "simple": ["--no-structured-replies"],
            # As with nbdkit, nbd-server and qemu-nbd, only reads are answered by chunks.
            "structured": ["--no-extended-headers", "--simple-acks"],
            "extended": [],
        }[self.style]
        options += ["--shuffle", str(self.shuffle)] if self.shuffle else []
        options += ["--delay", str(self.delay)] if self.delay else []
        return options + (["--tls", "require"] if self.tls else [])


def sync(section, operation, size, **more):
    return Case(section, operation, size, 1, "sync", **more)


def all_cases():
    """All cases, in the order of the report."""
    depths = "Depth: 4 KiB, Unix socket"
    yield sync(depths, "read", 4096, headline=True)
    yield Case(depths, "read", depth=16)
    yield Case(depths, "read", depth=64, headline=True)
    yield Case(depths, "read", depth=1024)
    yield Case(depths, "read", depth=8192, headline=True)
    yield sync(depths, "write", 4096, quick=True)
    yield Case(depths, "write", depth=16)
    yield Case(depths, "write", depth=64, headline=True)
    yield Case(depths, "write", depth=1024)
    yield Case(depths, "write", depth=8192)
    yield sync(depths, "zero", 4096)
    yield Case(depths, "zero", depth=16)
    yield Case(depths, "zero", depth=64, quick=True)
    yield Case(depths, "zero", depth=1024)
    yield Case(depths, "zero", depth=8192)
    yield sync(depths, "read", 4096, together=True)

    loops = "The program's own poll loop"
    yield Case(loops, "read", loop="own", headline=True)
    yield Case(loops, "write", loop="own", quick=True)
    yield Case(loops, "read", 262144, 16, loop="own")
    yield Case(loops, "write", 262144, 16, loop="own")

    batches = "Batching (nbd_ext_set_batching)"
    yield Case(batches, "read", depth=16, batched=True)
    yield Case(batches, "read", batched=True, headline=True)
    yield Case(batches, "read", depth=1024, batched=True)
    yield Case(batches, "write", batched=True, quick=True)
    yield Case(batches, "zero", batched=True)
    yield Case(batches, "read", loop="own", batched=True, quick=True)
    yield Case(batches, "read", transport="tcp", batched=True)
    yield Case(batches, "read", tls=True, batched=True)

    sizes = "Size: Unix socket"
    for operation in ("read", "write"):
        yield Case(sizes, operation, 512, 64)
        yield Case(sizes, operation, 65536, 16)
        yield sync(sizes, operation, 262144, headline=operation == "read")
        yield Case(sizes, operation, 262144, 16, headline=True)
        yield Case(sizes, operation, 1048576, 16)
        yield sync(sizes, operation, 33554432)
        yield Case(sizes, operation, 33554432, 2)
    yield Case(sizes, "zero", 512, 64)
    yield Case(sizes, "zero", 1048576, 64)
    yield Case(sizes, "zero", 33554432, 64)

    orders = "Order of the replies"
    yield Case(orders, "read", depth=64, shuffle=48)
    yield Case(orders, "read", depth=8192, shuffle=6144)
    yield Case(orders, "write", depth=64, shuffle=48)

    threads = "One thread issues, another one polls"
    yield Case(threads, "read", loop="threads", quick=True)
    yield Case(threads, "write", loop="threads")

    shared = "Threads that share a handle: synchronous, 4 KiB"
    for count in (1, 2, 4, 8, 16, 32):
        yield Case(shared, "read", depth=count, loop="shared", quick=count == 8)
    for operation in ("write", "mix"):
        yield Case(shared, operation, depth=8, loop="shared")
    for count in (1, 2, 4, 8, 16, 32):
        slow = {"delay": 1, "headline": count == 8}
        yield Case(shared, "read", depth=count, loop="shared", **slow)

    # If a request is sent late, the server's delay is added to the time.
    computing = "Computing between issuing and collecting"
    between = {"compute": 3000, "delay": 1, "quick": True}
    yield Case(computing, "read", depth=8, **between)

    tcp = "TCP on the loopback interface"
    yield sync(tcp, "read", 4096, transport="tcp")
    yield Case(tcp, "read", transport="tcp", quick=True)
    yield Case(tcp, "write", transport="tcp")
    yield Case(tcp, "read", 262144, 16, transport="tcp")
    yield Case(tcp, "write", 262144, 16, transport="tcp")

    tls = "TLS: certificates, Unix socket"
    for operation in ("read", "write"):
        yield sync(tls, operation, 4096, tls=True)
        more = {"tls": True, "headline": operation == "read"}
        yield Case(tls, operation, **more)
        yield Case(tls, operation, 262144, 16, **more)

    styles = "Kinds of replies"
    yield Case(styles, "read", style="simple")
    yield Case(styles, "write", style="simple")
    yield Case(styles, "read", style="extended", quick=True)
    yield Case(styles, "write", style="extended")
    yield Case(styles, "read", 262144, 16, style="extended")


def quick_cases():
    return [case for case in all_cases() if case.headline or case.quick]
