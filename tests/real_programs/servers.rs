// SPDX-License-Identifier: LGPL-2.1-or-later

//! The servers that the clients connect to, one for each variation of server
//! behaviour. Their files are made by `images::prepare`.

/// A server and the name of the export to open.
pub struct Export {
    pub server: &'static str,
    pub name: &'static str,
}

/// Returns true if a server uses the newest handshake without structured
/// replies.
pub fn is_simple(server: &str) -> bool {
    server.contains("--no-sr") || server.contains("--no-structured-replies")
}

const fn default_export(server: &'static str) -> Export {
    Export { server, name: "" }
}

const fn export(server: &'static str, name: &'static str) -> Export {
    Export { server, name }
}

/// A server made of shell scripts that operate on a file, several in parallel.
pub const EVAL: &str = "nbdkit --threads=8 eval thread_model='echo parallel' \
     get_size='echo 8M' can_write='exit 0' can_flush='exit 0' flush='exit 0' \
     pread='dd if=disk.raw skip=$4 count=$3 iflag=count_bytes,skip_bytes status=none' \
     pwrite='dd of=disk.raw seek=$4 conv=notrunc oflag=seek_bytes status=none'";

/// Servers that any client can read from.
pub const EXPORTS: &[Export] = &[
    // Contents.
    default_export("nbdkit memory 10M"),
    default_export("nbdkit memory 1234567"),
    default_export("nbdkit memory 0"),
    default_export("nbdkit file disk.raw"),
    default_export("nbdkit pattern 1M"),
    default_export("nbdkit data '@0x8000 1 @0x200000 2 @0x3fffff 3'"),
    default_export("nbdkit data '(0x55 0xAA)*1000' size=3000"),
    default_export("nbdkit sparse-random 16M seed=1"),
    default_export("nbdkit random 1M seed=1"),
    default_export("nbdkit zero"),
    default_export("nbdkit full 1M"),
    default_export("nbdkit null 1G"),
    default_export(EVAL),
    // Names.
    export("nbdkit file dir=exports fadvise=normal", "one"),
    export("nbdkit file dir=exports", "two"),
    export("nbdkit info exportname", "an%20export%2Fwith%20%C3%A9"),
    export("nbdkit memory 1M", "any"),
    default_export(
        "nbdkit --filter=exportname memory 1M exportname-list=explicit \
         exportname=one exportname=two 'exportdesc=fixed:A disk'",
    ),
    default_export("nbdkit --filter=exportname memory 1M exportname-list=empty"),
    default_export("nbdkit --filter=exportname file dir=exports default-export=two"),
    // Protocol.
    default_export("nbdkit --oldstyle memory 1M"),
    default_export("nbdkit --oldstyle --readonly pattern 1M"),
    default_export("nbdkit --mask-handshake=0 memory 1M"),
    default_export("nbdkit --mask-handshake=1 file disk.raw"),
    default_export("nbdkit --mask-handshake=2 pattern 1M"),
    export("nbdkit --mask-handshake=0 file dir=exports", "two"),
    default_export("nbdkit --no-sr pattern 1M"),
    default_export("nbdkit --no-sr file disk.raw"),
    // Features.
    default_export("nbdkit --readonly memory 1M"),
    default_export("nbdkit --filter=blocksize-policy memory 1M blocksize-minimum=512 blocksize-preferred=65536 blocksize-maximum=1M"),
    default_export("nbdkit --filter=blocksize-policy file disk.raw blocksize-minimum=4096 blocksize-preferred=4096 blocksize-maximum=64K blocksize-error-policy=error"),
    default_export("nbdkit --filter=multi-conn memory 1M multi-conn-mode=disable"),
    default_export("nbdkit --filter=nozero memory 1M"),
    default_export("nbdkit --filter=nozero file disk.raw zeromode=emulate"),
    default_export("nbdkit --filter=fua memory 1M fuamode=discard"),
    default_export("nbdkit --filter=fua memory 1M fuamode=force"),
    default_export("nbdkit --filter=nocache memory 1M cachemode=none"),
    default_export("nbdkit --filter=noextents file disk.raw"),
    default_export("nbdkit --filter=cow file disk.raw"),
    default_export("nbdkit --filter=delay pattern 100k rdelay=5ms"),
    default_export("nbdkit --filter=truncate pattern 1000 truncate=1M"),
    // qemu-nbd.
    default_export("qemu-nbd --format=raw disk.raw"),
    default_export("qemu-nbd --format=raw --read-only disk.raw"),
    default_export("qemu-nbd --format=qcow2 disk.qcow2"),
    default_export("qemu-nbd --format=qcow2 --bitmap=bitmap0 --allocation-depth disk.qcow2"),
    default_export("qemu-nbd --format=qcow2 --allocation-depth overlay.qcow2"),
    export("qemu-nbd --format=qcow2 --export-name=disk '--description=A disk with a name' disk.qcow2", "disk"),
    // nbd-server.
    export("nbd-server one=disk.raw two=exports/two", "one"),
    // memserver.
    default_export("memserver --file disk.raw"),
    default_export("memserver --export '' --size 10M --read-chunks 4096"),
    export("memserver --export a --size 1M --description 'The first' --export b --size 2M --read-only --rotational", "b"),
    default_export("memserver --oldstyle --file disk.raw"),
    default_export("memserver --newstyle --file disk.raw"),
    default_export("memserver --no-structured-replies --file disk.raw"),
    default_export("memserver --no-extended-headers --file disk.raw"),
    default_export("memserver --no-go --file disk.raw"),
    default_export("memserver --file disk.raw --block-size 512,4096,1048576"),
    default_export("memserver --file disk.raw --context x:y=65536:1,4096:2"),
];
