-- What lets a run begin: one row for each run with a key, a rate or a quota, from its acceptance on.
create table run_flow (
    run_id blob primary key references run (id) on delete cascade,
    workspace_id blob not null references workspace (id),
    -- Where it queues: its key, else its rate, else its workflow.
    lane text not null,
    key text,
    key_limit integer,
    when_full text,
    rate_key text,
    rate_count integer,
    rate_ms integer,
    priority integer not null,
    -- waiting, held (begun and not ended) or ended
    state text not null,
    queued_at integer not null,
    admitted_at integer,
    -- The newer run under the same key that takes its place.
    superseded_by blob
) strict;

create index run_flow_waiting on run_flow (workspace_id, lane, priority desc, run_id) where state = 'waiting';
create index run_flow_held on run_flow (workspace_id, lane) where state = 'held';
create index run_flow_rate on run_flow (workspace_id, rate_key, admitted_at) where rate_key is not null;
create index run_flow_superseded on run_flow (superseded_by) where superseded_by is not null and state <> 'ended';

-- One row a workspace, locked by whoever lets runs begin or steps have a key; its number only goes up.
create table flow_gate (
    workspace_id blob primary key references workspace (id),
    turn integer not null
) strict;

-- The lanes in which somebody waits, and when each was last served.
create table flow_lane (
    workspace_id blob not null references workspace (id),
    lane text not null,
    turn integer not null,
    primary key (workspace_id, lane)
) strict;

-- The steps that have a key, or wait for it.
create table step_key (
    run_id blob not null references run (id) on delete cascade,
    step text not null,
    workspace_id blob not null references workspace (id),
    key text not null,
    -- The fencing token of the run when it asked.
    lease_token integer not null,
    asked_at integer not null,
    held_at integer,
    primary key (run_id, step)
) strict;

create index step_key_by_key on step_key (workspace_id, key);

-- Days that ended runs are kept, where the workflow or the workspace says so.
alter table run add column keep_days integer;
alter table workspace add column retention_days integer;
create index run_kept on run (keep_days, ended_at) where keep_days is not null;
