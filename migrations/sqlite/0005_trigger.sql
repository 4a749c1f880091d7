-- What starts runs by itself.
create table run_trigger (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    workflow_id blob not null references workflow (id) on delete cascade,
    kind text not null,
    name text not null,
    -- What it waits for, without secrets.
    config text not null,
    -- The template of the inputs; null stands for the event itself.
    inputs text not null,
    enabled integer not null,
    -- When a schedule is due; null for other kinds and while it is off.
    next_at integer,
    -- Up to which change of memory it has looked; null for other kinds and while it is off.
    seen_change integer,
    -- Goes up with each edit.
    revision integer not null,
    created_by blob references app_user (id) on delete set null,
    created_at integer not null,
    updated_at integer not null
) strict;

create index run_trigger_by_workspace on run_trigger (workspace_id, id);
create index run_trigger_by_workflow on run_trigger (workflow_id);
create index run_trigger_by_creator on run_trigger (created_by);
create index run_trigger_due on run_trigger (next_at) where next_at is not null;
create index run_trigger_following on run_trigger (workspace_id) where seen_change is not null;

-- What became of each occasion.
create table trigger_firing (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    trigger_id blob not null references run_trigger (id) on delete cascade,
    at integer not null,
    scheduled_for integer,
    -- What it is about: a moment, a caller's id, a change, a run's end. Each fires once; null for what is only told.
    occasion text,
    outcome text not null,
    reason text not null,
    run_id blob,
    -- How many triggers led to it, one by the run of the other.
    depth integer not null,
    -- JSON as text, which unlike jsonb can hold \u0000.
    event text not null,
    -- Until the run is started: what it will be given.
    inputs text,
    unique (trigger_id, occasion)
) strict;

create index trigger_firing_newest on trigger_firing (trigger_id, id);
create index trigger_firing_by_workspace on trigger_firing (workspace_id, id);
create index trigger_firing_open on trigger_firing (at) where outcome = 'starting';
create index trigger_firing_by_run on trigger_firing (run_id) where run_id is not null;
create index trigger_firing_age on trigger_firing (at);

-- What callers of a webhook prove themselves with: a token by its digest, a secret encrypted.
create table trigger_key (
    id blob primary key,
    trigger_id blob not null references run_trigger (id) on delete cascade,
    kind text not null,
    digest blob unique,
    sealed blob,
    hint text not null,
    created_at integer not null,
    expires_at integer
) strict;

create index trigger_key_by_trigger on trigger_key (trigger_id, kind);

-- Whose runs' ends are to be told, and to which watcher; without a workflow: all of the workspace.
create table run_watch (
    id blob primary key references run_trigger (id) on delete cascade,
    workspace_id blob not null references workspace (id),
    workflow_id blob references workflow (id) on delete cascade
) strict;

create index run_watch_by_workspace on run_watch (workspace_id);
create index run_watch_by_workflow on run_watch (workflow_id);

-- Ends of watched runs that were not looked at yet, each written with the end itself.
create table run_ending (
    run_id blob not null references run (id) on delete cascade,
    seq integer not null,
    watch_id blob not null references run_watch (id) on delete cascade,
    workspace_id blob not null references workspace (id),
    status text not null,
    primary key (run_id, seq, watch_id)
) strict;

create index run_ending_by_watch on run_ending (watch_id);

-- The number of the change that made the version; versions from before have none.
alter table memory_version add column change integer;
