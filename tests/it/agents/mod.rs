//! Agents on both engines: what they are, what they were, who stops them, and the list of what they did.

mod bus;
mod folders;
mod tasks;

use serde_json::{Value, json};
use weft::agents::{self, Error, Note};
use weft::model::agent::{AgentDraft, AgentSpec, AgentStanding, AgentTask, Processes, TaskStatus, WaitsFor};
use weft::model::auth::Role;
use weft::model::dashboard::Period;
use weft::model::live::Topic;
use weft::model::workflow::RunStatus;
use weft::model::{AgentId, ApiError, PageRequest, RunId};
use weft::runtime::{Actor, Ctx, Principal};
use weft::{monitor, within};

use crate::engine::ctx as workspace;

const DAY_MS: i64 = 24 * 3_600_000;

/// Somebody of this workspace with a role.
fn somebody(ctx: &Ctx, name: &str, role: Role) -> Ctx {
    let principal = Principal::User { id: ctx.ids.fresh(), name: name.to_owned(), session: ctx.ids.fresh() };
    ctx.runtime().as_actor(Actor { workspace: ctx.workspace(), principal, role }, String::new())
}

fn draft(name: &str) -> AgentDraft {
    AgentDraft { name: name.to_owned(), spec: AgentSpec::new("You look around.") }
}

async fn add(ctx: &Ctx, name: &str) -> AgentId {
    agents::create(ctx, draft(name)).await.unwrap().id
}

/// A run as its row is.
async fn run(ctx: &Ctx, status: RunStatus) -> RunId {
    let id: RunId = ctx.ids.fresh();
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into run (id, workspace_id, workflow_name, cause, definition_hash, status, steps_total, created_at, ended_at)
        values ($1, $2, 'Nightly', 'manual', $3, $4, 1, $5, $6)")
        .bind(id).bind(ctx.workspace()).bind(vec![0_u8]).bind(status.as_str()).bind(now).bind(status.is_final().then_some(now))
        .execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    id
}

fn note(agent: AgentId, run_id: RunId, status: TaskStatus) -> Note {
    Note {
        run_id,
        step: "ask".to_owned(),
        agent,
        version: 1,
        workflow_name: "Nightly".to_owned(),
        prompt: "What is new?".to_owned(),
        status,
        is_trial: false,
        turns: 2,
        tokens: 300,
        cost_micros: 40,
        processes: Processes { cpu_ms: 1_200, memory_mb: 48 },
        waits_for: (status == TaskStatus::Waiting).then_some(WaitsFor::People),
    }
}

/// Notes a task of a run in this status.
async fn task(ctx: &Ctx, agent: AgentId, noted: TaskStatus, status: RunStatus) -> RunId {
    let id = run(ctx, status).await;
    agents::note_task(ctx, &note(agent, id, noted)).await.unwrap();
    id
}

async fn tasks(ctx: &Ctx, agent: AgentId) -> Vec<AgentTask> {
    monitor::list_agent_tasks(ctx, agent, &PageRequest::default()).await.unwrap().items
}

fn names(standings: &[AgentStanding]) -> Vec<&str> {
    standings.iter().map(|standing| standing.agent.name.as_str()).collect()
}

on_both_engines! {
    async fn an_agent_is_found_by_its_id_and_by_its_name(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let spec: AgentSpec = serde_json::from_value(json!({
            "description": "Looks around.", "persona": "You look {{ around.", "model": "acme/big", "max_tokens": 1000, "temperature": 0.7,
            "tools": ["http_request", "memory_search", "shell"], "hosts": ["*.example.org"], "reads": ["code"],
            "rules": [{"tool": "shell", "matching": "rm *-rf", "ruling": "deny"}, {"after_untrusted": true, "ruling": "ask"}],
            "approvers": ["role:admin"], "limits": {"turns": 5, "cost_micros": 1000},
        })).unwrap();
        let made = agents::create(&ctx, AgentDraft { name: "scout".into(), spec: spec.clone() }).await.unwrap();
        assert_eq!((made.version, &made.spec, made.stopped_at), (1, &spec, None));
        assert_eq!((made.spec.limits.turns, made.spec.limits.tokens), (5, 1_000_000));
        assert_eq!(agents::get(&ctx, made.id).await.unwrap(), made);
        assert_eq!(agents::find_by_name(&ctx, "scout").await.unwrap(), made);
        assert!(matches!(agents::find_by_name(&ctx, "Scout").await, Err(Error::NotFound("agent"))));
        add(&ctx, "Abe").await;
        add(&ctx, "zoe").await;
        let listed: Vec<String> = agents::list(&ctx).await.unwrap().into_iter().map(|agent| agent.name).collect();
        assert_eq!(listed, ["Abe", "scout", "zoe"]);
        assert_eq!(names(&monitor::list_agents(&ctx).await.unwrap()), ["Abe", "scout", "zoe"]);
    }

    async fn a_name_is_taken_once_in_a_workspace(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let again = agents::create(&ctx, draft("scout")).await.unwrap_err();
        assert_eq!(again.to_string(), "there is an agent called scout already");
        add(&ctx, "other").await;
        assert!(matches!(agents::update(&ctx, scout, 1, draft("other")).await, Err(Error::Conflict(_))));
        assert_eq!(agents::get(&ctx, scout).await.unwrap().version, 1);
        assert_eq!(agents::list_versions(&ctx, scout).await.unwrap().len(), 1, "a change that was refused leaves no version");
        add(&workspace(&site.runtime).await, "scout").await;
    }

    async fn each_change_makes_a_version_and_nothing_changed_makes_none(site: Site) {
        let system = workspace(&site.runtime).await;
        let (mara, ben) = (somebody(&system, "Mara", Role::Builder), somebody(&system, "Ben", Role::Admin));
        let scout = add(&mara, "scout").await;
        system.clock.advance_ms(1_000);
        assert_eq!(agents::update(&ben, scout, 1, draft("scout")).await.unwrap().version, 1);
        let mut change = draft("scout");
        change.spec.persona = "You look twice.".into();
        let changed = agents::update(&ben, scout, 1, change.clone()).await.unwrap();
        assert_eq!((changed.version, changed.spec.persona.as_str()), (2, "You look twice."));
        assert_eq!(changed.updated_at.ms_since(changed.created_at), 1_000);
        let late = agents::update(&mara, scout, 1, draft("scout")).await.unwrap_err();
        assert_eq!(late.to_string(), "the agent was changed by somebody else meanwhile: it is at version 2, yours began at 1");
        // The same words as it has, from one who saw something else.
        assert!(matches!(agents::update(&mara, scout, 1, change).await, Err(Error::Conflict(_))));
        assert_eq!(agents::update(&mara, scout, None, draft("scout-2")).await.unwrap().version, 3);
        let versions = agents::list_versions(&system, scout).await.unwrap();
        let told: Vec<_> = versions.iter().map(|v| (v.version, v.by.as_deref(), v.spec.persona.as_str())).collect();
        assert_eq!(told, [
            (3, Some("Mara"), "You look around."), (2, Some("Ben"), "You look twice."), (1, Some("Mara"), "You look around."),
        ]);
        let unnamed = add(&system, "by-itself").await;
        assert_eq!(agents::list_versions(&system, unnamed).await.unwrap()[0].by, None);
    }

    async fn a_hundred_versions_are_kept(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let (scout, other) = (add(&ctx, "scout").await, add(&ctx, "other").await);
        for number in 2..=103 {
            let mut change = draft("scout");
            change.spec.description = number.to_string();
            agents::update(&ctx, scout, number - 1, change).await.unwrap();
        }
        let listed = agents::list_versions(&ctx, scout).await.unwrap();
        assert_eq!((listed.len(), listed[0].version, listed[99].version), (100, 103, 4));
        assert_eq!(agents::forget(&site.runtime).await.unwrap(), 3);
        assert_eq!(agents::list_versions(&ctx, scout).await.unwrap(), listed);
        assert_eq!(agents::list_versions(&ctx, other).await.unwrap().len(), 1);
        assert_eq!(agents::forget(&site.runtime).await.unwrap(), 0);
    }

    async fn what_does_not_fit_is_refused_with_its_place(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let mut bad = draft("two words");
        bad.spec.limits.turns = 0;
        bad.spec.hosts = vec!["https://example.org".into()];
        for refused in [agents::create(&ctx, bad.clone()).await, agents::update(&ctx, scout, 1, bad.clone()).await] {
            let Err(Error::Invalid(fields)) = refused else { panic!("{refused:?}") };
            let pointers: Vec<&str> = fields.iter().map(|field| field.pointer.as_str()).collect();
            assert_eq!(pointers, ["/name", "/spec/hosts/0", "/spec/limits/turns"]);
        }
        assert_eq!(agents::list(&ctx).await.unwrap(), [agents::get(&ctx, scout).await.unwrap()]);
        for (spec, unknown) in [(json!({"persona": "x", "tool": []}), "tool"), (json!({"persona": "x", "tools": ["knife"]}), "knife")] {
            let error = serde_json::from_value::<AgentSpec>(spec).unwrap_err().to_string();
            assert!(error.contains(unknown), "{error}");
        }
    }

    async fn a_workspace_has_at_most_five_hundred(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let first = add(&ctx, "first").await;
        let mut tx = ctx.db.begin().await.unwrap();
        for number in 1..500 {
            let id: AgentId = ctx.ids.fresh();
            within!(&mut tx, conn => sqlx::query(
                "insert into agent (id, workspace_id, name, version, spec, created_at, updated_at) values ($1, $2, $3, 1, $4, $5, $5)")
                .bind(id).bind(ctx.workspace()).bind(format!("a{number}")).bind(sqlx::types::Json(AgentSpec::new("x")))
                .bind(ctx.clock.now()).execute(conn).await.map(drop)).unwrap();
        }
        tx.commit().await.unwrap();
        let full = agents::create(&ctx, draft("one-more")).await.unwrap_err();
        assert_eq!(full.to_string(), "the workspace has 500 agents; delete one first");
        add(&workspace(&site.runtime).await, "elsewhere").await;
        agents::delete(&ctx, first).await.unwrap();
        add(&ctx, "one-more").await;
    }

    async fn who_stopped_an_agent_first_stays_who_stopped_it(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let (mara, ben) = (somebody(&ctx, "Mara", Role::Operator), somebody(&ctx, "Ben", Role::Owner));
        let scout = add(&ctx, "scout").await;
        assert!(!agents::is_stopped(&ctx, scout).await.unwrap());
        let stopped = agents::halt(&mara, scout, true).await.unwrap();
        assert_eq!((stopped.stopped_at, stopped.stopped_by.as_deref()), (Some(ctx.clock.now()), Some("Mara")));
        assert_eq!(stopped.version, 1, "stopping changes nothing of what it is");
        assert!(agents::is_stopped(&ctx, scout).await.unwrap());
        ctx.clock.advance_ms(1_000);
        assert_eq!(agents::halt(&ben, scout, true).await.unwrap(), stopped);
        let free = agents::halt(&ben, scout, false).await.unwrap();
        assert_eq!((free.stopped_at, free.stopped_by.clone()), (None, None));
        assert!(!agents::is_stopped(&ctx, scout).await.unwrap());
        assert_eq!(agents::halt(&mara, scout, false).await.unwrap(), free);
        // A change lets it go on standing still.
        agents::halt(&mara, scout, true).await.unwrap();
        assert!(agents::update(&ctx, scout, 1, draft("scout-2")).await.unwrap().stopped_at.is_some());
    }

    async fn a_deleted_agent_is_gone_with_its_tasks_and_counts_as_stopped(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        let run = task(&ctx, scout, TaskStatus::Working, RunStatus::Running).await;
        agents::delete(&ctx, scout).await.unwrap();
        assert!(agents::is_stopped(&ctx, scout).await.unwrap());
        assert!(matches!(agents::get(&ctx, scout).await, Err(Error::NotFound("agent"))));
        assert!(matches!(agents::delete(&ctx, scout).await, Err(Error::NotFound("agent"))));
        assert!(matches!(agents::halt(&ctx, scout, true).await, Err(Error::NotFound("agent"))));
        assert!(matches!(monitor::get_agent(&ctx, scout).await, Err(ApiError::NotFound { .. })));
        assert!(matches!(monitor::list_agent_tasks(&ctx, scout, &PageRequest::default()).await, Err(ApiError::NotFound { .. })));
        // Its step notes its end.
        agents::note_task(&ctx, &note(scout, run, TaskStatus::Failed)).await.unwrap();
        let again = add(&ctx, "scout").await;
        assert_eq!(tasks(&ctx, again).await, []);
        assert_eq!(monitor::get_agent(&ctx, again).await.unwrap().latest, None);
    }

    async fn a_role_does_with_agents_what_it_may(site: Site) {
        let ctx = workspace(&site.runtime).await;
        let scout = add(&ctx, "scout").await;
        for (role, edits, halts) in [
            (Role::Viewer, false, false), (Role::Operator, false, true), (Role::Builder, true, true), (Role::Admin, true, true),
        ] {
            let who = somebody(&ctx, "Somebody", role);
            assert!(agents::list(&who).await.is_ok() && monitor::list_agents(&who).await.is_ok(), "{role:?}");
            assert_eq!(agents::update(&who, scout, None, draft("scout")).await.is_ok(), edits, "{role:?}");
            assert_eq!(agents::create(&who, draft(role.as_str())).await.is_ok(), edits, "{role:?}");
            assert_eq!(agents::halt(&who, scout, false).await.is_ok(), halts, "{role:?}");
            let gone = agents::delete(&who, ctx.ids.fresh()).await.unwrap_err();
            assert_eq!(matches!(gone, Error::NotFound(_)), edits, "{role:?}: {gone}");
        }
    }

    async fn what_another_workspace_has_is_not_there(site: Site) {
        let (theirs, ours) = (workspace(&site.runtime).await, workspace(&site.runtime).await);
        let scout = add(&theirs, "scout").await;
        let run = task(&theirs, scout, TaskStatus::Working, RunStatus::Running).await;
        let before = (agents::get(&theirs, scout).await.unwrap(), tasks(&theirs, scout).await);
        for refused in [
            agents::get(&ours, scout).await, agents::find_by_name(&ours, "scout").await, agents::halt(&ours, scout, true).await,
            agents::update(&ours, scout, 1, draft("mine")).await,
        ] {
            assert!(matches!(refused, Err(Error::NotFound("agent"))), "{refused:?}");
        }
        assert!(matches!(agents::list_versions(&ours, scout).await, Err(Error::NotFound(_))));
        assert!(matches!(agents::delete(&ours, scout).await, Err(Error::NotFound(_))));
        assert!(matches!(monitor::get_agent(&ours, scout).await, Err(ApiError::NotFound { .. })));
        assert!(matches!(monitor::list_agent_tasks(&ours, scout, &PageRequest::default()).await, Err(ApiError::NotFound { .. })));
        assert!(agents::is_stopped(&ours, scout).await.unwrap());
        assert!(agents::list(&ours).await.unwrap().is_empty() && monitor::list_agents(&ours).await.unwrap().is_empty());
        // Neither of their agent nor of their run.
        agents::note_task(&ours, &note(scout, run, TaskStatus::Done)).await.unwrap();
        let mine = add(&ours, "mine").await;
        agents::note_task(&ours, &note(mine, run, TaskStatus::Done)).await.unwrap();
        assert_eq!(tasks(&ours, mine).await, []);
        assert_eq!((agents::get(&theirs, scout).await.unwrap(), tasks(&theirs, scout).await), before);
    }
}
