//! Restarts, edited outputs and comparisons inside of containers.

use serde_json::json;
use weft::model::workflow::{Definition, Fact, Fork, RunStatus, TriggerKind};
use weft::model::{ApiError, RunId};
use weft::runtime::Ctx;
use weft::workflow::{self, NewRun, Source, travel};

use super::*;

/// A map of three items, `add` and then `told` in each; a branch beside it.
fn each() -> Definition {
    let body = json!({"steps": [transform("same", json!("{{ item }}")), transform("add", json!("{{ item + inputs.n }}")), transform("told", json!("{{ steps.add.output }}!"))],
        "edges": [{"from": "same", "to": "add"}, {"from": "add", "to": "told"}], "output": "{{ steps.told.output }}"});
    let map = json!({"id": "m", "kind": "map", "config": {"items": [10, 20, 30], "concurrency": 3}, "body": body});
    definition(json!({"weft": 1, "name": "each", "inputs": {"type": "object", "properties": {"n": {}}},
        "steps": [map, transform("beside", json!(1)), transform("later", json!(2)), transform("after", json!("{{ steps.m.output }}"))],
        "edges": [{"from": "beside", "to": "later"}, {"from": "m", "to": "after"}], "output": "{{ steps.after.output }}"}))
}

/// The paths of the steps that began in a run itself, and not in the one that it was forked from.
async fn own(ctx: &Ctx, run: RunId) -> Vec<String> {
    let events = workflow::list_events(ctx, run, 0, 1000).await.unwrap();
    let is_own = |event: &weft::model::workflow::Event| matches!(&event.fact, Fact::StepStarted { key, .. } if key.starts_with(&run.to_string()));
    let mut paths: Vec<String> =
        events.iter().filter(|event| is_own(event)).filter_map(|event| event.step.clone()).collect();
    paths.sort();
    paths
}

fn refusal(error: workflow::Error) -> (u16, ApiError) {
    let error = ApiError::from(error);
    (error.status(), error)
}

on_both_engines! {
    async fn a_restart_inside_of_a_container_repeats_nothing_that_does_not_depend_on_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &each(), json!({"n": 1})).await;
        assert_eq!(end(&ctx, run).await.output, json!(["11!", "21!", "31!"]));
        for (path, again) in [
            ("m[1].told", vec!["after", "m[1].told"]),
            ("m[1]", vec!["after", "m[1].add", "m[1].same", "m[1].told"]),
            ("beside", vec!["beside", "later"]),
        ] {
            let fork = travel::fork(&ctx, run, Fork::step(path), None).await.unwrap();
            let detail = end(&ctx, fork).await;
            assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!(["11!", "21!", "31!"])));
            assert_eq!(own(&ctx, fork).await, again, "from {path}");
        }
        for (path, said) in [("m[9]", "m[9] has not begun in this run"), ("m[1].nowhere", "the run has no step m[1].nowhere")] {
            let (status, error) = refusal(travel::fork(&ctx, run, Fork::step(path), None).await.unwrap_err());
            assert_eq!((status, error.field("/from_step")), (422, Some(said)));
        }
    }

    async fn an_output_inside_of_a_container_is_edited_or_refused_by_its_field(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &each(), json!({"n": 1})).await;
        let last = end(&ctx, run).await.last_seq;
        let outputs = || [("m[1].add".to_owned(), json!(99))].into();
        let fork = travel::fork(&ctx, run, Fork { outputs: outputs(), ..Fork::step("m[1].told") }, None).await.unwrap();
        assert_eq!(end(&ctx, fork).await.output, json!(["11!", "99!", "31!"]));
        let (status, error) = refusal(travel::fork(&ctx, run, Fork { outputs: outputs(), ..Fork::at(last) }, None).await.unwrap_err());
        let said = error.field("/state_patch/steps/m[1].add/output").unwrap_or_default();
        assert!(status == 422 && said.contains("m[1] was over before the fork"), "{error:?}");
    }

    async fn two_runs_part_at_the_innermost_step_that_differs(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let a = start(&ctx, &each(), json!({"n": 1})).await;
        let b = start(&ctx, &each(), json!({"n": 2})).await;
        end(&ctx, a).await;
        end(&ctx, b).await;
        let first = travel::compare(&ctx, a, b).await.unwrap().first.unwrap();
        assert_eq!((first.step.as_str(), first.what.as_str()), ("m[0].add", "it gave back something else"));
        assert_eq!(travel::compare(&ctx, a, a).await.unwrap().first, None);
    }

    async fn a_run_goes_up_to_no_step_inside_of_a_container_and_says_so(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let new = NewRun { until: Some("add".to_owned()), ..NewRun::new(Source::Inline(Box::new(each())), json!({"n": 1}), TriggerKind::Cli) };
        let (status, error) = refusal(workflow::start(&ctx, new).await.unwrap_err());
        let said = error.field("/until").unwrap_or_default();
        assert!(status == 422 && said.contains("add is inside of m") && said.contains("such as m"), "{error:?}");
    }
}
