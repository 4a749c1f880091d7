//! What else the memory holds about the matter of an entry.

use super::health::short;
use super::index::{Asked, Filter};
use super::shingles::telling;
use super::{Error, access, catalog, store};
use crate::model::memory::{Entry, HealthEntry};
use crate::runtime::Ctx;

/// Words of the entry by which others are looked for.
const WORDS: usize = 24;
/// Entries that are told of.
const MOST: usize = 6;
/// The share of what the entry itself scores for its own words that another must score. Chosen by hand: lower lets in what shares
/// one common word.
const LEAST_SHARE: f64 = 0.15;

/// The entries that share the most telling words with one, the best first, from all namespaces; at most 6.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Quarantined`].
pub async fn related(ctx: &Ctx, namespace: &str, key: &str) -> Result<Vec<HealthEntry>, Error> {
    let reach = access::reading(ctx).await?;
    let entry = super::find_free(ctx, namespace, key).await?;
    let now = ctx.clock.now();
    let asked = Asked {
        text: telling(&entry.content, WORDS),
        words: true,
        vector: None,
        filter: Filter { reach: reach.clone(), ..Filter::default() },
        limit: MOST + 1,
        now,
        neighbours: 0,
        min_score: f64::NEG_INFINITY,
    };
    let shelf = catalog::open(ctx).await?;
    let found = catalog::search(ctx, shelf, asked).await?.found;
    let own = found.hits.iter().find(|hit| hit.id == entry.id).map_or(0.0, |hit| hit.score);
    let others = found.hits.iter().filter(|hit| hit.id != entry.id && hit.score >= LEAST_SHARE * own);
    let ids: Vec<_> = others.map(|hit| hit.id).take(MOST).collect();
    let rows = store::fetch(ctx, &reach, &ids).await?;
    let known: Vec<Entry> =
        rows.into_iter().filter(|row| row.is_findable(now)).filter_map(|row| row.entry().ok()).collect();
    Ok(ids.iter().filter_map(|id| known.iter().find(|entry| entry.id == *id)).map(short).collect())
}
