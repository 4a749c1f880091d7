//! What the response cache saves: read from the log of calls and from what is kept.

use super::frame::Frame;
use super::store::cache as store;
use crate::model::auth::Action;
use crate::model::cache::{CacheBucket, CacheReport, SemanticReport, wilson};
use crate::model::dashboard::Period;
use crate::model::{ApiError, Timestamp};
use crate::runtime::Ctx;

/// What the cache did in a period, against what would have been without it.
///
/// # Errors
/// [`ApiError::Forbidden`], or the database's.
pub async fn cache(ctx: &Ctx, period: Period) -> Result<CacheReport, ApiError> {
    ctx.authorize(Action::ReadUsage)?;
    let (db, workspace, now) = (&ctx.db, ctx.workspace(), ctx.clock.now());
    let frame = Frame::new(period, now);
    let sums = store::sum_calls(db, workspace, frame.from).await?;
    let kept = store::sum_kept(db, workspace, now).await?;
    let mut buckets: Vec<CacheBucket> =
        frame.starts().map(|from| CacheBucket { from, hits: 0, misses: 0, saved_micros: 0 }).collect();
    for call in store::list_asked(db, workspace, frame.from).await? {
        let Some(bucket) = frame.bucket(call.at).and_then(|at| buckets.get_mut(at)) else { continue };
        bucket.hits += i64::from(call.is_hit);
        bucket.misses += i64::from(!call.is_hit);
        bucket.saved_micros += call.saved_micros;
    }
    let asked = sums.hits + sums.misses;
    Ok(CacheReport {
        period,
        at: now,
        hits: sums.hits,
        misses: sums.misses,
        unasked: sums.calls - asked,
        hit_rate: (asked > 0).then(|| sums.hits as f64 / asked as f64),
        saved_input: sums.saved_input,
        saved_output: sums.saved_output,
        saved_micros: sums.saved_micros,
        unpriced: sums.unpriced,
        spent_micros: sums.spent_micros,
        entries: kept.entries,
        wrong: kept.wrong,
        bytes: kept.bytes,
        warmed: kept.warmed,
        warmed_given: kept.warmed_given,
        tiers: store::list_tiers(db, workspace, frame.from).await?,
        semantic: semantic(ctx, frame.from).await?,
        buckets,
    })
}

/// What was given by meaning, and how much of what was checked was wrong.
async fn semantic(ctx: &Ctx, from: Timestamp) -> Result<SemanticReport, ApiError> {
    let given = store::sum_given(&ctx.db, ctx.workspace(), from).await?;
    let explored = store::sum_explored(&ctx.db, ctx.workspace(), from).await?;
    let (false_hit_low, false_hit_high) = wilson(given.wrong, given.checked);
    Ok(SemanticReport {
        hits: given.hits,
        explored: explored.explored,
        explored_same: explored.same,
        checked: given.checked,
        wrong: given.wrong,
        false_hit_rate: (given.checked > 0).then(|| given.wrong as f64 / given.checked as f64),
        false_hit_low,
        false_hit_high,
        called_wrong: given.called_wrong,
    })
}
