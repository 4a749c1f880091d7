//! Leases on files, repositories and named things: what an agent has to itself or shares for a while.
//!
//! Owns the rows. Promises: what one has alone nobody else has, in whatever process it works; who waits gets it in the order in
//! which they asked; and nobody waits in a circle: whoever closes one is refused, and told who has what and who waits for what.
//! A lease belongs to a step of a run. It goes with the flush that stores the step's end; it stays while the step waits and when
//! another process goes on with the run; and it falls to whoever waits for it when the process that had the run is not heard of
//! any more before another has taken it up. Only the owner of a run, by its fencing token, asks in its name.
//!
//! Refuses to wait: who waits is told by [`take`], and woken by whoever finds it among those of [`settle`].
//!
//! The design: [`rule`] decides over all leases of a workspace, purely, under its gate. They are few: at most [`MAX_LEASES`].

pub(super) mod rule;
#[cfg(test)]
mod tests;

use tokio::sync::Notify;

use self::rule::{Claim, Party};
use super::error::{Error, Result};
use super::manage;
use super::store::lease::{self as rows, Ask, Kept};
use crate::db::{self, Tx};
use crate::model::agent::{Behind, Lease, LeaseMode, Thing};
use crate::model::auth::Action;
use crate::model::{AgentId, LeaseId, RunId, Timestamp, WorkspaceId};
use crate::runtime::{Ctx, Principal, Runtime};

/// Leases of a workspace that are held or waited for.
pub const MAX_LEASES: usize = 1_000;
/// Those of one step.
pub const MAX_OF_STEP: usize = 100;
/// Those who are told in one go.
const BATCH: i64 = 100;

/// What somebody waits for outside begins so; the lease's id follows.
const KEY: &str = "agent-lease/";

/// The key of the event that tells who waits for a lease that it came to something.
pub fn key(id: LeaseId) -> String {
    format!("{KEY}{id}")
}

/// Reads [`key`] back.
pub fn of_key(key: &str) -> Option<LeaseId> {
    key.strip_prefix(KEY)?.parse().ok()
}

/// Wakes who looks after leases in this process. A hint: what is to be done stands in the tables.
#[derive(Debug, Default)]
pub struct Desk(Notify);

impl Desk {
    /// Has them looked at soon.
    pub fn nudge(&self) {
        self.0.notify_one();
    }

    /// Waits until somebody asked for a look.
    pub async fn nudged(&self) {
        self.0.notified().await;
    }
}

/// Whoever asks for a lease: a step of a run, in which an agent works.
#[derive(Debug, Clone)]
pub struct Holder {
    /// The run.
    pub run_id: RunId,
    /// The step's path.
    pub step: String,
    /// The fencing token of the run's owner.
    pub token: i64,
    /// Which agent.
    pub agent: AgentId,
    /// Its name.
    pub agent_name: String,
}

impl Holder {
    fn party(&self) -> Party {
        Party { run: self.run_id, step: self.step.clone() }
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It has it.
    Held,
    /// It waits, with a sentence without a full stop that says for what and for whom.
    Waits(LeaseId, String),
    /// It neither has it nor waits, and why.
    Refused(String),
}

/// Asks for a lease, once: asking again for the same tells how that stands. `is_own`: a tool asks by itself.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn take(ctx: &Ctx, holder: &Holder, thing: &Thing, mode: LeaseMode, is_own: bool) -> Result<Answer> {
    ctx.authorize(Action::StartRun)?;
    let (workspace, now, party) = (ctx.workspace(), ctx.clock.now(), holder.party());
    let mut tx = ctx.db.begin().await?;
    let turn = rows::lock(&mut tx, workspace).await?;
    if let Some((reason, false)) = rows::take_over(&mut tx, &party, thing, mode).await? {
        tx.commit().await?;
        return Ok(Answer::Refused(reason));
    }
    let kept = rows::list_locked(&mut tx, workspace, lost_before(ctx.runtime())).await?;
    let is_own_claim = |kept: &&Kept| kept.claim.party == party;
    let suffices = |claim: &Claim| claim.is_held && claim.mode >= mode && claim.thing.covers(thing);
    if kept.iter().filter(is_own_claim).any(|kept| suffices(&kept.claim)) {
        tx.commit().await?;
        return Ok(Answer::Held);
    }
    let same = |kept: &&Kept| kept.claim.thing == *thing && kept.claim.mode == mode;
    let id = match kept.iter().filter(is_own_claim).find(same) {
        Some(kept) => kept.claim.id,
        None if kept.len() >= MAX_LEASES => return Ok(full(MAX_LEASES, "this workspace")),
        None if kept.iter().filter(is_own_claim).count() >= MAX_OF_STEP => return Ok(full(MAX_OF_STEP, "you")),
        None => {
            let id: LeaseId = ctx.ids.fresh();
            let (agent, agent_name) = (holder.agent, holder.agent_name.as_str());
            let ask = Ask {
                id,
                workspace,
                party: &party,
                token: holder.token,
                agent,
                agent_name,
                thing,
                mode,
                is_own,
                turn,
                now,
            };
            if !rows::insert(&mut tx, &ask).await? {
                return Ok(Answer::Refused("The run goes on in another process.".to_owned()));
            }
            id
        }
    };
    let (answer, others) = answer(&mut tx, ctx, id, now).await?;
    tx.commit().await?;
    if others {
        nudge(ctx.runtime());
    }
    if let Answer::Refused(why) = &answer {
        tracing::info!(run = %holder.run_id, step = holder.step, %thing, why, "a lease was refused");
    }
    manage::publish_leases(ctx, holder.agent);
    Ok(answer)
}

fn full(most: usize, whose: &str) -> Answer {
    Answer::Refused(format!("There are {most} leases of {whose} already; give some back first."))
}

/// How a claim stands once all are settled, and whether others have to be told of theirs.
async fn answer(tx: &mut Tx, ctx: &Ctx, id: LeaseId, now: Timestamp) -> Result<(Answer, bool)> {
    let Settling { claims, refused, others } = settle_rows(tx, ctx, Some(id), now).await?;
    if let Some(why) = refused {
        // Nobody waits for it, so nobody has to be told later.
        rows::delete(tx, id).await?;
        return Ok((Answer::Refused(why), others));
    }
    Ok(match claims.iter().position(|claim| claim.id == id) {
        Some(at) if claims[at].is_held => (Answer::Held, others),
        Some(at) => (Answer::Waits(id, waits_words(&claims, at)), others),
        None => (Answer::Refused("The run has ended.".to_owned()), others),
    })
}

/// For what and for whom a claim waits.
fn waits_words(claims: &[Claim], at: usize) -> String {
    let claim = &claims[at];
    let in_the_way = rule::blockers(claims, at);
    let first = in_the_way.first().map(|place| &claims[*place]);
    let because = first.map_or_else(String::new, |other| {
        let (has, more) = (if other.is_held { "has" } else { "waits before it for" }, in_the_way.len() - 1);
        let more = if more > 0 { format!(", and {more} more") } else { String::new() };
        format!(", because {} {has} {}{more}", other.agent, other.thing)
    });
    format!("{} waits for a lease on {}{because}", claim.agent, claim.thing)
}

struct Settling {
    claims: Vec<Claim>,
    /// Why the one that was asked about is refused.
    refused: Option<String>,
    /// Others have to be told.
    others: bool,
}

/// Grants what can be granted and refuses what would wait for ever, under the gate.
async fn settle_rows(tx: &mut Tx, ctx: &Ctx, asks: Option<LeaseId>, now: Timestamp) -> Result<Settling> {
    let mut kept = rows::list_locked(tx, ctx.workspace(), lost_before(ctx.runtime())).await?;
    for id in lost(&kept) {
        rows::end(tx, id, "its process was not heard of any more, and others waited", false).await?;
        kept.retain(|kept| kept.claim.id != id);
    }
    let mut claims: Vec<Claim> = kept.into_iter().map(|kept| kept.claim).collect();
    let settled = rule::settle(&mut claims);
    let mut others = false;
    for id in settled.granted {
        let is_other = asks != Some(id);
        rows::grant(tx, id, is_other, now).await?;
        others |= is_other;
    }
    let mut refused = None;
    for (id, circle) in settled.refused {
        let why = format!("Nobody would ever get what they wait for: {circle}.");
        if asks == Some(id) {
            refused = Some(why);
        } else {
            rows::end(tx, id, &why, true).await?;
            others = true;
        }
    }
    Ok(Settling { claims, refused, others })
}

/// What is held in runs whose process is not heard of any more, where somebody waits for it.
fn lost(kept: &[Kept]) -> Vec<LeaseId> {
    let waiting: Vec<&Claim> = kept.iter().map(|kept| &kept.claim).filter(|claim| !claim.is_held).collect();
    let is_wanted = |held: &Claim| waiting.iter().any(|claim| rule::is_against(held, claim));
    let lost = kept.iter().filter(|kept| kept.is_lost && kept.claim.is_held && is_wanted(&kept.claim));
    lost.map(|kept| kept.claim.id).collect()
}

/// Before when the run of a lost process should have been prolonged. Where one process has the database, its runs are its own.
fn lost_before(runtime: &Runtime) -> Option<Timestamp> {
    runtime.db.is_shared().then(|| runtime.clock.now())
}

/// Gives a thing back. False: the step neither had it nor waited for it.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn give_back(ctx: &Ctx, holder: &Holder, thing: &Thing) -> Result<bool> {
    ctx.authorize(Action::StartRun)?;
    let mut tx = ctx.db.begin().await?;
    rows::lock(&mut tx, ctx.workspace()).await?;
    let count = rows::give_back(&mut tx, &holder.party(), thing).await?;
    tx.commit().await?;
    if count > 0 {
        nudge(ctx.runtime());
        manage::publish_leases(ctx, holder.agent);
    }
    Ok(count > 0)
}

/// What a step has now.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn list_held(ctx: &Ctx, run_id: RunId, step: &str) -> Result<Vec<(Thing, LeaseMode)>> {
    ctx.authorize(Action::StartRun)?;
    Ok(rows::list_held(&ctx.db, &Party { run: run_id, step: step.to_owned() }).await?)
}

/// Takes out what a step that ends had and waited for; `None`: all of the run. Part of the commit that stores the end; whoever
/// commits has others looked at ([`Desk`]).
///
/// # Errors
/// The database's.
pub async fn release(tx: &mut Tx, run: RunId, step: Option<&str>) -> db::Result<()> {
    rows::release(tx, run, step).await
}

/// Who has what, and who waits for what and why, in the order in which they asked.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn list(ctx: &Ctx) -> Result<Vec<Lease>> {
    ctx.authorize(Action::ReadAgent)?;
    Ok(look(ctx.runtime(), ctx.workspace()).await?)
}

/// As [`list`], for whoever tells why a run waits.
///
/// # Errors
/// The database's.
pub async fn look(runtime: &Runtime, workspace: WorkspaceId) -> db::Result<Vec<Lease>> {
    let kept = rows::list(&runtime.db, workspace, None).await?;
    let claims: Vec<Claim> = kept.iter().map(|kept| kept.claim.clone()).collect();
    Ok(kept.iter().enumerate().map(|(at, kept)| shown(kept, &claims, at)).collect())
}

fn shown(kept: &Kept, claims: &[Claim], at: usize) -> Lease {
    let claim = &claims[at];
    let behind: Vec<&Claim> = rule::blockers(claims, at).into_iter().map(|place| &claims[place]).collect();
    let before = behind.iter().filter(|other| !other.is_held).count();
    Lease {
        id: claim.id,
        thing: claim.thing.clone(),
        mode: claim.mode,
        is_held: claim.is_held,
        since: kept.held_at.unwrap_or(kept.asked_at),
        agent: kept.agent,
        agent_name: claim.agent.clone(),
        run_id: claim.party.run,
        step: claim.party.step.clone(),
        task: kept.task,
        is_own: kept.is_own,
        position: (!claim.is_held).then(|| u32::try_from(before + 1).unwrap_or(u32::MAX)),
        behind: behind.into_iter().map(in_the_way).collect(),
    }
}

fn in_the_way(claim: &Claim) -> Behind {
    Behind {
        id: claim.id,
        thing: claim.thing.clone(),
        mode: claim.mode,
        is_held: claim.is_held,
        agent_name: claim.agent.clone(),
        run_id: claim.party.run,
    }
}

/// Ends a lease, or the wait for one: whoever has it is told with its next use of a tool, and whoever waits at once.
///
/// # Errors
/// [`Error::NotFound`] also for another workspace's, and for one that is over.
pub async fn end(ctx: &Ctx, id: LeaseId) -> Result<()> {
    ctx.authorize(Action::ControlRun)?;
    let mut tx = ctx.db.begin().await?;
    rows::lock(&mut tx, ctx.workspace()).await?;
    let kept = rows::list_locked(&mut tx, ctx.workspace(), None).await?;
    let kept = kept.into_iter().find(|kept| kept.claim.id == id).ok_or(Error::NotFound("lease"))?;
    let by = match &ctx.actor.principal {
        Principal::User { name, .. } | Principal::Key { name, .. } => name.as_str(),
        Principal::OnBehalf { .. } | Principal::System => "the server",
    };
    rows::end(&mut tx, id, &format!("{by} ended it"), !kept.claim.is_held).await?;
    tx.commit().await?;
    let Claim { thing, party, agent, .. } = &kept.claim;
    tracing::info!(lease = %id, %thing, run = %party.run, step = party.step, agent, by = %ctx.actor.principal, "a lease was ended");
    nudge(ctx.runtime());
    manage::publish_leases(ctx, kept.agent);
    Ok(())
}

/// The workspaces in which somebody waits, or is to be told.
///
/// # Errors
/// The database's.
pub async fn open_workspaces(runtime: &Runtime) -> Result<Vec<WorkspaceId>> {
    Ok(rows::open_workspaces(&runtime.db).await?)
}

/// Grants what has come free. Returns who is to be told, some of them: those who waited and got it, or are refused.
///
/// # Errors
/// [`Error::Denied`], or the database's.
pub async fn settle(ctx: &Ctx) -> Result<Vec<LeaseId>> {
    ctx.authorize(Action::StartRun)?;
    let mut tx = ctx.db.begin().await?;
    rows::lock(&mut tx, ctx.workspace()).await?;
    let moved = settle_rows(&mut tx, ctx, None, ctx.clock.now()).await?.others;
    tx.commit().await?;
    let untold = rows::list_untold(&ctx.db, ctx.workspace(), BATCH).await?;
    if moved {
        // Whose agent that is does not matter: the list is read anew.
        manage::publish_leases(ctx, AgentId(uuid::Uuid::nil()));
    }
    Ok(untold)
}

/// Notes that somebody was told, in the transaction that tells it. False where that was noted before.
///
/// # Errors
/// The database's.
pub async fn set_told(tx: &mut Tx, id: LeaseId) -> db::Result<bool> {
    rows::set_told(tx, id).await
}

/// Has the leases looked at soon.
pub fn nudge(runtime: &Runtime) {
    runtime.shared::<Desk>().nudge();
}
