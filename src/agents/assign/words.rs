//! Why this agent, in words.

use super::{Look, Task};
use crate::model::agent::{LeftOut, Scored};

/// Agents that are named where nobody may take a task.
const NAMED: usize = 5;

/// The parts of one agent.
pub(super) fn of(look: &Look<'_>, task: &Task<'_>) -> String {
    let mut said = vec![soon(look.wait_ms, look.takes_ms)];
    let asked = task.expertise.len();
    if asked > 0 {
        said.push(format!("knows {} of {}", look.known, counted(asked, "word")));
    }
    said.push(match look.of.open.len() {
        0 => "has nothing else to do".to_owned(),
        open => format!("has {} already", counted(open, "task")),
    });
    said.push(match look.of.history.results() {
        (_, 0) => "has no results yet".to_owned(),
        (done, all) => format!("got {done} of {} done", counted(all as usize, "task")),
    });
    let ties = look.of.ties;
    if ties.after > 0 && task.after > 0 {
        said.push(format!(
            "did {} of the {} that it comes after",
            ties.after.min(task.after),
            counted(task.after as usize, "task")
        ));
    }
    if ties.topic {
        said.push("last worked at the same topic".to_owned());
    }
    if ties.repository {
        said.push("works in the same repository".to_owned());
    }
    said.join(", ")
}

/// Why the first of them has it, and who came next.
pub(super) fn sentence(best_first: &[Scored]) -> String {
    let Some(first) = best_first.first() else { return String::new() };
    let why = format!("{} ({:.2}): {}.", first.name, first.score, first.why);
    match best_first.get(1) {
        None => format!("{why} Nobody else could have it."),
        Some(next) => format!("{why} Next is {} ({:.2}): {}.", next.name, next.score, next.why),
    }
}

/// Why nobody has it.
pub(super) fn nobody(left_out: &[LeftOut]) -> String {
    if left_out.is_empty() {
        return "there is no agent that it may be given to".to_owned();
    }
    let named = left_out.iter().take(NAMED).map(|one| format!("{} {}", one.name, one.because.phrase()));
    let mut said: Vec<String> = named.collect();
    if left_out.len() > NAMED {
        said.push(format!("and {} more", left_out.len() - NAMED));
    }
    format!("nobody may take it: {}", said.join(", "))
}

fn soon(wait_ms: i64, takes_ms: Option<i64>) -> String {
    let free = if wait_ms <= 0 { "is free now".to_owned() } else { format!("is free in {}", about(wait_ms)) };
    match takes_ms {
        Some(ms) => format!("{free}, takes {}", about(ms)),
        None => free,
    }
}

/// A time as people say it.
fn about(ms: i64) -> String {
    match ms {
        ..1_000 => "less than a second".to_owned(),
        1_000..90_000 => format!("about {} s", (ms + 500) / 1_000),
        90_000..5_400_000 => format!("about {} min", (ms + 30_000) / 60_000),
        _ => format!("about {} h", (ms + 1_800_000) / 3_600_000),
    }
}

fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}
