//! "Why is it waiting?": the exact reason, and what would unblock it.
//!
//! Owns the words. What a state tells by itself is read here ([`of_state`]); what only tables and queues know is
//! gathered by the face and put into words here.

mod elsewhere;
mod place;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Await, Question, RunStatus, Signal, Slot, State, StepStatus};
use crate::model::agent::Lease;
use crate::model::{RunId, Timestamp};
pub use elsewhere::{In, nobody, of_call, unheard};
pub use place::{Place, Quota};

/// Steps of a run that are told of for one reason: a wide run has thousands.
pub const MOST_STEPS: usize = 50;

/// One reason why a run, or a step of it, waits.
// Its name in the OpenAPI document is another: `Why` is there why an entry was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = WhyWaiting)]
pub struct Why {
    /// The step that waits; `None` for the run as a whole.
    pub step: Option<String>,
    /// The reason as a word to decide by.
    pub code: Code,
    /// The reason for people.
    pub sentence: String,
    /// Since when, where known.
    pub since: Option<Timestamp>,
    /// Its place in the queue, 1 for the next.
    pub position: Option<u32>,
    /// What would unblock it, any one of these.
    pub unblocks: Vec<Unblock>,
}

/// A reason as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Code {
    /// The run's key is full.
    ConcurrencyKey,
    /// As many runs have begun as its rate allows.
    Rate,
    /// The workspace has as many runs in progress as it may.
    Quota,
    /// Others are before it.
    Turn,
    /// It may begin; a server is about to take it.
    Starting,
    /// A person holds it.
    Paused,
    /// The step's key is full.
    StepKey,
    /// Every slot of the server is taken.
    Slots,
    /// The call of a model is not sent yet: who is asked has no room, is well again one after the other, or has failed.
    Provider,
    /// The server that had it in hand was not heard of; another takes it over.
    Server,
    /// An attempt failed; the next is scheduled.
    Retry,
    /// It waits for a time.
    Timer,
    /// It waits for people.
    Approval,
    /// It waits for something that happens outside.
    Event,
    /// Its agent waits for a file, a repository or a named thing that others have.
    Lease,
    /// It waits for the end of a run that it started.
    SubRun,
}

/// What would unblock it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Unblock {
    /// The end of this run, or of its step.
    Run {
        /// Which.
        run: RunId,
        /// What it runs.
        workflow_name: String,
        /// Where to look at it: a path of this server.
        link: String,
    },
    /// This time.
    Time {
        /// When.
        at: Timestamp,
    },
    /// A person who does this.
    Person {
        /// Such as "Resume the run".
        action: String,
    },
    /// An event with this key.
    Event {
        /// Its key.
        key: String,
    },
    /// Slots that come free.
    Slot {
        /// Slots that are taken.
        busy: u32,
        /// Slots that the server has.
        total: u32,
    },
}

impl Unblock {
    /// The end of a run.
    pub fn run(run: RunId, workflow_name: &str) -> Self {
        Self::Run { run, workflow_name: workflow_name.to_owned(), link: format!("/runs/{run}") }
    }

    /// As the end of "unblocked by …".
    pub fn phrase(&self) -> String {
        match self {
            Self::Run { run, workflow_name, .. } => format!("the end of the run {run} of {workflow_name}"),
            Self::Time { at } => at.to_string(),
            Self::Person { action } => format!("a person: {action}"),
            Self::Event { key } => format!("the event {key}"),
            Self::Slot { busy, total } => format!("a free slot; {busy} of {total} are taken"),
        }
    }
}

/// A person holds the run; `None`: it was held after a failure, for a person to look at.
pub fn paused(by: Option<&str>, since: Option<Timestamp>) -> Why {
    let sentence = match by {
        Some(by) => format!("Paused by {by}: nothing new starts."),
        None => "Paused after a failure: nothing new starts until a person resumes it.".to_owned(),
    };
    Why {
        step: None,
        code: Code::Paused,
        sentence,
        since,
        position: None,
        unblocks: vec![Unblock::Person { action: "Resume the run".to_owned() }],
    }
}

/// A budget has no money for the next call of a model; `message` says which, and how much was spent of it.
pub fn used_up(message: &str, since: Timestamp) -> Why {
    let sentence = format!("Paused, and nothing is lost: {}", ended(message));
    let unblocks = vec![Unblock::Person { action: "Raise the budget, and resume the run".to_owned() }];
    Why { step: None, code: Code::Paused, sentence, since: Some(since), position: None, unblocks }
}

/// The step's key is full.
pub fn step_key(step: &str, key: &str, since: Timestamp, position: u32, holders: &[(RunId, String)]) -> Why {
    let held = match holders.len() {
        0 => "others are before it".to_owned(),
        1 => "another step is at work under it".to_owned(),
        count => format!("{count} steps are at work under it"),
    };
    Why {
        step: Some(step.to_owned()),
        code: Code::StepKey,
        sentence: format!("Waits for the key “{key}”: {held}."),
        since: Some(since),
        position: Some(position),
        unblocks: holders.iter().map(|(run, name)| Unblock::run(*run, name)).collect(),
    }
}

/// Every slot of the server is taken.
pub fn slots(step: &str, since: Timestamp, position: u32, cost: u32, busy: u32, total: u32) -> Why {
    let needs = if cost == 1 { "a slot".to_owned() } else { format!("{cost} slots") };
    Why {
        step: Some(step.to_owned()),
        code: Code::Slots,
        sentence: format!("Waits for {needs} of the server: {busy} of {total} are taken."),
        since: Some(since),
        position: Some(position),
        unblocks: vec![Unblock::Slot { busy, total }],
    }
}

/// The waits that the state itself tells of: timers, attempts that are to come, and what is awaited from outside.
pub fn of_state(state: &State) -> Vec<Why> {
    // The time of a container in motion is its limit: what it waits for, its bodies tell.
    let waits = |slot: Slot| state.cell(slot).is_none() || state.step_at(slot).status == StepStatus::Retrying;
    let timed = state.timers().map(|(_, slot)| slot).filter(|slot| waits(*slot));
    let others = state
        .awaiting()
        .filter(|slot| state.step_at(*slot).waiting.as_ref().is_none_or(|waiting| waiting.until.is_none()));
    timed.chain(others).take(MOST_STEPS).map(|slot| of_step(state, slot)).collect()
}

fn of_step(state: &State, slot: Slot) -> Why {
    let step = state.step_at(slot);
    let since = step.spans.last().filter(|span| span.to.is_none()).map(|span| span.from);
    // Whatever its time, it is not tried again while a person holds the run.
    let due = state.timers().find(|(_, timed)| *timed == slot && !state.is_paused()).map(|(at, _)| at);
    let mut unblocks: Vec<Unblock> = due.into_iter().map(|at| Unblock::Time { at }).collect();
    let (code, sentence) = if step.status == StepStatus::Retrying {
        let failed = step.error.as_ref().map_or("failed", |error| error.message.as_str());
        // Its time stands among what unblocks it.
        let is_held = due.is_none() && state.is_paused();
        let when = if is_held { " when the run is resumed" } else { "" };
        if is_held {
            unblocks.push(Unblock::Person { action: "Give its output by hand".to_owned() });
        }
        let next = step.attempt + 1;
        (Code::Retry, format!("Tries again{when}, as attempt {next}: the one before ended with: {failed}"))
    } else {
        let waiting = step.waiting.as_ref();
        let reason = || format!("{}.", capital(waiting.map_or("waits", |waiting| waiting.reason.as_str())));
        match waiting.and_then(|waiting| waiting.on.as_ref()) {
            None => (Code::Timer, "Waits for its time.".to_owned()),
            Some(Await::Approval { question, .. }) => {
                unblocks.push(Unblock::Person { action: question.title.clone() });
                (Code::Approval, people(question, state.signals(slot)))
            }
            Some(Await::Event { key, .. }) => {
                unblocks.push(Unblock::Event { key: key.clone() });
                (Code::Event, reason())
            }
            Some(Await::Run { run }) => {
                unblocks.push(Unblock::run(*run, "the sub-run"));
                (Code::SubRun, reason())
            }
        }
    };
    Why { step: Some(state.path(slot)), code, sentence, since, position: None, unblocks }
}

/// Who is asked, and how many have agreed.
fn people(question: &Question, signals: &[Signal]) -> String {
    let asked = match question.approvers.as_slice() {
        [] => "whoever may answer approvals".to_owned(),
        some => some.join(", "),
    };
    let first = question.decisions.first().map_or("agree", String::as_str);
    let agreed = signals.iter().filter(|signal| matches!(signal, Signal::Vote(vote) if vote.decision == first)).count();
    let missing = match question.required {
        1 => String::new(),
        required => format!(" {agreed} of {required} have said “{first}”."),
    };
    format!("Waits for people: {} Asked is {asked}.{missing}", ended(&question.title))
}

/// With a mark at its end.
fn ended(text: &str) -> String {
    if text.ends_with(['.', '?', '!']) { text.to_owned() } else { format!("{text}.") }
}

/// The wait for a sub-run, now that is known what it runs and where it stands.
#[must_use]
pub fn with_sub_run(mut why: Why, run: RunId, workflow_name: &str, status: RunStatus) -> Why {
    let stands = match status {
        RunStatus::Paused => "which is paused",
        RunStatus::Queued => "which is queued",
        RunStatus::Waiting => "which waits itself",
        _ => "which goes on",
    };
    why.sentence = format!("Waits for the run of {workflow_name}, {stands}.");
    why.unblocks.retain(|unblock| !matches!(unblock, Unblock::Run { .. }));
    if status == RunStatus::Paused {
        why.unblocks.push(Unblock::Person { action: format!("Resume the run of {workflow_name}") });
    }
    why.unblocks.push(Unblock::run(run, workflow_name));
    why
}

/// The wait for a lease, now that is known who has what.
#[must_use]
pub fn with_lease(mut why: Why, lease: &Lease) -> Why {
    why.code = Code::Lease;
    let others: Vec<String> = lease
        .behind
        .iter()
        .map(|other| {
            let has = if other.is_held { "has" } else { "waits before it for" };
            format!("{} {has} {}", other.agent_name, other.thing)
        })
        .collect();
    let because = if others.is_empty() { String::new() } else { format!(": {}", others.join(", ")) };
    why.sentence = format!("Waits for a lease on {}{because}.", lease.thing);
    (why.since, why.position) = (Some(lease.since), lease.position);
    why.unblocks = lease.behind.iter().map(|other| Unblock::run(other.run_id, &other.agent_name)).collect();
    why.unblocks.push(Unblock::Person { action: "End the lease of whoever has it".to_owned() });
    why
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|first| first.to_uppercase().chain(chars).collect()).unwrap_or_default()
}
