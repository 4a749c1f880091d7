//! Hooks around the tools of an agent at work: what they deny, edit, ask about and note.

use serde_json::{Value, json};
use weft::model::agent::{AgentSpec, AgentTool, Entry, Hook, HookDid, HookOutcome, HookPoint, Judgement};
use weft::model::workflow::RunStatus;
use weft::runtime::{Clock, Ctx};
use weft::workflow::{self, approvals};
use weft::{agents, memory};

use super::agents::{agent, answer_of, asked, calling, journal, model, people, spec, told, word, words};
use super::{process, somebody};
use crate::engine::{end, until};

fn hook(value: Value) -> Hook {
    serde_json::from_value(value).unwrap()
}

fn before(name: &str, tools: &[&str], condition: &str, does: Value) -> Hook {
    hook(json!({"name": name, "when": "before", "tools": tools, "condition": condition, "does": does}))
}

fn write(key: &str, content: &str) -> Value {
    json!({"namespace": "notes", "key": key, "content": content})
}

fn writer(hooks: Vec<Hook>) -> AgentSpec {
    AgentSpec { hooks, ..spec(&[AgentTool::MemoryWrite, AgentTool::MemoryRead]) }
}

async fn content(ctx: &Ctx, key: &str) -> Option<String> {
    memory::get(ctx, "notes", key).await.ok().map(|entry| entry.content)
}

/// Everything that hooks said in a run.
async fn judged(ctx: &Ctx, run: weft::model::RunId) -> Vec<Judgement> {
    let entries = journal(ctx, run).await.into_iter();
    entries.filter_map(|entry| if let Entry::Judged { calls } = entry { Some(calls) } else { None }).flatten().collect()
}

on_both_engines! {
    async fn hooks_deny_edit_and_note_what_an_agent_does(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [
            calling(&[("1", AgentTool::MemoryWrite, write("plan", "Woven.")), ("2", AgentTool::MemoryWrite, write("salary", "Much."))]),
            calling(&[("3", AgentTool::MemoryRead, json!({"namespace": "notes", "key": "plan"}))]),
            words("Done."),
        ]).await;
        let hooks = vec![
            before("no pay", &["memory_*"], "'salary' in arguments.key", json!({"act": "deny", "message": "Pay is nobody's business."})),
            before("tagged", &["memory_write"], "", json!({"act": "edit", "set": [{"path": "tags", "value": "{{ [agent] }}"}]})),
            before("noted", &["memory_write"], "", json!({"act": "log", "message": "wrote {{ arguments.key }}"})),
            hook(json!({"name": "mask", "when": "after", "tools": ["memory_read"], "does": {"act": "edit", "whole": "result | replace('Woven', 'W…')"}})),
        ];
        let id = agent(&ctx, "weaver", writer(hooks)).await;
        let run = workflow::give_task(&ctx, id, "Write it.".into(), None).await.unwrap();
        assert_eq!(answer_of(&end(&ctx, run).await)["text"], "Done.");
        let plan = memory::get(&ctx, "notes", "plan").await.unwrap();
        assert_eq!((plan.content.as_str(), plan.tags), ("Woven.", vec!["weaver".to_owned()]));
        assert_eq!(content(&ctx, "salary").await, None);
        let results = told(&upstream, 1);
        assert!(results[3].contains("hooks changed what this was called with: tagged"), "{results:?}");
        assert!(results[4].contains("no pay") && results[4].contains("Pay is nobody's business."), "{results:?}");
        let read = told(&upstream, 2);
        let last = read.last().unwrap();
        assert!(last.contains("W….") && !last.contains("Woven"), "the model reads it as the hook left it: {last}");
        let judged = judged(&ctx, run).await;
        let outcomes: Vec<_> = judged.iter().map(|one| (one.when, one.outcome)).collect();
        let undecided = |when| (when, HookOutcome::Undecided);
        assert_eq!(outcomes, [
            undecided(HookPoint::Before), (HookPoint::Before, HookOutcome::Denied), undecided(HookPoint::Before), undecided(HookPoint::After),
        ]);
        let did: Vec<HookDid> = judged[0].said.iter().map(|said| said.did).collect();
        assert_eq!((did, judged[0].said[1].words.as_str()), (vec![HookDid::Edited, HookDid::Logged], "wrote plan"));
    }

    async fn a_hook_asks_about_what_it_edited_and_the_next_process_does_just_that(site: Site) {
        let (owner, ada) = people(&site).await;
        let upstream = model(&owner, [
            calling(&[("1", AgentTool::MemoryWrite, write("plan", "Woven."))]),
            words("Done."),
        ]).await;
        let hooks = vec![
            before("loud", &[], "", json!({"act": "edit", "set": [{"path": "content", "value": "{{ arguments.content | upper }}"}]})),
            before("look", &["memory_write"], "", json!({"act": "ask", "message": "Is it loud enough?"})),
        ];
        let id = agent(&owner, "weaver", writer(hooks)).await;
        let run = workflow::give_task(&owner, id, "Write it.".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        let question = asked(&ada).await;
        let text = &question.question.text;
        assert!(text.contains("WOVEN.") && text.contains("Is it loud enough?") && text.contains("loud"), "{text}");
        assert_eq!(content(&owner, "plan").await, None);
        assert!(owner.runtime().tasks.stop(std::time::Duration::from_secs(20)).await, "it drains");

        let second = process(&site, Clock::System);
        workflow::boot(&second).await.unwrap();
        let ada = second.as_actor(ada.actor.clone(), String::new());
        let again = asked(&ada).await;
        assert_eq!(again.id, question.id, "it is the same question");
        approvals::decide(&ada, again.id, word("approved", Value::Null, "")).await.unwrap();
        let owner = second.as_actor(owner.actor.clone(), String::new());
        assert_eq!(answer_of(&end(&owner, run).await)["text"], "Done.");
        assert_eq!(content(&owner, "plan").await.as_deref(), Some("WOVEN."));
        assert_eq!(judged(&owner, run).await.len(), 1, "hooks were asked once");
        assert_eq!(upstream.count(), 2);
    }

    async fn an_answer_is_sent_back_edited_and_let_through_by_a_person_in_the_next_process(site: Site) {
        let (owner, ada) = people(&site).await;
        let upstream = model(&owner, [words("The key is KEY."), words("I won't say.")]).await;
        let of_answer = |name: &str, condition: &str, does: Value| hook(json!({"name": name, "when": "answer", "condition": condition, "does": does}));
        let hooks = vec![
            of_answer("no keys", "'KEY' in text", json!({"act": "deny", "message": "Leave the key away."})),
            of_answer("loud", "", json!({"act": "edit", "whole": "text | upper"})),
            of_answer("look", "", json!({"act": "ask", "message": "Is it polite?"})),
        ];
        let id = agent(&owner, "weaver", AgentSpec { hooks, ..spec(&[]) }).await;
        let run = workflow::give_task(&owner, id, "What is the key?".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        let back = told(&upstream, 1).pop().unwrap();
        assert!(back.contains("no keys") && back.contains("Leave the key away."), "{back}");
        let question = asked(&ada).await;
        let text = &question.question.text;
        assert_eq!(question.question.title, "May weaver answer this?");
        assert!(text.contains("I WON'T SAY.") && text.contains("Is it polite?") && text.contains("loud"), "{text}");
        assert!(owner.runtime().tasks.stop(std::time::Duration::from_secs(20)).await, "it drains");

        let second = process(&site, Clock::System);
        workflow::boot(&second).await.unwrap();
        let ada = second.as_actor(ada.actor.clone(), String::new());
        let again = asked(&ada).await;
        assert_eq!(again.id, question.id, "it is the same question");
        approvals::decide(&ada, again.id, word("approved", Value::Null, "")).await.unwrap();
        let owner = second.as_actor(owner.actor.clone(), String::new());
        assert_eq!(answer_of(&end(&owner, run).await)["text"], "I WON'T SAY.");
        let judged = judged(&owner, run).await;
        let outcomes: Vec<_> = judged.iter().map(|one| (one.when, one.outcome)).collect();
        assert_eq!(outcomes, [(HookPoint::Answer, HookOutcome::Denied), (HookPoint::Answer, HookOutcome::Asked)], "once for each answer");
        assert_eq!(upstream.count(), 2, "nothing is paid for twice");
    }

    async fn a_hook_that_cannot_be_evaluated_holds_back_and_says_so(site: Site) {
        let ctx = somebody(&site).await;
        let upstream = model(&ctx, [calling(&[("1", AgentTool::MemoryWrite, write("plan", "Woven."))]), words("I can't.")]).await;
        let id = agent(&ctx, "weaver", writer(vec![before("odd", &[], "'x' in arguments.url", json!({"act": "allow"}))])).await;
        let run = workflow::give_task(&ctx, id, "Write it.".into(), None).await.unwrap();
        end(&ctx, run).await;
        assert_eq!(content(&ctx, "plan").await, None);
        let results = told(&upstream, 1);
        assert!(results[3].contains("it could not be evaluated"), "{results:?}");
    }

    async fn a_hook_that_allows_opens_nothing(site: Site) {
        let (owner, ada) = people(&site).await;
        workflow::boot(owner.runtime()).await.unwrap();
        model(&owner, [
            calling(&[("1", AgentTool::MemoryWrite, json!({"namespace": "secrets", "key": "x", "content": "x"})), ("2", AgentTool::Shell, json!({"script": "ls"}))]),
            words("Done."),
        ]).await;
        let hooks = vec![before("all", &[], "", json!({"act": "allow"}))];
        let open = AgentSpec { hooks, ..spec(&[AgentTool::MemoryWrite, AgentTool::Shell]) };
        let id = agent(&owner, "weaver", open).await;
        let run = workflow::give_task(&owner, id, "Write it.".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        assert_eq!(asked(&ada).await.question.title, "May weaver run a script?");
        assert!(memory::get(&owner, "secrets", "x").await.is_err());
    }

    async fn a_run_keeps_the_hooks_that_it_began_with(site: Site) {
        let (owner, ada) = people(&site).await;
        workflow::boot(owner.runtime()).await.unwrap();
        let upstream = model(&owner, [
            calling(&[("1", AgentTool::MemoryWrite, write("plan", "Woven."))]),
            calling(&[("2", AgentTool::MemoryWrite, write("next", "Sewn."))]),
            words("Done."),
        ]).await;
        let hooks = vec![before("look", &["memory_write"], "", json!({"act": "ask"}))];
        let id = agent(&owner, "weaver", writer(hooks)).await;
        let run = workflow::give_task(&owner, id, "Write it.".into(), None).await.unwrap();
        until(&owner, run, RunStatus::Waiting).await;
        let draft = weft::model::agent::AgentDraft { name: "weaver".into(), spec: writer(Vec::new()) };
        agents::update(&owner, id, 1, draft).await.unwrap();
        let first = asked(&ada).await;
        let seen = workflow::get_run(&owner, run).await.unwrap().last_seq;
        approvals::decide(&ada, first.id, word("approved", Value::Null, "")).await.unwrap();
        crate::engine::until_so(&owner, run, |detail| detail.last_seq > seen + 3 && detail.summary.status == RunStatus::Waiting).await;
        let next = asked(&ada).await;
        assert_ne!(next.id, first.id, "the second write is asked about as the first was");
        approvals::decide(&ada, next.id, word("rejected", Value::Null, "")).await.unwrap();
        end(&owner, run).await;
        assert_eq!(content(&owner, "next").await, None);
        assert_eq!(upstream.count(), 3);
    }
}
