-- What lets a run begin: one row for each run with a key, a rate or a quota, from its acceptance on.
create table run_flow (
    run_id uuid primary key references run (id) on delete cascade,
    workspace_id uuid not null references workspace (id),
    -- Where it queues: its key, else its rate, else its workflow.
    lane text collate "C" not null,
    key text collate "C",
    key_limit bigint,
    when_full text,
    rate_key text collate "C",
    rate_count bigint,
    rate_ms bigint,
    priority bigint not null,
    -- waiting, held (begun and not ended) or ended
    state text not null,
    queued_at timestamptz not null,
    admitted_at timestamptz,
    -- The newer run under the same key that takes its place.
    superseded_by uuid
);

create index run_flow_waiting on run_flow (workspace_id, lane, priority desc, run_id) where state = 'waiting';
create index run_flow_held on run_flow (workspace_id, lane) where state = 'held';
create index run_flow_rate on run_flow (workspace_id, rate_key, admitted_at) where rate_key is not null;
create index run_flow_superseded on run_flow (superseded_by) where superseded_by is not null and state <> 'ended';

-- One row a workspace, locked by whoever lets runs begin or steps have a key; its number only goes up.
create table flow_gate (
    workspace_id uuid primary key references workspace (id),
    turn bigint not null
);

-- The lanes in which somebody waits, and when each was last served.
create table flow_lane (
    workspace_id uuid not null references workspace (id),
    lane text collate "C" not null,
    turn bigint not null,
    primary key (workspace_id, lane)
);

-- The steps that have a key, or wait for it.
create table step_key (
    run_id uuid not null references run (id) on delete cascade,
    step text not null,
    workspace_id uuid not null references workspace (id),
    key text collate "C" not null,
    -- The fencing token of the run when it asked.
    lease_token bigint not null,
    asked_at timestamptz not null,
    held_at timestamptz,
    primary key (run_id, step)
);

create index step_key_by_key on step_key (workspace_id, key);

-- Days that ended runs are kept, where the workflow or the workspace says so.
alter table run add column keep_days bigint;
alter table workspace add column retention_days bigint;
create index run_kept on run (keep_days, ended_at) where keep_days is not null;
