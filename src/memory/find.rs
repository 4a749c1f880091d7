//! Searching: the index says which entries, the table says what stands in them.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::catalog::{Answer, Serving};
use super::index::{self, Asked, Found, FoundEntry, Growth, Question, Signal as Kind, Way};
use super::{Error, access, catalog, embed, reads, store, then, validate};
use crate::model::memory::{
    Entry, Hit, Neighbour, Reach, Search, SearchExplained, SearchMode, SearchResult, Signal, Stage, Trust, VectorWay,
    VectorsCompared, Why,
};
use crate::model::{EntryId, FieldError, Timestamp};
use crate::runtime::Ctx;

/// Characters of a neighbour's content that come with a hit.
const NEIGHBOUR_CHARS: usize = 2000;

/// Searches the workspace's entries; finds every write that was acknowledged before.
///
/// How a score comes about stands in `memory::index`; `why` says what it was made of.
///
/// # Errors
/// [`Error::Invalid`] for a query, a filter, a limit, a number of neighbours or a moment that doesn't fit.
pub async fn search(ctx: &Ctx, search: &Search) -> Result<SearchResult, Error> {
    let reach = access::reading(ctx).await?;
    validate::search(search)?;
    if let Some(as_of) = search.as_of {
        return then::search(ctx, &reach, search, as_of).await;
    }
    let began = ctx.clock.now();
    let before = Instant::now();
    let shelf = catalog::open(ctx).await?;
    let mut stages = vec![stage("catch_up", before.elapsed())];
    let embedding = Instant::now();
    let Asking { words, vector, mut degraded, serving } = asking(ctx, search, shelf.serving()).await?;
    if serving.is_some() {
        stages.push(stage("embed", embedding.elapsed()));
    }
    let was_asked = vector.is_some();
    let asked = Asked {
        text: search.query.clone(),
        words,
        vector,
        filter: filter(search, &reach),
        limit: search.limit as usize,
        now: began,
        neighbours: search.neighbours as usize,
        min_score: search.min_score.unwrap_or(f64::NEG_INFINITY),
    };
    let mut answer = catalog::search(ctx, Arc::clone(&shelf), asked.clone()).await?;
    if was_asked && !answer.found.compared && !words {
        // Better by its words than not at all.
        answer = catalog::search(ctx, shelf, Asked { words: true, ..asked }).await?;
    }
    let Answer { found, left_out } = answer;
    if was_asked {
        degraded = incomplete(&found, left_out, serving.is_some_and(|serving| serving.is_whole));
    }
    stages.extend(found.stages.iter().map(|(name, took)| stage(name, *took)));
    let Found { hits, matched, vectors, .. } = found;
    let fetching = Instant::now();
    let (entries, unreadable) = fetch(ctx, &reach, &hits, began).await?;
    if unreadable > 0 {
        let lacks = format!("{unreadable} of the entries can't be decrypted and are left out");
        degraded = Some(degraded.map_or_else(|| lacks.clone(), |other| format!("{other}; {lacks}")));
    }
    let hits: Vec<Hit> = hits.into_iter().filter_map(|hit| present(&entries, hit, search)).collect();
    reads::note_person_found(ctx, &search.query, &hits);
    stages.push(stage("fetch", fetching.elapsed()));
    let took_ms = before.elapsed().as_secs_f64() * 1000.0;
    let explain =
        search.explain.then(|| SearchExplained { filters: filters(search), stages, vectors: vectors.map(compared) });
    Ok(SearchResult { hits, took_ms, matched, degraded, explain })
}

fn compared((way, Growth { vectors, in_graph }): (Way, Growth)) -> VectorsCompared {
    let way = match way {
        Way::Exact => VectorWay::Exact,
        Way::Graph => VectorWay::Graph,
    };
    VectorsCompared { way, vectors: vectors as u64, in_graph: in_graph as u64 }
}

/// How a search is answered.
struct Asking {
    words: bool,
    vector: Option<Question>,
    /// Why vectors take no part.
    degraded: Option<String>,
    /// What made the question's vector, or should have.
    serving: Option<Serving>,
}

/// Decides by what a search is answered, and makes the vector of its question if vectors count.
async fn asking(ctx: &Ctx, search: &Search, serving: Option<Serving>) -> Result<Asking, Error> {
    let Some(serving) = serving.filter(|_| search.mode != SearchMode::Text) else {
        if search.mode == SearchMode::Vector {
            let message = "this workspace has no embedder; set one, or search by text";
            return Err(Error::Invalid(vec![FieldError::new("/mode", message)]));
        }
        return Ok(Asking { words: true, vector: None, degraded: None, serving: None });
    };
    Ok(match embed::vector_of(ctx, &serving, &search.query).await {
        Ok(vector) => {
            let words = search.mode == SearchMode::Hybrid;
            Asking { words, vector: Some(vector), degraded: None, serving: Some(serving) }
        }
        Err(why) => {
            let degraded = Some(format!("the question has no vector, so it was answered by its words: {why}"));
            Asking { words: true, vector: None, degraded, serving: Some(serving) }
        }
    })
}

/// Why not all vectors took part that should have.
fn incomplete(found: &Found, left_out: u32, is_whole: bool) -> Option<String> {
    if !found.compared {
        return Some("no entry has a vector yet, so it was answered by its words".to_owned());
    }
    if left_out > 0 {
        return Some(format!("there is no room for the vectors of {left_out} entries"));
    }
    (!is_whole).then(|| "not every entry has its vector yet".to_owned())
}

pub(super) fn stage(name: &str, took: std::time::Duration) -> Stage {
    Stage { name: name.to_owned(), ms: took.as_secs_f64() * 1000.0 }
}

pub(super) fn filter(search: &Search, reach: &Reach) -> index::Filter {
    index::Filter {
        namespace: search.namespace.clone().unwrap_or_default(),
        tags: search.tags.clone(),
        metadata: search.metadata.iter().map(|(key, value)| (key.clone(), value.clone())).collect(),
        source: search.source.clone(),
        trust: search.trust.clone(),
        group: search.group.clone(),
        since: search.since,
        until: search.until,
        without: search.without.clone(),
        reach: reach.clone(),
    }
}

/// The filters of a search, for people.
pub(super) fn filters(search: &Search) -> Vec<String> {
    let mut said = Vec::new();
    if let Some(namespace) = search.namespace.as_deref().filter(|namespace| !namespace.is_empty()) {
        said.push(format!("namespace {namespace} and below"));
    }
    said.extend(search.tags.iter().map(|tag| format!("tag {tag}")));
    said.extend(search.metadata.iter().map(|(key, value)| format!("metadata {key} is {value}")));
    said.extend(search.source.iter().map(|source| format!("written by {source}")));
    if !search.trust.is_empty() {
        let labels: Vec<&str> = search.trust.iter().map(|trust| trust.as_str()).collect();
        said.push(format!("trust {}", labels.join(" or ")));
    }
    said.extend(search.group.iter().map(|group| format!("group {group}")));
    said.extend(search.since.iter().map(|since| format!("written at or after {since}")));
    said.extend(search.until.iter().map(|until| format!("written before {until}")));
    match search.without.len() {
        0 => {}
        1 => said.push("without one entry".to_owned()),
        many => said.push(format!("without {many} entries")),
    }
    said.extend(search.as_of.iter().map(|as_of| format!("as of {as_of}")));
    said
}

/// The ids of the found entries and of those around them, each once.
pub(super) fn around_ids(hits: &[FoundEntry]) -> Vec<EntryId> {
    let mut ids: Vec<EntryId> =
        hits.iter().flat_map(|hit| std::iter::once(&hit.id).chain(&hit.before).chain(&hit.behind)).copied().collect();
    ids.sort();
    ids.dedup();
    ids
}

/// The found entries and those around them as they are now; those that went away since the index saw them are left
/// out, and those that can't be decrypted, which are counted.
async fn fetch(
    ctx: &Ctx,
    reach: &Reach,
    hits: &[FoundEntry],
    now: Timestamp,
) -> Result<(HashMap<EntryId, Entry>, usize), Error> {
    let ids = around_ids(hits);
    let mut unreadable = 0;
    let mut entries = HashMap::with_capacity(ids.len());
    let mut known = Vec::with_capacity(ids.len());
    for part in ids.chunks(store::FETCH) {
        // All of them: what is only out of reach is there, and must not be taken out of the index.
        for row in store::fetch(ctx, &Reach::everything(), part).await? {
            known.push(row.id);
            if !reach.may_read(row.namespace()) {
                continue;
            }
            if row.unreadable().is_some() {
                unreadable += 1;
            } else if row.is_findable(now) {
                entries.insert(row.id, row.shown());
            }
        }
    }
    let lost: Vec<EntryId> = ids.into_iter().filter(|id| !known.contains(id)).collect();
    if !lost.is_empty() {
        catalog::forget(ctx, &lost);
    }
    Ok((entries, unreadable))
}

pub(super) fn present(entries: &HashMap<EntryId, Entry>, hit: FoundEntry, search: &Search) -> Option<Hit> {
    let entry = entries.get(&hit.id)?.clone();
    let (snippet, highlights) = match hit.alike {
        // No word of it was met: the passage that means the most of it.
        Some((_, passage)) if hit.met.is_empty() => {
            let best = index::cut(&entry.content).get(passage as usize).copied().unwrap_or(&entry.content);
            index::passage(best, &[])
        }
        _ => index::passage(&entry.content, &hit.met),
    };
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
        vector: signal(Kind::Vector),
        cosine: hit.alike.map(|(cosine, _)| cosine),
        speaker: hit.speaker,
        recency: hit.recency,
        importance: hit.importance,
        terms: if search.explain { hit.terms.iter().cloned().collect() } else { Default::default() },
    };
    let neighbours = around(entries, &hit, &search.trust);
    Some(Hit { entry, score: hit.score, why, neighbours, snippet, highlights })
}

/// The entries around a hit, of these labels if any are asked for: what comes with a hit may be told to a model like it.
fn around(entries: &HashMap<EntryId, Entry>, hit: &FoundEntry, asked: &[Trust]) -> Vec<Neighbour> {
    let before = (-(hit.before.len() as i32)..0).zip(&hit.before);
    let behind = (1..).zip(&hit.behind);
    let neighbour = |(offset, id): (i32, &EntryId)| {
        let entry = entries.get(id).filter(|entry| asked.is_empty() || asked.contains(&entry.trust))?;
        let content = match entry.content.char_indices().nth(NEIGHBOUR_CHARS) {
            Some((end, _)) => format!("{}…", &entry.content[..end]),
            None => entry.content.clone(),
        };
        Some(Neighbour { offset, key: entry.key.clone(), position: entry.position, trust: entry.trust, content })
    };
    before.chain(behind).filter_map(neighbour).collect()
}
