// SPDX-License-Identifier: LGPL-2.1-or-later

//! Option replies, and the faults that affect all of them.

use crate::env::Env;
use crate::faults::Fault;
use crate::transition::Transition;
use crate::wire::{rep, NBD_OPTION_REPLY_MAGIC};

/// Builder of the replies to one option.
pub struct OptionReplies<'e, 'a> {
    pub env: &'e mut Env<'a>,
    option: u32,
    /// Fault applied to every reply.
    fault: Option<Fault>,
}

impl<'e, 'a> OptionReplies<'e, 'a> {
    /// Creates replies to `option`, each with `fault` if there is one.
    pub fn new(option: u32, fault: Option<Fault>, env: &'e mut Env<'a>) -> OptionReplies<'e, 'a> {
        OptionReplies { env, option, fault }
    }

    /// Queues one reply message.
    pub fn send(&mut self, kind: u32, data: &[u8]) {
        let wrong = |is, value: u64| {
            if self.fault == Some(is) {
                !value
            } else {
                value
            }
        };
        let mut data = data;
        let mut length = data.len() as u32;
        let mut kind = kind;
        match self.fault {
            Some(Fault::OptionUnknownType) => kind = 99,
            Some(Fault::OptionAckPayload) if kind == rep::ACK => {
                data = b"surprise";
                length = 8;
            }
            Some(Fault::OptionHugeLength) => length = i32::MAX as u32,
            _ => {}
        }
        let out = &mut *self.env.out;
        out.put_u64(wrong(Fault::OptionMagic, NBD_OPTION_REPLY_MAGIC));
        out.put_u32(wrong(Fault::OptionNumber, u64::from(self.option)) as u32);
        out.put_u32(kind);
        out.put_u32(length);
        out.put(data);
    }

    /// Queues the ACK that ends a successful reply.
    pub fn ack(&mut self) -> Transition {
        self.send(rep::ACK, &[]);
        Transition::Stay
    }

    /// Queues an error reply with a human-readable text.
    pub fn error(&mut self, kind: u32, text: &str) -> Transition {
        self.env
            .log(format_args!("option {} refused: {text}", self.option));
        self.send(kind, text.as_bytes());
        Transition::Stay
    }
}
