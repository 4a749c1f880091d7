//! Entries found by what they mean: vectors made in the background, paid once, and compared by searches.

use serde_json::json;
use weft::gateway;
use weft::memory::{self, Error, Expect};
use weft::model::PageRequest;
use weft::model::auth::Role;
use weft::model::gateway::{BudgetDraft, CallFilter, CallSource, PriceDraft};
use weft::model::memory::{EmbedderDraft, EmbedderState, EntryDraft, Search, SearchMode, SearchResult, Source};
use weft::runtime::{Actor, Ctx, Principal};
use weft::{read, within};

use super::meaning::{Meaning, elsewhere, reaching, set};
use super::{as_role, draft, found, found_in, put, workspace};
use crate::support::Site;

/// A workspace with a provider of vectors, by the site's clock.
async fn ready(site: &Site) -> (Ctx, Meaning) {
    let id = workspace(site).await.workspace();
    let ctx = reaching(site, site.runtime.clock.clone()).system(id);
    let server = Meaning::start().await;
    server.provide(&ctx).await;
    (ctx, server)
}

async fn embed(ctx: &Ctx) -> memory::Round {
    memory::embed_pending(ctx.runtime()).await.unwrap()
}

async fn search(ctx: &Ctx, query: &str, mode: SearchMode) -> SearchResult {
    memory::search(ctx, &Search { mode, explain: true, ..Search::text(query) }).await.unwrap()
}

fn keys(result: &SearchResult) -> Vec<&str> {
    result.hits.iter().map(|hit| hit.entry.key.as_str()).collect()
}

on_both_engines! {
    async fn an_entry_is_found_by_what_it_means(site: Site) {
        let (ctx, server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        put(&ctx, "life", "food", "She baked a cake").await;
        put(&ctx, "life", "rest", "Nothing happened today").await;
        let asked = "automobile";
        assert!(found(&ctx, asked).await.is_empty(), "no word of it stands there");
        let report = set(&ctx, "acme/vec").await;
        let serving = report.serving.unwrap();
        assert_eq!((serving.state, serving.dimensions, serving.embedded, report.entries), (EmbedderState::Working, 32, 0, 3));
        let early = search(&ctx, asked, SearchMode::Hybrid).await;
        assert!(early.hits.is_empty() && early.degraded.unwrap().contains("no entry has a vector yet"));

        assert_eq!((embed(&ctx).await.embedded, embed(&ctx).await.embedded), (3, 0));
        let result = search(&ctx, asked, SearchMode::Hybrid).await;
        assert_eq!((keys(&result), result.degraded.as_deref()), (vec!["ride"], None));
        let why = &result.hits[0].why;
        assert!(why.text.is_none() && why.cosine.unwrap() > 0.9, "{why:?}");
        let vector = why.vector.as_ref().unwrap();
        assert_eq!(vector.rank, 1);
        assert!((result.hits[0].score - vector.score * why.recency * why.importance).abs() < 1e-6);
        assert_eq!(result.hits[0].snippet, "We bought a new car");
        assert!(found_in(&ctx, Search { mode: SearchMode::Text, ..Search::text(asked) }).await.is_empty());
        let other = Search { namespace: Some("elsewhere".to_owned()), ..Search::text(asked) };
        assert!(found_in(&ctx, other).await.is_empty(), "filters hold for vectors too");
        assert_eq!(keys(&search(&ctx, "bought cake", SearchMode::Hybrid).await)[0], "food");
        assert_eq!(keys(&search(&ctx, "bought dessert", SearchMode::Vector).await), ["food"], "words do not count");

        // Written anew it is found by its words at once, and by its old meaning no more.
        put(&ctx, "life", "ride", "We bought a bicycle").await;
        assert_eq!(found(&ctx, "bicycle").await, ["ride"]);
        assert!(found(&ctx, asked).await.is_empty());
        put(&ctx, "life", "rest", "The automobile broke down").await;
        embed(&ctx).await;
        assert_eq!(keys(&search(&ctx, "vehicle", SearchMode::Hybrid).await), ["rest"]);
        memory::delete(&ctx, "life", "rest", Expect::Any).await.unwrap();
        assert!(found(&ctx, "vehicle").await.is_empty());
        memory::undelete(&ctx, "life", "rest").await.unwrap();
        embed(&ctx).await;
        assert_eq!(found(&ctx, "vehicle").await, ["rest"]);
        let questions = server.texts().iter().filter(|text| *text == asked).count();
        assert_eq!(questions, 1, "a question is embedded once");
    }

    async fn another_process_finds_the_same_and_nobody_pays_twice(site: Site) {
        let (ctx, server) = ready(&site).await;
        set(&ctx, "vec").await;
        for n in 0..70 {
            put(&ctx, "many", &format!("k{n}"), &format!("car number {n}")).await;
        }
        let other = elsewhere(&site, &ctx);
        // A SQLite file has one process.
        let one_only = async { if ctx.db.is_shared() { embed(&other).await } else { memory::Round::default() } };
        let (one, two) = tokio::join!(embed(&ctx), one_only);
        let rest = embed(&ctx).await.embedded + embed(&other).await.embedded;
        assert_eq!(one.embedded + two.embedded + rest, 70);
        assert_eq!(server.texts().len(), 70);
        for ctx in [&ctx, &other] {
            let search = Search { limit: 100, ..Search::text("automobile") };
            assert_eq!(memory::search(ctx, &search).await.unwrap().hits.len(), 70);
        }
        // What the other process embeds later is found here.
        put(&other, "many", "late", "a vehicle").await;
        embed(&other).await;
        let late = Search { mode: SearchMode::Vector, limit: 100, ..Search::text("automobile") };
        assert!(found_in(&ctx, late).await.contains(&"late".to_owned()));
    }

    async fn tags_are_changed_without_paying_again(site: Site) {
        let (ctx, server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        put(&ctx, "life", "empty", "").await;
        set(&ctx, "vec").await;
        embed(&ctx).await;
        let tagged = EntryDraft { tags: vec!["travel".to_owned()], ..draft("We bought a new car") };
        memory::put(&ctx, "life", "ride", tagged, Expect::Any, Source::Cli {}).await.unwrap();
        assert_eq!(embed(&ctx).await.embedded, 0);
        assert_eq!(server.texts().len(), 1);
        assert_eq!(found(&ctx, "automobile").await, ["ride"]);
        let serving = memory::get_embedder(&ctx).await.unwrap().serving.unwrap();
        assert_eq!((serving.state, serving.embedded), (EmbedderState::Whole, 2));
    }

    async fn a_long_document_is_found_by_any_of_its_passages(site: Site) {
        let (ctx, _server) = ready(&site).await;
        let filler = |n: usize| "word ".repeat(n);
        put(&ctx, "docs", "long", &format!("{}the physician came at noon {}", filler(400), filler(400))).await;
        set(&ctx, "vec").await;
        embed(&ctx).await;
        let result = search(&ctx, "doctor", SearchMode::Hybrid).await;
        assert_eq!(keys(&result), ["long"]);
        let passage = &result.hits[0].snippet;
        assert!(passage.chars().count() <= 242, "{passage}");
    }

    async fn what_a_model_refuses_is_given_up_with_its_reason_and_the_rest_goes_on(site: Site) {
        let (ctx, server) = ready(&site).await;
        server.manner.lock().unwrap().refuses = Some("poison");
        put(&ctx, "life", "bad", "poison").await;
        put(&ctx, "life", "good", "a car").await;
        set(&ctx, "vec").await;
        let round = embed(&ctx).await;
        assert_eq!((round.embedded, round.refused), (1, 1));
        assert_eq!(found(&ctx, "automobile").await, ["good"]);
        for _ in 0..5 {
            ctx.clock.advance_ms(3_600_000);
            embed(&ctx).await;
        }
        let report = memory::get_embedder(&ctx).await.unwrap();
        let serving = report.serving.unwrap();
        assert_eq!((serving.given_up, serving.state), (1, EmbedderState::Whole));
        assert_eq!((report.failures[0].key.as_str(), report.failures[0].retry_at), ("bad", None));
        assert!(report.failures[0].reason.contains("can't be embedded"), "{}", report.failures[0].reason);
        let tries = server.texts().iter().filter(|text| *text == "poison").count();
        assert_eq!(tries, 4, "once beside the other, and three times by itself");
        put(&ctx, "life", "bad", "a physician").await;
        embed(&ctx).await;
        assert_eq!(found(&ctx, "doctor").await, ["bad"]);
    }

    async fn who_does_not_answer_is_waited_for_and_searches_say_so(site: Site) {
        let (ctx, server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        set(&ctx, "vec").await;
        server.manner.lock().unwrap().is_down = true;
        let round = embed(&ctx).await;
        assert_eq!((round.embedded, round.next), (0, Some(ctx.clock.now().plus_ms(5_000))));
        let serving = memory::get_embedder(&ctx).await.unwrap().serving.unwrap();
        assert_eq!(serving.state, EmbedderState::Paused);
        assert!(serving.paused.unwrap().contains("out for lunch"));
        let asked = server.texts().len();
        embed(&ctx).await;
        assert_eq!(server.texts().len(), asked, "not before its time");
        let result = search(&ctx, "bought automobile", SearchMode::Hybrid).await;
        assert_eq!(keys(&result), ["ride"], "by its words");
        assert!(result.degraded.unwrap().contains("out for lunch"));

        server.manner.lock().unwrap().is_down = false;
        // Past the pause, and past what the gateway's breaker rests.
        ctx.clock.advance_ms(120_000);
        assert_eq!(embed(&ctx).await.embedded, 1);
        ctx.clock.advance_ms(120_000);
        let result = search(&ctx, "automobile", SearchMode::Hybrid).await;
        assert_eq!((keys(&result), result.degraded.as_deref()), (vec!["ride"], None));
        assert_eq!(memory::get_embedder(&ctx).await.unwrap().serving.unwrap().state, EmbedderState::Whole);
    }

    async fn another_model_takes_over_once_it_is_whole(site: Site) {
        let (ctx, server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        set(&ctx, "vec").await;
        embed(&ctx).await;
        let before = memory::get_embedder(&ctx).await.unwrap().serving.unwrap().id;
        server.manner.lock().unwrap().more = 4;
        let report = set(&ctx, "other").await;
        assert_eq!(report.serving.unwrap().id, before);
        assert_eq!(report.building.unwrap().dimensions, 36);
        server.manner.lock().unwrap().more = 0;
        assert_eq!(found(&ctx, "automobile").await, ["ride"], "the old one serves");
        server.manner.lock().unwrap().more = 4;
        embed(&ctx).await;
        let report = memory::get_embedder(&ctx).await.unwrap();
        assert_eq!((report.serving.as_ref().unwrap().model.as_str(), &report.building), ("other", &None));
        assert_eq!(found(&ctx, "vehicle").await, ["ride"]);
        // A model that answers otherwise than it was set says so.
        server.manner.lock().unwrap().more = 5;
        put(&ctx, "life", "ill", "The doctor came").await;
        embed(&ctx).await;
        let why = memory::get_embedder(&ctx).await.unwrap().serving.unwrap().paused.unwrap();
        assert!(why.contains("vectors of 37 numbers now, not of 36"), "{why}");
        let none = memory::set_embedder(&ctx, EmbedderDraft::default()).await.unwrap();
        assert_eq!((none.serving, none.building), (None, None));
        assert!(found(&ctx, "automobile").await.is_empty());
        assert!(matches!(
            memory::search(&ctx, &Search { mode: SearchMode::Vector, ..Search::text("car") }).await,
            Err(Error::Invalid(fields)) if fields[0].pointer == "/mode"
        ));
    }

    async fn a_model_is_tried_and_only_who_administers_sets_it(site: Site) {
        let (ctx, server) = ready(&site).await;
        let draft = |model: &str| EmbedderDraft { model: Some(model.to_owned()), anew: false };
        let refused = async |model: &str| match memory::set_embedder(&ctx, draft(model)).await {
            Err(Error::Invalid(fields)) => (fields[0].pointer.clone(), fields[0].message.clone()),
            other => panic!("{other:?}"),
        };
        assert_eq!(refused("none").await.0, "/model");
        assert_eq!(refused(&"x".repeat(201)).await.0, "/model");
        server.manner.lock().unwrap().more = 5000;
        assert!(refused("vec").await.1.contains("1 to 4096 numbers"));
        server.manner.lock().unwrap().is_down = true;
        assert!(refused("vec").await.1.contains("out for lunch"));
        let builder = as_role(&ctx, Role::Builder);
        assert!(matches!(memory::set_embedder(&builder, draft("vec")).await, Err(Error::Denied(_))));
        assert!(memory::get_embedder(&as_role(&ctx, Role::Viewer)).await.unwrap().serving.is_none());
    }

    async fn calls_are_kept_as_memorys_and_a_budget_holds(site: Site) {
        let (ctx, _server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        set(&ctx, "vec").await;
        embed(&ctx).await;
        let principal = Principal::User { id: ctx.ids.fresh(), name: "mara".to_owned(), session: ctx.ids.fresh() };
        let id = principal.user_id();
        let mara = Actor { workspace: ctx.workspace(), principal, role: Role::Viewer };
        let mara = ctx.runtime().as_actor(mara, String::new());
        assert_eq!(found(&mara, "automobile").await, ["ride"], "who may search needs no leave to call models");
        gateway::settled(&ctx).await;
        let log = gateway::list_calls(&ctx, &CallFilter::default(), &PageRequest::default()).await.unwrap().items;
        let whose: Vec<_> = log.iter().map(|line| (line.call.source, line.call.user_id)).collect();
        assert_eq!(whose.len(), 3, "a trial, a batch, a question");
        assert!(whose.iter().all(|(source, _)| *source == CallSource::Memory));
        assert_eq!(whose.iter().filter(|(_, user)| user.is_some()).count(), 1);
        assert!(whose.iter().any(|(_, user)| *user == id));

        let provider = gateway::list_providers(&ctx).await.unwrap()[0].id;
        let price: PriceDraft = serde_json::from_value(json!({"model": "vec", "input": 2_000_000_000_i64, "output": 0})).unwrap();
        gateway::put_price(&ctx, provider, price).await.unwrap();
        let limit = json!({"name": "Team", "scope": "workspace", "period": "month", "limit_micros": 1});
        let limit: BudgetDraft = serde_json::from_value(limit).unwrap();
        gateway::create_budget(&ctx, limit).await.unwrap();
        put(&ctx, "life", "food", "She baked a cake").await;
        assert_eq!(embed(&ctx).await.embedded, 0);
        let serving = memory::get_embedder(&ctx).await.unwrap().serving.unwrap();
        assert_eq!(serving.state, EmbedderState::Paused);
        assert!(serving.paused.unwrap().contains("Team"), "the budget is named");
    }

    async fn a_search_does_not_wait_for_a_vector_for_long(site: Site) {
        let (ctx, server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        set(&ctx, "vec").await;
        embed(&ctx).await;
        server.manner.lock().unwrap().hangs = true;
        let impatient = async {
            while server.texts().last().map(String::as_str) != Some("bought") {
                server.arrived.notified().await;
            }
            ctx.clock.advance_ms(2_000);
        };
        let (result, ()) = tokio::join!(search(&ctx, "bought", SearchMode::Hybrid), impatient);
        assert_eq!(keys(&result), ["ride"]);
        assert!(result.degraded.unwrap().contains("did not answer within 2 s"));
        // The next one does not wait at all.
        let result = search(&ctx, "new", SearchMode::Hybrid).await;
        assert_eq!((keys(&result), result.degraded.is_some()), (vec!["ride"], true));
    }

    async fn what_the_settings_name_is_set_where_nobody_has_chosen(site: Site) {
        let mut runtime = reaching(&site, site.runtime.clock.clone());
        std::sync::Arc::make_mut(&mut runtime.config).embedder = Some("acme/vec".to_owned());
        // One of those that share a database does.
        runtime.elect(true);
        let ctx = runtime.system(workspace(&site).await.workspace());
        put(&ctx, "life", "ride", "We bought a new car").await;
        embed(&ctx).await;
        assert!(memory::get_embedder(&ctx).await.unwrap().serving.is_none(), "its provider is not there yet");

        let server = Meaning::start().await;
        server.provide(&ctx).await;
        embed(&ctx).await;
        assert!(server.texts().is_empty(), "what failed is not tried again at once");
        ctx.clock.advance_ms(600_000);
        assert_eq!(embed(&ctx).await.embedded, 1);
        assert_eq!(memory::get_embedder(&ctx).await.unwrap().serving.unwrap().model, "acme/vec");

        let none = runtime.system(workspace(&site).await.workspace());
        memory::set_embedder(&none, EmbedderDraft::default()).await.unwrap();
        put(&none, "life", "food", "She baked a cake").await;
        embed(&none).await;
        assert!(memory::get_embedder(&none).await.unwrap().serving.is_none(), "who chose none has chosen");
    }

    async fn vectors_rest_encrypted_and_follow_a_new_key(site: Site) {
        let (ctx, _server) = ready(&site).await;
        put(&ctx, "life", "ride", "We bought a new car").await;
        set(&ctx, "acme/vec").await;
        embed(&ctx).await;
        let clear = async |ctx: &Ctx| -> i64 {
            let sql = "select count(*) from memory_vector where digest <> 0 or data_key is null";
            read!(&ctx.db, conn => sqlx::query_scalar(sql).fetch_one(conn).await).unwrap()
        };
        assert_eq!(clear(&ctx).await, 0, "neither the numbers nor what tells equal contents");
        // As an older program left them.
        let mut tx = ctx.db.begin().await.unwrap();
        within!(&mut tx, conn => sqlx::query("update memory_vector set data_key = null, digest = 7").execute(conn).await.map(drop)).unwrap();
        tx.commit().await.unwrap();
        memory::rotate_data_key(&ctx).await.unwrap();
        assert_eq!(memory::seal_pending(&ctx).await.unwrap().rows, 3, "the entry, its version, its vectors");
        assert_eq!(clear(&ctx).await, 0);

        put(&ctx, "life", "ride", "We bought a new automobile").await;
        embed(&ctx).await;
        memory::rotate_data_key(&ctx).await.unwrap();
        assert_eq!(memory::seal_pending(&ctx).await.unwrap().rows, 4);
        site.runtime.clock.advance_ms(120_000);
        assert_eq!(memory::seal_pending(&ctx).await.unwrap().retired, 2);
        let there = elsewhere(&site, &ctx);
        assert_eq!(found(&there, "vehicle").await, ["ride"], "found by its vector in a process that read it anew");
    }
}
