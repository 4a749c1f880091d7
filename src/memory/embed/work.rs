//! The background queue: every entry gets its vectors, in batches, once.
//!
//! The queue is the order of changes itself: an embedder remembers up to which change number everything is embedded, and looks at
//! what comes behind. Nothing is queued by a write, nothing is lost by a crash, and an entry that changed ten times meanwhile is
//! embedded once, as it is. Entries of which only tags or metadata changed keep their vectors.
//!
//! One process works on an embedder at a time, by a lease. What is written is written under the lease, in one transaction with
//! how far it has come. Without an embedder a process asks the database once a minute whether there is one, if it keeps house.

use std::collections::HashMap;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;
use uuid::Uuid;

use super::order::Order;
use super::{Waiting, ask, is_of_the_texts};
use crate::db::Tx;
use crate::memory::local::{self, Urgency};
use crate::memory::store::{self, EmbedderRow, EntryRow, NewVectors};
use crate::memory::{Error, index};
use crate::model::gateway::{Fault, FaultClass};
use crate::model::memory::Reach;
use crate::model::{EntryId, Timestamp};
use crate::runtime::{Ctx, Runtime};

/// How often whoever keeps house looks for what others wrote: with an embedder, and without.
const EVERY_MS: i64 = 15_000;
const SELDOM_MS: i64 = 60_000;
/// How long writes are gathered before they are embedded.
const GATHER_MS: i64 = 250;
/// Entries that are looked at in one go.
const WINDOW: i64 = 32;
/// Passages of one call, but for an entry that has more by itself: at most about 9,000 tokens.
const PASSAGES: usize = 64;
/// How long one call may take, of a provider and of a model of this machine (which can't hang, but may be slow), and how long a
/// lease holds: longer, so that no other process begins meanwhile.
const PATIENCE_MS: [i64; 2] = [60_000, 300_000];
const LEASE_MS: [i64; 2] = [120_000, 360_000];
/// Waits after a pause, doubled each time in a row.
const FIRST_PAUSE_MS: i64 = 5_000;
const LONGEST_PAUSE_MS: i64 = 600_000;
/// Entries that are tried again in one go. At most as many as one look-up fetches.
const RETRIES: i64 = store::FETCH as i64;

/// What this process knows of the work.
#[derive(Debug, Default)]
struct Office {
    bell: Notify,
    /// Who it is, in leases.
    owner: OnceLock<Uuid>,
    /// Whether any workspace had an embedder when it looked last.
    has_any: AtomicBool,
}

impl Office {
    fn owner(&self, runtime: &Runtime) -> Uuid {
        *self.owner.get_or_init(|| runtime.ids.fresh())
    }
}

/// What a round came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Entries that got their vectors.
    pub embedded: u64,
    /// Entries that the model refused.
    pub refused: u64,
    /// When the first of what waits is to be tried again.
    pub next: Option<Timestamp>,
}

impl Round {
    fn wait_until(&mut self, at: Timestamp) {
        self.next = Some(self.next.map_or(at, |next| next.min(at)));
    }
}

/// Says in this process that an entry was written; costs nothing without an embedder.
pub(in crate::memory) fn tell(runtime: &Runtime) {
    let office = runtime.shared::<Office>();
    if office.has_any.load(Ordering::Relaxed) {
        office.bell.notify_one();
    }
}

/// Says in this process that an embedder was set.
pub(super) fn wake(runtime: &Runtime) {
    runtime.shared::<Office>().bell.notify_one();
}

/// Starts the work; it ends with the process' tasks.
pub fn boot(runtime: &Runtime) {
    runtime.tasks.spawn("memory embedder", watch(runtime.clone()));
}

async fn watch(runtime: Runtime) {
    let office = runtime.shared::<Office>();
    let stopping = runtime.tasks.stopping().clone();
    let mut wait_ms = GATHER_MS;
    loop {
        tokio::select! {
            () = stopping.cancelled() => return,
            () = office.bell.notified() => runtime.clock.sleep_ms(GATHER_MS).await,
            () = runtime.clock.sleep_ms(wait_ms) => if !runtime.keeps_house() {
                wait_ms = EVERY_MS;
                continue;
            },
        }
        let usual_ms = if office.has_any.load(Ordering::Relaxed) { EVERY_MS } else { SELDOM_MS };
        wait_ms = match embed_pending(&runtime).await {
            Ok(Round { next: Some(at), .. }) => {
                let ms = at.0.saturating_sub(runtime.clock.now().0) / 1000;
                ms.clamp(GATHER_MS, EVERY_MS)
            }
            Ok(_) => usual_ms,
            Err(error) => {
                tracing::warn!(%error, "entries could not be embedded; it is tried again in {} s", usual_ms / 1000);
                usual_ms
            }
        };
    }
}

/// Embeds what is to be embedded, in every workspace, until nothing is left or nothing goes on.
///
/// # Errors
/// When the database fails; what was embedded before is kept.
pub async fn embed_pending(runtime: &Runtime) -> Result<Round, Error> {
    let office = runtime.shared::<Office>();
    let mut round = Round::default();
    super::default::adopt(runtime).await?;
    let rows = store::all_embedders(&runtime.db).await?;
    office.has_any.store(!rows.is_empty() || runtime.config.embedder.is_some(), Ordering::Relaxed);
    for row in rows {
        if let (Some(_), Some(at)) = (&row.paused, row.retry_at)
            && at > runtime.clock.now()
        {
            round.wait_until(at);
            continue;
        }
        let ctx = runtime.system(row.workspace_id);
        let desk = Desk { ctx: &ctx, owner: office.owner(runtime), done: row.done_change, row };
        desk.work(&mut round).await?;
    }
    Ok(round)
}

/// What became of one go.
enum Step {
    /// There may be more.
    More,
    /// Nothing to do now.
    Idle,
    /// Another process has the lease, or the embedder is gone.
    Lost,
}

/// One embedder while it is worked on.
struct Desk<'a> {
    ctx: &'a Ctx,
    owner: Uuid,
    row: EmbedderRow,
    /// The change number up to which all is done.
    done: i64,
}

impl Desk<'_> {
    async fn work(mut self, round: &mut Round) -> Result<(), Error> {
        if !self.has_work(round).await? {
            return Ok(());
        }
        let now = self.ctx.clock.now();
        let mut tx = self.ctx.db.begin().await?;
        let mine = self.lease(&mut tx, now).await?;
        tx.commit().await?;
        if !mine {
            round.wait_until(now.plus_ms(EVERY_MS));
            return Ok(());
        }
        while !self.ctx.tasks.stopping().is_cancelled() {
            match self.step(round).await? {
                Step::More => {}
                Step::Idle => break,
                Step::Lost => return Ok(()),
            }
        }
        let mut tx = self.ctx.db.begin().await?;
        store::release(&mut tx, self.row.id, self.owner).await?;
        Ok(tx.commit().await?)
    }

    /// Takes the lease, or keeps it.
    async fn lease(&self, tx: &mut Tx, now: Timestamp) -> Result<bool, Error> {
        // Nobody else works on a database of one process: whoever has the lease there died with it.
        let over = if self.ctx.db.is_shared() { now } else { Timestamp(i64::MAX) };
        Ok(store::lease(tx, self.row.id, self.owner, over, now.plus_ms(self.of(LEASE_MS))).await?)
    }

    /// Of two values that of a provider's model, or of one of this machine.
    fn of(&self, [provider, local]: [i64; 2]) -> i64 {
        if local::folder_of(&self.row.model).is_some() { local } else { provider }
    }

    /// A look that takes no lease.
    async fn has_work(&self, round: &mut Round) -> Result<bool, Error> {
        if self.done < store::last_change(&self.ctx.db, self.ctx.workspace()).await? || self.row.whole_at.is_none() {
            return Ok(true);
        }
        let next = store::next_retry(&self.ctx.db, self.row.id).await?;
        if let Some(at) = next {
            round.wait_until(at);
        }
        Ok(next.is_some_and(|at| at <= self.ctx.clock.now()))
    }

    async fn step(&mut self, round: &mut Round) -> Result<Step, Error> {
        let (ctx, id) = (self.ctx, self.row.id);
        let now = ctx.clock.now();
        // Asked first: what comes in between is seen next time.
        let newest = store::last_change(&ctx.db, ctx.workspace()).await?;
        let changed = store::changed_after(ctx, self.done, WINDOW).await?;
        let due = store::due_again(&ctx.db, id, now, RETRIES).await?;
        let is_last = changed.len() < WINDOW as usize;
        if changed.is_empty() && due.is_empty() {
            return self.finish(newest, round).await;
        }
        let (orders, upto, all) = self.orders(changed, due, now).await?;
        let upto = if all && is_last { upto.max(newest) } else { upto };
        let mut written = Vec::new();
        let outcome = if orders.is_empty() { Ok(()) } else { self.embed(&orders, now, &mut written).await };
        // What waits for another attempt is not done.
        let upto = if outcome.is_ok() { upto } else { self.done };
        if !self.write(&written, upto, round).await? {
            return Ok(Step::Lost);
        }
        let Err(fault) = outcome else { return Ok(Step::More) };
        let exponent = u32::try_from(self.row.pauses.clamp(0, 10)).unwrap_or(0);
        let wait = (FIRST_PAUSE_MS << exponent).min(LONGEST_PAUSE_MS);
        let asked = fault.retry_after_ms.and_then(|ms| i64::try_from(ms).ok()).unwrap_or(0);
        let at = now.plus_ms(wait.max(asked.min(LONGEST_PAUSE_MS)));
        let reason: String = fault.message.replace('\0', "\u{fffd}").chars().take(500).collect();
        tracing::warn!(model = self.row.model, reason, "entries can't be embedded for now");
        let mut tx = ctx.db.begin().await?;
        store::pause(&mut tx, id, self.owner, &reason, self.row.pauses + 1, at).await?;
        tx.commit().await?;
        round.wait_until(at);
        Ok(Step::Idle)
    }

    /// What is to be embedded of what changed and of what is tried again; the number up to which what changed is in it, and whether
    /// that is all of it.
    async fn orders(
        &self,
        changed: Vec<EntryRow>,
        due: Vec<(EntryId, i64)>,
        now: Timestamp,
    ) -> Result<(Vec<Order>, i64, bool), Error> {
        let heads = store::embedded_heads(self.ctx, self.row.id, self.done, WINDOW).await?;
        let heads: HashMap<EntryId, i64> = heads.into_iter().collect();
        let (mut orders, mut passages, mut upto, mut all): (Vec<Order>, usize, i64, bool) =
            (Vec::new(), 0, self.done, true);
        for row in changed {
            let change = row.change;
            if row.is_findable(now) && row.unreadable().is_none() {
                let order = Order::of(&row, 0);
                if heads.get(&order.id) != Some(&order.digest) {
                    if passages > 0 && passages + order.passages.len() > PASSAGES {
                        all = false;
                        break;
                    }
                    passages += order.passages.len();
                    orders.push(order);
                }
            }
            upto = change;
        }
        let again: HashMap<EntryId, i64> = due.into_iter().collect();
        let ids: Vec<EntryId> = again.keys().copied().filter(|id| !orders.iter().any(|own| own.id == *id)).collect();
        for row in
            store::fetch(self.ctx, &Reach::everything(), &ids).await?.into_iter().filter(|row| row.is_findable(now))
        {
            if row.unreadable().is_some() {
                continue;
            }
            let attempts = again.get(&row.id).copied().unwrap_or_default();
            orders.push(Order::of(&row, attempts));
        }
        Ok((orders, upto, all))
    }

    /// Asks for the vectors of these entries, and notes what came of each. Fails when nothing can be embedded for now.
    async fn embed(&self, orders: &[Order], now: Timestamp, written: &mut Vec<NewVectors>) -> Result<(), Fault> {
        match self.embed_at_once(orders, now).await {
            Ok(all) => written.extend(all),
            Err(fault) if is_of_the_texts(fault.class) && orders.len() > 1 => {
                // One of them is to blame: each by itself.
                for order in orders {
                    let one = self.embed_at_once(std::slice::from_ref(order), now).await;
                    written.extend(match one {
                        Err(fault) if is_of_the_texts(fault.class) => vec![order.refused(&fault.message, now)],
                        other => other?,
                    });
                }
            }
            Err(fault) => match orders {
                [one] if is_of_the_texts(fault.class) => written.push(one.refused(&fault.message, now)),
                _ => return Err(fault),
            },
        }
        Ok(())
    }

    /// The vectors of these entries, by one call.
    async fn embed_at_once(&self, orders: &[Order], now: Timestamp) -> Result<Vec<NewVectors>, Fault> {
        let texts: Vec<String> = orders.iter().flat_map(|order| order.passages.iter().cloned()).collect();
        let vectors = if texts.is_empty() {
            Vec::new()
        } else {
            let patience_ms = self.of(PATIENCE_MS);
            let waiting = Waiting { on_behalf_of: None, urgency: Urgency::Background, patience_ms };
            ask(self.ctx, &self.row.model, texts, waiting).await?
        };
        if let Some(other) = vectors.iter().find(|one| one.len() as i64 != self.row.dims) {
            let (model, found, dims) = (&self.row.model, other.len(), self.row.dims);
            let message = format!("{model} makes vectors of {found} numbers now, not of {dims}: embed everything anew");
            return Err(Fault::new(FaultClass::Malformed, message));
        }
        let mut vectors = vectors.into_iter();
        let of = |order: &Order| {
            let own: Vec<Vec<f32>> = vectors.by_ref().take(order.passages.len()).collect();
            match index::pack(&own) {
                Some(codes) => order.embedded(codes),
                None => order.refused("the model made a vector without a direction", now),
            }
        };
        Ok(orders.iter().map(of).collect())
    }

    /// Writes what was embedded and how far it has come. False when the lease was lost, or the embedder is gone.
    async fn write(&mut self, written: &[NewVectors], upto: i64, round: &mut Round) -> Result<bool, Error> {
        if written.is_empty() && upto == self.done {
            return Ok(true);
        }
        let now = self.ctx.clock.now();
        let mut tx = self.ctx.db.begin().await?;
        let begun = if written.is_empty() { None } else { Some(store::begin_write(&mut tx, self.ctx).await?) };
        if !self.lease(&mut tx, now).await? || !store::advance(&mut tx, self.row.id, self.owner, upto).await? {
            return Ok(false);
        }
        if let Some(begun) = begun {
            for new in written {
                store::put_vectors(&mut tx, self.ctx, self.row.id, new, &begun).await?;
            }
        }
        tx.commit().await?;
        self.done = upto;
        if !written.is_empty() {
            self.row.pauses = 0;
        }
        let refused = written.iter().filter(|new| new.error.is_some()).count() as u64;
        round.refused += refused;
        round.embedded += written.len() as u64 - refused;
        Ok(true)
    }

    /// Nothing is left: notes it, and lets an embedder that was built take over.
    async fn finish(&mut self, newest: i64, round: &mut Round) -> Result<Step, Error> {
        let next = store::next_retry(&self.ctx.db, self.row.id).await?;
        if let Some(at) = next {
            round.wait_until(at);
        }
        if self.row.whole_at.is_some() || next.is_some() {
            let written = self.write(&[], newest, round).await?;
            return Ok(if written { Step::Idle } else { Step::Lost });
        }
        let now = self.ctx.clock.now();
        let mut tx = self.ctx.db.begin().await?;
        // Indexes learn of it by the number; nobody writes an entry between the look and the commit.
        let change = store::next_change(&mut tx, self.ctx.workspace()).await?;
        if change != newest + 1 {
            return Ok(Step::More);
        }
        if !store::advance(&mut tx, self.row.id, self.owner, change).await? {
            return Ok(Step::Lost);
        }
        for other in store::embedders_within(&mut tx, self.ctx.workspace()).await? {
            if other.state == store::SERVING && other.id != self.row.id {
                store::delete_embedder(&mut tx, other.id).await?;
            }
        }
        store::serve(&mut tx, self.row.id, now).await?;
        tx.commit().await?;
        tracing::info!(model = self.row.model, "every entry of a workspace has its vector");
        (self.done, self.row.whole_at) = (change, Some(now));
        Ok(Step::Idle)
    }
}
