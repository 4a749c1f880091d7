//! The use-cases that change entries.

use super::heard::{deleted, note, written};
use super::hold::{self, Write};
use super::sibling::{self, Moment, Put, Standing, Stated};
use super::{DEFAULT_IMPORTANCE, Error, Expect, access, duplicates, store, summary, trust, validate};
use crate::db::Tx;
use crate::model::EntryId;
use crate::model::auth::Action;
use crate::model::memory::{Duplicates, Entry, EntryDraft, OnConflict, Reach, Source, Trust};
use crate::runtime::Ctx;

impl Expect {
    /// Refuses when the entry is not as expected; `found` is its version, `None` when there is none.
    pub(super) fn check(self, found: Option<i64>) -> Result<(), Error> {
        match (self, found) {
            (Self::Any, _) | (Self::Absent, None) => Ok(()),
            (Self::Version(expected), Some(found)) if expected == found => Ok(()),
            (Self::Version(expected), Some(found)) => Err(Error::Conflict { expected, found }),
            (Self::Version(expected), None) => Err(Error::Gone { expected }),
            (Self::Absent, Some(found)) => Err(Error::Exists { found }),
        }
    }
}

/// What is to be written.
pub(super) struct Order {
    namespace: String,
    pub key: String,
    pub draft: EntryDraft,
    pub expect: Expect,
    on_conflict: OnConflict,
    /// The siblings that its writer has read.
    pub merges: Vec<i64>,
    pub source: Source,
    /// Whether an entry may be made although another may say nearly the same.
    has_looked: bool,
    /// What it is the summary of, if it is one.
    links: Option<summary::Links>,
    /// The order that this one stands for, where its words are to become a version of another entry.
    instead: Option<Box<Order>>,
    /// How far who writes reaches.
    reach: Reach,
}

/// What came of an order.
enum Done {
    Put(Box<Put>),
    /// It would make an entry, and the workspace wants to know first whether another says nearly the same.
    LookFirst(Duplicates),
}

/// Writes an entry: makes it, or gives it a new version. What the draft leaves out is empty (importance: 0.5).
///
/// A run's step that writes again what it wrote last makes no new version, so that a repeated attempt changes nothing. Who the
/// words came from is decided by [`trust::granted`], and whether they are set aside by [`hold::after_write`]. Where the workspace
/// wants it, a new entry that says nearly the same as another of its namespace becomes a version of that one, which is given then.
///
/// # Errors
/// [`Error::Conflict`], [`Error::Gone`] or [`Error::Exists`] when it is not as expected; [`Error::Invalid`] and
/// [`Error::TooLarge`] for what doesn't fit; [`Error::NoNamespace`] and [`Error::ReadOnly`] where a rule keeps the writer out;
/// [`Error::Duplicate`] where the workspace wants nothing twice.
pub async fn put(
    ctx: &Ctx,
    namespace: &str,
    key: &str,
    draft: EntryDraft,
    expect: Expect,
    source: Source,
) -> Result<Entry, Error> {
    let stated = Stated { expect, on_conflict: OnConflict::Refuse, merges: Vec::new() };
    Ok(put_stated(ctx, (namespace, key), draft, stated, source).await?.into_entry())
}

/// [`put`] for a summary, which is like others by its nature: nobody looks whether another entry says nearly the same. The ways to what
/// it was made of are stored with it.
///
/// # Errors
/// As [`put`], but for [`Error::Duplicate`].
pub(super) async fn put_summary(
    ctx: &Ctx,
    (namespace, key): (&str, &str),
    draft: EntryDraft,
    expect: Expect,
    links: summary::Links,
) -> Result<Entry, Error> {
    ctx.authorize(Action::WriteMemory)?;
    let source = super::source(ctx);
    validate::place(namespace, key)?;
    let reach = access::writing(ctx, namespace).await?;
    let draft = validate::draft(draft)?;
    validate::expiry(draft.expires_at, ctx.clock.now(), &source)?;
    let order = Order {
        namespace: namespace.to_owned(),
        key: key.to_owned(),
        draft,
        expect,
        on_conflict: OnConflict::Refuse,
        merges: Vec::new(),
        source,
        has_looked: true,
        links: Some(links),
        instead: None,
        reach,
    };
    match perform(ctx, &order).await? {
        Done::Put(put) => Ok(put.into_entry()),
        // Nobody asks to look first of whom it is said that they have.
        Done::LookFirst(_) => Err(Error::Index),
    }
}

/// [`put`], and what is said of what was seen.
pub(super) async fn put_stated(
    ctx: &Ctx,
    (namespace, key): (&str, &str),
    draft: EntryDraft,
    Stated { expect, on_conflict, merges }: Stated,
    source: Source,
) -> Result<Put, Error> {
    ctx.authorize(Action::WriteMemory)?;
    validate::place(namespace, key)?;
    let reach = access::writing(ctx, namespace).await?;
    let draft = validate::draft(draft)?;
    validate::expiry(draft.expires_at, ctx.clock.now(), &source)?;
    let (namespace, key) = (namespace.to_owned(), key.to_owned());
    let mut order = Order {
        namespace,
        key,
        draft,
        expect,
        on_conflict,
        merges,
        source,
        has_looked: false,
        links: None,
        instead: None,
        reach,
    };
    loop {
        match perform(ctx, &order).await {
            Ok(Done::Put(put)) => return Ok(*put),
            Ok(Done::LookFirst(wanted)) => order = look(ctx, order, wanted).await?,
            Err(error @ (Error::Conflict { .. } | Error::Gone { .. })) => match order.instead.take() {
                // Somebody was faster with the other entry: then it is kept for itself.
                Some(alone) => order = *alone,
                None => return Err(error),
            },
            Err(error) => return Err(error),
        }
    }
}

/// Looks for an entry that says nearly the same, and gives what is to be written then. Outside of a transaction: the workspace's
/// other writers would wait meanwhile.
async fn look(ctx: &Ctx, order: Order, wanted: Duplicates) -> Result<Order, Error> {
    let alone = Order { has_looked: true, ..order };
    let Some(other) = duplicates::find(ctx, &alone.reach, &alone.namespace, &alone.draft).await? else {
        return Ok(alone);
    };
    if wanted == Duplicates::Refuse {
        return Err(Error::Duplicate { namespace: other.namespace, key: other.key });
    }
    let trust = trust::granted(&alone.draft, &alone.source, None)?;
    let Some(draft) = duplicates::merged(&other, &alone.draft, trust) else { return Ok(alone) };
    Ok(Order {
        namespace: other.namespace,
        key: other.key,
        draft,
        expect: Expect::Version(other.version),
        on_conflict: OnConflict::Refuse,
        merges: Vec::new(),
        source: alone.source.clone(),
        reach: alone.reach.clone(),
        has_looked: true,
        links: None,
        instead: Some(Box::new(alone)),
    })
}

/// Writes what is ordered, in one transaction.
async fn perform(ctx: &Ctx, order: &Order) -> Result<Done, Error> {
    let Order { namespace, key, source, .. } = order;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let begun = store::begin_write(&mut tx, ctx).await?;
    let change = begun.change;
    let before = store::find_within(&mut tx, ctx, namespace, key).await?;
    let live = before.as_ref().filter(|row| row.is_live(now)).cloned().map(store::EntryRow::entry).transpose()?;
    if let Err(refusal) = order.expect.check(live.as_ref().map(|live| live.version)) {
        let live = live.as_ref().filter(|_| order.on_conflict == OnConflict::Sibling).ok_or(refusal)?;
        return beside(ctx, tx, order, Moment { live, begun: &begun, now }).await;
    }
    if live.is_none() && !order.has_looked && begun.settings.duplicates != Duplicates::Keep {
        return Ok(Done::LookFirst(begun.settings.duplicates));
    }
    let (view, taken) = match &before {
        Some(row) => {
            let standing = Standing::read(&mut tx, ctx, row.id, row.version, row.siblings()).await?;
            standing.over_head(order, change).map(|(view, draft)| (Some(view), draft))?
        }
        None => sibling::none_there(&order.merges).map(|()| (None, None))?,
    };
    let draft = taken.as_ref().unwrap_or(&order.draft);
    let trust = trust::granted(draft, source, live.as_ref())?;
    let repeated = live.as_ref().filter(|live| order.merges.is_empty() && is_repeated(live, draft, trust, source));
    if let Some(live) = repeated {
        return Ok(Done::Put(Box::new(Put::Written(live.clone()))));
    }
    let write = Write { key, draft, trust, source, now };
    let quarantine = hold::after_write(live.as_ref(), &write, &begun.settings);
    let same_words = live.as_ref().is_some_and(|live| trust::says_the_same(live, draft));
    let draft = draft.clone();
    let mut entry = Entry {
        id: before.as_ref().map_or_else(|| ctx.ids.fresh::<EntryId>(), |row| row.id),
        namespace: namespace.clone(),
        key: key.clone(),
        content: draft.content,
        value: draft.value,
        tags: draft.tags,
        metadata: draft.metadata,
        importance: draft.importance.unwrap_or(DEFAULT_IMPORTANCE),
        version: before.as_ref().map_or(0, |row| row.version) + 1,
        source: source.clone(),
        trust,
        quarantine,
        created_at: before.as_ref().map_or(now, |row| row.created_at),
        updated_at: now,
        expires_at: draft.expires_at,
        group: draft.group,
        position: draft.position,
        siblings: before.as_ref().map_or(0, store::EntryRow::siblings),
        superseded_at: before.as_ref().and_then(|row| row.superseded_at),
        unreadable: None,
    };
    store::write(&mut tx, ctx, &entry, &begun).await?;
    let seen = view.as_ref().map(|view| &view.seen);
    store::append_version(&mut tx, ctx, &entry, &begun, (seen, same_words)).await?;
    if let Some(view) = view.filter(|view| !view.replaced.is_empty()) {
        for replaced in view.replaced {
            store::merge_sibling(&mut tx, entry.id, replaced, entry.version).await?;
        }
        entry.siblings = store::count_siblings(&mut tx, entry.id).await?;
    }
    summary::keep_links(&mut tx, ctx, order.links.as_ref(), (live.as_ref(), &entry)).await?;
    if let Some(alone) = &order.instead {
        store::note_merged(&mut tx, entry.id, entry.version, &alone.key).await?;
    }
    if entry.version > 1 && entry.is_quarantined() {
        store::delete_vectors(&mut tx, entry.id).await?;
    }
    note(&mut tx, ctx, (namespace, key), &entry.version.to_string()).await?;
    tx.commit().await?;
    written(ctx, &entry, change).await?;
    Ok(Done::Put(Box::new(Put::Written(entry))))
}

/// Keeps a write beside what its writer has not seen, or refuses it where that can't be.
async fn beside(ctx: &Ctx, mut tx: Tx, order: &Order, moment: Moment<'_>) -> Result<Done, Error> {
    let Some(put) = sibling::keep(&mut tx, ctx, order, &moment).await? else {
        order.expect.check(Some(moment.live.version))?;
        return Err(Error::Exists { found: moment.live.version });
    };
    if let Put::Beside(entry, number) = &put
        && *number == moment.begun.change
    {
        tx.commit().await?;
        sibling::tell(ctx, entry, *number);
    }
    Ok(Done::Put(Box::new(put)))
}

/// Whether a run's step writes what it wrote last. The expiry doesn't count: it was reckoned from another moment.
fn is_repeated(live: &Entry, draft: &EntryDraft, trust: Trust, source: &Source) -> bool {
    matches!(source, Source::Run { .. })
        && live.trust == trust
        && live.source == *source
        && live.content == draft.content
        && live.value == draft.value
        && live.tags == draft.tags
        && live.metadata == draft.metadata
        && (&live.group, live.position) == (&draft.group, draft.position)
        && (live.importance - draft.importance.unwrap_or(DEFAULT_IMPORTANCE)).abs() < f64::EPSILON
}

/// Deletes an entry. It can come back through [`undelete`] for some time.
///
/// # Errors
/// [`Error::NotFound`]; [`Error::Conflict`] when it is in another version than expected.
pub async fn delete(ctx: &Ctx, namespace: &str, key: &str, expect: Expect) -> Result<(), Error> {
    ctx.authorize(Action::WriteMemory)?;
    validate::place(namespace, key)?;
    access::writing(ctx, namespace).await?;
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await?;
    let change = store::next_change(&mut tx, ctx.workspace()).await?;
    let row = store::find_within(&mut tx, ctx, namespace, key).await?;
    let row = row.filter(|row| row.is_live(now)).ok_or(Error::NotFound)?;
    expect.check(Some(row.version))?;
    let version = row.version + 1;
    store::mark_deleted(&mut tx, row.id, version, now, change).await?;
    store::delete_vectors(&mut tx, row.id).await?;
    store::append_deletion(&mut tx, row.id, version, &super::source(ctx), now, change).await?;
    note(&mut tx, ctx, (namespace, key), &version.to_string()).await?;
    tx.commit().await?;
    deleted(ctx, namespace, key, row.id, change).await
}
