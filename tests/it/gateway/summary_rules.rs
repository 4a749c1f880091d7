//! Summaries by rule: within a budget, never twice, in somebody's name, and each firing told.

use serde_json::json;
use weft::gateway;
use weft::memory::{self, Error, Expect};
use weft::model::auth::Role;
use weft::model::gateway::{PriceDraft, ProviderKind};
use weft::model::memory::{
    EntryAct, EntryBulk, EntryDraft, EntryStep, Source, SummaryFiring, SummaryOutcome, SummaryRuleDraft,
};
use weft::runtime::{Actor, Ctx, Principal};

use super::upstream::{Reply, Upstream};
use super::{add, answer, process};
use crate::engine::ctx;
use crate::support::Site;

const HOUR_MS: i64 = 3_600_000;

fn rule() -> SummaryRuleDraft {
    SummaryRuleDraft {
        namespace: "talks".to_owned(),
        older_than_days: 0,
        at_least: 2,
        every_hours: 1,
        model: "acme/big".to_owned(),
        budget_micros: 1_000_000,
        enabled: true,
    }
}

async fn say(ctx: &Ctx, namespace: &str, group: Option<&str>, key: &str, content: &str) {
    let draft = EntryDraft { content: content.to_owned(), group: group.map(str::to_owned), ..EntryDraft::default() };
    memory::put(ctx, namespace, key, draft, Expect::Any, Source::Cli {}).await.unwrap();
}

/// Somebody with a model that has a price (dollars for a million tokens) and gives these answers.
async fn with_model(site: &Site, price: i64, replies: &[&str]) -> (Ctx, Upstream) {
    let ctx = ctx(&process(site, site.runtime.clock.clone())).await;
    gateway::lend_embedder(ctx.runtime());
    let replies: Vec<Reply> = replies.iter().map(|text| Reply::Json(200, answer(text))).collect();
    let upstream = Upstream::start(replies).await;
    let provider = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    if price > 0 {
        let micros = price * 1_000_000;
        let price: PriceDraft =
            serde_json::from_value(json!({"model": "big", "input": micros, "output": micros})).unwrap();
        gateway::put_price(&ctx, provider.id, price).await.unwrap();
    }
    (ctx, upstream)
}

/// What came of the one rule there is, the last first.
async fn firings(ctx: &Ctx) -> Vec<SummaryFiring> {
    memory::list_summary_rules(ctx).await.unwrap().remove(0).firings
}

async fn fire(ctx: &Ctx) -> SummaryFiring {
    ctx.clock.advance_ms(HOUR_MS);
    assert_eq!(memory::fire_summary_rules(ctx.runtime()).await.unwrap(), 1, "the rule is due");
    firings(ctx).await.remove(0)
}

on_both_engines! {
    async fn groups_are_summarized_by_themselves_and_never_twice(site: Site) {
        let (ctx, upstream) = with_model(&site, 1, &["The trip.", "The rest.", "The new words."]).await;
        for (group, key) in [(Some("trip"), "a"), (Some("trip"), "b"), (None, "c"), (None, "d"), (Some("short"), "e")] {
            say(&ctx, "talks", group, key, "They said something.").await;
        }
        say(&ctx, "talks/inner", None, "alone", "Nobody answered.").await;
        let plan = memory::preview_summary_rule(&ctx, rule()).await.unwrap();
        assert_eq!((plan.sets.len(), plan.left, plan.refused.clone()), (2, 0, None));
        assert!(plan.sets.iter().all(|set| set.entries == 2 && set.fits) && plan.cost_micros > 0, "{plan:?}");
        assert_eq!(upstream.count(), 0, "a preview asks nobody");

        memory::save_summary_rule(&ctx, None, rule()).await.unwrap();
        let firing = fire(&ctx).await;
        assert_eq!((firing.outcome, firing.made.len(), firing.left, firing.reason.as_str()), (SummaryOutcome::Done, 2, 0, ""));
        assert!(firing.cost_micros > 0);
        let made = firing.made.iter().find(|made| made.key.starts_with("summary-trip-")).unwrap();
        let links = memory::summary_links(&ctx, &made.namespace, &made.key).await.unwrap();
        let keys: Vec<&str> = links.sources.iter().map(|link| link.key.as_str()).collect();
        assert_eq!(keys, ["a", "b"]);

        let again = fire(&ctx).await;
        assert_eq!((again.outcome, again.made.len(), upstream.count()), (SummaryOutcome::Nothing, 0, 2));

        // What has other words than it had then is summarized again, once there is enough of it.
        say(&ctx, "talks", Some("trip"), "a", "They said it better.").await;
        assert_eq!(fire(&ctx).await.outcome, SummaryOutcome::Nothing);
        say(&ctx, "talks", Some("trip"), "b", "They said it better too.").await;
        let newer = fire(&ctx).await;
        assert_eq!((newer.outcome, newer.made.len(), upstream.count()), (SummaryOutcome::Done, 1, 3));
        assert_eq!(newer.made[0], *made, "the same entries have the same summary, in a new version");
        assert_eq!(firings(&ctx).await.len(), 4);
    }

    async fn a_budget_ends_a_firing_and_the_reason_is_told(site: Site) {
        let (ctx, upstream) = with_model(&site, 1, &["One."]).await;
        for (group, key) in [("one", "a"), ("one", "b"), ("two", "c"), ("two", "d")] {
            say(&ctx, "talks", Some(group), key, "They said something.").await;
        }
        let plan = memory::preview_summary_rule(&ctx, rule()).await.unwrap();
        let first = plan.sets[0].cost_micros.unwrap();
        // As much as one costs at most: the second does not fit beside what the first did cost.
        memory::save_summary_rule(&ctx, None, SummaryRuleDraft { budget_micros: first, ..rule() }).await.unwrap();
        let firing = fire(&ctx).await;
        assert_eq!((firing.outcome, firing.made.len(), firing.left, upstream.count()), (SummaryOutcome::Budget, 1, 1, 1));
        assert!(firing.cost_micros <= first && firing.reason.contains("budget"), "{firing:?}");
    }

    async fn nobody_is_asked_whose_price_is_not_known(site: Site) {
        let (ctx, upstream) = with_model(&site, 0, &[]).await;
        say(&ctx, "talks", Some("trip"), "a", "One.").await;
        say(&ctx, "talks", Some("trip"), "b", "Two.").await;
        assert!(memory::preview_summary_rule(&ctx, rule()).await.unwrap().refused.unwrap().contains("price"));
        memory::save_summary_rule(&ctx, None, rule()).await.unwrap();
        let firing = fire(&ctx).await;
        assert_eq!((firing.outcome, firing.made.len(), firing.left, upstream.count()), (SummaryOutcome::Refused, 0, 1, 0));
        assert!(firing.reason.contains("price"), "{firing:?}");
    }

    async fn a_rule_that_is_switched_off_does_nothing(site: Site) {
        let (ctx, upstream) = with_model(&site, 1, &[]).await;
        say(&ctx, "talks", None, "a", "One.").await;
        say(&ctx, "talks", None, "b", "Two.").await;
        let made = memory::save_summary_rule(&ctx, None, SummaryRuleDraft { enabled: false, ..rule() }).await.unwrap();
        ctx.clock.advance_ms(10 * HOUR_MS);
        assert_eq!(memory::fire_summary_rules(ctx.runtime()).await.unwrap(), 0);
        assert!(matches!(memory::hasten_summary_rule(&ctx, made.id).await, Err(Error::Invalid(_))));
        assert_eq!((upstream.count(), firings(&ctx).await.len()), (0, 0));
        memory::delete_summary_rule(&ctx, made.id).await.unwrap();
        assert!(matches!(memory::delete_summary_rule(&ctx, made.id).await, Err(Error::NoRule)));
    }

    async fn only_what_is_old_enough_is_summarized(site: Site) {
        let (ctx, _upstream) = with_model(&site, 1, &["Old."]).await;
        say(&ctx, "talks", None, "a", "One.").await;
        say(&ctx, "talks", None, "b", "Two.").await;
        memory::save_summary_rule(&ctx, None, SummaryRuleDraft { older_than_days: 2, ..rule() }).await.unwrap();
        assert_eq!(fire(&ctx).await.outcome, SummaryOutcome::Nothing);
        ctx.clock.advance_ms(48 * HOUR_MS);
        assert_eq!(fire(&ctx).await.outcome, SummaryOutcome::Done);
    }

    async fn who_is_not_here_any_more_is_asked_for_by_nobody(site: Site) {
        let (ctx, upstream) = with_model(&site, 1, &[]).await;
        say(&ctx, "talks", None, "a", "One.").await;
        say(&ctx, "talks", None, "b", "Two.").await;
        let rt = ctx.runtime();
        let principal = Principal::User { id: rt.ids.fresh(), name: "Ada".to_owned(), session: rt.ids.fresh() };
        let ada = rt.as_actor(Actor { workspace: ctx.workspace(), principal, role: Role::Admin }, String::new());
        let made = memory::save_summary_rule(&ada, None, rule()).await.unwrap();
        assert_eq!(made.made_by.as_deref(), Some("Ada"));
        let firing = fire(&ctx).await;
        assert_eq!((firing.outcome, upstream.count()), (SummaryOutcome::Refused, 0));
        assert!(firing.reason.starts_with("Ada, who wrote the rule"), "{firing:?}");
    }

    async fn a_summary_that_is_tagged_or_moved_is_one_still(site: Site) {
        let (ctx, upstream) = with_model(&site, 1, &["Both."]).await;
        say(&ctx, "talks", None, "a", "One.").await;
        say(&ctx, "talks", None, "b", "Two.").await;
        memory::save_summary_rule(&ctx, None, rule()).await.unwrap();
        let made = fire(&ctx).await.made.remove(0);
        let step = |namespace: &str, act| EntryStep {
            namespace: namespace.to_owned(),
            key: made.key.clone(),
            version: None,
            act,
        };
        let tag = EntryAct::Tag { add: vec!["good".to_owned()], remove: Vec::new() };
        let away = EntryAct::Move { to: "kept".to_owned() };
        let bulk = EntryBulk { steps: vec![step("talks", tag), step("talks", away)] };
        let done = memory::change_entries(&ctx, &bulk).await.unwrap();
        assert_eq!((done.done, done.refused.len()), (2, 0));
        let links = memory::summary_links(&ctx, "kept", &made.key).await.unwrap();
        assert_eq!(links.sources.len(), 2);
        memory::delete(&ctx, "kept", &made.key, Expect::Any).await.unwrap();
        memory::undelete(&ctx, "kept", &made.key).await.unwrap();
        assert_eq!(memory::summary_links(&ctx, "kept", &made.key).await.unwrap().sources.len(), 2);
        assert_eq!((fire(&ctx).await.outcome, upstream.count()), (SummaryOutcome::Nothing, 1));
    }

    async fn a_rule_that_does_not_fit_is_refused_and_so_is_who_may_not(site: Site) {
        let (ctx, _upstream) = with_model(&site, 1, &[]).await;
        let bad = SummaryRuleDraft { namespace: "../up".to_owned(), at_least: 1, ..rule() };
        let Err(Error::Invalid(fields)) = memory::save_summary_rule(&ctx, None, bad).await else { panic!("refused") };
        let pointers: Vec<&str> = fields.iter().map(|field| field.pointer.as_str()).collect();
        assert_eq!(pointers, ["namespace", "/at_least"]);
        let actor = Actor { workspace: ctx.workspace(), principal: Principal::System, role: Role::Builder };
        let builder = ctx.runtime().as_actor(actor, String::new());
        assert!(matches!(memory::save_summary_rule(&builder, None, rule()).await, Err(Error::Denied(_))));
        assert!(memory::preview_summary_rule(&builder, rule()).await.is_ok(), "what it would do, they may see");
        assert_eq!(memory::list_summary_rules(&builder).await.unwrap(), []);
    }
}
