//! The durable engine, through the face of runs.

use std::time::Duration;

use serde_json::{Value, json};
use weft::model::auth::Role;
use weft::model::workflow::{Command, Definition, Fact, RunDetail, RunStatus, State, StepStatus, TriggerKind};
use weft::model::{RunId, WorkspaceId};
use weft::runtime::outbound::Outbound;
use weft::runtime::{Actor, Clock, Config, Ctx, Ids, Keys, Principal, Runtime};
use weft::within;
use weft::workflow::{self, NewRun, Source};

mod approvals;
mod commands;
mod compensation;
mod containers;
mod durability;
mod events;
mod flow;
mod given;
mod graphs;
mod nodes;
mod pages;
mod patterns;
mod retries;
mod scale;
mod sub_runs;
mod versions;
mod watching;

use crate::support::Site;

/// A context in a workspace of its own.
pub async fn ctx(runtime: &Runtime) -> Ctx {
    let id: WorkspaceId = runtime.ids.fresh();
    let mut tx = runtime.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query("insert into workspace (id, name, created_at) values ($1, 'Team', $2)")
        .bind(id).bind(runtime.clock.now()).execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    runtime.as_actor(Actor { workspace: id, principal: Principal::System, role: Role::Owner }, String::new())
}

pub fn definition(value: Value) -> Definition {
    serde_json::from_value(value).unwrap()
}

/// A definition whose steps follow one another, each as given.
pub fn chain(steps: Vec<Value>) -> Definition {
    let edges: Vec<Value> = steps.windows(2).map(|pair| json!({"from": pair[0]["id"], "to": pair[1]["id"]})).collect();
    definition(
        json!({"weft": 1, "name": "chain", "inputs": any_of(&["n", "at", "list"]), "steps": steps, "edges": edges}),
    )
}

/// A schema that takes these inputs and asks for none.
pub fn any_of(names: &[&str]) -> Value {
    let properties: serde_json::Map<String, Value> = names.iter().map(|name| ((*name).to_owned(), json!({}))).collect();
    json!({"type": "object", "properties": properties})
}

pub async fn start(ctx: &Ctx, definition: &Definition, inputs: Value) -> RunId {
    let source = Source::Inline(Box::new(definition.clone()));
    workflow::start(ctx, NewRun::new(source, inputs, TriggerKind::Cli)).await.unwrap()
}

/// Waits for the end by events, and fails loudly when it does not come.
pub async fn end(ctx: &Ctx, run: RunId) -> RunDetail {
    let summary = workflow::wait_for_end(ctx, run, Duration::from_secs(60)).await.unwrap();
    let detail = workflow::get_run(ctx, run).await.unwrap();
    assert!(summary.status.is_final(), "{detail:#?}");
    detail
}

/// Waits until the run shows this status, by the changes that are published.
pub async fn until(ctx: &Ctx, run: RunId, status: RunStatus) -> RunDetail {
    until_so(ctx, run, |detail| detail.summary.status == status).await
}

/// Waits until the run is so, by the changes that are published.
pub async fn until_so(ctx: &Ctx, run: RunId, is_so: impl Fn(&RunDetail) -> bool) -> RunDetail {
    let mut changes = ctx.events.subscribe();
    let work = async {
        loop {
            let detail = workflow::get_run(ctx, run).await.unwrap();
            if is_so(&detail) {
                return detail;
            }
            // A change that was missed is no loss: the run is looked at again.
            let _ = changes.recv().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(60), work).await.unwrap()
}

/// Another process on the same database and folder, with this clock.
pub fn next_process(site: &Site, clock: Clock) -> Runtime {
    let config = Config::isolated(site.folder.path());
    Runtime::new(config, site.runtime.db.clone(), clock, site.runtime.keys.clone(), Outbound::default())
}

pub fn statuses(detail: &RunDetail) -> Vec<(&str, StepStatus)> {
    detail.steps.iter().map(|step| (step.id.as_str(), step.status)).collect()
}

pub fn transform(id: &str, value: Value) -> Value {
    json!({"id": id, "kind": "transform", "config": {"value": value}})
}

pub fn wait(id: &str, ms: i64) -> Value {
    json!({"id": id, "kind": "wait", "config": {"ms": ms}})
}

on_both_engines! {
    async fn a_chain_of_pure_steps_gives_its_output(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = chain(vec![
            transform("a", json!({"n": "{{ inputs.n }}"})),
            transform("b", json!("{{ steps.a.output.n + 1 }}")),
        ]);
        definition.output = json!({"sum": "{{ steps.b.output }}", "text": "got {{ steps.b.output }}"});
        let run = start(&ctx, &definition, json!({"n": 41})).await;
        let detail = end(&ctx, run).await;
        assert_eq!(detail.summary.status, RunStatus::Succeeded);
        assert_eq!(detail.output, json!({"sum": 42, "text": "got 42"}));
        assert_eq!(detail.summary.steps_done, 2);
        let events = workflow::list_events(&ctx, run, 0, 100).await.unwrap();
        assert_eq!(events.iter().map(|event| event.seq).collect::<Vec<_>>(), (1..=6).collect::<Vec<_>>());
        assert!(matches!(events[0].fact, Fact::RunStarted { .. }));
        // The history replays to the same state.
        let mut state = State::new(run, &detail.definition);
        for event in &events {
            state.apply(event);
        }
        assert_eq!(state.steps(), detail.steps);
    }

    async fn inputs_that_do_not_fit_are_refused_with_their_pointers(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let mut definition = chain(vec![transform("a", json!(1))]);
        definition.inputs = json!({"type": "object", "required": ["path"], "properties": {"path": {"type": "string"}}});
        let new = NewRun::new(Source::Inline(Box::new(definition)), json!({}), TriggerKind::Cli);
        let error = weft::model::ApiError::from(workflow::start(&ctx, new).await.unwrap_err());
        assert_eq!(error.status(), 422);
        assert_eq!(error.field("/inputs/path"), Some("is required"));
    }

    async fn the_same_key_gives_the_same_run(site: Site) {
        let ctx = ctx(&site.runtime).await;
        let new = |n: i64| {
            let source = Source::Inline(Box::new(chain(vec![transform("a", json!(1))])));
            NewRun { idempotency_key: Some("k".into()), ..NewRun::new(source, json!({"n": n}), TriggerKind::Manual) }
        };
        let first = workflow::start(&ctx, new(1)).await.unwrap();
        assert_eq!(workflow::start(&ctx, new(1)).await.unwrap(), first);
        assert!(matches!(workflow::start(&ctx, new(2)).await, Err(workflow::Error::KeyReused)));
    }

    async fn a_run_of_another_workspace_is_not_found(site: Site) {
        let (ours, theirs) = (ctx(&site.runtime).await, ctx(&site.runtime).await);
        let run = start(&ours, &chain(vec![transform("a", json!(1))]), json!({})).await;
        assert!(matches!(workflow::get_run(&theirs, run).await, Err(workflow::Error::NotFound(_))));
        assert!(matches!(workflow::control(&theirs, run, Command::Cancel).await, Err(workflow::Error::NotFound(_))));
        assert!(workflow::list_runs(&theirs, &weft::model::workflow::RunFilter::default(), &weft::model::PageRequest::default()).await.unwrap().items.is_empty());
    }
}
