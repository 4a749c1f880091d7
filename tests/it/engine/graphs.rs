//! Branches, joins, dead paths, failures.

use super::*;

on_both_engines! {
    async fn branches_wait_at_the_same_time(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut steps: Vec<Value> = (0..10).map(|n| wait(&format!("w{n}"), 1000)).collect();
        steps.push(transform("join", json!("{{ steps.w0.output.waited_ms }}")));
        let edges: Vec<Value> = (0..10).map(|n| json!({"from": format!("w{n}"), "to": "join"})).collect();
        let definition = definition(json!({"weft": 1, "name": "wide", "steps": steps, "edges": edges,
            "output": "{{ steps.join.output }}"}));
        let run = start(&ctx, &definition, json!({})).await;
        until(&ctx, run, RunStatus::Waiting).await;
        site.runtime.clock.advance_ms(1000);
        let detail = end(&ctx, run).await;
        assert_eq!(detail.output, json!(1000));
        assert_eq!(detail.summary.ended_at.unwrap().ms_since(detail.summary.created_at), 1000);
    }

    async fn a_dead_path_is_skipped_and_the_join_goes_on(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = definition(json!({"weft": 1, "name": "paths", "inputs": any_of(&["n"]), "steps": [
            {"id": "ask", "kind": "condition", "config": {"when": "inputs.n > 1"}},
            transform("yes", json!("yes")), transform("no", json!("no")), transform("no2", json!("no")),
            {"id": "off", "kind": "transform", "config": {"value": 1}, "disabled": true},
            transform("join", json!("{{ steps.yes.output }} {{ steps.no2.status }} {{ steps.off.output is none }}")),
        ], "edges": [
            {"from": "ask", "port": "true", "to": "yes"}, {"from": "ask", "port": "false", "to": "no"},
            {"from": "no", "to": "no2"}, {"from": "no2", "to": "join"}, {"from": "yes", "to": "off"}, {"from": "off", "to": "join"},
        ], "output": "{{ steps.join.output }}"}));
        let detail = end(&ctx, start(&ctx, &definition, json!({"n": 2})).await).await;
        assert_eq!(detail.output, json!("yes skipped True"), "{:?}", statuses(&detail));
        assert_eq!(detail.summary.status, RunStatus::Succeeded);
    }

    async fn a_condition_on_an_edge_is_obeyed(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = definition(json!({"weft": 1, "name": "edges", "steps": [
            transform("a", json!(5)), transform("big", json!(1)), transform("small", json!(1)),
        ], "edges": [
            {"from": "a", "to": "big", "when": "steps.a.output > 3"}, {"from": "a", "to": "small", "when": "steps.a.output <= 3"},
        ]}));
        let detail = end(&ctx, start(&ctx, &definition, json!({})).await).await;
        assert_eq!(statuses(&detail), [("a", StepStatus::Succeeded), ("big", StepStatus::Succeeded), ("small", StepStatus::Skipped)]);
    }

    async fn the_first_branch_of_a_race_wins_and_the_others_are_cancelled(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let definition = definition(json!({"weft": 1, "name": "race", "steps": [
            wait("fast", 1000), wait("slow", 2000),
            {"id": "join", "kind": "transform", "config": {"value": 1}, "join": "any", "cancel_others": true},
        ], "edges": [{"from": "fast", "to": "join"}, {"from": "slow", "to": "join"}]}));
        let run = start(&ctx, &definition, json!({})).await;
        site.runtime.clock.advance_ms(1000);
        let detail = end(&ctx, run).await;
        assert_eq!(statuses(&detail), [("fast", StepStatus::Succeeded), ("slow", StepStatus::Cancelled), ("join", StepStatus::Succeeded)]);
    }

    async fn an_error_goes_where_the_step_says(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let bad = |id: &str, on_error: &str| json!({"id": id, "kind": "transform", "config": {"value": "{{ inputs.list[9].name }}"},
            "on_error": on_error, "default": 7});
        let definition = definition(json!({"weft": 1, "name": "errors", "inputs": any_of(&["list"]), "steps": [
            bad("a", "continue"), transform("after_a", json!("{{ steps.a.output }}")),
            bad("b", "port"), transform("b_out", json!(1)), transform("b_error", json!("{{ steps.b.error.class }}")),
            bad("c", "fail"),
        ], "edges": [
            {"from": "a", "to": "after_a"}, {"from": "b", "to": "b_out"}, {"from": "b", "port": "error", "to": "b_error"},
            {"from": "after_a", "to": "c"}, {"from": "b_error", "to": "c"},
        ]}));
        let detail = end(&ctx, start(&ctx, &definition, json!({"list": []})).await).await;
        assert_eq!(detail.summary.status, RunStatus::Failed);
        assert_eq!(detail.error.as_ref().unwrap().class, "expression");
        let output = |id: &str| detail.steps.iter().find(|step| step.id == id).unwrap().output.clone();
        assert_eq!(output("after_a"), json!(7));
        assert_eq!(output("b_error"), json!("expression"));
        assert_eq!(detail.steps.iter().find(|step| step.id == "b_out").unwrap().status, StepStatus::Skipped);
        assert!(detail.summary.headline.unwrap().starts_with("c: "));
    }
}
