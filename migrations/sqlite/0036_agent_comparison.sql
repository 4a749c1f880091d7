-- Two versions of an agent at the same tasks. Their runs are found by keys that are made of the id.
create table agent_comparison (
    id blob primary key,
    workspace_id blob not null references workspace (id),
    agent_id blob not null references agent (id) on delete cascade,
    -- What is compared, at which tasks, and what is checked of each answer.
    plan text not null,
    made_by text,
    created_at integer not null
) strict;

create index agent_comparison_by_agent on agent_comparison (workspace_id, agent_id, created_at);

-- Trials are no work that was given: no list, count or choice of an agent goes by them.
alter table agent_task add column is_trial integer not null default 0;
