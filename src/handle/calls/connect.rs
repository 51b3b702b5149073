// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting, for each kind of address.

use std::ffi::{CStr, CString};

use libc::c_int;

use crate::error::Error;
use crate::handle::call::Call;
use crate::handle::connection::Connection;
use crate::handle::endpoint::Endpoint;
use crate::handle::interruption::Stop;
use crate::machine::State;
use crate::memory;
use crate::transport::{Connector, Socket, Subprocess};

/// A connection that can connect.
#[derive(Debug)]
pub struct Connecting<'a> {
    pub(super) connection: &'a mut Connection,
}

impl Connection {
    /// Provides the functions to connect.
    pub fn connecting(&mut self) -> Connecting<'_> {
        Connecting { connection: self }
    }
}

impl Connecting<'_> {
    /// nbd_aio_connect_unix(3)
    pub fn unix(&mut self, unixsocket: &CStr) -> Result<(), Error> {
        let path = memory::copy(unixsocket)?;
        self.connect_to(Endpoint::Unix { path }, || Connector::unix(unixsocket))
    }

    /// nbd_aio_connect_tcp(3)
    pub fn tcp(&mut self, hostname: &CStr, port: &CStr) -> Result<(), Error> {
        let endpoint = Endpoint::Tcp {
            host: memory::copy(hostname)?,
            port: memory::copy(port)?,
        };
        self.connect_to(endpoint, || Connector::tcp(hostname, port))
    }

    /// nbd_aio_connect_vsock(3)
    pub fn vsock(&mut self, cid: u32, port: u32) -> Result<(), Error> {
        let endpoint = Endpoint::Vsock { cid, port };
        self.connect_to(endpoint, || Ok(Connector::vsock(cid, port)))
    }

    /// nbd_aio_connect(3). `address` is the program's struct sockaddr.
    pub fn address(&mut self, address: &[u8]) -> Result<(), Error> {
        let endpoint = Endpoint::from_sockaddr(address);
        self.connect_to(endpoint, || Connector::sockaddr(address))
    }

    /// nbd_aio_connect_socket(3). On success, the library owns the socket.
    pub fn socket(&mut self, sock: c_int) -> Result<(), Error> {
        let socket = Socket::from_program(sock)?;
        self.connection.report.shared.set_program_polls();
        self.connected(socket)
    }

    /// nbd_aio_connect_command(3)
    pub fn command(&mut self, argv: Vec<CString>) -> Result<(), Error> {
        let stderr = self.connection.settings.stderr;
        let (subprocess, socket) = Subprocess::command(&argv, stderr)?;
        self.connection.link.subprocess = Some(subprocess);
        self.connected(socket)
    }

    /// Connects through a command that forwards its standard input and output to the server.
    pub(super) fn tunnel(&mut self, argv: &[CString]) -> Result<(), Error> {
        let stderr = self.connection.settings.stderr;
        let (subprocess, socket) = Subprocess::tunnel(argv, stderr)?;
        self.connection.link.subprocess = Some(subprocess);
        self.connected(socket)
    }

    /// nbd_aio_connect_systemd_socket_activation(3)
    pub fn systemd_socket_activation(&mut self, argv: Vec<CString>) -> Result<(), Error> {
        let settings = &self.connection.settings;
        let (name, stderr) = (settings.socket_activation_name(), settings.stderr);
        let (subprocess, connector, path) = Subprocess::socket_activation(&argv, name, stderr)?;
        self.connection.link.subprocess = Some(subprocess);
        self.connect_to(Endpoint::Unix { path }, || Ok(connector))
    }

    /// Starts to connect with the result of `connector`.
    fn connect_to(
        &mut self,
        endpoint: Endpoint,
        connector: impl FnOnce() -> Result<Connector, Error>,
    ) -> Result<(), Error> {
        // An invalid address leaves the handle unchanged.
        let connector = connector()?.with_tcp_options(self.connection.settings.tcp);
        match self.connection.link.connect(endpoint, connector) {
            Ok(()) => self.connection.begin(),
            // Over TCP the program may try again, for example with another name.
            Err(error) if self.connection.link.endpoint.host().is_some() => {
                self.connection.link.forget_attempt();
                Err(error)
            }
            Err(error) => Err(self.connection.end(error.into())),
        }
    }

    fn connected(&mut self, socket: Socket) -> Result<(), Error> {
        self.connection.link.connected(socket);
        self.connection.begin()
    }
}

impl Call<'_> {
    /// Connects, and waits until the connection is established.
    pub async fn until_connected(
        &mut self,
        connect: impl FnOnce(Connecting<'_>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        connect(self.connecting())?;
        match self.wait_while_connecting().await {
            Ok(()) => {}
            Err(Stop::Failed(error)) => return Err(error),
            // Before a socket is connected, the handle is as it was; afterwards, it is dead.
            Err(Stop::Interrupted(interrupt)) => {
                let error = Error::from(interrupt);
                if self.link.is_connecting() && self.link.subprocess.is_none() {
                    self.link.forget_attempt();
                    return Err(error);
                }
                return Err(self.end(error.into()));
            }
        }
        if self.state() == State::Closed {
            return Err(Error::new(0, "connection is closed"));
        }
        Ok(())
    }
}
