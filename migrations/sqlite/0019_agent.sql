-- Named configurations of a model that works with tools.
create table agent (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    name text not null,
    -- Goes up with each change.
    version integer not null,
    -- What it is and may do, as JSON.
    spec text not null,
    -- Since when it may do nothing, and by whom.
    stopped_at integer,
    stopped_by text,
    created_at integer not null,
    updated_at integer not null,
    unique (workspace_id, name)
) strict;

-- What each was, the newest of them included.
create table agent_version (
    agent_id blob not null references agent (id) on delete cascade,
    version integer not null,
    workspace_id blob not null references workspace (id),
    spec text not null,
    made_by text,
    created_at integer not null,
    primary key (agent_id, version)
) strict, without rowid;

-- What each did: one row for each step of a run in which it worked. The run may be gone.
create table agent_task (
    run_id blob not null,
    step text not null,
    workspace_id blob not null references workspace (id),
    agent_id blob not null references agent (id) on delete cascade,
    version integer not null,
    workflow_name text not null,
    prompt text not null,
    -- working, waiting, done, failed or cancelled, as the step said last; a run that has ended knows better.
    status text not null,
    turns integer not null,
    tokens integer not null,
    cost_micros integer not null,
    started_at integer not null,
    active_at integer not null,
    primary key (run_id, step)
) strict, without rowid;

create index agent_task_by_agent on agent_task (agent_id, started_at, run_id, step);
create index agent_task_latest on agent_task (agent_id, active_at);
create index agent_task_open on agent_task (workspace_id) where status in ('working', 'waiting');
create index agent_task_recent on agent_task (workspace_id, active_at);
create index agent_task_old on agent_task (active_at);
