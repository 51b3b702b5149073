// SPDX-License-Identifier: LGPL-2.1-or-later

//! Non-blocking connect.

use std::borrow::Cow;
use std::ffi::CStr;
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::vec;

use super::address::Address;
use super::blocking::Poll;
use super::resolve::resolve;
use super::socket::Socket;
use super::tcp::TcpOptions;
use crate::error::Error;
use crate::text::{shown, text};

/// The progress of an attempt to connect.
#[derive(Debug)]
pub enum Progress {
    /// The server has accepted.
    Connected(Socket),
    /// Nothing more can be done until [`Connector::fd`] is writable.
    InProgress,
}

/// An attempt to connect to one of several addresses, tried in order.
#[derive(Debug)]
pub struct Connector {
    /// A description of what failed, if it is not just a system call.
    what: Option<Cow<'static, str>>,
    untried: vec::IntoIter<Address>,
    /// True to check the result of each attempt at once. It is usually known by then if the
    /// server is on this machine.
    /// Source: seen with libnbd 1.24.4, which does so for the addresses of a host only.
    checks_at_once: bool,
    /// The program's options for TCP sockets.
    tcp: TcpOptions,
    /// The socket of the current attempt; true if it is already connected.
    pending: Option<(Socket, bool)>,
    /// The failure of the previous address: system call and error.
    failure: (&'static str, io::Error),
}

impl Connector {
    fn new(what: Option<Cow<'static, str>>, addresses: Vec<Address>) -> Connector {
        Connector {
            checks_at_once: what.is_some(),
            what,
            untried: addresses.into_iter(),
            tcp: TcpOptions::default(),
            pending: None,
            // Reported only if there is no address to try at all.
            failure: ("connect", io::Error::from_raw_os_error(libc::EADDRNOTAVAIL)),
        }
    }

    /// Connects to a Unix socket in the file system.
    pub fn unix(path: &CStr) -> Result<Connector, Error> {
        let address = Address::unix(path)?;
        Ok(Connector::new(None, vec![address]))
    }

    /// Connects to the first address of a host that accepts. `port` is a number or a service
    /// name.
    ///
    /// This resolves the name, and can block for long.
    pub fn tcp(host: &CStr, port: &CStr) -> Result<Connector, Error> {
        let addresses = resolve(host, port)?;
        let (host, port) = (shown(host), shown(port));
        let what = text!("connect: {host}:{port}: could not connect to remote host");
        Ok(Connector::new(Some(what), addresses))
    }

    /// Connects to a virtual machine, or from one to its host.
    pub fn vsock(cid: u32, port: u32) -> Connector {
        let address = Address::vsock(cid, port);
        Connector::new(None, vec![address])
    }

    /// Connects to an address in the form of a `struct sockaddr` of any family.
    pub fn sockaddr(address: &[u8]) -> Result<Connector, Error> {
        Ok(Connector::new(None, vec![Address::from_bytes(address)]))
    }

    /// Sets the options of the TCP sockets to be opened.
    pub fn with_tcp_options(self, tcp: TcpOptions) -> Connector {
        Connector { tcp, ..self }
    }

    /// Tries the first address, and the next ones as long as they fail at once.
    pub fn start(&mut self) -> Result<Progress, Error> {
        self.begin();
        match self.pending.take() {
            None => Err(self.error()),
            Some((socket, true)) => Ok(Progress::Connected(socket)),
            pending => {
                self.pending = pending;
                Ok(Progress::InProgress)
            }
        }
    }

    /// Starts the first attempt, unless one was started; [`start`](Self::start) returns the
    /// result. Allocates nothing.
    pub(super) fn begin(&mut self) {
        while self.pending.is_none() {
            let Some(address) = self.untried.next() else {
                return;
            };
            match connect(&address, self.checks_at_once, &self.tcp) {
                Ok(pending) => self.pending = Some(pending),
                Err(failure) => self.failure = failure,
            }
        }
    }

    /// Returns the descriptor to poll for writing while an attempt is in progress. Each address
    /// has its own.
    pub fn fd(&self) -> Option<RawFd> {
        self.pending.as_ref().map(|(socket, _)| socket.as_raw_fd())
    }

    /// Checks the result of the current attempt; on failure, tries the next address. Changes
    /// nothing if the attempt is still in progress.
    pub fn on_writable(&mut self) -> Result<Progress, Error> {
        let Some((socket, _)) = self.pending.take() else {
            return self.start();
        };
        match ended(&socket) {
            Ok(true) => Ok(Progress::Connected(socket)),
            Ok(false) => {
                self.pending = Some((socket, false));
                Ok(Progress::InProgress)
            }
            Err(error) => {
                self.failure = ("connect", error);
                self.start()
            }
        }
    }

    fn error(&self) -> Error {
        let (call, error) = &self.failure;
        match &self.what {
            Some(what) => Error::system(text!("{what}"), error),
            None => Error::system(*call, error),
        }
    }
}

/// Starts to connect. Returns true if the connection is already established, or the system call
/// that failed and its error.
fn connect(
    address: &Address,
    check: bool,
    tcp: &TcpOptions,
) -> Result<(Socket, bool), (&'static str, io::Error)> {
    let failed = |error| ("connect", error);
    if address.is_too_long() {
        return Err(failed(io::Error::from_raw_os_error(libc::EINVAL)));
    }
    let socket = Socket::open(address.family()).map_err(|error| ("socket", error))?;
    if [libc::AF_INET, libc::AF_INET6].contains(&address.family()) {
        tcp.apply(&socket).map_err(|error| ("setsockopt", error))?;
    }
    // SAFETY: the pointer and the length describe `address`, which lives across
    // the call.
    let result = unsafe { libc::connect(socket.as_raw_fd(), address.as_ptr(), address.length()) };
    if result == 0 {
        return Ok((socket, true));
    }
    let error = io::Error::last_os_error();
    match error.raw_os_error() {
        // An interrupted connect continues in the background (connect(2)).
        Some(libc::EINPROGRESS | libc::EINTR) => {
            let connected = check && ended(&socket).map_err(failed)?;
            Ok((socket, connected))
        }
        _ => Err(failed(error)),
    }
}

/// Returns true if the attempt has succeeded, false if it is in progress.
fn ended(socket: &Socket) -> io::Result<bool> {
    if Poll::now(socket.as_raw_fd(), libc::POLLOUT)? == 0 {
        return Ok(false);
    }
    socket.take_error()?;
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::{c_int, CString};
    use std::net::{TcpListener, TcpStream};
    use std::os::fd::FromRawFd;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;

    /// Waits until the attempt has succeeded or failed.
    fn finish(connector: &mut Connector) -> Result<Socket, Error> {
        let mut progress = connector.start()?;
        for _ in 0..10 {
            match progress {
                Progress::Connected(socket) => return Ok(socket),
                Progress::InProgress => {
                    let fd = connector.fd().expect("a descriptor to wait for");
                    let ready = Poll::new(10_000).and(fd, libc::POLLOUT).make();
                    assert_eq!(ready, Ok(1), "no answer in 10 s");
                    progress = connector.on_writable()?;
                }
            }
        }
        panic!("more steps than addresses");
    }

    struct UnixServer {
        path: PathBuf,
        listener: UnixListener,
    }

    impl UnixServer {
        fn new(name: &str) -> UnixServer {
            let file = format!("nbd-test-{}-{name}", std::process::id());
            let path = std::env::temp_dir().join(file);
            let listener = UnixListener::bind(&path).unwrap();
            UnixServer { path, listener }
        }

        fn address(&self) -> CString {
            CString::new(self.path.as_os_str().as_bytes()).unwrap()
        }
    }

    impl Drop for UnixServer {
        fn drop(&mut self) {
            std::fs::remove_file(&self.path).unwrap();
        }
    }

    /// Sets the backlog: the number of clients that may wait.
    fn listen(listener: &impl AsRawFd, backlog: c_int) {
        // SAFETY: listen(2) takes integers; doing it again changes the backlog.
        let result = unsafe { libc::listen(listener.as_raw_fd(), backlog) };
        assert_eq!(result, 0);
    }

    #[test]
    fn connects_to_a_unix_socket() {
        let server = UnixServer::new("connect");
        finish(&mut Connector::unix(&server.address()).unwrap()).unwrap();
    }

    #[test]
    fn a_missing_unix_socket_is_an_error_with_its_errno() {
        let mut connector = Connector::unix(c"/nonexistent/socket").unwrap();
        let error = finish(&mut connector).unwrap_err();
        assert_eq!(error.errno(), libc::ENOENT);
        assert_eq!(error.message(), "connect");
    }

    #[test]
    fn a_server_with_too_many_waiting_clients_is_an_error_and_not_a_wait() {
        let server = UnixServer::new("backlog");
        // Fewer than the number of clients.
        listen(&server.listener, 4);
        let mut waiting = Vec::new();
        let error =
            (0..100).find_map(
                |_| match finish(&mut Connector::unix(&server.address()).unwrap()) {
                    Ok(socket) => {
                        waiting.push(socket);
                        None
                    }
                    Err(error) => Some(error),
                },
            );
        assert_eq!(error.expect("the backlog has an end").errno(), libc::EAGAIN);
    }

    #[test]
    fn connects_to_tcp_by_name_and_number() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port().to_string();
        let port = CString::new(port).unwrap();
        for host in [c"127.0.0.1", c"localhost"] {
            let socket = finish(&mut Connector::tcp(host, &port).unwrap()).unwrap();
            drop(socket);
        }
    }

    /// Returns a port without a listener.
    fn dead_port() -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap().port()
    }

    fn ipv4(port: u16) -> Vec<u8> {
        let mut bytes = (libc::AF_INET as u16).to_ne_bytes().to_vec();
        bytes.extend(port.to_be_bytes());
        bytes.extend([127, 0, 0, 1]);
        bytes.extend([0; 8]);
        bytes
    }

    #[test]
    fn a_refused_address_leads_on_to_the_next() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let alive = listener.local_addr().unwrap().port();
        let dead = Address::from_bytes(&ipv4(dead_port()));
        let missing = Address::unix(c"/nonexistent").unwrap();
        let good = Address::from_bytes(&ipv4(alive));
        let mut connector = Connector::new(None, vec![dead, missing, dead, good]);
        let socket = finish(&mut connector).unwrap();
        // SAFETY: the descriptor is duplicated for its new owner.
        let stream = unsafe { TcpStream::from_raw_fd(libc::dup(socket.as_raw_fd())) };
        assert_eq!(stream.peer_addr().unwrap().port(), alive);
        assert!(stream.nodelay().unwrap());

        let mut connector = Connector::new(None, vec![missing, dead]);
        let error = finish(&mut connector).unwrap_err();
        assert_eq!(
            error.errno(),
            libc::ECONNREFUSED,
            "that of the last address"
        );
    }

    #[test]
    fn a_refused_tcp_server_is_named() {
        let port = CString::new(dead_port().to_string()).unwrap();
        let error = finish(&mut Connector::tcp(c"127.0.0.1", &port).unwrap()).unwrap_err();
        assert_eq!(error.errno(), libc::ECONNREFUSED);
        let peer = format!(
            "connect: 127.0.0.1:{}: could not connect to remote host",
            port.to_str().unwrap()
        );
        assert_eq!(error.message(), peer);
    }

    #[test]
    fn connects_to_a_sockaddr() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = ipv4(listener.local_addr().unwrap().port());
        finish(&mut Connector::sockaddr(&address).unwrap()).unwrap();
        let nothing = Connector::sockaddr(&[]).unwrap().start();
        assert_eq!(nothing.unwrap_err().errno(), libc::EAFNOSUPPORT);
    }

    #[test]
    fn asking_too_early_changes_nothing() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listen(&listener, 0);
        let address = ipv4(listener.local_addr().unwrap().port());
        // With a full backlog, further connection attempts get no answer.
        let _waiting: Vec<_> = (0..2)
            .map(|_| {
                let mut connector = Connector::sockaddr(&address).unwrap();
                connector.start().unwrap();
                connector
            })
            .collect();
        let mut connector = Connector::sockaddr(&address).unwrap();
        let progress = connector.start().unwrap();
        assert!(matches!(progress, Progress::InProgress));
        let fd = connector.fd();
        let progress = connector.on_writable().unwrap();
        assert!(matches!(progress, Progress::InProgress));
        assert_eq!(connector.fd(), fd);
    }
}
