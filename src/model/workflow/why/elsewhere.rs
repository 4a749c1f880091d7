//! The waits that the state does not tell of: for a provider of models, and for a server that takes the run in hand.

use super::{Code, Unblock, Why};
use crate::model::Timestamp;
use crate::model::gateway::{HeldUp, HeldUpBy};

/// In whose hands a run is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum In {
    /// Whoever asks has it.
    Here,
    /// Another server has it, for as long as it says so again before this.
    Server {
        /// The end of its lease.
        lease_until: Timestamp,
    },
    /// Nobody has it, and there is something to do.
    Nobody {
        /// Since when, where that is known.
        since: Option<Timestamp>,
    },
    /// Nobody needs to have it: nothing is to be done before a time comes or somebody answers.
    Rest,
}

/// The call of a model that is not sent yet.
pub fn of_call(call: &HeldUp) -> Why {
    let HeldUp { step, provider, model, since, until, by } = call;
    let mut unblocks: Vec<Unblock> = until.iter().map(|at| Unblock::Time { at: *at }).collect();
    let sentence = match by {
        HeldUpBy::Room { underway, waiting } => {
            unblocks.push(Unblock::Person { action: format!("Raise the limits of {provider}") });
            let underway = count(*underway, "is", "are");
            let waiting = match waiting.saturating_sub(1) {
                0 => String::new(),
                others => format!(", and {others} more {}", if others == 1 { "waits" } else { "wait" }),
            };
            format!("Waits for room at {provider} to ask {model}: {underway} underway{waiting}.")
        }
        HeldUpBy::Turn => format!("Waits for its turn at {provider}, which is well again, to ask {model}."),
        HeldUpBy::Failure => format!("Asks {model} of {provider} again, which failed."),
    };
    let step = Some(step.clone());
    Why { step, code: Code::Provider, sentence, since: Some(*since), position: None, unblocks }
}

fn count(count: u32, one: &str, several: &str) -> String {
    match count {
        // Room by the minute may be used up by calls that have ended.
        0 => format!("none {one}"),
        1 => format!("1 call {one}"),
        count => format!("{count} calls {several}"),
    }
}

/// The server that has the run has missed saying so: `lease_ms` before the end of its lease it said so last. `None` while it is not
/// late: each says so four times in that time, and one time may be missed.
pub fn unheard(lease_until: Timestamp, lease_ms: i64, now: Timestamp) -> Option<Why> {
    let heard = lease_until.plus_ms(-lease_ms);
    if now.ms_since(heard) <= lease_ms / 2 {
        return None;
    }
    Some(Why {
        step: None,
        code: Code::Server,
        sentence: "The server that has it in hand was not heard of: another takes it over once its lease has ended, \
                   if it does not speak up."
            .to_owned(),
        since: Some(heard),
        position: None,
        unblocks: vec![Unblock::Time { at: lease_until.max(now) }],
    })
}

/// Nobody has it in hand.
pub fn nobody(since: Option<Timestamp>) -> Why {
    Why {
        step: None,
        code: Code::Starting,
        sentence: "No server has it in hand: the next that has room takes it.".to_owned(),
        since,
        position: None,
        unblocks: Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_up(by: HeldUpBy) -> HeldUp {
        let (step, provider, model) = ("ask".to_owned(), "acme".to_owned(), "big".to_owned());
        HeldUp { step, provider, model, since: Timestamp(7), until: None, by }
    }

    #[test]
    fn a_call_without_room_says_how_many_are_underway_and_how_many_wait_too() {
        let said = |underway, waiting| of_call(&held_up(HeldUpBy::Room { underway, waiting })).sentence;
        assert_eq!(said(1, 1), "Waits for room at acme to ask big: 1 call is underway.");
        assert_eq!(said(4, 2), "Waits for room at acme to ask big: 4 calls are underway, and 1 more waits.");
        assert_eq!(said(0, 3), "Waits for room at acme to ask big: none is underway, and 2 more wait.");
    }

    #[test]
    fn a_call_that_failed_says_when_it_is_tried_again() {
        let why = of_call(&HeldUp { until: Some(Timestamp(9)), ..held_up(HeldUpBy::Failure) });
        assert_eq!((why.code, why.unblocks), (Code::Provider, vec![Unblock::Time { at: Timestamp(9) }]));
    }

    #[test]
    fn a_server_is_missed_once_it_was_silent_for_half_of_its_lease() {
        let (said, lease_ms) = (Timestamp(1_000), 10_000);
        let until = said.plus_ms(lease_ms);
        assert_eq!(unheard(until, lease_ms, said.plus_ms(5_000)), None);
        let why = unheard(until, lease_ms, said.plus_ms(5_001)).expect("it is late");
        assert_eq!((why.code, why.since, why.unblocks), (Code::Server, Some(said), vec![Unblock::Time { at: until }]));
        let later = until.plus_ms(60_000);
        let why = unheard(until, lease_ms, later).expect("it is late");
        assert_eq!(why.unblocks, [Unblock::Time { at: later }], "it is taken over any moment");
    }
}
