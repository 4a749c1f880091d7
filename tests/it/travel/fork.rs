//! Runs that begin with the history of another.

use serde_json::{Value, json};
use weft::model::ApiError;
use weft::model::workflow::{Event, Fact, Fork, ForkOnto, ForkPoint, RunStatus, StepStatus, TriggerKind};
use weft::model::{RunId, Timestamp};
use weft::runtime::Ctx;
use weft::workflow::{self, NewRun, Source, definitions, travel};

use super::*;

async fn history(ctx: &Ctx, run: RunId) -> Vec<Event> {
    workflow::list_events(ctx, run, 0, 1000).await.unwrap()
}

fn starts(events: &[Event], id: &str) -> Vec<String> {
    let key = |event: &Event| match &event.fact {
        Fact::StepStarted { key, .. } if event.step.as_deref() == Some(id) => Some(key.clone()),
        _ => None,
    };
    events.iter().filter_map(key).collect()
}

/// `before`, then a wait until `inputs.at`, then `after`.
fn appointment() -> weft::model::workflow::Definition {
    let mut definition = chain(vec![
        transform("before", json!({"n": "{{ inputs.n }}"})),
        json!({"id": "shaky", "kind": "wait", "config": {"until": "{{ inputs.at }}"}}),
        transform("after", json!("{{ steps.before.output.n }}")),
    ]);
    definition.output = json!("{{ steps.after.output }}");
    definition
}

fn status_of(error: workflow::Error) -> (u16, ApiError) {
    let error = ApiError::from(error);
    (error.status(), error)
}

on_both_engines! {
    async fn a_failed_run_is_forked_with_other_inputs_and_keeps_what_was_done(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &appointment(), json!({"n": 7, "at": "never"})).await;
        let failed = end(&ctx, run).await;
        assert_eq!(failed.summary.status, RunStatus::Failed);
        let edited = Fork { inputs: Some(json!({"n": 8, "at": "2020-01-01T00:00:00Z"})), ..Fork::at(failed.last_seq) };
        let fork = travel::fork(&ctx, run, edited, None).await.unwrap();
        let detail = end(&ctx, fork).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded, "{detail:#?}");
        // `before` was not run again: its output is of the old inputs.
        assert_eq!((&detail.output, detail.inputs["n"].as_i64()), (&json!(7), Some(8)));
        let (old, new) = (history(&ctx, run).await, history(&ctx, fork).await);
        assert_eq!(starts(&new, "before"), starts(&old, "before"));
        let keys = starts(&new, "shaky");
        assert_eq!(keys.len(), 2);
        assert!(keys[1].starts_with(&fork.to_string()), "{keys:?}");
        let origin = detail.lineage.forked_from.unwrap();
        assert_eq!((origin.run_id, origin.seq), (run, failed.last_seq));
        let source = workflow::get_run(&ctx, run).await.unwrap();
        assert_eq!(source.lineage.forks.iter().map(|fork| fork.run_id).collect::<Vec<_>>(), [fork]);
        assert_eq!(source.summary.status, RunStatus::Failed, "the source stays as it was");
    }

    async fn a_fork_begins_with_the_very_events_of_its_source(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let big = "x".repeat(10_000);
        let mut definition = chain(vec![transform("a", json!(big)), transform("b", json!(2)), transform("c", json!(3))]);
        definition.output = json!("{{ steps.a.output }}");
        let run = start(&ctx, &definition, json!({})).await;
        end(&ctx, run).await;
        let old = history(&ctx, run).await;
        for seq in 1..=old.len() {
            let fork = travel::fork(&ctx, run, Fork::at(seq as i64), None).await.unwrap();
            let detail = end(&ctx, fork).await;
            let new = history(&ctx, fork).await;
            assert_eq!(new[..seq], old[..seq]);
            let tail: Vec<_> = new[seq..].iter().map(|event| event.fact.kind()).collect();
            assert!(tail.contains(&"run_forked") && tail.last() == Some(&"run_succeeded"), "{tail:?}");
            assert_eq!((detail.output, detail.summary.steps_done), (json!(big), 3));
        }
        let (status, error) = status_of(travel::fork(&ctx, run, Fork::at(99), None).await.unwrap_err());
        assert_eq!((status, error.field("/from_seq").is_some()), (422, true));
        assert!(status_of(travel::fork(&ctx, run, Fork::at(0), None).await.unwrap_err()).1.field("/from_seq").is_some());
    }

    async fn a_run_restarts_from_a_step_and_what_went_on_beside_it_is_kept(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = definition(json!({"weft": 1, "name": "two", "steps": [
            transform("root", json!(1)), wait("left", 1), wait("right", 1), transform("end", json!("{{ steps.left.status }}"))],
            "edges": [{"from": "root", "to": "left"}, {"from": "root", "to": "right"}, {"from": "left", "to": "end"}]}));
        workflow::boot(&site.runtime).await.unwrap();
        let run = start(&ctx, &definition, json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(10);
        end(&ctx, run).await;
        let fork = travel::fork(&ctx, run, Fork::step("left"), None).await.unwrap();
        until(&ctx, fork, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(10);
        let detail = end(&ctx, fork).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded);
        let (old, new) = (history(&ctx, run).await, history(&ctx, fork).await);
        for kept in ["root", "right"] {
            assert_eq!(starts(&new, kept), starts(&old, kept), "{kept} is not run again");
        }
        for again in ["left", "end"] {
            assert!(starts(&new, again).iter().all(|key| key.starts_with(&fork.to_string())), "{again} is run again");
        }
        assert_eq!(new.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=new.len() as i64).collect::<Vec<_>>());
        let (status, error) = status_of(travel::fork(&ctx, run, Fork::step("nowhere"), None).await.unwrap_err());
        assert_eq!((status, error.field("/from_step").is_some()), (422, true));
    }

    async fn the_output_of_a_failed_step_is_given_by_hand(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &appointment(), json!({"n": 7, "at": "never"})).await;
        let last = end(&ctx, run).await.last_seq;
        let outputs = [("shaky".to_owned(), json!({"waited_ms": 0})), ("before".to_owned(), json!({"n": 70}))].into();
        let fork = travel::fork(&ctx, run, Fork { outputs, ..Fork::at(last) }, None).await.unwrap();
        let detail = end(&ctx, fork).await;
        assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!(70)));
        let Some(Fact::RunForked(forked)) = history(&ctx, fork).await.into_iter().map(|event| event.fact).find(|fact| matches!(fact, Fact::RunForked(_))) else { panic!() };
        assert_eq!(forked.edited, ["steps.before.output", "steps.shaky.output"]);
        let early = Fork { outputs: [("shaky".to_owned(), Value::Null)].into(), ..Fork::at(2) };
        let (status, error) = status_of(travel::fork(&ctx, run, early, None).await.unwrap_err());
        assert_eq!((status, error.field("/state_patch/steps/shaky/output").is_some()), (422, true));
    }

    async fn a_fork_goes_on_with_another_version_where_the_steps_before_are_the_same(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let stored = definitions::create(&ctx, appointment()).await.unwrap();
        definitions::publish(&ctx, stored.id).await.unwrap();
        let new = NewRun::manual(stored.id, json!({"n": 1, "at": "never"}), None, false);
        let run = workflow::start(&ctx, new).await.unwrap();
        let last = end(&ctx, run).await.last_seq;
        let mut mended = stored.draft.clone();
        mended.steps[1] = serde_json::from_value(wait("shaky", 0)).unwrap();
        definitions::save_draft(&ctx, stored.id, 1, &mended).await.unwrap();
        let draft = Fork { onto: ForkOnto::Draft, ..Fork::at(last) };
        let tested = end(&ctx, travel::fork(&ctx, run, draft.clone(), None).await.unwrap()).await;
        assert_eq!((tested.summary.status, tested.summary.trigger, tested.summary.version), (RunStatus::Succeeded, TriggerKind::Test, None));
        definitions::publish(&ctx, stored.id).await.unwrap();
        let second = Fork { onto: ForkOnto::Version(2), ..Fork::at(last) };
        let forked = end(&ctx, travel::fork(&ctx, run, second, None).await.unwrap()).await;
        assert_eq!((forked.summary.status, forked.summary.version), (RunStatus::Succeeded, Some(2)));
        mended.steps[0] = serde_json::from_value(json!({"id": "before", "kind": "http", "config": {"url": "http://x"}})).unwrap();
        definitions::save_draft(&ctx, stored.id, 2, &mended).await.unwrap();
        let (status, error) = status_of(travel::fork(&ctx, run, draft, None).await.unwrap_err());
        assert_eq!(status, 422, "{error:?}");
        assert!(error.to_string().contains("before"), "{error}");
    }

    async fn edited_inputs_must_fit_the_schema(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = appointment();
        definition.inputs["properties"]["n"] = json!({"type": "integer"});
        let run = start(&ctx, &definition, json!({"n": 1, "at": "never"})).await;
        end(&ctx, run).await;
        let fork = Fork { inputs: Some(json!({"n": "many", "at": "never"})), ..Fork::at(1) };
        let (status, error) = status_of(travel::fork(&ctx, run, fork, None).await.unwrap_err());
        assert_eq!((status, error.field("/inputs/n").is_some()), (422, true));
    }

    async fn a_step_in_flight_at_the_cut_starts_again_under_the_fork_s_own_key(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &chain(vec![wait("w", 60_000), transform("a", json!(1))]), json!({})).await;
        let waiting = until(&ctx, run, RunStatus::Waiting).await;
        let fork = travel::fork(&ctx, run, Fork::at(waiting.last_seq), None).await.unwrap();
        let detail = until(&ctx, fork, RunStatus::Waiting).await;
        let keys = starts(&history(&ctx, fork).await, "w");
        assert_eq!((keys.len(), detail.steps[0].attempt), (2, 2));
        assert!(keys[0].starts_with(&run.to_string()) && keys[1].starts_with(&fork.to_string()));
        assert_eq!(statuses(&workflow::get_run(&ctx, run).await.unwrap())[0], ("w", StepStatus::Waiting));
        assert_eq!(detail.summary.started_at, Some(site.runtime.clock.now()));
    }

    async fn the_same_key_gives_the_same_fork(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let run = start(&ctx, &chain(vec![transform("a", json!(1))]), json!({})).await;
        end(&ctx, run).await;
        let key = || Some("k".to_owned());
        let first = travel::fork(&ctx, run, Fork::at(1), key()).await.unwrap();
        assert_eq!(travel::fork(&ctx, run, Fork::at(1), key()).await.unwrap(), first);
        assert!(matches!(travel::fork(&ctx, run, Fork::at(2), key()).await, Err(workflow::Error::KeyReused)));
    }

    async fn a_run_of_another_workspace_is_not_forked(site: Site) {
        let (ours, theirs) = (ctx(&site.runtime).await, ctx(&site.runtime).await);
        let run = start(&ours, &chain(vec![transform("a", json!(1))]), json!({})).await;
        assert!(matches!(travel::fork(&theirs, run, Fork::at(1), None).await, Err(workflow::Error::NotFound("run"))));
    }

    async fn a_pinned_step_does_nothing_and_gives_what_was_pinned(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = definition(json!({"weft": 1, "name": "pinned", "steps": [
            {"id": "fetch", "kind": "http", "config": {"url": "http://127.0.0.1:1/"}, "pinned": {"status": 200}},
            {"id": "fine", "kind": "condition", "config": {"when": "steps.fetch.output.status == 500"}, "pinned": {"value": true}},
            transform("yes", json!("{{ steps.fetch.output.status }}")), transform("no", json!(0))],
            "edges": [{"from": "fetch", "to": "fine"}, {"from": "fine", "port": "true", "to": "yes"}, {"from": "fine", "port": "false", "to": "no"}]}));
        definition.output = json!("{{ steps.yes.output }}");
        let detail = end(&ctx, start(&ctx, &definition, json!({})).await).await;
        assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!(200)));
        assert_eq!(statuses(&detail)[3], ("no", StepStatus::Skipped));
    }

    async fn a_run_goes_up_to_a_step_and_ends_there(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = definition(json!({"weft": 1, "name": "part", "steps": [
            transform("a", json!(1)), transform("b", json!(2)), transform("beside", json!(3)), transform("c", json!(4))],
            "edges": [{"from": "a", "to": "b"}, {"from": "b", "to": "c"}, {"from": "a", "to": "beside"}]}));
        definition.output = json!("{{ steps.c.output }}");
        let new = |until: &str| NewRun { origin: None, started_by: None,
            source: Source::Inline(Box::new(definition.clone())), inputs: json!({}), trigger: TriggerKind::Cli,
            idempotency_key: None, until: Some(until.to_owned()),
        };
        let run = workflow::start(&ctx, new("b")).await.unwrap();
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, &detail.output, detail.lineage.until.as_deref()), (RunStatus::Succeeded, &Value::Null, Some("b")));
        assert_eq!(statuses(&detail), [("a", StepStatus::Succeeded), ("b", StepStatus::Succeeded), ("beside", StepStatus::Skipped), ("c", StepStatus::Skipped)]);
        // A fork of it goes on to the end.
        let whole = end(&ctx, travel::fork(&ctx, run, Fork::at(detail.last_seq), None).await.unwrap()).await;
        assert_eq!((&whole.output, whole.summary.steps_done, whole.lineage.until), (&json!(4), 4, None));
        assert_eq!(starts(&history(&ctx, whole.summary.id).await, "a").len(), 1);
        let (status, error) = status_of(workflow::start(&ctx, new("nowhere")).await.unwrap_err());
        assert_eq!((status, error.field("/until").is_some()), (422, true));
    }
}

#[test]
fn a_fork_is_named_by_an_event_or_a_step() {
    assert_eq!(Fork::step("a").from, ForkPoint::Step("a".into()));
    assert!(Timestamp::parse("2020-01-01T00:00:00Z").is_some());
}
