//! What another workspace has does not exist: every route that takes an id, with the ids of a second workspace.

use axum::http::Method;
use serde_json::{Value, json};
use weft::agents;
use weft::gateway;
use weft::memory::{self, Expect};
use weft::model::auth::Role;
use weft::model::memory::{EntryDraft, NamespaceDescription};
use weft::model::trigger::{Config, Missed, Overlap, TriggerDraft};
use weft::model::workflow::ApprovalFilter;
use weft::model::{InviteId, LoginSessionId, PageRequest, UserId, WorkspaceId};
use weft::runtime::{Actor, Ctx, Principal, Runtime};
use weft::trigger;
use weft::within;
use weft::workflow::{self, NewRun, definitions};

use super::matrix::routes;
use super::plan::{Sent, plan};
use super::{NIL, call, definition, json_of, owner};

/// One of everything in the other workspace, by the word that a path or a server function's name has for it.
struct Theirs {
    ctx: Ctx,
    user: UserId,
    invite: InviteId,
    session: LoginSessionId,
    workflow: String,
    run: String,
    approval: String,
    trigger: String,
    provider: String,
    route: String,
    key: String,
    budget: String,
    flag: String,
    agent: String,
    task: String,
    lease: String,
    comparison: String,
    kept: String,
    call: String,
    rule: String,
    backup: String,
}

async fn seed(rt: &Runtime) -> Theirs {
    let (workspace, user): (WorkspaceId, UserId) = (rt.ids.fresh(), rt.ids.fresh());
    let (invite, session): (InviteId, LoginSessionId) = (rt.ids.fresh(), rt.ids.fresh());
    let now = rt.clock.now();
    let mut tx = rt.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query("insert into workspace (id, name, created_at) values ($1, 'Theirs', $2)")
        .bind(workspace).bind(now).execute(conn).await.map(drop))
    .unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into app_user (id, workspace_id, email, name, role, password_hash, created_at)
        values ($1, $2, 'them@other.example', 'Them', 'viewer', 'none', $3)")
        .bind(user).bind(workspace).bind(now).execute(conn).await.map(drop))
    .unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into login_session (id, workspace_id, user_id, kind, secret_hash, epoch, user_agent, address, created_at,
            last_seen_at, expires_at)
        values ($1, $2, $3, 'browser', $4, 0, '', '', $5, $5, $6)")
        .bind(session).bind(workspace).bind(user).bind(vec![8_u8; 32]).bind(now).bind(now.plus_ms(1_000_000_000))
        .execute(conn).await.map(drop)).unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into invite (id, workspace_id, email, role, token_hash, invited_by, created_at, expires_at)
        values ($1, $2, 'new@other.example', 'viewer', $3, $4, $5, $6)")
        .bind(invite).bind(workspace).bind(vec![7_u8; 32]).bind(user).bind(now).bind(now.plus_ms(1_000_000))
        .execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    let actor = Actor { workspace, principal: Principal::System, role: Role::Owner };
    let ctx = rt.as_actor(actor, String::new());
    let draft = EntryDraft { content: "Their secret.".to_owned(), ..EntryDraft::default() };
    let said = NamespaceDescription { description: "Theirs alone.".to_owned() };
    memory::describe(&ctx, "theirs", &said).await.unwrap();
    memory::put(&ctx, "team", "thing", draft, Expect::Any, memory::source(&ctx)).await.unwrap();
    let definition = serde_json::from_value(definition("Theirs")).unwrap();
    let made = definitions::create(&ctx, definition).await.unwrap();
    definitions::publish(&ctx, made.id).await.unwrap();
    let run = workflow::start(&ctx, NewRun::manual(made.id, json!({}), None, false)).await.unwrap();
    workflow::wait_for_end(&ctx, run, std::time::Duration::from_secs(30)).await.unwrap();
    let approval = ask(&ctx).await;
    let config = Config::Schedule {
        cron: "0 9 * * *".into(),
        timezone: "UTC".into(),
        missed: Missed::Skip,
        overlap: Overlap::Allow,
    };
    let draft =
        TriggerDraft { workflow_id: made.id, name: "Theirs".into(), config, inputs: Value::Null, enabled: true };
    let trigger = trigger::create(&ctx, draft).await.unwrap().trigger.id;
    let provider = json!({"name": "Theirs", "kind": "ollama", "models": [{"id": "m"}]});
    let provider = gateway::create_provider(&ctx, serde_json::from_value(provider).unwrap()).await.unwrap().id;
    let route = json!({"name": "Theirs", "targets": [{"provider_id": provider, "model": "m"}]});
    let route = gateway::create_route(&ctx, serde_json::from_value(route).unwrap()).await.unwrap().id.to_string();
    let key = gateway::create_key(&ctx, serde_json::from_value(json!({"name": "Theirs"})).unwrap()).await.unwrap();
    let budget = json!({"name": "Theirs", "scope": "workspace", "period": "day", "limit_micros": 1});
    let budget = gateway::create_budget(&ctx, serde_json::from_value(budget).unwrap()).await.unwrap();
    let budget = budget.budget.id.to_string();
    let flag = serde_json::from_value(json!({"name": "Theirs"})).unwrap();
    let flag = gateway::create_flag(&ctx, flag).await.unwrap().flag.id.to_string();
    let agent = json!({"name": "Theirs", "spec": {"persona": "You keep their secret."}});
    let agent = agents::create(&ctx, serde_json::from_value(agent).unwrap()).await.unwrap().id.to_string();
    let task =
        agents::queue::give(&ctx, serde_json::from_value(json!({"prompt": "Keep it."})).unwrap(), None).await.unwrap();
    let task = task.id.to_string();
    let lease = keep_lease(&ctx, &approval).await;
    let comparison = keep_comparison(&ctx, &agent).await;
    let kept = keep(&ctx, provider).await;
    let call = keep_call(&ctx).await;
    let rule = json!({"namespace": "team", "budget_micros": 1});
    let rule = memory::save_summary_rule(&ctx, None, serde_json::from_value(rule).unwrap()).await.unwrap();
    let rule = rule.id.to_string();
    let backup = json!({
        "namespace": "team", "schedule": {"kind": "every", "hours": 1}, "secret_key": "their-secret-key",
        "target": {"kind": "s3", "endpoint": "https://s3.other.example", "region": "r", "bucket": "theirs", "access_key_id": "Theirs"},
    });
    let backup = memory::save_backup(&ctx, None, serde_json::from_value(backup).unwrap()).await.unwrap();
    let backup = backup.id.to_string();
    relate_theirs(&ctx).await;
    let (provider, key) = (provider.to_string(), key.key.id.to_string());
    let (workflow, run, trigger) = (made.id.to_string(), run.to_string(), trigger.to_string());
    Theirs {
        ctx,
        user,
        invite,
        session,
        workflow,
        run,
        approval,
        trigger,
        provider,
        route,
        key,
        budget,
        flag,
        agent,
        task,
        lease,
        comparison,
        kept,
        call,
        rule,
        backup,
    }
}

/// Says something of two of their entries.
async fn relate_theirs(ctx: &Ctx) {
    let draft = EntryDraft { content: "Their secret beside it.".to_owned(), ..EntryDraft::default() };
    memory::put(ctx, "team", "beside", draft, Expect::Any, memory::source(ctx)).await.unwrap();
    let draft = json!({"kind": "contradicts", "namespace": "team", "key": "beside"});
    memory::relate(ctx, ("team", "thing"), &serde_json::from_value(draft).unwrap()).await.unwrap();
}

/// Keeps a comparison of an agent's versions, without its runs.
async fn keep_comparison(ctx: &Ctx, agent: &str) -> String {
    let plan = weft::model::agent::ComparisonPlan { first: 1, second: 2, tasks: Vec::new(), checks: Vec::new() };
    agents::comparisons::keep(ctx, agent.parse().unwrap(), plan).await.unwrap().id.to_string()
}

/// Puts an answer into the cache, as a row: no model is there to give one.
async fn keep(ctx: &Ctx, provider: weft::model::ProviderId) -> String {
    let id: weft::model::CacheEntryId = ctx.ids.fresh();
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into cache_entry (id, workspace_id, key, scope, provider_id, provider, model, route, request, answer, bytes,
            read_tokens, written_tokens, hits, saved_micros, used_at, created_at, expires_at)
        values ($1, $2, $3, 'workspace', $4, 'Theirs', 'm', '', $3, $3, 1, 1, 1, 0, 0, $5, $5, $6)")
        .bind(id).bind(ctx.workspace()).bind(vec![1_u8; 32]).bind(provider).bind(now).bind(now.plus_ms(1_000_000))
        .execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    id.to_string()
}

/// Lets the run that asks people have something to itself, as a row: no agent is there to take it.
async fn keep_lease(ctx: &Ctx, approval: &str) -> String {
    let id: weft::model::LeaseId = ctx.ids.fresh();
    let agent: weft::model::AgentId = ctx.ids.fresh();
    let approval: weft::model::ApprovalId = approval.parse().unwrap();
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into agent_lease (id, workspace_id, run_id, step, agent_id, agent_name, kind, name, mode, state, reason, is_own,
            lease_token, asked_at, held_at, turn, untold)
        select $1, a.workspace_id, a.run_id, 'work', $2, 'Theirs', 'name', 'their secret', 'exclusive', 'held', '', $5, 0, $4, $4, 1, $5
        from approval a where a.id = $3")
        .bind(id).bind(agent).bind(approval).bind(now).bind(false)
        .execute(conn).await.map(drop)).unwrap();
    tx.commit().await.unwrap();
    assert_eq!(agents::leases::list(ctx).await.unwrap().len(), 1);
    id.to_string()
}

/// Puts a call with its content into the log, as rows.
async fn keep_call(ctx: &Ctx) -> String {
    let id: weft::model::CallId = ctx.ids.fresh();
    let now = ctx.clock.now();
    let mut tx = ctx.db.begin().await.unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into model_call (id, workspace_id, at, source, provider, model, choice, outcome, input, cache_read, cache_write,
            cache_write_hour, output, reasoning, estimated, took_ms)
        values ($1, $2, $3, 'proxy', 'Theirs', 'm', $4, 'complete', 1, 0, 0, 0, 1, 0, $5, 1)")
        .bind(id).bind(ctx.workspace()).bind(now).bind(sqlx::types::Json(weft::model::gateway::Choice::default())).bind(false)
        .execute(conn).await.map(drop)).unwrap();
    within!(&mut tx, conn => sqlx::query(
        "insert into model_call_content (call_id, workspace_id, request, expires_at) values ($1, $2, $3, $4)")
        .bind(id).bind(ctx.workspace()).bind(vec![1_u8; 32]).bind(now.plus_ms(1_000_000))
        .execute(conn).await.map(drop))
    .unwrap();
    tx.commit().await.unwrap();
    id.to_string()
}

/// Starts a run that asks people, and waits until it has.
async fn ask(ctx: &Ctx) -> String {
    let asks =
        json!({"weft": 1, "name": "Asks", "steps": [{"id": "ask", "kind": "approval", "config": {"title": "Well?"}}]});
    let asks = definitions::create(ctx, serde_json::from_value(asks).unwrap()).await.unwrap();
    definitions::publish(ctx, asks.id).await.unwrap();
    let mut changes = ctx.events.subscribe();
    workflow::start(ctx, NewRun::manual(asks.id, json!({}), None, false)).await.unwrap();
    loop {
        let open = weft::workflow::approvals::list(ctx, ApprovalFilter::Open, &PageRequest::default()).await.unwrap();
        if let Some(approval) = open.items.first() {
            return approval.id.to_string();
        }
        let moved = tokio::time::timeout(std::time::Duration::from_secs(30), changes.recv()).await;
        assert!(moved.is_ok(), "nobody was asked");
    }
}

impl Theirs {
    /// The id that a route about this noun takes.
    fn id(&self, row: &str) -> String {
        let nouns = [
            ("memory-backups/", self.backup.clone()),
            ("_backup", self.backup.clone()),
            ("summary-rules/", self.rule.clone()),
            ("summary_rule", self.rule.clone()),
            ("gateway/keys", self.key.clone()),
            ("gateway/delete_key", self.key.clone()),
            ("gateway/calls/", self.call.clone()),
            ("gateway/content", self.call.clone()),
            ("budgets/", self.budget.clone()),
            ("flags/", self.flag.clone()),
            ("agents/tasks/", self.task.clone()),
            ("agents/cancel_queued", self.task.clone()),
            ("agents/comparisons/", self.comparison.clone()),
            ("agents/comparisons", self.agent.clone()),
            ("agents/comparison", self.comparison.clone()),
            ("agents/delete_comparison", self.comparison.clone()),
            ("agents/leases/", self.lease.clone()),
            ("agents/end_lease", self.lease.clone()),
            ("agents/", self.agent.clone()),
            ("cache/", self.kept.clone()),
            ("routes/create", self.provider.clone()),
            ("providers/", self.provider.clone()),
            ("/routes/", self.route.clone()),
            ("/routes", self.provider.clone()),
            ("invite", self.invite.to_string()),
            ("session", self.session.to_string()),
            ("users/", self.user.to_string()),
            ("of_run", self.run.clone()),
            ("approvals/", self.approval.clone()),
            ("runs/start", self.workflow.clone()),
            ("triggers/create", self.workflow.clone()),
            ("triggers/", self.trigger.clone()),
            ("schedules/", self.trigger.clone()),
            ("/triggers", self.workflow.clone()),
            ("/schedules", self.workflow.clone()),
            ("runs/", self.run.clone()),
            ("workflows/", self.workflow.clone()),
        ];
        let known = nouns.into_iter().find(|(noun, _)| row.contains(noun));
        known.unwrap_or_else(|| panic!("whose id does {row} take?")).1
    }
}

/// The one row that names another entry behind its path.
const OTHER: &str = "DELETE /api/v1/memory/{namespace}/{key}/relations";

/// Replaces the id that names nothing by one that names theirs, and the entry that is not there by one that is there for them.
fn aimed(body: Value, id: &str) -> Value {
    let mut body: Value = serde_json::from_str(&body.to_string().replace(NIL, id)).unwrap();
    let nowhere = json!({"namespace": "nothing/here", "key": "none"});
    for named in ["/draft", "/other", ""] {
        let Some(Value::Object(fields)) = body.pointer_mut(named) else { continue };
        if fields.get("namespace") == nowhere.get("namespace") && fields.get("key") == nowhere.get("key") {
            fields.insert("namespace".to_owned(), json!("team"));
            fields.insert("key".to_owned(), json!("beside"));
        }
    }
    body
}

on_both_engines! {
    async fn the_ids_of_another_workspace_name_nothing(site: Site) {
        let rt = &site.runtime;
        let (_, cookie) = owner(rt).await;
        let theirs = seed(rt).await;
        let app = weft::http::router(rt);
        let mut walked = 0;
        for (method, path) in routes() {
            let row = format!("{method} {path}");
            let sent = plan(&method, &path);
            let by_path = path.contains("{id}");
            let by_body = matches!(&sent, Some(Sent::Json(body)) if body.to_string().contains(NIL));
            let by_key = path.contains("{namespace}") || matches!(&sent, Some(Sent::Json(body)) if body["key"] == "thing");
            // The keys of the installation belong to no workspace.
            if !by_path && !by_body && !by_key || path.contains("master-key/") {
                continue;
            }
            let id = if by_key { String::new() } else { theirs.id(&row) };
            let path = path.replace("{id}", &id).replace("{namespace}", "team").replace("{key}", "thing").replace("{version}", "1");
            let path = if row == OTHER { format!("{path}?namespace=team&key=beside") } else { path };
            let request = call(method.clone(), &path).with("cookie", &format!("weft={cookie}")).with("sec-fetch-site", "same-origin");
            let request = match sent {
                Some(Sent::Json(body)) => request.json(&aimed(body, &id)),
                _ => request,
            };
            let answer = request.send_to(&app).await;
            let status = answer.status().as_u16();
            let bytes = axum::body::to_bytes(answer.into_body(), 1 << 20).await.unwrap();
            let text = String::from_utf8_lossy(&bytes);
            assert!(!text.contains("Their secret"), "{row}: {text}");
            // Keys are no secrets: the same key in our own workspace is another entry. It is made, or is not in that version.
            let expected: &[u16] = match row.as_str() {
                "PUT /api/v1/memory/{namespace}/{key}" => &[201],
                "POST /rpc/memory/put" => &[409],
                "POST /api/v1/triggers" | "POST /api/v1/schedules" | "POST /api/v1/routes" => &[422],
                "POST /rpc/triggers/create" | "POST /rpc/routes/create" => &[422],
                _ => &[404],
            };
            // A namespace is no secret either: ours of the same name is another.
            let is_place = id.is_empty() && (row.contains("memory/") || row.contains("/namespaces/"));
            let ours_now = is_place && [200, 204, 409].contains(&status);
            assert!(expected.contains(&status) || ours_now, "{row}: {status}");
            walked += 1;
        }
        assert!(walked > 30, "{walked}");
        let entry = memory::get(&theirs.ctx, "team", "thing").await.unwrap();
        assert_eq!((entry.content.as_str(), entry.version), ("Their secret.", 1));
        let related = memory::relations(&theirs.ctx, "team", "thing").await.unwrap();
        assert_eq!((related.len(), related[0].other.key.as_str()), (1, "beside"), "nobody else says anything of their entries");
        assert_eq!(memory::list_backups(&theirs.ctx).await.unwrap().len(), 1);
        assert_eq!(theirs.ctx.workspace(), theirs.ctx.actor.workspace);
    }

    async fn the_lists_of_a_workspace_hold_its_own(site: Site) {
        let rt = &site.runtime;
        let (_, cookie) = owner(rt).await;
        seed(rt).await;
        let app = weft::http::router(rt);
        for path in ["/workflows", "/runs", "/memory", "/users", "/users/invites", "/analytics/overview", "/triggers", "/schedules", "/firings", "/providers", "/routes", "/budgets", "/agents", "/agents/tasks", "/agents/leases", "/gateway/keys", "/gateway/calls", "/gateway/usage", "/summary-rules", "/memory-backups", "/namespaces", "/cache/entries", "/cache/semantic", "/analytics/cache", "/providers/use", "/flags", "/flags/changes"] {
            let answer = call(Method::GET, &format!("/api/v1{path}")).with("cookie", &format!("weft={cookie}")).send_to(&app).await;
            let text = json_of(answer).await.to_string();
            assert!(!text.contains("Theirs") && !text.contains("other.example") && !text.contains("secret"), "{path}: {text}");
        }
    }
}
