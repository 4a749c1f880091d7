//! One transaction for what happened to many runs: the rows, guarded by their fencing tokens, and the histories.
//!
//! Most changes only append to a history and move its row. Those go in one go, without a word in between; what else a
//! change can say goes in a transaction of several statements, of which none is one a run.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;

use super::append::{self, Row};
use super::ask::{self, WaitChange};
use super::history;
use super::signal::{self, Outgoing};
use super::{Card, Occasion, ending, fired, flow, occasion, step_key, unwanted};
use crate::db::{Db, Error, Result, Tx};
use crate::model::workflow::flow::Limits;
use crate::model::workflow::{Event, RunStatus};
use crate::model::{RunId, Timestamp, UserId, WorkspaceId};

/// What larger event data is kept as a payload: 4 KiB.
pub const INLINE_BYTES: usize = 4096;

/// What changed in one run.
#[derive(Debug)]
pub struct Change {
    /// Which.
    pub run: RunId,
    /// Whose.
    pub workspace: WorkspaceId,
    /// The owner's fencing token.
    pub token: i64,
    /// The newest event that the owner knows to be stored.
    pub stored_seq: i64,
    /// Set for a run that has no row yet.
    pub create: Option<Box<Create>>,
    /// What to append.
    pub events: Arc<[Event]>,
    /// Where the row stands afterwards.
    pub progress: Progress,
    /// Whether of the row nothing moves that an index or a search is about: status, times and owner stay.
    pub steady: bool,
    /// The signals that were taken in, and how many of the row's count they settle.
    pub taken_in: Vec<uuid::Uuid>,
    /// See `taken_in`.
    pub settled: i64,
    /// Signals for other runs.
    pub outgoing: Vec<Outgoing>,
    /// The keys of sub-runs that may have been begun and that nobody waits for.
    pub unwanted: Vec<String>,
    /// What changed in what the run waits for.
    pub waits: Vec<WaitChange>,
    /// What becomes of the run's place among those in progress.
    pub place: Place,
    /// What becomes of the keys of its steps.
    pub keys: Keys,
    /// What becomes of what the agents in its steps have to themselves.
    pub leases: Keys,
    /// The workflow to start because the run has failed.
    pub handler: Option<String>,
    /// The version that it runs from here on.
    pub moved: Option<Moved>,
}

/// A run that goes on with another version of its workflow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moved {
    /// The version.
    pub version: i64,
    /// All steps of it.
    pub steps_total: u32,
    /// Days that the run is kept once ended; `None` for the workspace's or the server's.
    pub keep_days: Option<u32>,
}

/// What a change means for the place of a run among those in progress.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Place {
    /// Nothing, or it has no flow control.
    #[default]
    Keep,
    /// It has ended.
    Leave,
    /// It had ended and goes on, or is a fork of one that had begun, if there is a place.
    Take {
        /// The workspace's quota of runs in progress.
        quota: Option<u32>,
    },
    /// It goes back to the queue.
    Queue,
}

/// What a change means for the keys, or the leases, of a run's steps.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Keys {
    /// Nothing.
    #[default]
    Keep,
    /// These steps let go of theirs.
    Release(Vec<String>),
    /// All do.
    ReleaseAll,
}

/// The row of a new run.
#[derive(Debug)]
pub struct Create {
    /// What does not change.
    pub card: Card,
    /// The definition as JSON, kept once under its hash. `None` where that is known to be kept.
    pub definition: Option<Arc<[u8]>>,
    /// Its hash.
    pub definition_hash: Vec<u8>,
    /// Who saved the draft that it is a test of, where that is known.
    pub drafted_by: Option<UserId>,
    /// The caller's idempotency key.
    pub idempotency_key: Option<String>,
    /// What was asked under it.
    pub request_hash: Option<Vec<u8>>,
    /// Who owns it.
    pub owner: uuid::Uuid,
    /// Days that it is kept once ended; `None` for the workspace's or the server's.
    pub keep_days: Option<u32>,
    /// For a fork: the run that it comes from, and the newest event of it that counts.
    pub forked_from: Option<(RunId, i64)>,
    /// For a fork: the beginning of its history, from 1 without gaps.
    pub copied: Vec<Event>,
    /// For a fork of a workflow with flow control: what limits it. It takes a place at once, or is refused.
    pub limits: Option<Box<Limits>>,
    /// The firing that starts it, written with it; not where flow control has a say.
    pub occasion: Option<Box<Occasion>>,
}

/// The part of the row that moves.
#[derive(Debug, Clone)]
pub struct Progress {
    /// Where the run stands.
    pub status: RunStatus,
    /// What people read beside it.
    pub headline: Option<String>,
    /// Steps that have ended.
    pub steps_done: u32,
    /// The newest event.
    pub last_seq: i64,
    /// When it began.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// When it goes on by itself.
    pub wake_at: Option<Timestamp>,
    /// Until when the owner keeps it; `None` gives it back.
    pub lease_until: Option<Timestamp>,
}

/// What came of one change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It is durable.
    Stored,
    /// Another owner has the run, or its history is not where the owner thought: nothing was written.
    Fenced,
    /// The idempotency key was used before: nothing was written.
    Duplicate,
    /// The run would go on, but its place among those in progress is taken: nothing was written.
    Full,
}

impl Change {
    /// Whether it only says that signals were taken in.
    pub fn only_settles(&self) -> bool {
        self.events.is_empty() && !self.taken_in.is_empty()
    }

    /// Whether it says nothing but how the run's row stands and what is to be appended.
    fn is_plain(&self) -> bool {
        self.create.is_none() && self.progress.ended_at.is_none() && self.says_no_more()
    }

    /// Whether it is a new run with the firing that starts it, and says nothing else.
    fn is_fired(&self) -> bool {
        let is_simple = |create: &Create| {
            create.occasion.is_some()
                && create.definition.is_none()
                && create.copied.is_empty()
                && create.limits.is_none()
        };
        self.create.as_deref().is_some_and(is_simple) && self.says_no_more()
    }

    /// Whether there is nothing to it but the run's row and what is to be appended.
    fn says_no_more(&self) -> bool {
        self.taken_in.is_empty()
            && self.outgoing.is_empty()
            && self.unwanted.is_empty()
            && self.waits.is_empty()
            && self.place == Place::Keep
            && self.keys == Keys::Keep
            && self.leases == Keys::Keep
            && self.handler.is_none()
            && self.moved.is_none()
    }
}

/// Stores all changes in one transaction. Those that are fenced off or duplicates are left out, each by itself.
pub async fn store(db: &Db, changes: &[Change], now: Timestamp) -> Result<Vec<Verdict>> {
    let rows: Vec<Row<'_>> = changes.iter().enumerate().flat_map(|(number, change)| encode(number, change)).collect();
    let is_small = rows.iter().all(|row| row.encoded.payload.is_none());
    if is_small
        && changes.iter().all(Change::is_plain)
        && changes.len() <= append::MOST_CHANGES
        && rows.len() <= append::MOST_EVENTS
    {
        let moved = append::at_once(db, changes, &rows, now).await?;
        let verdict = |change: &Change| if moved.contains(&change.run) { Verdict::Stored } else { Verdict::Fenced };
        return Ok(changes.iter().map(verdict).collect());
    }
    let is_fired = is_small && changes.iter().all(Change::is_fired);
    if is_fired && changes.len() <= append::MOST_CHANGES && rows.len() <= fired::MOST_EVENTS {
        match fired::at_once(db, changes, &rows).await {
            Ok(Some(stored)) => {
                let is_stored = |change: &Change| stored.contains(&change.run);
                let verdict = |change| if is_stored(change) { Verdict::Stored } else { Verdict::Duplicate };
                return Ok(changes.iter().map(verdict).collect());
            }
            // The same call came twice at once: one by one it is told which is the first.
            Ok(None) | Err(Error::Duplicate(_)) => {}
            Err(error) => return Err(error),
        }
    }
    let mut tx = db.begin().await?;
    lock_gates(&mut tx, changes).await?;
    let verdicts = move_rows(&mut tx, changes, now).await?;
    let stored = |number: usize| verdicts[number] == Verdict::Stored;
    for (_, change) in changes.iter().enumerate().filter(|(number, _)| stored(*number)) {
        say_the_rest(&mut tx, change, now).await?;
    }
    let ended =
        changes.iter().enumerate().filter(|(number, change)| stored(*number) && change.progress.ended_at.is_some());
    ending::insert(&mut tx, &ended.map(|(_, change)| change.run).collect::<Vec<_>>()).await?;
    let rows: Vec<Row<'_>> = rows.into_iter().filter(|row| stored(row.change)).collect();
    keep_payloads(&mut tx, changes, &rows, now).await?;
    append::insert_events(&mut tx, changes, &rows).await?;
    tx.commit().await?;
    Ok(verdicts)
}

/// Stores a new run within a transaction.
pub(super) async fn insert(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<Verdict> {
    if change.create.is_none() {
        return Ok(Verdict::Fenced);
    }
    let changes = std::slice::from_ref(change);
    let verdict = move_rows(tx, changes, now).await?[0];
    if verdict == Verdict::Stored {
        let rows: Vec<Row<'_>> = encode(0, change).collect();
        keep_payloads(tx, changes, &rows, now).await?;
        append::insert_events(tx, changes, &rows).await?;
    }
    Ok(verdict)
}

fn encode(number: usize, change: &Change) -> impl Iterator<Item = Row<'_>> {
    let copied = change.create.iter().flat_map(|create| &create.copied);
    copied.chain(change.events.iter()).map(move |event| {
        let encoded = history::encode(change.run, event);
        Row { change: number, event, encoded }
    })
}

/// Inserts the rows of new runs and moves those of the others.
async fn move_rows(tx: &mut Tx, changes: &[Change], now: Timestamp) -> Result<Vec<Verdict>> {
    let mut verdicts = vec![Verdict::Fenced; changes.len()];
    let mut definitions = HashSet::new();
    for change in changes {
        let Some(create) = &change.create else { continue };
        if let Some(definition) = &create.definition
            && definitions.insert((change.workspace, create.definition_hash.as_slice()))
        {
            append::touch_payload(tx, change.workspace, &create.definition_hash, definition, now).await?;
        }
    }
    let forks = take_places(tx, changes, now).await?;
    let is_new = |change: &&Change| change.create.is_some() && !forks.contains_key(&change.run.0);
    let mut moved = occasion::insert_runs(tx, changes.iter().filter(is_new).collect()).await?;
    let mut known = Vec::with_capacity(changes.len());
    for (change, verdict) in changes.iter().zip(&mut verdicts).filter(|(change, _)| change.create.is_none()) {
        match change.place {
            Place::Take { quota } if !flow::has_place(tx, change.workspace, change.run, quota).await? => {
                *verdict = Verdict::Full;
            }
            // Whether the next has a place depends on this one.
            Place::Take { .. } => {
                moved.extend(append::update_runs(tx, &[change], now).await?);
                if moved.contains(&change.run) {
                    flow::set_state(tx, change.run, "held").await?;
                }
            }
            _ => known.push(change),
        }
    }
    moved.extend(append::update_runs(tx, &known, now).await?);
    for (change, verdict) in changes.iter().zip(&mut verdicts) {
        if let Some(taken) = forks.get(&change.run.0) {
            *verdict = *taken;
        } else if moved.contains(&change.run) {
            *verdict = Verdict::Stored;
        } else if change.create.is_some() {
            *verdict = Verdict::Duplicate;
        }
    }
    Ok(verdicts)
}

/// Inserts the forks that need a place: whether the next has one depends on the one before.
async fn take_places(tx: &mut Tx, changes: &[Change], now: Timestamp) -> Result<HashMap<uuid::Uuid, Verdict>> {
    let mut verdicts = HashMap::new();
    for change in changes {
        let limits = change.create.as_ref().and_then(|create| create.limits.as_deref());
        if let (Some(limits), Place::Take { quota }) = (limits, change.place) {
            verdicts.insert(change.run.0, flow::insert_held(tx, change, limits, quota, now).await?);
        }
    }
    Ok(verdicts)
}

/// What a change says besides its row and its events.
async fn say_the_rest(tx: &mut Tx, change: &Change, now: Timestamp) -> Result<()> {
    if let Some(moved) = change.moved {
        super::run::set_version(tx, change.run, moved).await?;
    }
    super::failure::insert(tx, change, now).await?;
    move_place(tx, change).await?;
    let deleted = signal::delete(tx, &change.taken_in).await?;
    if deleted == 0 && change.only_settles() {
        // No event fences it off: its answer was lost, it was sent again, and this is the one that was late.
        return signal::unsettle(tx, change.run, change.settled).await;
    }
    for key in &change.unwanted {
        unwanted::note(tx, change.workspace, key, now).await?;
    }
    for outgoing in &change.outgoing {
        signal::insert(tx, outgoing, now).await?;
    }
    for wait in &change.waits {
        ask::apply(tx, change.workspace, change.run, wait, now).await?;
    }
    Ok(())
}

/// Keeps the data of large events, each content once.
async fn keep_payloads(tx: &mut Tx, changes: &[Change], rows: &[Row<'_>], now: Timestamp) -> Result<()> {
    let mut kept = HashSet::new();
    for row in rows {
        let workspace = changes[row.change].workspace;
        if let Some((hash, bytes)) = &row.encoded.payload
            && kept.insert((workspace, hash.as_slice()))
        {
            append::touch_payload(tx, workspace, hash, bytes, now).await?;
        }
    }
    Ok(())
}

/// Takes the gates of the workspaces in which runs want a place: all before any row, and always in the same order, so
/// that nobody waits in a circle.
async fn lock_gates(tx: &mut Tx, changes: &[Change]) -> Result<()> {
    let takers = changes.iter().filter(|change| matches!(change.place, Place::Take { .. }));
    let workspaces: BTreeSet<uuid::Uuid> = takers.map(|change| change.workspace.0).collect();
    for workspace in workspaces {
        flow::lock(tx, WorkspaceId(workspace)).await?;
    }
    Ok(())
}

async fn move_place(tx: &mut Tx, change: &Change) -> Result<()> {
    match change.place {
        // A place is taken with the row.
        Place::Keep | Place::Take { .. } => {}
        Place::Leave => flow::set_state(tx, change.run, "ended").await?,
        Place::Queue => flow::set_state(tx, change.run, "waiting").await?,
    }
    match &change.keys {
        Keys::Keep => {}
        Keys::ReleaseAll => step_key::delete(tx, change.run, None).await?,
        Keys::Release(steps) => {
            for step in steps {
                step_key::delete(tx, change.run, Some(step)).await?;
            }
        }
    }
    match &change.leases {
        Keys::Keep => {}
        Keys::ReleaseAll => crate::agents::leases::release(tx, change.run, None).await?,
        Keys::Release(steps) => {
            for step in steps {
                crate::agents::leases::release(tx, change.run, Some(step)).await?;
            }
        }
    }
    Ok(())
}
