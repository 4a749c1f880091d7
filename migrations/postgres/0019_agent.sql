-- Named configurations of a model that works with tools.
create table agent (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    name text collate "C" not null,
    -- Goes up with each change.
    version bigint not null,
    -- What it is and may do.
    spec jsonb not null,
    -- Since when it may do nothing, and by whom.
    stopped_at timestamptz,
    stopped_by text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (workspace_id, name)
);

-- What each was, the newest of them included.
create table agent_version (
    agent_id uuid not null references agent (id) on delete cascade,
    version bigint not null,
    workspace_id uuid not null references workspace (id),
    spec jsonb not null,
    made_by text,
    created_at timestamptz not null,
    primary key (agent_id, version)
);

-- What each did: one row for each step of a run in which it worked. The run may be gone.
create table agent_task (
    run_id uuid not null,
    step text collate "C" not null,
    workspace_id uuid not null references workspace (id),
    agent_id uuid not null references agent (id) on delete cascade,
    version bigint not null,
    workflow_name text not null,
    prompt text not null,
    -- working, waiting, done, failed or cancelled, as the step said last; a run that has ended knows better.
    status text not null,
    turns bigint not null,
    tokens bigint not null,
    cost_micros bigint not null,
    started_at timestamptz not null,
    active_at timestamptz not null,
    primary key (run_id, step)
);

create index agent_task_by_agent on agent_task (agent_id, started_at, run_id, step);
create index agent_task_latest on agent_task (agent_id, active_at);
create index agent_task_open on agent_task (workspace_id) where status in ('working', 'waiting');
create index agent_task_recent on agent_task (workspace_id, active_at);
create index agent_task_old on agent_task (active_at);
