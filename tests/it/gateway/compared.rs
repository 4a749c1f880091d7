//! Two versions of an agent at the same tasks.

use serde_json::{Value, json};
use weft::agents;
use weft::agents::comparisons;
use weft::model::agent::{
    AgentDraft, AgentTool, Check, CheckOutcome, ComparisonDraft, ComparisonResult, NewTask, Rule, Ruling,
};
use weft::model::workflow::RunStatus;
use weft::model::{AgentId, ApiError, ComparisonId, PageRequest};
use weft::runtime::Ctx;
use weft::workflow::{self, compare};

use super::agents::{agent, calling, model, spec, told, words};
use super::somebody;
use crate::engine::end;

/// An agent with two versions: the second one is told to be brief, and may run scripts by itself.
async fn two_versions(ctx: &Ctx, tools: &[AgentTool]) -> AgentId {
    let id = agent(ctx, "weaver", spec(tools)).await;
    let mut second = spec(tools);
    second.persona = "You help, in a word.".into();
    let allow =
        |tool| Rule { tool: Some(tool), matching: String::new(), after_untrusted: false, ruling: Ruling::Allow };
    second.rules = vec![allow(AgentTool::MemoryWrite), allow(AgentTool::HttpRequest)];
    agents::update(ctx, id, 1, AgentDraft { name: "weaver".into(), spec: second }).await.unwrap();
    id
}

fn draft(prompts: &[&str], checks: &[(&str, &str)]) -> ComparisonDraft {
    ComparisonDraft {
        first: 1,
        second: 2,
        runs: Vec::new(),
        prompts: prompts.iter().map(|prompt| (*prompt).to_owned()).collect(),
        checks: checks.iter().map(|(name, holds)| Check { name: (*name).into(), holds: (*holds).into() }).collect(),
    }
}

/// Waits until every run is over.
async fn over(ctx: &Ctx, id: ComparisonId) -> ComparisonResult {
    let result = compare::get(ctx, id).await.unwrap();
    for trial in result.first.iter().chain(&result.second) {
        end(ctx, trial.run_id.expect("a run")).await;
    }
    compare::get(ctx, id).await.unwrap()
}

async fn refused(ctx: &Ctx, id: AgentId, draft: ComparisonDraft) -> Vec<String> {
    match ApiError::from(compare::start(ctx, id, draft).await.unwrap_err()) {
        ApiError::Invalid { fields, .. } => fields.into_iter().map(|field| field.pointer).collect(),
        other => panic!("{other:?}"),
    }
}

on_both_engines! {
    async fn both_versions_do_a_task_that_was_given_before_and_are_checked(site: Site) {
        let ctx = somebody(&site).await;
        // Whichever of both asks first, the answers are the same.
        let upstream = model(&ctx, [words("Woven."), words("The loom is blue."), words("The loom is blue.")]).await;
        let id = two_versions(&ctx, &[]).await;
        let before = workflow::give_task(&ctx, id, NewTask::from("Which colour has the loom?"), None).await.unwrap();
        end(&ctx, before).await;

        let checks = [("names it", r#""loom" in steps.work.output.text"#), ("is brief", "steps.work.output.text | length < 5")];
        let asked = ComparisonDraft { runs: vec![before], ..draft(&[], &checks) };
        let begun = compare::start(&ctx, id, asked).await.unwrap();
        let result = over(&ctx, begun.comparison.id).await;
        assert!(result.is_over, "{result:?}");
        for trials in [&result.first, &result.second] {
            assert_eq!(trials[0].status, Some(RunStatus::Succeeded));
            assert_eq!(trials[0].checks, [CheckOutcome::Passed, CheckOutcome::Missed]);
            assert_eq!((trials[0].turns, trials[0].tokens > 0), (1, true));
        }
        assert!(result.verdict.starts_with("Both did 1 of 1 tasks, and passed 1 of 2 checks each."), "{}", result.verdict);
        let personas: Vec<bool> = [1, 2].map(|call| told(&upstream, call)[0].contains("in a word")).to_vec();
        assert!(personas.contains(&true) && personas.contains(&false), "{personas:?}");
        assert!(told(&upstream, 1)[1].contains("Which colour has the loom?"));

        assert_eq!(comparisons::list(&ctx, id).await.unwrap().len(), 1);
        assert_eq!(weft::monitor::get_agent(&ctx, id).await.unwrap().done, 1, "trials are no work that was given");
        compare::delete(&ctx, begun.comparison.id).await.unwrap();
        assert!(comparisons::list(&ctx, id).await.unwrap().is_empty());
    }

    async fn nothing_of_a_trial_outlasts_it_and_nobody_is_asked(site: Site) {
        let ctx = somebody(&site).await;
        let write = || calling(&[
            ("1", AgentTool::MemoryWrite, json!({"namespace": "notes", "key": "loom", "content": "Blue."})),
            ("2", AgentTool::AskPerson, json!({"question": "May I?"})),
        ]);
        // Four answers: each version calls, is refused, and ends.
        let upstream = model(&ctx, [write(), write(), words("Then not."), words("Then not.")]).await;
        let id = two_versions(&ctx, &[AgentTool::MemoryWrite, AgentTool::AskPerson]).await;
        let begun = compare::start(&ctx, id, draft(&["Remember it."], &[])).await.unwrap();
        let result = over(&ctx, begun.comparison.id).await;
        assert_eq!((result.first[0].status, result.second[0].status), (Some(RunStatus::Succeeded), Some(RunStatus::Succeeded)));
        assert_eq!(upstream.count(), 4);
        assert!(weft::memory::get(&ctx, "notes", "loom").await.is_err(), "nothing was written");
        let seen: Vec<Value> = (0..upstream.count()).map(|call| upstream.seen()[call].body.clone()).collect();
        for body in seen.iter().filter(|body| body["messages"].as_array().unwrap().len() > 2) {
            let refused = body["messages"].to_string().matches("This is a trial").count();
            assert!(refused >= 2 && refused % 2 == 0, "both calls are refused: {body}");
        }
    }

    async fn an_agent_is_tried_without_a_trace_in_its_tasks(site: Site) {
        let ctx = somebody(&site).await;
        let note = json!({"namespace": "notes", "key": "loom", "content": "Blue."});
        let upstream = model(&ctx, [calling(&[("1", AgentTool::MemoryWrite, note)]), words("I would note it.")]).await;
        let id = two_versions(&ctx, &[AgentTool::MemoryWrite]).await;
        let task = NewTask { trial: true, ..NewTask::from("Remember it.") };
        let run = workflow::give_task(&ctx, id, task, None).await.unwrap();
        assert_eq!(end(&ctx, run).await.output["text"], "I would note it.");
        assert!(told(&upstream, 1)[3].contains("This is a trial"), "{:?}", told(&upstream, 1));
        assert!(weft::memory::get(&ctx, "notes", "loom").await.is_err(), "nothing was written");
        let standing = weft::monitor::get_agent(&ctx, id).await.unwrap();
        assert_eq!((standing.done, standing.latest), (0, None));
        assert!(weft::monitor::list_agent_tasks(&ctx, id, &PageRequest::default()).await.unwrap().items.is_empty());
    }

    async fn what_can_t_be_compared_is_refused_by_its_place_and_starts_nothing(site: Site) {
        let ctx = somebody(&site).await;
        let id = two_versions(&ctx, &[]).await;
        let one = &["Weave."][..];
        assert_eq!(refused(&ctx, id, ComparisonDraft { second: 1, ..draft(one, &[]) }).await, ["/second"]);
        assert_eq!(refused(&ctx, id, ComparisonDraft { second: 9, ..draft(one, &[]) }).await, ["/second"]);
        assert_eq!(refused(&ctx, id, draft(&[], &[])).await, ["/prompts"]);
        assert_eq!(refused(&ctx, id, draft(&["Weave."; 21], &[])).await, ["/prompts"]);
        assert_eq!(refused(&ctx, id, draft(&[" "], &[])).await, ["/prompts/0"]);
        assert_eq!(refused(&ctx, id, draft(one, &[("a", "run.id")])).await, ["/checks/0/holds"]);
        let strange = ComparisonDraft { runs: vec![ctx.ids.fresh()], ..draft(&[], &[]) };
        assert_eq!(refused(&ctx, id, strange).await, ["/runs/0"]);
        assert!(comparisons::list(&ctx, id).await.unwrap().is_empty());
    }
}
