// SPDX-License-Identifier: LGPL-2.1-or-later

//! Sending: from the machine to the socket.

use libc::iovec;

use super::{Link, Lost, Stage};
use crate::machine::{Piece, State, Unsent};

/// The maximum number of pieces of memory sent by one system call. Unless its payload is in several
/// buffers, a request has at most two.
const MAX_PIECES: usize = 128;

const EMPTY: iovec = iovec {
    iov_base: std::ptr::null_mut(),
    iov_len: 0,
};

impl Link {
    /// Sends a request and its data, as far as the socket accepts them. The rest is queued. The
    /// queue must be empty.
    pub fn send_request(&mut self, request: Unsent, data: Option<iovec>) -> Result<(), Lost> {
        let header = iovec {
            iov_base: request.header().as_ptr().cast_mut().cast(),
            iov_len: request.header().len(),
        };
        let sent = match &mut self.stage {
            // SAFETY: the header is valid until the call returns, and the data is a buffer that
            // the program keeps until its command completes.
            Stage::Connected(channel) => unsafe {
                match data {
                    Some(data) => channel.send_raw(&[header, data]),
                    None => channel.send_raw(&[header]),
                }
            },
            _ => Ok(0),
        };
        let count = sent.as_ref().map_or(0, |count| *count);
        self.machine.sent_at_once(request, count);
        Ok(sent.map(drop)?)
    }

    /// Sends queued data, as far as the socket accepts it.
    pub fn send(&mut self) -> Result<(), Lost> {
        self.holds = false;
        if matches!(self.machine.state(), State::Closed | State::Dead) {
            return Ok(());
        }
        let Stage::Connected(channel) = &mut self.stage else {
            return Ok(());
        };
        match channel.flush() {
            // A server that closes the connection after NBD_CMD_DISC may not read the
            // close_notify.
            Err(_) if self.machine.has_sent_last_message() => {}
            flushed => flushed?,
        }
        while self.machine.wants_to_send() {
            let mut pieces = [const { EMPTY }; MAX_PIECES];
            let mut used = 0;
            for piece in self.machine.outgoing() {
                let places = &mut pieces[used..];
                let Some(place) = places.first_mut() else {
                    break;
                };
                used += match piece {
                    Piece::Bytes(bytes) => {
                        *place = iovec {
                            iov_base: bytes.as_ptr().cast_mut().cast(),
                            iov_len: bytes.len(),
                        };
                        1
                    }
                    Piece::Data { command, at } => command.attachment.buffer.pieces(at, places),
                };
            }
            let pieces = &pieces[..used];
            let length = pieces.iter().map(|piece| piece.iov_len).sum();
            // SAFETY: the pieces are bytes of the machine, which is not changed before the call
            // returns, and of buffers that the program keeps until their commands complete.
            let sent = unsafe { channel.send_raw(pieces) }?;
            self.machine.sent(sent);
            if sent < length {
                return Ok(());
            }
        }
        // Nothing follows NBD_CMD_DISC. A server with several threads for each connection closes
        // it only at the end of the stream.
        // Source: seen with libnbd 1.24.4.
        if self.machine.has_sent_last_message() {
            channel.end_stream();
            if channel.wants_to_send() {
                return Ok(());
            }
            // A reply to NBD_OPT_ABORT would change nothing, so it is not awaited.
            self.machine.finish_abort()?;
        }
        Ok(())
    }
}
