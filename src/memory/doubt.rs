//! Entries that may contradict each other: nearly the same words, but for a number, a date or a negation. Pure.
//!
//! A text is taken as its shingles with a mark for every number and date and without negations: what is left says what it is about.
//! Two texts that are alike in that, and differ in what was taken out, are candidates, no more: a person decides. What many entries
//! of a namespace have in the same words is a series, such as readings or turns, and nobody's contradiction.

use std::collections::{BTreeSet, HashMap};

use super::health::short;
use super::shingles::{MAX_WORDS, MIN_WORDS, NEARLY_THE_SAME, NEGATIONS, Shingles, WIDTH, digest};
use super::suspect::words;
use crate::model::memory::{Difference, DifferenceKind, Doubtful, Entry};

/// Shingles of an entry by which it meets others.
const SKETCH: usize = 24;
/// Entries that share a shingle, beyond which it is the wording of a series.
const SERIES: usize = 6;
/// Pairs that are told of.
const MOST: usize = 50;
/// Words of a difference that are named.
const MOST_WORDS: usize = 5;
/// What stands in shingles for a number or a date.
const NUMBER: &str = "#";
const DATE: &str = "@";
/// Words that are dates, folded.
const DATES: [&str; 40] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
    "january",
    "february",
    "march",
    "april",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
    "yesterday",
    "today",
    "tomorrow",
    "montag",
    "dienstag",
    "mittwoch",
    "donnerstag",
    "freitag",
    "samstag",
    "sonntag",
    "januar",
    "februar",
    "mai",
    "juni",
    "juli",
    "oktober",
    "dezember",
    "gestern",
    "heute",
    "morgen",
    "spring",
    "autumn",
];

/// A text, ready to be compared for copies and for contradictions: taken apart once for both.
pub(super) fn taken_apart(text: &str) -> (Option<Shingles>, Option<Soft>) {
    let all: Vec<String> = words(text).into_iter().map(|word| word.text).collect();
    let shingles = Shingles::of_words(all.clone());
    let soft = Soft::of(all, shingles.as_ref());
    (shingles, soft)
}

/// A text, ready to be compared.
pub(super) struct Soft {
    /// Ascending, each once.
    digests: Vec<u64>,
    /// What was taken out.
    taken: [BTreeSet<String>; 3],
}

/// What a word is that is taken out of a text.
fn kind_of(word: &str) -> Option<DifferenceKind> {
    if NEGATIONS.contains(&word) {
        return Some(DifferenceKind::Negation);
    }
    if DATES.contains(&word) || is_year(word) {
        return Some(DifferenceKind::Date);
    }
    word.contains(char::is_numeric).then_some(DifferenceKind::Number)
}

/// A year of our time: other numbers of four digits are rarer in what people write down.
fn is_year(word: &str) -> bool {
    word.len() == 4 && word.parse::<u32>().is_ok_and(|year| (1900..2100).contains(&year))
}

impl Soft {
    fn of(all: Vec<String>, shingles: Option<&Shingles>) -> Option<Self> {
        let mut taken: [BTreeSet<String>; 3] = Default::default();
        let mut left = Vec::new();
        if !(MIN_WORDS..=MAX_WORDS).contains(&all.len()) {
            return None;
        }
        if let Some(shingles) = shingles.filter(|_| all.iter().all(|word| kind_of(word).is_none())) {
            // Nothing is taken out: they are the same ones.
            return Some(Self { digests: shingles.digests().to_vec(), taken });
        }
        for word in all {
            match kind_of(&word) {
                Some(kind) => {
                    match kind {
                        DifferenceKind::Number => left.push(NUMBER.to_owned()),
                        DifferenceKind::Date => left.push(DATE.to_owned()),
                        DifferenceKind::Negation => {}
                    }
                    taken[kind as usize].insert(word);
                }
                None => left.push(word),
            }
        }
        let mut digests: Vec<u64> = left.windows(WIDTH).map(digest).collect();
        digests.sort_unstable();
        digests.dedup();
        (!digests.is_empty()).then_some(Self { digests, taken })
    }

    fn likeness(&self, other: &Self) -> f64 {
        let common = self.digests.iter().filter(|digest| other.digests.binary_search(digest).is_ok()).count();
        common as f64 / (self.digests.len() + other.digests.len() - common) as f64
    }

    /// What this one, the newer, and the older differ in.
    fn differences(&self, older: &Self) -> Vec<Difference> {
        let only = |one: &BTreeSet<String>, other: &BTreeSet<String>| -> Vec<String> {
            one.difference(other).take(MOST_WORDS).cloned().collect()
        };
        [DifferenceKind::Number, DifferenceKind::Date, DifferenceKind::Negation]
            .into_iter()
            .map(|kind| {
                let (newer, older) = (&self.taken[kind as usize], &older.taken[kind as usize]);
                Difference { kind, newer: only(newer, older), older: only(older, newer) }
            })
            .filter(|difference| !difference.newer.is_empty() || !difference.older.is_empty())
            .collect()
    }
}

/// The pairs that may contradict each other, the most alike first, of entries that come changed last first, without those of which
/// `is_settled` says that somebody has decided.
pub(super) fn doubtful(soft: Vec<(&Entry, Soft)>, is_settled: impl Fn(&Entry, &Entry) -> bool) -> Vec<Doubtful> {
    let mut meeting: HashMap<(&str, u64), Vec<usize>> = HashMap::new();
    for (at, (entry, soft)) in soft.iter().enumerate() {
        for digest in soft.digests.iter().take(SKETCH) {
            meeting.entry((entry.namespace.as_str(), *digest)).or_default().push(at);
        }
    }
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for places in meeting.values().filter(|places| places.len() <= SERIES) {
        for (n, a) in places.iter().enumerate() {
            pairs.extend(places[n + 1..].iter().map(|b| (*a, *b)));
        }
    }
    pairs.sort_unstable();
    pairs.dedup();
    let mut found: Vec<Doubtful> = pairs
        .into_iter()
        .filter_map(|(a, b)| {
            let ((newer, one), (older, other)) = (&soft[a], &soft[b]);
            let likeness = one.likeness(other);
            if likeness < NEARLY_THE_SAME || newer.value != older.value || is_settled(newer, older) {
                return None;
            }
            let differs = one.differences(other);
            (!differs.is_empty()).then(|| Doubtful { likeness, differs, newer: short(newer), older: short(older) })
        })
        .collect();
    // The sort is stable: of those that are as alike the ones that changed last come first.
    found.sort_by(|a, b| b.likeness.total_cmp(&a.likeness));
    found.truncate(MOST);
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::index::tests::entry;

    fn pairs(texts: &[&str]) -> Vec<Doubtful> {
        let all: Vec<Entry> =
            texts.iter().enumerate().map(|(n, text)| entry(n as u128, "a", &format!("k{n}"), text, &[])).collect();
        doubtful_of(&all, |_, _| false)
    }

    fn doubtful_of(all: &[Entry], is_settled: impl Fn(&Entry, &Entry) -> bool) -> Vec<Doubtful> {
        let soft = all.iter().filter_map(|entry| Some((entry, taken_apart(&entry.content).1?))).collect();
        doubtful(soft, is_settled)
    }

    fn said(words: &[&str]) -> Vec<String> {
        words.iter().map(|word| (*word).to_owned()).collect()
    }

    #[test]
    fn a_number_a_date_and_a_negation_make_two_texts_doubtful() {
        for (newer, older, kind, one, other) in [
            (
                "The loom in the attic has 24 shafts",
                "The loom in the attic has 20 shafts",
                DifferenceKind::Number,
                &["24"][..],
                &["20"][..],
            ),
            (
                "We release every week on Monday morning",
                "We release every week on Friday morning",
                DifferenceKind::Date,
                &["monday"][..],
                &["friday"][..],
            ),
            (
                "The contract with the mill ends in 2027",
                "The contract with the mill ends in 2026",
                DifferenceKind::Date,
                &["2027"][..],
                &["2026"][..],
            ),
            (
                "The gate is never locked at night here",
                "The gate is locked at night here",
                DifferenceKind::Negation,
                &["never"][..],
                &[][..],
            ),
        ] {
            let found = pairs(&[newer, older]);
            assert_eq!(found.len(), 1, "{newer}");
            assert_eq!((found[0].newer.key.as_str(), found[0].older.key.as_str()), ("k0", "k1"));
            assert_eq!(found[0].differs, [Difference { kind, newer: said(one), older: said(other) }]);
        }
    }

    #[test]
    fn what_says_the_same_or_something_else_is_not_doubtful() {
        let text = "The loom in the attic has 20 shafts";
        assert!(pairs(&[text, text]).is_empty(), "a copy");
        assert!(pairs(&[text, "The soup in the kitchen needs 40 minutes"]).is_empty());
        assert!(pairs(&["It is 20", "It is 24"]).is_empty(), "too short");
        let elsewhere =
            [entry(1, "a", "one", text, &[]), entry(2, "b", "two", "The loom in the attic has 24 shafts", &[])];
        assert!(doubtful_of(&elsewhere, |_, _| false).is_empty(), "another namespace is about something else");
        let settled =
            [entry(1, "a", "one", text, &[]), entry(2, "a", "two", "The loom in the attic has 24 shafts", &[])];
        assert_eq!(doubtful_of(&settled, |_, _| false).len(), 1);
        assert!(doubtful_of(&settled, |_, _| true).is_empty(), "somebody has decided");
    }

    #[test]
    fn a_series_is_no_contradiction() {
        let texts: Vec<String> =
            (0..40).map(|n| format!("The sensor in the attic measured {n} degrees today")).collect();
        let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        assert!(pairs(&texts).is_empty());
        assert_eq!(pairs(&texts[..2]).len(), 1);
    }
}
