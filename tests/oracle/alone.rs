// SPDX-License-Identifier: LGPL-2.1-or-later

//! Each fault alone, with its worst permitted effect: written by hand, so that
//! an error in the model cannot hide the same error in the library.

use nbd::machine::State;
use nbd::protocol::request::RequestType;

use super::check;
use super::conversation::{Command, Conversation, Generator};
use super::faults::{Fault, ALL};
use super::message::Style;
use super::model;
use super::outcome::Report;
use super::random::Random;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Effect {
    /// The connection dies.
    Dies,
    /// The command fails, and the connection continues.
    Fails,
    /// The command succeeds, and the connection continues.
    GoesOn,
    /// The command stays in flight until the connection ends.
    Waits,
    /// Depends on the position of the fault.
    Any,
}
use Effect::{Any, Dies, Fails, GoesOn, Waits};

/// Source: proto.md; where it leaves a choice, outcomes of libnbd 1.24.4.
fn effect(fault: Fault, style: Style) -> Effect {
    match fault {
        Fault::WrongMagic | Fault::OtherHeader | Fault::LengthTooLong => Dies,
        Fault::FlippedByte | Fault::TooShort | Fault::TooLong => Any,
        // A successful read would have data.
        Fault::UnknownCookie | Fault::StrayMessage | Fault::TooEarly => match style {
            Style::Simple => Any,
            _ if fault == Fault::UnknownCookie => Any,
            _ => GoesOn,
        },
        Fault::AnsweredTwice => match style {
            Style::Simple => Any,
            _ => GoesOn,
        },
        Fault::UnknownError | Fault::SimpleError => Fails,
        Fault::DataAfterError | Fault::SimpleSuccess => Any,
        Fault::DataBefore | Fault::DataAfter | Fault::DataAcross | Fault::DataOverflow => Dies,
        Fault::HoleBefore | Fault::HoleAcross | Fault::HoleTooLong => Dies,
        Fault::DataTwice | Fault::HoleTwice => Fails,
        Fault::DataMissing | Fault::DataMoved => Fails,
        Fault::DataEmpty | Fault::HoleEmpty => GoesOn,
        Fault::DataWithoutOffset | Fault::HoleWrongLength => Fails,
        Fault::ErrorTooShort | Fault::ErrorWithoutText | Fault::ErrorZero => Fails,
        Fault::ErrorTextTooLong | Fault::ErrorLong | Fault::ErrorUnknownType => Fails,
        Fault::ErrorOffsetOutside | Fault::ErrorOffsetMissing | Fault::ErrorTwice => Fails,
        Fault::NotDone => Waits,
        Fault::DoneEarly => GoesOn,
        Fault::NoneNotDone | Fault::NonePayload => Fails,
        Fault::UnknownType | Fault::WrongType | Fault::WrongOffset => Fails,
        Fault::UnknownFlags => GoesOn,
        Fault::ContextUnknown | Fault::ContextTwice | Fault::ContextMissing => GoesOn,
        Fault::ExtentsUnaligned => GoesOn,
        Fault::ExtentsNone | Fault::ExtentsShort | Fault::ExtentsOdd => Fails,
        // Only for the first extent.
        Fault::ExtentEmpty => GoesOn,
        Fault::ExtentsBeyond | Fault::ExtentsWrongWidth | Fault::ExtentsWrongCount => Fails,
    }
}

const COMMANDS: [RequestType; 3] = [
    RequestType::Read,
    RequestType::BlockStatus,
    RequestType::Trim,
];

/// Returns a conversation with one command, whose reply has the fault, and
/// another one after it.
fn conversation(fault: Fault, style: Style, seed: u64) -> Option<Conversation> {
    let mut random = Random::new(seed);
    let contexts = if style == Style::Simple { 0 } else { 2 };
    let command = Command {
        kind: COMMANDS[(seed % 3) as usize],
        offset: random.between(1000..=2000),
        length: random.between(20..=200),
    };
    let mut generator = Generator::new(&mut random, style, contexts);
    generator.issue(command);
    generator.send_all();
    if !generator.violate(fault) {
        return None;
    }
    generator.say_all();
    generator.issue(Command {
        kind: RequestType::Flush,
        offset: 0,
        length: 0,
    });
    generator.send_all();
    generator.say_all();
    Some(generator.finish())
}

#[test]
fn each_fault_has_its_effect() {
    for &fault in ALL {
        let mut struck = 0;
        for style in [Style::Simple, Style::Structured, Style::Extended] {
            let allowed = effect(fault, style);
            let played =
                (0..300).filter_map(|seed| Some((seed, conversation(fault, style, seed)?)));
            for (seed, conversation) in played {
                check(&conversation, seed);
                let seen = effect_of(&conversation);
                let right = match allowed {
                    Any => true,
                    GoesOn => matches!(seen, GoesOn | Fails),
                    _ => seen == allowed,
                };
                assert!(
                    right,
                    "{fault:?}, {style:?}, seed {seed}: {seen:?}\n{conversation:#?}"
                );
                struck += 1;
            }
        }
        assert!(struck > 30, "{fault:?} strikes {struck} times");
    }
}

fn effect_of(conversation: &Conversation) -> Effect {
    let outcome = model::expect(conversation).outcome;
    if outcome.states.0 == State::Dead {
        return Dies;
    }
    let completed = |wanted| {
        outcome.reports.iter().find_map(|(_, report)| match report {
            Report::Completed { cookie, errno } if *cookie == wanted => Some(*errno),
            _ => None,
        })
    };
    match (completed(1), completed(2)) {
        // Its reply was parsed as part of another message.
        (_, None) => Any,
        (None, _) => Waits,
        (Some(0), _) => GoesOn,
        _ => Fails,
    }
}
