//! Runs side by side, runs held against other definitions, and one command to many.

use serde_json::{Value, json};
use weft::model::auth::Role;
use weft::model::workflow::diff::Aspect;
use weft::model::workflow::{Against, Command, Definition, Fork, RunStatus, Strictness, Workflow};
use weft::model::{ApiError, RunId};
use weft::runtime::{Actor, Ctx};
use weft::workflow::{self, NewRun, definitions, travel};

use super::*;

fn error_of(error: workflow::Error) -> ApiError {
    ApiError::from(error)
}

/// Writes to memory, which is an effect, then computes with what came out.
fn notes() -> Definition {
    let mut definition = definition(json!({"weft": 1, "name": "notes",
        "inputs": {"type": "object", "properties": {"text": {"type": "string"}}},
        "steps": [
            {"id": "note", "kind": "memory_write", "config": {"namespace": "team", "key": "thing", "content": "{{ inputs.text }}"}},
            {"id": "long", "kind": "condition", "config": {"when": "inputs.text | length > 3"}},
            transform("yes", json!("{{ steps.note.output.content }}!")),
            transform("no", json!("short"))],
        "edges": [{"from": "note", "to": "long"}, {"from": "long", "port": "true", "to": "yes"}, {"from": "long", "port": "false", "to": "no"}]}));
    definition.output = json!("{{ steps.yes.output or steps.no.output }}");
    definition
}

async fn stored(ctx: &Ctx) -> (Workflow, RunId) {
    let stored = definitions::create(ctx, notes()).await.unwrap();
    let run = workflow::start(ctx, NewRun::manual(stored.id, json!({"text": "hello"}), None, true)).await.unwrap();
    let detail = end(ctx, run).await;
    assert_eq!((detail.summary.status, &detail.output), (RunStatus::Succeeded, &json!("hello!")));
    (stored, run)
}

/// Saves the draft with an alteration.
async fn alter(ctx: &Ctx, workflow: &Workflow, by: impl FnOnce(&mut Value)) -> Definition {
    let now = definitions::get(ctx, workflow.id).await.unwrap();
    let mut value = serde_json::to_value(&now.draft).unwrap();
    by(&mut value);
    let draft: Definition = serde_json::from_value(value).unwrap();
    definitions::save_draft(ctx, workflow.id, now.revision, &draft).await.unwrap();
    draft
}

async fn version_of_note(ctx: &Ctx) -> i64 {
    weft::memory::get(ctx, "team", "thing").await.unwrap().version
}

on_both_engines! {
    async fn a_run_replays_on_its_own_definition_without_an_effect(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (_, run) = stored(&ctx).await;
        let found = travel::replay(&ctx, run, Against::Draft, Strictness::Strict).await.unwrap();
        assert!(found.passed && found.differences.is_empty(), "{found:#?}");
        assert_eq!(version_of_note(&ctx).await, 1, "nothing was written again");
        let runs = workflow::list_runs(&ctx, &weft::model::workflow::RunFilter::default(), &weft::model::PageRequest::default()).await.unwrap();
        assert_eq!(runs.items.len(), 1, "and no run was started");
    }

    async fn a_replay_tells_what_another_definition_makes_of_it(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (workflow, run) = stored(&ctx).await;
        let replayed = async |strictness| travel::replay(&ctx, run, Against::Draft, strictness).await.unwrap();
        // Another input of a step with an effect: told, and a failure when one is strict.
        alter(&ctx, &workflow, |d| d["steps"][0]["config"]["content"] = json!("{{ inputs.text }}?")).await;
        let found = replayed(Strictness::Result).await;
        assert!(found.passed && found.differences[0].message == "input differs", "{found:#?}");
        assert_eq!(found.differences[0].details.items[0].path, "/content");
        assert!(!replayed(Strictness::Strict).await.passed);
        // Another path.
        alter(&ctx, &workflow, |d| d["steps"][1]["config"]["when"] = json!("inputs.text | length > 9")).await;
        let found = replayed(Strictness::Result).await;
        assert!(!found.passed);
        assert!(found.differences.iter().any(|d| d.step.as_deref() == Some("long") && d.message.contains("left by false")), "{found:#?}");
        assert!(found.differences.iter().any(|d| d.message == "the output differs"));
        // An effect that was never recorded.
        alter(&ctx, &workflow, |d| d["steps"][2] = json!({"id": "yes", "kind": "http", "config": {"url": "http://x"}})).await;
        alter(&ctx, &workflow, |d| d["steps"][1]["config"]["when"] = json!("true")).await;
        let found = replayed(Strictness::Result).await;
        assert!(!found.passed && found.differences[0].message.contains("recorded as transform"), "{found:#?}");
        assert_eq!(version_of_note(&ctx).await, 1);
    }

    async fn a_failure_replays_as_a_failure_and_a_mended_definition_is_told(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let broken = chain(vec![json!({"id": "w", "kind": "wait", "config": {"until": "{{ inputs.at }}"}})]);
        let run = start(&ctx, &broken, json!({"at": "never"})).await;
        end(&ctx, run).await;
        let against = |d: &Definition| Against::Definition(Box::new(d.clone()));
        assert!(travel::replay(&ctx, run, against(&broken), Strictness::Strict).await.unwrap().passed);
        let mended = chain(vec![wait("w", 5)]);
        let found = travel::replay(&ctx, run, against(&mended), Strictness::Result).await.unwrap();
        assert_eq!((found.passed, found.recorded, found.replayed), (false, RunStatus::Failed, RunStatus::Succeeded));
        assert_eq!(error_of(travel::replay(&ctx, run, Against::Draft, Strictness::Result).await.unwrap_err()).status(), 422);
    }

    async fn a_run_that_goes_on_is_not_replayed(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = chain(vec![wait("w", 60_000)]);
        let run = start(&ctx, &definition, json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        let against = Against::Definition(Box::new(definition));
        assert_eq!(error_of(travel::replay(&ctx, run, against, Strictness::Result).await.unwrap_err()).status(), 409);
    }

    async fn what_a_retry_mended_replays_as_it_ended(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let broken = chain(vec![transform("a", json!(1)), json!({"id": "w", "kind": "wait", "config": {"until": "{{ inputs.at }}"}}), transform("b", json!(2))]);
        let run = start(&ctx, &broken, json!({"at": "never"})).await;
        let last = end(&ctx, run).await.last_seq;
        let fork = Fork { inputs: Some(json!({"at": "2020-01-01T00:00:00Z"})), ..Fork::at(last) };
        let fork = travel::fork(&ctx, run, fork, None).await.unwrap();
        assert_eq!(end(&ctx, fork).await.summary.status, RunStatus::Succeeded);
        let found = travel::replay(&ctx, fork, Against::Definition(Box::new(broken)), Strictness::Strict).await.unwrap();
        assert!(found.passed, "{found:#?}");
    }

    async fn tests_gate_publishing_when_the_workflow_says_so(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (workflow, run) = stored(&ctx).await;
        let test = travel::save_test(&ctx, workflow.id, run, "Says hello", Strictness::Result).await.unwrap();
        let again = travel::save_test(&ctx, workflow.id, run, "Says hello", Strictness::Result).await.unwrap_err();
        assert_eq!(error_of(again).status(), 409);
        for name in ["", " ", "a\nb", &"x".repeat(121)] {
            let refused = error_of(travel::save_test(&ctx, workflow.id, run, name, Strictness::Result).await.unwrap_err());
            assert_eq!((refused.status(), refused.field("/name").is_some()), (422, true));
        }
        definitions::publish(&ctx, workflow.id).await.unwrap();
        alter(&ctx, &workflow, |d| d["steps"][2]["config"]["value"] = json!("goodbye")).await;
        assert!(travel::set_gate(&ctx, workflow.id, true).await.unwrap().gate);
        let refused = error_of(definitions::publish(&ctx, workflow.id).await.unwrap_err());
        assert_eq!((refused.status(), refused.field("/tests/Says hello")), (422, Some("the output differs")));
        let results = travel::run_tests(&ctx, workflow.id, Against::Draft).await.unwrap();
        assert!(results.len() == 1 && !results[0].replay.passed);
        assert!(travel::run_tests(&ctx, workflow.id, Against::Version(1)).await.unwrap()[0].replay.passed);
        travel::set_gate(&ctx, workflow.id, false).await.unwrap();
        assert_eq!(definitions::publish(&ctx, workflow.id).await.unwrap(), 2);
        travel::delete_test(&ctx, workflow.id, test.id).await.unwrap();
        assert_eq!(error_of(travel::delete_test(&ctx, workflow.id, test.id).await.unwrap_err()).status(), 404);
        assert!(travel::list_tests(&ctx, workflow.id).await.unwrap().tests.is_empty());
    }

    async fn a_test_is_of_its_own_workflow_and_workspace(site: Site) {
        let (ours, theirs) = (ctx(&site.runtime).await, ctx(&site.runtime).await);
        let (workflow, run) = stored(&ours).await;
        let other = definitions::create(&ours, notes()).await.unwrap();
        let refused = error_of(travel::save_test(&ours, other.id, run, "x", Strictness::Result).await.unwrap_err());
        assert_eq!((refused.status(), refused.field("/run_id").is_some()), (422, true));
        assert_eq!(error_of(travel::list_tests(&theirs, workflow.id).await.unwrap_err()).status(), 404);
        assert_eq!(error_of(travel::set_gate(&theirs, workflow.id, true).await.unwrap_err()).status(), 404);
        assert_eq!(error_of(travel::compare(&theirs, run, run).await.unwrap_err()).status(), 404);
    }

    async fn two_runs_are_compared_and_the_first_step_that_parts_is_named(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (workflow, run) = stored(&ctx).await;
        let other = workflow::start(&ctx, NewRun::manual(workflow.id, json!({"text": "no"}), None, true)).await.unwrap();
        end(&ctx, other).await;
        let found = travel::compare(&ctx, run, other).await.unwrap();
        assert_eq!(found.first.as_ref().unwrap().step, "note");
        assert_eq!(found.inputs.items[0].path, "/text");
        let step = |id: &str| found.steps.iter().find(|step| step.id == id).unwrap();
        assert!(step("long").aspects.contains(&Aspect::Port) && step("yes").aspects.contains(&Aspect::Status));
        assert!(found.definition.is_empty());
        assert!(travel::compare(&ctx, run, run).await.unwrap().is_same());
    }

    async fn a_replay_knows_what_came_from_outside_and_what_was_undone(site: Site) {
        workflow::boot(&site.runtime).await.unwrap();
        let ctx = ctx(&site.runtime).await;
        let undo = json!({"kind": "memory_write", "config": {"namespace": "team", "key": "thing", "content": "undone"}});
        let steps = vec![
            json!({"id": "note", "kind": "memory_write", "config": {"namespace": "team", "key": "thing", "content": "x"}, "compensate": undo}),
            json!({"id": "paid", "kind": "event", "config": {"key": "paid", "deadline_ms": 60_000}}),
            transform("sum", json!("{{ steps.paid.output.sum + inputs.n }}")),
        ];
        for (n, expected) in [(json!(1), RunStatus::Succeeded), (json!({}), RunStatus::Failed)] {
            let stored = definitions::create(&ctx, chain(steps.clone())).await.unwrap();
            // What was sent for the run before came before this one began.
            site.runtime.clock.advance_ms(1);
            let run = workflow::start(&ctx, NewRun::manual(stored.id, json!({"n": n}), None, true)).await.unwrap();
            until(&ctx, run, RunStatus::Waiting).await;
            workflow::events::send(&ctx, "paid", &json!({"sum": 7}), None).await.unwrap();
            assert_eq!(end(&ctx, run).await.summary.status, expected);
            let version = version_of_note(&ctx).await;
            let found = travel::replay(&ctx, run, Against::Draft, Strictness::Strict).await.unwrap();
            assert!(found.passed && found.replayed == expected, "{found:#?}");
            assert_eq!(version_of_note(&ctx).await, version, "nothing was written again");
        }
    }

    async fn one_command_reaches_many_runs_and_tells_of_each(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            let run = start(&ctx, &chain(vec![wait("w", 60_000)]), json!({})).await;
            until(&ctx, run, RunStatus::Waiting).await;
            ids.push(run);
        }
        workflow::control(&ctx, ids[1], Command::Cancel).await.unwrap();
        let results = travel::control_many(&ctx, &ids, Command::Cancel).await.unwrap();
        assert_eq!(results.iter().map(|result| result.status).collect::<Vec<_>>(), [Some(RunStatus::Cancelled), None, Some(RunStatus::Cancelled)]);
        assert!(results[1].refused.as_deref().unwrap().contains("cancelled"));
        assert_eq!(error_of(travel::control_many(&ctx, &[], Command::Cancel).await.unwrap_err()).status(), 422);
        let viewer = site.runtime.as_actor(Actor { role: Role::Viewer, ..ctx.actor.clone() }, String::new());
        assert_eq!(error_of(travel::control_many(&viewer, &ids, Command::Cancel).await.unwrap_err()).status(), 403);
        assert_eq!(error_of(travel::fork(&viewer, ids[0], Fork::at(1), None).await.unwrap_err()).status(), 403);
    }
}
