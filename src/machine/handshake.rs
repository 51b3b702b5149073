// SPDX-License-Identifier: LGPL-2.1-or-later

//! The beginning of a connection, up to the first option ("Handshake").

use super::core::Machine;
use super::export::{Negotiated, Protocol};
use super::fault::Fault;
use super::options::CONNECTING;
use super::phase::Phase;
use super::position::Position;
use crate::error::Error;
use crate::protocol::flags::{self, TransmissionFlags};
use crate::protocol::handshake::{self, BadGreeting, Style};

impl<T> Machine<T> {
    /// Parses a part of the handshake or of an option reply. Returns false if more bytes are
    /// needed.
    pub(super) fn negotiate(&mut self, input: &mut &[u8]) -> bool {
        let taken = self.parse_handshake(input);
        taken.unwrap_or_else(|error| {
            self.fail_with(error);
            true
        })
    }

    fn parse_handshake(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        if let Phase::Option(_) = *self.phase {
            return self.option_reply(input);
        }
        let Some(length) = self.handshake_length() else {
            return self.unexpected_bytes(input);
        };
        let Some(message) = self.inbox.take(input, length) else {
            return Ok(false);
        };
        match *self.phase {
            Phase::Greeting => self.greeting(&message)?,
            Phase::Oldstyle => self.oldstyle(&message)?,
            Phase::HandshakeFlags => self.handshake_flags(&message)?,
            Phase::ExportName(position) => self.export_name_reply(position, &message)?,
            _ => {}
        }
        Ok(true)
    }

    /// Handles bytes that arrive when none are expected.
    fn unexpected_bytes(&mut self, input: &mut &[u8]) -> Result<bool, Error> {
        if input.is_empty() {
            return Ok(false);
        }
        if let Phase::TlsHandshake(_) = *self.phase {
            return Err(self.plaintext_after_agreement(input).into());
        }
        // These bytes answer no request, and must not be taken for the answer to a later one.
        *input = &[];
        Err(Fault::UnexpectedBytes.into())
    }

    fn greeting(&mut self, message: &[u8]) -> Result<(), Error> {
        match handshake::greeting(message.try_into().expect("exact length")) {
            Ok(Style::Oldstyle) => self.phase.await_oldstyle(),
            Ok(Style::Newstyle) => self.phase.await_handshake_flags(),
            Err(BadGreeting::NotNbd) => return Err(Fault::NotNbd.into()),
            Err(BadGreeting::UnknownStyle) => return Err(Fault::UnknownStyle.into()),
        }
        self.traffic.chunks_received += 1;
        Ok(())
    }

    fn oldstyle(&mut self, message: &[u8]) -> Result<(), Error> {
        let (size, flags) = handshake::oldstyle(message).expect("exact length");
        self.note(format!("gflags: 0x{:x}", flags >> 16));
        if flags > u32::from(u16::MAX) {
            return Err(Fault::OldstyleFlags.into());
        }
        self.negotiated.protocol = Some(Protocol::Oldstyle);
        self.negotiated.handshake_flags = 0;
        let settled = self.settle_tls("handshake: server is oldstyle")?;
        self.set_export_details(size, flags as u16)?;
        self.phase.enter_transmission(settled);
        Ok(())
    }

    fn handshake_flags(&mut self, message: &[u8]) -> Result<(), Error> {
        let offered = u16::from_be_bytes(message.try_into().expect("exact length"));
        let agreed = offered & self.preferences.handshake_flags;
        self.negotiated.handshake_flags = agreed;
        if agreed & flags::FIXED_NEWSTYLE != 0 {
            self.negotiated.protocol = Some(Protocol::NewstyleFixed);
        } else {
            self.negotiated.protocol = Some(Protocol::Newstyle);
            self.settle_tls("handshake: server is not using fixed newstyle")?;
        }
        let client_flags = u32::from(agreed).to_be_bytes();
        self.outgoing.handshake().extend_from_slice(&client_flags);
        self.take_step(Position::connecting(CONNECTING))?;
        Ok(())
    }

    /// Stores size in bytes and transmission flags of the export. Fails if no flag is set.
    ///
    /// Source: seen with libnbd 1.24.4, which does not require `NBD_FLAG_HAS_FLAGS`.
    pub(super) fn set_export_details(&mut self, size: u64, flags: u16) -> Result<(), Fault> {
        self.note(format!("exportsize: {size} eflags: 0x{flags:x}"));
        if flags == 0 {
            return Err(Fault::NoTransmissionFlags);
        }
        let flags = self.negotiated_flags(TransmissionFlags(flags));
        self.export.details = Some((size, flags));
        if self.preferences.request_meta_context {
            self.meta_contexts.select_none_unless_named();
        }
        Ok(())
    }

    /// Removes flags that depend on features that were not negotiated.
    fn negotiated_flags(&mut self, mut flags: TransmissionFlags) -> TransmissionFlags {
        let Negotiated {
            structured_replies,
            extended_headers,
            ..
        } = self.negotiated;
        if flags.has(TransmissionFlags::SEND_DF) && !structured_replies {
            self.note("server lacks structured replies, ignoring claim of df");
            flags.0 &= !TransmissionFlags::SEND_DF;
        }
        if flags.has(TransmissionFlags::BLOCK_STATUS_PAYLOAD) && !extended_headers {
            self.note("server lacks extended headers, ignoring claim of block status payload");
            flags.0 &= !TransmissionFlags::BLOCK_STATUS_PAYLOAD;
        }
        flags
    }
}
