//! The figures of the shipped sets, held; and the figures themselves.

use std::collections::HashMap;

use serde_json::{Map, Value};
use uuid::Uuid;

use super::*;
use crate::memory::index::{Analysed, Asked, Filter, Index};
use crate::model::memory::{Entry, Source, Trust};
use crate::model::{EntryId, Timestamp};

const NOW: Timestamp = Timestamp(1_795_248_000_000_000);

/// Asks the index itself, without a database.
fn ask_index(set: &Set) -> Vec<Ranking> {
    let mut index = Index::default();
    for (number, document) in set.documents.iter().enumerate() {
        let draft = document.draft.clone();
        index.put(Analysed::new(&Entry {
            id: EntryId(Uuid::from_u128(number as u128)),
            namespace: "bench".to_owned(),
            key: document.id.clone(),
            content: draft.content,
            value: Value::Null,
            tags: Vec::new(),
            metadata: draft.metadata,
            importance: 0.5,
            version: 1,
            source: Source::Cli {},
            trust: Trust::User,
            quarantine: None,
            created_at: NOW,
            updated_at: NOW,
            expires_at: None,
            group: draft.group,
            position: draft.position,
            siblings: 0,
            superseded_at: None,
            unreadable: None,
        }));
    }
    let ask = |question: &Question| {
        let found = index.search(&Asked {
            text: question.text.clone(),
            words: true,
            vector: None,
            filter: Filter::default(),
            limit: DEPTH,
            now: NOW,
            neighbours: 0,
            min_score: 0.0,
        });
        let ids = found.hits.iter().map(|hit| set.documents[hit.id.0.as_u128() as usize].id.clone()).collect();
        Ranking { ids, top_score: found.hits.first().map_or(0.0, |hit| hit.score) }
    };
    set.questions.iter().map(ask).collect()
}

fn figures(set: &Set) -> (Quality, Quality) {
    let textbook = Textbook::new(set);
    let baseline: Vec<Ranking> = set.questions.iter().map(|question| textbook.rank(&question.text)).collect();
    (quality(set, &ask_index(set)), quality(set, &baseline))
}

/// The values are in `docs/memory.md`; a change that costs more than a point of a hundred has to say why.
#[test]
fn conversations_are_found_as_well_as_was_measured() {
    let [conversations, _] = Set::shipped();
    let (ours, textbook) = figures(&conversations);
    assert!(ours.recall_10 >= CONVERSATIONS_RECALL_10 - 0.01, "{ours:?}");
    assert!(ours.recall_10 >= textbook.recall_10 + 0.10, "{ours:?} {textbook:?}");
    assert!(ours.ndcg_10 > textbook.ndcg_10, "{ours:?} {textbook:?}");
}

#[test]
fn documents_are_found_no_worse_than_a_textbook_finds_them() {
    let [_, documents] = Set::shipped();
    let (ours, textbook) = figures(&documents);
    assert!(ours.recall_10 >= textbook.recall_10 && ours.ndcg_10 >= textbook.ndcg_10, "{ours:?} {textbook:?}");
}

/// What was measured when the ranking was last changed.
const CONVERSATIONS_RECALL_10: f64 = 0.68;

#[test]
fn every_judgement_of_the_shipped_sets_names_a_document() {
    for set in Set::shipped() {
        let known: Vec<&str> = set.documents.iter().map(|document| document.id.as_str()).collect();
        for question in &set.questions {
            assert!(question.answers.keys().all(|id| known.contains(&id.as_str())), "{} {}", set.name, question.id);
        }
        assert!(set.questions.len() >= 50, "{}", set.name);
    }
}

#[test]
fn figures_are_those_of_the_literature() {
    let answers = HashMap::from([("a".to_owned(), 1), ("b".to_owned(), 1)]);
    let question = Question { id: "q".to_owned(), text: String::new(), answers };
    let ranking =
        |ids: &[&str]| Ranking { ids: ids.iter().map(|id| (*id).to_owned()).collect(), top_score: ids.len() as f64 };
    assert!((recall(&question, &ranking(&["x", "a"]), 5) - 0.5).abs() < 1e-9);
    assert!((ndcg(&question, &ranking(&["a", "b"])) - 1.0).abs() < 1e-9);
    let second_only = (1.0 / 3f64.log2()) / (1.0 + 1.0 / 3f64.log2());
    assert!((ndcg(&question, &ranking(&["x", "a"])) - second_only).abs() < 1e-9);
    assert_eq!(separation(&[2.0, 1.0], &[1.0]), Some(0.75));
    assert_eq!(separation(&[2.0], &[]), None);
    assert!((percentile(&[1.0, 2.0, 3.0, 4.0], 0.5) - 2.0).abs() < 1e-9);
    assert!((percentile(&[1.0, 2.0, 3.0, 4.0], 0.95) - 4.0).abs() < 1e-9);
}

#[test]
fn a_set_reads_as_beir_writes_it() {
    let corpus = r#"{"_id":"d1","title":"Head","text":"Body","metadata":{"group":"g","position":2,"speaker":"Ada"}}"#;
    let queries = "{\"_id\":\"q1\",\"text\":\"one\"}\n{\"_id\":\"q2\",\"text\":\"train\"}\n{\"_id\":\"q3\",\"text\":\"none\",\"metadata\":{\"kind\":\"none\"}}\n";
    let set = Set::parse("x", corpus, queries, &["query-id\tcorpus-id\tscore\nq1\td1\t2\nq2\td1\t0\n"]).expect("reads");
    let draft = &set.documents[0].draft;
    assert_eq!((draft.content.as_str(), draft.group.as_deref(), draft.position), ("Head\n\nBody", Some("g"), Some(2)));
    assert_eq!(draft.metadata, Map::from_iter([("speaker".to_owned(), Value::from("Ada"))]));
    let ids: Vec<&str> = set.questions.iter().map(|question| question.id.as_str()).collect();
    assert_eq!(ids, ["q1", "q3"]);
    assert_eq!(set.questions[0].answers["d1"], 2);
    let wrong = Set::parse("x", corpus, queries, &["head\nq1\td1\n"]);
    assert_eq!(wrong.err().as_deref(), Some("qrels, line 2: expected question, document and judgement"));
}
