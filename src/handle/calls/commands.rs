// SPDX-License-Identifier: LGPL-2.1-or-later

//! Issuing data commands without waiting for them.

use std::ffi::CString;

use crate::constants::LIBNBD_STRICT_AUTO_FLAG;
use crate::error::Error;
use crate::handle::attachment::{Attachment, Buffer, DataCallback, Waiter};
use crate::handle::buffer::{ReadBuffer, WriteBuffer};
use crate::handle::call::Call;
use crate::handle::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use crate::handle::connection::Connection;
use crate::machine::NewCommand;
use crate::memory::{self, NoMemory};
use crate::protocol::flags::{command, TransmissionFlags};
use crate::protocol::request::{block_status_payload, RequestType};
use crate::text::{shown, text};

/// A connection for issuing data commands.
#[derive(Debug)]
pub struct Issue<'a> {
    connection: &'a mut Connection,
    waiter: Waiter,
}

impl Connection {
    /// For issuing data commands.
    pub(super) fn issue(&mut self) -> Issue<'_> {
        Issue {
            connection: self,
            waiter: Waiter::Program,
        }
    }
}

impl Call<'_> {
    /// Issues a command that the program waits for by itself.
    pub fn issue_only(
        &mut self,
        issue: impl FnOnce(Issue<'_>) -> Result<u64, Error>,
    ) -> Result<u64, Error> {
        let cookie = issue(self.issue())?;
        self.send_for_poll();
        Ok(cookie)
    }
}

impl Issue<'_> {
    /// The same for a command that a call waits for.
    pub(super) fn synchronously(mut self) -> Self {
        self.waiter = Waiter::Call;
        self
    }

    /// nbd_aio_pread(3)
    pub fn pread(
        &mut self,
        buf: ReadBuffer,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        self.read(buf, offset, DataCallback::None, completion, flags, 0)
    }

    /// nbd_aio_pread_structured(3)
    pub fn pread_structured(
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
        let attachment = Attachment {
            buffer: Buffer::Read(buf),
            callback,
            ..Attachment::plain(completion)
        };
        let wire = self.connection.checks().flags(flags, known)?;
        // A read that cannot be fragmented would not ask for it; a flag that
        // does not belong there is not looked at any closer.
        if wire & known & command::DF != 0 {
            self.connection
                .checks()
                .require(TransmissionFlags::SEND_DF, "the DF flag")?;
        }
        self.issue_range(RequestType::Read, wire, offset, count, attachment)
    }

    /// nbd_aio_pwrite(3)
    pub fn pwrite(
        &mut self,
        buf: WriteBuffer,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let count = buf.len() as u64;
        let attachment = Attachment {
            buffer: Buffer::Write(buf),
            ..Attachment::plain(completion)
        };
        let wire = self
            .connection
            .checks()
            .flags(flags, command::FUA | command::PAYLOAD_LEN)?;
        self.connection.checks().require_writable()?;
        self.connection.checks().require_fua(wire)?;
        let wire = self.connection.checks().payload_flag(wire)?;
        self.issue_range(RequestType::Write, wire, offset, count, attachment)
    }

    /// nbd_aio_flush(3)
    pub fn flush(&mut self, completion: nbd_completion_callback, flags: u32) -> Result<u64, Error> {
        let attachment = Attachment::plain(completion);
        let wire = self.connection.checks().flags(flags, 0)?;
        self.connection
            .checks()
            .require(TransmissionFlags::SEND_FLUSH, "flush operations")?;
        self.connection.checks().not_disconnecting()?;
        self.queue(RequestType::Flush, wire, 0, 0, None, attachment)
    }

    /// nbd_aio_trim(3)
    pub fn trim(
        &mut self,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::plain(completion);
        let wire = self.connection.checks().flags(flags, command::FUA)?;
        self.connection
            .checks()
            .require(TransmissionFlags::SEND_TRIM, "trim operations")?;
        self.connection.checks().require_writable()?;
        self.connection.checks().require_fua(wire)?;
        self.issue_range(RequestType::Trim, wire, offset, count, attachment)
    }

    /// nbd_aio_cache(3)
    pub fn cache(
        &mut self,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::plain(completion);
        let wire = self.connection.checks().flags(flags, 0)?;
        self.connection
            .checks()
            .require(TransmissionFlags::SEND_CACHE, "cache operations")?;
        self.issue_range(RequestType::Cache, wire, offset, count, attachment)
    }

    /// nbd_aio_zero(3)
    pub fn zero(
        &mut self,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment::plain(completion);
        let known = command::FUA | command::NO_HOLE | command::FAST_ZERO;
        let wire = self.connection.checks().flags(flags, known)?;
        self.connection
            .checks()
            .require(TransmissionFlags::SEND_WRITE_ZEROES, "zero operations")?;
        self.connection.checks().require_writable()?;
        self.connection.checks().require_fua(wire)?;
        if wire & command::FAST_ZERO != 0 {
            self.connection
                .checks()
                .require(TransmissionFlags::SEND_FAST_ZERO, "the fast zero flag")?;
        }
        self.issue_range(RequestType::WriteZeroes, wire, offset, count, attachment)
    }

    /// nbd_aio_block_status(3)
    pub fn block_status(
        &mut self,
        count: u64,
        offset: u64,
        extent: nbd_extent_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let extent = DataCallback::Extent(extent);
        let attachment = Attachment {
            callback: extent,
            ..Attachment::plain(completion)
        };
        self.status(count, offset, attachment, flags)
    }

    /// nbd_aio_block_status_64(3)
    pub fn block_status_64(
        &mut self,
        count: u64,
        offset: u64,
        extent64: nbd_extent64_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let extent64 = DataCallback::Extent64(extent64);
        let attachment = Attachment {
            callback: extent64,
            ..Attachment::plain(completion)
        };
        self.status(count, offset, attachment, flags)
    }

    fn status(
        &mut self,
        count: u64,
        offset: u64,
        attachment: Attachment,
        flags: u32,
    ) -> Result<u64, Error> {
        let wire = self.connection.checks().flags(flags, command::REQ_ONE)?;
        self.connection.checks().require_block_status()?;
        self.issue_range(RequestType::BlockStatus, wire, offset, count, attachment)
    }

    /// nbd_aio_block_status_filter(3)
    pub fn block_status_filter(
        &mut self,
        count: u64,
        offset: u64,
        contexts: Vec<CString>,
        extent64: nbd_extent64_callback,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let extent64 = DataCallback::Extent64(extent64);
        let attachment = Attachment {
            callback: extent64,
            ..Attachment::plain(completion)
        };
        let wire = self
            .connection
            .checks()
            .flags(flags, command::REQ_ONE | command::PAYLOAD_LEN)?;
        self.connection.checks().require_block_status()?;
        if self.connection.checks().is_strict(LIBNBD_STRICT_AUTO_FLAG)
            && !self.connection.link.machine.negotiated().extended_headers
        {
            let what = "server does not support extended headers";
            return Err(Error::new(libc::ENOTSUP, what));
        }
        let flag = TransmissionFlags::BLOCK_STATUS_PAYLOAD;
        self.connection
            .checks()
            .require(flag, "the block status payload flag")?;
        let wire = self.connection.checks().payload_flag(wire)?;
        let ids = self.context_ids(&contexts)?;
        self.connection.checks().not_disconnecting()?;
        self.connection
            .checks()
            .range(RequestType::BlockStatus, offset, count)?;
        let payload = block_status_payload(count, &ids).map_err(NoMemory::from)?;
        let kind = RequestType::BlockStatus;
        self.queue(kind, wire, offset, count, Some(payload), attachment)
    }

    /// The ids of negotiated contexts.
    fn context_ids(&self, names: &[CString]) -> Result<Vec<u32>, Error> {
        let negotiated = self.connection.link.machine.meta_contexts();
        let id = |name: &CString| {
            let found = negotiated.by_name(name);
            found.map(|context| context.id).ok_or_else(|| {
                let what = text!("context {} not negotiated", shown(name));
                Error::new(libc::EINVAL, what)
            })
        };
        memory::collect(names.iter().map(id))
    }

    fn issue_range(
        &mut self,
        kind: RequestType,
        wire: u16,
        offset: u64,
        count: u64,
        attachment: Attachment,
    ) -> Result<u64, Error> {
        self.connection.checks().not_disconnecting()?;
        self.connection.checks().range(kind, offset, count)?;
        self.queue(kind, wire, offset, count, None, attachment)
    }

    /// Queues a command that passed all checks and sends what can be sent.
    fn queue(
        &mut self,
        kind: RequestType,
        flags: u16,
        offset: u64,
        length: u64,
        payload: Option<Box<[u8]>>,
        mut attachment: Attachment,
    ) -> Result<u64, Error> {
        attachment.waiter = self.waiter;
        let in_flight = self.connection.link.machine.in_flight();
        let synchronous = usize::from(self.waiter == Waiter::Call);
        if self.waiter == Waiter::Program {
            self.connection.completions.completed.reserve(in_flight)?;
        }
        let lacks_payload = kind == RequestType::BlockStatus
            && flags & command::PAYLOAD_LEN != 0
            && payload.is_none()
            && self.connection.link.machine.negotiated().extended_headers;
        // Counted before the request is sent, since that may end the connection.
        self.connection.completions.synchronous += synchronous;
        let issued = self.connection.queue(|link| {
            link.machine.issue(NewCommand {
                kind,
                flags,
                offset,
                length,
                payload,
                attachment,
            })
        });
        let cookie = issued.inspect_err(|_| {
            self.connection.completions.synchronous -= synchronous;
        })?;
        if lacks_payload {
            // The server would wait for the payload that the request announces.
            // Source: seen with libnbd 1.24.4.
            self.connection
                .end(Error::new(libc::EFAULT, "send: Bad address").into());
        }
        Ok(cookie)
    }
}
