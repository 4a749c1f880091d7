//! Entries found by what they mean, by a model of this machine: no provider, no call in the log.

use std::path::PathBuf;

use weft::gateway;
use weft::memory::{self, Error};
use weft::model::PageRequest;
use weft::model::auth::Role;
use weft::model::gateway::CallFilter;
use weft::model::memory::{EmbedTrial, EmbedderDraft, EmbedderState, Search, SearchMode};
use weft::runtime::Ctx;

use super::meaning::set;
use super::{as_role, found, put, tiny, workspace};
use crate::support::Site;

/// A workspace, and the folder of models.
async fn ready(site: &Site) -> (Ctx, PathBuf) {
    let ctx = workspace(site).await;
    let shelf = ctx.config.embedders.clone();
    assert!(shelf.starts_with(site.folder.path()), "of the data directory");
    tiny::write(&shelf.join("tiny"));
    (ctx, shelf)
}

fn draft(model: &str) -> EmbedderDraft {
    EmbedderDraft { model: Some(model.to_owned()), anew: false }
}

/// Why a model can't be set.
async fn refused(ctx: &Ctx, model: &str) -> String {
    match memory::set_embedder(ctx, draft(model)).await {
        Err(Error::Invalid(fields)) => format!("{}: {}", fields[0].pointer, fields[0].message),
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn an_entry_is_found_by_what_it_means_and_nobody_is_asked(site: Site) {
        let (ctx, _) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        put(&ctx, "life", "food", "She baked a cake").await;
        put(&ctx, "life", "rest", "Nothing happened today").await;
        let serving = set(&ctx, "local/tiny").await.serving.unwrap();
        assert_eq!((serving.model.as_str(), serving.dimensions), ("local/tiny", 8));
        assert_eq!(memory::embed_pending(ctx.runtime()).await.unwrap().embedded, 3);
        let search = Search { mode: SearchMode::Hybrid, explain: true, ..Search::text("automobile") };
        let result = memory::search(&ctx, &search).await.unwrap();
        let keys: Vec<&str> = result.hits.iter().map(|hit| hit.entry.key.as_str()).collect();
        assert_eq!((keys, result.degraded), (vec!["ride"], None));
        let why = &result.hits[0].why;
        assert!(why.text.is_none() && why.cosine.unwrap() > 0.99, "{why:?}");
        assert_eq!(why.vector.as_ref().unwrap().rank, 1);
        assert_eq!(found(&ctx, "pastry").await, ["food"]);
        let report = memory::get_embedder(&ctx).await.unwrap();
        assert_eq!(report.serving.unwrap().state, EmbedderState::Whole);
        let calls = gateway::list_calls(&ctx, &CallFilter::default(), &PageRequest::default()).await.unwrap();
        assert!(calls.items.is_empty(), "{:?}", calls.items);
    }

    async fn many_entries_are_embedded_in_the_background_while_questions_are_answered(site: Site) {
        let (ctx, _) = ready(&site).await;
        for n in 0..40 {
            put(&ctx, "many", &format!("k{n}"), &format!("{}a car {n}", "word ".repeat(150 * (n % 3)))).await;
        }
        set(&ctx, "local/tiny").await;
        let (round, tried) = tokio::join!(
            memory::embed_pending(ctx.runtime()),
            memory::try_embedder(&ctx, EmbedTrial { model: None, text: "a cake".to_owned() }),
        );
        assert_eq!(round.unwrap().embedded, 40);
        let tried = tried.unwrap();
        assert_eq!((tried.model.as_str(), tried.dimensions), ("local/tiny", 8));
        let serving = memory::get_embedder(&ctx).await.unwrap().serving.unwrap();
        assert_eq!((serving.state, serving.embedded), (EmbedderState::Whole, 40));
    }

    async fn a_folder_that_does_not_fit_is_refused_with_its_file_and_listed_with_the_reason(site: Site) {
        let (ctx, shelf) = ready(&site).await;
        assert!(refused(&ctx, "local/absent").await.starts_with("/model: a trial failed: the model local/absent can't be used"));
        assert!(refused(&ctx, "local/../tiny").await.contains("expected a name of at most 100 letters"));
        tiny::write(&shelf.join("short"));
        std::fs::write(shelf.join("short/vocab.txt"), "car\ncake").unwrap();
        assert!(refused(&ctx, "local/short").await.contains("vocab.txt: expected a token [CLS]"));
        tiny::write(&shelf.join("wrong"));
        let config = std::fs::read_to_string(shelf.join("wrong/config.json")).unwrap();
        std::fs::write(shelf.join("wrong/config.json"), config.replace("\"hidden_size\":8", "\"hidden_size\":16")).unwrap();
        assert!(refused(&ctx, "local/wrong").await.contains("expected the shape [10, 16] by config.json, found [10, 8]"));
        let listed = memory::list_local_models(&ctx).await.unwrap();
        let told: Vec<(&str, bool)> = listed.iter().map(|model| (model.model.as_str(), model.problem.is_some())).collect();
        assert_eq!(told, [("local/short", false), ("local/tiny", false), ("local/wrong", true)]);

        // What serves and is gone is waited for, with the reason; words count meanwhile.
        put(&ctx, "life", "ride", "We bought a new car").await;
        tiny::write(&shelf.join("later"));
        set(&ctx, "local/later").await;
        std::fs::rename(shelf.join("later"), shelf.join("gone")).unwrap();
        assert_eq!(memory::embed_pending(ctx.runtime()).await.unwrap().embedded, 1, "it is in memory");
        // Two others take its place there.
        for name in ["local/tiny", "local/gone"] {
            let trial = EmbedTrial { model: Some(name.to_owned()), text: "a car".to_owned() };
            memory::try_embedder(&ctx, trial).await.unwrap();
        }
        put(&ctx, "life", "food", "She baked a cake").await;
        assert_eq!(memory::embed_pending(ctx.runtime()).await.unwrap().embedded, 0);
        let serving = memory::get_embedder(&ctx).await.unwrap().serving.unwrap();
        assert_eq!(serving.state, EmbedderState::Paused);
        assert!(serving.paused.unwrap().contains("there is no folder later"));
        assert_eq!(found(&ctx, "baked").await, ["food"]);
        std::fs::rename(shelf.join("gone"), shelf.join("later")).unwrap();
        ctx.clock.advance_ms(600_000);
        assert_eq!(memory::embed_pending(ctx.runtime()).await.unwrap().embedded, 1);
    }

    async fn only_who_administers_sees_and_tries_models_of_this_machine(site: Site) {
        let (ctx, _) = ready(&site).await;
        let builder = as_role(&ctx, Role::Builder);
        let trial = |model: Option<&str>, text: &str| EmbedTrial { model: model.map(str::to_owned), text: text.to_owned() };
        assert!(matches!(memory::list_local_models(&builder).await, Err(Error::Denied(_))));
        let tried = memory::try_embedder(&builder, trial(Some("local/tiny"), "a car")).await;
        assert!(matches!(tried, Err(Error::Denied(_))));
        for (model, text, pointer) in [
            (None, "a car", "/model"),
            (Some("local/tiny"), " ", "/text"),
            (Some("local/tiny"), &*"x".repeat(1001), "/text"),
            (Some("a\nb"), "a car", "/model"),
            (Some("acme/vec"), "a car", "/model"),
        ] {
            match memory::try_embedder(&ctx, trial(model, text)).await {
                Err(Error::Invalid(fields)) => assert_eq!(fields[0].pointer, pointer, "{fields:?}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
