//! Who was given an entry: noted in memory while somebody reads, written in the background.
//!
//! A read or a search only puts a line into a list of this process; nothing waits for the database. The list is bounded, and what
//! does not fit is dropped and counted in the log: who read is worth knowing, and worth no delay. Within a minute the same is counted
//! once, so that a page that loads itself anew, or a query that is typed letter by letter, is one read.
//!
//! Of each entry the last [`LISTED_READERS`] readers are kept, and the sums of all others. What people type into a search is not kept;
//! the question of a run's step is.

mod ledger;
mod write;

pub(super) use write::boot;
pub use write::write_reads;

use self::ledger::{Ledger, Line};
use super::{Error, access, store, validate};
use crate::model::RunId;
use crate::model::memory::{Entry, Hit, LISTED_READERS, Reader, Readers, RunRead, Sought};
use crate::runtime::{Ctx, Principal};

/// Characters of a question that are kept.
const QUERY_CHARS: usize = 200;
/// Entries of one run that are listed.
const LISTED_ENTRIES: i64 = 200;

/// Whether an entry was opened, or came with a search.
enum How<'a> {
    Opened,
    Found { query: &'a str, rank: u32, score: f64 },
}

/// Notes that somebody was given an entry. Takes no time that counts, and never fails.
pub fn note_read(ctx: &Ctx, reader: &Reader, entry: &Entry) {
    note(ctx, reader, entry, &How::Opened);
}

/// Notes that a search gave these entries, the best first.
pub fn note_found(ctx: &Ctx, reader: &Reader, query: &str, hits: &[Hit]) {
    for (rank, hit) in (1_u32..).zip(hits) {
        note(ctx, reader, &hit.entry, &How::Found { query, rank, score: hit.score });
    }
}

/// Notes that who asks was given an entry, where it is a person: steps and the command line say themselves who reads.
pub(super) fn note_person_read(ctx: &Ctx, entry: &Entry) {
    if let Some(reader) = person(ctx) {
        note_read(ctx, &reader, entry);
    }
}

/// The same for what a search gave.
pub(super) fn note_person_found(ctx: &Ctx, query: &str, hits: &[Hit]) {
    if let Some(reader) = person(ctx) {
        note_found(ctx, &reader, query, hits);
    }
}

fn person(ctx: &Ctx) -> Option<Reader> {
    ctx.actor.principal.user_name().map(|name| Reader::User { name: name.to_owned() })
}

fn note(ctx: &Ctx, reader: &Reader, entry: &Entry, how: &How<'_>) {
    let now = ctx.clock.now();
    let (reads, found) = match how {
        How::Opened => (1, 0),
        How::Found { .. } => (0, 1),
    };
    let sought = match (how, reader) {
        (How::Found { query, rank, score }, Reader::Run { .. }) => {
            let query = query.chars().filter(|c| *c != '\0').take(QUERY_CHARS).collect();
            Some(Sought { query, rank: *rank, score: *score })
        }
        _ => None,
    };
    let line =
        Line { reader: reader.clone(), reads, found, version: entry.version, sought, first_at: now, last_at: now };
    ctx.shared::<Ledger>().add((entry.id, name_of(reader, &ctx.actor.principal)), line);
}

/// By what the same reader is known again.
fn name_of(reader: &Reader, principal: &Principal) -> String {
    match reader {
        Reader::User { name } => match principal.user_id() {
            Some(id) => format!("user:{id}"),
            None => format!("user:{name}"),
        },
        Reader::Run { run_id, step, .. } => format!("run:{run_id}/{step}"),
        Reader::Cli {} => "cli".to_owned(),
    }
}

/// Who was given an entry, the last one first; also of one in quarantine. What happened in the last second may not be in it yet.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn readers(ctx: &Ctx, namespace: &str, key: &str) -> Result<Readers, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    let row = store::find(ctx, &reach, (namespace, key)).await?;
    let row = row.filter(|row| row.is_live(ctx.clock.now())).ok_or(Error::NotFound)?;
    let rows = store::readers(&ctx.db, row.id, i64::from(LISTED_READERS) + 1).await?;
    let mut readers = Readers::default();
    for row in rows {
        readers.reads += row.reads;
        readers.found += row.found;
        readers.since = Some(readers.since.map_or(row.first_at, |since| since.min(row.first_at)));
        readers.items.extend(row.reading());
    }
    readers.items.truncate(LISTED_READERS as usize);
    Ok(readers)
}

/// The entries that a run's steps were given, the last first, at most 200; with `step` those of that step alone. Entries that were
/// deleted since are not among them, nor those that so many others were given since that the run is no longer listed there.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn reads_of_run(ctx: &Ctx, run: RunId, step: Option<&str>) -> Result<Vec<RunRead>, Error> {
    let reach = access::reading(ctx).await?;
    let name = step.map(|step| format!("run:{run}/{step}")).unwrap_or_default();
    let now = ctx.clock.now();
    let rows = store::reads_of_run(&ctx.db, ctx.workspace(), &reach, (run, &name), now, LISTED_ENTRIES).await?;
    Ok(rows.into_iter().filter_map(store::RunReadRow::read).collect())
}
