// SPDX-License-Identifier: LGPL-2.1-or-later

//! Ways to reach a server.

use std::ffi::{CStr, CString};
use std::net::SocketAddr;

use libc::c_int;

use super::connection::{Connection, Transport};
use super::shared::State;
use crate::error::Error;
use crate::transport::{Channel, Connector, Progress, Socket, Subprocess};

/// Where the program asked to connect to, for nbd_get_uri(3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Endpoint {
    /// Nowhere yet.
    None,
    /// Host and port as the program named them.
    Tcp { host: CString, port: CString },
    /// A numeric address.
    Address(SocketAddr),
    /// A Unix domain socket.
    Unix { path: CString },
    /// A virtual machine's socket.
    Vsock { cid: u32, port: u32 },
    /// A place that has no name.
    Other,
}

impl Connection {
    /// nbd_aio_connect_unix(3)
    pub fn aio_connect_unix(&mut self, unixsocket: &CStr) -> Result<(), Error> {
        let path = unixsocket.to_owned();
        self.connect_to(Endpoint::Unix { path }, || Connector::unix(unixsocket))
    }

    /// nbd_connect_unix(3)
    pub fn connect_unix(&mut self, unixsocket: &CStr) -> Result<(), Error> {
        self.aio_connect_unix(unixsocket)?;
        self.wait_until_connected()
    }

    /// nbd_aio_connect_tcp(3)
    pub fn aio_connect_tcp(&mut self, hostname: &CStr, port: &CStr) -> Result<(), Error> {
        let endpoint = Endpoint::Tcp {
            host: hostname.to_owned(),
            port: port.to_owned(),
        };
        self.connect_to(endpoint, || Connector::tcp(hostname, port))
    }

    /// nbd_connect_tcp(3)
    pub fn connect_tcp(&mut self, hostname: &CStr, port: &CStr) -> Result<(), Error> {
        self.aio_connect_tcp(hostname, port)?;
        self.wait_until_connected()
    }

    /// nbd_aio_connect_vsock(3)
    pub fn aio_connect_vsock(&mut self, cid: u32, port: u32) -> Result<(), Error> {
        let endpoint = Endpoint::Vsock { cid, port };
        self.connect_to(endpoint, || Ok(Connector::vsock(cid, port)))
    }

    /// nbd_connect_vsock(3)
    pub fn connect_vsock(&mut self, cid: u32, port: u32) -> Result<(), Error> {
        self.aio_connect_vsock(cid, port)?;
        self.wait_until_connected()
    }

    /// nbd_aio_connect(3). `address` are the bytes of the program's struct
    /// sockaddr.
    pub fn aio_connect(&mut self, address: &[u8]) -> Result<(), Error> {
        let endpoint = endpoint_of(address);
        self.connect_to(endpoint, || Connector::sockaddr(address))
    }

    /// nbd_aio_connect_socket(3). The socket is the library's from success on.
    pub fn aio_connect_socket(&mut self, sock: c_int) -> Result<(), Error> {
        let socket = Socket::from_program(sock)?;
        self.shared.set_program_polls();
        self.connected(socket)
    }

    /// nbd_connect_socket(3)
    pub fn connect_socket(&mut self, sock: c_int) -> Result<(), Error> {
        self.aio_connect_socket(sock)?;
        self.wait_until_connected()
    }

    /// nbd_aio_connect_command(3)
    pub fn aio_connect_command(&mut self, argv: Vec<CString>) -> Result<(), Error> {
        let (subprocess, socket) = Subprocess::command(&argv)?;
        self.subprocess = Some(subprocess);
        self.connected(socket)
    }

    /// Connects through a command that passes on to the server what it is
    /// given.
    pub(super) fn aio_connect_tunnel(&mut self, argv: &[CString]) -> Result<(), Error> {
        let (subprocess, socket) = Subprocess::tunnel(argv)?;
        self.subprocess = Some(subprocess);
        self.connected(socket)
    }

    /// nbd_connect_command(3)
    pub fn connect_command(&mut self, argv: Vec<CString>) -> Result<(), Error> {
        self.aio_connect_command(argv)?;
        self.wait_until_connected()
    }

    /// nbd_aio_connect_systemd_socket_activation(3)
    pub fn aio_connect_systemd_socket_activation(
        &mut self,
        argv: Vec<CString>,
    ) -> Result<(), Error> {
        let name = &self.settings.socket_activation_name;
        let (subprocess, connector, listener) = Subprocess::socket_activation(&argv, name)?;
        let path = subprocess.socket_path().map(CStr::to_owned);
        self.subprocess = Some(subprocess);
        let endpoint = path.map_or(Endpoint::Other, |path| Endpoint::Unix { path });
        let started = self.connect_to(endpoint, || Ok(connector));
        drop(listener);
        started
    }

    /// nbd_connect_systemd_socket_activation(3)
    pub fn connect_systemd_socket_activation(&mut self, argv: Vec<CString>) -> Result<(), Error> {
        self.aio_connect_systemd_socket_activation(argv)?;
        self.wait_until_connected()
    }

    /// Waits until the connection is made.
    pub(super) fn wait_until_connected(&mut self) -> Result<(), Error> {
        self.wait_while_connecting()?;
        if self.state() == State::Closed {
            return Err(Error::new(0, "connection is closed"));
        }
        Ok(())
    }

    /// nbd_kill_subprocess(3)
    pub fn kill_subprocess(&mut self, signum: c_int) -> Result<(), Error> {
        self.running_subprocess()?.kill(signum)
    }

    /// nbd_get_subprocess_pid(3)
    pub fn get_subprocess_pid(&mut self) -> Result<i64, Error> {
        Ok(i64::from(self.running_subprocess()?.pid()))
    }

    fn running_subprocess(&self) -> Result<&Subprocess, Error> {
        let subprocess = self.subprocess.as_ref();
        subprocess.ok_or_else(|| Error::new(libc::ESRCH, "no subprocess exists"))
    }

    /// Begins to connect over what `connector` makes.
    fn connect_to(
        &mut self,
        endpoint: Endpoint,
        connector: impl FnOnce() -> Result<Connector, Error>,
    ) -> Result<(), Error> {
        // An address that is none leaves everything as it was.
        let mut connector = connector()?;
        self.endpoint = endpoint;
        self.machine.connecting();
        let progress = connector.start();
        self.transport = Transport::Connecting(connector);
        match progress {
            Ok(progress) => self.connect_progress(progress),
            Err(error) => Err(self.not_connected(error)),
        }
    }

    /// The socket that is being connected is ready to say how that went.
    pub(super) fn continue_connecting(&mut self) -> Result<(), Error> {
        let Transport::Connecting(connector) = &mut self.transport else {
            return Ok(());
        };
        match connector.on_writable() {
            Ok(progress) => self.connect_progress(progress),
            Err(error) => Err(self.die(error)),
        }
    }

    fn connect_progress(&mut self, progress: Progress) -> Result<(), Error> {
        match progress {
            Progress::Connected(socket) => self.connected(socket),
            Progress::InProgress => Ok(()),
        }
    }

    /// The server may have spoken already.
    fn connected(&mut self, socket: Socket) -> Result<(), Error> {
        self.transport = Transport::Connected(Channel::Plain(socket));
        self.machine.connected();
        self.receive()?;
        self.send()
    }

    /// Connecting failed at once. Over TCP the program may try again, perhaps
    /// another name; over anything else the handle is dead.
    fn not_connected(&mut self, error: Error) -> Error {
        if !matches!(self.endpoint, Endpoint::Tcp { .. }) {
            return self.die(error);
        }
        self.transport = Transport::None;
        self.machine.not_connected();
        error
    }
}

/// What a struct sockaddr names.
fn endpoint_of(address: &[u8]) -> Endpoint {
    crate::transport::ip_address(address)
        .map(Endpoint::Address)
        .or_else(|| {
            let path = crate::transport::unix_path(address)?;
            Some(Endpoint::Unix { path })
        })
        .unwrap_or(Endpoint::Other)
}
