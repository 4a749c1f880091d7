//! Webhooks over HTTP: who may call, what a repeat is, what the caller gets.

use axum::http::{Method, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};
use weft::model::trigger::{Answer, Config, KeyKind, Outcome, TriggerDraft, TriggerMade};
use weft::model::workflow::TriggerKind;
use weft::model::{PageRequest, RunId, WorkflowId};
use weft::runtime::{Ctx, Runtime};
use weft::trigger;
use weft::workflow;

use super::workflow as workflow_of;
use super::{ctx, draft, end, firings, long, make, outcomes, short};
use crate::auth::{Call, call, json_of};

pub fn webhook(flow: WorkflowId, answer: Answer, signed: bool) -> TriggerDraft {
    draft(flow, Config::Webhook { answer, signed, rate_per_minute: 600, call_id: None })
}

/// The path of a webhook that was just made.
pub fn path(made: &TriggerMade) -> String {
    let url = made.url.clone().unwrap();
    url[url.find("/api/v1/").unwrap()..].to_owned()
}

pub fn post(path: &str) -> Call {
    call(Method::POST, path)
}

pub async fn run_of(response: axum::response::Response) -> RunId {
    json_of(response).await["run_id"].as_str().unwrap().parse().unwrap()
}

fn signature(secret: &str, id: &str, timestamp: i64, body: &str) -> String {
    let secret = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<sha2::Sha256>::new_from_slice(&secret).unwrap();
    mac.update(format!("{id}.{timestamp}.{body}").as_bytes());
    format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
}

pub fn signed(path: &str, secret: &str, id: &str, timestamp: i64, body: &Value) -> Call {
    post(path)
        .with("webhook-id", id)
        .with("webhook-timestamp", &timestamp.to_string())
        .with("webhook-signature", &signature(secret, id, timestamp, &body.to_string()))
        .json(body)
}

pub async fn count_of_runs(ctx: &Ctx) -> usize {
    let page = PageRequest { limit: 200, cursor: None };
    workflow::list_runs(ctx, &weft::model::workflow::RunFilter::default(), &page).await.unwrap().items.len()
}

/// A workflow that answers with its input, by this config.
pub async fn answering(ctx: &Ctx, config: Value) -> WorkflowId {
    workflow_of(
        ctx,
        "Answers",
        vec![
            json!({"id": "say", "kind": "respond", "config": config}),
            json!({"id": "then", "kind": "wait", "config": {"ms": 3_600_000}}),
        ],
    )
    .await
}

pub fn seconds(rt: &Runtime) -> i64 {
    rt.clock.now().unix_ms() / 1000
}

on_both_engines! {
    async fn a_call_starts_a_run_with_its_body_as_inputs(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, false)).await;
        let answer = post(&path(&made)).with("authorization", "Basic x").json(&json!({"n": 3})).send(rt).await;
        assert_eq!(answer.status(), 202);
        let run = end(&ctx, run_of(answer).await).await;
        assert_eq!((run.summary.trigger, run.inputs), (TriggerKind::Webhook, json!({"n": 3})));
        let found = firings(&ctx, made.trigger.id).await;
        assert_eq!(outcomes(&found), [Outcome::Started]);
        assert_eq!(found[0].run_id, Some(run.summary.id));
        assert_eq!(found[0].event["bytes"], 7);
        // A form, and no body at all.
        let form = post(&path(&made)).text("application/x-www-form-urlencoded", "a=b+c").send(rt).await;
        assert_eq!(end(&ctx, run_of(form).await).await.inputs, json!({"a": "b c"}));
        assert_eq!(post(&path(&made)).status(rt).await, 202);
    }

    async fn the_inputs_come_from_a_template_over_body_headers_and_query(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let mut draft = webhook(short(&ctx, "Hook").await, Answer::Accept, false);
        draft.inputs = json!({"n": "{{ event.body.n }}", "kind": "{{ event.headers['x-kind'] }}", "q": "{{ event.query.q }}"});
        let made = make(&ctx, draft).await;
        let answer = post(&format!("{}?q=a%20b", path(&made))).with("x-kind", "push").json(&json!({"n": [1]})).send(rt).await;
        assert_eq!(end(&ctx, run_of(answer).await).await.inputs, json!({"n": [1], "kind": "push", "q": "a b"}));
        // What the template uses and the call lacks is the caller's to mend.
        let lacking = post(&path(&made)).json(&json!({})).send(rt).await;
        assert_eq!(lacking.status(), 422);
        assert_eq!(outcomes(&firings(&ctx, made.trigger.id).await), [Outcome::Started, Outcome::Failed]);
    }

    async fn an_unknown_token_names_nothing(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let (flow, other) = (short(&ctx, "Hook").await, short(&ctx, "Other").await);
        let made = make(&ctx, webhook(flow, Answer::Accept, false)).await;
        let good = path(&made);
        for bad in [
            good.replace(&flow.to_string(), &other.to_string()),
            good.replace(&flow.to_string(), "nothing"),
            format!("{good}x"),
            format!("/api/v1/hooks/{flow}/{}", made.trigger.webhook.as_ref().unwrap().tokens[0].hint),
        ] {
            assert_eq!(post(&bad).json(&json!({})).status(rt).await, 404, "{bad}");
        }
        assert!(firings(&ctx, made.trigger.id).await.is_empty());
        assert!(!serde_json::to_string(&made.trigger).unwrap().contains(good.rsplit('/').next().unwrap()));
    }

    async fn a_webhook_that_is_off_is_not_there_and_a_row_tells_who_called(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let mut draft = webhook(short(&ctx, "Hook").await, Answer::Accept, false);
        draft.enabled = false;
        let made = make(&ctx, draft).await;
        assert_eq!(post(&path(&made)).json(&json!({})).status(rt).await, 404);
        let found = firings(&ctx, made.trigger.id).await;
        assert_eq!((found[0].outcome, found[0].reason.as_str()), (Outcome::Refused, "the webhook is off"));
    }

    async fn a_repeat_is_answered_with_the_first_run_and_starts_none(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, false)).await;
        let deliver = || post(&path(&made)).with("webhook-id", "msg_1").json(&json!({"n": 1})).send(rt);
        // Five times at once, in whatever order.
        let answers = futures::future::join_all((0..5).map(|_| deliver())).await;
        let mut runs = std::collections::HashSet::new();
        let mut statuses: Vec<u16> = answers.iter().map(|answer| answer.status().as_u16()).collect();
        for answer in answers {
            runs.insert(run_of(answer).await);
        }
        statuses.sort_unstable();
        assert_eq!((statuses, runs.len(), count_of_runs(&ctx).await), (vec![200, 200, 200, 200, 202], 1, 1));
        rt.clock.advance_ms(20 * 3_600_000);
        trigger::forget(rt).await.unwrap();
        assert_eq!(deliver().await.status(), 200);
        let found = firings(&ctx, made.trigger.id).await;
        assert_eq!(found.iter().filter(|firing| firing.outcome == Outcome::Duplicate).count(), 5);
        assert!(found.iter().all(|firing| runs.contains(&firing.run_id.unwrap())));
    }

    async fn a_repeat_is_known_by_what_the_webhook_says_names_a_call(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let mut wanted = webhook(short(&ctx, "Hook").await, Answer::Accept, false);
        let named = |template: &str| Config::Webhook {
            answer: Answer::Accept,
            signed: false,
            rate_per_minute: 600,
            call_id: Some(template.to_owned()),
        };
        for wrong in ["{{ run.id }}", "{{ event. }}", "always the same", " "] {
            wanted.config = named(wrong);
            let trigger::Error::Invalid(fields) = trigger::create(&ctx, wanted.clone()).await.unwrap_err() else { panic!("{wrong}") };
            assert_eq!(fields[0].pointer, "/config/call_id", "{wrong}");
        }
        wanted.config = named("{{ event.body.n }}");
        let made = make(&ctx, wanted).await;
        let deliver = async |body: Value, header: &str| {
            let answer = post(&path(&made)).with("webhook-id", header).json(&body).send(rt).await;
            (answer.status().as_u16(), run_of(answer).await)
        };
        let (status, first) = deliver(json!({"n": 7}), "m1").await;
        assert_eq!(status, 202);
        assert_eq!(deliver(json!({"n": 7}), "m2").await, (200, first));
        assert_eq!(deliver(json!({"n": 8}), "m1").await.0, 202);
        // Without one the header counts.
        let (status, third) = deliver(json!({}), "m3").await;
        assert_eq!((status, deliver(json!({}), "m3").await), (202, (200, third)));
        assert_eq!(count_of_runs(&ctx).await, 3);
        let found = firings(&ctx, made.trigger.id).await;
        let repeat = found.iter().find(|firing| firing.outcome == Outcome::Duplicate).unwrap();
        assert!(repeat.reason.contains("the id 7 came before") || repeat.reason.contains("the id m3 came before"));
        assert!(found.iter().any(|firing| firing.event["id"] == "7"), "{found:?}");
    }

    async fn a_signed_call_that_is_played_again_is_known_whatever_was_not_signed_says(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let flow = short(&ctx, "Hook").await;
        let mut wanted = webhook(flow, Answer::Accept, true);
        let Config::Webhook { call_id, .. } = &mut wanted.config else { panic!("a webhook") };
        *call_id = Some("{{ event.headers['x-delivery'] }}".to_owned());
        let trigger::Error::Invalid(fields) = trigger::create(&ctx, wanted).await.unwrap_err() else { panic!("it was taken") };
        assert_eq!(fields[0].pointer, "/config/call_id");
        let made = make(&ctx, webhook(flow, Answer::Accept, true)).await;
        let secret = made.secret.clone().unwrap().0;
        let play = |query: &str| signed(&format!("{}{query}", path(&made)), &secret, "msg_1", seconds(rt), &json!({"n": 1}));
        let first = play("").send(rt).await;
        assert_eq!(first.status(), 202);
        let run = run_of(first).await;
        for again in [play("?x=1").with("x-delivery", "2"), play("").with("idempotency-key", "other")] {
            let answer = again.send(rt).await;
            assert_eq!((answer.status().as_u16(), run_of(answer).await), (200, run));
        }
        assert_eq!(count_of_runs(&ctx).await, 1);
    }

    async fn repeats_that_arrive_while_the_first_call_is_being_settled_learn_its_run(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, false)).await;
        let path = path(&made);
        for n in 0..12 {
            // The rate starts afresh.
            rt.clock.advance_ms(60_000);
            let id = format!("msg_{n}");
            let deliver = || post(&path).with("webhook-id", &id).json(&json!({"n": 1})).status(rt);
            let statuses = futures::future::join_all((0..6).map(|_| deliver())).await;
            assert!(statuses.iter().all(|status| [200, 202].contains(&status.as_u16())), "{id}: {statuses:?}");
        }
    }

    async fn a_call_that_failed_may_be_sent_again_under_its_id(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let definition = serde_json::from_value(crate::http::definition("Draft")).unwrap();
        let flow = workflow::definitions::create(&ctx, definition).await.unwrap();
        let made = make(&ctx, webhook(flow.id, Answer::Accept, false)).await;
        let deliver = || post(&path(&made)).with("idempotency-key", "k").json(&json!({})).status(rt);
        assert_eq!(deliver().await, 409);
        workflow::definitions::publish(&ctx, flow.id).await.unwrap();
        assert_eq!(deliver().await, 202);
        assert_eq!(deliver().await, 200);
    }

    async fn only_a_call_signed_just_now_gets_through(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, true)).await;
        let (path, secret) = (path(&made), made.secret.clone().unwrap().0);
        let now = seconds(rt);
        let body = json!({"n": 1});
        assert_eq!(post(&path).json(&body).status(rt).await, 401);
        let forged = format!("whsec_{}", STANDARD.encode([7; 32]));
        assert_eq!(signed(&path, &forged, "m1", now, &body).status(rt).await, 401);
        assert_eq!(signed(&path, &secret, "m1", now - 301, &body).status(rt).await, 401);
        let moved = post(&path).with("webhook-id", "m1").with("webhook-timestamp", &now.to_string())
            .with("webhook-signature", &signature(&secret, "m1", now, &body.to_string())).json(&json!({"n": 2}));
        assert_eq!(moved.status(rt).await, 401);
        assert_eq!(count_of_runs(&ctx).await, 0);
        assert_eq!(signed(&path, &secret, "m1", now, &body).status(rt).await, 202);
        assert_eq!(signed(&path, &secret, "m1", now + 100, &body).status(rt).await, 200, "a replay");
        assert_eq!(count_of_runs(&ctx).await, 1);
        let refused = firings(&ctx, made.trigger.id).await.into_iter().filter(|firing| firing.outcome == Outcome::Refused);
        assert_eq!(refused.count(), 4);
    }

    async fn while_a_token_or_secret_is_replaced_both_are_live(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let first = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, true)).await;
        let id = first.trigger.id;
        let second = trigger::replace_key(&ctx, id, KeyKind::Token).await.unwrap();
        let secrets = [first.secret.clone().unwrap().0, trigger::replace_key(&ctx, id, KeyKind::Secret).await.unwrap().secret.unwrap().0];
        let mut number = 0;
        let mut status = async |path: String, secret: &str| {
            number += 1;
            signed(&path, secret, &format!("m{number}"), seconds(rt), &json!({})).status(rt).await
        };
        for path in [path(&first), path(&second)] {
            for secret in &secrets {
                assert_eq!(status(path.clone(), secret).await, 202);
            }
        }
        let webhook = trigger::get(&ctx, id).await.unwrap().webhook.unwrap();
        assert_eq!((webhook.tokens.len(), webhook.secrets.len()), (2, 2));
        assert!(trigger::delete_key(&ctx, id, webhook.tokens[0].id).await.is_err(), "the newest stays");
        trigger::delete_key(&ctx, id, webhook.tokens[1].id).await.unwrap();
        assert_eq!(status(path(&first), &secrets[1]).await, 404);
        rt.clock.advance_ms(24 * 3_600_000);
        assert_eq!(status(path(&second), &secrets[0]).await, 401, "the old secret lived a day");
        assert_eq!(status(path(&second), &secrets[1]).await, 202);
        trigger::replace_key(&ctx, id, KeyKind::Token).await.unwrap();
        trigger::replace_key(&ctx, id, KeyKind::Token).await.unwrap();
        assert_eq!(trigger::get(&ctx, id).await.unwrap().webhook.unwrap().tokens.len(), 2, "never more than two");
        assert_eq!(status(path(&second), &secrets[1]).await, 404);
    }

    async fn the_respond_step_answers_the_caller_who_waits(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let flow = answering(&ctx, json!({
            "status": 201, "headers": {"x-order": "{{ inputs.n }}", "content-type": "application/problem+json"},
            "json": {"got": "{{ inputs.n }}"},
        })).await;
        let made = make(&ctx, webhook(flow, Answer::Wait { ms: 30_000 }, false)).await;
        let answer = post(&path(&made)).json(&json!({"n": 7})).send(rt).await;
        assert_eq!(answer.status(), 201);
        let header = |name: &str| answer.headers().get(name).unwrap().to_str().unwrap().to_owned();
        assert_eq!((header("x-order"), header("content-type")), ("7".to_owned(), "application/problem+json".to_owned()));
        assert!(header("content-security-policy").contains("sandbox"));
        assert_eq!(json_of(answer).await, json!({"got": 7}));
    }

    async fn a_run_that_ends_without_an_answer_is_one(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Wait { ms: 30_000 }, false)).await;
        let answer = post(&path(&made)).json(&json!({})).send(rt).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(json_of(answer).await["status"], "succeeded");
        let failing = workflow_of(&ctx, "Fails", vec![json!({"id": "a", "kind": "transform", "config": {"value": "{{ inputs.missing }}"}})]).await;
        let made = make(&ctx, webhook(failing, Answer::Wait { ms: 30_000 }, false)).await;
        let answer = post(&path(&made)).json(&json!({})).send(rt).await;
        assert_eq!(answer.status(), StatusCode::INTERNAL_SERVER_ERROR);
        assert_eq!(json_of(answer).await["title"], "Run ended");
    }

    async fn a_caller_who_waited_long_enough_gets_the_run(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(long(&ctx, "Slow").await, Answer::Wait { ms: 100 }, false)).await;
        let answer = post(&path(&made)).json(&json!({})).send(rt).await;
        assert_eq!(answer.status(), 202);
        run_of(answer).await;
    }

    async fn bodies_that_can_not_be_read_are_refused_and_told(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let made = make(&ctx, webhook(short(&ctx, "Hook").await, Answer::Accept, false)).await;
        let path = path(&made);
        let large = format!("{{\"a\": \"{}\"}}", "x".repeat(1024 * 1024));
        assert_eq!(post(&path).text("application/json", &large).status(rt).await, 413);
        assert_eq!(post(&path).text("application/json", "{").status(rt).await, 422);
        assert_eq!(post(&path).text("multipart/form-data; boundary=x", "--x--").status(rt).await, 415);
        assert_eq!(post(&path).json(&json!([1])).status(rt).await, 422, "inputs have names");
        assert_eq!(post(&path).with("webhook-id", &"x".repeat(129)).json(&json!({})).status(rt).await, 422);
        let found = outcomes(&firings(&ctx, made.trigger.id).await);
        assert_eq!(found, [Outcome::Refused, Outcome::Refused, Outcome::Refused, Outcome::Failed, Outcome::Refused]);
        // A body may hold what a database's JSON type could not.
        assert_eq!(post(&path).json(&json!({"a": "\0"})).status(rt).await, 202);
    }

    async fn too_many_calls_are_refused_and_told_once_a_minute(site: Site) {
        let rt = &site.runtime;
        let ctx = ctx(rt).await;
        let config = Config::Webhook { answer: Answer::Accept, signed: false, rate_per_minute: 5, call_id: None };
        let made = make(&ctx, draft(short(&ctx, "Hook").await, config)).await;
        for _ in 0..5 {
            assert_eq!(post(&path(&made)).json(&json!({})).status(rt).await, 202);
        }
        for _ in 0..3 {
            let answer = post(&path(&made)).json(&json!({})).send(rt).await;
            assert_eq!(answer.status(), 429);
            assert!(answer.headers().contains_key("retry-after"));
        }
        let refused = firings(&ctx, made.trigger.id).await.into_iter().filter(|firing| firing.outcome == Outcome::Refused);
        assert_eq!(refused.count(), 1);
        rt.clock.advance_ms(60_000);
        assert_eq!(post(&path(&made)).json(&json!({})).status(rt).await, 202);
    }

    async fn turning_signing_on_gives_a_secret_and_off_takes_it_away(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "Hook").await;
        let made = make(&ctx, webhook(flow, Answer::Accept, false)).await;
        let on = trigger::update(&ctx, made.trigger.id, 1, webhook(flow, Answer::Accept, true)).await.unwrap();
        assert!(on.secret.unwrap().0.starts_with("whsec_") && on.url.is_none());
        let off = trigger::update(&ctx, made.trigger.id, 2, webhook(flow, Answer::Accept, false)).await.unwrap();
        assert!(off.secret.is_none() && off.trigger.webhook.unwrap().secrets.is_empty());
    }
}
