//! The step `agent`: at work with tools, in runs that outlive their process.

use serde_json::{Value, json};
use weft::agents;
use weft::gateway;
use weft::model::PageRequest;
use weft::model::agent::{AgentDraft, AgentSpec, AgentTool, Entry, Rule, Ruling, TaskStatus};
use weft::model::auth::Role;
use weft::model::gateway::{CallFilter, Limits, ProviderKind, SumBy, UsageFilter};
use weft::model::memory::{Reader, Search, Trust};
use weft::model::workflow::{
    Approval, ApprovalFilter, Command, Decision, Fact, RunDetail, RunStatus, StepError, StepStatus,
};
use weft::model::{AgentId, ApiError, RunId};
use weft::runtime::{Clock, Ctx};
use weft::workflow::{self, approvals};

use super::upstream::{Reply, Upstream};
use super::{chunks, draft, process, somebody};
use crate::auth::{ctx_of, named_member, owner};
use crate::engine::{chain, end, start, until};
use crate::support::Site;

/// An answer that calls tools.
pub fn calling(calls: &[(&str, AgentTool, Value)]) -> Reply {
    let chunk = |choices: Value, usage: Value| {
        let chunk = json!({"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "real-name", "choices": choices, "usage": usage});
        format!("data: {chunk}\n\n")
    };
    let call = |(at, (id, tool, arguments)): (usize, &(&str, AgentTool, Value))| {
        let function = json!({"name": tool.as_str(), "arguments": arguments.to_string()});
        json!({"index": at, "id": id, "type": "function", "function": function})
    };
    let all: Vec<Value> = calls.iter().enumerate().map(call).collect();
    let mut text = chunk(json!([{"index": 0, "delta": {"tool_calls": all}, "finish_reason": null}]), Value::Null);
    text.push_str(&chunk(json!([{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]), Value::Null));
    text.push_str(&chunk(json!([]), json!({"prompt_tokens": 1000, "completion_tokens": 100})));
    text.push_str("data: [DONE]\n\n");
    Reply::Events(text)
}

pub fn words(text: &str) -> Reply {
    Reply::Events(chunks(&[text]))
}

pub fn spec(tools: &[AgentTool]) -> AgentSpec {
    let notes = || vec!["notes".to_owned()];
    AgentSpec { tools: tools.to_vec(), reads: notes(), writes: notes(), ..AgentSpec::new("You help.") }
}

pub async fn agent(ctx: &Ctx, name: &str, spec: AgentSpec) -> AgentId {
    agents::create(ctx, AgentDraft { name: name.into(), spec }).await.unwrap().id
}

pub async fn model(ctx: &Ctx, replies: impl IntoIterator<Item = Reply>) -> Upstream {
    let upstream = Upstream::start(replies).await;
    let mut provider = draft("acme", ProviderKind::OpenAiCompatible, &upstream, &["big"]);
    // Whatever is stopped here is not stopped by a model that was too slow.
    provider.limits = Limits::default();
    gateway::create_provider(ctx, provider).await.unwrap();
    upstream
}

/// Waits until the model was called so often.
pub async fn called(upstream: &Upstream, times: usize) {
    while upstream.count() < times {
        tokio::task::yield_now().await;
    }
}

/// The texts of the messages of a call, roles in front.
pub fn told(upstream: &Upstream, call: usize) -> Vec<String> {
    let body = upstream.seen()[call].body.clone();
    let messages = body["messages"].as_array().unwrap().clone();
    messages.iter().map(|message| format!("{}: {}", message["role"].as_str().unwrap(), message["content"])).collect()
}

pub async fn journal(ctx: &Ctx, run: RunId) -> Vec<Entry> {
    let events = workflow::list_events(ctx, run, 0, 1000).await.unwrap();
    let entries = events.into_iter().filter_map(|event| match event.fact {
        Fact::StepAdvanced { entry, .. } => Some(Entry::read(&entry).unwrap()),
        _ => None,
    });
    entries.collect()
}

pub async fn people(site: &Site) -> (Ctx, Ctx) {
    let runtime = process(site, Clock::System);
    let (owner, _) = owner(&runtime).await;
    let (_, ada) = named_member(&owner, Role::Operator, "ada@team.example").await;
    (owner, ctx_of(&runtime, &ada).await)
}

pub async fn asked(ctx: &Ctx) -> Approval {
    let mut page = approvals::list(ctx, ApprovalFilter::Open, &PageRequest::default()).await.unwrap();
    assert_eq!(page.items.len(), 1, "{:?}", page.items);
    page.items.remove(0)
}

pub fn word(word: &str, form: Value, comment: &str) -> Decision {
    Decision { decision: word.into(), form, comment: comment.into() }
}

pub fn answer_of(detail: &RunDetail) -> &Value {
    assert_eq!(detail.summary.status, RunStatus::Succeeded, "{:?} {:?}", detail.error, detail.steps);
    &detail.output
}

on_both_engines! {
    async fn an_agent_works_with_its_tools_and_answers(site: Site) {
        let ctx = somebody(&site).await;
        let draft = json!({"content": "The loom is blue."});
        let source = weft::model::memory::Source::Cli {};
        let expect = weft::memory::Expect::Any;
        weft::memory::put(&ctx, "notes", "loom", serde_json::from_value(draft).unwrap(), expect, source).await.unwrap();
        let write = json!({"namespace": "notes/colours", "key": "loom", "content": "The loom is blue, says a note."});
        let upstream = model(&ctx, [
            calling(&[("1", AgentTool::MemorySearch, json!({"query": "loom"})), ("2", AgentTool::MemoryRead, json!({"namespace": "secrets", "key": "x"}))]),
            calling(&[("3", AgentTool::MemoryWrite, write)]),
            words("It is blue."),
        ]).await;
        let id = agent(&ctx, "helper", spec(&[AgentTool::MemorySearch, AgentTool::MemoryRead, AgentTool::MemoryWrite])).await;
        let run = workflow::give_task(&ctx, id, "Which colour? {{ not a template }}".into(), None).await.unwrap();
        let detail = end(&ctx, run).await;
        let output = answer_of(&detail);
        assert_eq!((&output["text"], &output["turns"], &output["tool_calls"]), (&json!("It is blue."), &json!(3), &json!(3)));
        assert_eq!((&output["usage"]["output"], &output["untrusted"]), (&json!(300), &json!(true)));
        assert!(told(&upstream, 0)[1].contains("{{ not a template }}"));
        let results = told(&upstream, 1);
        assert!(results[3].contains("<data from=\\\"memory_search\\\">") && results[3].contains("The loom is blue."), "{results:?}");
        assert!(results[4].contains("You may not read"), "{results:?}");
        let written = weft::memory::get(&ctx, "notes/colours", "loom").await.unwrap();
        assert_eq!((written.trust, written.metadata["agent"].clone()), (Trust::Model, json!("helper")));

        weft::memory::write_reads(ctx.runtime()).await.unwrap();
        let reads = workflow::list_memory_reads(&ctx, run, None).await.unwrap();
        let sought = reads[0].reading.sought.as_ref().unwrap();
        assert_eq!((reads.len(), reads[0].key.as_str(), sought.query.as_str(), sought.rank), (1, "loom", "loom", 1));
        assert!(matches!(&reads[0].reading.reader, Reader::Run { agent: Some(agent), .. } if agent == "helper"));

        let standing = weft::monitor::get_agent(&ctx, id).await.unwrap();
        assert_eq!((standing.working, standing.waiting, standing.done), (0, 0, 1));
        let task = standing.latest.unwrap();
        assert_eq!((task.run_id, task.status, task.turns, task.tokens), (run, TaskStatus::Done, 3, 3_300));
        let found = weft::memory::search(&ctx, &Search::text("loom")).await.unwrap();
        assert_eq!(found.hits.len(), 2);

        // What it asked is the agent's in the log, and in the sums.
        gateway::settled(&ctx).await;
        let filter = UsageFilter { by: SumBy::Agent, ..UsageFilter::default() };
        let sums = gateway::sum_usage(&ctx, &filter).await.unwrap();
        assert_eq!((sums.len(), sums[0].of.as_str(), sums[0].calls), (1, "helper", 3));
        let own = CallFilter { agent_id: Some(id), ..CallFilter::default() };
        let calls = gateway::list_calls(&ctx, &own, &PageRequest::default()).await.unwrap().items;
        assert_eq!((calls.len(), calls[0].agent.as_deref(), calls[0].call.session.as_deref()), (3, Some("helper"), None));
    }

    async fn what_acts_waits_for_a_person_who_sees_exactly_what_would_be_done(site: Site) {
        let (owner, ada) = people(&site).await;
        workflow::boot(owner.runtime()).await.unwrap();
        let outside = Upstream::start([Reply::With(307, "location", "http://127.0.0.1:9/elsewhere", json!({"made": true}))]).await;
        let post = |body: &str| json!({"method": "POST", "url": format!("{}/made", outside.url), "body": body, "headers": {"Idempotency-Key": "mine"}});
        let upstream = model(&owner, [
            calling(&[("1", AgentTool::HttpRequest, post("{\"n\": 1}"))]),
            calling(&[("2", AgentTool::HttpRequest, post("{\"n\": 2}"))]),
            words("Done."),
        ]).await;
        let reach = AgentSpec { hosts: vec!["127.0.0.1".into()], ..spec(&[AgentTool::HttpRequest]) };
        let id = agent(&owner, "coder", reach).await;
        let run = workflow::give_task(&owner, id, "Make it.".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        let first = asked(&ada).await;
        assert_eq!(first.question.title, format!("May coder send POST to {}/made?", outside.url));
        assert!(first.question.text.contains("{\\\"n\\\": 1}"), "{}", first.question.text);
        assert_eq!((upstream.count(), outside.count()), (1, 0));
        assert_eq!(weft::monitor::get_agent(&owner, id).await.unwrap().waiting, 1);
        approvals::decide(&ada, first.id, word("approved", Value::Null, "")).await.unwrap();
        crate::engine::until_so(&owner, run, |detail| detail.steps[0].status == StepStatus::Waiting && detail.last_seq > 8).await;
        let results = told(&upstream, 1);
        assert!(results[3].contains("Status 307") && results[3].contains("elsewhere"), "a redirect is not followed: {results:?}");
        let sent = &outside.seen()[0];
        assert_eq!(sent.body, json!({"n": 1}));
        assert!(sent.header("idempotency-key").starts_with(&run.to_string()), "{:?}", sent.headers);
        let next = asked(&ada).await;
        assert_ne!(next.id, first.id, "consent to one request is none to another");
        let again = ApiError::from(approvals::decide(&ada, first.id, word("approved", Value::Null, "")).await.unwrap_err());
        assert_eq!(again.status(), 409);
        approvals::decide(&ada, next.id, word("rejected", Value::Null, "Enough.")).await.unwrap();
        assert_eq!(answer_of(&end(&owner, run).await)["text"], "Done.");
        let results = told(&upstream, 2);
        assert!(results[5].contains("A person declined this; it was not done. They said: Enough."), "{results:?}");
        assert_eq!(outside.count(), 1, "one request was sent");
        let begun = journal(&owner, run).await.into_iter().filter(|entry| matches!(entry, Entry::Started { .. })).count();
        assert_eq!(begun, 1);
    }

    async fn what_was_paid_for_is_not_asked_again_by_the_next_process(site: Site) {
        let first = process(&site, Clock::System);
        let ctx = crate::engine::ctx(&first).await;
        let upstream = model(&ctx, [
            calling(&[("1", AgentTool::MemorySearch, json!({"query": "loom"}))]),
            Reply::Stall(super::super::first_chunks(&["I th", "ink"])),
        ]).await;
        let id = agent(&ctx, "helper", spec(&[AgentTool::MemorySearch])).await;
        let run = workflow::give_task(&ctx, id, "Look.".into(), None).await.unwrap();
        // The second call is on its way.
        called(&upstream, 2).await;
        assert!(first.tasks.stop(std::time::Duration::from_secs(20)).await, "it drains");
        upstream.then(words("Nothing there."));
        let second = process(&site, Clock::System);
        workflow::boot(&second).await.unwrap();
        let ctx = second.as_actor(ctx.actor.clone(), String::new());
        let detail = end(&ctx, run).await;
        assert_eq!((&answer_of(&detail)["text"], &detail.output["turns"]), (&json!("Nothing there."), &json!(2)));
        assert_eq!(upstream.count(), 3, "one answer, one that was cut off, one in its place");
        let said = journal(&ctx, run).await.into_iter().filter(|entry| matches!(entry, Entry::Said { .. })).count();
        assert_eq!(said, 2);
    }

    async fn stopping_an_agent_stops_what_it_does_and_letting_go_goes_on(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [Reply::Stall(super::super::first_chunks(&["I th", "ink"]))]).await;
        let id = agent(&ctx, "helper", spec(&[])).await;
        let run = workflow::give_task(&ctx, id, "Think.".into(), None).await.unwrap();
        called(&upstream, 1).await;
        let began = std::time::Instant::now();
        agents::halt(&ctx, id, true).await.unwrap();
        let detail = until(&ctx, run, RunStatus::Paused).await;
        assert!(began.elapsed().as_millis() < 2_000, "within two seconds, not {:?}", began.elapsed());
        assert_eq!(detail.steps[0].error.as_ref().unwrap().class, StepError::STOPPED);
        let refused = ApiError::from(workflow::give_task(&ctx, id, "More.".into(), None).await.unwrap_err());
        assert_eq!(refused.status(), 409);
        upstream.then(words("Thought."));
        let (agent, resumed) = workflow::let_work(&ctx, id).await.unwrap();
        assert_eq!((agent.stopped_at, resumed), (None, 1), "what stood still goes on");
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "Thought.");
    }

    async fn a_run_that_a_person_paused_stays_so_when_its_agent_may_work_again(site: Site) {
        let (ctx, _) = people(&site).await;
        let upstream = model(&ctx, [Reply::Stall(super::super::first_chunks(&["I th", "ink"]))]).await;
        let id = agent(&ctx, "helper", spec(&[])).await;
        let run = workflow::give_task(&ctx, id, "Think.".into(), None).await.unwrap();
        called(&upstream, 1).await;
        workflow::control(&ctx, run, Command::Pause).await.unwrap();
        agents::halt(&ctx, id, true).await.unwrap();
        crate::engine::until_so(&ctx, run, |detail| detail.steps[0].error.is_some()).await;
        assert_eq!(workflow::let_work(&ctx, id).await.unwrap().1, 0);
        assert_eq!(workflow::get_run(&ctx, run).await.unwrap().summary.status, RunStatus::Paused);
    }

    async fn a_task_with_a_key_is_given_once(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("Done.")]).await;
        let id = agent(&ctx, "helper", spec(&[])).await;
        let give = async |prompt: &str| workflow::give_task(&ctx, id, prompt.into(), Some("monday".into())).await;
        let run = give("Do it.").await.unwrap();
        assert_eq!(give("Do it.").await.unwrap(), run);
        assert_eq!(ApiError::from(give("Do something else.").await.unwrap_err()).status(), 409);
        end(&ctx, run).await;
        assert_eq!(upstream.count(), 1);
    }

    async fn agents_ask_each_other_and_people(site: Site) {
        let (owner, ada) = people(&site).await;
        let upstream = model(&owner, [
            calling(&[("1", AgentTool::AskAgent, json!({"agent": "writer", "task": "Write it."})), ("2", AgentTool::AskAgent, json!({"agent": "thief", "task": "Steal."}))]),
            words("Written."),
            calling(&[("3", AgentTool::AskPerson, json!({"question": "Which colour?", "choices": ["red", "blue"]}))]),
            words("Blue it is."),
        ]).await;
        workflow::boot(owner.runtime()).await.unwrap();
        agent(&owner, "writer", spec(&[])).await;
        let lead = AgentSpec { agents: vec!["writer".into()], ..spec(&[AgentTool::AskAgent, AgentTool::AskPerson]) };
        let id = agent(&owner, "lead", lead).await;
        let run = workflow::give_task(&owner, id, "Lead.".into(), None).await.unwrap();
        crate::engine::until_so(&owner, run, |detail| {
            detail.steps[0].waiting.as_ref().is_some_and(|waiting| waiting.reason.contains("Which colour?"))
        }).await;
        let question = asked(&ada).await;
        let wrong = approvals::decide(&ada, question.id, word("answered", json!({"answer": "green"}), "")).await;
        assert_eq!(ApiError::from(wrong.unwrap_err()).status(), 422);
        approvals::decide(&ada, question.id, word("answered", json!({"answer": "blue"}), "")).await.unwrap();
        assert_eq!(answer_of(&end(&owner, run).await)["text"], "Blue it is.");
        assert!(told(&upstream, 1)[1].contains("Write it."));
        let results = told(&upstream, 2);
        assert!(results[3].contains("Written.") && results[4].contains("You may not ask \\\"thief\\\""), "{results:?}");
        assert!(told(&upstream, 3).last().unwrap().contains("blue"));
    }

    async fn a_paused_run_holds_its_agent_between_two_pieces(site: Site) {
        let ctx = somebody(&site).await;
        let go = std::sync::Arc::new(tokio::sync::Notify::new());
        let whole = chunks(&["Now ", "done."]);
        let middle = whole.find("done.").unwrap();
        let middle = whole[..middle].rfind("data: ").unwrap();
        let upstream = model(&ctx, [
            calling(&[("1", AgentTool::MemorySearch, json!({"query": "x"}))]),
            Reply::Halves(whole[..middle].to_owned(), std::sync::Arc::clone(&go), whole[middle..].to_owned()),
        ]).await;
        let id = agent(&ctx, "helper", AgentSpec { ..spec(&[AgentTool::MemorySearch]) }).await;
        let run = workflow::give_task(&ctx, id, "Go on.".into(), None).await.unwrap();
        called(&upstream, 2).await;
        workflow::control(&ctx, run, Command::Pause).await.unwrap();
        go.notify_one();
        let held = crate::engine::until_so(&ctx, run, |detail| detail.steps[0].status == StepStatus::Waiting).await;
        assert_eq!(held.summary.status, RunStatus::Paused);
        assert_eq!(held.steps[0].waiting.as_ref().unwrap().reason, "goes on when the run is resumed");
        workflow::control(&ctx, run, Command::Resume).await.unwrap();
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "Now done.");
        assert_eq!(upstream.count(), 2, "nothing was asked twice");
    }

    async fn a_failed_agent_goes_on_where_it_stood_when_somebody_retries(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [
            calling(&[("1", AgentTool::MemorySearch, json!({"query": "x"}))]),
            Reply::Text(400, "no"),
        ]).await;
        let id = agent(&ctx, "helper", spec(&[AgentTool::MemorySearch])).await;
        let run = workflow::give_task(&ctx, id, "Go.".into(), None).await.unwrap();
        assert_eq!(end(&ctx, run).await.summary.status, RunStatus::Failed);
        assert_eq!(weft::monitor::get_agent(&ctx, id).await.unwrap().failed, 1);
        upstream.then(words("Done."));
        workflow::control(&ctx, run, Command::Retry).await.unwrap();
        let detail = end(&ctx, run).await;
        assert_eq!((&answer_of(&detail)["text"], &detail.output["turns"]), (&json!("Done."), &json!(2)));
        assert_eq!(upstream.count(), 3);
    }

    async fn a_step_gives_its_agent_a_schema_and_others_use_the_answer(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [words("seven"), words("{\"n\": 7}")]).await;
        let forbid = Rule { tool: None, matching: String::new(), after_untrusted: false, ruling: Ruling::Deny };
        agent(&ctx, "counter", AgentSpec { rules: vec![forbid], ..spec(&[]) }).await;
        let schema = json!({"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}});
        let config = json!({"agent": "counter", "prompt": "Count {{ inputs.n }}.", "schema": schema});
        let mut definition = chain(vec![
            json!({"id": "count", "kind": "agent", "config": config}),
            crate::engine::transform("double", json!("{{ steps.count.output.json.n * 2 }}")),
        ]);
        definition.output = json!("{{ steps.double.output }}");
        let run = start(&ctx, &definition, json!({"n": "sheep"})).await;
        assert_eq!(answer_of(&end(&ctx, run).await), &json!(14));
        assert!(told(&upstream, 0)[1].contains("Count sheep."));
        assert!(told(&upstream, 1).last().unwrap().contains("does not fit"));
        let nobody = chain(vec![json!({"id": "count", "kind": "agent", "config": {"agent": "nobody", "prompt": "x"}})]);
        let run = start(&ctx, &nobody, json!({"n": 1})).await;
        let error = end(&ctx, run).await.error.unwrap();
        assert_eq!((error.class.as_str(), error.message.as_str()), ("not_found", "there is no agent \"nobody\""));
    }
}
