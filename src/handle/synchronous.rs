// SPDX-License-Identifier: LGPL-2.1-or-later

//! Data commands that wait for their reply.

use std::ffi::CString;

use super::buffer::{ReadBuffer, WriteBuffer};
use super::callback::{
    nbd_chunk_callback, nbd_completion_callback, nbd_extent64_callback, nbd_extent_callback,
};
use super::connection::Connection;
use crate::error::Error;

impl Connection {
    /// nbd_pread(3)
    pub fn pread(&mut self, buf: ReadBuffer, offset: u64, flags: u32) -> Result<(), Error> {
        let cookie = self.aio_pread(buf, offset, nbd_completion_callback::null(), flags)?;
        self.wait_for(cookie)
    }

    /// nbd_pread_structured(3)
    pub fn pread_structured(
        &mut self,
        buf: ReadBuffer,
        offset: u64,
        chunk: nbd_chunk_callback,
        flags: u32,
    ) -> Result<(), Error> {
        let completion = nbd_completion_callback::null();
        let cookie = self.aio_pread_structured(buf, offset, chunk, completion, flags)?;
        self.wait_for(cookie)
    }

    /// nbd_pwrite(3)
    pub fn pwrite(&mut self, buf: WriteBuffer, offset: u64, flags: u32) -> Result<(), Error> {
        let cookie = self.aio_pwrite(buf, offset, nbd_completion_callback::null(), flags)?;
        self.wait_for(cookie)
    }

    /// nbd_flush(3)
    pub fn flush(&mut self, flags: u32) -> Result<(), Error> {
        let cookie = self.aio_flush(nbd_completion_callback::null(), flags)?;
        self.wait_for(cookie)
    }

    /// nbd_trim(3)
    pub fn trim(&mut self, count: u64, offset: u64, flags: u32) -> Result<(), Error> {
        let cookie = self.aio_trim(count, offset, nbd_completion_callback::null(), flags)?;
        self.wait_for(cookie)
    }

    /// nbd_cache(3)
    pub fn cache(&mut self, count: u64, offset: u64, flags: u32) -> Result<(), Error> {
        let cookie = self.aio_cache(count, offset, nbd_completion_callback::null(), flags)?;
        self.wait_for(cookie)
    }

    /// nbd_zero(3)
    pub fn zero(&mut self, count: u64, offset: u64, flags: u32) -> Result<(), Error> {
        let cookie = self.aio_zero(count, offset, nbd_completion_callback::null(), flags)?;
        self.wait_for(cookie)
    }

    /// nbd_block_status(3)
    pub fn block_status(
        &mut self,
        count: u64,
        offset: u64,
        extent: nbd_extent_callback,
        flags: u32,
    ) -> Result<(), Error> {
        let completion = nbd_completion_callback::null();
        let cookie = self.aio_block_status(count, offset, extent, completion, flags)?;
        self.wait_for(cookie)
    }

    /// nbd_block_status_64(3)
    pub fn block_status_64(
        &mut self,
        count: u64,
        offset: u64,
        extent64: nbd_extent64_callback,
        flags: u32,
    ) -> Result<(), Error> {
        let completion = nbd_completion_callback::null();
        let cookie = self.aio_block_status_64(count, offset, extent64, completion, flags)?;
        self.wait_for(cookie)
    }

    /// nbd_block_status_filter(3)
    pub fn block_status_filter(
        &mut self,
        count: u64,
        offset: u64,
        contexts: Vec<CString>,
        extent64: nbd_extent64_callback,
        flags: u32,
    ) -> Result<(), Error> {
        let completion = nbd_completion_callback::null();
        let cookie =
            self.aio_block_status_filter(count, offset, contexts, extent64, completion, flags)?;
        self.wait_for(cookie)
    }
}
