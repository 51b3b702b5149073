// SPDX-License-Identifier: LGPL-2.1-or-later

//! An ELF note for packagers that names the library loaded at run time, which is not among the
//! recorded dependencies ("ELF notes for dlopen metadata", Linux Userspace API State).

const DESCRIPTION: [u8; 128] = padded(
    br#"[{"feature":"tls","description":"Encrypted connections","priority":"recommended","soname":["libgnutls.so.30"]}]"#,
);

#[repr(C, align(4))]
struct Note {
    name_length: u32,
    description_length: u32,
    kind: u32,
    name: [u8; 4],
    description: [u8; 128],
}

#[used]
#[link_section = ".note.dlopen"]
static DLOPEN: Note = Note {
    name_length: 4,
    description_length: 128,
    kind: 0x407c_0c0a,
    name: *b"FDO\0",
    description: DESCRIPTION,
};

/// Pads the text with at least one NUL byte, which ends it.
const fn padded(text: &[u8]) -> [u8; 128] {
    let mut padded = [0; 128];
    assert!(text.len() < padded.len());
    let mut at = 0;
    while at < text.len() {
        padded[at] = text[at];
        at += 1;
    }
    padded
}
