//! Budgets: what they let through, what they refuse, and what a run does that has no money left.

use serde_json::{Value, json};
use weft::gateway::{self, Error};
use weft::model::ApiKeyId;
use weft::model::auth::Role;
use weft::model::gateway::{BudgetDraft, BudgetState, FaultClass, PriceDraft, Provider, ProviderKind};
use weft::model::workflow::{Command, RunStatus};
use weft::runtime::{Actor, Ctx, Principal};
use weft::workflow;

use super::upstream::{Reply, Upstream};
use super::{add, answer, ask, calls, chunks, ctx as other, first_chunks, somebody, stream};
use crate::engine::{chain, end, start, until};
use crate::http::NIL;

/// What a call of `answer` costs: 1,000 tokens read and 100 written at the price of `priced`.
const COST: i64 = 1_600;

async fn priced(ctx: &Ctx, upstream: &Upstream) -> Provider {
    let acme = add(ctx, "acme", ProviderKind::OpenAiCompatible, upstream, &["big"]).await;
    let price = json!({"model": "big", "input": 1_000_000, "output": 6_000_000});
    let price: PriceDraft = serde_json::from_value(price).unwrap();
    gateway::put_price(ctx, acme.id, price).await.unwrap();
    acme
}

fn draft(change: Value) -> BudgetDraft {
    let mut draft = json!({"name": "Team", "scope": "workspace", "period": "month", "limit_micros": 10_000});
    draft.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
    serde_json::from_value(draft).unwrap()
}

async fn limit(ctx: &Ctx, change: Value) -> BudgetState {
    gateway::create_budget(ctx, draft(change)).await.unwrap()
}

/// The same workspace, by a key of it.
async fn by_key(ctx: &Ctx, name: &str) -> (Ctx, ApiKeyId) {
    let made = gateway::create_key(ctx, serde_json::from_value(json!({"name": name})).unwrap()).await.unwrap();
    let principal = Principal::Key { id: made.key.id, name: name.into() };
    let actor = Actor { workspace: ctx.workspace(), principal, role: Role::Operator };
    (ctx.runtime().as_actor(actor, String::new()), made.key.id)
}

/// How often somebody can ask until a budget refuses, at most ten times.
async fn asks(ctx: &Ctx) -> usize {
    for count in 0..10 {
        match ask(ctx, "big").await {
            Ok(_) => gateway::settled(ctx).await,
            Err(fault) => {
                assert_eq!(fault.class, FaultClass::Budget, "{fault}");
                return count;
            }
        }
    }
    10
}

fn plenty() -> Vec<Reply> {
    vec![Reply::Json(200, answer("A loom.")); 12]
}

on_both_engines! {
    async fn a_call_beyond_the_budget_is_refused_before_anybody_is_asked(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start(plenty()).await;
        priced(&ctx, &upstream).await;
        // Expected before it is made: some tokens read, and 1,024 written at 6 millionths each.
        limit(&ctx, json!({"limit_micros": 3 * COST + 6_200})).await;
        assert_eq!(asks(&ctx).await, 4);
        assert_eq!(upstream.count(), 4);
        let fault = ask(&ctx, "big").await.unwrap_err();
        assert!(fault.message.starts_with("the budget \"Team\" is used up: $0.0064 of $0.011 spent"), "{fault}");
        assert!(fault.message.ends_with("it begins anew on the first of the next month (UTC), or an admin raises it"), "{fault}");
        // What was refused is in the log, and costs nothing.
        let log = calls(&ctx).await;
        assert_eq!((log.len(), log[0].cost_micros), (6, None));
        let state = gateway::list_budgets(&ctx).await.unwrap().remove(0);
        assert_eq!((state.spenders[0].spent_micros, state.spenders[0].calls, state.spenders[0].unpriced), (4 * COST, 6, 0));
    }

    async fn whoever_comes_near_is_told(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start(plenty()).await;
        priced(&ctx, &upstream).await;
        let made = limit(&ctx, json!({"limit_micros": 1_000, "stops": false, "warn_percent": 50})).await;
        let told = ask(&ctx, "big").await.unwrap();
        assert_eq!(told.choice.budgets, ["Team: 614 % of $0.001"]);
        gateway::delete_budget(&ctx, made.budget.id).await.unwrap();
        assert_eq!(ask(&ctx, "big").await.unwrap().choice.budgets, Vec::<String>::new());
    }

    async fn each_person_and_each_key_can_have_a_budget_of_their_own(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start(plenty()).await;
        priced(&ctx, &upstream).await;
        let (one, one_id) = by_key(&ctx, "one").await;
        let (two, _) = by_key(&ctx, "two").await;
        limit(&ctx, json!({"name": "Each key", "scope": "key", "period": "day", "limit_micros": COST + 6_200})).await;
        limit(&ctx, json!({"name": "One", "scope": "key", "of": one_id.0, "limit_micros": 6_200})).await;
        assert_eq!((asks(&one).await, asks(&two).await), (1, 2));
        // Neither holds for a person.
        assert!(ask(&ctx, "big").await.is_ok());
        gateway::settled(&ctx).await;
        let states = gateway::list_budgets(&ctx).await.unwrap();
        let spent = |state: &BudgetState| state.spenders.iter().map(|one| (one.name.clone(), one.spent_micros)).collect::<Vec<_>>();
        assert_eq!(spent(&states[0]), [("two".to_owned(), 2 * COST), ("one".to_owned(), COST)]);
        assert_eq!(spent(&states[1]), [("one".to_owned(), COST)]);
    }

    async fn many_calls_at_once_don_t_find_the_same_money(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start(vec![Reply::Stall(first_chunks(&["A"])); 4]).await;
        priced(&ctx, &upstream).await;
        limit(&ctx, json!({"limit_micros": 2 * 6_200})).await;
        let first = stream(&ctx, "big").await.unwrap();
        let second = stream(&ctx, "big").await.unwrap();
        assert_eq!(stream(&ctx, "big").await.unwrap_err().class, FaultClass::Budget);
        // One that was left gives back what it did not take.
        drop(first);
        gateway::settled(&ctx).await;
        let third = stream(&ctx, "big").await.unwrap();
        assert_eq!(upstream.count(), 3);
        drop((second, third));
    }

    async fn what_was_spent_before_the_budget_was_made_counts(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start(plenty()).await;
        priced(&ctx, &upstream).await;
        ask(&ctx, "big").await.unwrap();
        gateway::settled(&ctx).await;
        limit(&ctx, json!({"limit_micros": COST})).await;
        assert_eq!(asks(&ctx).await, 0);
        // Another workspace has money of its own.
        let elsewhere = other(ctx.runtime()).await;
        priced(&elsewhere, &upstream).await;
        assert!(ask(&elsewhere, "big").await.is_ok());
    }

    async fn a_run_without_money_waits_and_goes_on_when_there_is_more(site: Site) {
        let ctx = somebody(&site).await;
        workflow::boot(ctx.runtime()).await.unwrap();
        let upstream = Upstream::start(vec![Reply::Events(chunks(&["A loom."])); 3]).await;
        priced(&ctx, &upstream).await;
        let made = limit(&ctx, json!({"name": "Each run", "scope": "run", "period": "run", "limit_micros": 7_000})).await;
        let prompt = |id: &str| json!({"id": id, "kind": "prompt", "config": {"prompt": "x"}});
        let definition = chain(vec![prompt("one"), prompt("two")]);
        let run = start(&ctx, &definition, json!({})).await;
        let paused = until(&ctx, run, RunStatus::Paused).await;
        let paused = serde_json::to_value(&paused).unwrap();
        assert_eq!((&paused["steps"][0]["status"], &paused["steps"][1]["status"]), (&json!("succeeded"), &json!("retrying")));
        assert_eq!(paused["steps"][1]["error"]["class"], "budget");
        assert_eq!(upstream.count(), 1);
        let why = workflow::why_waiting(&ctx, run).await.unwrap();
        let step = why.iter().find(|why| why.step.as_deref() == Some("two")).unwrap();
        assert!(step.sentence.starts_with("Tries again when the run is resumed, as attempt 2"), "{}", step.sentence);

        let raised = draft(json!({"name": "Each run", "scope": "run", "period": "run", "limit_micros": 100_000}));
        gateway::update_budget(&ctx, made.budget.id, made.budget.revision, raised).await.unwrap();
        workflow::control(&ctx, run, Command::Resume).await.unwrap();
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Succeeded);
        let state = gateway::get_budget(&ctx, made.budget.id).await.unwrap();
        assert_eq!((state.spenders[0].of, state.spenders[0].spent_micros), (run.0, 2 * COST));
    }

    async fn budgets_that_mean_nothing_are_refused_by_field(site: Site) {
        let ctx = somebody(&site).await;
        for (change, pointer) in [
            (json!({"name": " "}), "/name"),
            (json!({"limit_micros": 0}), "/limit_micros"),
            (json!({"limit_micros": BudgetDraft::MAX_MICROS + 1}), "/limit_micros"),
            (json!({"warn_percent": 101}), "/warn_percent"),
            (json!({"period": "run"}), "/period"),
            (json!({"scope": "run"}), "/period"),
            (json!({"of": NIL}), "/of"),
            (json!({"scope": "user", "of": NIL}), "/of"),
            (json!({"scope": "key", "of": NIL}), "/of"),
        ] {
            let refused = gateway::create_budget(&ctx, draft(change.clone())).await.unwrap_err();
            let Error::Invalid(fields) = refused else { panic!("{change}: {refused}") };
            assert_eq!(fields[0].pointer, pointer, "{change}");
        }
        let made = limit(&ctx, json!({})).await;
        assert!(matches!(gateway::create_budget(&ctx, draft(json!({}))).await, Err(Error::Conflict(_))));
        gateway::update_budget(&ctx, made.budget.id, 1, draft(json!({"limit_micros": 5}))).await.unwrap();
        let late = gateway::update_budget(&ctx, made.budget.id, 1, draft(json!({}))).await.unwrap_err();
        assert!(matches!(late, Error::Conflict(_)), "{late}");
        let elsewhere = other(ctx.runtime()).await;
        assert!(matches!(gateway::get_budget(&elsewhere, made.budget.id).await, Err(Error::NotFound(_))));
        assert!(matches!(gateway::delete_budget(&elsewhere, made.budget.id).await, Err(Error::NotFound(_))));
    }
}
