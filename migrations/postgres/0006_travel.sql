-- A fork: the run whose history it begins with, and the newest event of that run which counts in it.
alter table run add column forked_from uuid references run (id) on delete set null;
alter table run add column forked_seq bigint;

create index run_by_origin on run (forked_from) where forked_from is not null;

-- Whether a version is made only when every regression test passes.
alter table workflow add column tests_gate boolean not null default false;

-- A run that was kept as a regression test of its workflow: its recorded outcomes outlive the run.
create table workflow_test (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    workflow_id uuid not null references workflow (id) on delete cascade,
    name text not null,
    strictness text not null,
    run_id uuid not null,
    -- JSON as text, which unlike jsonb can hold \u0000.
    recording text not null,
    created_by text,
    created_at timestamptz not null,
    unique (workflow_id, name)
);
