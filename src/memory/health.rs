//! What in a memory may need somebody: copies, contradictions, what says little, what nobody reads, what is old, long, soon gone, or
//! in quarantine.
//!
//! Every list is bounded, and so is what is read for it.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};

use super::shingles::{NEARLY_THE_SAME, Shingles};
use super::{Error, access, doubt, flaw, store};
use crate::model::EntryId;
use crate::model::memory::{Alike, Doubtful, Entry, EntryFilter, Flaw, HealthEntry, MemoryHealth, Poor};
use crate::runtime::Ctx;

const DAY_MS: i64 = 86_400_000;
/// Days without a change after which an entry is stale.
const STALE_DAYS: i64 = 180;
/// Days after which somebody should have read an entry.
const UNREAD_DAYS: i64 = 30;
/// Days within which an entry is gone soon.
const SOON_DAYS: i64 = 7;
/// Characters beyond which an entry is oversized: about what vectors are made of.
const OVERSIZED_CHARS: i64 = 30_000;
/// Entries that are compared with each other: those changed last.
const COMPARED: u32 = 2_000;
/// Shingles of an entry by which it meets others. Of more entries than [`COMMON`] that share one, each is compared with the next
/// alone: copies are found, and what is boilerplate costs little.
const SKETCH: usize = 24;
const COMMON: usize = 32;
/// Groups that are told of.
const MOST_GROUPS: usize = 50;
/// Entries of a group that are told of.
const MOST_ALIKE: usize = 20;
/// Characters that are shown of an entry.
const EXCERPT_CHARS: usize = 240;

/// What may need somebody.
///
/// # Errors
/// When the role doesn't allow it, or the database fails.
pub async fn get_health(ctx: &Ctx) -> Result<MemoryHealth, Error> {
    let reach = access::reading(ctx).await?;
    let (db, workspace, now) = (&ctx.db, ctx.workspace(), ctx.clock.now());
    let part = store::Part { before: i64::MAX, limit: COMPARED };
    let newest = store::list(ctx, &reach, now, &EntryFilter::default(), part).await?;
    let mut newest: Vec<Entry> = newest.into_iter().map(store::EntryRow::shown).collect();
    // What is said of an entry gives it a change number too, and makes its words no newer: of two the older is proposed to go.
    newest.sort_by_key(|entry| Reverse(entry.updated_at));
    let compared = newest.len() as i64;
    let (unreadable, newest): (Vec<Entry>, Vec<Entry>) =
        newest.into_iter().partition(|entry| entry.unreadable.is_some());
    let settled: HashSet<(EntryId, EntryId)> = store::related_pairs(db, workspace).await?.into_iter().collect();
    let is_settled = move |one: &Entry, other: &Entry| {
        let is_superseded = one.superseded_at.is_some() || other.superseded_at.is_some();
        is_superseded || settled.contains(&(one.id.min(other.id), one.id.max(other.id)))
    };
    let look = move || {
        let (shingles, soft) = taken_apart(&newest);
        (alike(&newest, shingles), doubt::doubtful(soft, is_settled), poor(&newest))
    };
    let (duplicates, doubtful, poor): (Vec<Alike>, Vec<Doubtful>, Vec<Poor>) =
        ctx.tasks.blocking(look).await.map_err(|_| Error::Index)?;
    Ok(MemoryHealth {
        entries: store::count_entries(db, workspace, &reach, now).await?,
        compared,
        duplicates,
        contradictions: store::contradictions(ctx, &reach, now).await?,
        doubtful,
        poor,
        never_read: store::never_read(ctx, &reach, now, now.plus_ms(-UNREAD_DAYS * DAY_MS)).await?,
        unreadable: unreadable.iter().take(MOST_GROUPS).map(short).collect(),
        stale: store::unchanged_since(ctx, &reach, now, now.plus_ms(-STALE_DAYS * DAY_MS)).await?,
        oversized: store::longer_than(ctx, &reach, now, OVERSIZED_CHARS).await?,
        expiring: store::gone_by(ctx, &reach, now, now.plus_ms(SOON_DAYS * DAY_MS)).await?,
        quarantined: store::held(ctx, &reach, now).await?,
    })
}

/// Texts ready to be compared, for copies by their places and for contradictions. Parts of conversations and documents are left out.
type Apart<'a> = (Vec<(usize, Shingles)>, Vec<(&'a Entry, doubt::Soft)>);

/// Takes each text apart once, for both.
fn taken_apart(entries: &[Entry]) -> Apart<'_> {
    let (mut shingles, mut soft) = (Vec::new(), Vec::new());
    for (at, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.group.is_none()) {
        let (hard, other) = doubt::taken_apart(&entry.content);
        shingles.extend(hard.map(|hard| (at, hard)));
        soft.extend(other.map(|other| (entry, other)));
    }
    (shingles, soft)
}

/// The groups of entries that say nearly the same, the most alike first. Pure.
fn alike(entries: &[Entry], taken: Vec<(usize, Shingles)>) -> Vec<Alike> {
    let mut meeting: HashMap<(&str, u64), Vec<usize>> = HashMap::new();
    for (place, (at, shingles)) in taken.iter().enumerate() {
        for digest in shingles.sketch(SKETCH) {
            meeting.entry((entries[*at].namespace.as_str(), *digest)).or_default().push(place);
        }
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for places in meeting.values() {
        for (n, a) in places.iter().enumerate() {
            let others = if places.len() > COMMON { (n + 2).min(places.len()) } else { places.len() };
            pairs.extend(places[n + 1..others].iter().map(|b| (*a, *b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    // Each entry joins the group of one that it is alike; `group[place]` leads to the group's first.
    let mut group: Vec<usize> = (0..taken.len()).collect();
    let mut least: HashMap<usize, f64> = HashMap::new();
    for (a, b) in pairs {
        let (one, other) = (&entries[taken[a].0], &entries[taken[b].0]);
        let likeness = if one.value == other.value { taken[a].1.likeness(&taken[b].1) } else { 0.0 };
        if likeness < NEARLY_THE_SAME {
            continue;
        }
        let (first, second) = (lead(&group, a), lead(&group, b));
        let (first, second) = (first.min(second), first.max(second));
        group[second] = first;
        let known = [first, second].into_iter().filter_map(|at| least.remove(&at)).fold(likeness, f64::min);
        least.insert(first, known);
    }
    let mut members: HashMap<usize, Vec<HealthEntry>> = HashMap::new();
    for (place, (at, _)) in taken.iter().enumerate() {
        let first = lead(&group, place);
        if least.contains_key(&first) {
            members.entry(first).or_default().push(short(&entries[*at]));
        }
    }
    let mut groups: Vec<(usize, Alike)> = members
        .into_iter()
        .map(|(first, mut entries)| {
            entries.truncate(MOST_ALIKE);
            (first, Alike { likeness: least.get(&first).copied().unwrap_or_default(), entries })
        })
        .collect();
    groups.sort_by(|(a, one), (b, other)| other.likeness.total_cmp(&one.likeness).then(a.cmp(b)));
    groups.truncate(MOST_GROUPS);
    groups.into_iter().map(|(_, alike)| alike).collect()
}

/// The entries that say little or nothing, in their order. Pure. A turn of a conversation may be short, but not empty or garbled.
fn poor(entries: &[Entry]) -> Vec<Poor> {
    let found = entries.iter().filter_map(|entry| {
        let flaw = flaw::flaw(entry)?;
        let is_turn = entry.group.is_some() && matches!(flaw, Flaw::Short | Flaw::Link);
        (!is_turn).then(|| Poor { entry: short(entry), flaw })
    });
    found.take(MOST_GROUPS).collect()
}

/// The first of the group that a place is in.
fn lead(group: &[usize], mut place: usize) -> usize {
    while group[place] != place {
        place = group[place];
    }
    place
}

pub(super) fn short(entry: &Entry) -> HealthEntry {
    HealthEntry {
        namespace: entry.namespace.clone(),
        key: entry.key.clone(),
        version: entry.version,
        excerpt: entry.content.chars().take(EXCERPT_CHARS).collect(),
        chars: entry.content.chars().count() as i64,
        trust: entry.trust,
        updated_at: entry.updated_at,
        expires_at: entry.expires_at,
        unreadable: entry.unreadable.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::index::tests::entry;

    const TEXT: &str = "We keep the connection pool small because every replica opens its own and the database refuses more \
                        connections than it was told to take";

    #[test]
    fn what_says_nearly_the_same_is_grouped_by_namespace() {
        let again = format!("{TEXT}!");
        let longer = format!("Note: {TEXT}");
        let other = "The loom in the attic needs new thread before the winter comes again";
        let all = [
            entry(1, "a", "one", TEXT, &[]),
            entry(2, "a", "two", &again, &[]),
            entry(3, "a", "three", &longer, &[]),
            entry(4, "b", "elsewhere", TEXT, &[]),
            entry(5, "a", "loom", other, &[]),
            entry(6, "a", "short", "yes", &[]),
            Entry { group: Some("talk".to_owned()), ..entry(7, "a", "turn", TEXT, &[]) },
        ];
        let groups = alike(&all, taken_apart(&all).0);
        assert_eq!(groups.len(), 1, "{groups:?}");
        let keys: Vec<&str> = groups[0].entries.iter().map(|entry| entry.key.as_str()).collect();
        assert_eq!(keys, ["one", "two", "three"]);
        assert!((NEARLY_THE_SAME..1.0).contains(&groups[0].likeness), "{}", groups[0].likeness);
    }

    #[test]
    fn a_thousand_copies_are_found_without_comparing_each_with_each() {
        let all: Vec<Entry> = (0..1_000).map(|n| entry(n, "a", &format!("k{n}"), TEXT, &[])).collect();
        let groups = alike(&all, taken_apart(&all).0);
        assert_eq!((groups.len(), groups[0].entries.len()), (1, MOST_ALIKE));
        assert!((groups[0].likeness - 1.0).abs() < 1e-12);
    }
}
