//! The indexes in memory, one a workspace, and how each keeps up with the table.
//!
//! An index holds everything up to the change number that it has seen. It is filled from number 0 at the first search and
//! from where it left off ever after, by the same function. Before each search one cheap read asks for the newest number; so
//! a write is found at once by every process that shares the database, and no message between them is needed. The process
//! that wrote puts its own change in right after the commit, when it is the next number, so that the search that follows
//! finds nothing left to do.
//!
//! At most [`MOST_INDEXES`] stay in memory; the one that was not searched for the longest time goes first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::{Duration, Instant};

use super::index::{Analysed, Asked, Found, Index};
use super::{Error, store};
use crate::model::memory::Entry;
use crate::model::{EntryId, WorkspaceId};
use crate::runtime::Ctx;

/// Workspaces whose indexes are kept at once.
const MOST_INDEXES: usize = 16;
/// Rows read at once to fill an index.
const BATCH: i64 = 1000;

/// An index of so few entries is searched on the spot: the way to a thread for blocking work would take longer.
const FEW: usize = 64;

/// Every index of the process.
#[derive(Default)]
pub(super) struct Catalog {
    shelves: Mutex<HashMap<WorkspaceId, Arc<Shelf>>>,
    uses: AtomicU64,
}

/// One workspace's index.
#[derive(Default)]
struct Shelf {
    /// Held by whoever fills the index, so that it is filled once.
    filling: tokio::sync::Mutex<()>,
    index: RwLock<Index>,
    /// The change number up to which the index holds everything.
    seen: AtomicI64,
    /// When it was last used, counted in uses.
    used: AtomicU64,
}

/// A change, ready to go into an index.
enum Step {
    Put(Box<Analysed>),
    Remove(EntryId),
}

impl Catalog {
    fn find(&self, workspace: WorkspaceId) -> Option<Arc<Shelf>> {
        self.shelves.lock().expect("no code panics while it holds this lock").get(&workspace).cloned()
    }

    /// The workspace's shelf, made if need be; the longest unused makes room.
    fn open(&self, workspace: WorkspaceId) -> Arc<Shelf> {
        let mut shelves = self.shelves.lock().expect("no code panics while it holds this lock");
        if !shelves.contains_key(&workspace) && shelves.len() >= MOST_INDEXES {
            let oldest = shelves.iter().min_by_key(|(_, shelf)| shelf.used.load(Ordering::Relaxed)).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                shelves.remove(&oldest);
            }
        }
        let shelf = Arc::clone(shelves.entry(workspace).or_default());
        shelf.used.store(self.uses.fetch_add(1, Ordering::Relaxed), Ordering::Relaxed);
        shelf
    }
}

impl Shelf {
    /// Applies changes and says up to which number everything is in.
    fn apply(&self, steps: Vec<Step>, seen: i64) {
        let mut index = self.index.write().expect("indexing does not panic");
        for step in steps {
            match step {
                Step::Put(entry) => index.put(*entry),
                Step::Remove(id) => index.remove(id),
            }
        }
        self.seen.store(seen, Ordering::Release);
    }
}

/// Puts a committed write into the index, if there is one and it has seen everything before. Else the next search does.
pub(super) async fn note_written(ctx: &Ctx, entry: &Entry, change: i64) -> Result<(), Error> {
    let Some(shelf) = ctx.shared::<Catalog>().find(ctx.workspace()) else { return Ok(()) };
    let entry = entry.clone();
    let work = move || note(&shelf, change, || Step::Put(Box::new(Analysed::new(&entry))));
    ctx.tasks.blocking(work).await.map_err(|_| Error::Index)
}

/// The same for a committed deletion.
pub(super) async fn note_deleted(ctx: &Ctx, id: EntryId, change: i64) -> Result<(), Error> {
    let Some(shelf) = ctx.shared::<Catalog>().find(ctx.workspace()) else { return Ok(()) };
    let work = move || note(&shelf, change, || Step::Remove(id));
    ctx.tasks.blocking(work).await.map_err(|_| Error::Index)
}

fn note(shelf: &Shelf, change: i64, step: impl FnOnce() -> Step) {
    // While somebody fills the index from the table, the change comes with it.
    if let Ok(_filling) = shelf.filling.try_lock()
        && shelf.seen.load(Ordering::Acquire) == change - 1
    {
        shelf.apply(vec![step()], change);
    }
}

/// An answer, and how long it took to bring the index up to date.
pub(super) struct Answer {
    pub found: Found,
    pub caught_up: Duration,
}

/// Brings the workspace's index up to date and searches it.
pub(super) async fn search(ctx: &Ctx, asked: Asked) -> Result<Answer, Error> {
    let began = Instant::now();
    let shelf = ctx.shared::<Catalog>().open(ctx.workspace());
    catch_up(ctx, &shelf).await?;
    let caught_up = began.elapsed();
    if let Ok(index) = shelf.index.try_read()
        && index.len() <= FEW
    {
        return Ok(Answer { found: index.search(&asked), caught_up });
    }
    let work = move || shelf.index.read().expect("indexing does not panic").search(&asked);
    let found = ctx.tasks.blocking(work).await.map_err(|_| Error::Index)?;
    Ok(Answer { found, caught_up })
}

/// Takes entries out that the index holds and the table doesn't: they were removed for good while nobody searched here.
pub(super) fn forget(ctx: &Ctx, ids: &[EntryId]) {
    if let Some(shelf) = ctx.shared::<Catalog>().find(ctx.workspace()) {
        let steps = ids.iter().map(|id| Step::Remove(*id)).collect();
        let seen = shelf.seen.load(Ordering::Acquire);
        shelf.apply(steps, seen);
    }
}

async fn catch_up(ctx: &Ctx, shelf: &Arc<Shelf>) -> Result<(), Error> {
    let newest = store::last_change(&ctx.db, ctx.workspace()).await?;
    if shelf.seen.load(Ordering::Acquire) >= newest {
        return Ok(());
    }
    let _filling = shelf.filling.lock().await;
    loop {
        let seen = shelf.seen.load(Ordering::Acquire);
        if seen >= newest {
            return Ok(());
        }
        let rows = store::changed_after(&ctx.db, ctx.workspace(), seen, BATCH).await?;
        // Numbers without a row belong to entries that changed again since, or are gone.
        let last = rows.last().map_or(newest, |row| row.change);
        let upto = if rows.len() < BATCH as usize { last.max(newest) } else { last };
        let shelf = Arc::clone(shelf);
        let work = move || {
            let steps = rows.into_iter().map(|row| {
                if row.deleted_at.is_some() {
                    Step::Remove(row.id)
                } else {
                    Step::Put(Box::new(Analysed::new(&Entry::from(row))))
                }
            });
            let steps = steps.collect();
            shelf.apply(steps, upto);
        };
        ctx.tasks.blocking(work).await.map_err(|_| Error::Index)?;
    }
}
