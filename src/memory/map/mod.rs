//! A map of entries: those that mean or say the like lie near each other.
//!
//! Each entry is a row of numbers, its vector or the rarities of its words (`memory::index`), and `project` makes eight numbers of it.
//! It is a view: nothing is kept, and the same entries give the same map. One is made at a time in each process, off the threads
//! that answer; the index is held only while the rows are copied.

mod project;

use std::collections::HashMap;

use self::project::{AXES, project};
use super::index::{Filter, Taken};
use super::{Error, access, catalog, store, validate};
use crate::model::memory::{MAP_DETAIL, MAX_MAP_POINTS, MapBasis, MapPoint, MemoryMap, Reach, Source};
use crate::model::{EntryId, Timestamp};
use crate::runtime::Ctx;

/// Characters of a title.
const TITLE_CHARS: usize = 60;
/// Rows that are read at once.
const BATCH: i64 = 500;

/// Where there are more than so many times the entries that were taken, these are looked up one by one.
const FEW_TIMES: u64 = 4;

/// Held by whoever makes a map.
#[derive(Debug, Default)]
struct Table(tokio::sync::Mutex<()>);

/// A map of the entries of a namespace and all below it; empty means all. What is in quarantine is not on it.
///
/// # Errors
/// [`Error::Invalid`] for a namespace that none can have.
pub async fn map(ctx: &Ctx, namespace: &str) -> Result<MemoryMap, Error> {
    let reach = access::reading(ctx).await?;
    validate::subtree(namespace)?;
    let table = ctx.shared::<Table>();
    let _turn = table.0.lock().await;
    let now = ctx.clock.now();
    let shelf = catalog::open(ctx).await?;
    let serving = shelf.serving();
    let filter = Filter { namespace: namespace.to_owned(), reach: reach.clone(), ..Filter::default() };
    let Taken { ids, rows, by_vectors, all, without } =
        catalog::rows(ctx, shelf, filter, now, MAX_MAP_POINTS as usize).await?;
    let places = ctx.tasks.blocking(move || project(&rows)).await.map_err(|_| Error::Index)?;
    let by = match serving.filter(|_| by_vectors) {
        Some(serving) => MapBasis::Vectors { model: serving.model },
        None => MapBasis::Words {},
    };
    let lies: HashMap<EntryId, [f32; AXES]> = ids.into_iter().zip(places.places).collect();
    // Of very many entries the table is asked for those alone that were taken: to read all of them would take as long as they are many.
    let points = if u64::from(all) > lies.len() as u64 * FEW_TIMES {
        taken(ctx, &reach, now, &lies).await?
    } else {
        points(ctx, &reach, (namespace, now), &lies).await?
    };
    let sampled = all > MAX_MAP_POINTS;
    Ok(MemoryMap { points, entries: all, sampled, without_vector: without, by, shares: places.shares })
}

/// What the table says of the entries that have a place; those that went away since are left out.
async fn points(
    ctx: &Ctx,
    reach: &Reach,
    (namespace, now): (&str, Timestamp),
    lies: &HashMap<EntryId, [f32; AXES]>,
) -> Result<Vec<MapPoint>, Error> {
    let mut points = Vec::with_capacity(lies.len());
    let mut after = 0;
    loop {
        let rows = store::points_after(ctx, reach, namespace, now, after, BATCH).await?;
        let is_last = rows.len() < BATCH as usize;
        after = rows.last().map_or(after, |row| row.change);
        points.extend(rows.into_iter().filter_map(|row| lies.get(&row.id).map(|place| point(row, place))));
        if is_last {
            break;
        }
    }
    // One that changed meanwhile was read twice.
    points.sort_by_key(|point| point.id);
    points.dedup_by_key(|point| point.id);
    Ok(points)
}

/// What the table says of the entries that were taken, looked up by their ids.
async fn taken(
    ctx: &Ctx,
    reach: &Reach,
    now: Timestamp,
    lies: &HashMap<EntryId, [f32; AXES]>,
) -> Result<Vec<MapPoint>, Error> {
    let mut ids: Vec<EntryId> = lies.keys().copied().collect();
    ids.sort_unstable();
    let mut points = Vec::with_capacity(ids.len());
    for some in ids.chunks(store::FETCH) {
        for row in store::fetch(ctx, reach, some).await? {
            if !row.is_findable(now) {
                continue;
            }
            let Some(place) = lies.get(&row.id) else { continue };
            let entry = row.shown();
            points.push(MapPoint {
                id: entry.id,
                title: title(&entry.content),
                tag: entry.tags.into_iter().next(),
                source: word_of(&entry.source).to_owned(),
                trust: entry.trust,
                updated_at: entry.updated_at,
                namespace: entry.namespace,
                key: entry.key,
                x: place[0],
                y: place[1],
                detail: detail(place),
            });
        }
    }
    points.sort_by_key(|point| point.id);
    Ok(points)
}

const fn word_of(source: &Source) -> &'static str {
    match source {
        Source::User { .. } => "user",
        Source::Run { .. } => "run",
        Source::Import { .. } => "import",
        Source::Cli { .. } => "cli",
        Source::Expiry { .. } => "expiry",
    }
}

/// How an entry begins, on one line.
fn title(content: &str) -> String {
    let begin: String = content.chars().take(TITLE_CHARS * 3).collect();
    begin.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(TITLE_CHARS).collect()
}

/// Where a point lies along the axes that are not drawn.
fn detail(place: &[f32; AXES]) -> [i8; MAP_DETAIL] {
    let mut detail = [0_i8; MAP_DETAIL];
    for (number, along) in detail.iter_mut().zip(&place[2..]) {
        *number = (along * 100.0).round().clamp(-127.0, 127.0) as i8;
    }
    detail
}

fn point(row: store::PointRow, place: &[f32; AXES]) -> MapPoint {
    let (source, trust) = (row.source(), row.trust());
    MapPoint {
        id: row.id,
        namespace: row.namespace,
        key: row.key,
        title: title(&row.title),
        tag: row.tags.0.into_iter().next(),
        source,
        trust,
        updated_at: row.updated_at,
        x: place[0],
        y: place[1],
        detail: detail(place),
    }
}
