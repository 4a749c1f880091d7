-- When a model summarizes entries by itself.
create table memory_summary_rule (
    id uuid primary key,
    workspace_id uuid not null references workspace (id),
    -- Which entries, how often, by whom and for how much at most.
    spec jsonb not null,
    enabled boolean not null,
    -- In whose name a model is asked; null for the program itself.
    made_by uuid,
    made_by_name text,
    created_at timestamptz not null,
    next_at timestamptz not null
);

create index memory_summary_rule_of on memory_summary_rule (workspace_id, created_at);

-- What came of a rule each time, the last ones.
create table memory_summary_firing (
    rule_id uuid not null references memory_summary_rule (id) on delete cascade,
    at timestamptz not null,
    report jsonb not null,
    primary key (rule_id, at)
);

-- Workspaces where somebody has said what makes vectors, be it nothing: what the settings name is for the others.
create table memory_embedder_choice (
    workspace_id uuid primary key references workspace (id),
    at timestamptz not null
);

insert into memory_embedder_choice (workspace_id, at)
select workspace_id, min(created_at) from memory_embedder group by workspace_id;
