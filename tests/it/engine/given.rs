//! Outputs that people give by hand to steps that have failed and are to be tried again.

use super::*;
use crate::auth::{ctx_of, named_member, owner};
use weft::model::ApiError;
use weft::model::workflow::GiveOutput;
use weft::model::workflow::why::{Code, Unblock};

/// A step that fails for good, and holds the run.
fn broken(id: &str) -> Value {
    json!({"id": id, "kind": "wait", "config": {"until": "never"}, "on_error": "pause"})
}

fn give(step: &str, output: Value) -> GiveOutput {
    GiveOutput { step: step.to_owned(), output, port: None, reason: " Waited at the door. ".to_owned() }
}

fn by_one(body: Value) -> Value {
    json!({"id": "each", "kind": "map", "config": {"items": [1, 2], "concurrency": 1}, "body": {"steps": body}})
}

on_both_engines! {
    async fn a_held_run_goes_on_from_what_a_person_gave_in_any_process(site: Site) {
        let (owner, _) = owner(&site.runtime).await;
        let (_, ada) = named_member(&owner, Role::Operator, "ada@team.example").await;
        let ada = ctx_of(&site.runtime, &ada).await;
        let mut definition = chain(vec![broken("shaky"), transform("say", json!("{{ steps.shaky.output.waited_ms }} ms"))]);
        definition.output = json!("{{ steps.say.output }}");
        let run = start(&owner, &definition, json!({})).await;
        until(&owner, run, RunStatus::Paused).await;
        let held = workflow::give_output(&ada, run, give("shaky", json!({"waited_ms": 7}))).await.unwrap();
        assert_eq!(held.status, RunStatus::Paused, "it is a person's to let it go on");
        let detail = workflow::get_run(&owner, run).await.unwrap();
        let step = &detail.steps[0];
        let given = step.given.as_deref().unwrap();
        assert_eq!((step.status, step.attempt, step.error.as_ref()), (StepStatus::Succeeded, 1, None));
        let name = ada.actor.principal.user_name().unwrap();
        assert_eq!((given.by.as_deref(), given.reason.as_str()), (Some(name), "Waited at the door."));
        let again = workflow::give_output(&ada, run, give("shaky", json!({"waited_ms": 8}))).await.unwrap_err();
        assert_eq!(ApiError::from(again).status(), 409, "it has its output");

        assert!(site.runtime.tasks.stop(Duration::from_secs(20)).await, "it drains");
        let second = next_process(&site, site.runtime.clock.clone());
        workflow::boot(&second).await.unwrap();
        let there = second.as_actor(ada.actor.clone(), String::new());
        workflow::control(&there, run, Command::Resume).await.unwrap();
        let detail = end(&there, run).await;
        assert_eq!((detail.summary.status, detail.output), (RunStatus::Succeeded, json!("7 ms")));
        let events = workflow::list_events(&there, run, 0, 100).await.unwrap();
        let by_hand = events.iter().filter(|event| matches!(event.fact, Fact::StepSucceeded { given: Some(_), .. }));
        assert_eq!(by_hand.count(), 1);
        assert!(matches!(workflow::give_output(&there, run, give("shaky", json!({"waited_ms": 1}))).await, Err(workflow::Error::Refused(_))));
    }

    async fn what_people_are_asked_is_nobodys_to_give(site: Site) {
        let (owner, _) = owner(&site.runtime).await;
        // Whom it is for is left blank: it asks nobody, and not everybody.
        let ask = json!({"id": "ask", "kind": "approval", "on_error": "pause",
            "config": {"title": "Go?", "approvers": ["{{ inputs.n }}"], "four_eyes": true}});
        let run = start(&owner, &chain(vec![ask]), json!({"n": ""})).await;
        let held = until(&owner, run, RunStatus::Paused).await;
        let error = held.steps[0].error.as_ref().unwrap();
        assert!(error.class == "config" && error.message.starts_with("approvers: expected"), "{error:?}");
        let given = workflow::give_output(&owner, run, give("ask", json!({"decision": "approved"}))).await;
        let refused = ApiError::from(given.unwrap_err());
        assert!(refused.status() == 422 && refused.field("/step").is_some(), "{refused:?}");
        // Nor is it edited in a fork.
        let last = held.last_seq;
        let mut edited = weft::model::workflow::Fork::at(last);
        edited.outputs.insert("ask".to_owned(), json!({"decision": "approved"}));
        let refused = ApiError::from(workflow::travel::fork(&owner, run, edited, None).await.unwrap_err());
        assert_eq!(refused.status(), 422, "{refused:?}");
    }

    async fn a_step_that_waits_for_its_next_attempt_needs_not_wait(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let refused = json!({"id": "call", "kind": "wait", "config": {"until": "never"},
            "retry": {"max_attempts": 2, "initial_ms": 30_000, "jitter": false, "only": ["config"]}});
        let run = start(&ctx, &chain(vec![refused]), json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        workflow::give_output(&ctx, run, give("call", json!({"waited_ms": 0}))).await.unwrap();
        let detail = end(&ctx, run).await;
        assert_eq!((detail.summary.status, detail.steps[0].attempt), (RunStatus::Succeeded, 1));
    }

    async fn inside_of_a_container_it_is_named_by_its_path(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = chain(vec![by_one(json!([broken("door")]))]);
        definition.output = json!("{{ steps.each.output }}");
        let run = start(&ctx, &definition, json!({})).await;
        for (index, ms) in [(0, 3), (1, 4)] {
            until(&ctx, run, RunStatus::Paused).await;
            let path = format!("each[{index}].door");
            let whys = workflow::why_waiting(&ctx, run).await.unwrap();
            let why = whys.iter().find(|why| why.step.as_deref() == Some(path.as_str())).unwrap();
            assert_eq!(why.code, Code::Retry);
            assert!(why.sentence.starts_with("Tries again when the run is resumed, as attempt 2"), "{}", why.sentence);
            assert_eq!(why.unblocks, [Unblock::Person { action: "Give its output by hand".into() }]);
            let body = workflow::get_body(&ctx, run, &format!("each[{index}]")).await.unwrap();
            assert_eq!((body.steps[0].status, body.steps[0].attempt), (StepStatus::Retrying, 1));
            workflow::give_output(&ctx, run, give(&path, json!({"waited_ms": ms}))).await.unwrap();
            workflow::control(&ctx, run, Command::Resume).await.unwrap();
        }
        let detail = end(&ctx, run).await;
        assert_eq!(detail.output, json!([{"waited_ms": 3}, {"waited_ms": 4}]));
    }

    async fn a_container_that_is_tried_again_says_so_and_takes_its_output_as_a_whole(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut inner = broken("door");
        inner["on_error"] = json!("fail");
        let group = json!({"id": "box", "kind": "group", "config": {}, "body": {"steps": [inner]}, "on_error": "pause"});
        let run = start(&ctx, &chain(vec![group]), json!({})).await;
        until(&ctx, run, RunStatus::Paused).await;
        let whys = workflow::why_waiting(&ctx, run).await.unwrap();
        assert!(whys.iter().any(|why| why.step.as_deref() == Some("box") && why.code == Code::Retry), "{whys:?}");
        let gone = workflow::give_output(&ctx, run, give("box[0].door", json!({"waited_ms": 1}))).await.unwrap_err();
        assert_eq!(ApiError::from(gone).status(), 409, "its failure was the group's");
        workflow::give_output(&ctx, run, give("box", json!("done"))).await.unwrap();
        workflow::control(&ctx, run, Command::Resume).await.unwrap();
        assert_eq!(end(&ctx, run).await.steps[0].output, json!("done"));
    }

    async fn what_does_not_fit_is_refused_by_field_and_nothing_happens(site: Site) {
        let (owner, _) = owner(&site.runtime).await;
        let (_, eve) = named_member(&owner, Role::Viewer, "eve@team.example").await;
        let eve = ctx_of(&site.runtime, &eve).await;
        let run = start(&owner, &chain(vec![broken("shaky"), wait("nap", 60_000)]), json!({})).await;
        let before = until(&owner, run, RunStatus::Paused).await.last_seq;
        let fits = || give("shaky", json!({"waited_ms": 7}));
        for (asked, status, pointer) in [
            (give("shaky", json!({"waited_ms": "long"})), 422, "/output/waited_ms"),
            (give("shaky", json!({})), 422, "/output/waited_ms"),
            (give("shaky", json!({"waited_ms": 1, "more": "x".repeat(1024 * 1024)})), 422, "/output"),
            (GiveOutput { reason: "  ".into(), ..fits() }, 422, "/reason"),
            (GiveOutput { port: Some("error".into()), ..fits() }, 422, "/port"),
            (give("nap", json!({"waited_ms": 7})), 409, ""),
            (give("nobody", json!(1)), 404, ""),
        ] {
            let error = ApiError::from(workflow::give_output(&owner, run, asked).await.unwrap_err());
            assert_eq!(error.status(), status, "{error}");
            assert!(pointer.is_empty() || error.field(pointer).is_some(), "{pointer}: {error:?}");
        }
        let denied = ApiError::from(workflow::give_output(&eve, run, fits()).await.unwrap_err());
        assert_eq!(denied.status(), 403);
        let elsewhere = ctx(&site.runtime).await;
        let missing = ApiError::from(workflow::give_output(&elsewhere, run, fits()).await.unwrap_err());
        assert_eq!(missing.status(), 404);
        assert_eq!(workflow::get_run(&owner, run).await.unwrap().last_seq, before);
    }
}
