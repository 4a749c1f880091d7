-- Failed runs whose workflow names another one to start, each written with the failure itself.
create table run_failure (
    run_id blob not null references run (id) on delete cascade,
    seq integer not null,
    workspace_id blob not null references workspace (id),
    -- The workflow to start, by name or id.
    handler text not null,
    -- open, started or refused.
    state text not null,
    started_id blob,
    refused text,
    at integer not null,
    primary key (run_id, seq)
) strict;

create index run_failure_open on run_failure (at) where state = 'open';
