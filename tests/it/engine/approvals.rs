//! Runs that wait for people.

use super::*;
use crate::auth::{ctx_of, named_member, owner};
use weft::model::ApiError;
use weft::model::workflow::{Approval, ApprovalFilter, Decision, Fork};
use weft::workflow::approvals;

fn ask(config: Value) -> Definition {
    let mut config = config;
    config["title"] = json!("Publish {{ inputs.n }}?");
    let mut definition = chain(vec![json!({"id": "ask", "kind": "approval", "config": config})]);
    definition.output = json!("{{ steps.ask.output }}");
    definition
}

async fn only(ctx: &Ctx) -> Approval {
    let mut page = approvals::list(ctx, ApprovalFilter::Open, &weft::model::PageRequest::default()).await.unwrap();
    assert_eq!(page.items.len(), 1, "{:?}", page.items);
    page.items.remove(0)
}

fn answer(word: &str) -> Decision {
    Decision { decision: word.into(), form: Value::Null, comment: String::new() }
}

fn status(result: Result<Approval, workflow::Error>) -> u16 {
    ApiError::from(result.unwrap_err()).status()
}

async fn people(site: &Site) -> (Ctx, Ctx, Ctx, Ctx) {
    let (owner, _) = owner(&site.runtime).await;
    let (_, ada) = named_member(&owner, Role::Operator, "ada@team.example").await;
    let (_, bob) = named_member(&owner, Role::Builder, "bob@team.example").await;
    let (_, vic) = named_member(&owner, Role::Viewer, "vic@team.example").await;
    let rt = &site.runtime;
    (owner, ctx_of(rt, &ada).await, ctx_of(rt, &bob).await, ctx_of(rt, &vic).await)
}

on_both_engines! {
    async fn a_fork_of_a_run_that_waits_leaves_its_approval_open(site: Site) {
        let (owner, ada, ..) = people(&site).await;
        let run = start(&owner, &ask(json!({})), json!({"n": 7})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&ada).await;
        let seq = workflow::get_run(&owner, run).await.unwrap().last_seq;
        let fork = workflow::travel::fork(&owner, run, Fork::at(seq), None).await.unwrap();
        until(&owner, fork, RunStatus::Waiting).await;
        assert_eq!(approvals::get(&ada, asked.id).await.unwrap().outcome, None);
        approvals::decide(&ada, asked.id, answer("approved")).await.unwrap();
        assert_eq!(end(&owner, run).await.summary.status, RunStatus::Succeeded);
        // The fork asks for itself.
        assert_eq!(only(&ada).await.run_id, fork);
    }

    async fn one_answer_ends_the_wait_and_leaves_by_its_port(site: Site) {
        let (owner, ada, _, vic) = people(&site).await;
        let run = start(&owner, &ask(json!({})), json!({"n": 7})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&ada).await;
        assert_eq!((asked.question.title.as_str(), asked.refusal.clone()), ("Publish 7?", None));
        assert_eq!((approvals::count_mine(&ada).await.unwrap(), approvals::count_mine(&vic).await.unwrap()), (1, 0));
        assert_eq!(status(approvals::decide(&vic, asked.id, answer("approved")).await), 403);
        assert_eq!(status(approvals::decide(&ada, asked.id, answer("perhaps")).await), 422);
        let decision = Decision { comment: "Fine.".into(), ..answer("rejected") };
        let decided = approvals::decide(&ada, asked.id, decision).await.unwrap();
        assert_eq!(decided.outcome.as_deref(), Some("rejected"));
        let detail = end(&owner, run).await;
        assert_eq!((detail.steps[0].port.as_deref(), &detail.output["comment"]), (Some("rejected"), &json!("Fine.")));
        assert_eq!(status(approvals::decide(&owner, asked.id, answer("approved")).await), 409);
        let ended = approvals::list(&ada, ApprovalFilter::Decided, &weft::model::PageRequest::default()).await.unwrap();
        assert_eq!(ended.items.len(), 1);
    }

    async fn two_of_two_must_agree_and_the_author_is_not_among_them(site: Site) {
        let (owner, ada, bob, _) = people(&site).await;
        let form = json!({"type": "object", "required": ["amount"], "properties": {"amount": {"type": "integer"}}});
        let definition = ask(json!({"required": 2, "four_eyes": true, "form": form}));
        let run = start(&owner, &definition, json!({"n": 1})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&owner).await;
        assert_eq!(asked.refusal.as_deref(), Some("you started this run, and somebody else must answer"));
        assert_eq!(status(approvals::decide(&owner, asked.id, answer("approved")).await), 403);
        let filled = |amount: Value| Decision { form: json!({"amount": amount}), ..answer("approved") };
        let error = ApiError::from(approvals::decide(&ada, asked.id, filled(json!("much"))).await.unwrap_err());
        assert_eq!(error.status(), 422);
        assert!(error.field("/form/amount").is_some(), "{error:?}");
        let once = approvals::decide(&ada, asked.id, filled(json!(5))).await.unwrap();
        assert_eq!((once.outcome, once.votes.len()), (None, 1));
        assert_eq!(status(approvals::decide(&ada, asked.id, filled(json!(6))).await), 409);
        approvals::decide(&bob, asked.id, filled(json!(5))).await.unwrap();
        let detail = end(&owner, run).await;
        assert_eq!((&detail.output["form"]["amount"], detail.output["votes"].as_array().unwrap().len()), (&json!(5), 2));
        let decided = approvals::get(&owner, asked.id).await.unwrap();
        assert_eq!((decided.outcome.as_deref(), decided.votes.len()), (Some("approved"), 2), "the last answer is listed");
    }

    async fn whoever_fires_a_trigger_by_hand_has_started_the_run(site: Site) {
        let (owner, ada, bob, _) = people(&site).await;
        let mut definition = ask(json!({"four_eyes": true}));
        definition.inputs = json!({"type": "object", "properties": {"n": {"default": 1}}});
        let made = weft::workflow::definitions::create(&owner, definition).await.unwrap();
        weft::workflow::definitions::publish(&owner, made.id).await.unwrap();
        for config in [json!({"kind": "webhook"}), json!({"kind": "schedule", "cron": "0 9 * * *"})] {
            let draft = weft::model::trigger::TriggerDraft {
                workflow_id: made.id,
                name: "By hand".into(),
                config: serde_json::from_value(config).unwrap(),
                inputs: json!({"n": 1}),
                enabled: false,
            };
            let trigger = weft::trigger::create(&owner, draft).await.unwrap().trigger;
            let run = weft::trigger::fire_now(&ada, trigger.id, Value::Null).await.unwrap().run_id.unwrap();
            let detail = until(&owner, run, RunStatus::Waiting).await;
            assert_eq!(detail.summary.started_by.as_deref(), Some("A person"));
            let asked = only(&owner).await;
            assert_eq!(status(approvals::decide(&ada, asked.id, answer("approved")).await), 403);
            approvals::decide(&bob, asked.id, answer("approved")).await.unwrap();
            assert_eq!(end(&owner, run).await.summary.status, RunStatus::Succeeded);
        }
    }

    async fn an_answer_that_ends_a_body_is_kept_as_what_it_was(site: Site) {
        let (owner, ada, _, _) = people(&site).await;
        let body = json!({"steps": [{"id": "ask", "kind": "approval", "config": {"title": "Keep {{ item }}?"}}]});
        let each = json!({"id": "each", "kind": "map", "config": {"items": ["a"]}, "body": body});
        let run = start(&owner, &chain(vec![each]), json!({})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&ada).await;
        assert_eq!((asked.step.as_str(), asked.question.title.as_str()), ("each[0].ask", "Keep a?"));
        let decided = approvals::decide(&ada, asked.id, answer("approved")).await.unwrap();
        assert_eq!((decided.outcome.as_deref(), decided.votes.len()), (Some("approved"), 1));
        assert_eq!(end(&owner, run).await.summary.status, RunStatus::Succeeded);
    }

    // Else whoever may start runs would have other inputs approved by what others said of the first ones.
    async fn an_answer_is_not_carried_into_a_fork(site: Site) {
        let (owner, ada, ..) = people(&site).await;
        let run = start(&owner, &ask(json!({})), json!({"n": 7})).await;
        until(&owner, run, RunStatus::Waiting).await;
        approvals::decide(&ada, only(&ada).await.id, answer("approved")).await.unwrap();
        let last = end(&owner, run).await.last_seq;
        let other = Fork { inputs: Some(json!({"n": 1_000_000})), ..Fork::at(last) };
        let error = ApiError::from(workflow::travel::fork(&ada, run, other, None).await.unwrap_err());
        assert_eq!(error.status(), 409, "{error:?}");
        let before = Fork { inputs: Some(json!({"n": 8})), ..Fork::at(1) };
        let fork = workflow::travel::fork(&ada, run, before, None).await.unwrap();
        until(&owner, fork, RunStatus::Waiting).await;
        assert_eq!(only(&owner).await.question.title, "Publish 8?");
    }

    async fn it_is_for_those_who_are_named_and_those_to_whom_they_hand_it(site: Site) {
        let (owner, ada, bob, _) = people(&site).await;
        let run = start(&owner, &ask(json!({"approvers": ["Ada@team.example"]})), json!({"n": 1})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&bob).await;
        assert_eq!(asked.refusal.as_deref(), Some("it is for Ada@team.example"));
        assert_eq!(status(approvals::decide(&bob, asked.id, answer("approved")).await), 403);
        assert_eq!(status(approvals::delegate(&bob, asked.id, "bob@team.example").await), 403);
        assert_eq!(status(approvals::delegate(&ada, asked.id, "nobody@team.example").await), 422);
        approvals::delegate(&ada, asked.id, "bob@team.example").await.unwrap();
        approvals::decide(&bob, asked.id, answer("approved")).await.unwrap();
        assert_eq!(end(&owner, run).await.output["by"], only_name(&bob).await);
    }

    async fn a_question_that_is_handed_over_gains_no_voice(site: Site) {
        let (owner, ada, bob, _) = people(&site).await;
        let run = start(&owner, &ask(json!({"approvers": ["ada@team.example", "role:owner"], "required": 2})), json!({"n": 1})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&ada).await;
        approvals::delegate(&ada, asked.id, "Bob@team.example").await.unwrap();
        approvals::decide(&bob, asked.id, answer("approved")).await.unwrap();
        let refusal = approvals::get(&ada, asked.id).await.unwrap().refusal.unwrap();
        assert!(refusal.contains("one voice together"), "{refusal}");
        assert_eq!(status(approvals::decide(&ada, asked.id, answer("approved")).await), 409);
        assert_eq!(approvals::count_mine(&ada).await.unwrap(), 0);
        // Who was asked has a voice of their own, whoever else hands it to them.
        let decided = approvals::decide(&owner, asked.id, answer("approved")).await.unwrap();
        assert_eq!((decided.outcome.as_deref(), decided.votes.len()), (Some("approved"), 2));
        assert!(decided.votes[0].instead_of.is_some() && decided.votes[1].instead_of.is_none());
        assert_eq!(end(&owner, run).await.summary.status, RunStatus::Succeeded);
    }

    async fn a_question_is_handed_to_nobody_who_may_not_answer_it(site: Site) {
        let (owner, ada, bob, _) = people(&site).await;
        let definition = ask(json!({"approvers": ["ada@team.example"], "four_eyes": true}));
        let run = start(&bob, &definition, json!({"n": 1})).await;
        until(&owner, run, RunStatus::Waiting).await;
        let asked = only(&ada).await;
        for (to, why) in [("vic@team.example", "the role Viewer may not"), ("bob@team.example", "they started this run")] {
            let error = ApiError::from(approvals::delegate(&ada, asked.id, to).await.unwrap_err());
            assert_eq!(error.status(), 422);
            assert!(error.field("/email").is_some_and(|said| said.contains(why)), "{error:?}");
        }
    }

    async fn a_deadline_leaves_by_its_own_port_and_a_cancelled_run_asks_nobody(site: Site) {
        let (owner, ..) = people(&site).await;
        workflow::boot(&site.runtime).await.unwrap();
        let run = start(&owner, &ask(json!({"deadline_ms": 60_000})), json!({"n": 1})).await;
        until(&owner, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(60_000);
        assert_eq!(end(&owner, run).await.steps[0].port.as_deref(), Some("expired"));
        let run = start(&owner, &ask(json!({})), json!({"n": 2})).await;
        until(&owner, run, RunStatus::Waiting).await;
        workflow::control(&owner, run, Command::Cancel).await.unwrap();
        let ended = approvals::list(&owner, ApprovalFilter::Decided, &weft::model::PageRequest::default()).await.unwrap();
        let outcomes: Vec<_> = ended.items.iter().filter_map(|approval| approval.outcome.clone()).collect();
        assert_eq!(outcomes.len(), 2);
        assert!(outcomes.contains(&"expired".to_owned()) && outcomes.contains(&"cancelled".to_owned()), "{outcomes:?}");
    }
}

async fn only_name(ctx: &Ctx) -> Value {
    json!(weft::auth::get_me(ctx).await.unwrap().name)
}
