//! Entries that say nearly the same as what is to be written: found, refused, or made one with it.

use std::sync::Arc;

use super::index::{Asked, Filter};
use super::shingles::{NEARLY_THE_SAME, Shingles, telling};
use super::trust::says_the_same;
use super::{DEFAULT_IMPORTANCE, Error, catalog, store, validate};
use crate::model::memory::{Entry, EntryDraft, Reach, Trust};
use crate::runtime::Ctx;

/// Entries that are compared, by how well the index finds them by the text's words.
const CANDIDATES: usize = 20;
/// Words by which they are looked for.
const WORDS: usize = 24;

/// The entry of the namespace that says nearly the same as a draft, the most alike; of equals the oldest.
///
/// Only those that the writer may change are looked at. Parts of conversations and documents are never compared, nor short texts, nor
/// what is in quarantine; nor what has another value beside its text.
pub(super) async fn find(
    ctx: &Ctx,
    reach: &Reach,
    namespace: &str,
    draft: &EntryDraft,
) -> Result<Option<Entry>, Error> {
    let Some(own) = Shingles::of(&draft.content).filter(|_| draft.group.is_none()) else { return Ok(None) };
    let now = ctx.clock.now();
    let asked = Asked {
        text: telling(&draft.content, WORDS),
        words: true,
        vector: None,
        filter: Filter { namespace: namespace.to_owned(), reach: reach.clone(), ..Filter::default() },
        limit: CANDIDATES,
        now,
        neighbours: 0,
        min_score: f64::NEG_INFINITY,
    };
    let shelf = catalog::open(ctx).await?;
    let found = catalog::search(ctx, Arc::clone(&shelf), asked).await?.found;
    let ids: Vec<_> = found.hits.iter().map(|hit| hit.id).collect();
    let mut best: Option<(f64, Entry)> = None;
    for part in ids.chunks(store::FETCH) {
        let rows = store::fetch(ctx, reach, part).await?.into_iter();
        // What the writer may not change can't become one with what they write.
        for row in rows.filter(|row| row.is_findable(now) && reach.may_write(row.namespace())) {
            let Ok(entry) = row.entry() else { continue };
            if entry.namespace != namespace || entry.group.is_some() || entry.value != draft.value {
                continue;
            }
            let likeness = Shingles::of(&entry.content).map_or(0.0, |theirs| own.likeness(&theirs));
            let is_better = |(known, best): &(f64, Entry)| {
                likeness > *known || (likeness >= *known && entry.created_at < best.created_at)
            };
            if likeness >= NEARLY_THE_SAME && best.as_ref().is_none_or(is_better) {
                best = Some((likeness, entry));
            }
        }
    }
    Ok(best.map(|(_, entry)| entry))
}

/// A draft made one with the entry that says nearly the same: the newer text, the tags and facts of both, the higher importance,
/// the later expiry. Pure.
///
/// `None` where they can't be one: whoever writes is less trusted than the words that are there, and must not replace them; or
/// both together have more tags or facts than an entry may have.
pub(super) fn merged(entry: &Entry, draft: &EntryDraft, trust: Trust) -> Option<EntryDraft> {
    if trust > entry.trust {
        return None;
    }
    let mut tags = entry.tags.clone();
    tags.extend(draft.tags.iter().cloned());
    let mut metadata = entry.metadata.clone();
    metadata.extend(draft.metadata.iter().map(|(name, value)| (name.clone(), value.clone())));
    let importance = entry.importance.max(draft.importance.unwrap_or(DEFAULT_IMPORTANCE));
    let expires_at = entry.expires_at.zip(draft.expires_at).map(|(one, other)| one.max(other));
    // The same words keep their label.
    let trust = (!says_the_same(entry, draft)).then_some(trust);
    let one = EntryDraft { tags, metadata, importance: Some(importance), expires_at, trust, ..draft.clone() };
    validate::draft(one).ok()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::memory::index::tests::{NOW, entry};

    #[test]
    fn of_two_that_are_one_nothing_is_lost() {
        let old = Entry {
            metadata: json!({"a": 1, "b": 1}).as_object().cloned().unwrap_or_default(),
            importance: 0.9,
            expires_at: Some(NOW),
            ..entry(1, "a", "k", "old words", &["x", "y"])
        };
        let draft = EntryDraft {
            content: "new words".to_owned(),
            tags: vec!["y".to_owned(), "z".to_owned()],
            metadata: json!({"b": 2}).as_object().cloned().unwrap_or_default(),
            expires_at: Some(NOW.plus_ms(5)),
            ..EntryDraft::default()
        };
        let one = merged(&old, &draft, Trust::User).unwrap();
        assert_eq!((one.content.as_str(), one.tags.join(",")), ("new words", "x,y,z".to_owned()));
        assert_eq!((one.importance, one.expires_at), (Some(0.9), Some(NOW.plus_ms(5))));
        assert_eq!(json!(one.metadata), json!({"a": 1, "b": 2}));
        let for_ever = EntryDraft { expires_at: None, ..draft.clone() };
        assert_eq!(merged(&old, &for_ever, Trust::User).unwrap().expires_at, None);
        assert_eq!(merged(&old, &draft, Trust::Web), None, "strangers replace no words of people");
        let many: Vec<String> = (0..32).map(|n| format!("t{n}")).collect();
        assert_eq!(merged(&old, &EntryDraft { tags: many, ..draft }, Trust::User), None, "too many tags");
    }
}
