-- Tasks that an agent was given and has not begun: 'queued' is one more status of agent_task.
create index agent_task_queued on agent_task (workspace_id) where status = 'queued';

-- Tasks that are given to no agent in particular. The agents and the run may be gone.
create table agent_queue (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    -- What was asked for, as JSON.
    asks text not null,
    -- The words that it asks for, in order: what is alike takes alike.
    kind text not null,
    topic text not null,
    priority integer not null,
    -- waiting, assigned, leaving (its run is being cancelled, so that another agent can have it), done, failed or cancelled.
    status text not null,
    -- Why it waits or failed.
    reason text not null,
    -- How often it was given to an agent: part of the key under which its run is started.
    attempt integer not null,
    agent_id blob,
    agent_name text,
    run_id blob,
    -- The agents that failed at it, as JSON.
    tried text not null,
    -- Why the agent has it, as JSON.
    assignment text,
    given_by_id blob,
    given_by text,
    created_at integer not null,
    assigned_at integer,
    ended_at integer
) strict;

create index agent_queue_list on agent_queue (workspace_id, id);
create index agent_queue_open on agent_queue (workspace_id, priority desc, id) where status in ('waiting', 'assigned', 'leaving');
create index agent_queue_run on agent_queue (run_id) where run_id is not null;
create index agent_queue_topic on agent_queue (workspace_id, topic, assigned_at) where topic <> '';
create index agent_queue_old on agent_queue (ended_at) where ended_at is not null;

-- What a task comes after.
create table agent_queue_after (
    task_id blob not null references agent_queue (id) on delete cascade,
    after_id blob not null,
    primary key (task_id, after_id)
) strict, without rowid;

create index agent_queue_after_by on agent_queue_after (after_id);

-- What the parts of an agent's score count, where a workspace has said so.
create table agent_weights (
    workspace_id blob primary key references workspace (id),
    weights text not null,
    updated_at integer not null
) strict;
