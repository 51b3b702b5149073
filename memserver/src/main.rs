// SPDX-License-Identifier: LGPL-2.1-or-later

//! The program: sets up the server from the command line and runs it.

use std::io::{self, Write};
use std::process::ExitCode;

use memserver::command_line::{help_text, Address, CommandLine};
use memserver::export::Exports;
use memserver::listener::{self, BoundPath, Passed};
use memserver::pages::Budget;
use memserver::process;
use memserver::server::Server;
use memserver::tls;

fn main() -> ExitCode {
    let line = match CommandLine::parse(std::env::args_os().skip(1)) {
        Ok(line) => line,
        Err(error) => {
            eprintln!("memserver: {error}");
            return ExitCode::from(2);
        }
    };
    let outcome = if line.help {
        io::stdout().write_all(help_text().as_bytes())
    } else if line.version {
        writeln!(io::stdout(), "memserver {}", env!("CARGO_PKG_VERSION"))
    } else {
        serve(line)
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("memserver: {error}");
            ExitCode::FAILURE
        }
    }
}

fn serve(line: CommandLine) -> io::Result<()> {
    let mut numbers: Vec<i32> = process::activated().collect();
    let activated = numbers.len();
    let stdin = line.addresses.contains(&Address::Stdin);
    numbers.extend(stdin.then_some(0));
    numbers.extend(line.ready_fd);
    // SAFETY: this program has opened nothing yet; any open descriptor was
    // passed to it, and standard input is not read in any other way.
    let mut sockets = unsafe { process::inherited(&numbers)? };
    let ready = match line.ready_fd {
        Some(_) => sockets.pop(),
        None => None,
    };
    if line.exit_with_parent {
        process::exit_with_parent()?;
    }
    let tls = match &line.tls_certificates {
        Some(directory) => Some(tls::configure(directory, line.tls_verify_peer)?),
        None => None,
    };
    // Install the handlers before creating files that must be removed on exit.
    let termination = process::termination()?;
    let limit = line.memory_limit.unwrap_or_else(process::half_of_memory);
    let budget = Budget::new(limit);
    let exports = line
        .exports
        .into_iter()
        .map(|export| export.build(&budget))
        .collect::<io::Result<Vec<_>>>()?;
    let mut server = Server::new(line.settings, Exports(exports))?;
    if let Some(config) = tls {
        server.encrypt_with(config);
    }
    server.stop_on(termination)?;
    if line.addresses.is_empty() && activated == 0 {
        let message = "nowhere to serve: --unix, --tcp, --stdin or a passed socket is needed";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    for socket in sockets {
        match listener::passed(socket)? {
            Passed::Listening(listener) => server.listen(listener)?,
            Passed::Connected(socket) => server.serve(socket)?,
        }
    }
    let _bound = listen(&mut server, &line.addresses)?;
    let _pid_file = match &line.pid_file {
        Some(path) => Some(process::PidFile::write(path)?),
        None => None,
    };
    if let Some(fd) = ready {
        process::announce_ready(fd)?;
    }
    server.run(line.connections)
}

fn listen(server: &mut Server, addresses: &[Address]) -> io::Result<Vec<BoundPath>> {
    let mut bound = Vec::new();
    for address in addresses {
        match address {
            Address::Unix(path) => {
                let (listener, path) = listener::unix(path)
                    .map_err(|error| io::Error::other(format!("{}: {error}", path.display())))?;
                bound.push(path);
                server.listen(listener)?;
            }
            Address::Tcp(address) => {
                let listeners = listener::tcp(address)
                    .map_err(|error| io::Error::other(format!("{address}: {error}")))?;
                for listener in listeners {
                    let chosen = address.ends_with(":0").then(|| listener.local_address());
                    if let Some(address) = chosen.flatten() {
                        writeln!(io::stdout(), "{address}")?;
                    }
                    server.listen(listener)?;
                }
            }
            // Already served, together with the passed sockets.
            Address::Stdin => {}
        }
    }
    Ok(bound)
}
