//! Triggers, through their face, on both databases and with the clock in hand.

mod events;
mod remembered;
mod schedules;
mod webhooks;

use serde_json::{Value, json};
use weft::model::trigger::{Config, Firing, Missed, Outcome, Overlap, TriggerDraft, TriggerMade};
use weft::model::workflow::Definition;
use weft::model::{PageRequest, Timestamp, TriggerId, WorkflowId};
use weft::runtime::{Ctx, Runtime};
use weft::trigger;
use weft::workflow::definitions;

pub use crate::engine::{ctx, end, next_process};

/// A published workflow with these steps.
pub async fn workflow(ctx: &Ctx, name: &str, steps: Vec<Value>) -> WorkflowId {
    let edges: Vec<Value> = steps.windows(2).map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]})).collect();
    let definition: Definition = serde_json::from_value(json!({
        "weft": 1, "name": name, "inputs": {"type": "object"}, "steps": steps, "edges": edges,
    }))
    .unwrap();
    let made = definitions::create(ctx, definition).await.unwrap();
    definitions::publish(ctx, made.id).await.unwrap();
    made.id
}

/// A published workflow of one step that ends at once.
pub async fn short(ctx: &Ctx, name: &str) -> WorkflowId {
    workflow(ctx, name, vec![json!({"id": "a", "kind": "transform", "config": {"value": 1}})]).await
}

/// A published workflow that waits for an hour.
pub async fn long(ctx: &Ctx, name: &str) -> WorkflowId {
    workflow(ctx, name, vec![json!({"id": "a", "kind": "wait", "config": {"ms": 3_600_000}})]).await
}

pub fn schedule(workflow_id: WorkflowId, cron: &str, missed: Missed, overlap: Overlap) -> TriggerDraft {
    let config = Config::Schedule { cron: cron.into(), timezone: "Europe/Berlin".into(), missed, overlap };
    draft(workflow_id, config)
}

pub fn draft(workflow_id: WorkflowId, config: Config) -> TriggerDraft {
    TriggerDraft { workflow_id, name: "Ours".into(), config, inputs: Value::Null, enabled: true }
}

pub async fn make(ctx: &Ctx, draft: TriggerDraft) -> TriggerMade {
    trigger::create(ctx, draft).await.unwrap()
}

/// The firings of a trigger, oldest first.
pub async fn firings(ctx: &Ctx, id: TriggerId) -> Vec<Firing> {
    let page = PageRequest { limit: 200, cursor: None };
    let mut firings = trigger::list_firings(ctx, Some(id), &page).await.unwrap().items;
    firings.reverse();
    firings
}

pub fn outcomes(firings: &[Firing]) -> Vec<Outcome> {
    firings.iter().map(|firing| firing.outcome).collect()
}

pub fn at(text: &str) -> Timestamp {
    Timestamp::parse(text).unwrap()
}

/// Moves the clock to a moment.
pub fn to(runtime: &Runtime, text: &str) {
    runtime.clock.advance_ms(at(text).ms_since(runtime.clock.now()));
}
