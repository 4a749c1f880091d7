-- The caller's idempotency key of a task of the queue: the same request with the same key is the same task, for as long as it is kept.
alter table agent_queue add column idempotency_key text;
create unique index agent_queue_key on agent_queue (workspace_id, idempotency_key) where idempotency_key is not null;
