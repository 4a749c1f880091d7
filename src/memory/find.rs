//! Searching: the index says which entries, the table says what stands in them.

use std::collections::HashMap;
use std::time::Instant;

use super::index::{self, Asked, Found, FoundEntry, Signal as Kind};
use super::{Error, catalog, store, validate};
use crate::model::auth::Action;
use crate::model::memory::{Entry, Hit, Neighbour, Search, SearchExplained, SearchResult, Signal, Stage, Why};
use crate::model::{EntryId, Timestamp};
use crate::runtime::Ctx;

/// Characters of a neighbour's content that come with a hit.
const NEIGHBOUR_CHARS: usize = 2000;

/// Searches the workspace's entries; finds every write that was acknowledged before.
///
/// How a score comes about stands in `memory::index`; `why` says what it was made of.
///
/// # Errors
/// [`Error::Invalid`] for a query, a filter, a limit or a number of neighbours that doesn't fit.
pub async fn search(ctx: &Ctx, search: &Search) -> Result<SearchResult, Error> {
    ctx.authorize(Action::ReadMemory)?;
    validate::search(search)?;
    let began = ctx.clock.now();
    let asked = Asked {
        text: search.query.clone(),
        filter: filter(search),
        limit: search.limit as usize,
        now: began,
        neighbours: search.neighbours as usize,
        min_score: search.min_score.unwrap_or(f64::NEG_INFINITY),
    };
    let before = Instant::now();
    let found = catalog::search(ctx, asked).await?;
    let mut stages = vec![stage("catch_up", found.caught_up)];
    stages.extend(found.found.stages.iter().map(|(name, took)| stage(name, *took)));
    let Found { hits, matched, .. } = found.found;
    let fetching = Instant::now();
    let entries = fetch(ctx, &hits, began).await?;
    let hits = hits.into_iter().filter_map(|hit| present(&entries, hit, search.explain)).collect();
    stages.push(stage("fetch", fetching.elapsed()));
    let took_ms = before.elapsed().as_secs_f64() * 1000.0;
    let explain = search.explain.then(|| SearchExplained { filters: filters(search), stages });
    Ok(SearchResult { hits, took_ms, matched, explain })
}

fn stage(name: &str, took: std::time::Duration) -> Stage {
    Stage { name: name.to_owned(), ms: took.as_secs_f64() * 1000.0 }
}

fn filter(search: &Search) -> index::Filter {
    index::Filter {
        namespace: search.namespace.clone().unwrap_or_default(),
        tags: search.tags.clone(),
        metadata: search.metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        source: search.source.clone(),
        group: search.group.clone(),
        since: search.since,
        until: search.until,
    }
}

/// The filters of a search, for people.
fn filters(search: &Search) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(namespace) = search.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        said.push(format!("namespace {namespace} and below"));
    }
    said.extend(search.tags.iter().map(|tag| format!("tag {tag}")));
    said.extend(search.metadata.iter().map(|(key, value)| format!("metadata {key} is {value}")));
    said.extend(search.source.iter().map(|source| format!("written by {source}")));
    said.extend(search.group.iter().map(|group| format!("group {group}")));
    said.extend(search.since.iter().map(|since| format!("written at or after {since}")));
    said.extend(search.until.iter().map(|until| format!("written before {until}")));
    said
}

/// The found entries and those around them as they are now; those that went away since the index saw them are left out.
async fn fetch(ctx: &Ctx, hits: &[FoundEntry], now: Timestamp) -> Result<HashMap<EntryId, Entry>, Error> {
    let mut ids: Vec<EntryId> =
        hits.iter().flat_map(|hit| std::iter::once(&hit.id).chain(&hit.before).chain(&hit.behind)).copied().collect();
    ids.sort();
    ids.dedup();
    let mut entries = HashMap::with_capacity(ids.len());
    let mut known = Vec::with_capacity(ids.len());
    for part in ids.chunks(store::FETCH) {
        for row in store::fetch(&ctx.db, ctx.workspace(), part).await? {
            known.push(row.id);
            if row.is_live(now) {
                entries.insert(row.id, row.into());
            }
        }
    }
    let lost: Vec<EntryId> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    if !lost.is_empty() {
        catalog::forget(ctx, &lost);
    }
    Ok(entries)
}

fn present(entries: &HashMap<EntryId, Entry>, hit: FoundEntry, explain: bool) -> Option<Hit> {
    let entry = entries.get(&hit.id)?.clone();
    let (snippet, highlights) = index::passage(&entry.content, &hit.met);
    let signal = |kind: Kind| {
        let (rank, score) = (hit.ranks[kind as usize], hit.signals[kind as usize]);
        (rank > 0).then_some(Signal { rank, score })
    };
    let why = Why {
        text: signal(Kind::Text),
        neighbours: signal(Kind::Neighbours),
        group: signal(Kind::Group),
        pairs: signal(Kind::Pairs),
        passage: signal(Kind::Passage),
        speaker: hit.speaker,
        recency: hit.recency,
        importance: hit.importance,
        terms: if explain { hit.terms.iter().cloned().collect() } else { Default::default() },
    };
    let neighbours = around(entries, &hit);
    Some(Hit { entry, score: hit.score, why, neighbours, snippet, highlights })
}

fn around(entries: &HashMap<EntryId, Entry>, hit: &FoundEntry) -> Vec<Neighbour> {
    let before = (-(hit.before.len() as i32)..0).zip(&hit.before);
    let behind = (1..).zip(&hit.behind);
    let neighbour = |(offset, id): (i32, &EntryId)| {
        let entry = entries.get(id)?;
        let content = match entry.content.char_indices().nth(NEIGHBOUR_CHARS) {
            Some((end, _)) => format!("{}…", &entry.content[..end]),
            None => entry.content.clone(),
        };
        Some(Neighbour { offset, key: entry.key.clone(), position: entry.position, content })
    };
    before.chain(behind).filter_map(neighbour).collect()
}
