-- Sub-runs that nobody waits for: an attempt that was about to start one was stopped, failed or given up. Written with the
-- event that says so, and deleted once the sub-run was told, or once none can come any more.
create table unwanted_run (
    -- The idempotency key under which it was, or would have been, started.
    idempotency_key text not null,
    workspace_id uuid not null references workspace (id),
    noted_at timestamptz not null,
    primary key (idempotency_key, workspace_id)
);
