//! Work that agents give each other: handed over for good, and only to whom the topology of their team allows.

use serde_json::{Value, json};
use weft::agents;
use weft::model::agent::{AgentSpec, AgentTool};
use weft::model::workflow::{RunStatus, StepError};
use weft::workflow;

use super::agents::{agent, answer_of, called, calling, model, spec, told, words};
use super::upstream::Reply;
use super::{first_chunks, somebody};
use crate::engine::{chain, end, start, until, until_so};

fn giving(tool: AgentTool, to: &str) -> (&'static str, AgentTool, Value) {
    ("1", tool, json!({"agent": to, "task": "Your turn."}))
}

fn reaching(agents: &[&str], tool: AgentTool) -> AgentSpec {
    AgentSpec { agents: agents.iter().map(|name| (*name).to_owned()).collect(), ..spec(&[tool]) }
}

on_both_engines! {
    async fn who_hands_its_task_over_answers_with_what_the_other_answers(site: Site) {
        let ctx = somebody(&site).await;
        workflow::boot(ctx.runtime()).await.unwrap();
        let upstream = model(&ctx, [calling(&[giving(AgentTool::HandOver, "writer")]), words("Written up.")]).await;
        agent(&ctx, "writer", spec(&[])).await;
        let id = agent(&ctx, "planner", reaching(&["writer"], AgentTool::HandOver)).await;
        let run = workflow::give_task(&ctx, id, "Plan it.".into(), None).await.unwrap();
        let detail = end(&ctx, run).await;
        let output = answer_of(&detail);
        assert_eq!((&output["text"], &output["turns"], &output["agent"]), (&json!("Written up."), &json!(1), &json!("planner")));
        assert_eq!(upstream.count(), 2, "who handed it over is not asked again");
    }

    async fn a_stop_reaches_what_the_agent_has_others_do(site: Site) {
        let ctx = somebody(&site).await;
        workflow::boot(ctx.runtime()).await.unwrap();
        let upstream = model(&ctx, [calling(&[giving(AgentTool::AskAgent, "writer")]), Reply::Stall(first_chunks(&["I th", "ink"]))]).await;
        let writer = agent(&ctx, "writer", spec(&[])).await;
        let id = agent(&ctx, "lead", reaching(&["writer"], AgentTool::AskAgent)).await;
        let run = workflow::give_task(&ctx, id, "Lead.".into(), None).await.unwrap();
        let child = until_so(&ctx, run, |detail| detail.steps[0].sub_run.is_some()).await.steps[0].sub_run.unwrap();
        called(&upstream, 2).await;
        let began = std::time::Instant::now();
        agents::halt(&ctx, id, true).await.unwrap();
        let detail = until(&ctx, child, RunStatus::Paused).await;
        assert!(began.elapsed().as_millis() < 2_000, "within two seconds, not {:?}", began.elapsed());
        assert_eq!(detail.steps[0].error.as_ref().unwrap().class, StepError::STOPPED);
        assert!(!agents::is_stopped(&ctx, writer).await.unwrap(), "the other may work for everybody else");
        upstream.then(words("Thought."));
        upstream.then(words("Done."));
        let (_, resumed) = workflow::let_work(&ctx, id).await.unwrap();
        assert_eq!(resumed, 1, "what it has done by another goes on with it");
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "Done.");
    }

    async fn work_inside_of_a_container_goes_on_when_its_agent_may_work_again(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [Reply::Stall(first_chunks(&["I th", "ink"]))]).await;
        let id = agent(&ctx, "weaver", spec(&[])).await;
        let weave = json!({"id": "weave", "kind": "agent", "config": {"agent": "weaver", "prompt": "Weave."}});
        let each = json!({"id": "each", "kind": "map", "config": {"items": [1]}, "body": {"steps": [weave], "edges": []}});
        let run = start(&ctx, &chain(vec![each]), json!({})).await;
        called(&upstream, 1).await;
        agents::halt(&ctx, id, true).await.unwrap();
        until(&ctx, run, RunStatus::Paused).await;
        upstream.then(words("Woven."));
        assert_eq!(workflow::let_work(&ctx, id).await.unwrap().1, 1);
        answer_of(&end(&ctx, run).await);
    }

    async fn work_goes_only_where_the_topology_lets_it(site: Site) {
        let ctx = somebody(&site).await;
        workflow::boot(ctx.runtime()).await.unwrap();
        let upstream = model(&ctx, [
            calling(&[giving(AgentTool::AskAgent, "coder")]),
            calling(&[giving(AgentTool::AskAgent, "tester")]),
            words("Alone, then."),
            words("Done."),
        ]).await;
        agent(&ctx, "coder", reaching(&["tester"], AgentTool::AskAgent)).await;
        agent(&ctx, "tester", spec(&[])).await;
        let team = json!({"topology": "star", "members": ["coder", "tester"]});
        let lead = AgentSpec { team: serde_json::from_value(team).unwrap(), ..reaching(&["coder"], AgentTool::AskAgent) };
        let id = agent(&ctx, "lead", lead).await;
        let run = workflow::give_task(&ctx, id, "Lead.".into(), None).await.unwrap();
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "Done.");
        let coder = told(&upstream, 2);
        assert!(coder[3].contains("by the topology of the team, star, you may not give work to") && coder[3].contains("You may give work to: lead."), "{coder:?}");
        assert_eq!(upstream.count(), 4, "the tester was not asked");
    }
}
