//! What is learned from an answer of the model, and the question's vector beside it.

use std::sync::Arc;

use super::super::canonical::Key;
use super::super::error::Result;
use super::super::look::{Kept, place};
use super::super::store::semantic::{self, NewObservation};
use super::embed::{self, Serving};
use super::near::Worded;
use super::same::{self, Compared};
use super::threshold;
use crate::db::Tx;
use crate::model::gateway::Response;
use crate::model::{CacheEntryId, Timestamp, UserId, WorkspaceId};
use crate::runtime::{Ctx, Runtime};

/// A question whose answer is on its way, as it is found by meaning later.
#[derive(Debug)]
pub(in crate::cache) struct Fresh {
    pub context: Key,
    pub serving: Serving,
    pub vector: Vec<f32>,
    pub text: String,
    /// The kept one that it is like; its answer is compared.
    pub nearest: Option<Nearest>,
    /// Who asks.
    pub by: Option<UserId>,
}

/// A kept question that is like it.
#[derive(Debug)]
pub(in crate::cache) struct Nearest {
    pub key: Key,
    pub kept: Arc<Kept>,
    pub similarity: f64,
}

impl Fresh {
    /// Encrypted for its entry.
    pub fn seal(
        &self,
        rt: &Runtime,
        workspace: WorkspaceId,
        (id, key, root): (CacheEntryId, &Key, Option<&[u8]>),
        span: (Timestamp, Timestamp),
    ) -> Result<Vec<u8>> {
        let clear = serde_json::to_vec(&Worded::new(&self.text, &self.vector)).unwrap_or_default();
        Ok(rt.keys.seal(&rt.ids, &place(workspace, id, key, root, span, "question"), &clear)?)
    }

    /// Puts the vector beside its answer.
    pub async fn insert(
        &self,
        tx: &mut Tx,
        workspace: WorkspaceId,
        id: CacheEntryId,
        sealed: &[u8],
        at: Timestamp,
    ) -> Result<()> {
        Ok(semantic::insert_vector(tx, workspace, (id, &self.context, self.serving.id), sealed, at).await?)
    }
}

/// Compares the fresh answer with the one that is kept for what is like it, and notes that. True when the question is to be found
/// by its own meaning from now on: where its answer is another, or none was there to compare with.
pub(in crate::cache) async fn learn(
    rt: &Runtime,
    workspace: WorkspaceId,
    fresh: &Fresh,
    response: &Response,
) -> Result<bool> {
    let Some(near) = &fresh.nearest else { return Ok(true) };
    let ctx = rt.system(workspace);
    let Some(same) = is_same(&ctx, &fresh.serving, (response, &near.kept.response), fresh.by).await else {
        return Ok(true);
    };
    let new = NewObservation {
        id: ctx.ids.fresh(),
        key: &near.key,
        embedder: fresh.serving.id,
        similarity: near.similarity,
        same,
        source: "explored",
        at: ctx.clock.now(),
    };
    let mut tx = ctx.db.begin().await?;
    semantic::insert_observation(&mut tx, workspace, &new, threshold::MOST).await?;
    tx.commit().await?;
    Ok(!same)
}

/// Whether two answers say the same; `None` where that takes vectors and there are none.
pub(super) async fn is_same(
    ctx: &Ctx,
    serving: &Serving,
    (one, other): (&Response, &Response),
    by: Option<UserId>,
) -> Option<bool> {
    match same::compare(one, other) {
        Compared::Same => Some(true),
        Compared::Different => Some(false),
        Compared::ByVectors(one, other) => match embed::vectors(ctx, serving, vec![one, other], by).await {
            Ok(vectors) => Some(embed::cosine(vectors.first()?, vectors.get(1)?) >= same::LIKE),
            Err(why) => {
                tracing::debug!(why, "two answers can't be compared");
                None
            }
        },
    }
}
