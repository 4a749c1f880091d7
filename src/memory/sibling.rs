//! Writers who did not see each other: the second text is kept beside the entry, and merged by a write that has seen both.
//!
//! Every version and every sibling knows which writes its writer had seen ([`Seen`]). A write says what its writer has read: a
//! version ([`Expect::Version`](super::Expect)), and siblings (`merges`). What it has not seen stays; what it has seen it replaces.
//! A sibling is found by no search and fires no trigger: the entry is found, and says how many texts stand beside it.

use serde_json::json;

use super::write::{Order, put_stated};
use super::{Error, Expect, access, hold, store, trust, validate};
use crate::db::Tx;
use crate::model::live::Topic;
use crate::model::memory::{Entry, EntryDraft, OnConflict, Seen, Sibling, Source};
use crate::model::{EntryId, FieldError, Timestamp};
use crate::runtime::Ctx;

/// Texts that stand open beside an entry at most; a write that would make one more is refused.
const MOST_OPEN: usize = 8;
/// The same with those that siblings have taken in.
const MOST_KEPT: usize = 64;

/// What a writer says of what they have read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stated {
    /// The version that they have read.
    pub expect: Expect,
    /// What becomes of the write when something else stands there.
    pub on_conflict: OnConflict,
    /// The siblings that they have read, and that this text replaces.
    pub merges: Vec<i64>,
}

/// What came of a write.
#[derive(Debug, Clone, PartialEq)]
pub enum Put {
    /// It is the entry.
    Written(Entry),
    /// It is kept beside the entry, as a sibling with this number.
    Beside(Entry, i64),
}

impl Put {
    /// The entry as it stands.
    pub fn into_entry(self) -> Entry {
        match self {
            Self::Written(entry) | Self::Beside(entry, _) => entry,
        }
    }
}

/// As [`put`](super::put), by a writer who says what they have seen and wants nothing lost.
///
/// # Errors
/// As [`put`](super::put). With [`OnConflict::Sibling`] a version that is not the newest is refused only where the entry is gone or
/// in quarantine, where the words are suspicious, or where too many texts stand there. [`Error::Invalid`] for `merges` that are no
/// open siblings.
pub async fn put_beside(
    ctx: &Ctx,
    place: (&str, &str),
    draft: EntryDraft,
    stated: Stated,
    source: Source,
) -> Result<Put, Error> {
    put_stated(ctx, place, draft, stated, source).await
}

/// The texts that stand beside an entry, and those that were merged, the last written first.
///
/// # Errors
/// [`Error::NotFound`].
pub async fn siblings(ctx: &Ctx, namespace: &str, key: &str) -> Result<Vec<Sibling>, Error> {
    let reach = access::reading(ctx).await?;
    validate::place(namespace, key)?;
    let row = store::find(ctx, &reach, (namespace, key)).await?;
    let row = row.filter(|row| row.is_live(ctx.clock.now())).ok_or(Error::NotFound)?;
    let (namespace, key, version) = (namespace.to_owned(), key.to_owned(), row.version);
    store::siblings(ctx, row.id).await?.map_err(|why| Error::Unreadable { namespace, key, version, why })
}

/// What stands at a place when somebody writes there.
pub(super) struct Standing {
    /// The vector of the newest version.
    head: Seen,
    /// Siblings that no version has seen.
    kept: Vec<Sibling>,
}

/// What a write has seen of it.
pub(super) struct View {
    /// The vector of the write.
    pub seen: Seen,
    /// The open siblings that it replaces.
    pub replaced: Vec<i64>,
}

impl Standing {
    /// Reads it, for an entry in this version.
    pub async fn read(tx: &mut Tx, ctx: &Ctx, id: EntryId, version: i64, siblings: i64) -> Result<Self, Error> {
        let head = store::seen_by(tx, id, version).await?.unwrap_or_default();
        let kept = if siblings > 0 { store::unmerged_siblings(tx, ctx, id).await? } else { Vec::new() };
        Ok(Self { head, kept })
    }

    fn open(&self) -> impl Iterator<Item = &Sibling> {
        self.kept.iter().filter(|sibling| sibling.is_open())
    }

    /// The siblings that a writer says to have read.
    fn read_ones(&self, merges: &[i64]) -> Result<Vec<&Sibling>, Error> {
        let find = |id: &i64| self.open().find(|sibling| sibling.id == *id);
        let found: Option<Vec<&Sibling>> = merges.iter().map(find).collect();
        found.ok_or_else(|| {
            let open: Vec<String> = self.open().map(|sibling| sibling.id.to_string()).collect();
            let expected = if open.is_empty() {
                "expected none: no text stands beside this entry".to_owned()
            } else {
                format!("expected open siblings of this entry: {}", open.join(", "))
            };
            Error::Invalid(vec![FieldError::new("merges", expected)])
        })
    }

    /// The write of somebody who has read `base` and these siblings. Pure.
    fn view(&self, base: Seen, read: &[&Sibling], source: &Source, change: i64) -> View {
        let base = read.iter().fold(base, |base, sibling| base.with(&sibling.seen));
        let replaced = self.open().filter(|sibling| base.covers(&sibling.seen)).map(|sibling| sibling.id).collect();
        let beside: Vec<Seen> =
            std::iter::once(self.head.clone()).chain(self.kept.iter().map(|sibling| sibling.seen.clone())).collect();
        View { seen: base.next(&actor(source), change, &beside), replaced }
    }

    /// The write of somebody who writes over the newest version; and its draft with the lowest label, where its words are those of a
    /// sibling that it merges.
    pub fn over_head(&self, order: &Order, change: i64) -> Result<(View, Option<EntryDraft>), Error> {
        let read = self.read_ones(&order.merges)?;
        let same = read.iter().filter(|sibling| is_same(sibling, &order.draft)).map(|sibling| sibling.trust).max();
        // Whoever takes words over has not written them.
        let draft = same.map(|trust| EntryDraft {
            trust: Some(order.draft.trust.map_or(trust, |asked| asked.lower(trust))),
            ..order.draft.clone()
        });
        Ok((self.view(self.head.clone(), &read, &order.source, change), draft))
    }
}

/// Refuses siblings of an entry that isn't there.
pub(super) fn none_there(merges: &[i64]) -> Result<(), Error> {
    let standing = Standing { head: Seen::default(), kept: Vec::new() };
    standing.read_ones(merges).map(drop)
}

fn is_same(sibling: &Sibling, draft: &EntryDraft) -> bool {
    sibling.content == draft.content && sibling.value == draft.value
}

/// The name of a writer in vectors.
fn actor(source: &Source) -> String {
    match source {
        // Who imports a file writes it.
        Source::User { name } | Source::Import { name: Some(name) } => format!("user {name}"),
        Source::Run { .. } => "run".to_owned(),
        Source::Cli {} | Source::Import { name: None } => "cli".to_owned(),
        Source::Expiry {} => "expiry".to_owned(),
    }
}

/// Where and when a sibling is kept.
pub(super) struct Moment<'a> {
    pub live: &'a Entry,
    pub begun: &'a store::Begun,
    pub now: Timestamp,
}

/// Keeps a write beside the entry; `Ok(None)` where it can't be, so that it is refused.
///
/// The same words are kept once: a repeated attempt changes nothing.
pub(super) async fn keep(tx: &mut Tx, ctx: &Ctx, order: &Order, moment: &Moment<'_>) -> Result<Option<Put>, Error> {
    let Moment { live, begun, now } = *moment;
    let change = begun.change;
    if live.is_quarantined() {
        return Ok(None);
    }
    if trust::says_the_same(live, &order.draft) && order.merges.is_empty() {
        return Ok(Some(Put::Written(live.clone())));
    }
    let standing = Standing::read(tx, ctx, live.id, live.version, live.siblings).await?;
    let read = standing.read_ones(&order.merges)?;
    if let Some(known) = standing.open().find(|sibling| is_same(sibling, &order.draft)) {
        return Ok(Some(Put::Beside(live.clone(), known.id)));
    }
    let label = trust::granted(&order.draft, &order.source, None)?;
    let label = read
        .iter()
        .filter(|sibling| is_same(sibling, &order.draft))
        .fold(label, |label, sibling| label.lower(sibling.trust));
    let write = hold::Write { key: &order.key, draft: &order.draft, trust: label, source: &order.source, now };
    // What would be set aside has no place beside an entry that everybody reads.
    if hold::after_write(None, &write, &begun.settings).is_some() {
        return Ok(None);
    }
    let base = match order.expect {
        Expect::Version(version) => Some(version),
        Expect::Any | Expect::Absent => None,
    };
    let read_before = match base {
        Some(version) => store::seen_by(tx, live.id, version).await?.unwrap_or_default(),
        None => Seen::default(),
    };
    let view = standing.view(read_before, &read, &order.source, change);
    if standing.open().count() - view.replaced.len() >= MOST_OPEN || standing.kept.len() >= MOST_KEPT {
        return Ok(None);
    }
    let sibling = store::NewSibling {
        begun,
        draft: &order.draft,
        importance: order.draft.importance.unwrap_or(super::DEFAULT_IMPORTANCE),
        trust: label,
        source: &order.source,
        base,
        seen: &view.seen,
        at: now,
    };
    store::insert_sibling(tx, ctx, live.id, &sibling).await?;
    for replaced in view.replaced {
        store::take_in_sibling(tx, live.id, replaced, change).await?;
    }
    let siblings = store::count_siblings(tx, live.id).await?;
    Ok(Some(Put::Beside(Entry { siblings, ..live.clone() }, change)))
}

/// Tells everybody that a text stands beside an entry.
pub(super) fn tell(ctx: &Ctx, entry: &Entry, sibling: i64) {
    let data = json!({"namespace": entry.namespace, "key": entry.key, "version": entry.version, "sibling": sibling});
    ctx.events.publish(ctx.workspace(), Topic::Memory(entry.namespace.clone()), "sibling_written", data);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::index::tests::NOW;
    use crate::model::memory::Trust;

    fn sibling(id: i64, seen: Seen) -> Sibling {
        Sibling {
            id,
            content: format!("text {id}"),
            value: serde_json::Value::Null,
            tags: Vec::new(),
            metadata: serde_json::Map::new(),
            importance: 0.5,
            source: Source::Cli {},
            trust: Trust::User,
            expires_at: None,
            group: None,
            position: None,
            base: Some(1),
            seen,
            at: NOW,
            merged_version: None,
            merged_by: None,
        }
    }

    #[test]
    fn a_write_replaces_what_its_writer_has_read_and_nothing_else() {
        let first = Seen::only(1);
        let mara = Source::User { name: "Mara".to_owned() };
        let head = first.next("user Mara", 2, std::slice::from_ref(&first));
        let one = first.next("cli", 3, std::slice::from_ref(&head));
        let other = first.next("cli", 4, &[head.clone(), one.clone()]);
        let standing = Standing { head: head.clone(), kept: vec![sibling(3, one), sibling(4, other)] };
        let view = |merges: &[i64]| {
            let read = standing.read_ones(merges).unwrap();
            standing.view(standing.head.clone(), &read, &mara, 5)
        };
        assert_eq!(view(&[]).replaced, [] as [i64; 0]);
        assert_eq!(view(&[4]).replaced, [4]);
        assert_eq!(view(&[4, 3]).replaced, [3, 4]);
        assert!(view(&[3]).seen.covers(&head));
        let refused = standing.read_ones(&[7]);
        assert!(matches!(refused, Err(Error::Invalid(fields)) if fields[0].message.ends_with("of this entry: 3, 4")));
    }
}
