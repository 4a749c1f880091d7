//! Changes of memory and ends of runs: none is lost, none fires twice, and nothing goes round for ever.

use serde_json::{Value, json};
use weft::memory::{self, Expect};
use weft::model::memory::{EntryDraft, Source};
use weft::model::trigger::{Config, MemoryChange, Outcome};
use weft::model::workflow::{Definition, RunFilter, RunStatus, TriggerKind};
use weft::model::{PageRequest, RunId, WorkflowId};
use weft::runtime::Ctx;
use weft::trigger;
use weft::workflow::{self, NewRun, Source as Runs};

use super::workflow as workflow_of;
use super::{ctx, draft, end, firings, make, next_process, outcomes, short};

fn on_memory(flow: WorkflowId, namespace: &str, on: &[MemoryChange]) -> weft::model::trigger::TriggerDraft {
    draft(flow, Config::Memory { namespace: namespace.into(), on: on.to_vec() })
}

fn on_end(flow: WorkflowId, of: Option<WorkflowId>, statuses: &[RunStatus]) -> weft::model::trigger::TriggerDraft {
    draft(flow, Config::RunFinished { of, statuses: statuses.to_vec() })
}

async fn put(ctx: &Ctx, namespace: &str, key: &str, content: &str) {
    let draft = EntryDraft { content: content.into(), ..EntryDraft::default() };
    memory::put(ctx, namespace, key, draft, Expect::Any, memory::source(ctx)).await.unwrap();
}

async fn run(ctx: &Ctx, flow: WorkflowId) -> RunId {
    let run = workflow::start(ctx, NewRun::manual(flow, json!({}), None, false)).await.unwrap();
    end(ctx, run).await;
    run
}

/// A workflow that writes an entry.
async fn writer(ctx: &Ctx, name: &str, namespace: &str) -> WorkflowId {
    let config = json!({"namespace": namespace, "key": "k", "content": "from {{ run.id }}"});
    workflow_of(ctx, name, vec![json!({"id": "w", "kind": "memory_write", "config": config})]).await
}

async fn failing(ctx: &Ctx, name: &str) -> WorkflowId {
    workflow_of(ctx, name, vec![json!({"id": "a", "kind": "transform", "config": {"value": "{{ inputs.missing }}"}})])
        .await
}

/// Looks until nothing comes any more, each time after every run has ended.
async fn settle(ctx: &Ctx) {
    for _ in 0..20 {
        let open =
            workflow::list_runs(ctx, &RunFilter::default(), &PageRequest { limit: 200, cursor: None }).await.unwrap();
        let before = open.items.len();
        for run in open.items {
            end(ctx, run.id).await;
        }
        trigger::look(ctx.runtime()).await.unwrap();
        let after =
            workflow::list_runs(ctx, &RunFilter::default(), &PageRequest { limit: 200, cursor: None }).await.unwrap();
        if after.items.len() == before {
            return;
        }
    }
}

on_both_engines! {
    async fn every_change_in_a_subtree_fires_once(site: Site) {
        let ctx = ctx(&site.runtime).await;
        put(&ctx, "code/decisions", "old", "before").await;
        let flow = short(&ctx, "Reads").await;
        let mut draft = on_memory(flow, "code", &[MemoryChange::Written, MemoryChange::Deleted]);
        draft.inputs = json!({"text": "{{ event.key }} {{ event.change }}: {{ event.content }}"});
        let made = make(&ctx, draft).await.trigger;
        // Several before anybody looks, two of them of one entry.
        put(&ctx, "code", "a", "1").await;
        put(&ctx, "code/x", "b", "2").await;
        put(&ctx, "code/x", "b", "3").await;
        put(&ctx, "codec", "c", "no").await;
        memory::delete(&ctx, "code", "a", Expect::Any).await.unwrap();
        let other = next_process(&site, site.runtime.clock.clone());
        let (one, two) = tokio::join!(trigger::look(&site.runtime), trigger::look(&other));
        one.and(two).unwrap();
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Started; 4]);
        let mut inputs = Vec::new();
        for firing in &found {
            let run = end(&ctx, firing.run_id.unwrap()).await;
            assert_eq!(run.summary.trigger, TriggerKind::Event);
            inputs.push(run.inputs["text"].as_str().unwrap().to_owned());
        }
        assert_eq!(inputs, ["a written: 1", "b written: 2", "b written: 3", "a deleted: null"]);
    }

    async fn a_process_that_watches_hears_of_a_change_at_once(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let made = make(&ctx, on_memory(short(&ctx, "Reads").await, "", &[MemoryChange::Written])).await.trigger;
        trigger::boot(&site.runtime).await.unwrap();
        let mut changes = site.runtime.events.subscribe();
        put(&ctx, "notes", "a", "1").await;
        while outcomes(&firings(&ctx, made.id).await) != [Outcome::Started] {
            tokio::time::timeout(std::time::Duration::from_secs(30), changes.recv()).await.unwrap().unwrap();
        }
    }

    async fn what_a_run_of_the_own_workflow_writes_starts_no_other(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = writer(&ctx, "Writes", "notes").await;
        let made = make(&ctx, on_memory(flow, "notes", &[MemoryChange::Written])).await.trigger;
        put(&ctx, "notes", "seed", "1").await;
        settle(&ctx).await;
        assert_eq!(outcomes(&firings(&ctx, made.id).await), [Outcome::Started, Outcome::Skipped]);
    }

    async fn two_workflows_that_set_each_other_off_end_after_five(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (a, b) = (writer(&ctx, "A", "ping").await, writer(&ctx, "B", "pong").await);
        let to_b = make(&ctx, on_memory(b, "ping", &[MemoryChange::Written])).await.trigger.id;
        let to_a = make(&ctx, on_memory(a, "pong", &[MemoryChange::Written])).await.trigger.id;
        put(&ctx, "ping", "seed", "1").await;
        settle(&ctx).await;
        let all = [firings(&ctx, to_b).await, firings(&ctx, to_a).await].concat();
        let started = all.iter().filter(|firing| firing.outcome == Outcome::Started).count();
        let refused: Vec<_> = all.iter().filter(|firing| firing.outcome == Outcome::Refused).collect();
        assert_eq!((started, refused.len()), (6, 1), "{all:#?}");
        assert!(refused[0].reason.contains("chain of 5"));
    }

    async fn the_end_of_a_run_starts_another_with_what_happened(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (bad, good, handler) = (failing(&ctx, "Bad").await, short(&ctx, "Good").await, short(&ctx, "Handler").await);
        let mut draft = on_end(handler, None, &[RunStatus::Failed]);
        draft.inputs = json!({"run": "{{ event.run_id }}", "of": "{{ event.workflow.name }}", "why": "{{ event.error.class }}"});
        let made = make(&ctx, draft).await.trigger;
        run(&ctx, good).await;
        let failed = run(&ctx, bad).await;
        trigger::look(&site.runtime).await.unwrap();
        trigger::look(&site.runtime).await.unwrap();
        let found = firings(&ctx, made.id).await;
        assert_eq!(outcomes(&found), [Outcome::Started]);
        let handled = end(&ctx, found[0].run_id.unwrap()).await;
        assert_eq!(handled.inputs, json!({"run": failed.to_string(), "of": "Bad", "why": "expression"}));
    }

    async fn an_end_that_nobody_was_there_for_is_found_later(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (flow, next) = (short(&ctx, "One").await, short(&ctx, "Two").await);
        let made = make(&ctx, on_end(next, Some(flow), &[RunStatus::Succeeded])).await.trigger;
        run(&ctx, flow).await;
        // The process dies; days later another looks.
        let later = next_process(&site, site.runtime.clock.clone());
        site.runtime.clock.advance_ms(3 * 86_400_000);
        let (one, two) = tokio::join!(trigger::look(&later), trigger::look(&site.runtime));
        one.and(two).unwrap();
        assert_eq!(outcomes(&firings(&ctx, made.id).await), [Outcome::Started]);
    }

    async fn tests_and_other_workflows_are_not_meant_and_chains_end(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (flow, next) = (short(&ctx, "One").await, short(&ctx, "Two").await);
        let forth = make(&ctx, on_end(next, Some(flow), &[RunStatus::Succeeded])).await.trigger.id;
        let back = make(&ctx, on_end(flow, Some(next), &[RunStatus::Succeeded])).await.trigger.id;
        let test = workflow::start(&ctx, NewRun::manual(flow, json!({}), None, true)).await.unwrap();
        end(&ctx, test).await;
        let inline: Definition = serde_json::from_value(crate::http::definition("Inline")).unwrap();
        let inline = NewRun { origin: None, started_by: None, until: None, source: Runs::Inline(Box::new(inline)), inputs: Value::Null, trigger: TriggerKind::Cli, idempotency_key: None };
        let inline = workflow::start(&ctx, inline).await.unwrap();
        end(&ctx, inline).await;
        settle(&ctx).await;
        assert!(firings(&ctx, forth).await.is_empty());
        run(&ctx, flow).await;
        settle(&ctx).await;
        let all = [firings(&ctx, forth).await, firings(&ctx, back).await].concat();
        assert_eq!(all.iter().filter(|firing| firing.outcome == Outcome::Started).count(), 5);
        assert_eq!(all.iter().filter(|firing| firing.outcome == Outcome::Refused).count(), 1);
    }

    async fn a_trigger_that_is_off_hears_nothing_of_meanwhile(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let (flow, next) = (short(&ctx, "One").await, short(&ctx, "Two").await);
        let memory = make(&ctx, on_memory(next, "", &[MemoryChange::Written])).await.trigger;
        let ends = make(&ctx, on_end(next, Some(flow), &[RunStatus::Succeeded])).await.trigger;
        for trigger in [&memory, &ends] {
            let off = weft::model::trigger::TriggerDraft { enabled: false, ..draft(next, trigger.config.clone()) };
            trigger::update(&ctx, trigger.id, 1, off).await.unwrap();
        }
        run(&ctx, flow).await;
        put(&ctx, "notes", "a", "1").await;
        for trigger in [&memory, &ends] {
            trigger::update(&ctx, trigger.id, 2, draft(next, trigger.config.clone())).await.unwrap();
        }
        trigger::look(&site.runtime).await.unwrap();
        assert!(firings(&ctx, memory.id).await.is_empty() && firings(&ctx, ends.id).await.is_empty());
        put(&ctx, "notes", "b", "1").await;
        trigger::look(&site.runtime).await.unwrap();
        assert_eq!(firings(&ctx, memory.id).await.len(), 1);
    }

    async fn a_trigger_may_not_wait_for_the_workflow_that_it_starts(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = short(&ctx, "One").await;
        let error = weft::model::ApiError::from(trigger::create(&ctx, on_end(flow, Some(flow), &[RunStatus::Failed])).await.unwrap_err());
        assert!(error.field("/config/of").is_some());
        // The end of its own failed runs is no occasion for a handler of all.
        let handler = failing(&ctx, "Handler").await;
        let made = make(&ctx, on_end(handler, None, &[RunStatus::Failed])).await.trigger;
        run(&ctx, handler).await;
        settle(&ctx).await;
        assert!(firings(&ctx, made.id).await.is_empty());
    }

    async fn old_firings_are_forgotten(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let made = make(&ctx, on_memory(short(&ctx, "Reads").await, "", &[MemoryChange::Written])).await.trigger;
        put(&ctx, "notes", "a", "1").await;
        trigger::look(&site.runtime).await.unwrap();
        assert_eq!(trigger::forget(&site.runtime).await.unwrap(), 0);
        site.runtime.clock.advance_ms((i64::from(site.runtime.config.retention_days) + 1) * 86_400_000);
        assert_eq!(trigger::forget(&site.runtime).await.unwrap(), 1);
        assert!(firings(&ctx, made.id).await.is_empty());
    }

    async fn firings_are_kept_as_long_as_their_workspace_says(site: Site) {
        let (ours, theirs) = (ctx(&site.runtime).await, ctx(&site.runtime).await);
        weft::workflow::set_retention(&ours, Some(2)).await.unwrap();
        let mut made = Vec::new();
        for ctx in [&ours, &theirs] {
            made.push(make(ctx, on_memory(short(ctx, "Reads").await, "", &[MemoryChange::Written])).await.trigger);
            put(ctx, "notes", "a", "1").await;
        }
        trigger::look(&site.runtime).await.unwrap();
        site.runtime.clock.advance_ms(3 * 86_400_000);
        assert_eq!(trigger::forget(&site.runtime).await.unwrap(), 1);
        assert!(firings(&ours, made[0].id).await.is_empty());
        assert_eq!(firings(&theirs, made[1].id).await.len(), 1);
    }

    async fn what_a_step_writes_tells_its_run(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let flow = writer(&ctx, "Writes", "notes").await;
        let before = memory::last_change(&ctx).await.unwrap();
        let run = run(&ctx, flow).await;
        let changes = memory::list_changes(&ctx, before, 10).await.unwrap();
        assert_eq!(changes.len(), 1);
        assert!(matches!(&changes[0].source, Source::Run { run_id, .. } if *run_id == run));
    }
}
