// SPDX-License-Identifier: LGPL-2.1-or-later

//! The text of `--help`.

use std::fmt::Write as _;

use crate::faults;

const OPTIONS: &str = "\
Serves in-memory disks over the NBD protocol. It implements the whole protocol,
and violates it on request.

Usage: memserver (--unix PATH | --tcp HOST:PORT | --stdin) [options]

Where to serve (more than one may be given; sockets passed by systemd socket
activation, LISTEN_PID and LISTEN_FDS, are always served):
  --unix PATH           listen on a Unix socket, removed on exit
  --tcp HOST:PORT       listen on every address of HOST; [ADDRESS]:PORT for IPv6.
                        With port 0 the system chooses, and the address is
                        written to standard output
  --stdin               standard input is a connected socket: serve it and exit

What to serve. --export begins an export, and the options after it apply to it;
options before the first --export apply to an export named \"\". Without any
export there is one named \"\" of 64 MiB. The first export is also the default
export. SIZE is in bytes, or has a suffix k, M, G, T, P or E.
  --export NAME         begin an export
  --size SIZE           its size; unwritten parts use no memory
  --file PATH           its content, copied at the start and never written back
  --pattern             unwritten data holds its own offset in each 8 bytes,
                        big endian
  --description TEXT    its human-readable description
  --canonical-name TEXT the name sent in NBD_INFO_NAME
  --read-only           refuse writes
  --rotational          announce that seeking is slow
  --block-size MIN,PREFERRED,MAX
                        announce block sizes, and refuse requests that
                        violate them
  --no-flush --no-fua --no-trim --no-zero --no-fast-zero --no-df
  --no-multi-conn --no-cache --no-status-payload
                        do not announce that feature, and refuse it
  --context NAME=LENGTH:FLAGS,...
                        one more meta context, whose extents repeat over the
                        export. One with flags of more than 32 bits is there
                        only for clients with extended headers

Encryption: STARTTLS begins TLS 1.2 or 1.3 with certificates, and discards all
earlier negotiation.
  --tls MODE            off (the default), on (a client may ask for it) or
                        require (everything else is refused until it does)
  --tls-certificates DIR
                        directory of server-cert.pem and server-key.pem
  --tls-verify-peer     refuse clients without a certificate signed by
                        ca-cert.pem in the same directory
  --no-close-notify     end TLS without sending close_notify

How to speak the protocol:
  --newstyle-fixed      today's handshake (the default)
  --newstyle            its predecessor, with EXPORT_NAME as the only option
  --oldstyle            the first handshake: one export, no options
  --no-structured-replies   simple replies only; no extended headers either
  --no-extended-headers     compact headers only
  --no-zeroes-flag-off  do not offer to leave out the padding of EXPORT_NAME
  --no-go               neither GO nor INFO (nor extended headers, which need GO)
  --no-info             no INFO
  --no-list             refuse LIST
  --no-meta-context     no meta contexts
  --require-block-size  refuse GO to clients that do not ask for block sizes
  --option-error OPTION=ERROR
                        answer OPTION (GO, LIST, ...) with an error (UNSUP,
                        POLICY, INVALID, PLATFORM, TLS_REQD, UNKNOWN, SHUTDOWN,
                        BLOCK_SIZE_REQD, TOO_BIG, EXT_HEADER_REQD); EXPORT_NAME
                        cannot fail, so the connection is closed
  --read-chunks SIZE    split the data of reads into chunks of at most SIZE
  --min-hole SIZE       send SIZE zeroes in a row as a hole (default 4k)
  --no-holes            send all zeroes as data
  --reverse-chunks      send the chunks of a read last first
  --simple-acks         simple replies even with structured replies agreed,
                        where the protocol leaves the choice
  --long-extents        let the last extent reach past the request
  --slow-zero           refuse to zero fast (ENOTSUP)
  --df-limit SIZE       refuse longer reads in one chunk (EOVERFLOW)
  --lax-payload-flag    accept writes with extended headers that lack the payload
                        flag, as qemu's client sends them

How to misbehave. Counters are per connection, and the same input always gives
the same output.
  --shuffle N           hold up to N replies and send them in another order
  --interleave          mix the chunks of the replies held (8 without --shuffle)
  --seed N              seed for the order of --shuffle
  --delay MS            send each reply this much later
  --send-size SIZE      pass at most SIZE bytes to each send call
  --byte-at-a-time      the same as --send-size 1
  --stall-after SIZE    stop sending after SIZE bytes
  --close-after SIZE    close after sending SIZE bytes
  --close-after-requests N
                        close after replying to N requests
  --error COMMAND=ERROR[@OFFSET][:N]
                        fail COMMAND (READ, WRITE, FLUSH, TRIM, CACHE,
                        WRITE_ZEROES, BLOCK_STATUS) with ERROR (EPERM, EIO,
                        ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN or
                        a number); with OFFSET only if it touches that byte, and
                        then the reply names it; with N only the Nth time
  --fault NAME[:N]      violate the protocol; with N only at the Nth opportunity
  --bad-magic WHERE     the fault greeting-magic, option-magic or reply-magic
  --unknown-cookie      the fault reply-cookie
  --oversize-chunk      the fault data-oversize
  --wrong-chunk         the fault reply-wrong-chunk

The process:
  --memory-limit SIZE   memory for the content of all exports together (default
                        half of the machine's); writing more fails with ENOSPC
  --connections N       exit after N connections have ended
  --pid-file PATH       write the process id to PATH when clients can connect
  --ready-fd FD         write a byte to FD when clients can connect, and close it
  --exit-with-parent    exit when the parent process does
  --log                 one line for each option and request on standard error
  -h, --help            this text
  -V, --version         the version

Faults for --fault, by the messages that they affect:
";

/// Returns the whole text.
pub fn text() -> String {
    let mut text = OPTIONS.to_owned();
    let mut scope = None;
    for &(_, name, of, what) in faults::ALL {
        if scope != Some(of) {
            scope = Some(of);
            let title = match of {
                faults::Scope::Greeting => "the greeting",
                faults::Scope::Option => "the reply to any option",
                faults::Scope::StartTls => {
                    "STARTTLS; without --tls, every ACK is followed by plaintext"
                }
                faults::Scope::Info => "the reply to INFO and GO",
                faults::Scope::List => "the reply to LIST",
                faults::Scope::Context => "the reply to LIST_META_CONTEXT and SET_META_CONTEXT",
                faults::Scope::Reply => "the reply to any command",
                faults::Scope::Read => "the structured reply to READ",
                faults::Scope::Status => "the reply to BLOCK_STATUS",
            };
            // Writing to a string cannot fail.
            let _ = writeln!(text, " {title}:");
        }
        let _ = match name.len() {
            0..=22 => writeln!(text, "  {name:<22} {what}"),
            _ => writeln!(text, "  {name}\n{:25}{what}", ""),
        };
    }
    text
}
