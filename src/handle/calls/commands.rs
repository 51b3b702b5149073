// SPDX-License-Identifier: LGPL-2.1-or-later

//! The data commands: their rules, and functions that issue them.

use std::ffi::CString;

use super::checks::{Carries, Needs, Rules};
use super::issue::Issue;
use crate::error::Error;
use crate::handle::attachment::{Attachment, Buffer, DataCallback};
use crate::handle::buffer::{ReadBuffer, WriteBuffer};
use crate::handle::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use crate::handle::pieces::Pieces;
use crate::machine::NewCommand;
use crate::memory::{self, NoMemory};
use crate::protocol::flags::{command, TransmissionFlags};
use crate::protocol::request::{block_status_payload, RequestType};
use crate::text::{shown, text};

const PREAD: Rules = Rules {
    kind: RequestType::Read,
    flags: 0,
    needs: Needs::Nothing,
    changes: false,
    carries: Carries::Reply,
    has_range: true,
};

const PREAD_STRUCTURED: Rules = Rules {
    flags: command::DF,
    ..PREAD
};

const PWRITE: Rules = Rules {
    kind: RequestType::Write,
    flags: command::FUA | command::PAYLOAD_LEN,
    needs: Needs::Nothing,
    changes: true,
    carries: Carries::Payload,
    has_range: true,
};

const FLUSH: Rules = Rules {
    kind: RequestType::Flush,
    flags: 0,
    needs: Needs::Flag(TransmissionFlags::SEND_FLUSH, "flush operations"),
    changes: false,
    carries: Carries::Nothing,
    has_range: false,
};

const TRIM: Rules = Rules {
    kind: RequestType::Trim,
    flags: command::FUA,
    needs: Needs::Flag(TransmissionFlags::SEND_TRIM, "trim operations"),
    changes: true,
    carries: Carries::Nothing,
    has_range: true,
};

const CACHE: Rules = Rules {
    kind: RequestType::Cache,
    flags: 0,
    needs: Needs::Flag(TransmissionFlags::SEND_CACHE, "cache operations"),
    changes: false,
    carries: Carries::Nothing,
    has_range: true,
};

const ZERO: Rules = Rules {
    kind: RequestType::WriteZeroes,
    flags: command::FUA | command::NO_HOLE | command::FAST_ZERO,
    needs: Needs::Flag(TransmissionFlags::SEND_WRITE_ZEROES, "zero operations"),
    changes: true,
    carries: Carries::Nothing,
    has_range: true,
};

const BLOCK_STATUS: Rules = Rules {
    kind: RequestType::BlockStatus,
    flags: command::REQ_ONE,
    needs: Needs::Contexts,
    changes: false,
    carries: Carries::Nothing,
    has_range: true,
};

const BLOCK_STATUS_FILTER: Rules = Rules {
    flags: command::REQ_ONE | command::PAYLOAD_LEN,
    carries: Carries::Filter,
    ..BLOCK_STATUS
};

impl Issue<'_> {
    /// Issues a read or write of `count` bytes, the length of `buffer`. Inline, as
    /// [`issue`](Self::issue) is.
    #[inline(always)]
    fn transfer(
        &mut self,
        rules: &Rules,
        buffer: Buffer,
        count: u64,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let attachment = Attachment {
            buffer,
            ..Attachment::plain(completion)
        };
        self.issue(rules, flags, offset, count, attachment)
    }

    /// nbd_aio_pread(3)
    pub fn pread(
        &mut self,
        buf: ReadBuffer,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let count = buf.len() as u64;
        self.transfer(&PREAD, Buffer::Read(buf), count, offset, completion, flags)
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
        let count = buf.len() as u64;
        let attachment = Attachment {
            buffer: Buffer::Read(buf),
            callback: DataCallback::Chunk(chunk),
            ..Attachment::plain(completion)
        };
        self.issue(&PREAD_STRUCTURED, flags, offset, count, attachment)
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
        self.transfer(
            &PWRITE,
            Buffer::Write(buf),
            count,
            offset,
            completion,
            flags,
        )
    }

    /// nbd_ext_aio_preadv(3)
    pub fn preadv(
        &mut self,
        pieces: Pieces<ReadBuffer>,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let count = pieces.length() as u64;
        self.transfer(
            &PREAD,
            Buffer::ReadPieces(pieces),
            count,
            offset,
            completion,
            flags,
        )
    }

    /// nbd_ext_aio_pwritev(3)
    pub fn pwritev(
        &mut self,
        pieces: Pieces<WriteBuffer>,
        offset: u64,
        completion: nbd_completion_callback,
        flags: u32,
    ) -> Result<u64, Error> {
        let count = pieces.length() as u64;
        self.transfer(
            &PWRITE,
            Buffer::WritePieces(pieces),
            count,
            offset,
            completion,
            flags,
        )
    }

    /// nbd_aio_flush(3)
    pub fn flush(&mut self, completion: nbd_completion_callback, flags: u32) -> Result<u64, Error> {
        self.issue(&FLUSH, flags, 0, 0, Attachment::plain(completion))
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
        self.issue(&TRIM, flags, offset, count, attachment)
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
        self.issue(&CACHE, flags, offset, count, attachment)
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
        self.issue(&ZERO, flags, offset, count, attachment)
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
        let attachment = Attachment {
            callback: DataCallback::Extent(extent),
            ..Attachment::plain(completion)
        };
        self.issue(&BLOCK_STATUS, flags, offset, count, attachment)
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
        let attachment = Attachment {
            callback: DataCallback::Extent64(extent64),
            ..Attachment::plain(completion)
        };
        self.issue(&BLOCK_STATUS, flags, offset, count, attachment)
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
        let attachment = Attachment {
            callback: DataCallback::Extent64(extent64),
            ..Attachment::plain(completion)
        };
        let rules = &BLOCK_STATUS_FILTER;
        let flags = self.connection.checks().command(rules, flags)?;
        let ids = self.context_ids(&contexts)?;
        self.connection.checks().range(rules, offset, count)?;
        let payload = block_status_payload(count, &ids).map_err(NoMemory::from)?;
        self.issue_checked(NewCommand {
            kind: rules.kind,
            flags,
            offset,
            length: count,
            payload: Some(payload),
            reports_data: false,
            attachment,
        })
    }

    /// Returns the ids of meta contexts in effect.
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
}
