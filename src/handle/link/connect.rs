// SPDX-License-Identifier: LGPL-2.1-or-later

//! From an address to a connection.

use super::{Link, Lost, Stage};
use crate::error::Error;
use crate::handle::endpoint::Endpoint;
use crate::transport::{Channel, Connector, Progress, Socket};

impl Link {
    /// Begins to connect over what `connector` makes. An error leaves everything to
    /// be undone by [`Link::forget_attempt`], or to end with the connection.
    pub fn connect(&mut self, endpoint: Endpoint, mut connector: Connector) -> Result<(), Error> {
        self.endpoint = endpoint;
        self.machine.connecting();
        let progress = connector.start();
        self.stage = Stage::Connecting(Box::new(connector));
        self.progress(progress?);
        Ok(())
    }

    /// Connecting has failed at once, and the program may try again.
    pub fn forget_attempt(&mut self) {
        self.stage = Stage::None;
        self.machine.not_connected();
    }

    /// The socket that is being connected is ready to say how that went.
    pub fn continue_connecting(&mut self) -> Result<(), Lost> {
        if let Stage::Connecting(connector) = &mut self.stage {
            let progress = connector.on_writable()?;
            self.progress(progress);
        }
        Ok(())
    }

    fn progress(&mut self, progress: Progress) {
        match progress {
            Progress::Connected(socket) => self.connected(socket),
            Progress::InProgress => {}
        }
    }

    /// There is a connection.
    pub fn connected(&mut self, socket: Socket) {
        self.stage = Stage::Connected(Channel::Plain(socket));
        self.machine.connected();
    }
}
