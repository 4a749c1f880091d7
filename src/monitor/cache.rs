//! What the response cache saves: read from the log of calls and from what is kept.

use super::frame::Frame;
use super::store::cache as store;
use crate::model::ApiError;
use crate::model::auth::Action;
use crate::model::cache::{CacheBucket, CacheReport};
use crate::model::dashboard::Period;
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
        tiers: store::list_tiers(db, workspace, frame.from).await?,
        buckets,
    })
}
