//! What other weights would change: the queue is given out on paper, twice, and what was given is scored again.

use std::collections::{BTreeSet, HashMap};

use super::facts::Facts;
use super::{Held, LISTED, store};
use crate::agents::assign::{Task, assign};
use crate::agents::error::{Error, Result};
use crate::model::agent::{Assignment, AssignmentPreview, Pick, PreviewedTask, Scored, Weights};
use crate::model::auth::Action;
use crate::model::{AgentId, QueuedTaskId};
use crate::runtime::Ctx;

/// Tasks of each sort that are looked at.
const MAX_TASKS: usize = 100;
/// How far back what was given is looked at: 24 hours.
const GIVEN_MS: i64 = 24 * 3_600_000;

/// What each task that waits comes after: how it stands, and who did it.
type Before = HashMap<QueuedTaskId, Vec<(Option<String>, Option<AgentId>)>>;

/// The tasks of the queue beside who would have them under other weights: those that wait as if their turn had come, one after the
/// other, and those that were given in the last 24 hours by what was known of the agents when they were given. Nothing is given
/// and nothing is kept.
///
/// # Errors
/// [`Error::Denied`] for who may not change agents; [`Error::Invalid`] as [`super::set_weights`].
pub async fn preview_weights(ctx: &Ctx, weights: Weights) -> Result<AssignmentPreview> {
    ctx.authorize(Action::EditAgent)?;
    weights.check().map_err(Error::Invalid)?;
    let (db, workspace) = (&ctx.db, ctx.workspace());
    let limit = MAX_TASKS as u32 + 1;
    let mut waiting = store::queue::list_waiting(db, workspace, None, limit).await?;
    let mut given = store::queue::list_given(db, workspace, ctx.clock.now().plus_ms(-GIVEN_MS), limit).await?;
    let omitted = [&mut waiting, &mut given].map(cut).into_iter().sum();
    let mut before = Before::new();
    for (task, status, agent) in store::queue::list_after(db, workspace).await? {
        before.entry(task).or_default().push((status, agent));
    }
    let named: BTreeSet<&str> = waiting.iter().map(|held| held.task.task.topic.trim()).collect();
    let mut topics: HashMap<String, Option<AgentId>> = HashMap::new();
    for topic in named.into_iter().filter(|topic| !topic.is_empty()) {
        topics.insert(topic.to_owned(), store::queue::find_last_at(db, workspace, topic).await?);
    }
    let facts = Facts::read(ctx).await?;
    let paper = Paper { ctx, before: &before, topics: &topics };
    let now = paper.give_out(&waiting, facts.clone());
    let then = paper.give_out(&waiting, facts.under(weights));
    let waits = waiting.iter().zip(now).zip(then).map(|((held, now), then)| PreviewedTask {
        reason: then.as_ref().err().cloned().unwrap_or_default(),
        now: now.ok(),
        then: then.ok(),
        ..listed(held)
    });
    let was_given = given.iter().filter_map(|held| {
        let assignment = held.task.assignment.as_ref()?;
        let had = assignment.candidates.iter().find(|one| one.agent == assignment.agent)?;
        Some(PreviewedTask {
            given_at: held.task.assigned_at,
            now: Some(pick(had, had.score)),
            then: assignment.under(&weights).map(|(one, score)| pick(one, score)),
            ..listed(held)
        })
    });
    let tasks: Vec<PreviewedTask> = waits.chain(was_given).collect();
    let moved = tasks.iter().filter(|task| task.has_moved()).count() as u32;
    Ok(AssignmentPreview { weights, tasks, moved, omitted })
}

/// Keeps as many as are shown; says how many are not.
fn cut(tasks: &mut Vec<Held>) -> u32 {
    let more = tasks.len().saturating_sub(MAX_TASKS);
    tasks.truncate(MAX_TASKS);
    more as u32
}

fn listed(held: &Held) -> PreviewedTask {
    PreviewedTask {
        id: held.task.id,
        prompt: held.task.task.prompt.chars().take(LISTED).collect(),
        status: held.task.status,
        given_at: None,
        now: None,
        then: None,
        reason: String::new(),
    }
}

fn pick(one: &Scored, score: f64) -> Pick {
    Pick { agent: one.agent, name: one.name.clone(), score, why: one.why.clone() }
}

/// What giving out on paper goes by.
struct Paper<'a> {
    ctx: &'a Ctx,
    before: &'a Before,
    topics: &'a HashMap<String, Option<AgentId>>,
}

impl Paper<'_> {
    /// Gives out the tasks, each with those before it given; `Err` says why nobody may have one.
    fn give_out(&self, tasks: &[Held], mut facts: Facts) -> Vec<std::result::Result<Pick, String>> {
        tasks
            .iter()
            .map(|held| {
                let assignment = self.give(held, &facts)?;
                facts.add_open(&assignment.agent, held);
                let first = assignment.candidates.first().map(|one| pick(one, one.score));
                first.ok_or_else(|| "nobody could be compared".to_owned())
            })
            .collect()
    }

    fn give(&self, held: &Held, facts: &Facts) -> std::result::Result<Assignment, String> {
        let before = self.before.get(&held.task.id).map(Vec::as_slice).unwrap_or_default();
        let last_at_topic = self.topics.get(held.task.task.topic.trim()).copied().flatten();
        let candidates = facts.candidates(held, before, last_at_topic);
        let task = Task {
            expertise: &held.task.task.expertise,
            kind: &held.kind,
            priority: held.task.task.level(),
            after: before.len() as u32,
        };
        assign(&task, &candidates, &facts.weights, self.ctx.clock.now()).map_err(|refusal| refusal.to_string())
    }
}
