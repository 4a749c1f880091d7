-- Failed runs whose workflow names another one to start, each written with the failure itself.
create table run_failure (
    run_id uuid not null references run (id) on delete cascade,
    seq bigint not null,
    workspace_id uuid not null references workspace (id),
    -- The workflow to start, by name or id.
    handler text not null,
    -- open, started or refused.
    state text not null,
    started_id uuid,
    refused text,
    at timestamptz not null,
    primary key (run_id, seq)
);

create index run_failure_open on run_failure (at) where state = 'open';
