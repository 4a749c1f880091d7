//! Entries in their conversations and documents.

use serde_json::{Map, json};
use weft::memory::file::Record;
use weft::memory::{self, Error, Expect};
use weft::model::memory::{EntryDraft, Search, Source};
use weft::runtime::Ctx;

use super::{draft, found, found_in, put, workspace};

/// Writes the turns of a conversation; the last one first, so that only the positions tell the order.
async fn talk(ctx: &Ctx, group: &str, turns: &[&str]) {
    for (at, turn) in turns.iter().enumerate().rev() {
        let draft = EntryDraft { group: Some(group.to_owned()), position: Some(at as i64), ..draft(turn) };
        memory::put(ctx, "talks", &format!("{group}-{at}"), draft, Expect::Any, Source::Cli {}).await.unwrap();
    }
}

on_both_engines! {
    async fn an_answer_is_found_by_the_question_before_it(site: Site) {
        let ctx = workspace(&site).await;
        put(&ctx, "talks", "elsewhere", "Good evening").await;
        talk(&ctx, "trip", &["Hello", "Where did you stay in Lisbon?", "In a small inn.", "Lovely", "Bye"]).await;
        let keys = found(&ctx, "stay in Lisbon?").await;
        assert_eq!((&keys[..2], keys.len()), (["trip-1".to_owned(), "trip-2".to_owned()].as_slice(), 4), "{keys:?}");
        // Found at once, and gone at once, through its neighbours too.
        memory::delete(&ctx, "talks", "trip-1", Expect::Any).await.unwrap();
        assert!(found(&ctx, "stay in Lisbon?").await.is_empty());
        memory::undelete(&ctx, "talks", "trip-1").await.unwrap();
        assert_eq!(found(&ctx, "stay in Lisbon?").await[..2], ["trip-1", "trip-2"]);
        let entry = memory::get(&ctx, "talks", "trip-1").await.unwrap();
        assert_eq!((entry.group.as_deref(), entry.position), (Some("trip"), Some(1)));
        put(&ctx, "talks", "trip-2", "In a small inn.").await;
        let keys = found(&ctx, "stay in Lisbon?").await;
        assert_eq!(&keys[..2], ["trip-1", "trip-3"], "the entry behind it is another now");
        assert!(!keys.contains(&"trip-2".to_owned()), "written anew without its group");
    }

    async fn a_hit_brings_its_neighbours_and_names_its_signals(site: Site) {
        let ctx = workspace(&site).await;
        talk(&ctx, "trip", &["Hello", "Where did you stay in Lisbon?", &"In an inn. ".repeat(200), "Bye"]).await;
        let search = Search { neighbours: 2, explain: true, ..Search::text("stay in Lisbon?") };
        let result = memory::search(&ctx, &search).await.unwrap();
        let hit = &result.hits[0];
        let near: Vec<(i32, &str)> = hit.neighbours.iter().map(|near| (near.offset, near.key.as_str())).collect();
        assert_eq!(near, [(-1, "trip-0"), (1, "trip-2"), (2, "trip-3")]);
        assert_eq!(hit.neighbours[1].content.chars().count(), 2001, "cut, with a mark");
        let answer = &result.hits[1];
        assert_eq!((answer.entry.key.as_str(), answer.why.text.as_ref()), ("trip-2", None));
        assert_eq!(answer.why.neighbours.as_ref().map(|signal| signal.rank), Some(1));
        let signals = [&answer.why.neighbours, &answer.why.group];
        let sum: f64 = signals.into_iter().flatten().map(|signal| signal.score).sum();
        assert!((answer.score - sum * answer.why.recency * answer.why.importance).abs() < 1e-6);
        let few = found_in(&ctx, Search { min_score: Some(hit.score), ..Search::text("stay in Lisbon?") }).await;
        assert_eq!(few, ["trip-1"]);
    }

    async fn filters_hold_before_ranking_and_lose_nothing(site: Site) {
        let ctx = workspace(&site).await;
        for n in 0..150 {
            put(&ctx, "many", &format!("k{n}"), "pool pool pool").await;
        }
        let one = EntryDraft {
            metadata: Map::from_iter([("city".to_owned(), json!("Lisbon")), ("year".to_owned(), json!(2026))]),
            group: Some("g".to_owned()),
            ..draft("a word about the pool among many other words that make it rank last of all")
        };
        memory::put(&ctx, "many", "one", one, Expect::Any, Source::User { name: "ada".to_owned() }).await.unwrap();
        let found = async |search: Search| found_in(&ctx, Search { limit: 1, ..search }).await;
        let asked = Search::text("pool");
        assert_ne!(found(asked.clone()).await, ["one"]);
        let metadata = |key: &str, value| Map::from_iter([(key.to_owned(), value)]);
        assert_eq!(found(Search { metadata: metadata("city", json!("Lisbon")), ..asked.clone() }).await, ["one"]);
        assert_eq!(found(Search { metadata: metadata("year", json!(2026)), ..asked.clone() }).await, ["one"]);
        assert!(found(Search { metadata: metadata("year", json!(2025)), ..asked.clone() }).await.is_empty());
        assert_eq!(found(Search { source: Some("user:ada".to_owned()), ..asked.clone() }).await, ["one"]);
        assert!(found(Search { source: Some("run".to_owned()), ..asked.clone() }).await.is_empty());
        assert_eq!(found(Search { group: Some("g".to_owned()), ..asked }).await, ["one"]);
    }

    async fn a_long_document_answers_as_one_entry_with_its_best_passage(site: Site) {
        let ctx = workspace(&site).await;
        let filler = |n: usize| (0..n).map(|at| format!("filler{}", at % 50)).collect::<Vec<_>>().join(" ");
        let long = format!("pool {} the replica lag alarm fires at midnight {} alarm", filler(400), filler(400));
        put(&ctx, "docs", "long", &long).await;
        put(&ctx, "docs", "short", "an alarm clock").await;
        let result = memory::search(&ctx, &Search { explain: true, ..Search::text("replica lag alarm?") }).await.unwrap();
        let hit = &result.hits[0];
        assert_eq!(hit.entry.key, "long");
        assert!(hit.snippet.contains("the replica lag alarm fires"), "{}", hit.snippet);
        assert!(hit.why.passage.is_some() && hit.why.pairs.is_some());
    }

    async fn a_place_that_does_not_fit_is_refused_by_field(site: Site) {
        let ctx = workspace(&site).await;
        let refused = async |draft: EntryDraft| {
            let Err(Error::Invalid(fields)) = memory::put(&ctx, "a", "k", draft, Expect::Any, Source::Cli {}).await else {
                panic!("refused")
            };
            fields.into_iter().map(|field| field.pointer).collect::<Vec<_>>()
        };
        assert_eq!(refused(EntryDraft { position: Some(1), ..draft("x") }).await, ["/position"]);
        assert_eq!(refused(EntryDraft { group: Some("a\nb".to_owned()), ..draft("x") }).await, ["/group"]);
        assert_eq!(refused(EntryDraft { group: Some("g".repeat(257)), ..draft("x") }).await, ["/group"]);
    }

    async fn files_carry_the_place_in_the_group(site: Site) {
        let ctx = workspace(&site).await;
        talk(&ctx, "trip", &["Hello"]).await;
        let record = Record::from(memory::get(&ctx, "talks", "trip-0").await.unwrap());
        let read = Record::from_markdown("talks", "trip-0.md", &record.to_markdown()).unwrap();
        assert_eq!((read.draft().group.as_deref(), read.draft().position), (Some("trip"), Some(0)));
        let line: Record = serde_json::from_str(&serde_json::to_string(&record).unwrap()).unwrap();
        assert_eq!(line, record);
    }
}
