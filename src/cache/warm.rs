//! Answers that a schedule will ask for are asked for anew before it fires, where a workspace wants that.
//!
//! What will be asked is not guessed: two runs of a schedule that asked exactly the same will be followed by a third. So what steps
//! ask is noted by run, as a digest, for [`ASKED_MS`]; for so long the answer stays beside it when its time is over, which is given to
//! nobody then. It is asked for again with the very request that was kept, once for each firing, and only where who answers, what is
//! asked and what it depends on still make the same question.

use serde_json::Value;

use super::canonical::{self, Asked, Key};
use super::error::Result;
use super::keep::Lead;
use super::look::{Plan, Question, place};
use super::merkle::Root;
use super::sources;
use super::store::asked::{self, StaleRow};
use super::store::entry;
use crate::model::cache::Sharing;
use crate::model::{ProviderId, RunId, Timestamp, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// How long it is known what runs asked: schedules that fire once a week find it.
pub(super) const ASKED_MS: i64 = 8 * 24 * 60 * 60 * 1000;
/// For so long after a schedule has fired its answers are to be there: a run takes a while.
const MARGIN_MS: i64 = 15 * 60 * 1000;

/// A firing that is ahead.
#[derive(Debug, Clone, Copy)]
pub struct Firing {
    /// The two runs before it, of the same schedule.
    pub runs: (RunId, RunId),
    /// When it is.
    pub at: Timestamp,
    /// From when on answers are asked for anew for it.
    pub from: Timestamp,
}

/// An answer to ask for anew.
#[derive(Debug)]
pub struct Stale {
    row: StaleRow,
    /// The request as the provider got it, without what only says how the answer comes.
    pub request: Value,
}

impl Stale {
    /// Who answered.
    pub const fn provider(&self) -> ProviderId {
        self.row.provider_id
    }

    /// The model that was asked.
    pub fn model(&self) -> &str {
        &self.row.model
    }
}

/// The workspaces that want this, and how many minutes before a schedule fires.
///
/// # Errors
/// The database's.
pub async fn list_warming(runtime: &Runtime) -> Result<Vec<(WorkspaceId, u32)>> {
    Ok(asked::list_warming(&runtime.db).await?)
}

/// Notes what a step of a run asks. That it can't be noted costs an answer that is not asked for anew, and nothing else.
pub(super) async fn note(ctx: &Ctx, run: RunId, key: &Key) {
    let noted = async {
        let mut tx = ctx.db.begin().await?;
        asked::insert(&mut tx, ctx.workspace(), run, key, ctx.clock.now()).await?;
        tx.commit().await
    };
    if let Err(error) = noted.await {
        tracing::warn!(%error, "what a step asked the cache was not noted; it may not be warmed");
    }
}

/// The answers that a firing will ask for when their time is over, the soonest first. None where they would not live long enough to
/// be given then.
///
/// # Errors
/// The database's.
pub async fn list_stale(ctx: &Ctx, firing: Firing, limit: u32) -> Result<Vec<Stale>> {
    let until = firing.at.plus_ms(MARGIN_MS);
    if ctx.clock.now().plus_ms(ctx.config.cache.kept_ms) <= until {
        return Ok(Vec::new());
    }
    let rows = asked::list_stale(&ctx.db, ctx.workspace(), firing.runs, (until, firing.from), limit).await?;
    let open = |row: StaleRow| {
        let span = (row.created_at, row.expires_at);
        let place = place(ctx.workspace(), row.id, &row.key, row.root.as_deref(), span, "request");
        // One that was too long to keep is null.
        let clear = ctx.keys.unseal(&place, &row.request)?;
        let request: Value = serde_json::from_slice(&clear).ok().filter(Value::is_object)?;
        Some(Stale { row, request })
    };
    Ok(rows.into_iter().filter_map(open).collect())
}

/// Takes one in hand: what its answer is kept with. `None` where the question is another one by now (of another provider, at another
/// address, or of what has changed since), or where it was taken in hand for this firing before.
///
/// # Errors
/// The database's.
pub async fn renew(ctx: &Ctx, firing: Firing, stale: &Stale, question: Question<'_>) -> Result<Option<Box<Lead>>> {
    let (workspace, row) = (ctx.workspace(), &stale.row);
    let depends_on = entry::list_dependencies(&ctx.db, workspace, row.id).await?;
    let root = match depends_on.as_slice() {
        [] => None,
        some => sources::root(&ctx.db, workspace, some).await?,
    };
    let sharing = (Sharing::Workspace, None);
    let asked = Asked {
        workspace,
        sharing,
        provider: question.provider.0,
        endpoint: question.endpoint,
        model: question.model,
        betas: question.betas,
        body: question.body,
        depends_on: &depends_on,
    };
    let key = canonical::key(&ctx.keys, &asked);
    let is_as_it_was = row.root.as_deref() == root.as_ref().map(Root::as_slice);
    let mut tx = ctx.db.begin().await?;
    let is_ours = asked::claim(&mut tx, workspace, row.id, (ctx.clock.now(), firing.from)).await?;
    tx.commit().await?;
    if !is_ours || key.as_slice() != row.key || !is_as_it_was {
        return Ok(None);
    }
    let plan = Plan {
        sharing,
        refresh: true,
        only: false,
        max_age_ms: None,
        semantic: None,
        depends_on,
        root,
        route: row.route.clone(),
        noted_for: None,
    };
    Ok(Some(Box::new(Lead::new(ctx, &plan, &question, key, None).renewing())))
}
