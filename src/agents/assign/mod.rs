//! Which agent a task is given: the one rule, over what is known of the agents. Pure, and told what time it is.
//!
//! Every agent that could have the task gets five parts of 0 to 1 ([`Parts`]), and the best sum by the weights has it. An agent that
//! is busy can be the best: the task then waits for it, and the wait is what its availability counts. Two of the parts are beside
//! the best of the others rather than absolute, so that they still tell agents apart when all have much to do; for one agent, with
//! the others as they are, less to do, more words, fewer failures and more ties never score less.
//!
//! Promises: the same facts give the same agent, in whatever order they come; equal scores go to who has least to do, then by name;
//! nobody who is kept out is ever chosen; where nobody is left, why. Refuses weights that do not come to 1.

mod history;
#[cfg(test)]
mod tests;
mod words;

use std::cmp::Reverse;

pub use self::history::History;
use crate::model::agent::{Assignment, KeptOut, LeftOut, Parts, Scored, Weights};
use crate::model::{AgentId, FieldError, Timestamp};

/// Places that an agent without a limit of its own is thought to have, for how much it has to do.
const PLACES: f64 = 4.0;
/// What a task takes when nothing is known of any agent, in milliseconds: it only scales how agents differ.
const UNKNOWN_MS: i64 = 60_000;
/// What last having worked at the same topic ties, 0 to 1.
const TOPIC: f64 = 0.7;
/// What working in the same repository ties, 0 to 1.
const REPOSITORY: f64 = 0.4;
/// Scores that differ by less are equal: below what rounding can turn around.
const SAME: f64 = 1e9;

/// A task that is to be given to an agent.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// Words for what must be known, whatever their case; empty: nothing in particular.
    pub expertise: &'a [String],
    /// What is alike takes alike: see [`kind_of`].
    pub kind: &'a str,
    /// 1 to 9, 9 first.
    pub priority: u8,
    /// Tasks that it comes after.
    pub after: u32,
}

/// An agent that may be given it, and what is known of it.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Which.
    pub agent: AgentId,
    /// Unique among them.
    pub name: String,
    /// Why it can't have the task.
    pub kept_out: Option<KeptOut>,
    /// What it knows, in words.
    pub expertise: Vec<String>,
    /// Tasks that it works at, at once; `None` for any number.
    pub parallel: Option<u32>,
    /// What it has to do.
    pub open: Vec<Open>,
    /// How it did so far.
    pub history: History,
    /// What ties it to the task.
    pub ties: Ties,
}

/// A task that an agent has to do.
#[derive(Debug, Clone)]
pub struct Open {
    /// As [`Task::kind`].
    pub kind: String,
    /// 1 to 9, 9 first.
    pub priority: u8,
    /// Since when it is under way; `None` for one that waits.
    pub began_at: Option<Timestamp>,
}

/// What ties an agent to a task.
#[derive(Debug, Clone, Copy, Default)]
pub struct Ties {
    /// Of the tasks that it comes after, those that this agent did.
    pub after: u32,
    /// It was the last that worked at the same topic.
    pub topic: bool,
    /// It works in the same repository.
    pub repository: bool,
}

/// Why no agent was chosen.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// The weights are none.
    #[error("the weights of assignment do not fit")]
    Weights(Vec<FieldError>),
    /// Nobody may take it, and why each may not.
    #[error("{}", words::nobody(.0))]
    Nobody(Vec<LeftOut>),
}

/// The kind of a task that asks for these words: what asks for the same knowledge is thought to take as long. Whatever their order
/// and case; empty for a task that asks for none.
pub fn kind_of(expertise: &[String]) -> String {
    let mut words: Vec<String> = expertise.iter().map(|word| word.trim().to_lowercase()).collect();
    words.sort_unstable();
    words.dedup();
    words.join(" ")
}

/// The agent that a task is given, with what each of the others came to.
///
/// # Errors
/// [`Refusal::Weights`], and [`Refusal::Nobody`] where there is no candidate or each is kept out.
pub fn assign(
    task: &Task<'_>,
    candidates: &[Candidate],
    weights: &Weights,
    now: Timestamp,
) -> Result<Assignment, Refusal> {
    weights.check().map_err(Refusal::Weights)?;
    let left_out = left_out(candidates);
    let able: Vec<&Candidate> = candidates.iter().filter(|one| one.kept_out.is_none()).collect();
    let takes: Vec<Option<i64>> = able.iter().map(|one| one.history.takes_ms(task.kind)).collect();
    let typical_ms = median(takes.iter().flatten().copied().collect()).unwrap_or(UNKNOWN_MS);
    let looks: Vec<Look<'_>> =
        able.iter().zip(takes).map(|(one, takes_ms)| look(one, task, takes_ms, typical_ms, now)).collect();
    let Some(best) = Best::of(&looks) else { return Err(Refusal::Nobody(left_out)) };
    let mut scored: Vec<(Scored, usize)> = looks
        .iter()
        .map(|look| {
            let parts = parts(look, task, best, typical_ms);
            let scored = Scored {
                agent: look.of.agent,
                name: look.of.name.clone(),
                score: weights.score(&parts),
                parts,
                wait_ms: look.wait_ms,
                takes_ms: look.takes_ms,
                why: words::of(look, task),
            };
            (scored, look.of.open.len())
        })
        .collect();
    scored.sort_by(|(a, a_open), (b, b_open)| {
        let rank = |one: &Scored| Reverse((one.score * SAME).round() as i64);
        (rank(a), a_open, &a.name, a.agent).cmp(&(rank(b), b_open, &b.name, b.agent))
    });
    let candidates: Vec<Scored> = scored.into_iter().map(|(one, _)| one).collect();
    let Some(first) = candidates.first() else { return Err(Refusal::Nobody(left_out)) };
    Ok(Assignment {
        agent: first.agent,
        name: first.name.clone(),
        why: words::sentence(&candidates),
        weights: *weights,
        candidates,
        left_out,
    })
}

/// Those that are kept out, by name.
fn left_out(candidates: &[Candidate]) -> Vec<LeftOut> {
    let mut left: Vec<LeftOut> = candidates
        .iter()
        .filter_map(|one| Some(LeftOut { agent: one.agent, name: one.name.clone(), because: one.kept_out? }))
        .collect();
    left.sort_by(|a, b| (&a.name, a.agent).cmp(&(&b.name, b.agent)));
    left
}

/// What is read off one agent, before it is put beside the others.
struct Look<'a> {
    of: &'a Candidate,
    /// Words that the task asks for and that it has.
    known: usize,
    wait_ms: i64,
    takes_ms: Option<i64>,
    /// When it would have it done, from now on, in milliseconds.
    end_ms: i64,
    /// Tasks for each of its places.
    load: f64,
}

/// The best of the agents in what is beside the others.
#[derive(Clone, Copy)]
struct Best {
    end_ms: i64,
    load: f64,
}

impl Best {
    fn of(looks: &[Look<'_>]) -> Option<Self> {
        let end_ms = looks.iter().map(|look| look.end_ms).min()?;
        let load = looks.iter().map(|look| look.load).min_by(f64::total_cmp)?;
        Some(Self { end_ms, load })
    }
}

fn look<'a>(of: &'a Candidate, task: &Task<'_>, takes_ms: Option<i64>, typical_ms: i64, now: Timestamp) -> Look<'a> {
    let knows = |word: &String| of.expertise.iter().any(|own| is_same(own, word));
    let wait_ms = wait_ms(of, task.priority, typical_ms, now);
    let places = of.parallel.map_or(PLACES, |places| f64::from(places.max(1)));
    Look {
        of,
        known: task.expertise.iter().filter(|word| knows(word)).count(),
        wait_ms,
        takes_ms,
        end_ms: wait_ms.saturating_add(takes_ms.unwrap_or(typical_ms)),
        load: of.open.len() as f64 / places,
    }
}

/// Whether two words are the same, whatever their case.
fn is_same(a: &str, b: &str) -> bool {
    let (a, b) = (a.trim(), b.trim());
    a.eq_ignore_ascii_case(b) || (!a.is_ascii() && a.to_lowercase() == b.to_lowercase())
}

/// Milliseconds until a place is free, as if its places shared what is under way and what is queued before the task: what is more
/// urgent, or as urgent and older.
fn wait_ms(of: &Candidate, priority: u8, typical_ms: i64, now: Timestamp) -> i64 {
    let Some(places) = of.parallel.map(|places| i64::from(places.max(1))) else { return 0 };
    let before = || of.open.iter().filter(|open| open.began_at.is_some() || open.priority >= priority);
    if (before().count() as i64) < places {
        return 0;
    }
    let left = |open: &Open| {
        let whole = of.history.takes_ms(&open.kind).unwrap_or(typical_ms);
        let worked = open.began_at.map_or(0, |at| now.ms_since(at).max(0));
        whole.saturating_sub(worked).max(0)
    };
    before().map(left).fold(0, i64::saturating_add) / places
}

fn parts(look: &Look<'_>, task: &Task<'_>, best: Best, typical_ms: i64) -> Parts {
    let later_ms = look.end_ms.saturating_sub(best.end_ms) as f64;
    let asked = task.expertise.len();
    Parts {
        availability: 0.5_f64.powf(later_ms / typical_ms.max(1) as f64),
        expertise: if asked == 0 { 1.0 } else { look.known as f64 / asked as f64 },
        workload: 1.0 / (1.0 + (look.load - best.load).max(0.0)),
        success: look.of.history.success(),
        affinity: affinity(look.of.ties, task.after),
    }
}

/// The ties together: each takes its share of what the ones before it left open, so that none is lost and all together stay
/// below 1. Having done everything that the task comes after is 1 by itself.
fn affinity(ties: Ties, after: u32) -> f64 {
    let share = if after == 0 { 0.0 } else { f64::from(ties.after.min(after)) / f64::from(after) };
    let topic = if ties.topic { TOPIC } else { 0.0 };
    let repository = if ties.repository { REPOSITORY } else { 0.0 };
    1.0 - (1.0 - share) * (1.0 - topic) * (1.0 - repository)
}

fn median(mut values: Vec<i64>) -> Option<i64> {
    values.sort_unstable();
    values.get(values.len() / 2).copied()
}
