// SPDX-License-Identifier: LGPL-2.1-or-later

//! The greeting and the client flags.

use crate::agreed::{Agreed, Headers, Opened};
use crate::env::Env;
use crate::export::Exports;
use crate::faults::{Fault, Faults, Scope};
use crate::output::Output;
use crate::settings::{Settings, Style};
use crate::wire::{
    flag, Cursor, NBD_FLAG_FIXED_NEWSTYLE, NBD_FLAG_NO_ZEROES, NBD_MAGIC, NBD_OLDSTYLE_MAGIC,
    NBD_OPTION_MAGIC, PADDING,
};

/// Queues the greeting. In the oldstyle handshake, this also opens the export.
pub fn greet(
    settings: &Settings,
    exports: &Exports,
    faults: &mut Faults,
    out: &mut Output,
) -> Option<Opened> {
    let fault = faults.in_scope(Scope::Greeting);
    let wrong = |is, magic: u64| if fault == Some(is) { !magic } else { magic };
    out.put_u64(wrong(Fault::GreetingMagic, NBD_MAGIC));
    if settings.style == Style::Oldstyle {
        out.put_u64(wrong(Fault::GreetingVersion, NBD_OLDSTYLE_MAGIC));
        let export = &exports.0[0];
        // Features that need an option do not exist in this handshake.
        let flags = export.flags & !(flag::SEND_DF | flag::BLOCK_STATUS_PAYLOAD);
        out.put_u64(export.size);
        out.put_u32(u32::from(flags));
        out.put_zeroes(PADDING);
        return Some(Opened {
            export: 0,
            flags,
            headers: Headers::Simple,
            contexts: Vec::new(),
        });
    }
    out.put_u64(wrong(Fault::GreetingVersion, NBD_OPTION_MAGIC));
    let mut flags = offered(settings);
    if fault == Some(Fault::GreetingFlags) {
        flags |= 0x7ffc;
    }
    out.put_u16(flags);
    None
}

fn offered(settings: &Settings) -> u16 {
    let mut flags = 0;
    if settings.style == Style::FixedNewstyle {
        flags |= NBD_FLAG_FIXED_NEWSTYLE;
    }
    if settings.no_zeroes {
        flags |= NBD_FLAG_NO_ZEROES;
    }
    flags
}

/// Parses the client flags. A flag that was not offered ends the session, as
/// the protocol requires.
pub fn client_flags(input: &[u8], env: &Env<'_>) -> Option<(usize, Result<Agreed, ()>)> {
    let flags = Cursor(input).u32()?;
    if flags & !u32::from(offered(env.settings)) != 0 {
        env.log(format_args!("client flags {flags:#x} were not offered"));
        return Some((4, Err(())));
    }
    let no_zeroes = flags & u32::from(NBD_FLAG_NO_ZEROES) != 0;
    Some((4, Ok(Agreed::new(no_zeroes, false))))
}
