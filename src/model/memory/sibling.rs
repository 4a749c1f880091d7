//! Texts of writers who did not see each other: which writes each had seen, and what is kept beside an entry.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use super::{Entry, EntryDraft, Source, Trust};
use crate::model::Timestamp;

/// Actors that one vector names at most; those whose last write is the longest ago are left out. Then a text may count as unseen
/// that was seen, never the other way round: a text's own write is the newest that it names.
const MOST_ACTORS: usize = 32;

/// Which writes somebody has seen: a version vector, with the change number of the last seen write of each actor.
///
/// The writes of one actor follow each other, each having seen the one before. Who writes twice without having read what they
/// wrote is two actors: `cli` and `cli#2`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seen(pub BTreeMap<String, i64>);

/// How two writes stand to each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Precedence {
    /// They are the same.
    Equal,
    /// The other one has seen this one.
    Before,
    /// This one has seen the other.
    After,
    /// Neither has seen the other.
    Concurrent,
}

impl Seen {
    /// Of a write of which nobody knows more than its number: an older program made it.
    pub fn only(change: i64) -> Self {
        Self(BTreeMap::from([("earlier".to_owned(), change)]))
    }

    /// How this stands to another.
    ///
    /// Source: the partial order of version vectors (Parker and others 1983).
    pub fn compare(&self, other: &Self) -> Precedence {
        match (self.is_in(other), other.is_in(self)) {
            (true, true) => Precedence::Equal,
            (true, false) => Precedence::Before,
            (false, true) => Precedence::After,
            (false, false) => Precedence::Concurrent,
        }
    }

    /// Whether who has seen this has seen the other.
    pub fn covers(&self, other: &Self) -> bool {
        matches!(self.compare(other), Precedence::After | Precedence::Equal)
    }

    fn is_in(&self, other: &Self) -> bool {
        self.0.iter().all(|(actor, change)| other.of(actor) >= *change)
    }

    fn of(&self, actor: &str) -> i64 {
        self.0.get(actor).copied().unwrap_or(0)
    }

    /// What somebody has seen who has seen both.
    #[must_use]
    pub fn with(mut self, other: &Self) -> Self {
        for (actor, change) in &other.0 {
            let known = self.0.entry(actor.clone()).or_insert(*change);
            *known = (*known).max(*change);
        }
        self
    }

    /// The vector of a new write by somebody who has seen this. `change` is its number, higher than all before; `beside` are the
    /// vectors of all that stands there, seen or not.
    #[must_use]
    pub fn next(&self, actor: &str, change: i64, beside: &[Self]) -> Self {
        let is_free = |name: &str| beside.iter().all(|other| other.of(name) <= self.of(name));
        let mut name = actor.to_owned();
        let mut number = 2;
        while !is_free(&name) {
            name = format!("{actor}#{number}");
            number += 1;
        }
        let mut next = self.clone();
        next.0.insert(name, change);
        while next.0.len() > MOST_ACTORS {
            let oldest = next.0.iter().min_by_key(|(_, change)| **change).map(|(name, _)| name.clone());
            if let Some(name) = oldest {
                next.0.remove(&name);
            }
        }
        next
    }
}

/// A text that was written without having seen what stood there: kept beside the entry until somebody has merged both.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Sibling {
    /// Its number: what `merges` names.
    pub id: i64,
    /// Text or Markdown.
    pub content: String,
    /// Structured data beside the text.
    pub value: Value,
    /// Sorted, without repeats.
    pub tags: Vec<String>,
    /// Facts about it.
    #[schema(value_type = Object)]
    pub metadata: Map<String, Value>,
    /// 0..=1.
    pub importance: f64,
    /// Who wrote it.
    pub source: Source,
    /// Who its words came from.
    pub trust: Trust,
    /// When the entry would be gone, had this text become it.
    pub expires_at: Option<Timestamp>,
    /// The conversation or document that it was to belong to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// Its place there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub position: Option<i64>,
    /// The version that its writer had read; absent when they had read none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub base: Option<i64>,
    /// Which writes its writer had seen, with its own.
    #[schema(value_type = Object)]
    pub seen: Seen,
    /// When it was written.
    pub at: Timestamp,
    /// The version whose writer had seen it; absent while nobody's has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_version: Option<i64>,
    /// The later sibling whose writer had seen it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merged_by: Option<i64>,
}

impl Sibling {
    /// Whether nobody has merged it.
    pub const fn is_open(&self) -> bool {
        self.merged_version.is_none() && self.merged_by.is_none()
    }

    /// What writes this text over the entry.
    pub fn draft(&self) -> EntryDraft {
        EntryDraft {
            content: self.content.clone(),
            value: self.value.clone(),
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
            importance: Some(self.importance),
            expires_at: self.expires_at,
            group: self.group.clone(),
            position: self.position,
            trust: Some(self.trust),
        }
    }
}

impl Entry {
    /// What writes the same again.
    pub fn draft(&self) -> EntryDraft {
        EntryDraft {
            content: self.content.clone(),
            value: self.value.clone(),
            tags: self.tags.clone(),
            metadata: self.metadata.clone(),
            importance: Some(self.importance),
            expires_at: self.expires_at,
            group: self.group.clone(),
            position: self.position,
            trust: Some(self.trust),
        }
    }
}

/// What becomes of a write that has not seen what stands there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnConflict {
    /// It is refused.
    #[default]
    Refuse,
    /// It is kept beside the entry.
    Sibling,
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn seen(pairs: &[(&str, i64)]) -> Seen {
        Seen(pairs.iter().map(|(actor, change)| ((*actor).to_owned(), *change)).collect())
    }

    #[test]
    fn one_has_seen_the_other_or_neither_has() {
        for (a, b, expected) in [
            (seen(&[]), seen(&[]), Precedence::Equal),
            (seen(&[("mara", 3)]), seen(&[("mara", 3)]), Precedence::Equal),
            (seen(&[]), seen(&[("mara", 3)]), Precedence::Before),
            (seen(&[("mara", 3)]), seen(&[("mara", 4)]), Precedence::Before),
            (seen(&[("mara", 4), ("run", 5)]), seen(&[("mara", 3)]), Precedence::After),
            (seen(&[("mara", 4)]), seen(&[("run", 5)]), Precedence::Concurrent),
            (seen(&[("mara", 4), ("run", 1)]), seen(&[("mara", 3), ("run", 5)]), Precedence::Concurrent),
        ] {
            assert_eq!(a.compare(&b), expected, "{a:?} {b:?}");
        }
    }

    #[test]
    fn who_writes_twice_without_reading_is_two_actors() {
        let read = seen(&[("run", 3)]);
        let one = read.next("run", 4, std::slice::from_ref(&read));
        let other = read.next("run", 5, &[read.clone(), one.clone()]);
        assert_eq!(other, seen(&[("run", 3), ("run#2", 5)]));
        assert_eq!(one.compare(&other), Precedence::Concurrent);
        let both = one.clone().with(&other);
        assert_eq!(both.next("run", 6, &[one, other]), seen(&[("run", 6), ("run#2", 5)]));
    }

    #[test]
    fn a_vector_is_bounded_and_never_forgets_its_own_write() {
        let mut vector = Seen::default();
        for change in 1..100 {
            vector = vector.next(&format!("actor {change}"), change, std::slice::from_ref(&vector));
        }
        assert_eq!((vector.0.len(), vector.of("actor 99"), vector.of("actor 1")), (MOST_ACTORS, 99, 0));
    }

    fn vectors() -> impl Strategy<Value = Seen> {
        prop::collection::btree_map("[a-d]", 1_i64..6, 0..5).prop_map(Seen)
    }

    proptest! {
        #[test]
        fn comparing_the_other_way_round_says_the_opposite(a in vectors(), b in vectors()) {
            let opposite = match a.compare(&b) {
                Precedence::Before => Precedence::After,
                Precedence::After => Precedence::Before,
                same => same,
            };
            prop_assert_eq!(b.compare(&a), opposite);
            prop_assert_eq!(a.compare(&b) == Precedence::Equal, a == b);
        }

        #[test]
        fn who_has_seen_both_has_seen_each_and_no_more(a in vectors(), b in vectors(), c in vectors()) {
            let both = a.clone().with(&b);
            prop_assert!(both.covers(&a) && both.covers(&b));
            prop_assert_eq!(c.covers(&both), c.covers(&a) && c.covers(&b));
            prop_assert_eq!(&both, &b.clone().with(&a));
        }

        /// Writers of two names read some of what was written and write. The vectors say of every two writes what is true.
        #[test]
        fn vectors_tell_exactly_who_had_seen_whom(
            steps in prop::collection::vec((0..2_u8, prop::collection::vec(any::<prop::sample::Index>(), 0..3)), 1..12)
        ) {
            let mut writes: Vec<(Seen, BTreeSet<usize>)> = Vec::new();
            for (at, (actor, reads)) in steps.into_iter().enumerate() {
                let mut view = Seen::default();
                let mut history = BTreeSet::from([at]);
                for read in reads.iter().filter(|_| at > 0) {
                    let (vector, known) = &writes[read.index(at)];
                    view = view.with(vector);
                    history.extend(known);
                }
                let all: Vec<Seen> = writes.iter().map(|(vector, _)| vector.clone()).collect();
                writes.push((view.next(if actor == 0 { "mara" } else { "run" }, at as i64 + 1, &all), history));
            }
            for (one, (a, known)) in writes.iter().enumerate() {
                for (other, (b, theirs)) in writes.iter().enumerate() {
                    let expected = match (theirs.contains(&one), known.contains(&other)) {
                        (true, true) => Precedence::Equal,
                        (true, false) => Precedence::Before,
                        (false, true) => Precedence::After,
                        (false, false) => Precedence::Concurrent,
                    };
                    prop_assert_eq!(a.compare(b), expected, "{} and {}", one, other);
                }
            }
        }
    }
}
