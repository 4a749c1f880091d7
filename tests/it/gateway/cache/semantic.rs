//! Answers to questions that say the same in other words: learned, gated, isolated, called wrong, checked.

use std::time::Duration;

use futures::FutureExt;
use serde_json::json;
use weft::model::PageRequest;
use weft::model::cache::{
    CacheMode, CacheReport, CacheSettings, Invalidation, SemanticHit, SemanticSettings, SourceChange,
};
use weft::model::dashboard::Period;
use weft::model::gateway::{Block, FaultClass, Message, Role, Tool, Verdict};

use super::super::{calls, process};
use super::*;
use crate::memory::meaning::{Meaning, set};

/// What is asked first.
const CAR: &str = "Which car is red?";

/// The same in other words: the model server's vectors of them are alike, and nothing in them counts.
fn paraphrase(n: usize) -> String {
    const FILLERS: [&str; 14] = [
        "please", "indeed", "really", "kindly", "perhaps", "surely", "maybe", "truly", "exactly", "actually",
        "quickly", "honestly", "clearly", "simply",
    ];
    format!("Which automobile is red, {}?", FILLERS[n])
}

/// A workspace with an embedder and a model, whose cache answers by meaning.
struct Meant {
    ctx: Ctx,
    vectors: Meaning,
    model: Upstream,
}

fn wanted(shadow_percent: u32) -> CacheSettings {
    let semantic = SemanticSettings { enabled: true, error_budget: 0.2, shadow_percent };
    CacheSettings { semantic, ..CacheSettings::default() }
}

async fn meant(site: &Site, answers: &[&str]) -> Meant {
    meant_to(somebody(site).await, answers).await
}

async fn meant_to(ctx: Ctx, answers: &[&str]) -> Meant {
    gateway::lend_embedder(ctx.runtime());
    let vectors = Meaning::start().await;
    vectors.provide_as(&ctx, "vectors").await;
    set(&ctx, "vectors/vec").await;
    let model = Upstream::start(answers.iter().map(|text| Reply::Json(200, super::answer(text)))).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &model, &["big", "small"]).await;
    cache::update_settings(&ctx, wanted(0)).await.unwrap();
    Meant { ctx, vectors, model }
}

/// Asks the first question and others like it, until an answer is given by meaning; returns how many that took.
async fn teach(ctx: &Ctx) -> usize {
    teach_so(ctx, &CacheWish::default()).await
}

async fn teach_so(ctx: &Ctx, wish: &CacheWish) -> usize {
    assert_eq!(tier(&ask_so(ctx, cold(CAR), wish.clone()).await), None);
    for n in 0.. {
        if tier(&ask_so(ctx, cold(&paraphrase(n)), wish.clone()).await) == Some(CacheTier::Semantic) {
            return n;
        }
    }
    unreachable!("paraphrases end before");
}

/// A paraphrase that was not asked yet.
const NEW: usize = 13;

async fn hits(ctx: &Ctx) -> Vec<SemanticHit> {
    cache::list_hits(ctx, &PageRequest::default()).await.unwrap().items
}

async fn report(ctx: &Ctx) -> CacheReport {
    gateway::settled(ctx).await;
    weft::monitor::cache(ctx, Period::Day).await.unwrap()
}

on_both_engines! {
    async fn it_asks_until_it_has_learned_and_gives_then(site: Site) {
        let Meant { ctx, model, .. } = meant(&site, &["The first one."; 20]).await;
        let taught = teach(&ctx).await;
        assert!((3..12).contains(&taught), "{taught}");
        let before = model.count();
        assert_eq!(before, taught + 1, "what was given cost no call");
        let given = ask(&ctx, cold(&paraphrase(NEW))).await;
        assert_eq!((tier(&given), given.cost_micros, model.count()), (Some(CacheTier::Semantic), Some(0), before));
        assert_eq!(given.response.text(), "The first one.");
        let similarity = given.cache.unwrap().similarity.unwrap();
        assert!(similarity > 0.99, "{similarity}");

        let listed = hits(&ctx).await;
        assert_eq!(listed.len(), 2);
        assert_eq!((listed[0].asked.clone(), listed[0].kept.as_deref()), (Some(paraphrase(NEW)), Some(CAR)));
        assert!(listed[0].doubt <= 0.2 && listed[0].same.is_none());
        let log = calls(&ctx).await;
        let call = log.iter().find(|call| call.source == CallSource::Proxy).unwrap();
        let cached = call.cache.unwrap();
        assert_eq!((cached.tier, cached.entry_id), (Some(CacheTier::Semantic), Some(listed[0].entry_id)));
        assert!((cached.similarity.unwrap() - similarity).abs() < 1e-9);
        let Verdict::Alike { why } = &call.choice.tried[0].verdict else { panic!("{:?}", call.choice) };
        assert!(why.contains("likeness"), "{why}");
        assert!(log.iter().any(|call| call.source == CallSource::Cache), "vectors of questions stand in the log");
        let report = report(&ctx).await;
        assert_eq!((report.semantic.hits, report.semantic.explored), (2, taught as i64));
        assert_eq!((report.semantic.explored_same, report.semantic.false_hit_rate), (taught as i64, None));
        assert!(report.tiers.iter().any(|one| one.tier == CacheTier::Semantic && one.hits == 2), "{:?}", report.tiers);
        // The very same question is the exact tier's, also where the answer was found by meaning before.
        assert_eq!(tier(&ask(&ctx, cold(CAR)).await), Some(CacheTier::Memory));
    }

    async fn other_answers_teach_it_to_keep_silent(site: Site) {
        let answers: Vec<String> = (0..14).map(|n| format!("The one with the number {n}.")).collect();
        let answers: Vec<&str> = answers.iter().map(String::as_str).collect();
        let Meant { ctx, model, .. } = meant(&site, &answers).await;
        ask(&ctx, cold(CAR)).await;
        for n in 0..12 {
            assert_eq!(did(&ask(&ctx, cold(&paraphrase(n))).await), "miss", "{n}");
        }
        assert_eq!(model.count(), 13);
        assert!(hits(&ctx).await.is_empty());
    }

    async fn what_counts_in_a_question_is_never_taken_for_another(site: Site) {
        let Meant { ctx, .. } = meant(&site, &["The first one."; 30]).await;
        teach(&ctx).await;
        for other in [
            "Which automobile is not red?", "Which automobile of 2 is red?", "Which automobile of Ada is red?", "Which automobile is `red`?",
            "Which automobile is \"red\"?", "Which automobile is red 織機?", "Which automobile was first red?",
        ] {
            assert_eq!(did(&ask(&ctx, cold(other)).await), "miss", "{other}");
        }
        assert_eq!(did(&ask(&ctx, cold(&"Which automobile is red? ".repeat(100))).await), "miss", "too long");
        assert_eq!(tier(&ask(&ctx, cold(&paraphrase(NEW))).await), Some(CacheTier::Semantic));
    }

    async fn nothing_is_given_by_meaning_where_the_rest_of_the_request_differs(site: Site) {
        let Meant { ctx, vectors, .. } = meant(&site, &["The first one."; 40]).await;
        teach(&ctx).await;
        let base = cold(&paraphrase(NEW));
        let tool = Tool::Function {
            name: "look".into(), description: None, input_schema: json!({"type": "object"}), strict: None, cache: None, extra: Default::default(),
        };
        let change = |what: &'static str, alter: &dyn Fn(&mut Request)| {
            let mut request = base.clone();
            alter(&mut request);
            (what, request)
        };
        let variants = [
            change("model", &|request| request.model = "small".into()),
            change("system prompt", &|request| request.system.push(Block::text("You weave."))),
            change("limit", &|request| request.max_tokens = Some(7)),
            change("earlier turn", &|request| request.messages.insert(0, Message::text(Role::User, "Hello."))),
            change("tools", &|request| request.tools.push(tool.clone())),
            change("temperature", &|request| request.sampling.temperature = Some(0.3)),
        ];
        let always = || CacheWish { mode: CacheMode::Always, ..CacheWish::default() };
        for (what, request) in variants {
            assert_eq!(did(&ask_so(&ctx, request, always()).await), "miss", "{what}");
        }
        let mut warm = base.clone();
        warm.sampling.temperature = Some(0.5);
        assert_eq!(did(&ask(&ctx, warm).await), "off", "chance must be asked for here too");
        let exact = CacheWish { exact: true, ..CacheWish::default() };
        let asked = vectors.texts().len();
        assert_eq!(did(&ask_so(&ctx, cold(&paraphrase(12)), exact).await), "miss");
        assert_eq!(vectors.texts().len(), asked, "who wants the same question only, pays for no vector");
        assert_eq!(did(&ask(&person(&ctx, Rights::Operator), base.clone()).await), "miss", "another person");
        assert_eq!(tier(&ask(&ctx, base).await), Some(CacheTier::Semantic));
    }

    async fn nothing_is_given_by_meaning_across_workspaces(site: Site) {
        let ours = meant(&site, &["The first one."; 20]).await;
        teach(&ours.ctx).await;
        let theirs = meant(&site, &["Another."; 20]).await;
        assert_eq!(did(&ask(&theirs.ctx, cold(&paraphrase(NEW))).await), "miss");
        let id = hits(&ours.ctx).await[0].id;
        assert!(matches!(cache::mark_wrong_hit(&theirs.ctx, id).await, Err(cache::Error::NotFound(_))));
        assert!(matches!(cache::clear_wrong_hit(&theirs.ctx, id).await, Err(cache::Error::NotFound(_))));
        assert!(hits(&theirs.ctx).await.is_empty());
    }

    async fn a_wrong_answer_is_not_given_to_that_question_again(site: Site) {
        let Meant { ctx, .. } = meant(&site, &["The first one."; 30]).await;
        teach(&ctx).await;
        let hit = hits(&ctx).await.remove(0);
        let marked = cache::mark_wrong_hit(&ctx, hit.id).await.unwrap();
        assert!(marked.wrong_at.is_some());
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(NEW))).await), "miss", "others, less often");
        assert_eq!(tier(&ask(&ctx, cold(CAR)).await), Some(CacheTier::Memory), "the answer itself stays");
        assert_eq!(report(&ctx).await.semantic.called_wrong, 1);
        let taken_back = cache::clear_wrong_hit(&ctx, hit.id).await.unwrap();
        assert_eq!(taken_back.wrong_at, None);
        let again = ask(&ctx, cold(&paraphrase(12))).await;
        assert_eq!(tier(&again), Some(CacheTier::Semantic));
        let hit = hits(&ctx).await.remove(0);
        assert_eq!(hit.asked, Some(paraphrase(12)));
        cache::mark_wrong_hit(&ctx, hit.id).await.unwrap();
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(12))).await), "miss", "that question");
    }

    async fn what_was_asked_by_one_person_is_shown_to_them_and_to_those_who_manage(site: Site) {
        let Meant { ctx, .. } = meant(&site, &["The first one."; 20]).await;
        let (ada, ben) = (person(&ctx, Rights::Operator), person(&ctx, Rights::Builder));
        teach(&ada).await;
        let id = hits(&ben).await[0].id;
        assert_eq!((hits(&ben).await[0].asked.clone(), hits(&ben).await[0].kept.clone()), (None, None));
        assert!(hits(&ada).await[0].asked.is_some() && hits(&ctx).await[0].asked.is_some());
        assert!(matches!(cache::mark_wrong_hit(&ben, id).await, Err(cache::Error::Denied(_))));
        cache::mark_wrong_hit(&ada, id).await.unwrap();
    }

    async fn an_embedder_that_fails_makes_a_miss(site: Site) {
        let Meant { ctx, vectors, .. } = meant(&site, &["The first one."; 20]).await;
        teach(&ctx).await;
        vectors.manner.lock().unwrap().is_down = true;
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(NEW))).await), "miss");
        let asked = vectors.manner.lock().unwrap().asked.len();
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(12))).await), "miss");
        assert_eq!(vectors.manner.lock().unwrap().asked.len(), asked, "it is left in peace for a while");
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(12))).await), "hit", "the exact tier needs none");
    }

    async fn an_embedder_that_takes_longer_than_two_seconds_makes_a_miss(site: Site) {
        let clock = site.runtime.clock.clone();
        let ctx = crate::engine::ctx(&process(&site, clock.clone())).await;
        let Meant { ctx, vectors, .. } = meant_to(ctx, &["The first one."; 20]).await;
        teach(&ctx).await;
        // Of what arrived before, nothing is told any more.
        vectors.arrived.notified().now_or_never();
        vectors.manner.lock().unwrap().hangs = true;
        let asked = vectors.texts().len();
        let waits = async {
            vectors.arrived.notified().await;
            clock.advance_ms(2_000);
        };
        let request = cold(&paraphrase(NEW));
        let both = futures::future::join(ask(&ctx, request), waits);
        let (late, ()) = tokio::time::timeout(Duration::from_secs(30), both).await.expect("it waits for two seconds, and no longer");
        assert_eq!((did(&late), vectors.texts().len()), ("miss", asked + 1));
        // It is left in peace then, and asked again after ten seconds.
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(12))).await), "miss");
        assert_eq!(vectors.texts().len(), asked + 1);
        vectors.manner.lock().unwrap().hangs = false;
        clock.advance_ms(10_000);
        assert_eq!(tier(&ask(&ctx, cold(&paraphrase(11))).await), Some(CacheTier::Semantic));
    }

    async fn what_changed_takes_what_is_given_by_meaning_too(site: Site) {
        let Meant { ctx, .. } = meant(&site, &["The first one."; 40]).await;
        let file = || on(SourceKind::File, "fleet.csv", None);
        let wish = CacheWish::default().depending_on(vec![file()]).unwrap();
        teach_so(&ctx, &wish).await;
        assert_eq!(tier(&ask_so(&ctx, cold(&paraphrase(NEW)), wish.clone()).await), Some(CacheTier::Semantic));
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(NEW))).await), "miss", "who names no dependency asks another question");
        let change = |fingerprint: &str| SourceChange {
            kind: SourceKind::File, id: "fleet.csv".into(), fingerprint: fingerprint.into(), depends_on: None,
        };
        let gone = cache::changed(&ctx, change("2")).await.unwrap();
        assert!(gone.changed && gone.invalidated > 0, "{gone:?}");
        assert_eq!(did(&ask_so(&ctx, cold(&paraphrase(12)), wish.clone()).await), "miss");
        // Kept anew in the state that it is in by then, it is given in that state and in no other: what was learned stays.
        assert!(cache::changed(&ctx, change("3")).await.unwrap().invalidated > 0);
        let in_state = |fingerprint: &str| {
            let file = Dependency { fingerprint: Some(fingerprint.into()), ..file() };
            CacheWish::default().depending_on(vec![file]).unwrap()
        };
        assert_eq!(did(&ask_so(&ctx, cold(CAR), in_state("3")).await), "miss");
        assert_eq!(tier(&ask_so(&ctx, cold(&paraphrase(11)), in_state("3")).await), Some(CacheTier::Semantic));
        assert_eq!(did(&ask_so(&ctx, cold(&paraphrase(11)), in_state("2")).await), "off", "one of both is out of date");
    }

    async fn who_takes_kept_answers_only_gets_them_by_meaning_too(site: Site) {
        let Meant { ctx, model, .. } = meant(&site, &["The first one."; 20]).await;
        let only = || CacheWish { mode: CacheMode::Always, only: true, ..CacheWish::default() };
        let refused = async |text: &str, wish| match gateway::call(&ctx, order(cold(text), wish)).await {
            Err(gateway::Error::Fault(fault)) => fault.class,
            other => panic!("{other:?}"),
        };
        ask(&ctx, cold(CAR)).await;
        assert_eq!(refused(&paraphrase(NEW), only()).await, FaultClass::Uncached);
        cache::invalidate(&ctx, Invalidation { all: true, ..Invalidation::default() }).await.unwrap();
        teach(&ctx).await;
        let before = model.count();
        assert_eq!(tier(&ask_so(&ctx, cold(&paraphrase(NEW)), only()).await), Some(CacheTier::Semantic));
        let exact = CacheWish { exact: true, ..only() };
        assert_eq!(refused(&paraphrase(NEW), exact).await, FaultClass::Uncached);
        assert_eq!(model.count(), before);
    }

    async fn what_is_gone_or_wrong_is_not_given_by_meaning_either(site: Site) {
        let Meant { ctx, .. } = meant(&site, &["The first one."; 40]).await;
        teach(&ctx).await;
        let entry = hits(&ctx).await[0].entry_id;
        cache::mark_wrong(&ctx, entry).await.unwrap();
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(NEW))).await), "miss");
        cache::clear_wrong(&ctx, entry).await.unwrap();
        cache::invalidate(&ctx, Invalidation { all: true, ..Invalidation::default() }).await.unwrap();
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(12))).await), "miss");
        // What was learned belongs to the question: kept anew, it is given at once.
        assert_eq!(did(&ask(&ctx, cold(CAR)).await), "miss");
        assert_eq!(report(&ctx).await.semantic.hits, 1);
    }

    async fn what_is_given_is_checked_and_a_wrong_one_is_counted(site: Site) {
        let mut answers = vec!["The first one."; 10];
        answers.extend(["Something else altogether, number 9."; 20]);
        let Meant { ctx, model, .. } = meant(&site, &answers).await;
        let taught = teach(&ctx).await;
        assert!(taught < 10, "{taught}");
        cache::update_settings(&ctx, wanted(100)).await.unwrap();
        // Whatever is left of the first answers is used up by questions of their own.
        for n in 0..(10 - model.count()) {
            ask(&ctx, cold(&format!("What is a loom number {n}?"))).await;
        }
        let before = model.count();
        assert_eq!(tier(&ask(&ctx, cold(&paraphrase(NEW))).await), Some(CacheTier::Semantic));
        cache::settled(&ctx).await;
        assert_eq!(model.count(), before + 1, "the model was asked beside it");
        assert_eq!(hits(&ctx).await[0].same, Some(false));
        let report = report(&ctx).await.semantic;
        assert_eq!((report.checked, report.wrong, report.false_hit_rate), (1, 1, Some(1.0)));
        assert!(report.false_hit_low > 0.0 && report.false_hit_high > 0.999);
        let log = calls(&ctx).await;
        let check = log.iter().find(|call| call.source == CallSource::Cache && call.model == "big").unwrap();
        assert!(check.usage.output > 0 && check.cache.is_none());
        assert_eq!(did(&ask(&ctx, cold(&paraphrase(NEW))).await), "miss", "that pair is not given again");
    }

    async fn it_is_off_until_it_is_switched_on_and_needs_an_embedder(site: Site) {
        let ctx = somebody(&site).await;
        gateway::lend_embedder(ctx.runtime());
        assert!(!cache::get_settings(&ctx).await.unwrap().semantic.enabled);
        let fields = async |settings| match cache::update_settings(&ctx, settings).await {
            Err(cache::Error::Invalid(faults)) => faults.into_iter().map(|fault| (fault.pointer, fault.message)).collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
        let refused = fields(wanted(5)).await;
        assert_eq!(refused[0].0, "/semantic/enabled");
        assert!(refused[0].1.contains("embedder"), "{refused:?}");
        let mut broad = wanted(5);
        broad.semantic.error_budget = 0.5;
        assert_eq!(fields(broad).await[0].0, "/semantic/error_budget");
        let off = CacheSettings { semantic: SemanticSettings { enabled: false, error_budget: 0.05, shadow_percent: 100 }, ..wanted(5) };
        assert_eq!(cache::update_settings(&ctx, off).await.unwrap(), off);
        assert_eq!(cache::get_settings(&ctx).await.unwrap(), off);
        let viewer = person(&ctx, Rights::Operator);
        assert!(matches!(cache::update_settings(&viewer, off).await, Err(cache::Error::Denied(_))));
    }
}
