-- What was given lately, for who tries other weights on it.
create index agent_queue_given on agent_queue (workspace_id, assigned_at) where assigned_at is not null;

-- What the scripts of a task took: milliseconds of processor time together, and the most memory that one had at once, in MiB.
alter table agent_task add column cpu_ms integer not null default 0;
alter table agent_task add column memory_mb integer not null default 0;
-- What a task that waits waits for, where its step knows: people or budget.
alter table agent_task add column waits_for text;
