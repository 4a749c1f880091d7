create table workflow (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    description text not null,
    draft text not null,
    -- Goes up with each save of the draft.
    revision integer not null,
    published_version integer,
    owner_id blob references app_user (id) on delete set null,
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, name)
) strict;

create table workflow_version (
    workflow_id blob not null references workflow (id) on delete cascade,
    version integer not null,
    definition text not null,
    published_by blob references app_user (id) on delete set null,
    published_at integer not null,
    primary key (workflow_id, version)
) strict;

-- Content-addressed: what is larger than 4 KiB stands here once, and rows hold its hash.
create table payload (
    workspace_id blob not null references workspace (id),
    hash blob not null,
    size integer not null,
    data blob not null,
    -- Moved whenever a row refers to it anew, so that the collector lets fresh ones be.
    touched_at integer not null,
    primary key (workspace_id, hash)
) strict;

create table run (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    workflow_id blob references workflow (id) on delete set null,
    workflow_name text not null,
    version integer,
    -- trigger is a reserved word
    cause text not null,
    started_by text,
    idempotency_key text,
    -- The hash of what was asked under the key, to tell a repeat from a different request.
    request_hash blob,
    definition_hash blob not null,
    status text not null,
    headline text,
    steps_done integer not null default 0,
    steps_total integer not null,
    last_seq integer not null default 0,
    created_at integer not null,
    started_at integer,
    ended_at integer,
    -- When a waiting run goes on by itself.
    wake_at integer,
    -- The process that has it in hand, until when, and the fencing token that each hand-over raises.
    owner_id blob,
    lease_until integer,
    lease_token integer not null default 0
) strict;

create index run_by_workspace on run (workspace_id, id);
create index run_by_workflow on run (workflow_id, id) where workflow_id is not null;
create unique index run_idempotency on run (workspace_id, idempotency_key) where idempotency_key is not null;
create index run_due on run (wake_at) where wake_at is not null;
create index run_owned on run (owner_id) where owner_id is not null;
create index run_by_definition on run (definition_hash);
create index run_open on run (status) where ended_at is null;
create index run_ended on run (ended_at) where ended_at is not null;

create table run_event (
    run_id blob not null references run (id) on delete cascade,
    seq integer not null,
    at integer not null,
    step text,
    kind text not null,
    -- JSON as text, which unlike jsonb can hold \u0000; or null when it stands in payload.
    data text,
    payload_hash blob,
    primary key (run_id, seq)
) strict, without rowid;

create index run_event_payload on run_event (payload_hash) where payload_hash is not null;

create table run_log (
    run_id blob not null references run (id) on delete cascade,
    seq integer not null,
    at integer not null,
    step text not null,
    attempt integer not null,
    stream text not null,
    text text not null,
    primary key (run_id, seq)
) strict;
