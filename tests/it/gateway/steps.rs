//! The step `prompt`: through the engine, kept against its run.

use serde_json::{Value, json};
use weft::gateway;
use weft::model::gateway::{CallOutcome, CallSource, PriceDraft, ProviderKind, SumBy, TokensBy, UsageFilter};
use weft::model::workflow::{RunDetail, RunStatus};
use weft::runtime::Ctx;

use super::upstream::{Reply, Upstream};
use super::{add, calls, chunks, first_chunks, somebody};
use crate::engine::{chain, end, start};
use crate::support::Site;

async fn run(ctx: &Ctx, config: Value) -> RunDetail {
    let mut definition = chain(vec![json!({"id": "ask", "kind": "prompt", "config": config})]);
    definition.output = json!("{{ steps.ask.output }}");
    let run = start(ctx, &definition, json!({"n": "loom"})).await;
    end(ctx, run).await
}

/// The run's output, or why its step failed.
fn outcome(detail: &RunDetail) -> (RunStatus, Value) {
    let detail = serde_json::to_value(detail).unwrap();
    let status = serde_json::from_value(detail["status"].clone()).unwrap();
    let step = &detail["steps"][0];
    (status, if status == RunStatus::Succeeded { detail["output"].clone() } else { step["error"].clone() })
}

fn schema() -> Value {
    json!({"type": "object", "required": ["n"], "additionalProperties": false, "properties": {"n": {"type": "integer"}}})
}

on_both_engines! {
    async fn a_prompt_asks_a_model_and_is_metered_against_its_run(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([Reply::Events(chunks(&["A ", "loom."]))]).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let price: PriceDraft = serde_json::from_value(json!({"model": "big", "input": 1_000_000, "output": 10_000_000})).unwrap();
        gateway::put_price(&ctx, acme.id, price).await.unwrap();
        let detail = run(&ctx, json!({"system": "You weave.", "prompt": "What is a {{ inputs.n }}?", "max_tokens": 30, "temperature": 0.5})).await;
        let (status, output) = outcome(&detail);
        assert_eq!(status, RunStatus::Succeeded, "{output}");
        assert_eq!((&output["text"], &output["json"], &output["model"]), (&json!("A loom."), &Value::Null, &json!("big")));
        assert_eq!((&output["usage"]["input"], &output["usage"]["output"]), (&json!(1000), &json!(100)));
        assert_eq!((&output["cost_usd"], &output["calls"]), (&json!(0.002), &json!(1)));
        assert_eq!(output["why"], "the first model of acme, since no route is called default; acme/big answered");
        let sent = &upstream.seen()[0].body;
        assert_eq!(sent["messages"], json!([
            {"role": "system", "content": "You weave."}, {"role": "user", "content": "What is a loom?"},
        ]));
        assert_eq!((&sent["max_tokens"], &sent["temperature"]), (&json!(30), &json!(0.5)));

        let log = calls(&ctx).await;
        let run_id = detail.summary.id;
        assert_eq!((log.len(), log[0].source, log[0].run_id, log[0].step.as_deref()), (1, CallSource::Step, Some(run_id), Some("ask")));
        let filter = UsageFilter { by: SumBy::Step, run_id: Some(run_id), ..UsageFilter::default() };
        let sums = gateway::sum_usage(&ctx, &filter).await.unwrap();
        assert_eq!((sums[0].of.clone(), sums[0].cost_micros), (format!("{run_id}/ask"), 2_000));
    }

    async fn past_runs_tell_what_the_next_is_likely_to_cost(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start(["a", "b", "c"].map(|text| Reply::Events(chunks(&[text])))).await;
        let acme = add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let price: PriceDraft = serde_json::from_value(json!({"model": "big", "input": 1_000_000, "output": 10_000_000})).unwrap();
        gateway::put_price(&ctx, acme.id, price).await.unwrap();
        let ask = json!({"id": "ask", "kind": "prompt", "config": {"prompt": "What is {{ item }}?"}});
        let each = json!({"id": "each", "kind": "map", "config": {"items": "{{ inputs.of }}"}, "body": {"steps": [ask]}});
        let mut definition = chain(vec![each]);
        definition.inputs = json!({"type": "object", "properties": {"of": {"type": "array"}}});
        let made = weft::workflow::definitions::create(&ctx, definition).await.unwrap();
        weft::workflow::definitions::publish(&ctx, made.id).await.unwrap();
        assert_eq!(weft::monitor::cost(&ctx, made.id).await.unwrap().runs, 0);
        // Before there is a run, its words and limits tell.
        let estimate = weft::workflow::estimate_cost(&ctx, made.id).await.unwrap();
        let ask = estimate.step("each.ask").unwrap();
        assert_eq!((ask.model.as_str(), ask.least_calls, ask.most_calls), ("acme/big", 1, 10));
        assert_eq!((ask.least.input, ask.most.input), (11, 10 * 2_011), "its own words, and what a template puts in");
        assert_eq!((estimate.least_micros, estimate.most_micros, estimate.unpriced), (651, 122_510, 0));
        assert!(ask.how.contains("each is taken to have 1 to 10 items"), "{}", ask.how);
        assert_eq!(ask.reads_by, TokensBy::Estimate);
        let unknown = weft::workflow::estimate_cost(&ctx, ctx.ids.fresh()).await.unwrap_err();
        assert_eq!(weft::model::ApiError::from(unknown).status(), 404);
        for of in [json!(["a loom", "a weft"]), json!(["a warp"])] {
            let new = weft::workflow::NewRun::manual(made.id, json!({"of": of}), None, false);
            let run = weft::workflow::start(&ctx, new).await.unwrap();
            end(&ctx, run).await;
        }
        gateway::settled(&ctx).await;
        let preview = weft::monitor::cost(&ctx, made.id).await.unwrap();
        assert_eq!((preview.runs, preview.least_micros, preview.most_micros, preview.unpriced), (2, 2_000, 4_000, 0));
        let step = preview.step("each.ask").unwrap();
        assert_eq!((step.runs, step.calls, step.cost_micros, step.usage.output), (2, 3, 6_000, 300));
        assert_eq!((step.median_input, step.median_output, step.median_micros), (2_000, 200, Some(4_000)), "of one run");
        let unknown = weft::monitor::cost(&ctx, ctx.ids.fresh()).await.unwrap_err();
        assert_eq!(unknown.status(), 404);
    }

    async fn before_the_first_run_words_are_counted_by_the_vocabulary_of_who_would_be_asked(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = Upstream::start([]).await;
        add(&ctx, "acme", ProviderKind::OpenAi, &upstream, &["gpt-4o"]).await;
        // 26 characters, and 19 tokens.
        let prompt = "東京は日本の首都であり、世界最大の都市のひとつです。";
        let definition = chain(vec![json!({"id": "ask", "kind": "prompt", "config": {"prompt": prompt, "model": "gpt-4o"}})]);
        let made = weft::workflow::definitions::create(&ctx, definition).await.unwrap();
        let estimate = weft::workflow::estimate_cost(&ctx, made.id).await.unwrap();
        let ask = estimate.step("ask").unwrap();
        assert_eq!((ask.least.input, ask.reads_by), (19 + 8, TokensBy::Tokenizer));
        assert!(!estimate.assumes.iter().any(|one| one.contains("four characters")), "{:?}", estimate.assumes);
        assert_eq!(upstream.count(), 0, "nobody is asked");
    }

    async fn an_answer_that_does_not_fit_is_asked_for_again(site: Site) {
        let ctx = somebody(&site).await;
        let answers = ["It is three.", "{\"n\": \"3\"}", "```json\n{\"n\": 3}\n```"];
        let upstream = Upstream::start(answers.map(|text| Reply::Events(chunks(&[text])))).await;
        add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
        let (status, output) = outcome(&run(&ctx, json!({"prompt": "How many?", "schema": schema()})).await);
        assert_eq!((status, &output["json"], &output["calls"]), (RunStatus::Succeeded, &json!({"n": 3}), &json!(3)));
        assert_eq!((&output["usage"]["output"], &output["cost_usd"]), (&json!(300), &Value::Null));
        let last = &upstream.seen()[2].body["messages"];
        assert!(last[0]["content"].as_str().unwrap().contains("JSON Schema"));
        assert_eq!(last[4]["content"], "{\"n\": \"3\"}");
        assert!(last[5]["content"].as_str().unwrap().contains("/n"), "{last}");
        assert_eq!(calls(&ctx).await.len(), 3);
    }

    async fn a_step_without_a_provider_says_what_to_set(site: Site) {
        let ctx = somebody(&site).await;
        let (status, error) = outcome(&run(&ctx, json!({"prompt": "Hello?"})).await);
        assert_eq!((status, &error["class"]), (RunStatus::Failed, &json!("no_provider")));
        assert_eq!(error["message"], "no provider is set up; add one on the page Providers, or with POST /api/v1/providers");
        assert_eq!(error["retryable"], false);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_never_fits_fails_the_step() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([]).await;
    for _ in 0..2 {
        upstream.then(Reply::Events(chunks(&["no"])));
    }
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    let (status, error) = outcome(&run(&ctx, json!({"prompt": "x", "schema": schema(), "repairs": 1})).await);
    assert_eq!((status, &error["class"]), (RunStatus::Failed, &json!("schema")));
    assert!(error["message"].as_str().unwrap().starts_with("after 2 answers none fits the schema: expected JSON"));
    assert_eq!(upstream.count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_schema_goes_along_where_the_model_takes_one() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream =
        Upstream::start([Reply::Events(chunks(&["{\"n\":1}"])), Reply::Events(chunks(&["{\"n\":1}"]))]).await;
    let mut draft = super::draft("acme", ProviderKind::OpenAi, &upstream, &["plain", "exact"]);
    draft.models[1].json_schema = true;
    gateway::create_provider(&ctx, draft).await.unwrap();
    for model in ["plain", "exact"] {
        let (status, output) = outcome(&run(&ctx, json!({"prompt": "x", "model": model, "schema": schema()})).await);
        assert_eq!(status, RunStatus::Succeeded, "{output}");
    }
    let formats: Vec<Value> = upstream.seen().iter().map(|seen| seen.body["response_format"]["type"].clone()).collect();
    assert_eq!(formats, [Value::Null, json!("json_schema")]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_whose_answer_breaks_off_is_tried_again_as_the_step_says() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([Reply::Cut(first_chunks(&["A"])), Reply::Events(chunks(&["A loom."]))]).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    let mut definition = chain(vec![json!({"id": "ask", "kind": "prompt", "config": {"prompt": "x"},
        "retry": {"max_attempts": 2, "initial_ms": 1, "jitter": false}})]);
    definition.output = json!("{{ steps.ask.output.text }}");
    let run = start(&ctx, &definition, json!({})).await;
    let detail = end(&ctx, run).await;
    assert_eq!(detail.summary.status, RunStatus::Succeeded);
    let outcomes: Vec<_> = calls(&ctx).await.iter().map(|call| call.outcome).collect();
    assert_eq!(outcomes, [CallOutcome::Complete, CallOutcome::Partial]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_run_that_is_cancelled_lets_go_of_its_model() {
    let site = Site::sqlite().await;
    let ctx = somebody(&site).await;
    let upstream = Upstream::start([Reply::Stall(first_chunks(&["A"]))]).await;
    add(&ctx, "acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]).await;
    let definition = chain(vec![json!({"id": "ask", "kind": "prompt", "config": {"prompt": "x"}})]);
    let mut changes = ctx.events.subscribe();
    let run = start(&ctx, &definition, json!({})).await;
    while upstream.count() == 0 {
        // Told how far it is, or that it began; whichever comes, the server is looked at again.
        let _ = tokio::time::timeout(std::time::Duration::from_millis(50), changes.recv()).await;
    }
    weft::workflow::control(&ctx, run, weft::model::workflow::Command::Cancel).await.unwrap();
    assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Cancelled);
    // The step lets go, and what it took is written down, a moment after the run has ended.
    let mut log = calls(&ctx).await;
    for _ in 0..400 {
        if !log.is_empty() {
            break;
        }
        let _ = tokio::time::timeout(std::time::Duration::from_millis(50), changes.recv()).await;
        log = calls(&ctx).await;
    }
    assert_eq!(log.len(), 1);
    assert!(log[0].error.as_ref().unwrap().contains("went away"), "{:?}", log[0]);
}
