//! The index against its brute-force twin, and its figures.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Map, Value};
use uuid::Uuid;

use super::query::{Query, Word};
use super::token::{Kind, tokenize};
use super::vocabulary::weight;
use super::*;
use crate::model::memory::Source;

const NOW: Timestamp = Timestamp(1_795_248_000_000_000);

fn entry(number: u128, namespace: &str, key: &str, content: &str, tags: &[&str]) -> Entry {
    Entry {
        id: EntryId(Uuid::from_u128(number)),
        namespace: namespace.to_owned(),
        key: key.to_owned(),
        content: content.to_owned(),
        value: Value::Null,
        tags: tags.iter().map(|tag| (*tag).to_owned()).collect(),
        metadata: Map::new(),
        importance: 0.5,
        version: 1,
        source: Source::Cli {},
        created_at: NOW,
        updated_at: NOW,
        expires_at: None,
    }
}

fn index_of(entries: &[Entry]) -> Index {
    let mut index = Index::default();
    for entry in entries {
        index.put(Analysed::new(entry));
    }
    index
}

fn contents(texts: &[&str]) -> Vec<Entry> {
    texts.iter().enumerate().map(|(at, text)| entry(at as u128, "a", &format!("k{at}"), text, &[])).collect()
}

/// The numbers of the entries found, best first.
fn found(index: &Index, query: &str) -> Vec<u128> {
    index.search(query, &Filter::default(), 100, NOW).hits.iter().map(|hit| hit.id.0.as_u128()).collect()
}

#[test]
fn the_word_itself_comes_before_its_forms_and_these_before_misspellings() {
    let index = index_of(&contents(&["conections", "the connections", "a connection", "nothing"]));
    assert_eq!(found(&index, "connection "), [2, 1, 0]);
}

#[test]
fn a_misspelt_word_still_finds() {
    let index = index_of(&contents(&["postgres connection pool exhausted", "something else"]));
    for query in ["conection ", "pstgres ", "exhuasted ", "connnection pool ", "konnection "] {
        assert_eq!(found(&index, query), [0], "{query}");
    }
    assert_eq!(found(&index, "zebra "), [] as [u128; 0]);
}

#[test]
fn a_half_typed_last_word_finds() {
    let index = index_of(&contents(&["postgres pool", "mysql pool"]));
    assert_eq!(found(&index, "pool postg"), [0, 1]);
    assert_eq!(found(&index, "postg "), [] as [u128; 0]);
}

#[test]
fn a_phrase_must_stand_as_it_is() {
    let index = index_of(&contents(&["pool of connections", "connection pool", "the maxConnection pool"]));
    assert_eq!(found(&index, "\"connection pool\""), [1, 2]);
    assert_eq!(found(&index, "\"pool connection\""), [] as [u128; 0]);
}

#[test]
fn code_is_found_by_its_parts_and_before_them_by_its_whole() {
    let index = index_of(&contents(&[
        "connections max out",
        "set max_connections = 20",
        "let maxConnections = 20;",
        "src/db/mod.rs",
    ]));
    assert_eq!(found(&index, "max_connections ")[0], 1);
    assert_eq!(found(&index, "maxConnections ")[0], 2);
    assert_eq!(found(&index, "mod.rs "), [3]);
}

#[test]
fn scripts_without_spaces_are_found_by_any_part() {
    let index = index_of(&contents(&["東京都の天気", "大阪の天気"]));
    assert_eq!(found(&index, "東京"), [0]);
    assert_eq!(found(&index, "天"), [1, 0], "the shorter one first");
}

#[test]
fn a_key_counts_more_than_a_tag_and_a_tag_more_than_content() {
    let entries = [
        entry(1, "a", "x", "pool and more words here", &[]),
        entry(2, "a", "y", "and more words here", &["pool"]),
        entry(3, "a", "pool", "and more words here", &[]),
    ];
    assert_eq!(found(&index_of(&entries), "pool"), [3, 2, 1]);
}

#[test]
fn newer_and_more_important_entries_come_first_among_equals() {
    let mut entries = contents(&["same words", "same words", "same words"]);
    entries[1].importance = 1.0;
    entries[2].updated_at = NOW.plus_ms(-90 * 86_400_000);
    assert_eq!(found(&index_of(&entries), "same"), [1, 0, 2]);
}

#[test]
fn filters_hold_before_ranking() {
    let mut entries = [
        entry(1, "code", "a", "pool", &["x"]),
        entry(2, "code/db", "b", "pool", &["x", "y"]),
        entry(3, "codex", "c", "pool", &["y"]),
        entry(4, "code", "d", "pool", &[]),
    ];
    entries[3].expires_at = Some(NOW);
    let index = index_of(&entries);
    let search = |filter: Filter| {
        let found = index.search("pool", &filter, 1, NOW);
        (found.matched, found.hits.first().map(|hit| hit.id.0.as_u128()))
    };
    assert_eq!(search(Filter { namespace: "code".to_owned(), ..Filter::default() }), (2, Some(1)));
    assert_eq!(search(Filter { tags: vec!["y".to_owned()], ..Filter::default() }).0, 2);
    assert_eq!(search(Filter { tags: vec!["unknown".to_owned()], ..Filter::default() }).0, 0);
    assert_eq!(search(Filter { since: Some(NOW.plus_ms(1)), ..Filter::default() }).0, 0);
    assert_eq!(search(Filter { until: Some(NOW), ..Filter::default() }).0, 0);
}

#[test]
fn every_hit_says_what_its_score_is_made_of() {
    let index = index_of(&contents(&["connection pool", "pool party", "pool"]));
    let found = index.search("conection pool ", &Filter::default(), 10, NOW);
    for hit in &found.hits {
        assert!((hit.score - hit.text * hit.recency * hit.importance).abs() < 1e-6);
        let sum: f64 = hit.terms.iter().map(|(_, term)| term.score).sum();
        assert!((hit.text - sum).abs() < 1e-4, "{} {sum}", hit.text);
    }
    let best = &found.hits[0];
    assert_eq!((best.id.0.as_u128(), best.text_rank), (0, 1));
    let (word, met) = &best.terms[0];
    assert_eq!((word.as_str(), met.met.as_str(), met.edits), ("conection", "connection", 1));
}

#[test]
fn what_is_overwritten_or_removed_is_not_found() {
    let mut index = index_of(&contents(&["old words", "other words"]));
    index.put(Analysed::new(&entry(0, "a", "k", "new things", &[])));
    assert_eq!(found(&index, "old "), [] as [u128; 0]);
    assert_eq!(found(&index, "new "), [0]);
    index.remove(EntryId(Uuid::from_u128(1)));
    assert_eq!(found(&index, "words "), [] as [u128; 0]);
    assert_eq!(index.len(), 1);
}

#[test]
fn compacting_changes_no_answer() {
    let mut index = index_of(&contents(&["alpha beta", "beta gamma", "gamma delta maxPool", "delta \"alpha\""]));
    index.remove(EntryId(Uuid::from_u128(1)));
    let queries = ["alpha", "beta ", "gama ", "\"gamma delta\"", "maxpool", "del"];
    let ask = |index: &Index| queries.map(|query| index.search(query, &Filter::default(), 10, NOW));
    let before = ask(&index);
    index.compact();
    assert_eq!(before, ask(&index));
    assert_eq!(index.slots.len(), 3);
    assert!(index.vocabulary.find("beta").is_some());
}

/// One entry's words, counted the slow way.
struct Scanned<'a> {
    entry: &'a Entry,
    order: Vec<String>,
    counts: BTreeMap<String, [u32; FIELDS]>,
    lengths: [u32; FIELDS],
}

fn scan(entry: &Entry) -> Scanned<'_> {
    let mut scanned = Scanned { entry, order: Vec::new(), counts: BTreeMap::new(), lengths: [0; FIELDS] };
    for (field, text) in [entry.content.clone(), entry.key.clone(), entry.tags.join("\n")].iter().enumerate() {
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
fn brute_expansions(word: &Word, held: &BTreeMap<String, u32>) -> BTreeMap<String, f32> {
    let stemmer = rust_stemmers::Stemmer::create(rust_stemmers::Algorithm::English);
    let stem = |text: &str| {
        let plain = text.len() >= 3 && text.bytes().all(|b| b.is_ascii_lowercase());
        plain.then(|| stemmer.stem(text).into_owned())
    };
    let mut weights = BTreeMap::new();
    for text in held.keys() {
        let typed = word.text.chars().count();
        let long_enough = typed >= 2 || word.text.chars().all(fold::is_cjk);
        if *text == word.text {
            weights.insert(text.clone(), weight::EXACT);
        } else if word.exact {
        } else if stem(text).is_some() && stem(text) == stem(&word.text) {
            weights.insert(text.clone(), weight::STEM);
        } else if word.prefix && long_enough && text.starts_with(&word.text) {
            weights.insert(text.clone(), weight::prefix(typed, text.chars().count()));
        }
    }
    let entries: u32 = weights.keys().map(|text| held[text]).sum();
    let wordy = |text: &str| {
        text.chars().all(|c| c.is_alphanumeric() && !fold::is_cjk(c)) && !text.starts_with(char::is_numeric)
    };
    let most = edits::allowed(&word.text);
    if !word.exact && entries <= search::RARE && most > 0 && wordy(&word.text) {
        for text in held.keys().filter(|text| wordy(text)) {
            if let Some(edits) = edits::distance(&word.text, text, most) {
                weights.entry(text.clone()).or_insert(weight::misspelt(edits));
            }
        }
    }
    weights
}

/// The same answer by a scan of everything: ids with their text scores.
fn brute_search(entries: &[Entry], text: &str) -> BTreeMap<u128, f32> {
    let query = Query::parse(text);
    let scanned: Vec<Scanned<'_>> = entries.iter().map(scan).collect();
    let mut held: BTreeMap<String, u32> = BTreeMap::new();
    for word in scanned.iter().flat_map(|s| s.counts.keys()) {
        *held.entry(word.clone()).or_default() += 1;
    }
    let mean =
        |field: usize| scanned.iter().map(|s| s.lengths[field]).sum::<u32>() as f32 / scanned.len().max(1) as f32;
    let averages = [mean(0), mean(1), mean(2)];
    let mut sums: BTreeMap<u128, (f32, u32)> = BTreeMap::new();
    for word in &query.words {
        let weights = brute_expansions(word, &held);
        let frequencies: Vec<(u128, f32)> = scanned
            .iter()
            .filter_map(|s| {
                let sum: f32 = weights
                    .iter()
                    .filter_map(|(text, weight)| {
                        Some(weight * score::frequency(*s.counts.get(text)?, s.lengths, averages))
                    })
                    .sum();
                (sum > 0.0).then_some((s.entry.id.0.as_u128(), sum))
            })
            .collect();
        let rarity = score::rarity(scanned.len() as u32, frequencies.len() as u32);
        for (id, frequency) in &frequencies {
            let sum = sums.entry(*id).or_default();
            sum.0 += score::contribution(rarity, *frequency);
            sum.1 += u32::from(word.counted);
        }
    }
    let phrases_hold = |s: &Scanned<'_>| {
        query.phrases.iter().all(|phrase| s.order.windows(phrase.len()).any(|window| window == phrase.as_slice()))
    };
    let fits = |id: u128| scanned.iter().find(|s| s.entry.id.0.as_u128() == id).is_some_and(phrases_hold);
    sums.into_iter()
        .filter(|(id, (_, counted))| *counted > 0 && fits(*id))
        .map(|(id, (sum, counted))| (id, sum * score::coverage(counted, query.counted())))
        .collect()
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
        texts in prop::collection::vec((text(12), text(3), prop::collection::vec(word(), 0..2)), 0..24),
        removed in prop::collection::vec(0_u128..24, 0..8),
        query in query_text(),
        compact in any::<bool>(),
    ) {
        let mut entries: Vec<Entry> = Vec::new();
        let mut index = Index::default();
        for (at, (content, key, tags)) in texts.into_iter().enumerate() {
            let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
            let entry = entry(at as u128, "a", &key, &content, &tags);
            // Written twice: the second write must leave no trace of the first.
            index.put(Analysed::new(&Entry { content: "pool first".to_owned(), ..entry.clone() }));
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
        let expected = brute_search(&entries, &query);
        let answer = index.search(&query, &Filter::default(), 100, NOW);
        prop_assert_eq!(answer.matched as usize, expected.len());
        prop_assert_eq!(answer.hits.len(), expected.len());
        for hit in &answer.hits {
            let score = expected.get(&hit.id.0.as_u128()).copied().unwrap_or_default();
            prop_assert!((hit.text - f64::from(score)).abs() < 1e-3 * f64::from(score.max(1.0)), "{} {}", hit.text, score);
            let above = expected.values().filter(|other| f64::from(**other) > hit.text * 1.0001).count() as u32;
            prop_assert!(hit.text_rank > above);
        }
        for pair in answer.hits.windows(2) {
            prop_assert!(pair[0].score >= pair[1].score);
        }
    }

    #[test]
    fn no_text_and_no_query_panics(content in ".{0,200}", key in ".{0,20}", query in ".{0,60}") {
        let entry = entry(1, "a", &key, &content, &["x"]);
        let index = index_of(std::slice::from_ref(&entry));
        let answer = index.search(&query, &Filter::default(), 10, NOW);
        let words: Vec<String> = tokenize(&content, 100).into_iter().map(|t| t.text).collect();
        for met in [words, answer.hits.into_iter().flat_map(|hit| hit.met).collect()] {
            let (text, marks) = passage(&content, &met);
            let length = text.chars().count() as u32;
            prop_assert!(length <= 244);
            prop_assert!(marks.iter().all(|(start, end)| start < end && *end <= length));
            prop_assert!(marks.windows(2).all(|pair| pair[0].1 < pair[1].0));
        }
    }
}
