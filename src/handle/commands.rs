// SPDX-License-Identifier: LGPL-2.1-or-later

//! Issuing data commands without waiting for them.

use std::ffi::CString;

use super::buffer::{ReadBuffer, WriteBuffer};
use super::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use super::connection::Connection;
use super::settings::strict;
use crate::error::Error;
use crate::machine::NewCommand;
use crate::protocol::flags::{command, TransmissionFlags};
use crate::protocol::request::{block_status_payload, RequestType};

/// What the machine keeps with a command and does not look at. The fields are
/// in the order in which they are freed (libnbd(3), "Callback lifetimes").
#[derive(Debug)]
pub struct Attachment {
    pub(super) buffer: Buffer,
    pub(super) callback: DataCallback,
    pub(super) completion: nbd_completion_callback,
}

/// The user's memory.
#[derive(Debug)]
pub(super) enum Buffer {
    None,
    Read(ReadBuffer),
    Write(WriteBuffer),
}

/// What is called while the reply comes.
#[derive(Debug)]
pub(super) enum DataCallback {
    None,
    Chunk(nbd_chunk_callback),
    Extent(nbd_extent_callback),
    Extent64(nbd_extent64_callback),
}

impl Attachment {
    fn new(buffer: Buffer, callback: DataCallback, completion: nbd_completion_callback) -> Self {
        Attachment {
            buffer,
            callback,
            completion,
        }
    }
}

impl Connection {
    /// nbd_aio_pread(3)
    pub fn aio_pread(
        &mut self,
        buf: ReadBuffer,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        self.read(buf, offset, DataCallback::None, completion, flags, 0)
    }

    /// nbd_aio_pread_structured(3)
    pub fn aio_pread_structured(
        &mut self,
        buf: ReadBuffer,
        offset: u64,
        chunk: nbd_chunk_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let chunk = DataCallback::Chunk(chunk);
        self.read(buf, offset, chunk, completion, flags, command::DF)
    }

    fn read(
        &mut self,
        buf: ReadBuffer,
        offset: u64,
        callback: DataCallback,
        completion: nbd_completion_callback,
        flags: u32,
        known: u16,
    ) -> Result<u64, Error> {
        let count = buf.len() as u64;
        let attachment = Attachment::new(Buffer::Read(buf), callback, completion);
        let wire = self.check_flags(flags, known)?;
        // A read that cannot be fragmented would not ask for it; a flag that
        // does not belong there is not looked at any closer.
        if wire & known & command::DF != 0 {
            self.require(TransmissionFlags::SEND_DF, "the DF flag")?;
        }
        self.issue_range(RequestType::Read, wire, offset, count, attachment)
    }

    /// nbd_aio_pwrite(3)
    pub fn aio_pwrite(
        &mut self,
        buf: WriteBuffer,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let count = buf.len() as u64;
        let attachment = Attachment::new(Buffer::Write(buf), DataCallback::None, completion);
        let wire = self.check_flags(flags, command::FUA | command::PAYLOAD_LEN)?;
        self.require_writable()?;
        self.require_fua(wire)?;
        let wire = self.payload_flag(wire)?;
        self.issue_range(RequestType::Write, wire, offset, count, attachment)
    }

    /// nbd_aio_flush(3)
    pub fn aio_flush(
        &mut self,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::new(Buffer::None, DataCallback::None, completion);
        let wire = self.check_flags(flags, 0)?;
        self.require(TransmissionFlags::SEND_FLUSH, "flush operations")?;
        self.issue(RequestType::Flush, wire, 0, 0, None, attachment)
    }

    /// nbd_aio_trim(3)
    pub fn aio_trim(
        &mut self,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::new(Buffer::None, DataCallback::None, completion);
        let wire = self.check_flags(flags, command::FUA)?;
        self.require(TransmissionFlags::SEND_TRIM, "trim operations")?;
        self.require_writable()?;
        self.require_fua(wire)?;
        self.issue_range(RequestType::Trim, wire, offset, count, attachment)
    }

    /// nbd_aio_cache(3)
    pub fn aio_cache(
        &mut self,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::new(Buffer::None, DataCallback::None, completion);
        let wire = self.check_flags(flags, 0)?;
        self.require(TransmissionFlags::SEND_CACHE, "cache operations")?;
        self.issue_range(RequestType::Cache, wire, offset, count, attachment)
    }

    /// nbd_aio_zero(3)
    pub fn aio_zero(
        &mut self,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::new(Buffer::None, DataCallback::None, completion);
        let known = command::FUA | command::NO_HOLE | command::FAST_ZERO;
        let wire = self.check_flags(flags, known)?;
        self.require(TransmissionFlags::SEND_WRITE_ZEROES, "zero operations")?;
        self.require_writable()?;
        self.require_fua(wire)?;
        if wire & command::FAST_ZERO != 0 {
            self.require(TransmissionFlags::SEND_FAST_ZERO, "the fast zero flag")?;
        }
        self.issue_range(RequestType::WriteZeroes, wire, offset, count, attachment)
    }

    /// nbd_aio_block_status(3)
    pub fn aio_block_status(
        &mut self,
        count: u64,
        offset: u64,
        extent: nbd_extent_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let extent = DataCallback::Extent(extent);
        let attachment = Attachment::new(Buffer::None, extent, completion);
        self.status(count, offset, attachment, flags)
    }

    /// nbd_aio_block_status_64(3)
    pub fn aio_block_status_64(
        &mut self,
        count: u64,
        offset: u64,
        extent64: nbd_extent64_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let extent64 = DataCallback::Extent64(extent64);
        let attachment = Attachment::new(Buffer::None, extent64, completion);
        self.status(count, offset, attachment, flags)
    }

    fn status(
        &mut self,
        count: u64,
        offset: u64,
        attachment: Attachment,
        flags: u32,
    ) -> Result<u64, Error> {
        let wire = self.check_flags(flags, command::REQ_ONE)?;
        self.require_block_status()?;
        self.issue_range(RequestType::BlockStatus, wire, offset, count, attachment)
    }

    /// nbd_aio_block_status_filter(3)
    pub fn aio_block_status_filter(
        &mut self,
        count: u64,
        offset: u64,
        contexts: Vec<CString>,
        extent64: nbd_extent64_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let extent64 = DataCallback::Extent64(extent64);
        let attachment = Attachment::new(Buffer::None, extent64, completion);
        let wire = self.check_flags(flags, command::REQ_ONE | command::PAYLOAD_LEN)?;
        self.require_block_status()?;
        if self.is_strict(strict::AUTO_FLAG) && !self.machine.negotiated().extended_headers {
            let what = "server does not support extended headers";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        let flag = TransmissionFlags::BLOCK_STATUS_PAYLOAD;
        self.require(flag, "the block status payload flag")?;
        let wire = self.payload_flag(wire)?;
        let ids = self.context_ids(&contexts)?;
        self.check_not_disconnecting()?;
        self.check_range(RequestType::BlockStatus, offset, count)?;
        let payload = block_status_payload(count, &ids).into_boxed_slice();
        let kind = RequestType::BlockStatus;
        self.issue(kind, wire, offset, count, Some(payload), attachment)
    }

    /// The ids of negotiated contexts.
    fn context_ids(&self, names: &[CString]) -> Result<Vec<u32>, Error> {
        let negotiated = self.machine.export().meta_contexts.as_deref();
        let negotiated = negotiated.unwrap_or_default();
        let id = |name: &CString| {
            let found = negotiated.iter().find(|context| context.name == *name);
            found.map(|context| context.id).ok_or_else(|| {
                let what = format!("context {} not negotiated", name.to_string_lossy());
                Error::new(libc::EINVAL, what)
            })
        };
        names.iter().map(id).collect()
    }

    fn issue_range(
        &mut self,
        kind: RequestType,
        wire: u16,
        offset: u64,
        count: u64,
        attachment: Attachment,
    ) -> Result<u64, Error> {
        self.check_not_disconnecting()?;
        self.check_range(kind, offset, count)?;
        self.issue(kind, wire, offset, count, None, attachment)
    }

    /// Queues a command that passed all checks and sends what can be sent.
    fn issue(
        &mut self,
        kind: RequestType,
        flags: u16,
        offset: u64,
        length: u64,
        payload: Option<Box<[u8]>>,
        attachment: Attachment,
    ) -> Result<u64, Error> {
        self.check_not_disconnecting()?;
        let lacks_payload = kind == RequestType::BlockStatus
            && flags & command::PAYLOAD_LEN != 0
            && payload.is_none()
            && self.machine.negotiated().extended_headers;
        let cookie = self.queue(|this| {
            let cookie = this.machine.issue(NewCommand {
                kind,
                flags,
                offset,
                length,
                payload,
                attachment,
            });
            this.shared.publish_in_flight(this.machine.in_flight());
            cookie
        });
        if lacks_payload {
            // The server would wait for the payload that the request announces.
            // Source: seen with libnbd 1.24.4.
            self.die(Error::new(libc::EFAULT, "send: Bad address"));
        }
        Ok(cookie)
    }
}
