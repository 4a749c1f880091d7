//! The indexes in memory, one a workspace, and how each keeps up with the table.
//!
//! An index holds everything up to the change number that it has seen. It is filled from number 0 at the first search and
//! from where it left off ever after, by the same function. Before each search one cheap read asks for the newest number; so
//! a write is found at once by every process that shares the database, and no message between them is needed. The process
//! that wrote puts its own change in right after the commit, when it is the next number, so that the search that follows
//! finds nothing left to do.
//!
//! On SQLite, which one process has to itself, that read is left out as long as no transaction of this process has taken a
//! change number since the last one, at most for a second: so that an answer is never older than that, whoever has written.
//!
//! The vectors of the embedder that serves follow in the same way: they are written under change numbers too, and so is every
//! change of the embedder, so that the one read before each search tells of all of it. Another embedder's vectors are loaded
//! before anybody searches by them.
//!
//! Where there are very many vectors a graph of them is made (`index::nearest`), by one task of the process at a time; searches scan
//! meanwhile.
//!
//! At most [`MOST_INDEXES`] stay in memory; the one that was not searched for the longest time goes first.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::index::{Analysed, Asked, Filter, Found, Index, Packed, Taken};
use super::{Error, store};
use crate::model::memory::Entry;
use crate::model::{EmbedderId, EntryId, Timestamp, WorkspaceId};
use crate::runtime::Ctx;

/// Workspaces whose indexes are kept at once.
const MOST_INDEXES: usize = 16;
/// Rows read at once to fill an index.
const BATCH: i64 = 1000;

/// Vectors that are put into a graph in one go, a few milliseconds: a write waits so long for the index.
const GO: usize = 16;

/// An index of so few entries is searched on the spot: the way to a thread for blocking work would take longer.
const FEW: usize = 64;

/// Every index of the process.
#[derive(Default)]
pub(super) struct Catalog {
    shelves: Mutex<HashMap<WorkspaceId, Arc<Shelf>>>,
    uses: AtomicU64,
    /// Held by whoever makes a graph.
    growing: tokio::sync::Mutex<()>,
}

/// What searches of a workspace make vectors of their questions with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Serving {
    pub id: EmbedderId,
    pub model: String,
    /// Numbers of a vector.
    pub dims: usize,
    /// Whether every entry had its vector once.
    pub is_whole: bool,
}

/// Which vectors an index holds.
#[derive(Debug)]
struct Loaded {
    embedder: Option<EmbedderId>,
    /// Up to which change number, and which entry of it.
    upto: (i64, EntryId),
}

impl Default for Loaded {
    fn default() -> Self {
        Self { embedder: None, upto: (0, store::BEFORE_ALL) }
    }
}

/// How long an index is taken to be up to date without asking, where nobody of this process has written.
const SURE: Duration = Duration::from_secs(1);

/// When an index was found to be up to date: how many writes had ended by then, and the time.
type Checked = (u64, Instant);

/// One workspace's index.
#[derive(Default)]
pub(super) struct Shelf {
    /// Held by whoever fills the index, so that it is filled once.
    filling: tokio::sync::Mutex<Loaded>,
    index: RwLock<Index>,
    /// Whose vectors it holds.
    serving: RwLock<Option<Serving>>,
    /// The change number up to which the index holds everything.
    seen: AtomicI64,
    checked: Mutex<Option<Checked>>,
    /// When it was last used, counted in uses.
    used: AtomicU64,
    /// Whether somebody makes a graph of its vectors.
    growing: AtomicBool,
}

/// A change, ready to go into an index.
enum Step {
    Put(Box<Analysed>),
    Remove(EntryId),
    Vectors(EntryId, Packed),
    /// Those of another embedder follow, or none.
    Begin(Option<(EmbedderId, usize)>),
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
                Step::Vectors(id, packed) => index.put_vectors(id, &packed),
                Step::Begin(of) => index.begin_vectors(of),
            }
        }
        self.seen.store(seen, Ordering::Release);
    }

    /// Whether nothing can have been written by this process since it was found to be up to date, and that is not long ago.
    fn is_sure(&self, writes: u64) -> bool {
        let checked = *self.checked.lock().expect("no code panics while it holds this lock");
        checked.is_some_and(|(then, at)| then == writes && at.elapsed() < SURE)
    }

    /// What searches make vectors of their questions with, if anything.
    pub fn serving(&self) -> Option<Serving> {
        self.serving.read().expect("no code panics while it holds this lock").clone()
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

/// Brings the workspace's index up to date.
pub(super) async fn open(ctx: &Ctx) -> Result<Arc<Shelf>, Error> {
    let shelf = ctx.shared::<Catalog>().open(ctx.workspace());
    catch_up(ctx, &shelf).await?;
    grow(ctx, &shelf);
    Ok(shelf)
}

/// Has vectors that wait for it put into the graph, in the background.
fn grow(ctx: &Ctx, shelf: &Arc<Shelf>) {
    let wants = shelf.index.try_read().is_ok_and(|index| index.wants_graph());
    if !wants || shelf.growing.swap(true, Ordering::AcqRel) {
        return;
    }
    let (runtime, shelf) = (ctx.runtime().clone(), Arc::clone(shelf));
    runtime.tasks.clone().spawn("memory graph", async move {
        let catalog = runtime.shared::<Catalog>();
        let _one_at_a_time = catalog.growing.lock().await;
        // One that nobody else holds was thrown out.
        while Arc::strong_count(&shelf) > 1 && !runtime.tasks.stopping().is_cancelled() {
            let grown = Arc::clone(&shelf);
            let go = move || grown.index.read().expect("indexing does not panic").grow(GO);
            if !runtime.tasks.blocking(go).await.unwrap_or(false) {
                break;
            }
        }
        shelf.growing.store(false, Ordering::Release);
    });
}

/// An answer, and for how many entries there was no room among the vectors.
pub(super) struct Answer {
    pub found: Found,
    pub left_out: u32,
}

/// Searches an index.
pub(super) async fn search(ctx: &Ctx, shelf: Arc<Shelf>, asked: Asked) -> Result<Answer, Error> {
    let answer = |index: &Index| Answer { found: index.search(&asked), left_out: index.vectors_left_out() };
    if let Ok(index) = shelf.index.try_read()
        && index.len() <= FEW
    {
        return Ok(answer(&index));
    }
    let work = move || {
        let index = shelf.index.read().expect("indexing does not panic");
        Answer { found: index.search(&asked), left_out: index.vectors_left_out() }
    };
    ctx.tasks.blocking(work).await.map_err(|_| Error::Index)
}

/// Takes entries out of an index as rows of numbers, at most so many.
pub(super) async fn rows(
    ctx: &Ctx,
    shelf: Arc<Shelf>,
    filter: Filter,
    now: Timestamp,
    most: usize,
) -> Result<Taken, Error> {
    let work = move || shelf.index.read().expect("indexing does not panic").rows(&filter, now, most);
    ctx.tasks.blocking(work).await.map_err(|_| Error::Index)
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
    // Counted before anything is read: a write that ends after this is asked for by the next search.
    let Some(writes) = ctx.db.marks() else { return follow(ctx, shelf).await };
    if shelf.is_sure(writes) {
        return Ok(());
    }
    let now = Instant::now();
    follow(ctx, shelf).await?;
    *shelf.checked.lock().expect("no code panics while it holds this lock") = Some((writes, now));
    Ok(())
}

/// Takes in what the table has and the index has not.
async fn follow(ctx: &Ctx, shelf: &Arc<Shelf>) -> Result<(), Error> {
    let newest = store::last_change(&ctx.db, ctx.workspace()).await?;
    if shelf.seen.load(Ordering::Acquire) >= newest {
        return Ok(());
    }
    let mut loaded = shelf.filling.lock().await;
    if shelf.seen.load(Ordering::Acquire) < newest {
        // Before the entries, which make it complete: what fails in between is done again.
        load_vectors(ctx, shelf, &mut loaded).await?;
    }
    loop {
        let seen = shelf.seen.load(Ordering::Acquire);
        if seen >= newest {
            return Ok(());
        }
        let rows = store::changed_after(ctx, seen, BATCH).await?;
        // Numbers without a row belong to entries that changed again since, or are gone.
        let last = rows.last().map_or(newest, |row| row.change);
        let upto = if rows.len() < BATCH as usize { last.max(newest) } else { last };
        let shelf = Arc::clone(shelf);
        let work = move || {
            let steps = rows.into_iter().map(|row| {
                // What can't be decrypted is found by nobody.
                if row.is_hidden() || row.unreadable().is_some() {
                    Step::Remove(row.id)
                } else {
                    Step::Put(Box::new(Analysed::new(&row.shown())))
                }
            });
            let steps = steps.collect();
            shelf.apply(steps, upto);
        };
        ctx.tasks.blocking(work).await.map_err(|_| Error::Index)?;
    }
}

/// Takes the vectors in that were written since, all of them when another embedder serves.
async fn load_vectors(ctx: &Ctx, shelf: &Arc<Shelf>, loaded: &mut Loaded) -> Result<(), Error> {
    let rows = store::embedders(&ctx.db, ctx.workspace()).await?;
    let serving = rows.into_iter().find(|row| row.state == store::SERVING).map(|row| Serving {
        id: row.id,
        model: row.model,
        dims: row.dims as usize,
        is_whole: row.whole_at.is_some(),
    });
    let embedder = serving.as_ref().map(|serving| serving.id);
    if loaded.embedder != embedder {
        *loaded = Loaded { embedder, ..Loaded::default() };
        let begin = Step::Begin(serving.as_ref().map(|serving| (serving.id, serving.dims)));
        shelf.apply(vec![begin], shelf.seen.load(Ordering::Acquire));
    }
    *shelf.serving.write().expect("no code panics while it holds this lock") = serving;
    let Some(embedder) = embedder else { return Ok(()) };
    loop {
        let rows = store::vectors_after(ctx, embedder, loaded.upto, BATCH).await?;
        let Some(last) = rows.last() else { return Ok(()) };
        let (upto, is_last) = ((last.change, last.entry_id), rows.len() < BATCH as usize);
        let filling = Arc::clone(shelf);
        let work = move || {
            let step =
                |row: store::VectorRow| Step::Vectors(row.entry_id, Packed { digest: row.digest, codes: row.codes });
            let readable = rows.into_iter().filter(|row| row.unreadable.is_none());
            filling.apply(readable.map(step).collect(), filling.seen.load(Ordering::Acquire));
        };
        ctx.tasks.blocking(work).await.map_err(|_| Error::Index)?;
        loaded.upto = upto;
        if is_last {
            return Ok(());
        }
    }
}
