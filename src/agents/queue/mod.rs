//! The queue of tasks that are given to no agent in particular: what waits, who gets it, what became of it.
//!
//! Owns the rows. Promises: a task is given to an agent once its turn has come, that is when all that it comes after is done and
//! somebody may take it, the most urgent first; by one process, however many look; with why, and what every other agent came to.
//! What can never begin says so and is over. Refuses to start anything: who gives a task its run is told by [`assign_ready`], and
//! tells back ([`started`], [`settle`], [`give_back`]).

mod facts;
mod preview;
mod repeat;
mod turn;
mod weights;

use std::collections::HashMap;

use serde_json::json;
use tokio::sync::Notify;

use self::facts::Facts;
pub use self::preview::preview_weights;
use self::turn::{Turn, turn};
pub use self::weights::{get_weights, reset_weights, set_weights};
use super::assign::{Refusal, Task, assign, kind_of};
use super::error::{Error, Result};
use super::{store, validate};
use crate::model::agent::{KeptOut, QueuedStatus, QueuedTask, TaskDraft};
use crate::model::auth::Action;
use crate::model::live::Topic;
use crate::model::workflow::RunStatus;
use crate::model::{AgentId, FieldError, Page, PageRequest, QueuedTaskId, RunId, UserId, WorkspaceId};
use crate::runtime::{Ctx, Principal, Runtime};

/// Tasks of a workspace that are not over.
const MAX_OPEN: i64 = 10_000;
/// Tasks that are looked at in one go.
const BATCH: u32 = 500;
/// Times that a task is given to an agent.
pub const MAX_ATTEMPTS: u32 = 3;
/// Characters of a prompt in a list.
const LISTED: usize = 300;

/// A task of the queue with what only the program needs to know.
#[derive(Debug, Clone)]
pub struct Held {
    /// As people see it.
    pub task: QueuedTask,
    /// What it asks for, for what it takes.
    pub kind: String,
    /// The agents that failed at it.
    pub tried: Vec<AgentId>,
    /// The person who gave it, in whose name its run is started.
    pub by: Option<(UserId, String)>,
    /// Its run is being cancelled, so that another agent can have it.
    pub is_leaving: bool,
    /// How its run stands; `None` without one, or where it is forgotten.
    pub run: Option<RunStatus>,
}

/// Wakes who looks at the queue of this process. A hint: what is to be done stands in the tables.
#[derive(Debug, Default)]
pub struct Desk(Notify);

impl Desk {
    /// Has it looked at soon.
    pub fn nudge(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asked for a look.
    pub async fn nudged(&self) {
        self.0.notified().await;
    }
}

/// Gives a task to whoever is best for it. Returns once it is durable; an agent gets it a moment later, or when its turn comes. With
/// a `key` the same request gives the same task, as it is by now, for as long as the task is kept.
///
/// # Errors
/// [`Error::Invalid`] with pointers such as `/after/0`; [`Error::Conflict`] when too many tasks are not over, or when the key was used
/// for something else.
pub async fn give(ctx: &Ctx, draft: TaskDraft, key: Option<&str>) -> Result<QueuedTask> {
    ctx.authorize(Action::StartRun)?;
    repeat::check(key)?;
    validate::task(&draft)?;
    if let Some(task) = repeat::find(ctx, key, &draft).await? {
        return Ok(task);
    }
    for (place, after) in draft.after.iter().enumerate() {
        if store::queue::find(&ctx.db, ctx.workspace(), *after).await?.is_none() {
            let field = FieldError::new(format!("/after/{place}"), "expected the id of a task of this queue");
            return Err(Error::Invalid(vec![field]));
        }
    }
    let (by, given_by) = match &ctx.actor.principal {
        Principal::User { id, name, .. } => (Some((*id, name.clone())), Some(name.clone())),
        Principal::Key { name, .. } => (None, Some(name.clone())),
        Principal::OnBehalf { .. } | Principal::System => (None, None),
    };
    let kind = kind_of(&draft.expertise);
    let task = QueuedTask {
        id: ctx.ids.fresh(),
        task: draft,
        status: QueuedStatus::Waiting,
        reason: String::new(),
        attempt: 0,
        agent: None,
        agent_name: None,
        run_id: None,
        assignment: None,
        given_by,
        created_at: ctx.clock.now(),
        assigned_at: None,
        ended_at: None,
    };
    let held = Held { task, kind, tried: Vec::new(), by, is_leaving: false, run: None };
    let mut tx = ctx.db.begin().await?;
    if store::queue::count_open(&mut tx, ctx.workspace()).await? >= MAX_OPEN {
        return Err(Error::Conflict(format!("{MAX_OPEN} tasks of this workspace are not over; wait for some of them")));
    }
    match store::queue::insert(&mut tx, ctx.workspace(), &held, key).await {
        Ok(()) => {}
        // Somebody with the same key was faster by a moment.
        Err(crate::db::Error::Duplicate(_)) if key.is_some() => {
            drop(tx);
            return repeat::find(ctx, key, &held.task.task).await?.ok_or_else(repeat::reused);
        }
        Err(error) => return Err(error.into()),
    }
    tx.commit().await?;
    tracing::info!(task = %held.task.id, by = %ctx.actor.principal, "a task was put into the queue");
    tell(ctx, held.task.id);
    nudge(ctx.runtime());
    Ok(held.task)
}

/// One task of the queue.
///
/// # Errors
/// [`Error::NotFound`] also for another workspace's.
pub async fn get(ctx: &Ctx, id: QueuedTaskId) -> Result<QueuedTask> {
    ctx.authorize(Action::ReadAgent)?;
    Ok(find(ctx, id).await?.task)
}

/// The tasks of the queue, the newest first, all or of one status. Their prompts are cut to 300 characters.
///
/// # Errors
/// [`Error::Invalid`] for a cursor that is not of this list.
pub async fn list(ctx: &Ctx, status: Option<QueuedStatus>, page: &PageRequest) -> Result<Page<QueuedTask>> {
    ctx.authorize(Action::ReadAgent)?;
    let read = |text: &String| {
        text.parse().map_err(|_| Error::Invalid(vec![FieldError::new("cursor", "expected the next of a page")]))
    };
    let before: Option<QueuedTaskId> = page.cursor.as_ref().map(read).transpose()?;
    let limit = page.limit();
    let rows = store::queue::list(&ctx.db, ctx.workspace(), status, before, limit + 1).await?;
    let page = Page::cut(rows, limit, |held| held.task.id.to_string());
    let listed = |held: Held| {
        let mut task = held.task;
        task.task.prompt = task.task.prompt.chars().take(LISTED).collect();
        task
    };
    Ok(Page { items: page.items.into_iter().map(listed).collect(), next: page.next })
}

/// Cancels a task that is not over. Returns it as it was: whoever asked ends its run.
///
/// # Errors
/// [`Error::NotFound`], [`Error::Conflict`] for one that is over.
pub async fn cancel(ctx: &Ctx, id: QueuedTaskId) -> Result<Held> {
    ctx.authorize(Action::ControlRun)?;
    // Somebody may give it to an agent at the same moment: then it is looked at again.
    for _ in 0..=MAX_ATTEMPTS {
        let held = find(ctx, id).await?;
        if held.task.status.is_final() {
            let status = held.task.status.as_str();
            return Err(Error::Conflict(format!("the task is over already: it is {status}")));
        }
        if settle(ctx, &held, QueuedStatus::Cancelled, "").await? {
            tracing::info!(task = %id, by = %ctx.actor.principal, "a task of the queue was cancelled");
            return Ok(held);
        }
    }
    Err(Error::Conflict("the task is just changing hands; try again".to_owned()))
}

/// The workspaces in which tasks are not over.
///
/// # Errors
/// The database's.
pub async fn open_workspaces(runtime: &Runtime) -> Result<Vec<WorkspaceId>> {
    Ok(store::queue::open_workspaces(&runtime.db).await?)
}

/// The tasks that an agent has, with how their runs stand.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn list_assigned(ctx: &Ctx) -> Result<Vec<Held>> {
    ctx.authorize(Action::ReadAgent)?;
    Ok(store::queue::list_assigned(&ctx.db, ctx.workspace()).await?)
}

/// Gives every task whose turn has come to the best agent, the most urgent first. Returns those that this process gave, which
/// have no run yet.
///
/// # Errors
/// [`Error::Denied`], or the database's; what was given before stays given, and is found by [`list_assigned`].
pub async fn assign_ready(ctx: &Ctx) -> Result<Vec<Held>> {
    ctx.authorize(Action::StartRun)?;
    let mut waiting = store::queue::list_waiting(&ctx.db, ctx.workspace(), None, BATCH).await?;
    if waiting.is_empty() {
        return Ok(Vec::new());
    }
    let mut after: HashMap<QueuedTaskId, Vec<_>> = HashMap::new();
    for (task, status, agent) in store::queue::list_after(&ctx.db, ctx.workspace()).await? {
        after.entry(task).or_default().push((status, agent));
    }
    let mut facts = Facts::read(ctx).await?;
    let mut given = Vec::new();
    // However many wait that nobody may take, those behind them have their turn.
    loop {
        let last = waiting.last().map(|held| (held.task.task.level(), held.task.id));
        let is_last = waiting.len() < BATCH as usize;
        for held in waiting {
            let before = after.remove(&held.task.id).unwrap_or_default();
            match turn(&before) {
                Turn::Come => given.extend(give_to_best(ctx, held, &before, &mut facts).await?),
                Turn::Waits => {}
                Turn::Never(why) => {
                    settle(ctx, &held, QueuedStatus::Failed, why).await?;
                }
            }
        }
        if is_last {
            return Ok(given);
        }
        waiting = store::queue::list_waiting(&ctx.db, ctx.workspace(), last, BATCH).await?;
    }
}

/// Gives a task to the best agent; `None` where nobody may take it, or somebody else gave it.
async fn give_to_best(
    ctx: &Ctx,
    mut held: Held,
    before: &[(Option<String>, Option<AgentId>)],
    facts: &mut Facts,
) -> Result<Option<Held>> {
    let last_at_topic = match held.task.task.topic.trim() {
        "" => None,
        topic => store::queue::find_last_at(&ctx.db, ctx.workspace(), topic).await?,
    };
    let candidates = facts.candidates(&held, before, last_at_topic);
    let task = Task {
        expertise: &held.task.task.expertise,
        kind: &held.kind,
        priority: held.task.task.level(),
        after: before.len() as u32,
    };
    let assignment = match assign(&task, &candidates, &facts.weights, ctx.clock.now()) {
        Ok(assignment) => assignment,
        Err(refusal) => {
            wait_or_fail(ctx, &held, &refusal).await?;
            return Ok(None);
        }
    };
    let mut tx = ctx.db.begin().await?;
    if !store::queue::assign(&mut tx, &held, &assignment, ctx.clock.now()).await? {
        return Ok(None);
    }
    tx.commit().await?;
    tracing::info!(task = %held.task.id, agent = %assignment.agent, why = assignment.why, "a task was given to an agent");
    tell(ctx, held.task.id);
    facts.add_open(&assignment.agent, &held);
    held.task.attempt += 1;
    held.task.status = QueuedStatus::Assigned;
    held.task.agent = Some(assignment.agent);
    held.task.agent_name = Some(assignment.name.clone());
    held.task.assignment = Some(assignment);
    held.task.run_id = None;
    held.run = None;
    Ok(Some(held))
}

/// Says why nobody has a task; it is over where everybody failed at it who could have had it.
async fn wait_or_fail(ctx: &Ctx, held: &Held, refusal: &Refusal) -> Result<()> {
    let why = refusal.to_string();
    let is_hopeless = matches!(refusal, Refusal::Nobody(out)
        if !out.is_empty() && out.iter().all(|one| one.because == KeptOut::Tried));
    if is_hopeless {
        settle(ctx, held, QueuedStatus::Failed, &why).await?;
        return Ok(());
    }
    say(ctx, held, &why).await
}

/// Notes the run in which a task is done; false when it was taken from its agent, or cancelled, meanwhile.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn started(ctx: &Ctx, held: &Held, run: RunId) -> Result<bool> {
    ctx.authorize(Action::StartRun)?;
    changed(ctx, held, Change::Run(run)).await
}

/// Begins to take a task from its agent; false when that is decided already.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn leave(ctx: &Ctx, held: &Held, why: &str) -> Result<bool> {
    ctx.authorize(Action::ControlRun)?;
    changed(ctx, held, Change::Leave(why)).await
}

/// Lets a task wait for another agent; `has_failed` keeps this one from having it again. False when that is decided already.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn give_back(ctx: &Ctx, held: &Held, has_failed: Option<AgentId>, why: &str) -> Result<bool> {
    ctx.authorize(Action::ControlRun)?;
    let mut tried = held.tried.clone();
    tried.extend(has_failed.filter(|agent| !held.tried.contains(agent)));
    let done = changed(ctx, held, Change::GiveBack(&tried, why)).await?;
    nudge(ctx.runtime());
    Ok(done)
}

/// Ends a task; false when that is decided already.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn settle(ctx: &Ctx, held: &Held, status: QueuedStatus, why: &str) -> Result<bool> {
    ctx.authorize(Action::ControlRun)?;
    let done = changed(ctx, held, Change::Settle(status, why)).await?;
    // What comes after it may begin, or never will.
    nudge(ctx.runtime());
    Ok(done)
}

/// Says why a task stands as it does.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn say(ctx: &Ctx, held: &Held, why: &str) -> Result<()> {
    ctx.authorize(Action::ControlRun)?;
    changed(ctx, held, Change::Say(why)).await.map(drop)
}

/// What becomes of a task.
enum Change<'a> {
    Run(RunId),
    Leave(&'a str),
    GiveBack(&'a [AgentId], &'a str),
    Settle(QueuedStatus, &'a str),
    Say(&'a str),
}

/// Changes a task that stands as it was seen; false when it does not.
async fn changed(ctx: &Ctx, held: &Held, change: Change<'_>) -> Result<bool> {
    let mut tx = ctx.db.begin().await?;
    let done = match change {
        Change::Run(run) => store::queue::set_run(&mut tx, held, run).await?,
        Change::Leave(why) => store::queue::leave(&mut tx, held, why).await?,
        Change::GiveBack(tried, why) => store::queue::give_back(&mut tx, held, tried, why).await?,
        Change::Settle(status, why) => store::queue::settle(&mut tx, held, status, why, ctx.clock.now()).await?,
        Change::Say(why) => store::queue::set_reason(&mut tx, held, why).await?,
    };
    tx.commit().await?;
    if done {
        tell(ctx, held.task.id);
    }
    Ok(done)
}

async fn find(ctx: &Ctx, id: QueuedTaskId) -> Result<Held> {
    store::queue::find(&ctx.db, ctx.workspace(), id).await?.ok_or(Error::NotFound("task"))
}

/// Has the queue of this process looked at soon.
pub fn nudge(runtime: &Runtime) {
    runtime.shared::<Desk>().nudge();
}

/// Tells whoever looks at agents that a task of the queue differs.
fn tell(ctx: &Ctx, id: QueuedTaskId) {
    ctx.events.publish(ctx.workspace(), Topic::Agents, "agents_changed", json!({"task": id}));
}
