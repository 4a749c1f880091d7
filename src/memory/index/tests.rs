//! What the index promises, one thing at a time; `twin` holds all of it to a scan.

use serde_json::{Map, Value};
use uuid::Uuid;

use super::*;
use crate::model::auth::Role;
use crate::model::memory::{AccessRule, Allowed, Asker, Reach, Source, Trust};

pub(in crate::memory) const NOW: Timestamp = Timestamp(1_795_248_000_000_000);

pub(in crate::memory) fn entry(number: u128, namespace: &str, key: &str, content: &str, tags: &[&str]) -> Entry {
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
        trust: Trust::User,
        quarantine: None,
        created_at: NOW,
        updated_at: NOW,
        expires_at: None,
        group: None,
        position: None,
        siblings: 0,
        superseded_at: None,
        unreadable: None,
    }
}

pub(super) fn index_of(entries: &[Entry]) -> Index {
    let mut index = Index::default();
    for entry in entries {
        index.put(Analysed::new(entry));
    }
    index
}

fn contents(texts: &[&str]) -> Vec<Entry> {
    texts.iter().enumerate().map(|(at, text)| entry(at as u128, "a", &format!("k{at}"), text, &[])).collect()
}

/// A question for the best `limit`.
pub(super) fn asked(text: &str, filter: Filter, limit: usize) -> Asked {
    Asked { text: text.to_owned(), words: true, vector: None, filter, limit, now: NOW, neighbours: 0, min_score: 0.0 }
}

/// The numbers of the entries found, best first.
fn found(index: &Index, query: &str) -> Vec<u128> {
    index.search(&asked(query, Filter::default(), 100)).hits.iter().map(|hit| hit.id.0.as_u128()).collect()
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
fn a_word_means_the_same_whatever_is_hidden() {
    let open = [entry(1, "open", "a", "quetzals", &[]), entry(2, "open", "b", "a loom in the attic", &[])];
    let hidden = [entry(3, "hidden", "c", "quetza loom", &[]), entry(4, "hidden", "d", "attic", &[])];
    let (read, write) = (Allowed::default(), Allowed::default());
    let rule = AccessRule { path: "hidden".to_owned(), read, write, set_by: None, set_at: NOW };
    let reach = Reach::of(&[rule], Asker { role: Role::Admin, user: None });
    let (alone, all) = (index_of(&open), index_of(&[open.as_slice(), hidden.as_slice()].concat()));
    for query in ["quetza", "\"quetza\"", "loom ", "which loom in which attic is named like the quetza"] {
        let told = |index: &Index| {
            let found = index.search(&asked(query, Filter { reach: reach.clone(), ..Filter::default() }, 100));
            let mut ids: Vec<u128> = found.hits.iter().map(|hit| hit.id.0.as_u128()).collect();
            ids.sort_unstable();
            (ids, found.matched, found.stages.len())
        };
        assert_eq!(told(&all), told(&alone), "{query}");
    }
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
        let found = index.search(&asked("pool", filter, 1));
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
    let found = index.search(&asked("conection pool ", Filter::default(), 10));
    for hit in &found.hits {
        let signals: f64 = hit.signals.iter().sum();
        assert!((hit.score - signals * hit.speaker * hit.recency * hit.importance).abs() < 1e-6);
        let text = hit.signals[Signal::Text as usize];
        let sum: f64 = hit.terms.iter().map(|(_, term)| term.score).sum();
        assert!((text - sum).abs() < 1e-4, "{text} {sum}");
    }
    let best = &found.hits[0];
    assert_eq!((best.id.0.as_u128(), best.ranks[Signal::Text as usize]), (0, 1));
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
    let ask = |index: &Index| queries.map(|query| index.search(&asked(query, Filter::default(), 10)).hits);
    let before = ask(&index);
    index.compact();
    assert_eq!(before, ask(&index));
    assert_eq!(index.slots.len(), 3);
    assert!(index.vocabulary.find("beta").is_some());
}

/// Turns of one conversation, in their order.
fn talk(turns: &[&str]) -> Vec<Entry> {
    let place =
        |(at, entry): (usize, Entry)| Entry { group: Some("talk".to_owned()), position: Some(at as i64), ..entry };
    contents(turns).into_iter().enumerate().map(place).collect()
}

#[test]
fn an_answer_without_the_words_is_found_by_its_question() {
    let mut entries = talk(&["Good morning", "Where did you stay in Lisbon?", "In a small inn.", "Lovely", "Bye"]);
    entries.push(entry(9, "a", "k9", "Good evening", &[]));
    let index = index_of(&entries);
    assert_eq!(
        found(&index, "stay in Lisbon "),
        [1, 2, 0, 3],
        "the question, what follows it, what stands before it, and no more"
    );
    let search = index.search(&asked("stay in Lisbon ", Filter::default(), 10));
    let answer = &search.hits[1];
    let signal = |signal: Signal| (answer.signals[signal as usize], answer.ranks[signal as usize]);
    assert_eq!(signal(Signal::Text), (0.0, 0));
    assert!(signal(Signal::Neighbours).0 > 0.0 && signal(Signal::Neighbours).1 == 1);
    assert!(signal(Signal::Group).0 > 0.0);
    assert!(answer.terms.is_empty());
}

#[test]
fn entries_of_other_groups_and_namespaces_are_no_context() {
    let mut entries = talk(&["Where did you stay in Lisbon?", "In a small inn."]);
    entries[1].namespace = "b".to_owned();
    assert_eq!(found(&index_of(&entries), "stay in Lisbon "), [0]);
    entries[1].namespace = "a".to_owned();
    entries[1].group = Some("another talk".to_owned());
    assert_eq!(found(&index_of(&entries), "stay in Lisbon "), [0]);
}

#[test]
fn what_a_filter_leaves_out_is_no_context_either() {
    let mut entries = talk(&["Where did you stay in Lisbon?", "In a small inn."]);
    entries[1].tags = vec!["kept".to_owned()];
    let index = index_of(&entries);
    let kept = Filter { tags: vec!["kept".to_owned()], ..Filter::default() };
    assert_eq!(index.search(&asked("stay in Lisbon ", kept, 10)).matched, 0);
    index_of(&entries).search(&asked("stay in Lisbon ", Filter::default(), 10));
    assert_eq!(found(&index, "stay in Lisbon "), [0, 1]);
}

#[test]
fn a_conversation_about_the_question_comes_before_a_chance_word() {
    let mut entries = talk(&["the harbour was full", "boats and a harbour", "a harbour for boats", "tea"]);
    entries.push(entry(9, "a", "k9", "the harbour was full", &[]));
    let index = index_of(&entries);
    let hits = index.search(&asked("boats harbour ", Filter::default(), 10)).hits;
    let at = |number: u128| hits.iter().position(|hit| hit.id.0.as_u128() == number).expect("found");
    assert!(at(0) < at(9), "{hits:?}");
}

#[test]
fn the_one_who_is_named_speaks_first() {
    let index = index_of(&talk(&["Ada: I like the sea", "one", "two", "three", "Ben: I like the sea"]));
    assert_eq!(found(&index, "What does Ben like?")[0], 4);
    assert_eq!(found(&index, "What does Ada like?")[0], 0);
    let mut facts = contents(&["I like the sea", "I like the sea"]);
    facts[1].metadata.insert("speaker".to_owned(), "Ben".into());
    let index = index_of(&facts);
    let hits = index.search(&asked("What does Ben like?", Filter::default(), 10)).hits;
    assert_eq!((hits[0].id.0.as_u128(), hits[0].speaker > 1.0, hits[1].speaker), (1, true, 1.0));
}

#[test]
fn words_that_follow_each_other_count_more_than_words_apart() {
    let index = index_of(&contents(&["pool of some other connection", "connection pool of some other"]));
    assert_eq!(found(&index, "connection pool "), [1, 0]);
}

#[test]
fn the_best_passage_lifts_a_long_entry() {
    let filler = |n: usize| (0..n).map(|at| format!("w{}", at % 97)).collect::<Vec<_>>().join(" ");
    let together = format!("{} alpha beta gamma {}", filler(200), filler(200));
    let apart = format!("alpha {} beta {} gamma {}", filler(133), filler(133), filler(134));
    let index = index_of(&contents(&[&apart, &together]));
    let hits = index.search(&asked("gamma alpha beta ", Filter::default(), 10)).hits;
    assert_eq!(hits[0].id.0.as_u128(), 1);
    assert!(hits[0].signals[Signal::Passage as usize] > hits[1].signals[Signal::Passage as usize]);
}

#[test]
fn irregular_forms_meet_each_other() {
    let index = index_of(&contents(&["I bought a boat", "I sold a boat"]));
    assert_eq!(found(&index, "When did she buy it?"), [0]);
}

#[test]
fn metadata_is_searched_and_filtered() {
    let mut entries = contents(&["one", "two", "three"]);
    entries[0].metadata.insert("city".to_owned(), "Lisbon".into());
    entries[1].metadata.insert("year".to_owned(), 2026.into());
    entries[1].source = Source::User { name: "ada".to_owned() };
    entries[2].group = Some("g".to_owned());
    let index = index_of(&entries);
    assert_eq!(found(&index, "lisbon "), [0]);
    let matched = |filter: Filter| index.search(&asked("one two three ", filter, 10)).matched;
    let metadata = |value: Value| Filter { metadata: vec![("year".to_owned(), value)], ..Filter::default() };
    assert_eq!((matched(metadata(2026.into())), matched(metadata("2026".into()))), (1, 0));
    let source = |source: &str| matched(Filter { source: Some(source.to_owned()), ..Filter::default() });
    assert_eq!([source("user"), source("user:ada"), source("user:ben"), source("cli")], [1, 1, 0, 2]);
    assert_eq!(matched(Filter { group: Some("g".to_owned()), ..Filter::default() }), 1);
}

#[test]
fn low_scores_can_be_left_out_and_neighbours_brought() {
    let index = index_of(&talk(&["one", "two", "three pool", "four", "five"]));
    let all = index.search(&Asked { neighbours: 1, ..asked("pool ", Filter::default(), 10) });
    let best = &all.hits[0];
    let ids = |ids: &[EntryId]| ids.iter().map(|id| id.0.as_u128()).collect::<Vec<_>>();
    assert_eq!((ids(&best.before), ids(&best.behind)), (vec![1], vec![3]));
    let bar = all.hits[0].score;
    let few = index.search(&Asked { min_score: bar, ..asked("pool ", Filter::default(), 10) });
    assert_eq!((few.hits.len(), few.matched), (1, all.matched));
}

#[test]
fn a_question_that_nothing_answers_scores_low() {
    let index = index_of(&talk(&["Ada: We sailed to Husum", "Ben: Was the weather good?", "Ada: It rained all week"]));
    let top = |query: &str| index.search(&asked(query, Filter::default(), 1)).hits.first().map_or(0.0, |hit| hit.score);
    assert!(top("Where did Ada sail to?") > 1.5 * top("Which university did Ada attend in Sweden?"));
}

/// An index of contents with a vector each, by the embedder of this number.
fn with_vectors(contents_: &[(&str, [f32; 3])], embedder: EmbedderId) -> Index {
    let texts: Vec<&str> = contents_.iter().map(|(text, _)| *text).collect();
    let mut index = Index::default();
    index.begin_vectors(Some((embedder, 3)));
    for (entry, (text, vector)) in contents(&texts).iter().zip(contents_) {
        // Vectors may come before their entry and after it.
        let packed = Packed { digest: digest(text), codes: pack(&[vector.to_vec()]).expect("a direction") };
        let first = entry.id.0.as_u128() % 2 == 0;
        if first {
            index.put_vectors(entry.id, &packed);
        }
        index.put(Analysed::new(entry));
        if !first {
            index.put_vectors(entry.id, &packed);
        }
    }
    index
}

#[test]
fn a_vector_finds_what_shares_no_word_and_both_together_find_best() {
    let embedder = EmbedderId(Uuid::from_u128(1));
    let all = [
        ("the car is red", [1.0, 0.0, 0.0]),
        ("a fast vehicle", [0.9, 0.1, 0.0]),
        ("the cake is red", [0.0, 1.0, 0.0]),
        ("nothing at all", [0.0, 0.0, 1.0]),
    ];
    let mut index = with_vectors(&all, embedder);
    let question = |embedder, vector: [f32; 3], words| Asked {
        words,
        vector: Question::new(embedder, &vector),
        ..asked("red automobile ", Filter::default(), 10)
    };
    let ids = |index: &Index, asked: &Asked| -> Vec<u128> {
        index.search(asked).hits.iter().map(|hit| hit.id.0.as_u128()).collect()
    };
    let both = question(embedder, [1.0, 0.0, 0.0], true);
    assert_eq!(ids(&index, &both), [0, 1, 2], "both signals, the vector, the word");
    assert_eq!(ids(&index, &question(embedder, [1.0, 0.0, 0.0], false)), [0, 1]);
    let hit = &index.search(&both).hits[1];
    let (cosine, passage) = hit.alike.expect("compared");
    assert!(cosine > 0.99 && passage == 0 && hit.terms.is_empty());
    assert_eq!(hit.ranks[Signal::Vector as usize], 2);
    let other = index.search(&question(EmbedderId(Uuid::from_u128(2)), [1.0, 0.0, 0.0], true));
    assert!(!other.compared && other.hits.len() == 2, "another embedder's numbers say nothing");
    index.compact();
    assert_eq!(ids(&index, &both), [0, 1, 2]);
    index.put(Analysed::new(&entry(1, "a", "k1", "a slow boat", &[])));
    assert_eq!(ids(&index, &both), [0, 2], "its content is another now");
}
