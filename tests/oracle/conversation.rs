// SPDX-License-Identifier: LGPL-2.1-or-later

//! A conversation: the steps of client and server until the server closes the
//! connection.

use std::collections::VecDeque;
use std::fmt;

use nbd::protocol::request::RequestType;

use super::faults::{self, Fault};
use super::message::{Message, Style};
use super::random::Random;
use super::replies;
use super::server;

/// Ids and names of the contexts that can be negotiated.
pub const CONTEXTS: [(u32, &str); 2] = [(42, "base:allocation"), (7, "x:two")];

/// A command. The first one has cookie 1.
#[derive(Debug, Clone, Copy)]
pub struct Command {
    pub kind: RequestType,
    pub offset: u64,
    pub length: u64,
}

#[derive(Clone)]
pub enum Step {
    /// The client queues a command.
    Issue(Command),
    /// The client can send this many bytes of the requests, or all if fewer.
    Send(usize),
    /// The server sends bytes.
    Say(Vec<u8>),
}

impl fmt::Debug for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Step::Issue(it) => write!(f, "issue {:?} {} +{}", it.kind, it.offset, it.length),
            Step::Send(count) => write!(f, "send {count}"),
            Step::Say(bytes) => {
                write!(f, "say")?;
                bytes.iter().try_for_each(|byte| write!(f, " {byte:02x}"))
            }
        }
    }
}

#[derive(Debug)]
pub struct Conversation {
    pub style: Style,
    /// Number of [`CONTEXTS`] negotiated.
    pub contexts: usize,
    pub steps: Vec<Step>,
    pub faults: Vec<Fault>,
    /// True if the server violated no rule and answered everything.
    pub honest: bool,
}

/// Messages that a server has yet to send for a command.
struct Reply {
    cookie: u64,
    command: Command,
    messages: VecDeque<Message>,
}

/// A generator of conversations.
pub struct Generator<'r> {
    pub random: &'r mut Random,
    pub style: Style,
    pub contexts: usize,
    steps: Vec<Step>,
    issued: Vec<Command>,
    /// Number of commands whose requests have not reached the server.
    unsent: usize,
    replies: Vec<Reply>,
    faults: Vec<Fault>,
    honest: bool,
}

impl Conversation {
    /// Returns the conversation for a seed.
    pub fn random(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let style = random.one_of(&[Style::Simple, Style::Structured, Style::Extended]);
        let contexts = match style {
            Style::Simple => 0,
            _ => random.one_of(&[0, 1, 2, 2]),
        };
        let generator = Generator::new(&mut random, style, contexts);
        generator.write()
    }

    /// Returns all bytes that the server sends.
    pub fn said(&self) -> Vec<u8> {
        let said = self.steps.iter().filter_map(|step| match step {
            Step::Say(bytes) => Some(bytes.as_slice()),
            _ => None,
        });
        said.collect::<Vec<_>>().concat()
    }

    /// Removes the server's output from this byte on.
    fn cut(&mut self, at: usize) {
        let mut left = at;
        for step in &mut self.steps {
            if let Step::Say(bytes) = step {
                bytes.truncate(left);
                left -= bytes.len();
            }
        }
        self.honest = false;
    }
}

impl<'r> Generator<'r> {
    pub fn new(random: &'r mut Random, style: Style, contexts: usize) -> Self {
        Generator {
            random,
            style,
            contexts,
            steps: Vec::new(),
            issued: Vec::new(),
            unsent: 0,
            replies: Vec::new(),
            faults: Vec::new(),
            honest: true,
        }
    }

    fn write(mut self) -> Conversation {
        let commands = self.random.between(1..=10) as usize;
        let mut faults = self.random.one_of(&[0, 1, 1, 2, 3]);
        while self.issued.len() < commands || self.unsent > 0 || !self.replies.is_empty() {
            match self.random.below(8) {
                0..=2 if self.issued.len() < commands => {
                    let command = self.any_command();
                    self.issue(command);
                    if !self.random.once_in(4) {
                        self.send();
                    }
                }
                3 => self.send(),
                4 if faults > 0 && self.violate_any() => {
                    faults -= 1;
                    if self.random.once_in(5) {
                        return self.ends_soon();
                    }
                }
                _ => self.say_next(),
            }
        }
        let cut = self
            .random
            .once_in(4)
            .then(|| self.random.number() as usize);
        let mut conversation = self.finish();
        if let Some(cut) = cut {
            let length = conversation.said().len();
            conversation.cut(cut % (length + 1));
        }
        conversation
    }

    /// Violates a random rule.
    fn violate_any(&mut self) -> bool {
        (0..8).any(|_| {
            let fault = self.random.one_of(faults::ALL);
            self.violate(fault)
        })
    }

    /// Makes the server close the connection within the next messages.
    fn ends_soon(mut self) -> Conversation {
        for _ in 0..self.random.between(1..=4) {
            self.say_next();
        }
        let cut = self.random.index(80);
        let mut conversation = self.finish();
        let length = conversation.said().len();
        conversation.cut(length.saturating_sub(cut));
        conversation
    }

    pub fn finish(self) -> Conversation {
        Conversation {
            style: self.style,
            contexts: self.contexts,
            steps: self.steps,
            faults: self.faults,
            honest: self.honest,
        }
    }

    fn any_command(&mut self) -> Command {
        let kind = self.random.one_of(&[
            RequestType::Read,
            RequestType::Read,
            RequestType::Read,
            RequestType::BlockStatus,
            RequestType::BlockStatus,
            RequestType::Write,
            RequestType::Flush,
            RequestType::Trim,
            RequestType::WriteZeroes,
            RequestType::Cache,
        ]);
        let length = match self.random.below(12) {
            0 => 0,
            1 => 1,
            2 => self.random.between(1000..=6000),
            _ => self.random.between(2..=150),
        };
        let last = server::SIZE - length.max(1);
        let offset = match self.random.below(6) {
            0 => 0,
            1 => last,
            _ => self.random.between(0..=last),
        };
        match kind {
            RequestType::Flush => Command {
                kind,
                offset: 0,
                length: 0,
            },
            _ => Command {
                kind,
                offset,
                length,
            },
        }
    }

    /// Queues a command and prepares the server's reply.
    pub fn issue(&mut self, command: Command) {
        self.steps.push(Step::Issue(command));
        self.issued.push(command);
        self.unsent += 1;
    }

    /// Sends waiting requests, usually all of them.
    pub fn send(&mut self) {
        if self.random.once_in(6) {
            let some = self.random.index(40);
            self.steps.push(Step::Send(some));
        }
        if self.random.once_in(8) {
            return;
        }
        self.send_all();
    }

    pub fn send_all(&mut self) {
        self.steps.push(Step::Send(usize::MAX));
        let first = self.issued.len() - self.unsent;
        for index in first..self.issued.len() {
            let (cookie, command) = (index as u64 + 1, self.issued[index]);
            let messages = replies::to(self, cookie, command).into();
            self.replies.push(Reply {
                cookie,
                command,
                messages,
            });
        }
        self.unsent = 0;
    }

    /// Sends the next message of a random reply.
    pub fn say_next(&mut self) {
        if self.replies.is_empty() {
            return self.send_all();
        }
        let index = self.random.index(self.replies.len());
        let message = self.replies[index].messages.pop_front();
        if self.replies[index].messages.is_empty() {
            self.replies.swap_remove(index);
        }
        if let Some(message) = message {
            let bytes = message.bytes(self.style);
            self.say(bytes);
        }
    }

    /// Sends all remaining replies.
    pub fn say_all(&mut self) {
        while !self.replies.is_empty() {
            self.say_next();
        }
    }

    fn say(&mut self, bytes: Vec<u8>) {
        match self.steps.last_mut() {
            Some(Step::Say(said)) => said.extend(bytes),
            _ => self.steps.push(Step::Say(bytes)),
        }
    }

    /// Violates a rule, in the reply to some command or between replies.
    /// Returns false if the fault does not apply to any remaining message.
    pub fn violate(&mut self, fault: Fault) -> bool {
        let stray = faults::stray(fault, self, self.issued.len() as u64, self.unsent as u64);
        if let Some(message) = stray {
            let bytes = message.bytes(self.style);
            self.say(bytes);
        } else {
            if self.replies.is_empty() {
                return false;
            }
            let index = self.random.index(self.replies.len());
            let (cookie, command) = (self.replies[index].cookie, self.replies[index].command);
            let mut messages = std::mem::take(&mut self.replies[index].messages).into();
            let struck = faults::spoil(fault, self, cookie, command, &mut messages);
            self.replies[index].messages = messages.into();
            if !struck {
                return false;
            }
        }
        self.faults.push(fault);
        self.honest = false;
        true
    }
}
