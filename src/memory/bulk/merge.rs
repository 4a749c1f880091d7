//! Several entries become one: it takes in what the others say, and takes their place. They stay, marked and found behind it.

use crate::memory::{Error, Expect, access, find_free, relation, validate, write};
use crate::model::memory::{
    Entry, EntryAct, EntryDraft, EntryName, EntryStep, MAX_MERGE, Relation, RelationDraft, RelationKind, RelationWay,
    Trust,
};
use crate::runtime::Ctx;

/// Why these can't be merged into an entry, whatever stands there. Pure.
pub(super) fn misfit(namespace: &str, key: &str, with: &[EntryName]) -> Option<String> {
    let expected = || format!("expected 1 to {MAX_MERGE} other entries, each once");
    if with.is_empty() || with.len() > MAX_MERGE {
        return Some(expected());
    }
    for (at, name) in with.iter().enumerate() {
        let is_own = name.namespace == namespace && name.key == key;
        if is_own || with[..at].contains(name) {
            return Some(expected());
        }
        if let Err(Error::Invalid(fields)) = validate::place(&name.namespace, &name.key) {
            return fields.into_iter().next().map(|field| field.message);
        }
    }
    None
}

/// Merges others into an entry. All or nothing: where one of them can't be, nothing is changed.
pub(super) async fn merge(
    ctx: &Ctx,
    (namespace, key): (&str, &str),
    with: &[EntryName],
    expect: Expect,
) -> Result<Vec<EntryStep>, Error> {
    access::writing(ctx, namespace).await?;
    let entry = find_free(ctx, namespace, key).await?;
    expect.check(Some(entry.version))?;
    let mut others = Vec::with_capacity(with.len());
    for name in with {
        access::writing(ctx, &name.namespace).await?;
        others.push(find_free(ctx, &name.namespace, &name.key).await?);
    }
    let own = EntryName { namespace: namespace.to_owned(), key: key.to_owned() };
    let said = relation::relations(ctx, namespace, key).await?;
    let mut marked = Vec::new();
    // What can be refused comes first, and is easily taken back.
    for name in with {
        let is_about = |one: &&Relation| one.other.namespace == name.namespace && one.other.key == name.key;
        let before = said.iter().find(is_about).map(|one| one.way);
        // That stays whatever becomes of the merging.
        if before == Some(RelationWay::Supersedes) {
            continue;
        }
        if let Err(error) = say(ctx, &own, RelationKind::Supersedes, name).await {
            take_back(ctx, &own, &marked).await;
            return Err(error);
        }
        marked.push((name.clone(), before));
    }
    let step = |version, act| EntryStep { namespace: own.namespace.clone(), key: own.key.clone(), version, act };
    let mut undo = Vec::new();
    if let Some(draft) = joined(&entry, &others) {
        let (before, source) = (entry.version, crate::memory::source(ctx));
        match write::put(ctx, namespace, key, draft, Expect::Version(before), source).await {
            Ok(entry) => undo.push(step(Some(entry.version), EntryAct::Restore { to: before })),
            Err(error) => {
                take_back(ctx, &own, &marked).await;
                return Err(error);
            }
        }
    }
    undo.extend(marked.into_iter().map(|(other, _)| step(None, EntryAct::Unrelate { other })));
    Ok(undo)
}

/// Says something of two entries.
async fn say(ctx: &Ctx, one: &EntryName, kind: RelationKind, other: &EntryName) -> Result<(), Error> {
    let draft = RelationDraft { kind, namespace: other.namespace.clone(), key: other.key.clone() };
    relation::relate(ctx, (&one.namespace, &one.key), &draft).await.map(drop)
}

/// Takes marks back after a failure, and says again what was said before. What can't be is told by the entries themselves: it can be
/// taken back there.
async fn take_back(ctx: &Ctx, own: &EntryName, marked: &[(EntryName, Option<RelationWay>)]) {
    for (other, before) in marked {
        let done = match before {
            None | Some(RelationWay::Supersedes) => relation::unrelate(ctx, (&own.namespace, &own.key), other).await,
            Some(RelationWay::SupersededBy) => say(ctx, other, RelationKind::Supersedes, own).await,
            Some(RelationWay::Contradicts) => say(ctx, own, RelationKind::Contradicts, other).await,
            Some(RelationWay::Agrees) => say(ctx, own, RelationKind::Agrees, other).await,
        };
        if let Err(error) = done {
            tracing::warn!(%error, "what was said of two entries could not be taken back");
        }
    }
}

/// The entry with what the others say; `None` where that is nothing new. Pure.
fn joined(entry: &Entry, others: &[Entry]) -> Option<EntryDraft> {
    let mut content = entry.content.clone();
    for other in others.iter().map(|other| other.content.trim()) {
        if !content.contains(other) {
            if !content.is_empty() {
                content.push_str(if content.ends_with('\n') { "\n" } else { "\n\n" });
            }
            content.push_str(other);
        }
    }
    let all = || std::iter::once(entry).chain(others);
    let mut tags: Vec<String> = all().flat_map(|one| one.tags.iter().cloned()).collect();
    tags.sort();
    tags.dedup();
    let mut metadata = entry.metadata.clone();
    for (fact, value) in others.iter().flat_map(|other| &other.metadata) {
        metadata.entry(fact.clone()).or_insert_with(|| value.clone());
    }
    let value = all().map(|one| &one.value).find(|value| !value.is_null()).cloned().unwrap_or_default();
    let importance = all().map(|one| one.importance).fold(0.0, f64::max);
    // What is to stay for ever stays for ever.
    let expires_at = all().map(|one| one.expires_at).collect::<Option<Vec<_>>>().and_then(|all| all.into_iter().max());
    let trust = all().map(|one| one.trust).fold(Trust::User, Trust::lower);
    let is_same = content == entry.content
        && tags == entry.tags
        && metadata == entry.metadata
        && value == entry.value
        && (importance - entry.importance).abs() < f64::EPSILON
        && expires_at == entry.expires_at;
    let (group, position) = (entry.group.clone(), entry.position);
    (!is_same).then_some(EntryDraft {
        content,
        value,
        tags,
        metadata,
        importance: Some(importance),
        expires_at,
        group,
        position,
        trust: Some(trust),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::index::tests::entry;
    use crate::model::Timestamp;

    fn name(key: &str) -> EntryName {
        EntryName { namespace: "a".to_owned(), key: key.to_owned() }
    }

    #[test]
    fn an_entry_takes_in_what_the_others_say_and_nothing_twice() {
        let one = entry(1, "a", "one", "The loom has 20 shafts.", &["loom"]);
        let web = Entry { trust: Trust::Web, importance: 0.9, ..entry(2, "a", "two", "It is red.", &["colour"]) };
        let again = Entry { expires_at: Some(Timestamp(7)), ..entry(3, "a", "three", "20 shafts.", &[]) };
        let draft = joined(&one, &[web, again.clone()]).expect("something is new");
        assert_eq!(draft.content, "The loom has 20 shafts.\n\nIt is red.");
        assert_eq!(draft.tags, ["colour", "loom"]);
        assert_eq!((draft.importance, draft.trust, draft.expires_at), (Some(0.9), Some(Trust::Web), None));
        assert!(joined(&one, &[again]).is_none(), "it says so already");
    }

    #[test]
    fn only_others_are_merged_and_each_once() {
        assert_eq!(misfit("a", "one", &[name("two"), name("three")]), None);
        for wrong in [vec![], vec![name("one")], vec![name("two"), name("two")], vec![name("x"); MAX_MERGE + 1]] {
            assert!(misfit("a", "one", &wrong).is_some(), "{wrong:?}");
        }
    }
}
