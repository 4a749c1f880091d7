//! Flow control: which runs may begin, and why one waits.
//!
//! A run with a key, a rate or a quota is stored as queued before anything else, and let in by one rule
//! (`model::workflow::flow::admission`) over the rows that wait, in a transaction that holds the workspace's gate. So a
//! limit holds over all processes of a database, and nobody is let in twice. Whoever frees a place looks again after its
//! commit; what a dead process left undone is found by the rounds of the others.
//!
//! Refuses a run that finds its key full where the workflow says so, and any run beyond the workspace's queue.

mod why;

use crate::db::{self, Tx};
use crate::model::workflow::Graph;
use crate::model::workflow::flow::admission::{Blocked, Head, Room, admit};
use crate::model::workflow::flow::{Key, Limits, WhenFull};
use crate::model::{RunId, Timestamp, WorkspaceId};
use crate::runtime::{Config, Runtime};
use crate::workflow::store::{Change, Verdict, flow as rows};
use crate::workflow::{Error, store};

pub use why::why_waiting;

/// How soon a caller who found the queue full may ask again.
const FULL_RETRY_MS: u64 = 5_000;

/// What flow control there is for the runs of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Marks {
    /// Its runs are let in, rather than begun at once.
    pub(super) place: bool,
    /// So they are by its own words, and not because of a quota.
    pub(super) own: bool,
    /// Some of its steps have a key, be it inside of containers.
    pub(super) keys: bool,
}

impl Marks {
    pub(super) fn of(graph: &Graph, config: &Config) -> Self {
        let flow = graph.definition().flow.as_ref();
        let limited = flow.is_some_and(|flow| flow.concurrency.is_some() || flow.rate.is_some());
        Self { place: limited || config.max_running_runs.is_some(), own: limited, keys: graph.has_keys() }
    }
}

/// What came of asking for a run.
#[derive(Debug)]
pub(super) struct Accepted {
    /// What was let in: the run itself, and others that were next.
    pub(super) admitted: Vec<RunId>,
    /// The runs that newer ones supersede, and which.
    pub(super) superseded: Vec<(RunId, RunId)>,
    /// When somebody can be let in by the passing of time alone.
    pub(super) next: Option<Timestamp>,
    /// What people read beside the run while it waits.
    pub(super) headline: Option<String>,
}

/// Stores a new run as queued and lets in whoever is next, in one transaction. `None` when its idempotency key was used.
pub(super) async fn accept(runtime: &Runtime, change: &Change, limits: &Limits) -> Result<Option<Accepted>, Error> {
    let (run, workspace, now) = (change.run, change.workspace, runtime.clock.now());
    let mut tx = runtime.db.begin().await?;
    let rows::Gate { turn, own } = rows::enter(&mut tx, workspace).await?;
    let quota = own.running_within(runtime.config.max_running_runs);
    if let Some(key) = &limits.key {
        refuse_circle(&mut tx, change, key, &limits.lane).await?;
    }
    if rows::enqueue(&mut tx, change, limits, turn, now).await? != Verdict::Stored {
        return Ok(None);
    }
    let obsolete = match &limits.key {
        Some(Key { limit, when_full: WhenFull::CancelRunning, .. }) => {
            rows::supersede::mark_waiting(&mut tx, workspace, &limits.lane, *limit, run).await?
        }
        _ => Vec::new(),
    };
    // Where no quota ties the lanes together, a new run changes nothing but its own.
    let lane = quota.is_none().then_some(limits.lane.as_str());
    let Passed { admitted, mut superseded, left, room } = pass(&mut tx, workspace, lane, now, turn, quota).await?;
    superseded.extend(obsolete.into_iter().map(|old| (old, run)));
    let next = next_opening(&left, room);
    let mut headline = None;
    if !admitted.contains(&run) {
        let lane = left.iter().find(|lane| lane.name == limits.lane);
        let blocked = lane.and_then(|lane| lane.head.as_ref()).and_then(|head| head.blocked(room));
        match &limits.key {
            Some(key) if key.when_full == WhenFull::Reject && blocked == Some(Blocked::Key) => {
                drop(tx);
                return Err(rejected(runtime, workspace, key, &limits.lane).await?);
            }
            _ => {}
        }
        let waiting = rows::count_waiting(&mut tx, workspace).await?;
        let limit = own.queued_within(runtime.config.max_queued_runs);
        if waiting > i64::from(limit) {
            return Err(Error::QueueFull { limit, retry_after_ms: FULL_RETRY_MS });
        }
        let text = limits.headline(blocked);
        rows::set_headline(&mut tx, run, &text).await?;
        headline = Some(text);
    }
    tx.commit().await?;
    Ok(Some(Accepted { admitted, superseded, next, headline }))
}

/// Refuses a run that could never begin: those that wait for it have its key, and keep it until it has ended. So it is, too,
/// where they have a part of it, and the rest is with runs that wait for others that wait for the key.
async fn refuse_circle(tx: &mut Tx, change: &Change, key: &Key, lane: &str) -> Result<(), Error> {
    let parent = change.create.as_ref().and_then(|create| create.card.parent.as_ref()).filter(|parent| parent.waits);
    let Some(parent) = parent else { return Ok(()) };
    let (workspace, limit) = (change.workspace, i64::from(key.limit));
    let held = rows::circle::count_held_above(tx, workspace, parent.run, lane).await?;
    if held == 0 {
        return Ok(());
    }
    let (is_own, name) = (held >= limit, &key.name);
    if !is_own && rows::circle::count_held_above_all(tx, workspace, parent.run, lane).await? < limit {
        return Ok(());
    }
    Err(Error::Conflict(if is_own {
        format!("it would wait for itself: the key “{name}” is with the run that waits for it, or with one above that")
    } else {
        format!("all would wait for each other: the key “{name}” is with runs that wait for such as wait for it")
    }))
}

async fn rejected(runtime: &Runtime, workspace: WorkspaceId, key: &Key, lane: &str) -> Result<Error, Error> {
    let holders = rows::look::list_holders(&runtime.db, workspace, Some(lane), 3).await?;
    let names: Vec<String> = holders.iter().map(|(run, name)| format!("{run} of {name}")).collect();
    Ok(Error::Conflict(format!(
        "the key “{}” is full, and the workflow refuses runs then: it admits {} at a time, and in progress is {}",
        key.name,
        key.limit,
        names.join(", ")
    )))
}

/// What a pass did and what it left.
#[derive(Debug)]
pub(super) struct Passed {
    /// Who was let in, in this order.
    pub(super) admitted: Vec<RunId>,
    /// Whose place is taken, and by whom.
    pub(super) superseded: Vec<(RunId, RunId)>,
    /// The lanes in which somebody still waits.
    pub(super) left: Vec<rows::Lane>,
    /// The quota after it.
    pub(super) room: Room,
}

/// Lets in everybody who may begin; under the gate, whose number is `turn`.
pub(super) async fn pass(
    tx: &mut Tx,
    workspace: WorkspaceId,
    lane: Option<&str>,
    now: Timestamp,
    mut turn: i64,
    quota: Option<u32>,
) -> db::Result<Passed> {
    let mut admitted = Vec::new();
    loop {
        let room = rows::room(tx, workspace, quota).await?;
        let lanes = rows::lanes(tx, workspace, (lane, room), now).await?;
        let heads: Vec<Head> = lanes.iter().filter_map(|lane| lane.head.clone()).collect();
        let before = admitted.len();
        for run in admit(&heads, room) {
            let of = lanes.iter().find(|lane| lane.head.as_ref().is_some_and(|head| head.run == run));
            if let Some(of) = of
                && rows::admit(tx, run, now).await?
            {
                turn += 1;
                rows::serve_lane(tx, workspace, &of.name, turn).await?;
                admitted.push(run);
            }
        }
        if admitted.len() == before {
            if !admitted.is_empty() {
                rows::raise(tx, workspace, admitted.len() as i64).await?;
            }
            let (left, empty): (Vec<_>, Vec<_>) = lanes.into_iter().partition(|lane| lane.head.is_some());
            for lane in empty {
                rows::close_lane(tx, workspace, &lane.name).await?;
            }
            let superseded = supersede(tx, workspace, &left, room).await?;
            return Ok(Passed { admitted, superseded, left, room });
        }
    }
}

/// Has the first of each lane take the place of an older run, where only that keeps it from beginning.
async fn supersede(
    tx: &mut Tx,
    workspace: WorkspaceId,
    left: &[rows::Lane],
    room: Room,
) -> db::Result<Vec<(RunId, RunId)>> {
    let mut superseded = Vec::new();
    for lane in left {
        let Some(head) = lane.head.as_ref().filter(|head| head.supersedes) else { continue };
        let Some(limit) = head.limit.filter(|_| head.blocked(room) == Some(Blocked::Key)) else { continue };
        let old = rows::supersede::mark_held(tx, workspace, &lane.name, limit, head.run).await?;
        superseded.extend(old.into_iter().map(|old| (old, head.run)));
    }
    Ok(superseded)
}

/// When the first of those who wait for a rate may begin.
pub(super) fn next_opening(left: &[rows::Lane], room: Room) -> Option<Timestamp> {
    let heads = left.iter().filter_map(|lane| lane.head.as_ref());
    heads.filter_map(|head| if let Some(Blocked::Rate(at)) = head.blocked(room) { at } else { None }).min()
}

/// Why a run that ended can't go on now: who has its place.
pub(super) async fn refuse_retry(runtime: &Runtime, workspace: WorkspaceId, run: RunId) -> Result<Error, Error> {
    let stand = rows::look::find(&runtime.db, workspace, run, runtime.clock.now()).await?;
    let limits = stand.as_ref().map(|stand| &stand.limits);
    let key = limits.and_then(|limits| Some((limits.key.as_ref()?, limits.lane.as_str())));
    refuse_for_place(runtime, workspace, key, "retry").await
}

/// Why a run can't be in progress now: who has the place under its key and lane, or, without one, those of the quota.
pub(super) async fn refuse_for_place(
    runtime: &Runtime,
    workspace: WorkspaceId,
    key: Option<(&Key, &str)>,
    verb: &str,
) -> Result<Error, Error> {
    let held = match key {
        Some((_, lane)) => rows::look::count_in(&runtime.db, workspace, lane).await?,
        None => 0,
    };
    let key = key.filter(|(key, _)| held >= key.limit);
    let holders = store::flow::look::list_holders(&runtime.db, workspace, key.map(|(_, lane)| lane), 3).await?;
    let names: Vec<String> = holders.iter().map(|(run, name)| format!("{run} of {name}")).collect();
    let what = key.map_or_else(|| "the workspace's quota".to_owned(), |(key, _)| format!("the key “{}”", key.name));
    Ok(Error::Conflict(format!(
        "{what} is full: in progress is {}; {verb} this run when a place is free",
        names.join(", ")
    )))
}
