//! Memory as it stood at a moment: an entry, a list, and what a search would have found.
//!
//! Everything is read from the versions, so an answer is as exact as they are, and as far back as they are kept: the last
//! [`KEPT_VERSIONS`](super::KEPT_VERSIONS) of each entry, and those of deleted entries for [`DELETED_KEPT_DAYS`]. A search makes
//! an index of what could be found then, uses it, and keeps the last one that was made, since people ask the same moment again.
//! That costs what filling the index costs, so it is bounded, and one at a time is made in a process.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use super::find::{around_ids, filter, filters, present, stage};
use super::index::{Analysed, Asked, Found, FoundEntry, Index};
use super::{DELETED_KEPT_DAYS, Error, Filter, access, store, validate};
use crate::model::memory::{Entries, Entry, Reach, Search, SearchExplained, SearchMode, SearchResult};
use crate::model::{EntryId, FieldError, Page, Timestamp, WorkspaceId};
use crate::runtime::Ctx;

/// Most entries of then that are made an index of.
const MOST_ENTRIES: i64 = 20_000;
/// Most characters that they have together.
const MOST_CHARS: i64 = 32 << 20;
/// Entries read at once.
const BATCH: i64 = 500;
/// How long what was deleted can be read, in ms.
const KEPT_MS: i64 = DELETED_KEPT_DAYS * 86_400_000;

/// Reads an entry as it stood then, whatever became of it.
///
/// # Errors
/// [`Error::NotFound`] when it was not there then; [`Error::Quarantined`]; [`Error::NotKept`] when the version of then is not
/// kept; [`Error::Invalid`] for a moment that is still to come.
pub async fn get_as_of(ctx: &Ctx, namespace: &str, key: &str, as_of: Timestamp) -> Result<Entry, Error> {
    let entry = get_any_as_of(ctx, namespace, key, as_of).await?;
    if entry.is_quarantined() { Err(Error::Quarantined) } else { Ok(entry) }
}

/// The same, also of one that was in quarantine then.
///
/// # Errors
/// As [`get_as_of`], but for quarantine.
pub async fn get_any_as_of(ctx: &Ctx, namespace: &str, key: &str, as_of: Timestamp) -> Result<Entry, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    past("as_of", as_of, ctx.clock.now())?;
    let place = (namespace, key);
    if let Some(row) = store::find_then(ctx, &reach, as_of, place).await? {
        // What can't be decrypted is an error, as it is of now.
        return if row.unreadable().is_some() { row.entry() } else { Ok(row.then(as_of)) };
    }
    let row = store::find(ctx, &reach, place).await?;
    let Some(row) = row.filter(|row| row.created_at <= as_of) else { return Err(Error::NotFound) };
    match store::oldest_version(&ctx.db, row.id).await? {
        Some((version, since)) if version > 1 && since > as_of => Err(Error::NotKept { since }),
        _ => Err(Error::NotFound),
    }
}

/// Refuses a moment that is still to come.
pub(super) fn past(pointer: &str, as_of: Timestamp, now: Timestamp) -> Result<(), Error> {
    if as_of <= now {
        return Ok(());
    }
    Err(Error::Invalid(vec![FieldError::new(
        pointer,
        format!("expected a moment that is not in the future; now is {now}"),
    )]))
}

/// Refuses a moment of which not all can be known: what was deleted before is gone.
fn kept(pointer: &str, as_of: Timestamp, now: Timestamp) -> Result<(), Error> {
    past(pointer, as_of, now)?;
    let first = now.plus_ms(-KEPT_MS);
    if as_of >= first {
        return Ok(());
    }
    let expected = format!(
        "expected a moment of the last {DELETED_KEPT_DAYS} days, not before {first}: what was deleted is kept so long"
    );
    Err(Error::Invalid(vec![FieldError::new(pointer, expected)]))
}

/// The list as it was then.
pub(super) async fn list(
    ctx: &Ctx,
    reach: &Reach,
    filter: &Filter,
    as_of: Timestamp,
    part: store::Part,
) -> Result<Entries, Error> {
    kept("as_of", as_of, ctx.clock.now())?;
    let limit = part.limit;
    let part = store::Part { limit: limit + 1, ..part };
    let rows = store::list_then(ctx, reach, as_of, filter, part).await?;
    let unknown = store::unknown_then(&ctx.db, ctx.workspace(), reach, as_of, &filter.namespace).await?;
    let page = Page::cut(rows, limit, |row| row.change.to_string());
    let items = page.items.into_iter().map(|row| row.then(as_of)).collect();
    Ok(Entries { items, next: page.next, unknown: (unknown > 0).then_some(unknown) })
}

/// Which index of the past is at hand.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Moment {
    workspace: WorkspaceId,
    as_of: Timestamp,
    namespace: String,
    /// The workspace's change number when it was made: a later one may have taken versions of then away.
    change: i64,
}

/// The last index of the past that was made, and the lock under which the next one is.
#[derive(Default)]
struct Last(tokio::sync::Mutex<Option<(Moment, Arc<Index>)>>);

/// What would have been found then, by words.
pub(super) async fn search(ctx: &Ctx, reach: &Reach, search: &Search, as_of: Timestamp) -> Result<SearchResult, Error> {
    kept("/as_of", as_of, ctx.clock.now())?;
    if search.mode == SearchMode::Vector {
        let expected = "expected hybrid or text with as_of: vectors are not kept with versions";
        return Err(Error::Invalid(vec![FieldError::new("/mode", expected)]));
    }
    let before = Instant::now();
    let asked_in = search.namespace.clone().unwrap_or_default();
    let indexed = scope(ctx, as_of, &asked_in).await?;
    let degraded = degraded(ctx, reach, search, as_of, (&asked_in, &indexed)).await?;
    let index = index_of(ctx, as_of, indexed).await?;
    let mut stages = vec![stage("catch_up", before.elapsed())];
    let asked = Asked {
        text: search.query.clone(),
        words: true,
        vector: None,
        filter: filter(search, reach),
        limit: search.limit as usize,
        now: as_of,
        neighbours: search.neighbours as usize,
        min_score: search.min_score.unwrap_or(f64::NEG_INFINITY),
    };
    let found = ctx.tasks.blocking(move || index.search(&asked)).await.map_err(|_| Error::Index)?;
    stages.extend(found.stages.iter().map(|(name, took)| stage(name, *took)));
    let Found { hits, matched, .. } = found;
    let fetching = Instant::now();
    let entries = fetch(ctx, reach, &hits, as_of).await?;
    let hits = hits.into_iter().filter_map(|hit| present(&entries, hit, search)).collect();
    stages.push(stage("fetch", fetching.elapsed()));
    let took_ms = before.elapsed().as_secs_f64() * 1000.0;
    let explain = search.explain.then(|| SearchExplained { filters: filters(search), stages, vectors: None });
    Ok(SearchResult { hits, took_ms, matched, degraded, explain })
}

/// What the index is made of: the whole workspace, so that words are as rare as they were; or, where that is too much, the
/// namespace that is searched.
async fn scope(ctx: &Ctx, as_of: Timestamp, namespace: &str) -> Result<String, Error> {
    let mut scopes = vec![String::new()];
    if !namespace.is_empty() {
        scopes.push(namespace.to_owned());
    }
    for scope in scopes {
        let (entries, chars) = store::weight_then(&ctx.db, ctx.workspace(), as_of, &scope).await?;
        if entries <= MOST_ENTRIES && chars <= MOST_CHARS {
            return Ok(scope);
        }
    }
    // How many there were is not said: some of them may be hidden from who asks.
    let expected =
        format!("expected a namespace that had at most {MOST_ENTRIES} entries and {MOST_CHARS} characters then");
    Err(Error::Invalid(vec![FieldError::new("/as_of", expected)]))
}

/// What this answer lacks that one of then would have had.
async fn degraded(
    ctx: &Ctx,
    reach: &Reach,
    search: &Search,
    as_of: Timestamp,
    (asked, indexed): (&str, &str),
) -> Result<Option<String>, Error> {
    let mut lacks = Vec::new();
    if search.mode == SearchMode::Hybrid {
        let embedders = store::embedders(&ctx.db, ctx.workspace()).await?;
        if embedders.iter().any(|embedder| embedder.state == store::SERVING) {
            lacks.push("vectors are not kept with versions, so it was answered by words".to_owned());
        }
    }
    if !indexed.is_empty() {
        lacks.push(format!("words are as rare as they were in {indexed}, not in the whole memory"));
    }
    let unknown = store::unknown_then(&ctx.db, ctx.workspace(), reach, as_of, asked).await?;
    if unknown > 0 {
        lacks.push(format!("{unknown} entries changed so often since that their words of then are not kept"));
    }
    Ok((!lacks.is_empty()).then(|| lacks.join("; ")))
}

/// The index of what could be found then, made if it is not the last one that was.
async fn index_of(ctx: &Ctx, as_of: Timestamp, namespace: String) -> Result<Arc<Index>, Error> {
    let change = store::last_change(&ctx.db, ctx.workspace()).await?;
    let of = Moment { workspace: ctx.workspace(), as_of, namespace, change };
    let bench = ctx.shared::<Last>();
    let mut last = bench.0.lock().await;
    if let Some((_, index)) = last.as_ref().filter(|(known, _)| *known == of) {
        return Ok(Arc::clone(index));
    }
    // The one before goes first: two would be in memory otherwise.
    *last = None;
    let mut index = Index::default();
    let mut after = store::BEFORE_ALL;
    loop {
        let rows = store::found_then(ctx, as_of, &of.namespace, (after, BATCH)).await?;
        let is_last = rows.len() < BATCH as usize;
        after = rows.last().map_or(after, |row| row.id);
        let work = move || {
            for row in rows.into_iter().filter(|row| row.unreadable().is_none()) {
                index.put(Analysed::new(&row.then(as_of)));
            }
            index
        };
        index = ctx.tasks.blocking(work).await.map_err(|_| Error::Index)?;
        if is_last {
            break;
        }
    }
    let index = Arc::new(index);
    *last = Some((of, Arc::clone(&index)));
    Ok(index)
}

/// The found entries and those around them, as they stood then.
async fn fetch(
    ctx: &Ctx,
    reach: &Reach,
    hits: &[FoundEntry],
    as_of: Timestamp,
) -> Result<HashMap<EntryId, Entry>, Error> {
    let mut entries = HashMap::new();
    for part in around_ids(hits).chunks(store::FETCH) {
        for row in store::fetch_then(ctx, reach, as_of, part).await? {
            if row.unreadable().is_none() {
                entries.insert(row.id, row.then(as_of));
            }
        }
    }
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_lies_between_what_is_kept_and_now() {
        let now = Timestamp(1_795_248_000_000_000);
        let pointer = |result: Result<(), Error>| match result {
            Err(Error::Invalid(fields)) => Some(fields[0].pointer.clone()),
            _ => None,
        };
        assert_eq!(pointer(kept("/as_of", now, now)), None);
        assert_eq!(pointer(kept("/as_of", now.plus_ms(1), now)).as_deref(), Some("/as_of"));
        assert_eq!(pointer(kept("as_of", now.plus_ms(-KEPT_MS), now)), None);
        assert_eq!(pointer(kept("as_of", now.plus_ms(-KEPT_MS - 1), now)).as_deref(), Some("as_of"));
        assert_eq!(pointer(past("as_of", now.plus_ms(-KEPT_MS - 1), now)), None, "an entry may be read further back");
    }
}
