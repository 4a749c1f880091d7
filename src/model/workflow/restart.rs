//! Which part of a history a restart keeps: what does not depend on the step that runs again.
//!
//! A step is named by its path, and so may stand in containers. In each of them the body that leads to it is open again,
//! and the container with it; what the other bodies did is kept, but for the later rounds of a `repeat`, which were made
//! of the earlier ones.

use std::collections::BTreeSet;

use super::{Event, Fact, Graph, SkipReason, body_of, root_of};

/// A place inside of a run: the bodies on the way in, and a step of the innermost; `None` for the whole of that body.
#[derive(Debug, PartialEq, Eq)]
struct Place<'a> {
    bodies: Vec<(&'a str, u32)>,
    step: Option<&'a str>,
}

impl<'a> Place<'a> {
    fn parse(path: &'a str) -> Option<Self> {
        let (mut bodies, mut rest) = (Vec::new(), path);
        loop {
            let Some((id, inside)) = rest.split_once('[') else {
                return Some(Self { bodies, step: Some(rest) });
            };
            let (index, after) = inside.split_once(']')?;
            bodies.push((id, index.parse().ok()?));
            if after.is_empty() {
                return Some(Self { bodies, step: None });
            }
            rest = after.strip_prefix('.')?;
        }
    }
}

/// The part of a history that does not depend on a step, or on an item or iteration: what led to it, and what went on
/// beside it. Numbered anew from 1 without gaps. With it comes the number of the newest event that was kept.
///
/// # Errors
/// A sentence without a full stop: the definition has no such step, or the body that it is in has not begun.
pub fn without(events: &[Event], graph: &Graph, path: &str) -> Result<(Vec<Event>, i64), String> {
    let unknown = || format!("the run has no step {path}");
    let place = Place::parse(path).ok_or_else(unknown)?;
    let mut dropped = Dropped { events, gone: undone(events, graph) };
    let (mut graph, mut inside, mut since) = (graph, String::new(), 0);
    for (id, index) in place.bodies {
        let step = graph.find(id).ok_or_else(unknown)?;
        let body = graph.body(step).ok_or_else(unknown)?;
        let container = format!("{inside}{id}");
        let begun = dropped.begin(&container, index, since);
        since = begun.ok_or_else(|| format!("{container}[{index}] has not begun in this run"))?;
        dropped.reopen(&container, index, graph.step(step).kind == "repeat", since);
        let after: BTreeSet<u32> = depending_on(graph, step).into_iter().filter(|&other| other != step).collect();
        dropped.drop_steps(graph, &inside, &after, since);
        inside = format!("{container}[{index}].");
        graph = body;
    }
    let again = match place.step {
        Some(id) => depending_on(graph, graph.find(id).ok_or_else(unknown)?),
        None => (0..graph.len() as u32).collect(),
    };
    dropped.drop_steps(graph, &inside, &again, since);
    let gone = dropped.gone;
    let is_kept = |event: &&Event| !gone.contains(&event.seq);
    let newest = events.iter().rfind(is_kept).map_or(0, |event| event.seq);
    let kept = events.iter().filter(is_kept).zip(1..);
    Ok((kept.map(|(event, seq)| Event { seq, ..event.clone() }).collect(), newest))
}

/// What the definition has no step for: the compensations, which belong to the end of the run.
fn undone(events: &[Event], graph: &Graph) -> BTreeSet<i64> {
    let is_unknown = |event: &&Event| event.step.as_deref().is_some_and(|path| graph.find(root_of(path)).is_none());
    events.iter().filter(is_unknown).map(|event| event.seq).collect()
}

/// The step and every step that an edge leads to from it.
fn depending_on(graph: &Graph, step: u32) -> BTreeSet<u32> {
    let mut found = BTreeSet::from([step]);
    let mut open = vec![step];
    while let Some(next) = open.pop() {
        for &edge in graph.outbound(next) {
            open.extend(graph.target(edge).filter(|&target| found.insert(target)));
        }
    }
    found
}

/// What of a history is not kept.
struct Dropped<'a> {
    events: &'a [Event],
    gone: BTreeSet<i64>,
}

impl Dropped<'_> {
    fn drop_where(&mut self, is_gone: impl Fn(&Event) -> bool) {
        self.gone.extend(self.events.iter().filter(|event| is_gone(event)).map(|event| event.seq));
    }

    /// When the newest attempt of a container began, if in it this body has begun. What stands before is of attempts that
    /// are over.
    fn begin(&self, container: &str, index: u32, since: i64) -> Option<i64> {
        let own = |event: &&Event| event.step.as_deref() == Some(container) && event.seq > since;
        let began = |event: &Event| matches!(event.fact, Fact::StepStarted { .. });
        let start = self.events.iter().filter(own).rfind(|event| began(event))?.seq;
        let is_body = |event: &Event| matches!(event.fact, Fact::BodyStarted { index: other } if other == index);
        self.events.iter().filter(own).any(|event| event.seq > start && is_body(event)).then_some(start)
    }

    /// Opens a body, and the container that it is in.
    fn reopen(&mut self, container: &str, index: u32, is_repeat: bool, since: i64) {
        let later = |other: u32| is_repeat && other > index;
        let is_end = |event: &Event| match &event.fact {
            Fact::BodySucceeded { index: other, .. } | Fact::BodyFailed { index: other, .. } => {
                *other == index || later(*other)
            }
            Fact::BodyStarted { index: other } => later(*other),
            fact => ends(fact),
        };
        let gone_with_it: Vec<i64> = self.stopped_by_the_end(container, since);
        self.gone.extend(gone_with_it);
        self.drop_where(|event| event.seq > since && event.step.as_deref() == Some(container) && is_end(event));
        let inside = |path: &str| {
            let index = path.strip_prefix(container)?.strip_prefix('[')?.split_once(']')?.0;
            index.parse::<u32>().ok()
        };
        self.drop_where(|event| event.seq > since && event.step.as_deref().and_then(inside).is_some_and(later));
    }

    /// What a container that had enough stopped inside of itself, right before it ended: it is open again as well.
    fn stopped_by_the_end(&self, container: &str, since: i64) -> Vec<i64> {
        let is_end = |event: &Event| event.step.as_deref() == Some(container) && ends(&event.fact);
        let Some(end) = self.events.iter().rposition(|event| event.seq > since && is_end(event)) else {
            return Vec::new();
        };
        let stopped = |event: &&Event| {
            let is_lost = matches!(event.fact, Fact::StepSkipped { reason: SkipReason::LostRace, .. });
            let body = event.step.as_deref().and_then(body_of).and_then(|body| body.strip_prefix(container));
            is_lost && body.is_some_and(|body| body.starts_with('['))
        };
        self.events[..end].iter().rev().take_while(stopped).map(|event| event.seq).collect()
    }

    /// Drops what these steps of a graph did, with all that is inside of them.
    fn drop_steps(&mut self, graph: &Graph, inside: &str, steps: &BTreeSet<u32>, since: i64) {
        self.drop_where(|event| {
            let id = event.step.as_deref().and_then(|path| path.strip_prefix(inside)).map(root_of);
            event.seq > since && id.and_then(|id| graph.find(id)).is_some_and(|step| steps.contains(&step))
        });
    }
}

/// Whether a fact ends a container, or an attempt of it.
const fn ends(fact: &Fact) -> bool {
    matches!(
        fact,
        Fact::StepSucceeded { .. }
            | Fact::StepFailed { .. }
            | Fact::StepSkipped { .. }
            | Fact::RetryScheduled { .. }
            | Fact::CompensationPlanned { .. }
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_names_a_step_or_a_whole_body() {
        let place = |bodies: &[(&'static str, u32)], step| Place { bodies: bodies.to_vec(), step };
        assert_eq!(Place::parse("a"), Some(place(&[], Some("a"))));
        assert_eq!(Place::parse("m[1]"), Some(place(&[("m", 1)], None)));
        assert_eq!(Place::parse("m[1].r[0].h"), Some(place(&[("m", 1), ("r", 0)], Some("h"))));
        for wrong in ["m[", "m[x].h", "m[1]h", "m[1"] {
            assert_eq!(Place::parse(wrong), None, "{wrong}");
        }
        assert_eq!((body_of("m[1].r[0].h"), body_of("m[1].h"), body_of("h")), (Some("m[1].r[0]"), Some("m[1]"), None));
    }
}
