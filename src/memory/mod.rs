//! Memory: what people, runs and agents keep, and how it is found again.
//!
//! Owns entries with their versions, tags and labels of who the words came from, the change number that indexes follow, and the
//! search index. Promises: a write is found by the very next search, in this process or another on the same database; a writer
//! who names the version that they saw never overwrites another's; a deleted entry can come back for [`DELETED_KEPT_DAYS`] days;
//! what expired is never shown; what is in quarantine is found by no search, step or agent; what rests is encrypted under a key
//! of the workspace (`crypt`).
//! Refuses: another workspace's entries (they don't exist), what a rule hides from who asks (it doesn't exist for them either; `access`),
//! anything over its size, JSON or text that Postgres could not hold.
//!
//! Every write of a workspace holds the row of its change number until it commits. That makes writes to one workspace's memory
//! wait for each other (about half a millisecond a commit) and buys three things: numbers appear in order, so that an
//! index can follow them; a read, a decision and a write need no retry; two writers never deadlock.

mod access;
mod activity;
mod back;
mod backup;
mod bulk;
mod catalog;
mod changes;
mod crypt;
mod depend;
mod doubt;
mod duplicates;
mod embed;
mod error;
pub mod file;
mod find;
mod flaw;
mod health;
mod heard;
mod hold;
mod index;
mod local;
mod maker;
mod map;
pub mod measure;
mod namespace;
mod reads;
mod related;
mod relation;
mod retention;
mod shingles;
mod sibling;
mod store;
mod summary;
mod suspect;
mod sweep;
mod table;
mod then;
mod told;
mod trust;
mod validate;
mod write;

pub use access::{ACCESS_CHANGED, acting, allow, allow_by_role, is_governed, list_access, reading};
pub use activity::activity;
pub use back::{restore, undelete};
pub use backup::{delete_backup, fire_backups, hasten_backup, list_backups, restore_backup, run_backup, save_backup};
pub use bulk::{Imported, change_entries, export_entries, import_part, import_record, preview_import};
pub use changes::{Change, last_change, list_changes, wait_for_change};
pub use crypt::{Sealed, Unreadable, get_encryption, rotate_data_key, seal_pending};
pub use depend::{lend_guard, may_depend};
pub use embed::{
    Embedder, Round, Vectors, embed_pending, get_embedder, lend_embedder, list_local_models, serving_embedder,
    set_embedder, try_embedder,
};
pub use error::Error;
pub use find::search;
pub use health::get_health;
pub use hold::{get_settings, quarantine, release, update_settings};
pub use local::{Urgency, embed as embed_locally, folder_of as local_folder_of};
pub use map::map;
pub use namespace::{describe, namespaces};
pub use reads::{note_found, note_read, readers, reads_of_run, write_reads};
pub use related::related;
pub use relation::{relate, relations, unrelate};
pub use retention::{keep_for, keep_for_ever, preview_retention};
pub use sibling::{Put, Stated, put_beside, siblings};
pub use store::SEALED;
pub use summary::{
    Asking, Priced, Summarizer, SummaryAnswer, SummaryQuestion, delete_summary_rule, estimate, fire_summary_rules,
    hasten_summary_rule, lend_summarizer, list_summary_rules, preview_summary_rule, save_summary_rule, summarize,
    summary_links,
};
pub use sweep::{boot, sweep};
pub use table::table;
pub use then::{get_any_as_of, get_as_of};
pub use told::{inert, told};
pub use validate::{MAX_CONTENT_BYTES, MAX_HITS, namespace as check_namespace};
pub use write::{delete, put};

pub use crate::model::memory::EntryFilter as Filter;

use crate::model::memory::{Entries, Entry, EntryDraft, EntryVersion, Learned, Source};
use crate::model::{Page, PageRequest};
use crate::runtime::Ctx;

/// The importance of an entry when nobody said.
pub const DEFAULT_IMPORTANCE: f64 = 0.5;
/// Versions of an entry that are kept; older ones are dropped with each write.
pub const KEPT_VERSIONS: i64 = 100;
/// Days that a deleted entry can come back.
pub const DELETED_KEPT_DAYS: i64 = 30;

/// What a writer expects to find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expect {
    /// Anything.
    Any,
    /// An entry in this version: nobody else's write gets lost.
    Version(i64),
    /// No entry.
    Absent,
}

/// Who writes, for the provenance of what they write: the person, or the command line without a server.
pub fn source(ctx: &Ctx) -> Source {
    match ctx.actor.principal.user_name() {
        Some(name) => Source::User { name: name.to_owned() },
        None => Source::Cli {},
    }
}

/// Whether an entry could be written so; nothing is.
///
/// # Errors
/// [`Error::Invalid`], [`Error::TooLarge`].
pub fn check(namespace: &str, key: &str, draft: &EntryDraft) -> Result<(), Error> {
    validate::place(namespace, key)?;
    validate::draft(draft.clone()).map(drop)
}

/// Reads an entry.
///
/// # Errors
/// [`Error::NotFound`] also when it was deleted or its time ran out; [`Error::Quarantined`].
pub async fn get(ctx: &Ctx, namespace: &str, key: &str) -> Result<Entry, Error> {
    let entry = find_free(ctx, namespace, key).await?;
    reads::note_person_read(ctx, &entry);
    Ok(entry)
}

/// Reads an entry, also one in quarantine: for people who look at it, never for steps and agents.
///
/// # Errors
/// [`Error::NotFound`] also when it was deleted or its time ran out.
pub async fn get_any(ctx: &Ctx, namespace: &str, key: &str) -> Result<Entry, Error> {
    let entry = find_live(ctx, namespace, key).await?;
    reads::note_person_read(ctx, &entry);
    Ok(entry)
}

/// An entry that is in no quarantine, for what is done with it beside reading it.
async fn find_free(ctx: &Ctx, namespace: &str, key: &str) -> Result<Entry, Error> {
    let entry = find_live(ctx, namespace, key).await?;
    if entry.is_quarantined() { Err(Error::Quarantined) } else { Ok(entry) }
}

async fn find_live(ctx: &Ctx, namespace: &str, key: &str) -> Result<Entry, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    let row = store::find(ctx, &reach, (namespace, key)).await?;
    let now = ctx.clock.now();
    row.filter(|row| row.is_live(now)).ok_or(Error::NotFound)?.entry()
}

/// Lists entries, changed last first; those in quarantine only where the filter asks for them.
///
/// # Errors
/// [`Error::Invalid`] for a namespace that none can have, a cursor that is none, or a moment that is still to come or longer ago
/// than what was deleted is kept.
pub async fn list(ctx: &Ctx, filter: &Filter, page: &PageRequest) -> Result<Entries, Error> {
    let reach = access::reading(ctx).await?;
    let before = validate::listing(filter, page)?;
    let limit = page.limit();
    if let Some(as_of) = filter.as_of {
        return then::list(ctx, &reach, filter, as_of, store::Part { before, limit }).await;
    }
    let part = store::Part { before, limit: limit + 1 };
    let rows = store::list(ctx, &reach, ctx.clock.now(), filter, part).await?;
    let page = Page::cut(rows, limit, |row| row.change.to_string());
    Ok(Entries { items: page.items.into_iter().map(store::EntryRow::shown).collect(), next: page.next, unknown: None })
}

/// What was learned when, the last first: the versions of entries that a list with this filter could show, each with what took
/// its place. Versions that are no longer kept are not among them.
///
/// # Errors
/// [`Error::Invalid`] for a namespace that none can have, a cursor that is none, or a moment that is still to come.
pub async fn timeline(ctx: &Ctx, filter: &Filter, page: &PageRequest) -> Result<Page<Learned>, Error> {
    let reach = access::reading(ctx).await?;
    let before = validate::listing(filter, page)?;
    let (limit, now) = (page.limit(), ctx.clock.now());
    let at = filter.as_of.unwrap_or(now);
    then::past("as_of", at, now)?;
    let part = store::Part { before, limit: limit + 1 };
    let rows = store::timeline(ctx, &reach, at, filter, part).await?;
    let page = Page::cut(rows, limit, |row| row.change.to_string());
    Ok(Page { items: page.items.into_iter().map(Learned::from).collect(), next: page.next })
}

/// The kept versions of an entry, newest first; also of a deleted entry, while it can come back.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Unreadable`] when one of them can't be decrypted.
pub async fn history(ctx: &Ctx, namespace: &str, key: &str) -> Result<Vec<EntryVersion>, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    let row = store::find(ctx, &reach, (namespace, key)).await?.ok_or(Error::NotFound)?;
    let rows = store::versions(ctx, row.id).await?;
    if let Some((version, why)) = rows.iter().find_map(|row| Some((row.version, row.unreadable?))) {
        let (namespace, key) = (namespace.to_owned(), key.to_owned());
        return Err(Error::Unreadable { namespace, key, version, why });
    }
    Ok(rows.into_iter().map(EntryVersion::from).collect())
}
