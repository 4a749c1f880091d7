//! Looking for an answer to a question that means the same.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::super::canonical::{self, Asked, Key};
use super::super::error::Result;
use super::super::look::{self, Hit, Kept, Plan, Question};
use super::super::merkle::Root;
use super::super::store::{hit, semantic};
use super::super::{keep::Lead, measure};
use super::decide::{self, Alike, Refused};
use super::embed::{self, Serving};
use super::gate::Facts;
use super::keep::{Fresh, Nearest};
use super::threshold::{self, Observation, Verdict};
use crate::model::auth::Action;
use crate::model::cache::{CacheOutcome, CacheTier};
use crate::model::{EmbedderId, SemanticHitId, WorkspaceId};
use crate::runtime::Ctx;

/// The last words of a request, and the request without them.
#[derive(Debug, Clone, Copy)]
pub struct Wording<'a> {
    /// The words.
    pub text: &'a str,
    /// The rest of the request, as the provider would get it, with a mark where the words were.
    pub rest: &'a Value,
}

/// What was found.
#[derive(Debug)]
pub enum Sought {
    /// An answer to a question that means the same.
    Hit(Box<Hit>),
    /// None that may be given.
    Miss {
        /// With which to keep what the model says.
        lead: Box<Lead>,
        /// How long it was looked for.
        took: Duration,
        /// Of that, how long the embedder was waited for.
        away: Duration,
    },
}

/// Why an answer was given to a question that only means the same.
#[derive(Debug, Clone)]
pub struct Given {
    /// The note of it.
    pub id: SemanticHitId,
    /// How like both questions are.
    pub similarity: f64,
    /// How likely the answer was taken to be wrong, at most.
    pub doubt: f64,
    /// Observations behind that.
    pub observations: usize,
    pub(super) kept_key: Key,
    pub(super) serving: Serving,
    pub(super) shadow_percent: u32,
}

impl Given {
    /// In a few words, for the log of calls.
    pub fn why(&self) -> String {
        let Self { similarity, doubt, observations, .. } = self;
        format!("likeness {similarity:.3}; wrong with at most {:.1} %, after {observations} comparisons", doubt * 100.0)
    }
}

/// The words of a kept question, and their vector.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct Worded {
    pub text: String,
    /// Each number as four bytes, the lowest first, in hexadecimal: half the size of numbers in JSON.
    pub vector: String,
}

impl Worded {
    pub fn new(text: &str, vector: &[f32]) -> Self {
        let write = |mut digits: String, byte: u8| {
            let _ = write!(digits, "{byte:02x}"); // a String takes all
            digits
        };
        let room = String::with_capacity(vector.len() * 8);
        let vector = vector.iter().flat_map(|n| n.to_le_bytes()).fold(room, write);
        Self { text: text.to_owned(), vector }
    }

    fn vector(&self) -> Option<Vec<f32>> {
        let digits = self.vector.as_bytes().chunks_exact(8);
        let number = |digits: &[u8]| u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok();
        digits.map(|digits| Some(f32::from_bits(number(digits)?.swap_bytes()))).collect()
    }
}

/// Looks for an answer to a question that means the same; what fails is a miss. Asked after the exact tier, with its [`Lead`].
pub async fn begin_near(
    ctx: &Ctx,
    plan: &Plan,
    question: Question<'_>,
    wording: Option<Wording<'_>>,
    mut lead: Box<Lead>,
) -> Sought {
    let (since, mut away) = (Instant::now(), Duration::ZERO);
    let exact = lead.took;
    let outcome = match (ctx.authorize(Action::UseModel), wording) {
        (Ok(()), Some(wording)) => seek(ctx, plan, question, wording, &mut lead, &mut away).await,
        (Ok(()), None) => Ok(None),
        (Err(denied), _) => Err(denied.into()),
    };
    let took = exact + since.elapsed();
    match outcome {
        Ok(Some((kept, given))) => {
            measure::asked(CacheOutcome::Hit, Some(CacheTier::Semantic), took);
            let age_ms = ctx.clock.now().ms_since(kept.created_at).max(0);
            let (tier, given) = (CacheTier::Semantic, Some(Box::new(given)));
            return Sought::Hit(Box::new(Hit { kept, tier, took, waited: away, age_ms, given }));
        }
        Ok(None) => {}
        Err(error) => tracing::warn!(%error, "kept answers can't be looked for by meaning; the model is asked"),
    }
    measure::asked(CacheOutcome::Miss, None, took);
    Sought::Miss { lead, took, away }
}

/// A kept question, decrypted.
struct Unsealed {
    row: semantic::CandidateRow,
    key: Key,
    text: String,
}

async fn seek(
    ctx: &Ctx,
    plan: &Plan,
    question: Question<'_>,
    wording: Wording<'_>,
    lead: &mut Lead,
    away: &mut Duration,
) -> Result<Option<(Arc<Kept>, Given)>> {
    let Some(settings) = plan.semantic else { return Ok(None) };
    let facts = Facts::of(wording.text);
    if !decide::takes_part(wording.text, &facts) {
        measure::semantic("unfit");
        return Ok(None);
    }
    let since = Instant::now();
    let vector = match embed_question(ctx, wording.text).await {
        Ok(Some(made)) => made,
        Ok(None) => {
            measure::semantic("no_embedder");
            return Ok(None);
        }
        Err(why) => {
            *away += since.elapsed();
            measure::semantic("unembedded");
            tracing::debug!(why, "a question has no vector: the model is asked");
            return Ok(None);
        }
    };
    *away += since.elapsed();
    let (serving, vector) = vector;
    let asked = Asked {
        workspace: ctx.workspace(),
        sharing: plan.sharing,
        provider: question.provider.0,
        endpoint: question.endpoint,
        model: question.model,
        betas: question.betas,
        body: wording.rest,
        depends_on: &plan.depends_on,
    };
    let context = canonical::context(&ctx.keys, &asked);
    let alike = list_alike(ctx, plan, (&context, &serving), &vector, lead.key()).await?;
    let nearest = nearest(ctx, &facts, alike, lead.key()).await?;
    let mut fresh = Fresh {
        context,
        serving,
        vector,
        text: wording.text.to_owned(),
        nearest: None,
        by: ctx.actor.principal.user_id(),
    };
    let Some(Alike { kept: Unsealed { row, key, text }, similarity }) = nearest else {
        measure::semantic("alone");
        lead.mean(fresh);
        return Ok(None);
    };
    let Some((kept, _)) = look::fetch(ctx, &row.head, &key).await? else {
        lead.mean(fresh);
        return Ok(None);
    };
    let seen = observations(ctx, &key, fresh.serving.id).await?;
    let verdict = threshold::weigh(&seen, similarity, settings.error_budget);
    if !threshold::gives(verdict, ctx.ids.fraction()) {
        measure::semantic("explored");
        fresh.nearest = Some(Nearest { key, kept, similarity });
        lead.mean(fresh);
        return Ok(None);
    }
    let given = Given {
        id: ctx.ids.fresh(),
        similarity,
        doubt: verdict.doubt,
        observations: seen.len(),
        kept_key: key,
        serving: fresh.serving,
        shadow_percent: settings.shadow_percent,
    };
    note(ctx, plan, &question, (&fresh.text, &text), (lead.key(), &kept, &given, verdict)).await?;
    measure::semantic("given");
    Ok(Some((kept, given)))
}

async fn embed_question(ctx: &Ctx, text: &str) -> std::result::Result<Option<(Serving, Vec<f32>)>, String> {
    let Some(serving) = embed::serving(ctx).await? else { return Ok(None) };
    let person = ctx.actor.principal.user_id();
    let vectors = embed::vectors(ctx, &serving, vec![text.trim().to_owned()], person).await?;
    Ok(vectors.into_iter().next().map(|vector| (serving, vector)))
}

/// The kept questions that are like this one and may be answered with, the nearest first.
async fn list_alike(
    ctx: &Ctx,
    plan: &Plan,
    (context, serving): (&Key, &Serving),
    vector: &[f32],
    own: &Key,
) -> Result<Vec<Alike<Unsealed>>> {
    let now = ctx.clock.now();
    let most = decide::MOST_CANDIDATES as i64;
    let rows = semantic::list_candidates(&ctx.db, ctx.workspace(), context, serving.id, (now, most)).await?;
    let kept = rows.into_iter().filter_map(|row| {
        let is_as_it_was = row.head.root.as_deref() == plan.root.as_ref().map(Root::as_slice);
        let is_young = plan.max_age_ms.is_none_or(|most| now.ms_since(row.head.created_at) <= most);
        let key = Key::try_from(row.key.as_slice()).ok()?;
        if !is_as_it_was || !is_young || key == *own {
            return None;
        }
        let worded = open(ctx, &row, &key)?;
        let vector = worded.vector()?;
        Some((Unsealed { row, key, text: worded.text }, vector))
    });
    Ok(decide::list_alike(vector, kept))
}

fn open(ctx: &Ctx, row: &semantic::CandidateRow, key: &Key) -> Option<Worded> {
    let span = (row.head.created_at, row.head.expires_at);
    let place = look::place(ctx.workspace(), row.head.id, key, row.head.root.as_deref(), span, "question");
    serde_json::from_slice(&ctx.keys.unseal(&place, &row.question)?).ok()
}

/// The nearest that passes the gate, and that was not wrong for this question before.
async fn nearest(ctx: &Ctx, facts: &Facts, alike: Vec<Alike<Unsealed>>, own: &Key) -> Result<Option<Alike<Unsealed>>> {
    if alike.is_empty() {
        return Ok(None);
    }
    let wrong: HashSet<Vec<u8>> = semantic::list_refused(&ctx.db, ctx.workspace(), own).await?.into_iter().collect();
    let was_wrong = |kept: &Unsealed| wrong.contains(kept.key.as_slice());
    Ok(decide::nearest(
        facts,
        alike,
        |kept| &kept.text,
        was_wrong,
        |refused| match refused {
            Refused::Wrong => measure::semantic("refused"),
            Refused::Differs(differs) => measure::gate(differs.as_str()),
        },
    ))
}

async fn observations(ctx: &Ctx, key: &Key, embedder: EmbedderId) -> Result<Vec<Observation>> {
    let most = threshold::MOST as i64;
    let rows = semantic::list_observations(&ctx.db, ctx.workspace(), (key, embedder), most).await?;
    Ok(rows.into_iter().map(|row| Observation { similarity: row.similarity, is_same: row.same }).collect())
}

/// Notes what is about to be given.
async fn note(
    ctx: &Ctx,
    plan: &Plan,
    question: &Question<'_>,
    (asked, kept_text): (&str, &str),
    (own, kept, given, verdict): (&Key, &Kept, &Given, Verdict),
) -> Result<()> {
    let words = serde_json::to_vec(&(asked, kept_text)).unwrap_or_default();
    let questions = ctx.keys.seal(&ctx.ids, &place_of(ctx.workspace(), given.id), &words)?;
    let new = hit::NewHit {
        id: given.id,
        entry: kept.id,
        keys: (own, &given.kept_key),
        embedder: given.serving.id,
        sharing: plan.sharing,
        answerer: (question.provider.1, question.model),
        questions: &questions,
        similarity: given.similarity,
        doubt: verdict.doubt,
        at: ctx.clock.now(),
    };
    let mut tx = ctx.db.begin().await?;
    hit::insert(&mut tx, ctx.workspace(), &new).await?;
    tx.commit().await?;
    Ok(())
}

/// Where the questions of a note stand, so that they open nowhere else.
pub(in crate::cache) fn place_of(workspace: WorkspaceId, id: SemanticHitId) -> String {
    format!("cache_semantic_hit/{workspace}/{id}/questions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_comes_back_as_it_was() {
        let vector = [0.5, -0.25, 1.0, 0.0, f32::MIN_POSITIVE];
        assert_eq!(Worded::new("x", &vector).vector().unwrap(), vector);
        let odd = Worded { text: String::new(), vector: "zzzzzzzz".to_owned() };
        assert_eq!(odd.vector(), None);
    }
}
