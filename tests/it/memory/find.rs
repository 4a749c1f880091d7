//! Searching what was just written, here and in another process.

use weft::memory::{self, Error, Expect};
use weft::model::live::Topic;
use weft::model::memory::{EntryDraft, Search, Source};
use weft::runtime::outbound::Outbound;
use weft::runtime::{Clock, Config, Runtime};

use super::{draft, found, found_in, put, workspace};

on_both_engines! {
    async fn a_write_is_found_by_the_next_search(site: Site) {
        let ctx = workspace(&site).await;
        assert!(found(&ctx, "pool").await.is_empty());
        for n in 0..20 {
            let key = format!("k{n}");
            put(&ctx, "a", &key, &format!("unique{n} pool")).await;
            assert_eq!(found(&ctx, &format!("unique{n} ")).await[0], key);
        }
        put(&ctx, "a", "k3", "nothing of it").await;
        assert!(!found(&ctx, "pool").await.contains(&"k3".to_owned()));
        memory::delete(&ctx, "a", "k4", Expect::Any).await.unwrap();
        assert!(!found(&ctx, "pool").await.contains(&"k4".to_owned()));
        memory::undelete(&ctx, "a", "k4").await.unwrap();
        assert!(found(&ctx, "unique4").await.contains(&"k4".to_owned()));
    }

    async fn another_process_finds_it_too(site: Site) {
        let ctx = workspace(&site).await;
        let other = Runtime::new(
            Config::isolated(site.folder.path()),
            site.runtime.db.clone(),
            Clock::manual(site.runtime.clock.now()),
            site.runtime.keys.clone(),
            Outbound::default(),
        )
        .system(ctx.workspace());
        put(&ctx, "a", "one", "first words").await;
        assert_eq!(found(&other, "words").await, ["one"]);
        put(&ctx, "a", "two", "second words").await;
        put(&other, "a", "three", "third words").await;
        put(&ctx, "a", "one", "changed").await;
        for side in [&ctx, &other] {
            let mut keys = found(side, "words").await;
            keys.sort();
            assert_eq!(keys, ["three", "two"]);
        }
        memory::delete(&other, "a", "two", Expect::Any).await.unwrap();
        assert_eq!(found(&ctx, "words").await, ["three"]);
    }

    async fn writers_at_the_same_time_are_all_found(site: Site) {
        let ctx = workspace(&site).await;
        found(&ctx, "warm").await;
        let keys: Vec<String> = (0..40).map(|n| format!("k{n}")).collect();
        futures::future::join_all(keys.iter().map(|key| put(&ctx, "a", key, "same words"))).await;
        let all = found_in(&ctx, Search { limit: 100, ..Search::text("words") }).await;
        assert_eq!(all.len(), 40);
    }

    async fn a_hit_says_why_and_where(site: Site) {
        let ctx = workspace(&site).await;
        let tagged = EntryDraft { tags: vec!["postgres".to_owned()], ..draft("The connection pool is 20 per replica.") };
        memory::put(&ctx, "code/decisions", "pool-size", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        let search = Search { explain: true, namespace: Some("code".to_owned()), ..Search::text("conection pools postgres ") };
        let result = memory::search(&ctx, &search).await.unwrap();
        let hit = &result.hits[0];
        assert_eq!(hit.snippet, "The connection pool is 20 per replica.");
        assert_eq!(hit.highlights, [(4, 14), (15, 19)]);
        let text = hit.why.text.as_ref().unwrap();
        let pairs = hit.why.pairs.as_ref().map_or(0.0, |pairs| pairs.score);
        let factors = hit.why.speaker * hit.why.recency * hit.why.importance;
        assert!((hit.score - (text.score + pairs) * factors).abs() < 1e-6);
        let explain = result.explain.as_ref().unwrap();
        assert_eq!(explain.filters, ["namespace code and below"]);
        let stages: Vec<&str> = explain.stages.iter().map(|stage| stage.name.as_str()).collect();
        assert_eq!(stages, ["catch_up", "filter", "words", "context", "rank", "reasons", "fetch"]);
        assert!(explain.stages.iter().all(|stage| stage.ms <= result.took_ms));
        assert_eq!((hit.why.terms["conection"].met.as_str(), hit.why.terms["conection"].edits), ("connection", 1));
        assert_eq!((hit.why.terms["pools"].met.as_str(), hit.why.terms["pools"].edits), ("pool", 0));
        assert_eq!((text.rank, result.matched), (1, 1));
    }

    async fn what_expired_is_not_found(site: Site) {
        let ctx = workspace(&site).await;
        let brief = EntryDraft { expires_at: Some(site.runtime.clock.now().plus_ms(1000)), ..draft("brief words") };
        memory::put(&ctx, "a", "k", brief, Expect::Any, Source::Cli {}).await.unwrap();
        assert_eq!(found(&ctx, "brief").await, ["k"]);
        site.runtime.clock.advance_ms(1000);
        assert!(found(&ctx, "brief").await.is_empty());
    }

    async fn a_search_that_does_not_fit_is_refused_by_field(site: Site) {
        let ctx = workspace(&site).await;
        let wrong = Search {
            limit: 0,
            namespace: Some("a b".to_owned()),
            metadata: serde_json::Map::from_iter([("list".to_owned(), serde_json::json!([1]))]),
            source: Some("robot".to_owned()),
            group: Some(String::new()),
            min_score: Some(f64::NAN),
            neighbours: 6,
            ..Search::text("  ")
        };
        let Err(Error::Invalid(fields)) = memory::search(&ctx, &wrong).await else { panic!("refused") };
        let pointers: Vec<&str> = fields.iter().map(|f| f.pointer.as_str()).collect();
        let expected =
            ["/query", "/limit", "/namespace", "/metadata/list", "/source", "/group", "/min_score", "/neighbours"];
        assert_eq!(pointers, expected);
    }

    async fn watchers_are_told_of_writes_and_deletions(site: Site) {
        let ctx = workspace(&site).await;
        let mut changes = site.runtime.events.subscribe();
        put(&ctx, "code/db", "k", "text").await;
        memory::delete(&ctx, "code/db", "k", Expect::Any).await.unwrap();
        for kind in ["entry_written", "entry_deleted"] {
            let change = changes.recv().await.unwrap();
            assert_eq!((change.workspace, change.update.kind.as_str()), (ctx.workspace(), kind));
            assert_eq!(change.update.topic, Topic::Memory("code/db".to_owned()));
            assert_eq!(change.update.data["key"], "k");
        }
    }
}
