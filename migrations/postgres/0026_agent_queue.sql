-- Tasks that an agent was given and has not begun: 'queued' is one more status of agent_task.
create index agent_task_queued on agent_task (workspace_id) where status = 'queued';
