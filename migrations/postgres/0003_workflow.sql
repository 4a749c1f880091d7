create table workflow (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text not null,
    description text not null,
    draft jsonb not null,
    -- Goes up with each save of the draft.
    revision bigint not null,
    published_version bigint,
    owner_id uuid references app_user (id) on delete set null,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, name)
);

create table workflow_version (
    workflow_id uuid not null references workflow (id) on delete cascade,
    version bigint not null,
    definition jsonb not null,
    published_by uuid references app_user (id) on delete set null,
    published_at timestamptz not null,
    primary key (workflow_id, version)
);

-- Content-addressed: what is larger than 4 KiB stands here once, and rows hold its hash.
create table payload (
    workspace_id uuid not null references workspace (id),
    hash bytea not null,
    size bigint not null,
    data bytea not null,
    -- Moved whenever a row refers to it anew, so that the collector lets fresh ones be.
    touched_at timestamptz not null,
    primary key (workspace_id, hash)
);

create table run (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    workflow_id uuid references workflow (id) on delete set null,
    workflow_name text not null,
    version bigint,
    -- trigger is a reserved word
    cause text not null,
    started_by text,
    idempotency_key text,
    -- The hash of what was asked under the key, to tell a repeat from a different request.
    request_hash bytea,
    definition_hash bytea not null,
    status text not null,
    headline text,
    steps_done bigint not null default 0,
    steps_total bigint not null,
    last_seq bigint not null default 0,
    created_at timestamptz not null,
    started_at timestamptz,
    ended_at timestamptz,
    -- When a waiting run goes on by itself.
    wake_at timestamptz,
    -- The process that has it in hand, until when, and the fencing token that each hand-over raises.
    owner_id uuid,
    lease_until timestamptz,
    lease_token bigint not null default 0
);

create index run_by_workspace on run (workspace_id, id);
create index run_by_workflow on run (workflow_id, id) where workflow_id is not null;
create unique index run_idempotency on run (workspace_id, idempotency_key) where idempotency_key is not null;
create index run_due on run (wake_at) where wake_at is not null;
create index run_owned on run (owner_id) where owner_id is not null;
create index run_by_definition on run (definition_hash);
create index run_open on run (status) where ended_at is null;
create index run_ended on run (ended_at) where ended_at is not null;

create table run_event (
    run_id uuid not null references run (id) on delete cascade,
    seq bigint not null,
    at timestamptz not null,
    step text,
    kind text not null,
    -- JSON as text, which unlike jsonb can hold \u0000; or null when it stands in payload.
    data text,
    payload_hash bytea,
    primary key (run_id, seq)
);

create index run_event_payload on run_event (payload_hash) where payload_hash is not null;

create table run_log (
    run_id uuid not null references run (id) on delete cascade,
    seq bigint not null,
    at timestamptz not null,
    step text not null,
    attempt bigint not null,
    stream text not null,
    text text not null,
    primary key (run_id, seq)
);
