// SPDX-License-Identifier: LGPL-2.1-or-later

//! Connecting the transport.

use super::{Link, Lost, Stage};
use crate::error::Error;
use crate::handle::endpoint::Endpoint;
use crate::transport::{Channel, Connector, Progress, Socket};

impl Link {
    /// Starts to connect with `connector`. After an error, call [`Link::forget_attempt`] or end
    /// the connection.
    pub fn connect(&mut self, endpoint: Endpoint, mut connector: Connector) -> Result<(), Error> {
        self.endpoint = endpoint;
        self.machine.connecting();
        let progress = connector.start();
        self.stage = Stage::Connecting(Box::new(connector));
        self.progress(progress?);
        Ok(())
    }

    /// Resets the link after connecting has failed at once, so that the program may try again.
    pub fn forget_attempt(&mut self) {
        self.stage = Stage::None;
        self.machine.not_connected();
    }

    /// Continues an attempt to connect, when its socket is ready.
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

    /// Starts the protocol on a connected socket.
    pub fn connected(&mut self, socket: Socket) {
        self.stage = Stage::Connected(Channel::Plain(socket));
        self.machine.connected();
    }
}
