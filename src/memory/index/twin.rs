//! The index against its brute-force twin: the same answer by a scan of everything, written for reading.

use std::collections::BTreeMap;

use proptest::prelude::*;
use uuid::Uuid;

use super::query::{Query, Word};
use super::score::SIGNALS;
use super::tests::{asked, entry, index_of};
use super::token::{Kind, tokenize};
use super::vocabulary::weight;
use super::*;

/// An entry, taken apart again.
struct Scanned<'a> {
    entry: &'a Entry,
    order: Vec<String>,
    counts: BTreeMap<String, [u8; FIELDS]>,
    lengths: [u32; FIELDS],
}

fn scan(entry: &Entry) -> Scanned<'_> {
    let mut scanned = Scanned { entry, order: Vec::new(), counts: BTreeMap::new(), lengths: [0; FIELDS] };
    let fields = [entry.content.clone(), entry.key.clone(), entry.tags.join("\n"), metadata_text(entry)];
    for (field, text) in fields.iter().enumerate() {
        for token in tokenize(text, MAX_TOKENS) {
            scanned.counts.entry(token.text.clone()).or_default()[field] += 1;
            if token.kind != Kind::Whole {
                scanned.lengths[field] += 1;
                scanned.order.push(token.text);
            }
        }
        scanned.order.push("\0".to_owned());
    }
    scanned
}

/// What a word of the query stands for, by looking at every word of every entry.
fn expansions(word: &Word, short: bool, held: &BTreeMap<String, u32>) -> BTreeMap<String, f32> {
    let stemmer = rust_stemmers::Stemmer::create(rust_stemmers::Algorithm::English);
    let stem = |text: &str| {
        let plain = text.len() >= 3 && text.bytes().all(|b| b.is_ascii_lowercase());
        plain.then(|| stemmer.stem(text).into_owned())
    };
    let mut weights = BTreeMap::new();
    for text in held.keys() {
        if *text == word.text {
            weights.insert(text.clone(), weight::EXACT);
        } else if word.exact {
        } else if stem(text).is_some() && stem(text) == stem(&word.text) {
            weights.insert(text.clone(), weight::STEM);
        } else if forms::of(&word.text).contains(&text.as_str()) {
            weights.insert(text.clone(), weight::STEM);
        }
    }
    let known = !weights.is_empty();
    for text in held.keys().filter(|text| word.prefix && !word.exact && text.starts_with(&word.text)) {
        let typed = word.text.chars().count();
        let long_enough = typed >= 2 || word.text.chars().all(fold::is_cjk);
        if long_enough && (short || !known) && !weights.contains_key(text) {
            weights.insert(text.clone(), weight::prefix(typed, text.chars().count()));
        }
    }
    let entries: u32 = weights.keys().map(|text| held[text]).sum();
    let wordy = |text: &str| {
        text.chars().all(|c| c.is_alphanumeric() && !fold::is_cjk(c)) && !text.starts_with(char::is_numeric)
    };
    let most = edits::allowed(&word.text);
    if !word.exact && entries <= if short { search::RARE } else { 0 } && most > 0 && wordy(&word.text) {
        for text in held.keys().filter(|text| wordy(text)) {
            if let Some(edits) = edits::distance(&word.text, text, most) {
                weights.entry(text.clone()).or_insert(weight::misspelt(edits));
            }
        }
    }
    weights
}

/// What a scan says of an entry: its signals (not yet comparable) and the factor of its speaker.
#[derive(Debug, Clone, Copy)]
struct Expected {
    parts: [f32; SIGNALS],
    speaker: f32,
}

/// The same answer by a scan of everything.
fn scan_all(entries: &[Entry], text: &str, tag: Option<&str>) -> (BTreeMap<u128, Expected>, f32) {
    let query = Query::parse(text);
    let short = query.is_short();
    let scanned: Vec<Scanned<'_>> = entries.iter().map(scan).collect();
    let mut held: BTreeMap<String, u32> = BTreeMap::new();
    for word in scanned.iter().flat_map(|s| s.counts.keys()) {
        *held.entry(word.clone()).or_default() += 1;
    }
    let mean =
        |field: usize| scanned.iter().map(|s| s.lengths[field]).sum::<u32>() as f32 / scanned.len().max(1) as f32;
    let averages = [mean(0), mean(1), mean(2), mean(3)];
    let may_be_found = |s: &Scanned<'_>| tag.is_none_or(|tag| s.entry.tags.iter().any(|other| other == tag));
    let clauses: Vec<(&Word, BTreeMap<String, f32>, f32)> = query
        .words
        .iter()
        .map(|word| {
            let weights = expansions(word, short, &held);
            let holding = scanned.iter().filter(|s| weights.keys().any(|text| s.counts.contains_key(text))).count();
            (word, weights, score::rarity(scanned.len() as u32, holding as u32))
        })
        .collect();
    let worth: f32 = clauses.iter().filter(|(word, ..)| word.counted).map(|(.., rarity)| rarity).sum();
    let weighted = |s: &Scanned<'_>, weights: &BTreeMap<String, f32>, of: &dyn Fn([u8; FIELDS]) -> f32| -> f32 {
        weights.iter().filter_map(|(text, weight)| Some(weight * of(*s.counts.get(text)?))).sum()
    };
    let text_of = |s: &Scanned<'_>| {
        let (mut sum, mut share) = (0.0, 0.0);
        for (word, weights, rarity) in &clauses {
            let frequency = weighted(s, weights, &|counts| score::frequency(counts, s.lengths, averages));
            if frequency > 0.0 {
                sum += score::contribution(*rarity, frequency);
                share += if word.counted { rarity / worth } else { 0.0 };
            }
        }
        let sum = if s.entry.group.is_some() && sum > 0.0 { sum * score::coverage(share) } else { sum };
        if may_be_found(s) { sum } else { 0.0 }
    };
    let texts: Vec<f32> = scanned.iter().map(text_of).collect();
    let mut expected = BTreeMap::new();
    for (at, s) in scanned.iter().enumerate() {
        let mut parts = [0.0; SIGNALS];
        parts[Signal::Text as usize] = texts[at];
        let mut members: Vec<usize> = (0..scanned.len())
            .filter(|other| s.entry.group.is_some() && scanned[*other].entry.group == s.entry.group)
            .collect();
        members.sort_by_key(|member| (scanned[*member].entry.position.unwrap_or(i64::MAX), scanned[*member].entry.id));
        if let Some(place) = members.iter().position(|member| *member == at) {
            for (offset, share) in score::NEIGHBOURS {
                let from = place.checked_add_signed(-offset).and_then(|from| members.get(from));
                parts[Signal::Neighbours as usize] += from.map_or(0.0, |from| share * texts[*from]);
            }
            parts[Signal::Group as usize] =
                score::WEIGHTS[Signal::Group as usize] * group_score(&members, &scanned, &clauses, &may_be_found);
        }
        let phrases_hold =
            query.phrases.iter().all(|phrase| s.order.windows(phrase.len()).any(|w| w == phrase.as_slice()));
        let reached = parts[Signal::Text as usize] > 0.0 || parts[Signal::Neighbours as usize] > 0.0;
        if !(reached && phrases_hold && may_be_found(s)) {
            continue;
        }
        let relative = s.lengths[0] as f32 / averages[0].max(1.0);
        parts[Signal::Pairs as usize] = score::WEIGHTS[Signal::Pairs as usize] * pairs(s, relative, &clauses);
        let named = |word: &String| {
            clauses.iter().any(|(_, weights, _)| weights.get(word).is_some_and(|weight| *weight >= weight::STEM))
        };
        let speaker = if speaker(s.entry).iter().any(named) { score::SPEAKER } else { 1.0 };
        expected.insert(s.entry.id.0.as_u128(), Expected { parts, speaker });
    }
    (expected, score::comparable(worth))
}

type Clauses<'a> = [(&'a Word, BTreeMap<String, f32>, f32)];

fn group_score(
    members: &[usize],
    scanned: &[Scanned<'_>],
    clauses: &Clauses<'_>,
    may_be_found: &dyn Fn(&Scanned<'_>) -> bool,
) -> f32 {
    let words = |members: &[usize]| members.iter().map(|member| scanned[*member].lengths[0]).sum::<u32>() as f32;
    let all: Vec<usize> = (0..scanned.len()).filter(|at| scanned[*at].entry.group.is_some()).collect();
    let mut names: Vec<&Option<String>> = all.iter().map(|at| &scanned[*at].entry.group).collect();
    names.sort();
    names.dedup();
    let relative = words(members) / (words(&all) / names.len() as f32).max(1.0);
    let mut sum = 0.0;
    for (_, weights, rarity) in clauses.iter().filter(|(word, ..)| word.counted) {
        let inside = members.iter().map(|member| &scanned[*member]).filter(|s| may_be_found(s));
        let held = inside.flat_map(|s| {
            weights.iter().filter_map(|(text, weight)| Some(weight * score::occurrences(*s.counts.get(text)?)))
        });
        let occurrences: f32 = held.sum();
        sum += score::contribution(*rarity, occurrences / score::norm(relative));
    }
    sum
}

fn pairs(s: &Scanned<'_>, relative: f32, clauses: &Clauses<'_>) -> f32 {
    let holds = |clause: usize, at: usize| clauses[clause].0.counted && clauses[clause].1.contains_key(&s.order[at]);
    let mut sum = 0.0;
    for second in 1..clauses.len() {
        let count = (0..s.order.len())
            .filter(|at| holds(second, *at))
            .filter(|at| {
                // The nearest word before it that is of the first clause, with no gap between.
                let before = (0..*at).rev().take_while(|before| s.order[*before] != "\0");
                before.take(3).any(|before| holds(second - 1, before))
            })
            .count();
        if count > 0 {
            let rarity = clauses[second - 1].2.min(clauses[second].2);
            sum += score::contribution(rarity, count as f32 / score::norm(relative));
        }
    }
    sum
}

/// A word of a small vocabulary with near misses, stems, compounds, marks and other scripts.
fn word() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => "(pool|pools|pooling|connect|connection|conection|connections|the|of|postgres|postgers|replica|replicas)",
        2 => "(maxPool|max_pool|max-pool|src/pool.rs|std::pool|v2|20|2026|naïve|Pool's|東京都|水)",
        1 => "[a-c]{1,9}",
    ]
}

fn text(most: usize) -> impl Strategy<Value = String> {
    prop::collection::vec(word(), 0..most).prop_map(|words| words.join(" "))
}

/// A group and a position in it, or none.
fn place() -> impl Strategy<Value = (Option<String>, Option<i64>)> {
    prop_oneof![
        Just((None, None)),
        ("g[12]", prop::option::of(0_i64..5)).prop_map(|(group, position)| (Some(group), position)),
    ]
}

fn query_text() -> impl Strategy<Value = String> {
    (prop::collection::vec(word(), 0..4), prop::collection::vec(word(), 0..3), any::<bool>()).prop_map(
        |(words, phrase, open)| {
            let phrase = if phrase.is_empty() { String::new() } else { format!("\"{}\" ", phrase.join(" ")) };
            format!("{phrase}{}{}", words.join(" "), if open { "" } else { " " })
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_answers_like_a_scan(
        texts in prop::collection::vec((text(12), text(3), prop::collection::vec(word(), 0..2), place()), 0..24),
        removed in prop::collection::vec(0_u128..24, 0..8),
        query in query_text(),
        compact in any::<bool>(),
        filtered in any::<bool>(),
    ) {
        let mut entries: Vec<Entry> = Vec::new();
        let mut index = Index::default();
        for (at, (content, key, tags, (group, position))) in texts.into_iter().enumerate() {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let entry = Entry { group, position, ..entry(at as u128, "a", &key, &content, &tags) };
            // Written twice: the second write must leave no trace of the first.
            let first = Entry { content: "pool first".to_owned(), group: Some("g1".to_owned()), ..entry.clone() };
            index.put(Analysed::new(&first));
            index.put(Analysed::new(&entry));
            entries.push(entry);
        }
        for id in removed {
            index.remove(EntryId(Uuid::from_u128(id)));
            entries.retain(|entry| entry.id.0.as_u128() != id);
        }
        if compact {
            index.compact();
        }
        let tag = filtered.then_some("pool");
        let (expected, factor) = scan_all(&entries, &query, tag);
        let filter = Filter { tags: tag.iter().map(|tag| (*tag).to_owned()).collect(), ..Filter::default() };
        let answer = index.search(&asked(&query, filter, 100));
        prop_assert_eq!(answer.matched as usize, expected.len());
        prop_assert_eq!(answer.hits.len(), expected.len());
        for hit in &answer.hits {
            let scanned = expected[&hit.id.0.as_u128()];
            for (signal, (found, part)) in hit.signals.iter().zip(scanned.parts).enumerate() {
                let part = f64::from(part * factor);
                prop_assert!((found - part).abs() < 1e-3 * part.max(1.0), "signal {} is {}, not {}", signal, found, part);
                let clearly_above =
                    expected.values().filter(|other| f64::from(other.parts[signal] * factor) > found * 1.0001 + 1e-6);
                let rank = hit.ranks[signal];
                prop_assert!(*found <= 0.0 || rank as usize > clearly_above.count(), "signal {}", signal);
            }
            prop_assert!((hit.speaker - f64::from(scanned.speaker)).abs() < 1e-6);
        }
        for pair in answer.hits.windows(2) {
            prop_assert!(pair[0].score >= pair[1].score);
        }
    }

    #[test]
    fn no_text_and_no_query_panics(content in ".{0,200}", key in ".{0,20}", query in ".{0,60}") {
        let entry = entry(1, "a", &key, &content, &["x"]);
        let index = index_of(std::slice::from_ref(&entry));
        let answer = index.search(&asked(&query, Filter::default(), 10));
        let words: Vec<(String, f32)> = tokenize(&content, 100).into_iter().map(|t| (t.text, 1.0)).collect();
        for met in [words, answer.hits.into_iter().flat_map(|hit| hit.met).collect()] {
            let (text, marks) = passage(&content, &met);
            let length = text.chars().count() as u32;
            prop_assert!(length <= 244);
            prop_assert!(marks.iter().all(|(start, end)| start < end && *end <= length));
            prop_assert!(marks.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
