// SPDX-License-Identifier: LGPL-2.1-or-later

//! Replacement for `tls.rs` in a build without TLS. Its types have no values,
//! so only `configure` is ever called.

// Documented in tls.rs.
#![allow(missing_docs)]

use std::convert::Infallible;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::output::Output;

#[derive(Debug)]
pub enum ServerConfig {}

#[derive(Debug)]
pub enum Tls {}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Received {
    Open,
    Closed,
}

pub fn configure(_directory: &Path, _verify_peer: bool) -> io::Result<Arc<ServerConfig>> {
    let message = "this memserver was built without TLS";
    Err(io::Error::new(io::ErrorKind::Unsupported, message))
}

impl Tls {
    pub fn new(config: &Arc<ServerConfig>) -> io::Result<Tls> {
        match **config {}
    }

    pub fn decrypt(&mut self, _: &[u8], _: &mut Vec<u8>) -> Result<Received, Infallible> {
        match *self {}
    }

    pub fn encrypt(&mut self, _: &mut Output) -> io::Result<()> {
        match *self {}
    }

    pub fn has_records(&self) -> bool {
        match *self {}
    }

    pub fn write_to(&mut self, _: &mut File, _: usize) -> io::Result<(usize, usize)> {
        match *self {}
    }

    pub fn finish(&mut self) {
        match *self {}
    }

    pub fn is_handshaking(&self) -> bool {
        match *self {}
    }

    pub fn summary(&self) -> String {
        match *self {}
    }
}
