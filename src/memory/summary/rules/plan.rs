//! What a rule would summarize now.

use super::super::{MOST_CHARS, estimate};
use crate::memory::{Error, access, store};
use crate::model::EntryId;
use crate::model::memory::{
    Entry, MAX_FIRING_SUMMARIES, MAX_SUMMARY_SOURCES, Reach, SummaryDraft, SummaryPlan, SummaryRuleDraft, SummarySet,
};
use crate::runtime::Ctx;

/// Groups that are looked for in one firing; there may be more.
const GROUPS: i64 = 100;
/// Characters of a group's name in a key.
const SLUG_CHARS: usize = 40;
const DAY_MS: i64 = 86_400_000;

/// Entries that become one summary.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub namespace: String,
    pub group: Option<String>,
    pub key: String,
    /// Keys of the entries, in the order in which they are read.
    pub keys: Vec<String>,
    pub chars: u64,
}

impl Found {
    /// The summary to be asked for.
    pub fn draft(&self, spec: &SummaryRuleDraft) -> SummaryDraft {
        SummaryDraft {
            namespace: self.namespace.clone(),
            keys: self.keys.clone(),
            model: spec.model.clone(),
            key: Some(self.key.clone()),
            ..SummaryDraft::default()
        }
    }
}

/// What is to be summarized now, at most so many as one firing makes, and how many groups there are beside.
pub(super) async fn find(ctx: &Ctx, spec: &SummaryRuleDraft) -> Result<(Vec<Found>, u32), Error> {
    let reach = access::reading(ctx).await?;
    let now = ctx.clock.now();
    let times = (now, now.plus_ms(-i64::from(spec.older_than_days) * DAY_MS));
    let groups = store::unsummarized_groups(&ctx.db, ctx.workspace(), &reach, spec, times, GROUPS).await?;
    let (mut found, mut left) = (Vec::new(), 0);
    for (namespace, group, _) in groups {
        // Where who wrote the rule may only read, no summary can be kept.
        if !reach.may_write(&namespace) {
            continue;
        }
        if found.len() == MAX_FIRING_SUMMARIES {
            left += 1;
            continue;
        }
        let place = (namespace.as_str(), group.as_str());
        let most = MAX_SUMMARY_SOURCES as i64;
        let ids = store::unsummarized_entries(&ctx.db, ctx.workspace(), place, times, most).await?;
        let entries = read(ctx, &reach, &ids).await?;
        let group = Some(group).filter(|group| !group.is_empty());
        // So few are left where single entries are too long for a summary of several.
        if let Some(set) = set_of(namespace, group, &entries) {
            found.push(set);
        }
    }
    Ok((found, left))
}

async fn read(ctx: &Ctx, reach: &Reach, ids: &[EntryId]) -> Result<Vec<Entry>, Error> {
    let mut entries = Vec::with_capacity(ids.len());
    let now = ctx.clock.now();
    for some in ids.chunks(store::FETCH) {
        let rows = store::fetch(ctx, reach, some).await?;
        // What can't be decrypted is for a person to look at, not for a model.
        entries.extend(rows.into_iter().filter(|row| row.is_findable(now)).filter_map(|row| row.entry().ok()));
    }
    entries.sort_by_key(|entry| ids.iter().position(|id| *id == entry.id));
    Ok(entries)
}

/// As many of the entries as one summary may be made of; `None` where these are fewer than two. Pure.
fn set_of(namespace: String, group: Option<String>, entries: &[Entry]) -> Option<Found> {
    let (mut taken, mut chars) = (Vec::new(), 0);
    for entry in entries {
        let own = entry.content.chars().count();
        if chars + own <= MOST_CHARS {
            chars += own;
            taken.push(entry);
        }
    }
    if taken.len() < 2 {
        return None;
    }
    let mut ids: Vec<EntryId> = taken.iter().map(|entry| entry.id).collect();
    ids.sort_unstable();
    let mut hash = blake3::Hasher::new();
    for id in ids {
        hash.update(id.0.as_bytes());
    }
    // The same entries have the same key, others another one: no summary is written over.
    let key = format!("summary-{}-{}", slug(group.as_deref()), &hash.finalize().to_hex()[..8]);
    let keys = taken.into_iter().map(|entry| entry.key.clone()).collect();
    Some(Found { namespace, group, key, keys, chars: chars as u64 })
}

/// A group's name as part of a key.
fn slug(group: Option<&str>) -> String {
    let plain = |c: char| if c.is_alphanumeric() { c } else { '-' };
    let slug: String = group.unwrap_or("entries").chars().take(SLUG_CHARS).map(plain).collect();
    let slug = slug.trim_matches('-');
    if slug.is_empty() { "group".to_owned() } else { slug.to_owned() }
}

/// What a rule would do, with what each summary would cost.
pub(super) async fn plan(ctx: &Ctx, spec: &SummaryRuleDraft) -> Result<SummaryPlan, Error> {
    let (found, left) = find(ctx, spec).await?;
    let mut plan = SummaryPlan { left, ..SummaryPlan::default() };
    for set in found {
        let estimate = estimate(ctx, &set.draft(spec)).await?;
        let fits = estimate.cost_micros.is_some_and(|cost| plan.cost_micros + cost <= spec.budget_micros);
        if let Some(cost) = estimate.cost_micros.filter(|_| fits) {
            plan.cost_micros += cost;
        }
        plan.refused = plan.refused.or(estimate.refused);
        if plan.refused.is_none() && estimate.cost_micros.is_none() {
            plan.refused = Some(UNPRICED.to_owned());
        }
        plan.model = plan.model.or(estimate.model);
        let Found { namespace, group, key, keys, chars } = set;
        let (entries, cost_micros) = (keys.len() as u32, estimate.cost_micros);
        plan.sets.push(SummarySet { namespace, group, key, entries, chars, cost_micros, fits });
    }
    Ok(plan)
}

/// Why nobody is asked whose price is not known.
pub(super) const UNPRICED: &str = "the model has no price, so no budget can hold";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::index::tests::entry;

    #[test]
    fn the_same_entries_have_the_same_key_and_others_another() {
        let (a, b, c) =
            (entry(1, "t", "a", "one", &[]), entry(2, "t", "b", "two", &[]), entry(3, "t", "c", "three", &[]));
        let key =
            |entries: &[Entry]| set_of("t".to_owned(), Some("Trip to Bath!".to_owned()), entries).expect("two").key;
        let both = key(&[a.clone(), b.clone()]);
        assert!(both.starts_with("summary-Trip-to-Bath-"), "{both}");
        assert_eq!(both, key(&[b.clone(), a.clone()]));
        assert_ne!(both, key(&[a.clone(), c]));
        assert!(set_of("t".to_owned(), None, &[a]).is_none(), "one entry is no group");
    }

    #[test]
    fn what_is_too_long_for_one_summary_is_left_for_another() {
        let long = |id, key| entry(id, "t", key, &"x".repeat(MOST_CHARS - 10), &[]);
        let short = |id, key| entry(id, "t", key, "four", &[]);
        let set =
            set_of("t".to_owned(), None, &[long(1, "a"), long(2, "b"), short(3, "c"), short(4, "d")]).expect("some");
        assert_eq!(set.keys, ["a", "c", "d"]);
        assert!(set.chars <= MOST_CHARS as u64);
    }

    #[test]
    fn a_group_without_letters_has_a_name_too() {
        assert_eq!(
            (slug(None).as_str(), slug(Some("//")).as_str(), slug(Some("a/b")).as_str()),
            ("entries", "group", "a-b")
        );
    }
}
