//! One plausible call of every route and server function: for the matrix, which fails for a route that has none here.

use axum::http::Method;
use serde_json::{Value, json};

use super::{NIL, definition};

/// What a call sends.
pub enum Sent {
    /// No body.
    Nothing,
    /// `application/json`.
    Json(Value),
    /// A plain form, as the browser sends it without our script.
    Form(&'static str),
}

use Sent::{Form, Json, Nothing};

/// A plausible call of `method path`; `None` for a route that nobody planned.
///
/// Ids name nothing, so that who gets past the door reads 404 and nothing is changed for the next caller.
pub fn plan(method: &Method, path: &str) -> Option<Sent> {
    if let Some(name) = path.strip_prefix("/rpc/") {
        return server_fn(name);
    }
    let path = path.strip_prefix("/api/v1")?;
    Some(match (method.as_str(), path) {
        ("GET" | "DELETE", _) => Nothing,
        ("POST", "/setup") => Json(json!({
            "token": "wrong", "email": "m@team.example", "name": "M", "password": "a loom in the attic", "workspace": "W",
        })),
        ("POST", "/login") => Json(json!({"email": "nobody@team.example", "password": "a loom in the attic"})),
        ("POST", "/token/refresh") => Json(json!({"refresh_token": "wrong"})),
        ("POST", "/invites/accept") => Json(json!({"token": "wrong", "name": "M", "password": "a loom in the attic"})),
        ("PUT", "/me") => Json(json!({"name": "A person"})),
        ("POST", "/me/password") => Json(json!({"current": "not this", "new": "a spindle in the barn"})),
        ("PUT", "/workspace/retention") => Json(json!({"days": 30})),
        ("PUT", "/workspace/quotas") => Json(json!({"max_queued_runs": 10_000, "max_running_runs": null})),
        ("POST", "/users") => Json(json!({"email": "not an address", "role": "viewer"})),
        ("PUT", "/users/{id}/role") => Json(json!({"role": "viewer"})),
        ("POST", "/users/{id}/disable" | "/users/{id}/enable") => Nothing,
        ("PUT", "/memory/{namespace}/{key}") => Json(json!({"content": "A thought."})),
        ("POST", "/memory/{namespace}/{key}/restore") => Json(json!({"version": 1_000_000})),
        ("PUT", "/memory/{namespace}/{key}/quarantine") => Json(json!({"reason": "It is odd."})),
        ("POST", "/memory/{namespace}/{key}/relations") => Json(relation()),
        ("PUT", "/memory/settings") => Json(json!({"quarantine": ["model", "web"]})),
        ("PUT", "/namespaces/{namespace}/description") => Json(json!({"description": "What we know."})),
        ("PUT", "/namespaces/{namespace}/access") => {
            Json(json!({"read": {"role": "viewer"}, "write": {"role": "viewer"}}))
        }
        ("PUT", "/namespaces/{namespace}/retention") | ("POST", "/namespaces/{namespace}/retention/preview") => {
            Json(json!({"days": 3650}))
        }
        // Words alone: a model would be asked for a trial.
        ("PUT", "/memory/embedder") => Json(json!({"model": null})),
        ("POST", "/memory/estimate" | "/memory/summarize") => Json(json!({"namespace": "nothing/here"})),
        // No text: a model would be asked for it.
        ("POST", "/embedders/test") => Json(json!({"text": ""})),
        ("POST", "/summary-rules") => Json(json!({"namespace": "nothing/here", "budget_micros": 0})),
        ("PUT", "/summary-rules/{id}") | ("POST", "/summary-rules/preview") => Json(summary_rule()),
        ("POST", "/summary-rules/{id}/run") => Nothing,
        ("POST", "/memory-backups") => Json(json!({
            "namespace": "nothing/here", "target": {"kind": "folder", "path": "../up"}, "schedule": {"kind": "every", "hours": 1}
        })),
        ("PUT", "/memory-backups/{id}") => Json(backup()),
        ("POST", "/memory-backups/{id}/run") => Nothing,
        ("POST", "/memory-backups/{id}/restore") => Json(json!({"copy": "none", "preview": true})),
        ("POST", "/memory/import") => Json(json!({})),
        ("POST", "/memory/bulk") => Json(json!({"steps": []})),
        ("POST", "/memory/search") => Json(json!({"query": "thought"})),
        ("POST", "/workflows" | "/workflows/check") | ("PUT", "/workflows/{id}") => Json(definition("Nightly")),
        ("POST", "/workflows/{id}/execute") => Json(json!({"inputs": {}})),
        ("POST", "/workflows/{id}/publish") => Nothing,
        ("POST", "/memory/encryption/rotate" | "/master-key/{id}/retire") => Nothing,
        ("POST", "/master-key/rotate") => Json(json!({"prepare": true})),
        ("POST", "/approvals/{id}") => Json(json!({"decision": "approved"})),
        ("POST", "/approvals/{id}/delegate") => Json(json!({"email": "nobody@example.com"})),
        ("POST", "/events") => Json(json!({"key": "nothing/waits", "payload": {}})),
        ("POST", "/runs/{id}/fork") => Json(json!({"from_seq": 1})),
        ("POST", "/runs/{id}/replay") => Json(json!({"version": 1})),
        // No runs: a command to many tells of each what came of it, also that it is not there.
        ("POST", "/runs/bulk") => Json(json!({"ids": [], "command": "cancel"})),
        ("POST", "/workflows/{id}/tests") => Json(json!({"run_id": NIL, "name": "As it was"})),
        ("POST", "/runs/{id}/give-output") => Json(json!({"step": "fetch", "output": 1, "reason": "Done by hand."})),
        ("POST", "/runs/{id}/migrate" | "/workflows/{id}/migrate-runs") => Json(json!({"version": 1})),
        ("POST", "/workflows/{id}/tests/run") => Json(json!({})),
        ("PUT", "/workflows/{id}/tests/gate") => Json(json!({"gate": true})),
        ("POST", "/gateway/anthropic/v1/messages" | "/gateway/openai/v1/chat/completions") => {
            Json(json!({"model": "none", "max_tokens": 1, "messages": [{"role": "user", "content": "Hello"}]}))
        }
        ("POST", "/gateway/anthropic/v1/messages/count_tokens") => {
            Json(json!({"model": "none", "messages": [{"role": "user", "content": "Hello"}]}))
        }
        (
            "POST",
            "/gateway/openai/v1/responses"
            | "/gateway/openai/v1/responses/input_tokens"
            | "/gateway/openai/v1/embeddings",
        ) => Json(json!({"model": "none", "input": "Hello"})),
        ("PUT", "/gateway/redaction") => Json(json!({"kinds": ["secrets"]})),
        ("POST", "/gateway/redaction/try") => Json(json!({"text": "Hello"})),
        ("POST", "/gateway/keys") => Json(json!({"name": ""})),
        ("PUT", "/cache/entries/{id}/wrong" | "/cache/semantic/{id}/wrong") => Nothing,
        ("POST", "/cache/invalidate") => Json(json!({"model": "none/none"})),
        ("POST", "/cache/changed") => Json(json!({"kind": "file", "id": "a.rs", "fingerprint": "1"})),
        ("PUT", "/cache/settings") => Json(json!({"enabled": true})),
        ("POST", "/agents") | ("PUT", "/agents/{id}") => Json(agent()),
        // Nothing to do is refused, and so nothing is left to do.
        ("POST", "/agents/hooks/try") => Json(hook_trial()),
        ("POST", "/agents/tasks") => Json(json!({"prompt": ""})),
        ("POST", "/agents/tasks/{id}/cancel") => Nothing,
        ("PUT", "/agents/assignment") | ("POST", "/agents/assignment/preview") => {
            Json(json!({"availability": 1, "expertise": 1, "workload": 0, "success": 0, "affinity": 0}))
        }
        ("POST", "/agents/{id}/comparisons") => Json(json!({"first": 1, "second": 2, "prompts": ["Look around."]})),
        ("POST", "/agents/{id}/tasks") => Json(json!({"prompt": "Look around."})),
        ("PUT", "/agents/{id}/stopped") => Json(json!({"stopped": true})),
        ("POST", "/budgets") | ("PUT", "/budgets/{id}") => Json(budget()),
        ("POST", "/flags") | ("PUT", "/flags/{id}") => Json(json!({"name": ""})),
        ("POST", "/providers") | ("PUT", "/providers/{id}") => Json(json!({"name": "", "kind": "ollama"})),
        ("POST", "/providers/{id}/test" | "/providers/{id}/reset") => Nothing,
        ("POST", "/providers/{id}/prices") => Json(json!({"model": "m", "input": 1, "output": 1})),
        ("POST", "/routes") | ("PUT", "/routes/{id}") => {
            Json(json!({"name": "smart", "targets": [{"provider_id": NIL, "model": "m"}]}))
        }
        ("POST", "/routes/explain") => Json(json!({"model": "smart"})),
        ("POST", "/hooks/{workflow}/{token}") => Json(json!({"n": 1})),
        ("POST", "/schedules") | ("PUT", "/schedules/{id}") => Json(json!({"workflow_id": NIL, "cron": "0 9 * * *"})),
        ("POST", "/schedules/preview") => Json(json!({"cron": "0 9 * * *"})),
        ("POST", "/triggers") | ("PUT", "/triggers/{id}") => Json(draft()),
        ("POST", "/triggers/{id}/fire") => Json(json!({})),
        ("POST", "/triggers/{id}/keys") => Json(json!({"kind": "token"})),
        ("POST", "/runs/{id}/cancel" | "/runs/{id}/pause" | "/runs/{id}/resume" | "/runs/{id}/retry") => Nothing,
        _ => return None,
    })
}

/// A budget without a name.
fn budget() -> Value {
    json!({"name": "", "scope": "workspace", "period": "day", "limit_micros": 1})
}

/// An agent without a name.
fn agent() -> Value {
    json!({"name": "", "spec": {"persona": "You look around."}})
}

/// What could be said of an entry and another that is not there.
fn relation() -> Value {
    json!({"kind": "agrees", "namespace": "nothing/here", "key": "none"})
}

/// A rule for a namespace that is empty.
fn summary_rule() -> Value {
    json!({"namespace": "nothing/here", "budget_micros": 1})
}

/// A backup of a namespace that is empty.
fn backup() -> Value {
    json!({
        "namespace": "nothing/here",
        "target": {"kind": "s3", "endpoint": "https://s3.example.com", "region": "us-east-1", "bucket": "nothing", "access_key_id": "none"},
        "schedule": {"kind": "every", "hours": 24},
        "secret_key": "none",
    })
}

/// A trigger of a workflow that is not there.
fn draft() -> Value {
    json!({"workflow_id": NIL, "config": {"kind": "webhook"}})
}

fn server_fn(name: &str) -> Option<Sent> {
    let page = json!({"limit": 1, "cursor": null});
    let place = json!({"namespace": "team", "key": "thing"});
    let versioned = json!({"namespace": "team", "key": "thing", "version": 1_000_000});
    Some(Json(match name {
        "auth/set_up" | "auth/log_in" | "auth/accept_invite" => {
            return Some(Form(
                "token=wrong&workspace=W&name=M&email=nobody%40team.example&password=a+loom+in+the+attic&next=%2F",
            ));
        }
        "auth/me"
        | "auth/setup_pending"
        | "auth/list_login_sessions"
        | "auth/revoke_other_login_sessions"
        | "master_key/get"
        | "memory/activity"
        | "memory/namespaces"
        | "memory/access"
        | "memory/embedder"
        | "memory/local_models"
        | "memory/health"
        | "memory/summary_rules"
        | "memory/backups"
        | "memory/encryption"
        | "memory/rotate_key"
        | "memory/settings"
        | "users/list_invites"
        | "workspace/quotas"
        | "workspace/retention"
        | "workflows/templates" => json!({}),
        "auth/find_invite" => json!({"token": "wrong"}),
        "auth/revoke_login_session"
        | "users/disable"
        | "users/enable"
        | "users/delete_invite"
        | "workflows/get"
        | "workflows/tests"
        | "workflows/run_tests"
        | "workflows/export"
        | "workflows/publish"
        | "workflows/delete"
        | "runs/get"
        | "runs/waiting" => json!({"id": NIL}),
        "auth/change_password" => json!({"current": "not this", "new": "a spindle in the barn"}),
        "auth/change_name" => json!({"name": "A person"}),
        "workspace/set_retention" => json!({"days": 30}),
        "workspace/set_quotas" => json!({"max_queued_runs": 10_000, "max_running_runs": null}),
        "users/list" => json!({"page": page}),
        "users/change_role" => json!({"id": NIL, "role": "viewer"}),
        "users/create_invite" => json!({"email": "not an address", "role": "viewer"}),
        "dashboard/get" => json!({"period": "day"}),
        "memory/search" => json!({"search": {"query": "thought"}}),
        "memory/try_embedder" => json!({"trial": {"text": ""}}),
        "memory/set_embedder" => json!({"draft": {"model": null}}),
        "memory/table" => json!({"filter": {}, "order": {"by": "key", "descending": false}, "page": page}),
        "memory/list" | "memory/timeline" => json!({"filter": {}, "page": page}),
        "memory/get" | "memory/undelete" | "memory/history" => place,
        "memory/describe" => json!({"namespace": "team", "description": "What we know."}),
        "memory/allow" => {
            json!({"namespace": "team", "access": {"read": {"role": "viewer"}, "write": {"role": "viewer"}}})
        }
        "memory/keep" | "memory/preview_keep" => json!({"namespace": "team", "retention": {"days": 3650}}),
        "memory/get_as_of" => json!({"namespace": "team", "key": "thing", "as_of": "2001-01-01T00:00:00Z"}),
        "memory/relate" => json!({"namespace": "team", "key": "thing", "draft": relation()}),
        "memory/unrelate" => {
            json!({"namespace": "team", "key": "thing", "other": {"namespace": "nothing/here", "key": "none"}})
        }
        "memory/siblings" | "memory/relations" | "memory/related" | "memory/readers" | "memory/summary_links" => place,
        "memory/estimate" => json!({"draft": {"namespace": "nothing/here"}}),
        "memory/summarize" => json!({"draft": {"namespace": "nothing/here"}, "keep": false}),
        "memory/save_summary_rule" => json!({"id": NIL, "draft": summary_rule()}),
        "memory/delete_summary_rule" | "memory/run_summary_rule" => json!({"id": NIL}),
        "memory/save_backup" => json!({"id": NIL, "draft": backup()}),
        "memory/delete_backup" | "memory/run_backup" => json!({"id": NIL}),
        "memory/restore_backup" => json!({"id": NIL, "asked": {"copy": "none", "preview": true}}),
        "memory/preview_summary_rule" => json!({"draft": summary_rule()}),
        "memory/import" | "memory/preview_import" => json!({"part": {"kind": "jsonl", "items": [], "into": ""}}),
        "memory/change" => json!({"bulk": {"steps": []}}),
        "memory/export" => json!({"names": []}),
        "memory/map" => json!({"namespace": ""}),
        "memory/merge" => {
            json!({"namespace": "team", "key": "thing", "draft": {"content": "A thought."}, "version": 1_000_000, "merges": []})
        }
        "memory/put" => {
            json!({"namespace": "team", "key": "thing", "draft": {"content": "A thought."}, "version": 1_000_000})
        }
        "memory/delete" | "memory/restore" | "memory/release" => versioned,
        "memory/quarantine" => json!({"namespace": "team", "key": "thing", "reason": "", "version": 1_000_000}),
        "memory/update_settings" => json!({"settings": {"quarantine": ["model", "web"]}}),
        "workflows/list" => json!({"query": "", "page": page}),
        "workflows/create" => json!({"definition": definition("Nightly")}),
        "workflows/import" => json!({"text": definition("Nightly").to_string()}),
        "workflows/save_draft" => json!({"id": NIL, "revision": 1, "definition": definition("Nightly")}),
        "workflows/costs" | "workflows/estimate" => json!({"id": NIL}),
        "workflows/versions" => json!({"id": NIL, "page": page}),
        "providers/list" | "providers/use" | "budgets/list" => json!({}),
        "gateway/content" => json!({"id": NIL}),
        "redaction/get" => json!({}),
        "redaction/update" => json!({"revision": 0, "draft": {"kinds": ["secrets"]}}),
        "redaction/try" => json!({"trial": {"text": "Hello"}}),
        "cache/report" => json!({"period": "day"}),
        "cache/list" => json!({"filter": {}, "hours": null, "page": page}),
        "cache/get" | "cache/delete" => json!({"id": NIL}),
        "cache/wrong" | "cache/semantic_wrong" => json!({"id": NIL, "wrong": true}),
        "cache/semantic" => json!({"page": page}),
        "cache/invalidate" => json!({"which": {"all": false, "model": "none/none", "route": null}}),
        "cache/settings" => json!({}),
        "cache/update_settings" => json!({"settings": {"enabled": true}}),
        "agents/board" => json!({"ids": []}),
        "agents/get" | "agents/versions" | "agents/delete" => json!({"id": NIL}),
        "agents/tasks" => json!({"id": NIL, "page": page}),
        "agents/memory" => json!({"id": NIL, "page": page}),
        "agents/results" => json!({"id": NIL, "period": "week"}),
        "agents/create" => json!({"draft": agent()}),
        "agents/update" => json!({"id": NIL, "version": 1, "draft": agent()}),
        "agents/try_hooks" => json!({"trial": hook_trial()}),
        "agents/halt" => json!({"id": NIL, "stopped": true}),
        "agents/queue" => json!({"page": page}),
        "agents/queue_task" => json!({"draft": {"prompt": ""}}),
        "agents/leases" | "agents/assignment" | "agents/reset_assignment" => json!({}),
        "agents/set_assignment" | "agents/preview_assignment" => {
            json!({"weights": {"availability": 1, "expertise": 1, "workload": 0, "success": 0, "affinity": 0}})
        }
        "agents/comparisons" | "agents/comparison" | "agents/delete_comparison" => json!({"id": NIL}),
        "agents/compare" => json!({"id": NIL, "draft": {"first": 1, "second": 2, "prompts": ["Look around."]}}),
        "agents/end_lease" => json!({"id": NIL}),
        "agents/cancel_queued" => json!({"id": NIL}),
        "agents/give_task" => json!({"id": NIL, "task": {"prompt": "Look around."}}),
        "flags/list" => json!({}),
        "flags/changes" => json!({"page": page}),
        "flags/create" => json!({"draft": {"name": ""}}),
        "flags/update" => json!({"id": NIL, "revision": 1, "draft": {"name": ""}}),
        "flags/delete" => json!({"id": NIL}),
        "budgets/create" => json!({"draft": budget()}),
        "budgets/update" => json!({"id": NIL, "revision": 1, "draft": budget()}),
        "providers/create" => json!({"draft": {"name": "", "kind": "ollama"}}),
        "providers/update" => json!({"id": NIL, "revision": 1, "draft": {"name": "", "kind": "ollama"}}),
        "providers/get" | "providers/prices" => json!({"id": NIL}),
        "providers/put_price" => json!({"id": NIL, "draft": {"model": "m", "input": 1, "output": 1}}),
        "providers/delete_price" => json!({"id": NIL, "price": NIL}),
        "routes/list" | "gateway/endpoints" => json!({}),
        "routes/create" => json!({"draft": {"name": "smart", "targets": [{"provider_id": NIL, "model": "m"}]}}),
        "routes/update" => {
            json!({"id": NIL, "revision": 1, "draft": {"name": "smart", "targets": [{"provider_id": NIL, "model": "m"}]}})
        }
        "routes/delete" | "gateway/delete_key" => json!({"id": NIL}),
        "routes/explain" => json!({"question": {"model": "smart"}}),
        "gateway/keys" => json!({"page": page}),
        "gateway/create_key" => json!({"draft": {"name": ""}}),
        "gateway/calls" => json!({"filter": {}, "period": "day", "page": page}),
        "gateway/spending" => json!({"by": "model", "period": "day", "run": null}),
        "budgets/delete" | "providers/delete" | "providers/test" | "providers/reset" => json!({"id": NIL}),
        "triggers/list" => json!({"filter": {}, "page": page}),
        "triggers/create" => json!({"draft": draft()}),
        "triggers/update" => json!({"id": NIL, "revision": 1, "draft": draft()}),
        "triggers/get" | "triggers/delete" => json!({"id": NIL}),
        "triggers/fire" => json!({"id": NIL, "event": null}),
        "triggers/firings" => json!({"id": NIL, "page": page}),
        "triggers/replace_key" => json!({"id": NIL, "kind": "token"}),
        "triggers/delete_key" => json!({"id": NIL, "key": NIL}),
        "triggers/preview" => json!({"cron": "0 9 * * *", "timezone": "UTC"}),
        "triggers/zones" => json!({}),
        "runs/start" => json!({"workflow_id": NIL, "inputs": {}, "version": null, "test": false}),
        "runs/bodies" => json!({"run": NIL, "path": "each", "page": page}),
        "runs/team" => json!({"id": NIL}),
        "runs/memory" => json!({"id": NIL, "step": null}),
        "runs/messages" => json!({"id": NIL, "page": page}),
        "runs/body" => json!({"run": NIL, "path": "each[0]"}),
        "approvals/list" => json!({"filter": "open", "page": page}),
        "approvals/count" => json!({}),
        "approvals/get" => json!({"id": NIL}),
        "approvals/of_run" => json!({"run": NIL}),
        "approvals/decide" => json!({"id": NIL, "decision": {"decision": "approved"}}),
        "approvals/delegate" => json!({"id": NIL, "email": "nobody@example.com"}),
        "runs/fork" => json!({"id": NIL, "fork": {"from": {"seq": 1}, "inputs": null, "outputs": {}, "onto": "same"}}),
        "runs/give_output" => json!({"id": NIL, "asked": {"step": "fetch", "output": 1, "reason": "Done by hand."}}),
        "runs/migration" | "runs/migrate" | "workflows/migrate_runs" => json!({"id": NIL, "version": 1}),
        "workflows/movable_runs" => json!({"id": NIL}),
        "runs/diff" => json!({"a": NIL, "b": NIL}),
        "runs/replay" => json!({"id": NIL, "against": {"version": 1}, "strictness": "result"}),
        "runs/bulk" => json!({"ids": [], "command": "cancel"}),
        "workflows/save_test" => json!({"id": NIL, "run": NIL, "name": "As it was", "strictness": "result"}),
        "workflows/delete_test" => json!({"id": NIL, "test": NIL}),
        "workflows/gate" => json!({"id": NIL, "gate": true}),
        "runs/list" => json!({"filter": {}, "page": page}),
        "runs/send_event" => json!({"key": "nothing/waits", "payload": {}}),
        "runs/events" => json!({"id": NIL, "after": 0}),
        "runs/logs" => json!({"id": NIL, "step": null, "after": 0, "limit": 1}),
        "runs/control" => json!({"id": NIL, "command": "cancel"}),
        _ => return None,
    }))
}

/// A call to try no hooks with.
fn hook_trial() -> Value {
    json!({"hooks": [], "tool": "shell", "arguments": {"script": "ls"}})
}
