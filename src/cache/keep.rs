//! Keeping an answer: told at once to those who wait for it, stored by a task, so that an answer never waits for the disk.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use super::canonical::{self, Key};
use super::error::Result;
use super::flight::{Seat, State};
use super::hot::Hot;
use super::look::{Body, Kept, Plan, Question, place};
use super::merkle::Root;
use super::semantic::{self, Fresh};
use super::store::entry::{self, NewEntry};
use super::{measure, policy, sources};
use crate::db::Tx;
use crate::model::cache::{Dependency, Sharing};
use crate::model::gateway::{Dialect, Response, Usage};
use crate::model::{ProviderId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// Largest answer that is kept, in bytes of JSON.
const MAX_ANSWER: usize = 1 << 20;
/// Largest request that is kept beside it, to be looked at.
const MAX_REQUEST: usize = 256 << 10;
/// Answers of this process that may wait to be stored.
const MOST_WAITING: usize = 1_000;
/// Answers that are thrown out at once to make room.
const ROOM: i64 = 200;

/// Held by whoever asks the model, until the answer is whole. Dropped before, the next of those who wait asks.
#[derive(Debug)]
pub struct Lead {
    runtime: Runtime,
    workspace: WorkspaceId,
    key: Key,
    sharing: (Sharing, Option<Uuid>),
    provider: (ProviderId, String),
    model: String,
    route: String,
    root: Option<Root>,
    depends_on: Vec<Dependency>,
    request: Vec<u8>,
    seat: Option<Seat>,
    /// How long the exact tier was asked.
    pub(super) took: Duration,
    /// By what it is found by meaning, and what is learned from its answer.
    fresh: Option<Box<Fresh>>,
    /// Whether it is asked for anew before anybody needs it.
    renews: bool,
}

/// Answers on their way to the database.
#[derive(Debug, Default)]
struct Waiting {
    count: AtomicUsize,
    less: Notify,
}

/// Counts one until it is dropped.
pub(super) struct Ticket(Arc<Waiting>);

/// From now until it is dropped, [`settled`] waits.
pub(super) fn hold(runtime: &Runtime) -> Ticket {
    let waiting: Arc<Waiting> = runtime.shared();
    waiting.count.fetch_add(1, Ordering::SeqCst);
    Ticket(waiting)
}

impl Drop for Ticket {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::SeqCst);
        self.0.less.notify_waiters();
    }
}

/// Returns once every answer that was to be kept before is stored, or could not be.
pub async fn settled(runtime: &Runtime) {
    let waiting: Arc<Waiting> = runtime.shared();
    loop {
        let less = waiting.less.notified();
        tokio::pin!(less);
        less.as_mut().enable();
        if waiting.count.load(Ordering::SeqCst) == 0 {
            return;
        }
        less.await;
    }
}

impl Lead {
    pub(super) fn new(ctx: &Ctx, plan: &Plan, question: &Question<'_>, key: Key, seat: Option<Seat>) -> Self {
        let request = canonical::write(question.body);
        Self {
            runtime: ctx.runtime().clone(),
            workspace: ctx.workspace(),
            key,
            sharing: plan.sharing,
            provider: (question.provider.0, question.provider.1.to_owned()),
            model: question.model.to_owned(),
            route: plan.route.clone(),
            root: plan.root,
            depends_on: plan.depends_on.clone(),
            request: if request.len() > MAX_REQUEST { b"null".to_vec() } else { request },
            seat,
            took: Duration::ZERO,
            fresh: None,
            renews: false,
        }
    }

    /// For an answer that nobody waits for.
    pub(super) fn renewing(self) -> Self {
        Self { renews: true, ..self }
    }

    /// What is asked.
    pub(super) const fn key(&self) -> &Key {
        &self.key
    }

    /// Makes the answer one that is found by meaning too.
    pub(super) fn mean(&mut self, fresh: Fresh) {
        self.fresh = Some(Box::new(fresh));
    }

    /// Keeps a whole answer, and gives it to those who wait. One that is no whole answer is kept from nobody who asks anew.
    pub fn keep(self, response: Response, dialect: Dialect, usage: Usage) {
        let body = Body { response, dialect, usage };
        let clear = Some(&body).filter(|body| policy::is_whole(&body.response));
        let clear = clear.and_then(|body| serde_json::to_vec(body).ok()).filter(|clear| clear.len() <= MAX_ANSWER);
        let Some(clear) = clear else {
            if let Some(seat) = &self.seat {
                seat.land(State::Unkept);
            }
            measure::kept("unfit");
            return;
        };
        let kept = Arc::new(Kept {
            id: self.runtime.ids.fresh(),
            response: body.response,
            dialect,
            usage,
            created_at: self.runtime.clock.now(),
            bytes: clear.len(),
        });
        if let Some(seat) = &self.seat {
            seat.land(State::Landed(Arc::clone(&kept)));
        }
        let waiting: Arc<Waiting> = self.runtime.shared();
        if waiting.count.fetch_add(1, Ordering::SeqCst) >= MOST_WAITING {
            drop(Ticket(waiting));
            measure::kept("dropped");
            return;
        }
        let ticket = Ticket(waiting);
        let tasks = self.runtime.tasks.clone();
        tasks.spawn("cache keeper", async move {
            match self.store(&kept, &clear).await {
                Ok(outcome) => measure::kept(outcome),
                Err(error) => {
                    measure::kept("failed");
                    tracing::warn!(%error, "an answer of a model was not kept");
                }
            }
            // The seat goes before the ticket: whoever asks then finds it in the database.
            drop(self);
            drop(ticket);
        });
    }

    async fn store(&self, kept: &Arc<Kept>, clear: &[u8]) -> Result<&'static str> {
        let (rt, workspace) = (&self.runtime, self.workspace);
        let fresh = match &self.fresh {
            Some(fresh) => semantic::learn(rt, workspace, fresh, &kept.response).await?.then_some(fresh),
            None => None,
        };
        let bounds = rt.config.cache;
        if !self.depends_on.is_empty() && sources::root(&rt.db, workspace, &self.depends_on).await? != self.root {
            // Something changed since it was asked: nobody may get it.
            return Ok("stale");
        }
        let span = (kept.created_at, kept.created_at.plus_ms(bounds.kept_ms));
        let seal = |column, clear: &[u8]| {
            let root = self.root.as_ref().map(Root::as_slice);
            rt.keys.seal(&rt.ids, &place(workspace, kept.id, &self.key, root, span, column), clear)
        };
        let (request, answer) = (seal("request", &self.request)?, seal("answer", clear)?);
        let place_of = (kept.id, &self.key, self.root.as_ref().map(Root::as_slice));
        let meaning = match fresh {
            Some(fresh) => Some((fresh, fresh.seal(rt, workspace, place_of, span)?)),
            None => None,
        };
        let entry = NewEntry {
            id: kept.id,
            key: &self.key,
            sharing: self.sharing,
            provider: (self.provider.0, &self.provider.1),
            model: &self.model,
            route: &self.route,
            root: self.root,
            request: &request,
            answer: &answer,
            more_bytes: meaning.as_ref().map_or(0, |(_, sealed)| sealed.len()),
            tokens: (kept.usage.prompt(), kept.usage.output),
            span,
            depends_on: &self.depends_on,
            warmed_at: self.renews.then_some(kept.created_at),
        };
        let mut tx = rt.db.begin().await?;
        match entry::find_head_within(&mut tx, workspace, &self.key).await? {
            Some(head) if head.wrong_at.is_some() => return Ok("wrong"),
            Some(head) => drop(entry::delete(&mut tx, workspace, head.id, false).await?),
            None => {}
        }
        if !entry::insert(&mut tx, workspace, &entry).await? {
            return Ok("late");
        }
        if let Some((fresh, sealed)) = &meaning {
            fresh.insert(&mut tx, workspace, kept.id, sealed, kept.created_at).await?;
        }
        make_room(&mut tx, workspace, (bounds.entries, bounds.bytes)).await?;
        tx.commit().await?;
        let until = kept.created_at.plus_ms(bounds.memory_ms.min(bounds.kept_ms));
        rt.shared::<Hot>().put(self.key, Arc::clone(kept), until, bounds.memory_bytes);
        Ok("stored")
    }
}

/// Throws out what was not given for longest, until the rest fits.
async fn make_room(tx: &mut Tx, workspace: WorkspaceId, (most, most_bytes): (i64, i64)) -> Result<()> {
    let (mut count, mut bytes) = entry::sum(tx, workspace).await?;
    let mut thrown = 0;
    while count > most || bytes > most_bytes {
        let oldest = entry::list_longest_unused(tx, workspace, ROOM).await?;
        if oldest.is_empty() {
            break;
        }
        for (id, size) in oldest {
            if count <= most && bytes <= most_bytes {
                break;
            }
            entry::delete(tx, workspace, id, false).await?;
            count -= 1;
            bytes -= size;
            thrown += 1;
        }
    }
    if thrown > 0 {
        measure::gone("full", thrown);
    }
    Ok(())
}
