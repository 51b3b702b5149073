// SPDX-License-Identifier: LGPL-2.1-or-later

//! What the API offers, a file a subject.

mod checks;
mod commands;
mod completion;
mod connect;
mod ending;
mod information;
mod main_loop;
mod options;
mod settings;
mod uri;

pub use information::Information;
