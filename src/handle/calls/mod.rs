// SPDX-License-Identifier: LGPL-2.1-or-later

//! The functions of the API, one file for each subject.

mod batching;
mod checks;
mod commands;
mod completion;
mod connect;
mod ending;
mod information;
mod issue;
mod main_loop;
mod options;
mod settings;
mod subprocess;
mod uri;

pub use batching::Batch;
pub use connect::Connecting;
pub use information::Information;
pub use issue::Issue;
pub use options::Options;
pub use settings::Setup;
